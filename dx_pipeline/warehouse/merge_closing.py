"""What a delivery no longer holds is closed, with the day and the batch: never deleted, never more than it speaks for.

A row has vanished if the delivery speaks for its part (``Delivery.covers``, ``scope=`` of the step) and holds it neither
accepted nor rejected: a row in quarantine keeps the version that was published before. If more of a part would vanish
than the contract's band allows, the batch is held whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.errors import BatchHeld, LoadFileError
from dx_pipeline.sql_quoting import identifier
from dx_pipeline.warehouse.delivery import Delivery
from dx_pipeline.warehouse.load_file import LoadStep
from dx_pipeline.warehouse.merge_history import keep_rows
from dx_pipeline.warehouse.merge_statement import (
    LoadBinds,
    MergeCounts,
    Target,
    batch_binds,
    describe,
    prefixed,
    same_key,
    statement,
)

UNREMARKABLE = 10  # so many rows may vanish of a part whatever share of it they are
SOURCE_ROW = "source_row_id"
GONE_FLAG = "khong_con_o_nguon"


def close_missing(
    connection: Connection,
    step: LoadStep,
    target: Target,
    binds: LoadBinds,
    delivery: Delivery,
    counts: MergeCounts,
    *,
    history_by_upsert: bool = False,
) -> MergeCounts:
    """Close what the delivery should hold and does not; the counts of the step with those of the closing.

    Args:
        counts: what the step did before.
        history_by_upsert: the former version is kept here, because nothing compares the table afterwards.

    Raises:
        BatchHeld: more would be closed than the contract's band allows.
        LoadFileError: the step does not say which columns hold the contract's key or what a delivery covers.
    """
    kind = _kind_condition(target, counts)
    if delivery.extent == "part" or kind is None:
        return counts
    scope = scope_columns(step, delivery)
    is_open, period = _open_condition(target), _period_condition(step, delivery)
    binds_of_period = dict(zip(("low", "high", "zone"), delivery.window or (), strict=False))
    covered = ""
    if scope:
        held = f"({prefixed('d', list(scope))}) in (select distinct {prefixed('c', list(scope))} from incoming as c)"
        withdrawn = (
            f" or d.{identifier(scope[0])}::text = any(cast(:withdrawn as text[]))" if delivery.withdrawn else ""
        )
        covered = f" and ({held}{withdrawn})"
    before = " and d.loaded_at < cast(:read_from as timestamptz)" if step.merge == "upsert" else ""
    names = [*step.key, *(name for name in scope if name not in step.key)]
    missing = connection.execute(
        *statement(
            f"with incoming as materialized ({step.sql}\n) select {prefixed('d', names)},"
            f" {_rejected_condition(step, target, delivery)} as dx_rejected from {target.name} as d"
            f" left join incoming as i on {same_key('d', 'i', step.key)}"
            f" where i.{identifier(step.key[0])} is null and {is_open}{kind}{covered}{period}{before}",
            binds,
            read_from=delivery.read_from,
            **binds_of_period,
        )
    ).mappings().all()  # fmt: skip
    gone = [row for row in missing if not row["dx_rejected"]]
    if len(gone) > UNREMARKABLE:
        counted = Counter(tuple(row[name] for name in scope) for row in gone)
        _hold_if_too_many(connection, target, scope, counted, f"{is_open}{kind}", binds, delivery)
    if gone:
        keys = [tuple(row[name] for name in step.key) for row in gone]
        if history_by_upsert:
            keep_rows(connection, target, step.key, keys, binds)
        _close(connection, step, target, keys, binds)
    unreadable = 0
    if gone and delivery.rejected is not None:
        unreadable = connection.exec_driver_sql(
            f"select count(*) from stage.{identifier(delivery.rejected)} as r where r.business_key is null"
        ).scalar_one()
    kept = len(missing) - len(gone)
    absent = (
        _absent_parts(connection, step, target, scope[0], is_open, binds) if delivery.covers and len(scope) == 1 else ()
    )
    return replace(counts, closed=len(gone), kept=kept, unreadable=unreadable, absent=absent)


def count_staying(connection: Connection, step: LoadStep, binds: LoadBinds) -> tuple[int, tuple[tuple[str, int], ...]]:
    """Rows kept for what is in quarantine, and rows of each part that was not delivered, as a ``stays`` step counts them.

    Raises:
        LoadFileError: the statement does not give ``part``, ``kept`` and ``absent``.
    """
    found = connection.execute(*statement(step.sql, binds)).mappings().all()
    if found and not {"part", "kept", "absent"} <= set(found[0].keys()):
        raise LoadFileError("the SELECT of a stays step must give part, kept and absent")
    named = ((f"{step.scope[0]}={row['part']}", int(row["absent"])) for row in found if row["absent"])
    return sum(int(row["kept"]) for row in found), tuple(sorted(named))


def check_closed_by_statement(connection: Connection, step: LoadStep, binds: LoadBinds, delivery: Delivery) -> None:
    """Hold the batch if a ``merge=sql`` step with ``closes`` has closed more than the contract's band allows.

    Raises:
        BatchHeld: it has.
    """
    target, scope = describe(connection, str(step.fills)), scope_columns(step, delivery)
    shown = "".join(f"d.{identifier(name)}, " for name in scope)
    rows = connection.execute(
        sa.text(
            f"select {shown}count(*) as dx_closed from {target.name} as d where d.closed_on is not null"
            " and d.last_batch_id = :batch_id" + (f" group by {prefixed('d', list(scope))}" if scope else "")
        ),
        {"batch_id": binds.batch_id},
    ).mappings()
    counted = Counter({tuple(row[name] for name in scope): int(row["dx_closed"]) for row in rows})
    was_open = "(d.closed_on is null or d.last_batch_id = :batch_id)"
    _hold_if_too_many(connection, target, scope, counted, was_open, binds, delivery)


def scope_columns(step: LoadStep, delivery: Delivery) -> tuple[str, ...]:
    """Columns of the target by which a delivery is told apart from what it does not speak for.

    Raises:
        LoadFileError: the contract names a column that the step's key does not hold.
    """
    if step.scope or not delivery.covers:
        return step.scope
    held = _by_contract_column(step, delivery)
    if not set(delivery.covers) <= set(held):
        raise LoadFileError(
            f"the contract says that a delivery covers {', '.join(delivery.covers)}",
            next_step="say in the dx:step which columns of the target hold that: scope=column[,column]",
        )
    return tuple(held[name] for name in delivery.covers)


def _kind_condition(target: Target, counts: MergeCounts) -> str | None:
    """Only rows of the dataset's own kind are its own; None when it brought no row, so that its kind is not known."""
    if target.kind_column is None:
        return ""
    return None if counts.kind is None else f" and d.{identifier(target.kind_column)} = {int(counts.kind)}"


