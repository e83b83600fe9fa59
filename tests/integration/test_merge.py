"""Merges on a real PostgreSQL: each kind, every kind of change, counts that balance."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dx_pipeline.errors import LoadFileError
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.load_file import parse_load_file
from dx_pipeline.warehouse.merge import Delivery, LoadBinds, MergeCounts, run_load
from tests.warehouse_fixture import warehouse  # noqa: F401

AUDIT = "row_hash bigint, first_batch_id bigint, last_batch_id bigint, loaded_at timestamptz"


def prepare(warehouse: Warehouse, *statements: str) -> None:
    with warehouse.owner() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("grant select, insert, update, delete on all tables in schema core to dx_loader")


def load(
    warehouse: Warehouse, tmp_path: Path, header: str, rows: list[tuple[Any, ...]], columns: str, batch: int,
    *, day: int = 1, rejected: list[str] | None = None,
) -> MergeCounts:  # fmt: skip
    """Run one step whose SELECT gives the rows written here."""
    values = ", ".join("(" + ", ".join(rendered(value) for value in row) + ")" for row in rows)
    body = f"select v.* from (values {values}) as v({columns})" if rows else _empty(columns)
    path = tmp_path / "step.sql"
    path.write_text(f"-- grain: test\n-- dx:step {header} ledger\n{body};\n", encoding="utf-8")
    binds = LoadBinds(batch_id=batch, as_of=datetime(2024, 7, day, 3, tzinfo=UTC), key_version=1)
    with warehouse.loader() as connection:
        if rejected is not None:
            connection.exec_driver_sql("create table stage.t__rejected (row_key text, business_key text)")
            for key in rejected:
                connection.exec_driver_sql("insert into stage.t__rejected values (%s, %s)", (key, key))
        counts = run_load(
            connection, parse_load_file(path), binds, Delivery(rejected="t__rejected" if rejected is not None else None)
        )
        if rejected is not None:
            connection.exec_driver_sql("drop table stage.t__rejected")
    return counts


def rendered(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, int):
        return f"{value}::bigint"
    text = str(value)
    return f"date '{text}'" if len(text) == 10 and text[4] == "-" else f"'{text}'::text"


def _empty(columns: str) -> str:
    types = {"row_hash": "bigint", "valid_from": "date", "amount": "bigint", "day": "date"}
    return (
        "select "
        + ", ".join(f"null::{types.get(c.strip(), 'text')} as {c.strip()}" for c in columns.split(","))
        + " limit 0"
    )


def table(warehouse: Warehouse, statement: str) -> list[tuple[Any, ...]]:
    with warehouse.owner() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(statement)]


def test_upsert_inserts_updates_and_leaves_alone(warehouse: Warehouse, tmp_path: Path) -> None:
    prepare(warehouse, f"create table core.t_upsert (code text primary key, amount bigint, {AUDIT})")
    header, columns = "merge=upsert target=core.t_upsert key=code", "code, amount, row_hash"
    first = load(warehouse, tmp_path, header, [("a", 1, 11), ("b", 2, 22)], columns, 1)
    assert (first.rows, first.inserted, first.updated, first.unchanged) == (2, 2, 0, 0)
    second = load(warehouse, tmp_path, header, [("a", 1, 11), ("b", 3, 33), ("c", 4, 44)], columns, 2)
    assert (second.rows, second.inserted, second.updated, second.unchanged) == (3, 1, 1, 1)
    assert table(warehouse, "select code, amount, first_batch_id, last_batch_id from core.t_upsert order by 1") == [
        ("a", 1, 1, 1),
        ("b", 3, 1, 2),
        ("c", 4, 2, 2),
    ]


def test_upsert_never_lets_an_older_version_win(warehouse: Warehouse, tmp_path: Path) -> None:
    prepare(warehouse, f"create table core.t_version (code text primary key, amount bigint, changed date, {AUDIT})")
    header = "merge=upsert target=core.t_version key=code version=changed"
    columns = "code, amount, changed, row_hash"
    load(warehouse, tmp_path, header, [("a", 2, "2024-02-01", 22)], columns, 1)
    late = load(warehouse, tmp_path, header, [("a", 1, "2024-01-01", 11)], columns, 2)
    assert (late.updated, late.unchanged) == (0, 1)
    assert table(warehouse, "select amount from core.t_version") == [(2,)]


def test_partitioned_upsert_fills_fresh_months_then_updates_them(warehouse: Warehouse, tmp_path: Path) -> None:
    prepare(
        warehouse,
        f"create table core.t_month (code text not null, day date not null, amount bigint, {AUDIT},"
        " primary key (code, day)) partition by range (day)",
        "create index on core.t_month (amount)",
    )
    header, columns = "merge=upsert target=core.t_month key=code,day", "code, day, amount, row_hash"
    first = load(warehouse, tmp_path, header, [("a", "2024-01-31", 1, 1), ("b", "2024-02-01", 2, 2)], columns, 1)
    assert (first.rows, first.inserted) == (2, 2)
    assert [month.isoformat() for month in first.months] == ["2024-01-01", "2024-02-01"]
    second = load(
        warehouse,
        tmp_path,
        header,
        [("a", "2024-01-31", 9, 9), ("b", "2024-02-01", 2, 2), ("c", "2024-02-29", 3, 3), ("d", "2024-03-01", 4, 4)],
        columns,
        2,
    )
    assert (second.rows, second.inserted, second.updated, second.unchanged) == (4, 2, 1, 1)
    assert table(warehouse, "select code, amount from core.t_month order by 1") == [
        ("a", 9),
        ("b", 2),
        ("c", 3),
        ("d", 4),
    ]
    indexes = table(
        warehouse,
        "select count(*) from pg_index i join pg_inherits h on h.inhrelid = i.indrelid"
        " where h.inhparent = 'core.t_month'::regclass and i.indisvalid",
    )
    assert indexes == [(6,)], "each of three partitions has its primary key and its index"


def scd2_table(warehouse: Warehouse) -> tuple[str, str]:
    prepare(
        warehouse,
        "create table core.t_dim (sk bigint generated always as identity primary key, code text not null, name text,"
        " valid_from date not null, valid_to date not null, is_current boolean not null, is_inferred boolean not null,"
        f" {AUDIT})",
    )
    return "merge=scd2 target=core.t_dim key=code close_missing", "code, name, valid_from, row_hash"


VERSIONS = (
    "select code, name, valid_from::text, valid_to::text, is_current from core.t_dim order by code, valid_from, sk"
)


def test_scd2_opens_and_closes_versions(warehouse: Warehouse, tmp_path: Path) -> None:
    header, columns = scd2_table(warehouse)
    load(warehouse, tmp_path, header, [("a", "A1", "2024-01-01", 1), ("b", "B1", "2024-01-01", 2)], columns, 1)
    counts = load(warehouse, tmp_path, header, [("a", "A2", "2024-06-01", 9), ("b", "B1", "2024-01-01", 2)], columns, 2)
    assert (counts.rows, counts.inserted, counts.updated, counts.unchanged, counts.closed) == (2, 0, 1, 1, 0)
    assert table(warehouse, VERSIONS) == [
        ("a", "A1", "2024-01-01", "2024-06-01", False),
        ("a", "A2", "2024-06-01", "9999-12-31", True),
        ("b", "B1", "2024-01-01", "9999-12-31", True),
    ]
    again = load(warehouse, tmp_path, header, [("a", "A2", "2024-06-01", 9), ("b", "B1", "2024-01-01", 2)], columns, 3)
    assert (again.inserted, again.updated, again.unchanged, again.closed) == (0, 0, 2, 0)


def test_scd2_corrects_in_place_when_the_date_is_the_same(warehouse: Warehouse, tmp_path: Path) -> None:
    header, columns = scd2_table(warehouse)
    load(warehouse, tmp_path, header, [("a", "typo", "2024-01-01", 1)], columns, 1)
    load(warehouse, tmp_path, header, [("a", "right", "2024-01-01", 2)], columns, 2)
    assert table(warehouse, VERSIONS) == [("a", "right", "2024-01-01", "9999-12-31", True)]


def test_scd2_closes_what_vanished_and_reopens_it_without_overlap(warehouse: Warehouse, tmp_path: Path) -> None:
    header, columns = scd2_table(warehouse)
    load(warehouse, tmp_path, header, [("a", "A", "2024-01-01", 1), ("b", "B", "2024-01-01", 2)], columns, 1, day=1)
    gone = load(warehouse, tmp_path, header, [("a", "A", "2024-01-01", 1)], columns, 2, day=5)
    assert (gone.unchanged, gone.closed) == (1, 1)
    back = load(
        warehouse, tmp_path, header, [("a", "A", "2024-01-01", 1), ("b", "B", "2024-01-01", 2)], columns, 3, day=9
    )
    assert (back.inserted, back.closed) == (1, 0)
    assert [row[2:] for row in table(warehouse, VERSIONS) if row[0] == "b"] == [
        ("2024-01-01", "2024-07-05", False),
        ("2024-07-05", "9999-12-31", True),
    ]


def test_a_rejected_row_has_not_vanished(warehouse: Warehouse, tmp_path: Path) -> None:
    header, columns = scd2_table(warehouse)
    load(warehouse, tmp_path, header, [("a", "A", "2024-01-01", 1), ("b", "B", "2024-01-01", 2)], columns, 1)
    counts = load(warehouse, tmp_path, header, [("a", "A", "2024-01-01", 1)], columns, 2, rejected=["b"])
    assert counts.closed == 0


def test_an_inferred_member_is_completed_in_place(warehouse: Warehouse, tmp_path: Path) -> None:
    header, columns = scd2_table(warehouse)
    infer = "merge=infer target=core.t_dim key=code"
    inferred = load(warehouse, tmp_path, infer, [("z",), ("z",)], "code", 1)
    assert inferred.inserted == 1
    [(surrogate,)] = table(warehouse, "select sk from core.t_dim")
    counts = load(warehouse, tmp_path, header, [("z", "Z", "2020-01-01", 5)], columns, 2)
    assert (counts.inserted, counts.updated) == (0, 1)
    assert table(warehouse, "select sk, name, is_inferred from core.t_dim") == [(surrogate, "Z", False)]


def test_snapshot_closes_and_reopens(warehouse: Warehouse, tmp_path: Path) -> None:
    prepare(warehouse, f"create table core.t_snap (code text primary key, name text, closed_on date, {AUDIT})")
    header, columns = "merge=snapshot target=core.t_snap key=code", "code, name, row_hash"
    load(warehouse, tmp_path, header, [("a", "A", 1), ("b", "B", 2)], columns, 1)
    gone = load(warehouse, tmp_path, header, [("a", "A", 1)], columns, 2, day=4)
    assert (gone.rows, gone.unchanged, gone.closed) == (1, 1, 1)
    assert table(warehouse, "select closed_on::text from core.t_snap where code = 'b'") == [("2024-07-04",)]
    back = load(warehouse, tmp_path, header, [("a", "A", 1), ("b", "B", 2)], columns, 3)
    assert (back.rows, back.inserted, back.updated, back.unchanged) == (2, 0, 1, 1)
    assert table(warehouse, "select closed_on from core.t_snap where code = 'b'") == [(None,)]


@pytest.mark.parametrize(
    ("header", "columns", "message"),
    [
        ("merge=upsert target=core.t_bad key=code", "name, row_hash", "gives no key column 'code'"),
        (
            "merge=upsert target=core.t_bad key=code",
            "code, nowhere, row_hash",
            "'nowhere', which core.t_bad does not have",
        ),
        ("merge=upsert target=core.t_bad key=code", "code, name", "must give row_hash"),
        ("merge=upsert target=core.missing key=code", "code, row_hash", "core.missing does not exist"),
        ("merge=scd2 target=core.t_bad key=code", "code, row_hash", "must give valid_from"),
    ],
)
def test_a_step_that_does_not_fit_is_refused_with_file_and_line(
    warehouse: Warehouse, tmp_path: Path, header: str, columns: str, message: str
) -> None:
    prepare(warehouse, f"create table core.t_bad (code text primary key, name text, {AUDIT})")
    with pytest.raises(LoadFileError, match="line 2") as refused:
        load(warehouse, tmp_path, header, [tuple(["x"] * len(columns.split(",")))], columns, 1)
    assert message in str(refused.value)


def test_the_loader_cannot_drop_a_shared_table(warehouse: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "hostile.sql"
    path.write_text(
        "-- dx:step merge=sql\ndrop table core.fact_dossier;\n"
        "-- dx:step merge=upsert target=core.dim_field key=field_code ledger\nselect 1;\n",
        encoding="utf-8",
    )
    binds = LoadBinds(batch_id=1, as_of=datetime(2024, 7, 1, tzinfo=UTC), key_version=1)
    with pytest.raises(LoadFileError, match="must be owner"), warehouse.loader() as connection:
        run_load(connection, parse_load_file(path), binds)
