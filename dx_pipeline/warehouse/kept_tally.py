"""Keeps what a mart has counted, so that a refresh counts again only the dossiers that batches have changed since.

A tally is a temporary table of the mart's SQL that adds up over dossiers (``tally_script``). ``mart_tally.<mart>__<tally>``
keeps it. When the mart is refreshed, the dossiers of new batches are counted as they were, which is taken off, and as
they are, which is added, both by the SELECT of the mart itself. So there is one definition, and the mart reads the same
temporary table as if everything had been counted.

A tally by a clock counts in which period something happens. What lies before the clock stays in its period; what lies
after it has the number after the last, until the clock has passed it. Dossiers with such a number, kept in
``mart_tally.<mart>__<tally>__open``, are counted anew each time.

Everything is counted again when the SQL has changed, or a batch that moves the tally otherwise than through rows of
dossiers, or so many dossiers that it is no more work; and by the first refresh of a day, which tells of any difference.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.warehouse.connection import LOCAL_TIME_ZONE, run_text
from dx_pipeline.warehouse.tally_changes import OneSide, TouchedRows, find_touched
from dx_pipeline.warehouse.tally_script import Tally
from dx_pipeline.warehouse.tally_table import TallyTable

_log = logging.getLogger("dx_pipeline")

_FORMAT = 1
"""Of the tables of ``TallyTable``: raise it when they change."""
MOST_TOUCHED = 0.2
"""Share of the dossiers beyond which everything is counted again."""
FEW_TOUCHED = 0.03
"""Share of the dossiers up to which they are looked up one by one."""


@dataclass(frozen=True)
class _Kept:
    """What the tallies of a mart hold, and the batches they do not hold yet."""

    last_period: int | None
    dossiers: int
    is_of_today: bool
    """Whether everything was counted today."""
    new_batches: tuple[int, ...]


def is_worth_keeping(connection: Connection, mart: str, datasets: Sequence[str], from_rows: int) -> bool:
    """Whether the mart has been computed before, and its datasets have brought ``from_rows`` rows: fewer are soon counted."""
    return bool(
        connection.execute(
            sa.text(
                "select exists (select from ops.mart_refresh as m where m.mart = :mart)"
                " and coalesce(sum(b.inserted), 0) >= :enough from ops.batch as b"
                " where b.published_at is not null and b.system || '.' || b.dataset = any(:datasets)"
            ),
            {"mart": mart, "datasets": list(datasets), "enough": from_rows},
        ).scalar_one()
    )


def forget_tallies(connection: Connection, mart: str) -> None:
    """Let the next refresh of the mart count everything again."""
    connection.execute(sa.text("delete from ops.mart_tally where mart = :mart"), {"mart": mart})


def run_with_tallies(connection: Connection, mart: str, script: str, pieces: Sequence[str | Tally]) -> None:
    """Run the SQL of a mart with its tallies kept.

    The transaction must be repeatable read: what the ledger says and what the tables hold are one snapshot. Nobody else
    may refresh this mart meanwhile.

    Raises:
        LoadFileError: the name of a tally is too long.
        psycopg.Error, sqlalchemy.exc.DBAPIError: a statement failed.
    """
    tables = [TallyTable(connection, mart, piece) for piece in pieces if isinstance(piece, Tally)]
    definition = _definition(connection, script)
    kept = _usable(connection, mart, definition, tables)
    sides = None
    if kept is not None:
        unsettled = [table.open_name for table in tables if table.open_name is not None]
        touched = find_touched(connection, kept.new_batches, unsettled) if kept.new_batches or unsettled else 0
        if touched > MOST_TOUCHED * kept.dossiers:
            kept = None
        elif touched:
            sides = _both_sides(connection, [table.tally for table in tables], kept, touched)
    is_rebuilt = kept is None or not kept.is_of_today
    last_period: int | None = None
    differing = 0
    waiting = iter(tables)
    for piece in pieces:
        if isinstance(piece, str):
            run_text(connection, piece)
            continue
        table = next(waiting)
        if piece.clock is not None:
            last_period = connection.exec_driver_sql(f"select max(period) from {piece.clock}").scalar()
        if kept is not None and sides is not None:
            table.count_again(*sides, kept.last_period, last_period)
        if is_rebuilt:
            differing += _count_everything(mart, table, last_period, is_compared=kept is not None)
        table.hand_out()
    for table in reversed(tables):
        table.take_back()
    _note(connection, mart, definition, last_period, is_rebuilt=is_rebuilt, differing=differing)


def _count_everything(mart: str, table: TallyTable, last_period: int | None, *, is_compared: bool) -> int:
    """Count everything; how many groups had not been what that gives."""
    if is_compared:
        table.set_aside()
    table.count_everything(last_period)
    differing = table.differing() if is_compared else 0
    if differing:
        _log.warning(
            "mart %s: %s groups of %s were not what counting everything gives; they are mended. Were rows of dossiers"
            " changed by hand?",
            mart,
            differing,
            table.tally.name,
        )
    return differing


def _both_sides(connection: Connection, tallies: Sequence[Tally], kept: _Kept, touched: int) -> tuple[OneSide, OneSide]:
    rows = TouchedRows(connection, kept.new_batches, are_few=touched <= FEW_TOUCHED * kept.dossiers)
    sides = OneSide(rows, "was"), OneSide(rows, "now")
    for tally in tallies:
        for side in sides:
            side.read_ahead(tally)
    return sides


def _definition(connection: Connection, script: str) -> str:
    files = connection.exec_driver_sql("select count(*) from ops.migration").scalar_one()
    return hashlib.sha256(f"{_FORMAT}\n{files}\n{script}".encode()).hexdigest()


def _usable(connection: Connection, mart: str, definition: str, tables: Sequence[TallyTable]) -> _Kept | None:
    """What is kept, or None if everything has to be counted again."""
    found = connection.execute(
        sa.text(
            "select t.last_period, t.dossiers, t.definition, (t.built_at at time zone :zone)::date"
            " = (now() at time zone :zone)::date as is_of_today from ops.mart_tally as t where t.mart = :mart"
        ),
        {"mart": mart, "zone": LOCAL_TIME_ZONE},
    ).one_or_none()
    if found is None or found.definition != definition:
        return None
    new = connection.execute(
        sa.text(
            "select b.batch_id, b.system || '.' || b.dataset as dataset from ops.batch as b, ops.mart_tally as t"
            " where t.mart = :mart and b.published_at is not null and not b.batch_id <@ t.batches"
            " and b.inserted + b.updated + b.closed + b.also_changed > 0"
        ),
        {"mart": mart},
    ).all()
    moving = {dataset for table in tables for dataset in table.tally.rebuilt_by}
    if any(batch.dataset in moving for batch in new):
        return None
    needed = [name for table in tables for name in table.names()]
    if connection.execute(
        sa.text("select bool_or(to_regclass(n.name) is null) from unnest(cast(:needed as text[])) as n (name)"),
        {"needed": needed},
    ).scalar():
        return None
    return _Kept(found.last_period, found.dossiers, found.is_of_today, tuple(batch.batch_id for batch in new))


def _note(
    connection: Connection, mart: str, definition: str, last_period: int | None, *, is_rebuilt: bool, differing: int
) -> None:
    dossiers = "(select count(*) from core.fact_dossier)" if is_rebuilt else "0"
    built = "dossiers = excluded.dossiers, differing = excluded.differing, built_at = excluded.built_at,"
    connection.execute(
        sa.text(
            "insert into ops.mart_tally as t (mart, definition, batches, last_period, dossiers, differing, built_at, kept_at)"
            " select :mart, :definition, (select range_agg(int8range(b.batch_id, b.batch_id, '[]')) from ops.batch as b"
            f" where b.published_at is not null), :last_period, {dossiers}, :differing, now(), now()"
            " on conflict (mart) do update set definition = excluded.definition, batches = excluded.batches,"
            f" last_period = excluded.last_period, {built if is_rebuilt else ''} kept_at = excluded.kept_at"
        ),
        {"mart": mart, "definition": definition, "last_period": last_period, "differing": differing},
    )
