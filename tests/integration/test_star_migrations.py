"""The warehouse schema on the oldest and the newest supported server: complete, commented, guarded, balanced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from dx_pipeline.errors import WarehouseError
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.distribution import citus_version, distribute, plan_distribution
from dx_pipeline.warehouse.migrate import migrate
from tests.citus import corpus
from tests.integration.star_warehouse import PROJECT, ask, ask_as, migrated_warehouse, running_server

DIMENSIONS_BY_KEY = {
    "dim_date": "date_key",
    "dim_admin_unit": "admin_unit_sk",
    "dim_agency": "agency_sk",
    "dim_procedure": "procedure_sk",
    "dim_field": "field_sk",
    "dim_channel": "channel_sk",
    "dim_dossier_status": "status_sk",
    "dim_applicant_kind": "applicant_kind_sk",
    "dim_event_kind": "event_kind_sk",
    "dim_source_system": "source_system_sk",
    "dim_land_use": "land_use_sk",
    "dim_business_kind": "business_kind_sk",
    "dim_business_status": "business_status_sk",
    "dim_economic_section": "economic_section_sk",
}
NAMED_IN_TWO_LANGUAGES = (
    "dim_channel",
    "dim_dossier_status",
    "dim_applicant_kind",
    "dim_event_kind",
    "dim_source_system",
    "dim_land_use",
    "dim_business_kind",
    "dim_business_status",
    "dim_economic_section",
)


@pytest.fixture(scope="module", params=[16, 18])
def warehouse(request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    with running_server(request.param) as server, migrated_warehouse(server) as opened:
        yield opened


def test_migrating_again_does_nothing(warehouse: Warehouse) -> None:
    assert migrate(warehouse, [PROJECT]) == []


def test_every_table_and_column_is_described_in_both_languages(warehouse: Warehouse) -> None:
    described = ask(
        warehouse,
        "select schema_name || '.' || table_name || coalesce('.' || column_name, ''), comment_vi, comment_en"
        " from ops.data_dictionary",
    )
    assert len(described) > 300
    assert [name for name, vi, en in described if not vi or not en] == []


def test_the_dictionary_shows_tables_columns_and_types(warehouse: Warehouse) -> None:
    rows = ask(
        warehouse,
        "select column_name, data_type, comment_vi, comment_en from ops.data_dictionary"
        " where schema_name = 'core' and table_name = 'dim_channel' order by position",
    )
    assert rows[0] == (None, None, "Chiều kênh nộp hồ sơ", "Channel a dossier was filed through")
    assert [row[0] for row in rows[1:]] == ["channel_sk", "name_vi", "name_en"]
    assert rows[1][1] == "smallint"


def test_partitions_are_not_listed_in_the_dictionary(warehouse: Warehouse) -> None:
    ask(warehouse, "select ops.create_monthly_partition('core.fact_dossier', '2019-03-05')")
    assert ask(warehouse, "select to_regclass('core_partition.fact_dossier_2019_03') is not null") == [(True,)]
    assert ask(warehouse, "select count(*) from ops.data_dictionary where table_name like '%2019%'") == [(0,)]


@pytest.mark.parametrize("table", DIMENSIONS_BY_KEY)
def test_every_dimension_has_an_unknown_and_a_not_applicable_member(warehouse: Warehouse, table: str) -> None:
    key = DIMENSIONS_BY_KEY[table]
    name = {"dim_date": "weekday_name"}.get(table, "name")
    if table in NAMED_IN_TWO_LANGUAGES:
        name = "name_vi || ' | ' || name_en"
    rows = ask(warehouse, f"select {key}, {name} from core.{table} where {key} < 0 order by {key} desc")
    assert rows == [(-1, "Không xác định | Unknown"), (-2, "Không áp dụng | Not applicable")]


def test_no_personal_column_in_core_or_mart(warehouse: Warehouse) -> None:
    rows = ask(
        warehouse,
        "select table_schema, table_name, column_name from information_schema.columns"
        " where table_schema in ('core', 'mart') and (data_type = 'bytea'"
        " or column_name ~ '(pseudonym|(^|_)phone|email|address|birth|citizen|applicant_name|official)')",
    )
    assert rows == []


# -- who may do what -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "table", "allowed"),
    [
        ("dx_bi", "mart.dossier_on_time", True),
        ("dx_bi", "core.fact_dossier", False),
        ("dx_bi", "ops.batch", False),
        ("dx_analyst", "mart.service_level_on_date", True),
        ("dx_analyst", "core.fact_dossier", True),
        ("dx_analyst", "core.duplicate_dossier", True),
        ("dx_analyst", "core.dim_procedure", True),
        ("dx_analyst", "ops.data_dictionary", True),
        ("dx_analyst", "ops.batch", False),
        ("dx_analyst", "restricted.dossier_applicant", False),
        ("dx_engineer", "ops.batch", True),
        ("dx_engineer", "core.fact_dossier_event", True),
        ("dx_engineer", "restricted.dossier_applicant", False),
        ("dx_loader", "restricted.dossier_applicant", True),
    ],
)
def test_who_reads_what(warehouse: Warehouse, role: str, table: str, allowed: bool) -> None:
    query = f"select count(*) from {table}"
    if allowed:
        assert ask_as(warehouse, role, query)[0][0] >= 0
    else:
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            ask_as(warehouse, role, query)


@pytest.mark.parametrize("role", ["dx_analyst", "dx_engineer", "dx_bi", "dx_loader"])
def test_a_partition_cannot_be_read_by_its_own_name(warehouse: Warehouse, role: str) -> None:
    ask(warehouse, "select ops.create_monthly_partition('core.fact_dossier', '2019-04-01')")
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied for schema core_partition"):
        ask_as(warehouse, role, "select count(*) from core_partition.fact_dossier_2019_04")


def test_the_raw_records_of_quarantine_are_for_the_loader_only(warehouse: Warehouse) -> None:
    assert ask_as(warehouse, "dx_engineer", "select count(row_key) from ops.quarantine") == [(0,)]
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        ask_as(warehouse, "dx_engineer", "select raw_record from ops.quarantine")


@pytest.mark.parametrize(
    "statement",
    [
        "drop table core.fact_dossier",
        "alter table core.fact_dossier add column x integer",
        "delete from core.fact_dossier",
        "truncate core.dim_agency",
        "delete from ops.batch",
        "create table core.mine (x integer)",
    ],
)
def test_the_loader_cannot_change_or_empty_shared_tables(warehouse: Warehouse, statement: str) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied|must be owner"):
        ask_as(warehouse, "dx_loader", statement)


def test_the_loader_makes_its_own_stage_tables(warehouse: Warehouse) -> None:
    with warehouse.loader() as connection:
        connection.exec_driver_sql("create unlogged table stage.mine (x integer)")
        connection.exec_driver_sql("drop table stage.mine")


# -- the ledger ------------------------------------------------------------------------------------

BALANCED: dict[str, Any] = {
    "source_rows": 100,
    "extracted": 100,
    "accepted": 90,
    "quarantined": 7,
    "duplicate": 3,
    "inserted": 50,
    "updated": 30,
    "unchanged": 10,
}


def _publish(warehouse: Warehouse, **changes: Any) -> int:
    counts = {**BALANCED, **changes}
    names = ", ".join(counts)
    values = ", ".join(f":{name}" for name in counts)
    with warehouse.loader() as connection:
        return int(
            connection.execute(
                sa.text(
                    f"insert into ops.batch (system, dataset, contract_version, kind, status, published_at, {names})"
                    f" values ('one_stop', 'ho_so', '1.0.0', 'increment', 'published', now(), {values})"
                    " returning batch_id"
                ),
                counts,
            ).scalar_one()
        )


def test_a_balanced_batch_can_be_published(warehouse: Warehouse) -> None:
    assert _publish(warehouse) > 0


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"source_rows": 101}, "batch_all_source_rows_read"),
        ({"source_rows": None}, "batch_all_source_rows_read"),
        ({"quarantined": 6}, "batch_verdicts_balance"),
        ({"duplicate": None}, "batch_verdicts_balance"),
        ({"inserted": 51}, "batch_publication_balances"),
        ({"unchanged": None}, "batch_publication_balances"),
        ({"inserted": 91, "unchanged": -31}, "batch_counts_not_negative"),
    ],
)
def test_an_unbalanced_batch_cannot_be_published(
    warehouse: Warehouse, changes: dict[str, Any], constraint: str
) -> None:
    with pytest.raises(sa.exc.IntegrityError, match=constraint):
        _publish(warehouse, **changes)


def test_a_batch_that_is_not_published_may_still_be_uncounted(warehouse: Warehouse) -> None:
    with warehouse.loader() as connection:
        connection.exec_driver_sql(
            "insert into ops.batch (system, dataset, contract_version, kind, status, extracted)"
            " values ('one_stop', 'ho_so', '1.0.0', 'full', 'landed', 5)"
        )


def test_a_row_is_open_in_quarantine_once(warehouse: Warehouse) -> None:
    batch = _publish(warehouse)
    insert = sa.text(
        "insert into ops.quarantine (system, dataset, row_key, reasons, raw_record, first_batch_id, last_batch_id,"
        " first_seen, last_seen, status) values ('one_stop', 'ho_so', '17', '{ma_ho_so_missing}', '{}', :batch, :batch,"
        " now(), now(), :status)"
    )
    with pytest.raises(sa.exc.IntegrityError, match="quarantine_one_open_per_row"), warehouse.loader() as connection:
        connection.execute(insert, {"batch": batch, "status": "released"})
        connection.execute(insert, {"batch": batch, "status": "open"})
        connection.execute(insert, {"batch": batch, "status": "open"})


# -- reference dimensions --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "province", "communes"),
    [("2019-12-31", "45", 141), ("2024-06-30", "45", 125), ("2025-01-01", "45", 119), ("2025-07-01", "44", 78)],
)
def test_communes_in_force_on_a_day(warehouse: Warehouse, day: str, province: str, communes: int) -> None:
    rows = ask(
        warehouse,
        "select count(*) from core.dim_admin_unit where level = 'commune' and province_code = :province"
        " and cast(:day as date) >= valid_from and cast(:day as date) < valid_to",
        day=day,
        province=province,
    )
    assert rows == [(communes,)]


def test_the_same_code_names_two_provinces(warehouse: Warehouse) -> None:
    rows = ask(
        warehouse,
        "select name, valid_to::text from core.dim_admin_unit where level = 'province' and code = '44'"
        " order by valid_from",
    )
    assert rows == [("Tỉnh Quảng Bình", "2025-07-01"), ("Tỉnh Quảng Trị", "9999-12-31")]


def test_every_commune_has_its_province_above_it(warehouse: Warehouse) -> None:
    rows = ask(
        warehouse,
        "select d.level, p.level, b.distance, count(*) from core.bridge_admin_unit_closure as b"
        " join core.dim_admin_unit as d on d.admin_unit_sk = b.descendant_sk"
        " join core.dim_admin_unit as p on p.admin_unit_sk = b.ancestor_sk"
        " where d.level = 'commune' and p.level = 'province' group by 1, 2, 3 order by 3",
    )
    assert rows == [("commune", "province", 1, 78), ("commune", "province", 2, 324)]


def test_the_crosswalk_points_at_units_and_admits_what_cannot_be_apportioned(warehouse: Warehouse) -> None:
    assert ask(
        warehouse,
        "select count(*), count(*) filter (where from_sk = -1 or to_sk = -1) from core.bridge_admin_unit_crosswalk",
    ) == [(532, 0)]
    assert ask(
        warehouse,
        "select from_code, to_code, share from core.bridge_admin_unit_crosswalk where weight is null order by to_code",
    ) == [("19528", "19519", "partial"), ("19528", "19543", "partial")]


def test_holidays_move_the_working_days(warehouse: Warehouse) -> None:
    count = (
        "select count(*) filter (where is_working_day), max(working_day_number) - min(working_day_number)"
        " from core.dim_date where full_date between '2024-04-26' and '2024-05-03'"
    )
    # Friday 26 April to Friday 3 May: six weekdays, of which 30 April and 1 May are holidays.
    assert ask(warehouse, count) == [(6, 5)]
    with warehouse.loader() as connection:
        connection.exec_driver_sql(
            "insert into core.holiday values ('2024-04-30', 'Giải phóng miền Nam', null, 1, 1, 1, now()),"
            " ('2024-05-01', 'Quốc tế Lao động', null, 1, 1, 1, now())"
        )
        assert connection.exec_driver_sql("select core.refresh_working_days()").scalar_one() > 2
        assert connection.exec_driver_sql("select core.refresh_working_days()").scalar_one() == 0
    assert ask(warehouse, count) == [(4, 3)]
    assert ask(warehouse, "select holiday_name from core.dim_date where date_key = 20240430") == [
        ("Giải phóng miền Nam",)
    ]


def test_the_plan_for_several_nodes_takes_keys_off_moves_tables_and_puts_keys_on(warehouse: Warehouse) -> None:
    with warehouse.owner() as connection:
        plan = plan_distribution(connection)
    read_from_files = {name: table.place for name, table in corpus.catalog().tables.items()}
    assert {name for name, place in read_from_files.items() if place == "distributed"} == set(plan.distributed)
    assert {name for name, place in read_from_files.items() if place == "reference"} == set(plan.reference)
    assert plan.done == ()
    kinds = [
        statement.split(" ", 1)[0] + " " + statement.split("(")[0].rsplit(" ", 3)[-1] for statement in plan.statements
    ]
    moved = [kind for kind in kinds if kind.startswith("select")]
    assert moved == ["select create_reference_table"] * len(plan.reference) + ["select create_distributed_table"] * 7
    first, last = kinds.index(moved[0]), len(kinds) - 1 - kinds[::-1].index(moved[-1])
    dropped, added = plan.statements[:first], plan.statements[last + 1 :]
    assert [text.replace(" drop ", " add ") for text in dropped] == [text.split(" FOREIGN KEY")[0] for text in added]
    assert len(added) > 20
    facts = [text for text in plan.statements if "create_distributed_table" in text]
    assert facts[0] == """select create_distributed_table('"core"."fact_dossier"', 'dossier_code')"""
    assert all(text.endswith(", colocate_with => 'core.fact_dossier')") for text in facts[1:])


def test_the_keys_of_the_plan_can_be_taken_off_and_put_on_again(warehouse: Warehouse) -> None:
    """All of the plan that plain PostgreSQL can run, and nothing is lost by it."""
    count = "select count(*) from pg_constraint where contype = 'f' and convalidated"
    before = ask(warehouse, count)
    with warehouse.owner() as connection:
        for statement in plan_distribution(connection).statements:
            if statement.startswith("alter table"):
                connection.exec_driver_sql(statement)
    assert ask(warehouse, count) == before


def test_plain_postgresql_is_told_from_citus(warehouse: Warehouse) -> None:
    with warehouse.owner() as connection:
        assert citus_version(connection) is None
        with pytest.raises(WarehouseError, match="citus is not installed in this warehouse: nothing was distributed"):
            distribute(connection, plan_distribution(connection))
