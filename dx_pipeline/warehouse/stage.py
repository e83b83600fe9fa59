"""Stage: unlogged tables, one per dataset, filled by binary COPY straight from Arrow.

``ops.stage_content`` says which batch a stage table holds, so that a publish never takes rows of
another batch for its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

import adbc_driver_manager
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import WarehouseError, WarehouseUnavailable
from dx_pipeline.sql_quoting import identifier
from dx_pipeline.warehouse.arrow_connections import brief
from dx_pipeline.warehouse.connection import Warehouse

_LIMIT_EXCEEDED = "54"
"""Class of PostgreSQL's SQLSTATE: a row or table is larger than it can be, however often it is sent."""
REJECTED_SCHEMA = pa.schema(
    [
        ("_row", pa.int64()),
        ("row_key", pa.string()),
        ("business_key", pa.string()),  # the contract's primary key, cleaned; null where a part of it cannot be read
        ("reasons", pa.list_(pa.string())),
        ("raw_record", pa.string()),
    ]
)


def rejected_table(contract: Contract) -> str:
    """Name of the stage table that holds the rejected rows of a dataset."""
    return f"{contract.stage_table}__rejected"


def prepare_stage(
    warehouse: Warehouse, contract: Contract, schema: pa.Schema, batch_id: int, *, key_version: int | None = None
) -> None:
    """Make empty stage tables for one batch; whatever an interrupted run left there is dropped.

    Args:
        key_version: of the key that makes the pseudonyms of these rows, if there are any.
    """
    with warehouse.loader() as connection:
        for name, table_schema in ((contract.stage_table, schema), (rejected_table(contract), REJECTED_SCHEMA)):
            columns = ", ".join(f"{identifier(field.name)} {postgres_type(field.type)}" for field in table_schema)
            connection.exec_driver_sql(f"drop table if exists stage.{identifier(name)}")
            connection.exec_driver_sql(
                f"create unlogged table stage.{identifier(name)} ({columns}) with (autovacuum_enabled = false)"
            )
        connection.execute(
            sa.text(
                "insert into ops.stage_content (system, dataset, batch_id, state, rows, at, key_version)"
                " values (:system, :dataset, :batch_id, 'loading', null, now(), :key) on conflict (system, dataset)"
                " do update set batch_id = excluded.batch_id, state = excluded.state, rows = null, at = excluded.at,"
                " key_version = excluded.key_version"
            ),
            {"system": contract.system, "dataset": contract.dataset, "batch_id": batch_id, "key": key_version},
        )


def copy_into_stage(
    warehouse: Warehouse,
    table: str,
    schema: pa.Schema,
    batches: Iterator[pa.RecordBatch],
    on_rows: Callable[[int], None] | None = None,
) -> int:
    """COPY record batches into a stage table, all or none; returns the number of rows.

    Raises:
        WarehouseUnavailable: the connection broke.
        WarehouseError: the server refused the rows.
    """
    first = next(batches, None)
    if first is None:
        return 0
    failures: list[BaseException] = []

    def counted() -> Iterator[pa.RecordBatch]:
        try:
            for batch in chain((first,), batches):
                yield batch
                if on_rows is not None:
                    on_rows(batch.num_rows)
        except BaseException as error:
            failures.append(error)  # the Arrow stream would pass on its text only
            raise

    try:
        with warehouse.arrow.lease() as connection, connection.cursor() as cursor:
            reader = pa.RecordBatchReader.from_batches(schema, counted())
            return int(cursor.adbc_ingest(table, reader, mode="append", db_schema_name="stage"))
    except adbc_driver_manager.Error as error:
        if failures:
            raise failures[0] from None
        if (error.sqlstate or "").startswith(_LIMIT_EXCEEDED):
            raise WarehouseError(
                f"COPY into stage.{table} was refused: {brief(error)}",
                next_step="its rows are too wide for PostgreSQL: leave out columns that no figure needs (leftOut in the "
                "contract), or make two datasets of it with the same key",
            ) from None
        if isinstance(error, adbc_driver_manager.OperationalError):
            raise WarehouseUnavailable(f"COPY into stage.{table} broke off: {brief(error)}") from None
        raise WarehouseError(f"COPY into stage.{table} was refused: {brief(error)}") from None


