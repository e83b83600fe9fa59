"""Column lineage read out of SQL, and the query of a number rewritten to find its rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dx_pipeline.contract.catalog import load_catalog
from dx_pipeline.errors import SettingsError
from dx_pipeline.lineage.column_ref import ColumnRef, LineageError
from dx_pipeline.lineage.graph import LineageGraph, build_graph
from dx_pipeline.lineage.sql_columns import script_lineage, select_lineage
from dx_pipeline.lineage.trace_query import for_unit, rows_by_batch, tables_of
from dx_pipeline.settings import PROJECT_ROOT
from dx_pipeline.warehouse.load_file import parse_load_file
from dx_pipeline.warehouse.marts import load_marts


@pytest.fixture(scope="module")
def graph() -> LineageGraph:
    return build_graph(load_catalog((PROJECT_ROOT,)).contracts.values(), load_marts((PROJECT_ROOT,)))


def test_a_select_with_steps_joins_and_a_star() -> None:
    sql = """
    with dated as (select s.*, coalesce(s.a, s.b) as day from stage.x as s)
    select d.c as plain, d.day, u.sk, 1 as one, count(*) as rows from dated as d left join core.dim_u as u on d.k = u.k
    group by 1, 2, 3
    """
    found = select_lineage(sql, {"stage.x": ["a", "b", "c", "k"]})
    assert found == {
        "plain": (ColumnRef("stage.x", "c"),),
        "day": (ColumnRef("stage.x", "a"), ColumnRef("stage.x", "b")),
        "sk": (ColumnRef("core.dim_u", "sk"),),
        "one": (),
        "rows": (),
    }


def test_a_script_is_followed_through_its_temporary_tables() -> None:
    script = """
    create temporary table t on commit drop as select f.k, sum(f.v) as total from core.f as f group by f.k;
    set local enable_sort = off;
    delete from mart.m;
    insert into mart.m (name, amount) with n as (select d.k, d.label from core.d as d)
    select n.label, t.total * 2 from t inner join n on t.k = n.k;
    """
    assert script_lineage(script, "mart.m") == {
        "name": (ColumnRef("core.d", "label"),),
        "amount": (ColumnRef("core.f", "v"),),
    }
    with pytest.raises(LineageError, match="no statement inserts a SELECT into mart.other"):
        script_lineage(script, "mart.other")


def test_every_star_column_that_a_dataset_fills_is_known_and_most_lead_to_a_source(graph: LineageGraph) -> None:
    for contract in load_catalog((PROJECT_ROOT,)).contracts.values():
        step = parse_load_file(contract.load_path).ledger_step
        columns = graph.columns(str(step.target))
        assert columns, step.target
        from_source = [c for c in columns if graph.origins(ColumnRef(str(step.target), c))]
        assert len(from_source) >= 2, f"{contract.id}: {step.target}"


def test_a_mart_column_leads_to_the_cells_of_the_workbook(graph: LineageGraph) -> None:
    origins = graph.origins(ColumnRef("mart.eid_by_commune_month", "activation_rate"))
    assert {one.column for one in origins} == {
        "Đã cấp (hồ sơ) / Mức 1", "Đã cấp (hồ sơ) / Mức 2", "Đã kích hoạt / Mức 1", "Đã kích hoạt / Mức 2",
    }  # fmt: skip
    assert ColumnRef("mart.dossier_on_time", "rate_766") in graph.users(ColumnRef("core.fact_dossier", "due_at"))


def test_what_was_read_is_kept_by_content(tmp_path: Path) -> None:
    contracts = list(load_catalog((PROJECT_ROOT,)).contracts.values())
    cache = tmp_path / "columns.json"
    first = build_graph(contracts, load_marts((PROJECT_ROOT,)), cache=cache)
    kept = json.loads(cache.read_text(encoding="utf-8"))
    assert len(kept) >= len(contracts)
    again = build_graph(contracts, load_marts((PROJECT_ROOT,)), cache=cache)
    assert again.tables() == first.tables()
    cache.write_text("{broken", encoding="utf-8")
    assert build_graph(contracts, [], cache=cache).tables()


COLUMNS = {
    "core.fact_eid_month": ["month", "commune_sk", "issued", "last_batch_id"],
    "core.dim_task": ["task_code", "last_batch_id"],
    "core.fact_task": ["task_code", "done", "last_batch_id"],
    "core.plain": ["x"],
}


def test_the_rows_behind_a_sum_are_counted_by_batch() -> None:
    query = "select sum(f.issued) from core.fact_eid_month as f where f.month = date '2024-06-01'"
    assert rows_by_batch(query, COLUMNS) == (
        "core.fact_eid_month",
        "SELECT f.last_batch_id AS batch_id, COUNT(*) AS row_count FROM core.fact_eid_month AS f"
        " WHERE f.month = CAST('2024-06-01' AS DATE) GROUP BY f.last_batch_id",
    )


def test_the_fact_is_followed_not_the_dimension_and_a_filter_counts() -> None:
    query = (
        "select count(*) filter (where f.done) from core.dim_task as t inner join core.fact_task as f"
        " on t.task_code = f.task_code"
    )
    table, counted = rows_by_batch(query, COLUMNS) or ("", "")
    assert table == "core.fact_task"
    assert counted.endswith("WHERE f.done GROUP BY f.last_batch_id")


def test_a_unit_is_a_bound_text_and_only_where_there_are_units() -> None:
    query = "select sum(f.issued) from core.fact_eid_month as f"
    assert for_unit(query, "19330", COLUMNS).endswith(
        "f.commune_sk IN (SELECT u.admin_unit_sk FROM core.dim_admin_unit AS u WHERE u.code = '19330')"
    )
    assert "''; drop table x --" in for_unit(query, "'; drop table x --", COLUMNS)
    with pytest.raises(SettingsError, match="not counted by commune or agency"):
        for_unit("select count(*) from core.plain", "19330", COLUMNS)


def test_without_a_batch_column_nothing_is_invented() -> None:
    assert rows_by_batch("select count(*) from core.plain", COLUMNS) is None
    assert tables_of("select 1 from core.plain as p, (select 2 from core.other) as q") == ["core.other", "core.plain"]
