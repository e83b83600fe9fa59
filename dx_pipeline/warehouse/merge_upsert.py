"""Upsert: insert by key or overwrite where the content changed; whole new months are filled without indexes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.errors import LoadFileError
from dx_pipeline.sql_quoting import identifier
from dx_pipeline.warehouse.delivery import Delivery
from dx_pipeline.warehouse.distribution import citus_version
from dx_pipeline.warehouse.load_file import LoadStep
from dx_pipeline.warehouse.merge_closing import close_missing
from dx_pipeline.warehouse.merge_history import former_rows, hold_history
from dx_pipeline.warehouse.merge_statement import (
    LoadBinds,
    MergeCounts,
    Target,
    month_of,
    prefixed,
    same_key,
    statement,
)

MANY_ROWS = 20_000


@dataclass(frozen=True)
class KnownRows:
    """How many rows come for partitions that exist, and the first and last of their months."""

    rows: int
    first_month: date
    last_month: date


def upsert(
    connection: Connection,
    step: LoadStep,
    target: Target,
    columns: list[str],
    binds: LoadBinds,
    delivery: Delivery,
    *,
    keeps_history: bool,
) -> MergeCounts:
    """Insert or overwrite by key, then close what a whole delivery no longer holds if the step says so.

    Args:
        keeps_history: the upsert copies what it overwrites into the history of the target.
    """
    counts = _upsert(connection, step, target, columns, binds, delivery, keeps_history=keeps_history)
    if not step.close_missing:
        return counts
    return close_missing(connection, step, target, binds, delivery, counts, history_by_upsert=keeps_history)


def _upsert(
    connection: Connection,
    step: LoadStep,
    target: Target,
    columns: list[str],
    binds: LoadBinds,
    delivery: Delivery,
    *,
    keeps_history: bool,
) -> MergeCounts:
    if target.partition_column is None:
        return upsert_existing(
            connection, step, target, columns, binds, delivery, only_where="true", keeps_history=keeps_history
        )
    month = month_of(f"q.{identifier(target.partition_column)}")
    kind = f"q.{identifier(target.kind_column)}" if target.kind_column else "null::smallint"
    days = (
        f"select {kind} as kind, q.{identifier(target.partition_column)} as day, count(*) as held"
        f" from ({step.sql}\n) as q group by 1, 2"
    )
    incoming = connection.execute(
        *statement(
            f"select d.kind, {month_of('d.day')} as month, sum(d.held)::bigint as held from ({days}) as d group by 1, 2",
            binds,
        )
    ).all()
    kinds = {row.kind for row in incoming}
    if len(kinds) > 1:
        raise LoadFileError(f"the SELECT gives rows with {len(kinds)} values of {target.kind_column}, one is allowed")
    months = sorted(row.month for row in incoming if row.month is not None)
    if len(months) < len(incoming):
        raise LoadFileError(f"the SELECT gives rows without {target.partition_column}, the partition column")
    fresh: list[Any] = list(
        connection.execute(
            sa.text(
                "select ops.missing_months(cast(:parent as regclass), cast(:months as date[]), cast(:kind as smallint))"
            ),
            {"parent": target.name, "months": months, "kind": next(iter(kinds), None)},
        ).scalar_one()
        if months
        else []
    )
    counts = MergeCounts()
    if fresh:
        only_where = f"{month} = any(:fresh)" if len(fresh) < len(months) else "true"
        counts = _fill_fresh_partitions(
            connection, step, target, columns, binds, fresh, next(iter(kinds)), only_where=only_where
        )
    if len(fresh) < len(months):
        rest = upsert_existing(
            connection,
            step,
            target,
            columns,
            binds,
            delivery,
            only_where=f"not ({month} = any(:fresh))",
            keeps_history=keeps_history,
            fresh=fresh,
            kind=next(iter(kinds)),
            known=KnownRows(
                rows=sum(row.held for row in incoming if row.month not in fresh),
                first_month=min(month for month in months if month not in fresh),
                last_month=max(month for month in months if month not in fresh),
            ),
        )
        counts = MergeCounts(counts.rows + rest.rows, counts.inserted + rest.inserted, rest.updated, rest.unchanged)
    return replace(counts, months=tuple(months), kind=next(iter(kinds), None))


def _fill_fresh_partitions(
    connection: Connection,
    step: LoadStep,
    target: Target,
    columns: list[str],
    binds: LoadBinds,
    months: list[Any],
    kind: int | None,
    *,
    only_where: str,
) -> MergeCounts:
    """Whole new months: fill partitions without indexes, index them, attach them."""
    shell = connection.execute(
        sa.text(
            "select ops.begin_fresh_partitions(cast(:parent as regclass), cast(:months as date[]),"
            " cast(:kind as smallint))::text"
        ),
        {"parent": target.name, "months": months, "kind": kind},
    ).scalar_one()
    names = ", ".join(identifier(name) for name in columns)
    result = connection.execute(
        *statement(
            f"insert into {shell} ({names}, first_batch_id, last_batch_id, loaded_at)"
            f" select {prefixed('q', columns)}, :batch_id, :batch_id, cast(:loaded_at as timestamptz)"
            f" from ({step.sql}\n) as q where {only_where}",
            binds,
            fresh=months,
        )
    )
    inserted = result.rowcount
    connection.execute(
        sa.text("select ops.attach_fresh_partitions(cast(:parent as regclass))"), {"parent": target.name}
    )
    return MergeCounts(rows=inserted, inserted=inserted)


def upsert_existing(
    connection: Connection,
    step: LoadStep,
    target: Target,
    columns: list[str],
    binds: LoadBinds,
    delivery: Delivery,
    *,
    only_where: str,
    keeps_history: bool = False,
    fresh: list[Any] | None = None,
    kind: int | None = None,
    known: KnownRows | None = None,
) -> MergeCounts:
    """Insert or update by key, skipping rows whose hash is unchanged.

    Args:
        known: how much comes for which months of a partitioned target. Many rows are compared with it in one pass
            before: an upsert looks each up in an index and locks the row it finds, also one that it leaves alone.
    """
    names = ", ".join(identifier(name) for name in columns)
    changes = [name for name in columns if name not in step.key] + ["last_batch_id", "loaded_at"]
    assignments = ", ".join(f"{identifier(name)} = excluded.{identifier(name)}" for name in changes)
    guard = "t.row_hash is distinct from excluded.row_hash"
    if step.version:
        guard += f" and coalesce(excluded.{identifier(step.version)} >= t.{identifier(step.version)}, true)"
    extra: dict[str, Any] = {} if fresh is None else {"fresh": fresh}
    if step.merge == "upsert" and step.close_missing and delivery.read_from is not None:
        # A row that was found gone comes back only from a delivery that was read after that.
        guard += " and (t.row_hash <> 0 or t.loaded_at <= cast(:read_from as timestamptz))"
        extra["read_from"] = delivery.read_from
    over_incoming = guard.replace("excluded.", "i.")
    delivered, compared = "incoming", ""
    if known is not None and known.rows >= MANY_ROWS and citus_version(connection) is None:
        delivered = "delivered"
        day = f"t.{identifier(str(target.partition_column))}"
        within = f"{day} >= :first_month and {day} < cast(:last_month as date) + interval '1 month'"
        extra |= {"first_month": known.first_month, "last_month": known.last_month}
        if target.kind_column is not None:
            within += f" and t.{identifier(target.kind_column)} = cast(:kind as smallint)"
            extra["kind"] = kind
        compared = (
            f" incoming as materialized (select i.* from delivered as i left join {target.name} as t"
            f" on {same_key('t', 'i', step.key)} and {within}"
            f" where t.{identifier(step.key[0])} is null or ({over_incoming})),"
        )
    former = ""
    if keeps_history:
        hold_history(connection, target.name, kind)
        former = former_rows(connection, target, step.key, over_incoming)
    row = connection.execute(
        *statement(
            f"with {delivered} as materialized (select q.* from ({step.sql}\n) as q where {only_where}),{compared}{former}"
            f" merged as (insert into {target.name} as t ({names}, first_batch_id, last_batch_id, loaded_at)"
            f" select {prefixed('i', columns)}, :batch_id, :batch_id, cast(:loaded_at as timestamptz) from incoming as i"
            f" on conflict ({', '.join(identifier(name) for name in step.key)}) do update set {assignments} where {guard}"
            " returning (t.first_batch_id = t.last_batch_id) as is_new)"
            f" select (select count(*) from {delivered}), count(*) filter (where is_new),"
            " count(*) filter (where not is_new) from merged",
            binds,
            **extra,
        )
    ).one()
    rows, inserted, updated = (int(value) for value in row)
    return MergeCounts(rows, inserted, updated, rows - inserted - updated)
