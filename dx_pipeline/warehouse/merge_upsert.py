"""Upsert: insert by key or overwrite where the content changed; whole new months are filled without indexes."""

from __future__ import annotations

from collections.abc import Mapping
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
CHANGED = "dx_changed"
"""Temporary table of the keys that an upsert of many rows will insert or overwrite."""


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
            before, by key and hash: an upsert works each row out, looks it up in an index and locks the row it finds,
            also one that it leaves alone.
    """
    names = ", ".join(identifier(name) for name in columns)
    changes = [name for name in columns if name not in step.key] + ["last_batch_id", "loaded_at"]
    assignments = ", ".join(f"{identifier(name)} = excluded.{identifier(name)}" for name in changes)
    if step.merge == "upsert" and step.close_missing and "closed_on" in target.columns and "closed_on" not in columns:
        assignments += ", closed_on = null"  # it is there again
    guard = "t.row_hash is distinct from excluded.row_hash"
    if step.version:
        guard += f" and coalesce(excluded.{identifier(step.version)} >= t.{identifier(step.version)}, true)"
    extra: dict[str, Any] = {} if fresh is None else {"fresh": fresh}
    if step.merge == "upsert" and step.close_missing and delivery.read_from is not None:
        # A row that was found gone comes back only from a delivery that was read after that.
        guard += " and (t.row_hash <> 0 or t.loaded_at <= cast(:read_from as timestamptz))"
        extra["read_from"] = delivery.read_from
    over_incoming = guard.replace("excluded.", "i.")
    former = ""
    if keeps_history:
        hold_history(connection, target.name, kind)
        former = former_rows(connection, target, step.key, over_incoming)
    many = known if known is not None and known.rows >= MANY_ROWS and citus_version(connection) is None else None
    only_changed = ""
    if many is not None:
        changed = _set_changed_aside(
            connection, step, target, binds, many, kind, only_where=only_where, differs=over_incoming, extra=extra
        )
        if not changed:
            return MergeCounts(rows=many.rows, unchanged=many.rows)
        only_changed = f" inner join {CHANGED} as c on {same_key('c', 'q', step.key)}"
    row = connection.execute(
        *statement(
            f"with incoming as materialized (select q.* from ({step.sql}\n) as q{only_changed} where {only_where}),{former}"
            f" merged as (insert into {target.name} as t ({names}, first_batch_id, last_batch_id, loaded_at)"
            f" select {prefixed('i', columns)}, :batch_id, :batch_id, cast(:loaded_at as timestamptz) from incoming as i"
            f" on conflict ({', '.join(identifier(name) for name in step.key)}) do update set {assignments} where {guard}"
            " returning (t.first_batch_id = t.last_batch_id) as is_new)"
            " select (select count(*) from incoming), count(*) filter (where is_new),"
            " count(*) filter (where not is_new) from merged",
            binds,
            **extra,
        )
    ).one()
    rows, inserted, updated = (int(value) for value in row)
    if many is not None:
        rows = many.rows
    return MergeCounts(rows, inserted, updated, rows - inserted - updated)


def _set_changed_aside(
    connection: Connection,
    step: LoadStep,
    target: Target,
    binds: LoadBinds,
    known: KnownRows,
    kind: int | None,
    *,
    only_where: str,
    differs: str,
    extra: Mapping[str, Any],
) -> int:
    """Fill the temporary table ``dx_changed`` with the keys that are new in the target or differ; how many.

    Only keys, hashes and the version of the SELECT are asked for, so the planner leaves out whatever else it works out.

    Args:
        differs: the condition under which the upsert changes a row it finds, over ``t`` and ``i``.
    """
    day = f"t.{identifier(str(target.partition_column))}"
    within = f"{day} >= :first_month and {day} < cast(:last_month as date) + interval '1 month'"
    if target.kind_column is not None:
        within += f" and t.{identifier(target.kind_column)} = cast(:kind as smallint)"
    asked = list(dict.fromkeys([*step.key, "row_hash", *filter(None, [step.version])]))
    keys = prefixed("t", list(step.key))
    connection.exec_driver_sql(f"drop table if exists pg_temp.{CHANGED}")  # of the step before
    connection.exec_driver_sql(
        f"create temporary table {CHANGED} on commit drop as select {keys} from {target.name} as t limit 0"
    )
    connection.execute(
        *statement(
            f"insert into {CHANGED} select {prefixed('i', list(step.key))}"
            f" from (select {prefixed('q', asked)} from ({step.sql}\n) as q where {only_where}) as i"
            f" left join {target.name} as t on {same_key('t', 'i', step.key)} and {within}"
            f" where t.{identifier(step.key[0])} is null or ({differs})",
            binds,
            **extra,
            kind=kind,
            first_month=known.first_month,
            last_month=known.last_month,
        )
    )
    connection.exec_driver_sql(f"analyze {CHANGED}")
    return int(connection.exec_driver_sql(f"select count(*) from {CHANGED}").scalar_one())
