"""Turn a load step (one SELECT) into the statements that merge its rows into the star.

All statements are set-based and obey the rules R1-R16 of the warehouse SQL (no MERGE, no volatile
function in an upsert, counts taken with RETURNING), so that they also run on Citus.
The counts of a step always satisfy ``rows = inserted + updated + unchanged``, where ``rows`` is
counted from the SELECT itself and not derived from the other three.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.errors import LoadFileError, WarehouseUnavailable
from dx_pipeline.warehouse.connection import LOCAL_TIME_ZONE, broke_off
from dx_pipeline.warehouse.load_file import LoadFile, LoadStep

ENGINE_COLUMNS = ("first_batch_id", "last_batch_id", "loaded_at")


@dataclass(frozen=True)
class LoadBinds:
    """Values a load SELECT may refer to as ``:batch_id``, ``:as_of`` and ``:key_version``."""

    batch_id: int
    as_of: datetime
    key_version: int

    @property
    def local_day(self) -> date:
        """The province's calendar day of ``as_of``."""
        return self.as_of.astimezone(ZoneInfo(LOCAL_TIME_ZONE)).date()

    def as_parameters(self) -> dict[str, Any]:
        return {"batch_id": self.batch_id, "as_of": self.as_of, "key_version": self.key_version}


@dataclass(frozen=True)
class MergeCounts:
    """What one step did. ``rows`` is the size of its SELECT, ``months`` the partitions it touched."""

    rows: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    closed: int = 0
    months: tuple[date, ...] = ()


@dataclass(frozen=True)
class _Target:
    """A target table as the catalog describes it."""

    name: str
    columns: tuple[str, ...]
    partition_column: str | None
    kind_column: str | None


def run_load(
    connection: Connection, load: LoadFile, binds: LoadBinds, *, stage_rejected: str | None = None
) -> MergeCounts:
    """Run all steps of a load file in the caller's transaction; return the counts of the ledger step.

    Args:
        connection: inside the publishing transaction, with the loader's rights.
        stage_rejected: name (in schema ``stage``) of the rejected rows of this batch: their keys are
            not taken for vanished ones.

    Raises:
        LoadFileError: a step does not fit its target or its statement failed; names file and line.
        WarehouseUnavailable: the session was lost or gave way to another one; the same load may be tried again.
    """
    connection.exec_driver_sql("set local citus.multi_shard_modify_mode to 'sequential'")
    ledger = MergeCounts()
    for step in load.steps:
        try:
            counts = _run_step(connection, step, binds, stage_rejected)
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
    return ledger


def _run_step(connection: Connection, step: LoadStep, binds: LoadBinds, stage_rejected: str | None) -> MergeCounts:
    if step.merge == "sql":
        connection.execute(*_statement(step.sql, binds))
        return MergeCounts()
    target = _describe(connection, str(step.target))
    columns = _select_columns(connection, step, binds)
    for name in step.key:
        if name not in columns:
            raise LoadFileError(f"the SELECT gives no key column {name!r}")
    for name in columns:
        if name not in target.columns:
            raise LoadFileError(f"the SELECT gives {name!r}, which {target.name} does not have")
    if step.merge != "infer" and "row_hash" not in columns:
        raise LoadFileError("the SELECT must give row_hash (usually s._row_hash)")
    if step.merge == "upsert":
        return _upsert(connection, step, target, columns, binds)
    if step.merge == "infer":
        return _infer(connection, step, target, columns, binds)
    if step.merge == "snapshot":
        return _snapshot(connection, step, target, columns, binds, stage_rejected)
    return _scd2(connection, step, target, columns, binds, stage_rejected)


# -- upsert ----------------------------------------------------------------------------------------


