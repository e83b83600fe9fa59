"""Comparing many rows with their target before the upsert changes nothing but the time it takes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dx_pipeline.warehouse import merge_upsert
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.load_file import parse_load_file
from dx_pipeline.warehouse.merge import Delivery, LoadBinds, MergeCounts, run_load
from tests.warehouse_fixture import warehouse

__all__ = ["warehouse"]

Row = tuple[str, date, int, int]
ROWS = st.lists(
    st.tuples(
        st.sampled_from("abcdefg"),
        st.sampled_from([date(2024, 1, 31), date(2024, 2, 1), date(2024, 2, 29), date(2024, 4, 30)]),
        st.integers(1, 4),  # the content, and its hash
        st.integers(1, 3),  # the version: an older one never wins
    ),
    max_size=8,
    unique_by=lambda row: (row[0], row[1]),
)
DELIVERIES = st.lists(ROWS, min_size=1, max_size=4)


@pytest.fixture
def tables(warehouse: Warehouse) -> Warehouse:
    with warehouse.owner() as connection:
        for name in ("few", "many"):
            connection.exec_driver_sql(
                f"create table core.p_{name} (code text, kind_sk smallint, day date, amount bigint, version bigint,"
                " row_hash bigint, first_batch_id bigint, last_batch_id bigint, loaded_at timestamptz,"
                " primary key (code, kind_sk, day)) partition by range (kind_sk, day);"
                f" select ops.keep_history('core.p_{name}')"
            )
        connection.exec_driver_sql("grant select, insert, update, delete on all tables in schema core to dx_loader")
    return warehouse


def deliver(warehouse: Warehouse, folder: Path, name: str, rows: list[Row], batch: int) -> MergeCounts:
    values = ", ".join(f"('{code}', date '{day}', {amount}, {version})" for code, day, amount, version in rows)
    (folder / "step.sql").write_text(
        "-- grain: test\n"
        f"-- dx:step merge=upsert target=core.p_{name} key=code,kind_sk,day version=version ledger\n"
        "select v.code, 2::smallint as kind_sk, v.day, v.amount::bigint, v.version::bigint, v.amount::bigint as row_hash\n"
        f"from (values {values or '(null, null::date, null, null)'}) as v (code, day, amount, version)\n"
        "where v.code is not null;\n",
        encoding="utf-8",
    )
    binds = LoadBinds(batch_id=batch, as_of=datetime(2024, 7, batch, 3, tzinfo=UTC), key_version=1)
    with warehouse.loader() as connection:
        return run_load(connection, parse_load_file(folder / "step.sql"), binds, Delivery())


def content(warehouse: Warehouse, name: str) -> list[list[Any]]:
    with warehouse.owner() as connection:
        return [
            [
                tuple(row)
                for row in connection.exec_driver_sql(f"select * from core.p_{name}{suffix} order by 1, 3, {by}")
            ]
            for suffix, by in (("", "2"), ("_history", "known_from"))
        ]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries=DELIVERIES)
def test_both_ways_of_an_upsert_come_to_the_same(
    tables: Warehouse, tmp_path: Path, deliveries: list[list[Row]]
) -> None:
    with tables.owner() as connection:
        for name in ("few", "many"):
            connection.execute(sa.text(f"delete from core.p_{name}"))
            connection.execute(sa.text(f"delete from core.p_{name}_history"))
    for batch, rows in enumerate(deliveries, start=1):
        told = {}
        for name, many_rows in (("few", 1_000_000), ("many", 1)):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(merge_upsert, "MANY_ROWS", many_rows)
                told[name] = deliver(tables, tmp_path, name, rows, batch)
        assert told["few"] == told["many"]
        assert told["few"].rows == len(rows)
        assert content(tables, "few") == content(tables, "many")