def finish_stage(connection: Connection, contract: Contract, batch_id: int, rows: int) -> None:
    """Say that the stage tables now hold this batch completely."""
    connection.exec_driver_sql("set local default_statistics_target = 10")  # joins to small dimensions need no more
    connection.exec_driver_sql(f"analyze stage.{identifier(contract.stage_table)}")
    connection.execute(
        sa.text(
            "update ops.stage_content set state = 'ready', rows = :rows, at = now()"
            " where system = :system and dataset = :dataset and batch_id = :batch_id"
        ),
        {"rows": rows, "system": contract.system, "dataset": contract.dataset, "batch_id": batch_id},
    )


def stage_holds(connection: Connection, contract: Contract, batch_id: int) -> bool:
    """True if the stage tables hold all rows of this batch; nobody fills them with another one in this transaction.

    An unlogged table is empty after the server crashed, so the rows are counted again if it started since.
    """
    found = connection.execute(
        sa.text(
            "select rows, at > pg_postmaster_start_time() as same_server from ops.stage_content"
            " where system = :system and dataset = :dataset"
            " and batch_id = :batch_id and state = 'ready' and to_regclass(:stage) is not null for share"
        ),
        {
            "system": contract.system,
            "dataset": contract.dataset,
            "batch_id": batch_id,
            "stage": f"stage.{contract.stage_table}",
        },
    ).one_or_none()
    if found is None or found.same_server:
        return found is not None
    counted = connection.exec_driver_sql(f"select count(*) from stage.{identifier(contract.stage_table)}").scalar_one()
    return bool(counted == found.rows)


def drop_stage(warehouse: Warehouse, contract: Contract, batch_id: int) -> None:
    """Remove the stage tables of a published batch, or what older ones left; its rows are in the star, and in landing."""
    ours = {"system": contract.system, "dataset": contract.dataset}
    with warehouse.loader() as connection:
        later = connection.execute(
            sa.text(
                "select c.batch_id from ops.stage_content as c where c.system = :system and c.dataset = :dataset"
                " and c.batch_id > :batch_id"
            ),
            {**ours, "batch_id": batch_id},
        )
        if later.one_or_none() is not None:  # another run has gone ahead with the dataset
            return
        for name in (contract.stage_table, rejected_table(contract)):
            connection.exec_driver_sql(f"drop table if exists stage.{identifier(name)}")
        connection.execute(sa.text("delete from ops.stage_content where system = :system and dataset = :dataset"), ours)


def postgres_type(arrow_type: pa.DataType) -> str:
    """The PostgreSQL type of a stage column.

    Raises:
        WarehouseError: the Arrow type has no place in a stage table.
    """
    if pa.types.is_list(arrow_type):
        return postgres_type(arrow_type.value_type) + "[]"
    if pa.types.is_timestamp(arrow_type):
        return "timestamptz" if arrow_type.tz else "timestamp"
    if pa.types.is_decimal(arrow_type):
        return f"numeric({arrow_type.precision}, {arrow_type.scale})"
    if pa.types.is_dictionary(arrow_type):
        return postgres_type(arrow_type.value_type)
    simple = {
        pa.int16(): "smallint",
        pa.int32(): "integer",
        pa.int64(): "bigint",
        pa.float64(): "double precision",
        pa.bool_(): "boolean",
        pa.string(): "text",
        pa.large_string(): "text",
        pa.date32(): "date",
        pa.binary(): "bytea",
    }
    if arrow_type not in simple:
        raise WarehouseError(f"Arrow type {arrow_type} has no stage column type")
    return simple[arrow_type]