def _upsert(
    connection: Connection, step: LoadStep, target: _Target, columns: list[str], binds: LoadBinds
) -> MergeCounts:
    if target.partition_column is None:
        return _upsert_existing(connection, step, target, columns, binds, only_where="true")
    month = _month_of(target)
    kind = f"q.{_q(target.kind_column)}" if target.kind_column else "null::smallint"
    incoming = connection.execute(
        *_statement(f"select distinct {kind} as kind, {month} as month from ({step.sql}\n) as q", binds)
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
        counts = _fill_fresh_partitions(connection, step, target, columns, binds, fresh, next(iter(kinds)))
    if len(fresh) < len(months):
        rest = _upsert_existing(
            connection, step, target, columns, binds, only_where=f"not ({month} = any(:fresh))", fresh=fresh
        )
        counts = MergeCounts(counts.rows + rest.rows, counts.inserted + rest.inserted, rest.updated, rest.unchanged)
    return replace(counts, months=tuple(months))


def _fill_fresh_partitions(
    connection: Connection,
    step: LoadStep,
    target: _Target,
    columns: list[str],
    binds: LoadBinds,
    months: list[Any],
    kind: int | None,
) -> MergeCounts:
    """Whole new months: fill partitions without indexes, index them, attach them."""
    shell = connection.execute(
        sa.text(
            "select ops.begin_fresh_partitions(cast(:parent as regclass), cast(:months as date[]),"
            " cast(:kind as smallint))::text"
        ),
        {"parent": target.name, "months": months, "kind": kind},
    ).scalar_one()
    names = ", ".join(_q(name) for name in columns)
    result = connection.execute(
        *_statement(
            f"insert into {shell} ({names}, first_batch_id, last_batch_id, loaded_at)"
            f" select {_prefixed('q', columns)}, :batch_id, :batch_id, cast(:as_of as timestamptz)"
            f" from ({step.sql}\n) as q where {_month_of(target)} = any(:fresh)",
            binds,
            fresh=months,
        )
    )
    inserted = result.rowcount
    connection.execute(
        sa.text("select ops.attach_fresh_partitions(cast(:parent as regclass))"), {"parent": target.name}
    )
    return MergeCounts(rows=inserted, inserted=inserted)


def _upsert_existing(
    connection: Connection,
    step: LoadStep,
    target: _Target,
    columns: list[str],
    binds: LoadBinds,
    *,
    only_where: str,
    fresh: list[Any] | None = None,
) -> MergeCounts:
    """Insert or update by key, skipping rows whose hash is unchanged."""
    names = ", ".join(_q(name) for name in columns)
    changes = [name for name in columns if name not in step.key] + ["last_batch_id", "loaded_at"]
    assignments = ", ".join(f"{_q(name)} = excluded.{_q(name)}" for name in changes)
    guard = "t.row_hash is distinct from excluded.row_hash"
    if step.version:
        guard += f" and coalesce(excluded.{_q(step.version)} >= t.{_q(step.version)}, true)"
    extra: dict[str, Any] = {} if fresh is None else {"fresh": fresh}
    row = connection.execute(
        *_statement(
            f"with incoming as materialized (select q.* from ({step.sql}\n) as q where {only_where}),"
            f" merged as (insert into {target.name} as t ({names}, first_batch_id, last_batch_id, loaded_at)"
            f" select {_prefixed('i', columns)}, :batch_id, :batch_id, cast(:as_of as timestamptz) from incoming as i"
            f" on conflict ({', '.join(_q(name) for name in step.key)}) do update set {assignments} where {guard}"
            " returning (t.first_batch_id = t.last_batch_id) as is_new)"
            " select (select count(*) from incoming), count(*) filter (where is_new),"
            " count(*) filter (where not is_new) from merged",
            binds,
            **extra,
        )
    ).one()
    rows, inserted, updated = (int(value) for value in row)
    return MergeCounts(rows, inserted, updated, rows - inserted - updated)


# -- dimensions ------------------------------------------------------------------------------------


def _infer(
    connection: Connection, step: LoadStep, target: _Target, columns: list[str], binds: LoadBinds
) -> MergeCounts:
    """Insert keys the dimension does not know yet as inferred members, to be completed later."""
    names = ", ".join(_q(name) for name in columns)
    inserted = connection.execute(
        *_statement(
            f"with incoming as materialized (select q.* from ({step.sql}\n) as q"
            f" where {' and '.join(f'q.{_q(name)} is not null' for name in step.key)}),"
            f" added as (insert into {target.name} ({names}, valid_from, valid_to, is_current, is_inferred, row_hash,"
            " first_batch_id, last_batch_id, loaded_at)"
            f" select distinct on ({_prefixed('i', list(step.key))}) {_prefixed('i', columns)}, date '1900-01-01',"
            " date '9999-12-31', true, true, 0, :batch_id, :batch_id, cast(:as_of as timestamptz)"
            f" from incoming as i left join {target.name} as d on {_same_key('d', 'i', step.key)}"
            f" where d.{_q(step.key[0])} is null returning 1) select count(*) from added",
            binds,
        )
    ).scalar_one()
    return MergeCounts(rows=inserted, inserted=inserted)


def _scd2(
    connection: Connection,
    step: LoadStep,
    target: _Target,
    columns: list[str],
    binds: LoadBinds,
    stage_rejected: str | None,
) -> MergeCounts:
    """Slowly changing dimension, type 2: a changed member gets a new version, the old one is closed."""
    if "valid_from" not in columns:
        raise LoadFileError("a scd2 SELECT must give valid_from, the date a version takes effect")
    surrogate = target.columns[0]
    attributes = [name for name in columns if name not in (*step.key, "valid_from")]
    rows = connection.execute(
        *_statement(
            f"with incoming as materialized ({step.sql}\n)"
            f" select {_prefixed('i', columns)}, d.{_q(surrogate)} as dx_sk,"
            " case when d.is_inferred then 'complete'"
            " when i.valid_from <= d.valid_from then 'overwrite' else 'close' end as dx_change"
            f" from incoming as i join {target.name} as d on {_same_key('d', 'i', step.key)} and d.is_current"
            " where d.is_inferred or d.row_hash is distinct from i.row_hash",
            binds,
        )
    ).mappings().all()  # fmt: skip
    total = int(connection.execute(*_statement(f"select count(*) from ({step.sql}\n) as q", binds)).scalar_one())
    in_place = [row for row in rows if row["dx_change"] != "close"]
    closing = [row for row in rows if row["dx_change"] == "close"]
    if in_place:
        assignments = ", ".join(f"{_q(name)} = :v_{name}" for name in attributes)
        connection.execute(
            sa.text(
                f"update {target.name} set {assignments}, is_inferred = false, last_batch_id = :batch_id,"
                f" loaded_at = :as_of where {_q(surrogate)} = :dx_sk"
            ),
            [
                {**{f"v_{name}": row[name] for name in attributes}, "dx_sk": row["dx_sk"], **_batch(binds)}
                for row in in_place
            ],
        )
    if closing:
        connection.execute(
            sa.text(
                f"update {target.name} set valid_to = :until, is_current = false, last_batch_id = :batch_id,"
                f" loaded_at = :as_of where {_q(surrogate)} = :dx_sk"
            ),
            [{"until": row["valid_from"], "dx_sk": row["dx_sk"], **_batch(binds)} for row in closing],
        )
    inserted = _insert_versions(connection, step, target, columns, binds)
    closed = _close_missing(connection, step, target, binds, stage_rejected) if step.close_missing else 0
    updated = len(rows)
    return MergeCounts(total, inserted - len(closing), updated, total - (inserted - len(closing)) - updated, closed)


def _insert_versions(
    connection: Connection, step: LoadStep, target: _Target, columns: list[str], binds: LoadBinds
) -> int:
    """New members, new versions of closed ones, and members that came back; returns their number."""
    names = ", ".join(_q(name) for name in columns if name != "valid_from")
    values = _prefixed("i", [name for name in columns if name != "valid_from"])
    return int(
        connection.execute(
            *_statement(
                f"with incoming as materialized ({step.sql}\n),"
                f" ended as materialized (select {_prefixed('e', list(step.key))}, max(e.valid_to) as valid_to"
                f" from {target.name} as e where not e.is_current group by {_prefixed('e', list(step.key))}),"
                f" added as (insert into {target.name} ({names}, valid_from, valid_to, is_current, is_inferred,"
                " first_batch_id, last_batch_id, loaded_at)"
                f" select {values}, greatest(i.valid_from, coalesce(e.valid_to, i.valid_from)), date '9999-12-31', true,"
                " false, :batch_id, :batch_id, cast(:as_of as timestamptz) from incoming as i"
                f" left join {target.name} as d on {_same_key('d', 'i', step.key)} and d.is_current"
                f" left join ended as e on {_same_key('e', 'i', step.key)}"
                f" where d.{_q(step.key[0])} is null returning 1) select count(*) from added",
                binds,
            )
        ).scalar_one()
    )


def _snapshot(
    connection: Connection,
    step: LoadStep,
    target: _Target,
    columns: list[str],
    binds: LoadBinds,
    stage_rejected: str | None,
) -> MergeCounts:
    """Type-1 table: overwrite by key, close what vanished, reopen what came back."""
    reopened = connection.execute(
        *_statement(
            f"with incoming as materialized ({step.sql}\n) select count(*) from incoming as i"
            f" join {target.name} as d on {_same_key('d', 'i', step.key)} where d.closed_on is not null"
            " and d.row_hash is not distinct from i.row_hash",
            binds,
        )
    ).scalar_one()
    if reopened:
        connection.execute(
            *_statement(
                f"update {target.name} as d set closed_on = null, last_batch_id = :batch_id,"
                f" loaded_at = cast(:as_of as timestamptz) from ({step.sql}\n) as i"
                f" where {_same_key('d', 'i', step.key)} and d.closed_on is not null"
                " and d.row_hash is not distinct from i.row_hash",
                binds,
            )
        )
    counts = _upsert_existing(connection, step, target, columns, binds, only_where="true")
    connection.execute(
        sa.text(f"update {target.name} set closed_on = null where last_batch_id = :batch_id and closed_on is not null"),
        {"batch_id": binds.batch_id},
    )
    closed = _close_missing(connection, step, target, binds, stage_rejected)
    return MergeCounts(
        counts.rows, counts.inserted, counts.updated + reopened, counts.unchanged - reopened, closed
    )  # fmt: skip


def _close_missing(
    connection: Connection, step: LoadStep, target: _Target, binds: LoadBinds, stage_rejected: str | None
) -> int:
    """Close (never delete) what the snapshot no longer holds; a rejected row has not vanished."""
    versioned = "is_current" in target.columns
    open_condition = "d.is_current" if versioned else "d.closed_on is null"
    if versioned:
        open_condition += f" and d.{_q(target.columns[0])} > 0 and not d.is_inferred"
    rejected = ""
    if stage_rejected is not None:
        key_text = "concat_ws('|', " + ", ".join(f"d.{_q(name)}::text" for name in step.key) + ")"
        rejected = f" and {key_text} not in (select r.row_key from stage.{_q(stage_rejected)} as r)"
    keys = connection.execute(
        *_statement(
            f"with incoming as materialized ({step.sql}\n) select {_prefixed('d', list(step.key))} from {target.name} as d"
            f" left join incoming as i on {_same_key('d', 'i', step.key)}"
            f" where i.{_q(step.key[0])} is null and {open_condition}{rejected}",
            binds,
        )
    ).all()
    if keys:
        change = "valid_to = greatest(valid_from, :until), is_current = false" if versioned else "closed_on = :until"
        still_open = "is_current" if versioned else "closed_on is null"
        connection.execute(
            sa.text(
                f"update {target.name} set {change}, last_batch_id = :batch_id, loaded_at = :as_of"
                f" where {still_open} and {' and '.join(f'{_q(name)} = :k_{name}' for name in step.key)}"
            ),
            [
                {**{f"k_{name}": value for name, value in zip(step.key, key, strict=True)},
                 "until": binds.local_day, **_batch(binds)}
                for key in keys
            ],
        )  # fmt: skip
    return len(keys)


# -- the catalog and small SQL pieces --------------------------------------------------------------


def _describe(connection: Connection, name: str) -> _Target:
    rows = connection.execute(
        sa.text(
            "select a.attname, p.partnatts, case when p.partstrat = 'r' then (select array_agg(pa.attname order by n)"
            " from unnest(p.partattrs::int2[]) with ordinality as k(attnum, n) join pg_attribute pa"
            " on pa.attrelid = p.partrelid and pa.attnum = k.attnum) end as partition_columns"
            " from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped"
            " left join pg_partitioned_table p on p.partrelid = c.oid"
            " where c.oid = to_regclass(:name) order by a.attnum"
        ),
        {"name": name},
    ).all()
    if not rows:
        raise LoadFileError(
            f"target table {name} does not exist", next_step="create it in a migration or in the dx:tables section"
        )
    cut_by = rows[0].partition_columns or []
    return _Target(
        name,
        tuple(row.attname for row in rows),
        partition_column=cut_by[-1] if cut_by else None,
        kind_column=cut_by[0] if len(cut_by) == 2 else None,
    )


def _month_of(target: _Target) -> str:
    """First day of the month of a row ``q``, as SQL."""
    return f"date_trunc('month', q.{_q(str(target.partition_column))}::timestamp)::date"


def _select_columns(connection: Connection, step: LoadStep, binds: LoadBinds) -> list[str]:
    names = list(connection.execute(*_statement(f"select * from ({step.sql}\n) as q limit 0", binds)).keys())
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise LoadFileError(f"the SELECT gives {', '.join(doubled)} twice")
    engine = [name for name in names if name in ENGINE_COLUMNS]
    if engine:
        raise LoadFileError(f"the SELECT gives {', '.join(engine)}, which the engine fills itself")
    return names


def _statement(sql: str, binds: LoadBinds, **extra: Any) -> tuple[sa.TextClause, Mapping[str, Any]]:
    clause = sa.text(sql)
    given = {**binds.as_parameters(), **extra}
    return clause, {name: given[name] for name in clause._bindparams if name in given}


def _batch(binds: LoadBinds) -> dict[str, Any]:
    return {"batch_id": binds.batch_id, "as_of": binds.as_of}


def _q(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _prefixed(alias: str, columns: list[str]) -> str:
    return ", ".join(f"{alias}.{_q(name)}" for name in columns)


def _same_key(left: str, right: str, key: tuple[str, ...]) -> str:
    return " and ".join(f"{left}.{_q(name)} = {right}.{_q(name)}" for name in key)
