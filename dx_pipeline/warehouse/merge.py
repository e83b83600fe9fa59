"""Turn a load step (one SELECT) into the statements that merge its rows into the star.

All statements are set-based and obey the rules R1-R16 of the warehouse SQL (no MERGE, no volatile
function in an upsert, counts taken with RETURNING), so that they also run on Citus.
The counts of a step always satisfy ``rows = inserted + updated + unchanged``, where ``rows`` is
counted from the SELECT itself and not derived from the other three.
"""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.errors import LoadFileError, WarehouseUnavailable
from dx_pipeline.warehouse.connection import broke_off
from dx_pipeline.warehouse.delivery import Delivery
from dx_pipeline.warehouse.distribution import SEQUENTIAL
from dx_pipeline.warehouse.load_file import LoadFile, LoadStep
from dx_pipeline.warehouse.merge_closing import check_closed_by_statement, count_staying
from dx_pipeline.warehouse.merge_dimension import infer, scd2, snapshot
from dx_pipeline.warehouse.merge_history import Histories, begin_history, end_history
from dx_pipeline.warehouse.merge_statement import LoadBinds, MergeCounts, describe, select_columns, statement
from dx_pipeline.warehouse.merge_upsert import upsert

__all__ = ["Delivery", "LoadBinds", "MergeCounts", "run_load"]


def run_load(connection: Connection, load: LoadFile, binds: LoadBinds, delivery: Delivery | None = None) -> MergeCounts:
    """Run all steps of a load file in the caller's transaction; return the counts of the ledger step.

    Args:
        connection: inside the publishing transaction, with the loader's rights.
        delivery: what the batch speaks for; without one for all of its source, nothing of it rejected.

    Raises:
        LoadFileError: a step does not fit its target or its statement failed; names file and line.
        BatchHeld: more rows would be closed than the contract's band allows.
        WarehouseUnavailable: the session was lost or gave way to another one; the same load may be tried again.
    """
    connection.exec_driver_sql(SEQUENTIAL)
    delivery = delivery or Delivery()
    binds = replace(binds, withdrawn=delivery.withdrawn)
    ledger, beside, closed_beside = MergeCounts(), 0, 0
    kept, absent = 0, ()  # type: int, tuple[tuple[str, int], ...]
    closes_itself = load.ledger_step.close_missing
    histories = begin_history(connection, load)
    for step in load.steps:
        try:
            if step.stays:
                kept, absent = count_staying(connection, step, binds)
                continue
            counts = _run_step(connection, step, binds, delivery, histories)
        except LoadFileError as error:
            raise LoadFileError(
                f"load file {load.path} line {step.line}: {error.what}", next_step=error.next_step
            ) from None
        except sa.exc.DBAPIError as error:
            message = str(error.orig).strip().splitlines()[0]
            if broke_off(error):
                raise WarehouseUnavailable(
                    f"load file {load.path}, step at line {step.line} broke off: {message}",
                    next_step="run again: nothing of this attempt is in the star",
                ) from error
            raise LoadFileError(
                f"load file {load.path}, step at line {step.line}: {message}",
                next_step="mend the SQL, then `dx replay` the batch: its landed rows are kept",
            ) from error
        if step.ledger:
            ledger = counts
        elif step.closes:
            closed_beside += counts.updated
        elif step.close_missing and not closes_itself:  # a task is closed in its dimension, not in its daily status
            beside += counts.inserted + counts.updated
            closed_beside, kept = closed_beside + counts.closed, kept + counts.kept
        else:
            beside += counts.inserted + counts.updated + counts.closed
    end_history(connection, load, histories, binds)
    return replace(
        ledger,
        closed=ledger.closed + closed_beside,
        also_changed=beside,
        kept=ledger.kept + kept,
        absent=ledger.absent + absent,
    )


def _run_step(
    connection: Connection, step: LoadStep, binds: LoadBinds, delivery: Delivery, histories: Histories
) -> MergeCounts:
    if step.merge == "sql":
        done = connection.execute(*statement(step.sql, binds))
        if step.closes and done.rowcount > 0:
            check_closed_by_statement(connection, step, binds, delivery)
        if done.returns_rows:  # a function that tells how many rows it changed
            told = done.scalar()
            return MergeCounts(updated=told if isinstance(told, int) else 0)
        return MergeCounts(updated=max(done.rowcount, 0))
    target = describe(connection, str(step.target))
    columns = select_columns(connection, step, binds)
    for name in step.key:
        if name not in columns:
            raise LoadFileError(f"the SELECT gives no key column {name!r}")
    for name in columns:
        if name not in target.columns:
            raise LoadFileError(f"the SELECT gives {name!r}, which {target.name} does not have")
    if step.merge != "infer" and "row_hash" not in columns:
        raise LoadFileError("the SELECT must give row_hash (usually s._row_hash)")
    if step.merge == "upsert":
        keeps_history = target.name in histories.by_upsert
        return upsert(connection, step, target, columns, binds, delivery, keeps_history=keeps_history)
    if step.merge == "infer":
        return infer(connection, step, target, columns, binds)
    if step.merge == "snapshot":
        return snapshot(connection, step, target, columns, binds, delivery)
    return scd2(connection, step, target, columns, binds, delivery)