def _absent_parts(
    connection: Connection, step: LoadStep, target: Target, scope: str, is_open: str, binds: LoadBinds
) -> tuple[tuple[str, int], ...]:
    """Parts with open rows of which the delivery holds none, and the number of these rows."""
    column = identifier(scope)
    found = connection.execute(
        *statement(
            f"with incoming as materialized (select distinct c.{column} from ({step.sql}\n) as c)"
            f" select d.{column}::text as part, count(*) as held from {target.name} as d"
            f" left join incoming as i on d.{column} = i.{column} where {is_open} and i.{column} is null"
            f" group by d.{column}",
            binds,
        )
    ).all()
    return tuple(sorted((f"{scope}={row.part}", int(row.held)) for row in found))


def _by_contract_column(step: LoadStep, delivery: Delivery) -> dict[str, str]:
    columns = step.identity or step.key
    return dict(zip(delivery.key, columns, strict=True)) if len(columns) == len(delivery.key) else {}


def _open_condition(target: Target) -> str:
    if "is_current" in target.columns:
        return f"d.is_current and d.{identifier(target.columns[0])} > 0 and not d.is_inferred"
    if "closed_on" in target.columns:
        return "d.closed_on is null"
    if "deleted_at" in target.columns:
        return "d.deleted_at is null"
    raise LoadFileError(
        f"{target.name} has neither closed_on nor deleted_at, so no row of it can be closed",
        next_step="add closed_on date to the table in a migration, or take close_missing out of the step",
    )


