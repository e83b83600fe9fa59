"""What the warehouse used to know: former rows of tables, and the versions of dimensions, for answers "as known at".

A table has a history if ``<table>_history`` stands beside it (``ops.keep_history`` makes one); no load file has to
mention it. How it is filled follows from its columns and from the steps that write the table:

* with ``known_from`` and ``known_to`` it takes former versions, when a row is overwritten or taken out. A row that never
  changed is nowhere twice, and a first load writes nothing. Where only upserts write the table, the upsert itself copies
  what it overwrites (large facts); else the table is set aside before the first step and compared after the last one, so
  that it does not matter which statement changed the rows, or how.
* with ``known_from`` only (dimensions that other statements change as well) it takes every version from the first on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.errors import LoadFileError
from dx_pipeline.sql_quoting import identifier
from dx_pipeline.warehouse.load_file import LoadFile
from dx_pipeline.warehouse.merge_statement import LoadBinds, Target, describe, prefixed, same_key, statement

HISTORY_SUFFIX = "_history"


@dataclass(frozen=True)
class SetAside:
    """A table as it was before the load, in a temporary table of this transaction."""

    target: Target
    history: str
    copy: str
    key: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Histories:
    """How the load of one file keeps the history of each table it writes."""

    by_upsert: frozenset[str] = frozenset()
    """Tables whose upserts copy what they overwrite."""
    set_aside: tuple[SetAside, ...] = ()
    versions: tuple[tuple[str, int], ...] = ()
    """Tables that keep every version, and the line of their first step."""


def hold_history(connection: Connection, table: str, kind: int | None = None) -> None:
    """Let nobody else overwrite rows of that table (and kind) until this transaction ends: a version has one successor.

    SQL functions that change rows of a fact outside its own load take the same lock, by the same name.
    """
    name = f"dx:history:{table}" + (f":{kind}" if kind is not None else "")
    connection.execute(sa.text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


def begin_history(connection: Connection, load: LoadFile) -> Histories:
    """Find the histories of the tables that a load file writes, and set aside those that are compared afterwards.

    Raises:
        LoadFileError: a history table does not fit its table; names the line of the step.
    """
    written: dict[str, set[str]] = {}
    lines: dict[str, int] = {}
    for step in load.steps:
        for table in filter(None, (step.fills or step.target, *step.changes)):
            written.setdefault(table, set()).add(step.merge)
            lines.setdefault(table, step.line)
    by_upsert: set[str] = set()
    set_aside: list[SetAside] = []
    versions: list[tuple[str, int]] = []
    for table in sorted(written):
        history = f"{table}{HISTORY_SUFFIX}"
        if connection.execute(sa.text("select to_regclass(:name)"), {"name": history}).scalar() is None:
            continue
        try:
            target = describe(connection, table)
            found = describe(connection, history).columns
            _must_have(history, found, (*target.columns, "known_from"))
        except LoadFileError as error:
            raise LoadFileError(
                f"load file {load.path} line {lines[table]}: {error.what}", next_step=error.next_step
            ) from None
        if "known_to" not in found:
            versions.append((table, lines[table]))
        elif written[table] == {"upsert"}:
            by_upsert.add(table)
        else:
            hold_history(connection, table)
            copy = f"dx_before_{len(set_aside)}"
            connection.exec_driver_sql(f"create temporary table {copy} on commit drop as select * from {table}")
            key = primary_key(connection, table)
            set_aside.append(SetAside(target, history, copy, key, lines[table]))
    return Histories(frozenset(by_upsert), tuple(set_aside), tuple(versions))


def end_history(connection: Connection, load: LoadFile, histories: Histories, binds: LoadBinds) -> None:
    """Keep what the load made of the tables that were set aside, and of those that keep every version.

    Raises:
        LoadFileError: a statement changed rows without saying when they are known; names the line.
    """
    for one in histories.set_aside:
        _keep_replaced(connection, load, one, binds)
    for table, _ in histories.versions:
        hold_history(connection, table)
        _keep_versions(connection, table, binds)


def former_rows(connection: Connection, target: Target, key: Sequence[str], overwritten: str) -> str:
    """One more CTE for an upsert: copies the rows that ``incoming`` (i) is about to overwrite in the target (t).

    It reads the same snapshot as the upsert beside it. Each row is looked up by its key in its one partition (offset 0):
    the planner, who does not know that, would rather read all partitions.
    A version that was replaced at its own instant was never seen.

    Args:
        overwritten: the condition under which the upsert changes a row it finds, over ``t`` and ``i``.
    """
    names = list(target.columns)
    return (
        f" former as (insert into {target.name}{HISTORY_SUFFIX} ({', '.join(map(identifier, names))}, known_from, known_to)"
        f" select {prefixed('t', names)}, t.loaded_at, cast(:loaded_at as timestamptz)"
        f" from incoming as i cross join lateral (select {prefixed('d', names)} from {target.name} as d"
        f" where {same_key('d', 'i', tuple(key))} offset 0) as t"
        f" where {overwritten} and t.loaded_at < cast(:loaded_at as timestamptz)),"
    )


def keep_rows(
    connection: Connection, target: Target, key: Sequence[str], keys: Sequence[Sequence[object]], binds: LoadBinds
) -> None:
    """Copy the rows of these keys into the history, before a statement of the caller changes or deletes them."""
    names = list(target.columns)
    connection.execute(
        sa.text(
            f"insert into {target.name}{HISTORY_SUFFIX} ({', '.join(map(identifier, names))}, known_from, known_to)"
            f" select {prefixed('t', names)}, t.loaded_at, :loaded_at from {target.name} as t"
            f" where {' and '.join(f't.{identifier(name)} = :k_{name}' for name in key)} and t.loaded_at < :loaded_at"
        ),
        [
            {**{f"k_{name}": value for name, value in zip(key, row, strict=True)}, "loaded_at": binds.known_at}
            for row in keys
        ],
    )


def primary_key(connection: Connection, table: str) -> tuple[str, ...]:
    """Columns of the primary key, in its order.

    Raises:
        LoadFileError: the table has none.
    """
    found = connection.execute(
        sa.text(
            "select a.attname::text from pg_catalog.pg_index as x join pg_catalog.pg_attribute as a"
            " on a.attrelid = x.indrelid and a.attnum = any(x.indkey) where x.indrelid = cast(:name as regclass)"
            " and x.indisprimary order by array_position(x.indkey::int2[], a.attnum)"
        ),
        {"name": table},
    ).scalars()
    names = tuple(found)
    if not names:
        raise LoadFileError(f"{table} has no primary key", next_step="its rows need one to be told apart")
    return names


def _keep_replaced(connection: Connection, load: LoadFile, one: SetAside, binds: LoadBinds) -> None:
    """Rows that read otherwise now, or are gone, go into the history; every changed row must say it is known now.

    Both sides are materialized: on Citus a distributed table is not joined with a local one.
    """
    names, table = list(one.target.columns), one.target.name
    compared = [name for name in names if name != "loaded_at"]
    sides = (
        f"with was as materialized (select {', '.join(map(identifier, names))} from {one.copy}),"
        f" stands as materialized (select {', '.join(map(identifier, names))} from {table})"
    )
    undated = connection.execute(
        *statement(
            f"{sides} select count(*) from stands as n left join was as b on {same_key('b', 'n', one.key)}"
            " where n.loaded_at is distinct from cast(:loaded_at as timestamptz)"
            f" and (b.loaded_at is distinct from n.loaded_at or ({prefixed('b', compared)}) is distinct from"
            f" ({prefixed('n', compared)}))",
            binds,
        )
    ).scalar_one()
    if undated:
        raise LoadFileError(
            f"load file {load.path} line {one.line}: {undated} rows of {table} were changed, but their loaded_at is not"
            " that of this batch, so nobody could tell from when they are known",
            next_step="set loaded_at = cast(:loaded_at as timestamptz) and last_batch_id = :batch_id in every statement"
            " that changes it",
        )
    connection.execute(
        *statement(
            f"{sides} insert into {one.history} ({', '.join(map(identifier, names))}, known_from, known_to)"
            f" select {prefixed('b', names)}, b.loaded_at, cast(:loaded_at as timestamptz) from was as b"
            f" left join stands as n on {same_key('b', 'n', one.key)}"
            " where n.loaded_at is distinct from b.loaded_at and b.loaded_at < cast(:loaded_at as timestamptz)",
            binds,
        )
    )
    connection.exec_driver_sql(f"drop table {one.copy}")


def _keep_versions(connection: Connection, table: str, binds: LoadBinds) -> None:
    target = describe(connection, table)
    names, key, history = list(target.columns), target.columns[:1], f"{table}{HISTORY_SUFFIX}"
    connection.execute(
        *statement(
            f"insert into {history} ({', '.join(map(identifier, names))}, known_from)"
            f" select {prefixed('t', names)},"
            " greatest(cast(:loaded_at as timestamptz), l.known_from + interval '1 microsecond')"
            f" from {table} as t left join"
            f" (select distinct on ({prefixed('h', list(key))}) {prefixed('h', names)}, h.known_from from {history} as h"
            f" order by {prefixed('h', list(key))}, h.known_from desc) as l on {same_key('l', 't', key)}"
            f" where ({prefixed('t', names)}) is distinct from ({prefixed('l', names)})",
            binds,
        )
    )


def _must_have(history: str, found: Sequence[str], wanted: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in found]
    if missing:
        raise LoadFileError(
            f"history table {history} lacks {', '.join(missing)}",
            next_step="a migration that adds a column to a table calls ops.keep_history for it once more",
        )
