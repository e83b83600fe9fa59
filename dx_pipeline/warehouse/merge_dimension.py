"""Dimensions and snapshots: inferred members, versions by date (SCD2), and tables that follow their source whole."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.errors import LoadFileError
from dx_pipeline.sql_quoting import identifier
from dx_pipeline.warehouse.delivery import Delivery
from dx_pipeline.warehouse.load_file import LoadStep
from dx_pipeline.warehouse.merge_closing import close_missing
from dx_pipeline.warehouse.merge_statement import (
    LoadBinds,
    MergeCounts,
    Target,
    batch_binds,
    prefixed,
    same_key,
    statement,
)
from dx_pipeline.warehouse.merge_upsert import upsert_existing


def infer(connection: Connection, step: LoadStep, target: Target, columns: list[str], binds: LoadBinds) -> MergeCounts:
    """Insert keys the dimension does not know yet as inferred members, to be completed later."""
    names = ", ".join(identifier(name) for name in columns)
    inserted = connection.execute(
        *statement(
            f"with incoming as materialized (select q.* from ({step.sql}\n) as q"
            f" where {' and '.join(f'q.{identifier(name)} is not null' for name in step.key)}),"
            f" added as (insert into {target.name} ({names}, valid_from, valid_to, is_current, is_inferred, row_hash,"
            " first_batch_id, last_batch_id, loaded_at)"
            f" select distinct on ({prefixed('i', list(step.key))}) {prefixed('i', columns)}, date '1900-01-01',"
            " date '9999-12-31', true, true, 0, :batch_id, :batch_id, cast(:loaded_at as timestamptz)"
            f" from incoming as i left join {target.name} as d on {same_key('d', 'i', step.key)}"
            f" where d.{identifier(step.key[0])} is null returning 1) select count(*) from added",
            binds,
        )
    ).scalar_one()
    return MergeCounts(rows=inserted, inserted=inserted)


def scd2(
    connection: Connection,
    step: LoadStep,
    target: Target,
    columns: list[str],
    binds: LoadBinds,
    delivery: Delivery,
) -> MergeCounts:
    """Slowly changing dimension, type 2: a changed member gets a new version, the old one is closed."""
    if "valid_from" not in columns:
        raise LoadFileError("a scd2 SELECT must give valid_from, the date a version takes effect")
    surrogate = target.columns[0]
    attributes = [name for name in columns if name not in (*step.key, "valid_from")]
    rows = connection.execute(
        *statement(
            f"with incoming as materialized ({step.sql}\n)"
            f" select {prefixed('i', columns)}, d.{identifier(surrogate)} as dx_sk,"
            " case when d.is_inferred then 'complete'"
            " when i.valid_from <= d.valid_from then 'overwrite' else 'close' end as dx_change"
            f" from incoming as i join {target.name} as d on {same_key('d', 'i', step.key)} and d.is_current"
            " where d.is_inferred or d.row_hash is distinct from i.row_hash",
            binds,
        )
    ).mappings().all()  # fmt: skip
    total = int(connection.execute(*statement(f"select count(*) from ({step.sql}\n) as q", binds)).scalar_one())
    in_place = [row for row in rows if row["dx_change"] != "close"]
    closing = [row for row in rows if row["dx_change"] == "close"]
    if in_place:
        assignments = ", ".join(f"{identifier(name)} = :v_{name}" for name in attributes)
        connection.execute(
            sa.text(
                f"update {target.name} set {assignments}, is_inferred = false, last_batch_id = :batch_id,"
                f" loaded_at = :loaded_at where {identifier(surrogate)} = :dx_sk"
            ),
            [
                {**{f"v_{name}": row[name] for name in attributes}, "dx_sk": row["dx_sk"], **batch_binds(binds)}
                for row in in_place
            ],
        )
    if closing:
        connection.execute(
            sa.text(
                f"update {target.name} set valid_to = :until, is_current = false, last_batch_id = :batch_id,"
                f" loaded_at = :loaded_at where {identifier(surrogate)} = :dx_sk"
            ),
            [{"until": row["valid_from"], "dx_sk": row["dx_sk"], **batch_binds(binds)} for row in closing],
        )
    inserted = _insert_versions(connection, step, target, columns, binds)
    updated = len(rows)
    counts = MergeCounts(total, inserted - len(closing), updated, total - (inserted - len(closing)) - updated)
    return close_missing(connection, step, target, binds, delivery, counts) if step.close_missing else counts


def _insert_versions(
    connection: Connection, step: LoadStep, target: Target, columns: list[str], binds: LoadBinds
) -> int:
    """New members, new versions of closed ones, and members that came back; returns their number."""
    names = ", ".join(identifier(name) for name in columns if name != "valid_from")
    values = prefixed("i", [name for name in columns if name != "valid_from"])
    return int(
        connection.execute(
            *statement(
                f"with incoming as materialized ({step.sql}\n),"
                f" ended as materialized (select {prefixed('e', list(step.key))}, max(e.valid_to) as valid_to"
                f" from {target.name} as e where not e.is_current group by {prefixed('e', list(step.key))}),"
                f" added as (insert into {target.name} ({names}, valid_from, valid_to, is_current, is_inferred,"
                " first_batch_id, last_batch_id, loaded_at)"
                f" select {values}, greatest(i.valid_from, coalesce(e.valid_to, i.valid_from)), date '9999-12-31', true,"
                " false, :batch_id, :batch_id, cast(:loaded_at as timestamptz) from incoming as i"
                f" left join {target.name} as d on {same_key('d', 'i', step.key)} and d.is_current"
                f" left join ended as e on {same_key('e', 'i', step.key)}"
                f" where d.{identifier(step.key[0])} is null returning 1) select count(*) from added",
                binds,
            )
        ).scalar_one()
    )


def snapshot(
    connection: Connection,
    step: LoadStep,
    target: Target,
    columns: list[str],
    binds: LoadBinds,
    delivery: Delivery,
) -> MergeCounts:
    """Type-1 table: overwrite by key, close what vanished, reopen what came back."""
    reopened = connection.execute(
        *statement(
            f"with incoming as materialized ({step.sql}\n) select count(*) from incoming as i"
            f" join {target.name} as d on {same_key('d', 'i', step.key)} where d.closed_on is not null"
            " and d.row_hash is not distinct from i.row_hash",
            binds,
        )
    ).scalar_one()
    if reopened:
        connection.execute(
            *statement(
                f"update {target.name} as d set closed_on = null, last_batch_id = :batch_id,"
                f" loaded_at = cast(:loaded_at as timestamptz) from ({step.sql}\n) as i"
                f" where {same_key('d', 'i', step.key)} and d.closed_on is not null"
                " and d.row_hash is not distinct from i.row_hash",
                binds,
            )
        )
    counts = upsert_existing(connection, step, target, columns, binds, delivery, only_where="true")
    connection.execute(
        sa.text(f"update {target.name} set closed_on = null where last_batch_id = :batch_id and closed_on is not null"),
        {"batch_id": binds.batch_id},
    )
    counts = replace(counts, updated=counts.updated + reopened, unchanged=counts.unchanged - reopened)
    return close_missing(connection, step, target, binds, delivery, counts)
