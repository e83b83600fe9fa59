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
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.sql_quoting import identifier
from dx_pipeline.warehouse.connection import LOCAL_TIME_ZONE
from dx_pipeline.warehouse.tally_changes import OneSide, TouchedRows, find_touched
from dx_pipeline.warehouse.tally_script import Tally

_log = logging.getLogger("dx_pipeline")

KEPT_FROM_ROWS = 200_000
"""Rows a mart's datasets must have brought for its tallies to be kept; below, counting everything is as quick."""
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


def is_worth_keeping(connection: Connection, mart: str, datasets: Sequence[str]) -> bool:
    """Whether the mart has been computed before, and of so many rows that to count them each time takes long."""
    return bool(
        connection.execute(
            sa.text(
                "select exists (select from ops.mart_refresh as m where m.mart = :mart)"
                " and coalesce(sum(b.inserted), 0) >= :enough from ops.batch as b"
                " where b.published_at is not null and b.system || '.' || b.dataset = any(:datasets)"
            ),
            {"mart": mart, "datasets": list(datasets), "enough": KEPT_FROM_ROWS},
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
        psycopg.Error, sqlalchemy.exc.DBAPIError: a statement failed.
    """
    tallies = [piece for piece in pieces if isinstance(piece, Tally)]
    definition = _definition(connection, script)
    kept = _usable(connection, mart, definition, tallies)
    sides = None
    if kept is not None:
        unsettled = [_open_table(mart, tally) for tally in tallies if tally.clock is not None]
        touched = find_touched(connection, kept.new_batches, unsettled) if kept.new_batches or unsettled else 0
        if touched > MOST_TOUCHED * kept.dossiers:
            kept = None
        elif touched:
            sides = _both_sides(connection, tallies, kept, touched)
    is_rebuilt = kept is None or not kept.is_of_today
    last_period: int | None = None
    differing = 0
    for piece in pieces:
        if isinstance(piece, str):
            _run(connection, piece)
            continue
        if piece.clock is not None:
            last_period = connection.exec_driver_sql(f"select max(period) from {piece.clock}").scalar()
        if kept is not None and sides is not None:
            _count_again(connection, mart, piece, sides, kept.last_period, last_period)
        if is_rebuilt:
            if kept is not None:
                _hand_out(connection, mart, piece)
            _count_everything(connection, mart, piece, last_period)
            if kept is not None:
                differing += _compare(connection, mart, piece)
        _hand_out(connection, mart, piece)
    _note(connection, mart, definition, last_period, is_rebuilt=is_rebuilt, differing=differing)


def _both_sides(connection: Connection, tallies: Sequence[Tally], kept: _Kept, touched: int) -> tuple[OneSide, OneSide]:
    rows = TouchedRows(connection, kept.new_batches, are_few=touched <= FEW_TOUCHED * kept.dossiers)
    sides = OneSide(rows, "was"), OneSide(rows, "now")
    for tally in tallies:
        for side in sides:
            side.read_ahead(tally)
    return sides


def _definition(connection: Connection, script: str) -> str:
    files = connection.exec_driver_sql("select count(*) from ops.migration").scalar_one()
    return hashlib.sha256(f"{files}\n{script}".encode()).hexdigest()


def _usable(connection: Connection, mart: str, definition: str, tallies: Sequence[Tally]) -> _Kept | None:
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
    moving = {dataset for tally in tallies for dataset in tally.rebuilt_by}
    if any(batch.dataset in moving for batch in new):
        return None
    needed = [_table(mart, tally) for tally in tallies]
    needed += [_open_table(mart, tally) for tally in tallies if tally.clock is not None]
    if connection.execute(
        sa.text("select bool_or(to_regclass(n.name) is null) from unnest(cast(:needed as text[])) as n (name)"),
        {"needed": needed},
    ).scalar():
        return None
    return _Kept(found.last_period, found.dossiers, found.is_of_today, tuple(batch.batch_id for batch in new))


def _count_everything(connection: Connection, mart: str, tally: Tally, last_period: int | None) -> None:
    table = _table(mart, tally)
    connection.exec_driver_sql(f"drop table if exists {table}")
    if tally.clock is None:
        _run(connection, f"create table {table} as {tally.body}")
        return
    unsettled = _open_table(mart, tally)
    connection.exec_driver_sql(f"drop table if exists {unsettled}")
    # One pass gives both: the groups, and the dossiers of those that the clock still moves.
    code, day = tally.dossier
    gathered = "".join(
        f"array_agg({column}) filter (where {_is_unsettled(tally, last_period, _alias(tally))}) as dx_{name}, "
        for name, column in (("codes", code), ("days", day))
    )
    columns = tally.body.removeprefix("select")
    _run(connection, f"create temporary table dx_built on commit drop as select {gathered}{columns}")
    names = ", ".join(identifier(name) for name in _columns(connection, "dx_built") if not name.startswith("dx_"))
    connection.exec_driver_sql(f"create table {table} as select {names} from dx_built")
    connection.exec_driver_sql(
        f"create table {unsettled} as select o.dossier_code, o.registered_on from dx_built as b"
        " cross join lateral unnest(b.dx_codes, b.dx_days) as o (dossier_code, registered_on)"
    )
    connection.exec_driver_sql("drop table dx_built")


def _count_again(
    connection: Connection,
    mart: str,
    tally: Tally,
    sides: tuple[OneSide, OneSide],
    former_period: int | None,
    last_period: int | None,
) -> None:
    table = _table(mart, tally)
    names = _columns(connection, table)
    listed = ", ".join(map(identifier, names))
    was, now = (side.rewrite(tally) for side in sides)
    if tally.clock is not None:  # groups of what was open go whole, so their dossiers are not taken off once more
        _run(connection, f"delete from {table} as q where {_is_unsettled(tally, former_period, 'q')}")
        counted, _, grouped = was.rpartition("group by")
        was = f"{counted} where ({', '.join(tally.dossier)}) not in (select * from {_open_table(mart, tally)}) group by{grouped}"
    # Of the rows set aside the planner knows little, and one loop too many costs more than they all.
    loops = connection.exec_driver_sql("show enable_nestloop").scalar_one()
    connection.exec_driver_sql("set local enable_nestloop = off")
    if tally.adds:
        off = ", ".join(f"-q.{identifier(name)}" if name in tally.adds else f"q.{identifier(name)}" for name in names)
        _run(connection, f"insert into {table} ({listed}) select {off} from ({was}) as q")
    _run(connection, f"insert into {table} ({listed}) select {listed} from ({now}) as q")
    if tally.clock is not None:
        _note_open(connection, mart, tally, sides[1], last_period)
    connection.exec_driver_sql(f"set local enable_nestloop = {loops}")


def _note_open(connection: Connection, mart: str, tally: Tally, now: OneSide, last_period: int | None) -> None:
    """The dossiers that the clock still moves; all that were open before are among the touched ones."""
    unsettled = _open_table(mart, tally)
    code, day = tally.dossier
    source = now.rewrite(tally).rpartition("from ")[2].partition("group by")[0]
    connection.exec_driver_sql(f"truncate {unsettled}")
    _run(
        connection,
        f"insert into {unsettled} select {code}, {day} from {source}"
        f" where {_is_unsettled(tally, last_period, _alias(tally))}",
    )


def _compare(connection: Connection, mart: str, tally: Tally) -> int:
    """How many groups of the table handed out are otherwise now that everything was counted; it is dropped."""
    listed = ", ".join(map(identifier, _columns(connection, _table(mart, tally))))
    kept, whole = f"select {listed} from {tally.name}", f"select {listed} from {_table(mart, tally)}"
    differing = connection.exec_driver_sql(
        f"select count(*) from (({kept} except all {whole}) union all ({whole} except all {kept})) as d"
    ).scalar_one()
    if differing:
        _log.warning(
            "mart %s: %s groups of %s were not what counting everything gives; they are mended. Were rows of dossiers"
            " changed by hand?",
            mart,
            differing,
            tally.name,
        )
    connection.exec_driver_sql(f"drop table {tally.name}")
    return int(differing)


def _hand_out(connection: Connection, mart: str, tally: Tally) -> None:
    """The temporary table that the rest of the script reads, with the types of the kept one."""
    table = _table(mart, tally)
    types: dict[str, str] = dict(
        connection.execute(
            sa.text(
                "select a.attname::text, format_type(a.atttypid, a.atttypmod) from pg_catalog.pg_attribute as a"
                " where a.attrelid = cast(:name as regclass) and a.attnum > 0 and not a.attisdropped order by a.attnum"
            ),
            {"name": table},
        )
        .tuples()
        .all()
    )
    keys = [name for name in types if name not in (*tally.adds, *tally.highest)]
    shown = []
    for name, kind in types.items():
        column = f"t.{identifier(name)}"
        if name in tally.adds:
            column = f"sum({column})::{kind} as {identifier(name)}"
        elif name in tally.highest:
            column = f"max({column}) as {identifier(name)}"
        shown.append(column)
    grouped = f" group by {', '.join(f't.{identifier(name)}' for name in keys)}" if keys else ""
    present = f" having sum(t.{identifier(tally.adds[0])}) <> 0" if tally.adds and keys else ""
    _run(
        connection,
        f"create temporary table {tally.name} on commit drop as select {', '.join(shown)} from {table} as t"
        f"{grouped}{present}",
    )


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


def _table(mart: str, tally: Tally) -> str:
    return f"mart_tally.{identifier(f'{mart}__{tally.name}')}"


def _open_table(mart: str, tally: Tally) -> str:
    return f"mart_tally.{identifier(f'{mart}__{tally.name}__open')}"


def _is_unsettled(tally: Tally, last_period: int | None, alias: str) -> str:
    """Whether any moment lies after the clock; one that is not known is not awaited either."""
    moments = ", ".join(f"{alias}.{identifier(name)}" for name in tally.moments)
    return f"coalesce(greatest({moments}) > {last_period if last_period is not None else 0}, false)"


def _alias(tally: Tally) -> str:
    return tally.dossier[0].partition(".")[0]


def _columns(connection: Connection, table: str) -> list[str]:
    return list(
        connection.execute(
            sa.text(
                "select a.attname::text from pg_catalog.pg_attribute as a where a.attrelid = cast(:name as regclass)"
                " and a.attnum > 0 and not a.attisdropped order by a.attnum"
            ),
            {"name": table},
        ).scalars()
    )


def _run(connection: Connection, text: str) -> None:
    driver: Any = connection.connection.driver_connection
    if text.strip():
        driver.execute(text.encode())