def _period_condition(step: LoadStep, delivery: Delivery) -> str:
    if delivery.extent != "period":
        return ""
    if step.period is None:
        raise LoadFileError(
            "the batch is one period of the source, and the step does not say which column of the target holds that",
            next_step="add period=column, the target's column of the contract's load.period",
        )
    column = f"d.{identifier(step.period)}"
    return (
        f" and {column} >= cast(:low as timestamp) at time zone :zone"
        f" and {column} < cast(:high as timestamp) at time zone :zone"
    )


def _rejected_condition(step: LoadStep, target: Target, delivery: Delivery) -> str:
    if delivery.rejected is None:
        return "false"
    columns = step.identity or step.key
    if delivery.key and len(columns) != len(delivery.key):
        raise LoadFileError(
            f"the key of the step has {len(columns)} columns, that of the contract {len(delivery.key)}",
            next_step="say which columns of the target hold the contract's key, in its order: identity=column[,column]",
        )
    rejected = f"stage.{identifier(delivery.rejected)}"
    key = "concat_ws('|', " + ", ".join(f"d.{identifier(name)}::text" for name in columns) + ")"
    condition = f"{key} in (select r.business_key from {rejected} as r where r.business_key is not null)"
    if SOURCE_ROW in target.columns:
        condition = f"({condition} or d.{SOURCE_ROW}::text in (select r.row_key from {rejected} as r))"
    return condition


def _hold_if_too_many(
    connection: Connection,
    target: Target,
    scope: Sequence[str],
    counted: Counter[tuple[Any, ...]],
    was_open: str,
    binds: LoadBinds,
    delivery: Delivery,
) -> None:
    shown = "".join(f"d.{identifier(name)}, " for name in scope)
    # A changed member of a versioned dimension is a new row, so there the new ones count as well.
    known_before = "true" if "is_current" in target.columns else "d.first_batch_id <> :batch_id"
    rows = connection.execute(
        *statement(
            f"select {shown}count(*) as dx_open from {target.name} as d where {was_open} and {known_before}"
            + (f" group by {prefixed('d', list(scope))}" if scope else ""),
            binds,
        )
    ).mappings()
    for row in rows:
        part = tuple(row[name] for name in scope)
        if len(part) == 1 and str(part[0]) in delivery.withdrawn:
            continue
        if counted[part] > max(UNREMARKABLE, delivery.band * row["dx_open"]):
            named = ", ".join(f"{name} {value}" for name, value in zip(scope, part, strict=True))
            raise BatchHeld(
                f"{counted[part]:,} of {row['dx_open']:,} rows of {target.name}{f' ({named})' if named else ''} are not in"
                f" this delivery any more; the contract lets {100 * delivery.band:.0f} % vanish",
                next_step=f"nothing was published; ask the owner whether the delivery is whole: if it is, {delivery.mend}",
            )


def _close(
    connection: Connection, step: LoadStep, target: Target, keys: Sequence[tuple[Any, ...]], binds: LoadBinds
) -> None:
    if "is_current" in target.columns:
        change, still_open = "valid_to = greatest(valid_from, :until), is_current = false", "is_current"
    elif "closed_on" in target.columns:
        change, still_open = "closed_on = :until", "closed_on is null"
        if step.merge == "upsert":  # the hash is forgotten, so that the row is written anew should it come back
            change += ", row_hash = 0"
    else:  # the hash is forgotten, so that the row is written anew should it come back as it was
        change, still_open = "deleted_at = :gone_at, row_hash = 0", "deleted_at is null"
        if "quality_flags" in target.columns:
            change += f", quality_flags = array_append(quality_flags, '{GONE_FLAG}')"
    connection.execute(
        sa.text(
            f"update {target.name} set {change}, last_batch_id = :batch_id, loaded_at = :loaded_at"
            f" where {still_open} and {' and '.join(f'{identifier(name)} = :k_{name}' for name in step.key)}"
        ),
        [
            {**{f"k_{name}": value for name, value in zip(step.key, key, strict=True)},
             "until": binds.local_day, "gone_at": binds.as_of, **batch_binds(binds)}
            for key in keys
        ],
    )  # fmt: skip
