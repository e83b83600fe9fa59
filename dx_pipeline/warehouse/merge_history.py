"""What the warehouse used to know: former rows of facts, and the versions of dimensions, for answers "as known at".

``history=schema.table`` on a step names the table. How it is filled follows from the kind of step:

* ``upsert``: the former version of a row, when it is really overwritten, with ``known_from`` and ``known_to``. A row that
  never changed is nowhere twice, and a first load writes nothing.
* every other kind: each version of a row from the first on, with ``known_from``, found by comparing the table with the
  newest versions after the last step. It does not matter which statement changed the rows, or how.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.errors import LoadFileError
from dx_pipeline.sql_quoting import identifier
from dx_pipeline.warehouse.distribution import citus_version
from dx_pipeline.warehouse.load_file import LoadFile, LoadStep
from dx_pipeline.warehouse.merge_statement import LoadBinds, Target, describe, prefixed, same_key, statement


def hold_history(connection: Connection, table: str, kind: int | None) -> None:
    """Let nobody else overwrite rows of that table (and kind) until this transaction ends: a version has one successor.

    SQL functions that change rows of a fact outside its own load take the same lock, by the same name.
    """
    name = f"dx:history:{table}" + (f":{kind}" if kind is not None else "")
    connection.execute(sa.text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})


def former_rows(connection: Connection, step: LoadStep, target: Target, overwritten: str) -> str:
    """One more CTE for an upsert: copies the rows that ``incoming`` (i) is about to overwrite in the target (t).

    It reads the same snapshot as the upsert beside it. Each row is looked up by its key in its one partition (offset 0):
    the planner, who does not know that, would rather read all partitions. Citus takes a plain join only, whose rows it
    sends to the shard that has them.
    A version that was replaced at its own instant was never seen.

    Args:
        overwritten: the condition under which the upsert changes a row it finds, over ``t`` and ``i``.

    Raises:
        LoadFileError: the history table does not fit the target.
    """
    names = list(target.columns)
    _must_have(connection, str(step.history), target, ("known_from", "known_to"))
    looked_up = (
        f"inner join {target.name} as t on {same_key('t', 'i', step.key)}"
        if citus_version(connection) is not None
        else f"cross join lateral (select {prefixed('d', names)} from {target.name} as d"
        f" where {same_key('d', 'i', step.key)} offset 0) as t"
    )
    return (
        f" former as (insert into {step.history} ({', '.join(map(identifier, names))}, known_from, known_to)"
        f" select {prefixed('t', names)}, t.loaded_at, cast(:loaded_at as timestamptz)"
        f" from incoming as i {looked_up} where {overwritten} and t.loaded_at < cast(:loaded_at as timestamptz)),"
    )


def remember_versions(connection: Connection, load: LoadFile, binds: LoadBinds) -> None:
    """Add what the steps of a load file made of the tables that keep every version.

    Raises:
        LoadFileError: a history table does not fit its target; names the line of the step.
    """
    kept = {
        (step.fills or str(step.target), step.history): step.line
        for step in load.steps
        if step.history and step.merge != "upsert"
    }
    for (table, history), line in kept.items():
        try:
            target = describe(connection, table)
            _must_have(connection, history, target, ("known_from",))
        except LoadFileError as error:
            raise LoadFileError(f"load file {load.path} line {line}: {error.what}", next_step=error.next_step) from None
        names, key = list(target.columns), target.columns[:1]
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


def _must_have(connection: Connection, history: str, target: Target, extra: tuple[str, ...]) -> None:
    found = describe(connection, history).columns
    missing = [name for name in (*target.columns, *extra) if name not in found]
    if missing:
        raise LoadFileError(
            f"history table {history} lacks {', '.join(missing)} of {target.name}",
            next_step="a migration that adds a column to a table adds it to its history as well",
        )
