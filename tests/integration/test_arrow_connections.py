"""ADBC connections that outlive a COPY: reused, checked before use, and replaced when the server went away."""

from __future__ import annotations

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
import pytest

from dx_pipeline.errors import WarehouseError, WarehouseUnavailable
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.stage import copy_into_stage
from tests.warehouse_fixture import warehouse  # noqa: F401

SCHEMA = pa.schema([("n", pa.int64())])


def batch(*numbers: int) -> pa.RecordBatch:
    return pa.record_batch([pa.array(numbers, pa.int64())], schema=SCHEMA)


def backend(connection: adbc.Connection) -> int:
    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        return int(cursor.fetchone()[0])


def make_table(warehouse: Warehouse) -> None:
    with warehouse.loader() as connection:
        connection.exec_driver_sql("create unlogged table stage.numbers (n bigint check (n > 0))")


def numbers(warehouse: Warehouse) -> list[int]:
    with warehouse.loader() as connection:
        return list(connection.exec_driver_sql("select n from stage.numbers order by n").scalars())


def test_the_next_copy_gets_the_connection_of_the_last_one(warehouse: Warehouse) -> None:
    with warehouse.arrow.lease() as first:
        one = backend(first)
    with warehouse.arrow.lease() as second:
        assert backend(second) == one


def test_two_at_once_get_one_each(warehouse: Warehouse) -> None:
    with warehouse.arrow.lease() as first, warehouse.arrow.lease() as second:
        assert backend(first) != backend(second)


def test_a_connection_that_the_server_ended_is_replaced(warehouse: Warehouse) -> None:
    make_table(warehouse)
    with warehouse.arrow.lease() as connection:
        gone = backend(connection)
    with warehouse.owner() as owner:
        owner.exec_driver_sql(f"select pg_terminate_backend({gone}, 5000)")
    assert copy_into_stage(warehouse, "numbers", SCHEMA, iter([batch(1, 2)])) == 2
    assert numbers(warehouse) == [1, 2]


def test_rows_that_are_refused_leave_none_and_the_next_copy_works(warehouse: Warehouse) -> None:
    make_table(warehouse)
    with pytest.raises(WarehouseError, match="refused"):
        copy_into_stage(warehouse, "numbers", SCHEMA, iter([batch(1, 2), batch(-3)]))
    assert numbers(warehouse) == []
    assert copy_into_stage(warehouse, "numbers", SCHEMA, iter([batch(4)])) == 1
    assert numbers(warehouse) == [4]


def test_a_row_that_is_too_wide_is_told_as_such_and_not_tried_again(warehouse: Warehouse) -> None:
    names = [f"c{number}" for number in range(1500)]
    with warehouse.owner() as connection:
        columns = ", ".join(f"{name} bigint" for name in names)
        connection.exec_driver_sql(f"create table stage.wide ({columns}); grant insert on stage.wide to dx_loader")
    schema = pa.schema([(name, pa.int64()) for name in names])
    row = pa.RecordBatch.from_arrays([pa.array([7])] * len(names), schema=schema)
    with pytest.raises(WarehouseError, match="row is too big") as caught:
        copy_into_stage(warehouse, "wide", schema, iter([row]))
    assert not caught.value.can_heal
    assert "leave out columns that no figure needs" in str(caught.value.next_step)


def test_an_error_of_the_rows_themselves_comes_out_as_it_is(warehouse: Warehouse) -> None:
    make_table(warehouse)

    def broken():  # type: ignore[no-untyped-def]
        yield batch(1)
        raise ZeroDivisionError("the judge broke")

    with pytest.raises(ZeroDivisionError):
        copy_into_stage(warehouse, "numbers", SCHEMA, broken())
    assert numbers(warehouse) == []


def test_a_server_that_does_not_answer_is_told_of_by_the_copy_alone(warehouse: Warehouse) -> None:
    away = Warehouse(warehouse.url.set(port=1))
    away.arrow.prepare()
    with pytest.raises(WarehouseUnavailable, match="cannot be reached for COPY"):
        copy_into_stage(away, "numbers", SCHEMA, iter([batch(1)]))


def test_no_row_needs_no_connection(warehouse: Warehouse) -> None:
    assert copy_into_stage(warehouse, "no_such_table", SCHEMA, iter([])) == 0


def test_the_kept_connection_holds_no_transaction(warehouse: Warehouse) -> None:
    make_table(warehouse)
    copy_into_stage(warehouse, "numbers", SCHEMA, iter([batch(1)]))
    with warehouse.owner() as connection:
        states = connection.exec_driver_sql(
            "select state from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        ).scalars()
        assert set(states) <= {"idle"}
