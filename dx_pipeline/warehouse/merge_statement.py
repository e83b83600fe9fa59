"""What a merge is made of: the binds, the counts, the target as the catalog describes it, and small pieces of SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.errors import LoadFileError
from dx_pipeline.sql_quoting import identifier
from dx_pipeline.warehouse.connection import LOCAL_TIME_ZONE
from dx_pipeline.warehouse.load_file import LoadStep

ENGINE_COLUMNS = ("first_batch_id", "last_batch_id", "loaded_at")


@dataclass(frozen=True)
class LoadBinds:
    """Values a load SELECT may refer to as ``:batch_id``, ``:as_of``, ``:key_version``, ``:loaded_at`` and
    ``:withdrawn`` (parts of the target that were withdrawn from the source).

    ``as_of`` is when the rows were read from the source, the same in every attempt. ``loaded_at`` is when the warehouse
    comes to know them, that is the time of this publishing; without one it is ``as_of``.
    """

    batch_id: int
    as_of: datetime
    key_version: int
    loaded_at: datetime | None = None
    withdrawn: tuple[str, ...] = ()

    @property
    def local_day(self) -> date:
        """The province's calendar day of ``as_of``."""
        return self.as_of.astimezone(ZoneInfo(LOCAL_TIME_ZONE)).date()

    @property
    def known_at(self) -> datetime:
        """The instant from which the warehouse knows these rows."""
        return self.loaded_at or self.as_of

    def as_parameters(self) -> dict[str, Any]:
        return {
            "batch_id": self.batch_id,
            "as_of": self.as_of,
            "key_version": self.key_version,
            "loaded_at": self.known_at,
            "withdrawn": list(self.withdrawn),
        }


@dataclass(frozen=True)
class MergeCounts:
    """What one step did. ``rows`` is the size of its SELECT; ``months`` and ``kind`` tell the partitions it touched.

    ``also_changed``: rows that the other steps of the load file changed. ``kept``: rows that stay as they were because
    their new version is in quarantine. ``absent``: open rows of parts that the delivery does not hold, by part.
    ``unreadable``: rejected rows whose key cannot be read, when rows were closed.
    """

    rows: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    closed: int = 0
    months: tuple[date, ...] = ()
    kind: int | None = None
    also_changed: int = 0
    kept: int = 0
    unreadable: int = 0
    absent: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Target:
    """A target table as the catalog describes it."""

    name: str
    columns: tuple[str, ...]
    partition_column: str | None
    kind_column: str | None


def describe(connection: Connection, name: str) -> Target:
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
    return Target(
        name,
        tuple(row.attname for row in rows),
        partition_column=cut_by[-1] if cut_by else None,
        kind_column=cut_by[0] if len(cut_by) == 2 else None,
    )


def month_of(day: str) -> str:
    """First day of the month of a date, as SQL."""
    return f"date_trunc('month', {day}::timestamp)::date"


def select_columns(connection: Connection, step: LoadStep, binds: LoadBinds) -> list[str]:
    names = list(connection.execute(*statement(f"select * from ({step.sql}\n) as q limit 0", binds)).keys())
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise LoadFileError(f"the SELECT gives {', '.join(doubled)} twice")
    engine = [name for name in names if name in ENGINE_COLUMNS]
    if engine:
        raise LoadFileError(f"the SELECT gives {', '.join(engine)}, which the engine fills itself")
    return names


def statement(sql: str, binds: LoadBinds, **extra: Any) -> tuple[sa.TextClause, Mapping[str, Any]]:
    clause = sa.text(sql)
    given = {**binds.as_parameters(), **extra}
    return clause, {name: given[name] for name in clause._bindparams if name in given}


def batch_binds(binds: LoadBinds) -> dict[str, Any]:
    return {"batch_id": binds.batch_id, "loaded_at": binds.known_at}


def prefixed(alias: str, columns: list[str]) -> str:
    return ", ".join(f"{alias}.{identifier(name)}" for name in columns)


def same_key(left: str, right: str, key: tuple[str, ...]) -> str:
    return " and ".join(f"{left}.{identifier(name)} = {right}.{identifier(name)}" for name in key)
