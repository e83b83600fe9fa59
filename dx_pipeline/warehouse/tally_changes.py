"""Dossiers that batches have changed, as they are and as they were: temporary tables that a tally is counted over again.

``dx_touched`` holds the dossiers; ``dx_now_<table>`` and ``dx_was_<table>`` their rows. What a row was is told by the
batches alone, not by the clock: its latest version that none of the new batches has written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.sql_quoting import identifier
from dx_pipeline.warehouse.merge_history import HISTORY_SUFFIX, primary_key
from dx_pipeline.warehouse.merge_statement import describe, prefixed, same_key
from dx_pipeline.warehouse.tally_script import Tally, unqualified

Side = Literal["now", "was"]

EVENTS = "core.fact_dossier_event"
TABLES: Mapping[str, tuple[str, str]] = {
    "core.fact_dossier": ("dossier_code", "registered_on"),
    EVENTS: ("dossier_code", "registered_on"),
    "core.dossier_alias": ("alias_code", "alias_registered_on"),
}
"""Tables of which every row belongs to one dossier, and the columns that name it."""
_NAME = re.compile(r"\bcore\.[a-z_][a-z0-9_]*\b")


def find_touched(connection: Connection, batches: Sequence[int], unsettled: Sequence[str]) -> int:
    """Fill ``dx_touched`` with the dossiers of these batches' rows and of the tables ``unsettled``; how many.

    Two codes of one dossier are touched together: which of them counts is decided by both.
    """
    connection.exec_driver_sql(
        "create temporary table dx_touched (dossier_code text, registered_on date,"
        " primary key (dossier_code, registered_on)) on commit drop"
    )
    changed = [
        f"select t.{code} as dossier_code, t.{day} as registered_on from {table} as t where t.last_batch_id >= :lowest"
        " and t.last_batch_id = any(cast(:batches as bigint[]))"
        for table, (code, day) in TABLES.items()
        if batches
    ]
    kept = [f"select u.dossier_code, u.registered_on from {table} as u" for table in unsettled]
    links = [
        f"select a.{one}_code as from_code, a.{one_day} as from_day, a.{other}_code as to_code, a.{other_day} as to_day"
        f" from core.dossier_alias{suffix} as a"
        for suffix in ("", HISTORY_SUFFIX)
        for one, one_day, other, other_day in (
            ("alias", "alias_registered_on", "dossier", "registered_on"),
            ("dossier", "registered_on", "alias", "alias_registered_on"),
        )
    ]
    connection.execute(
        sa.text(f"insert into dx_touched {' union '.join([*changed, *kept])}"),
        {"lowest": min(batches, default=0), "batches": list(batches)} if batches else {},
    )
    connection.exec_driver_sql("analyze dx_touched")
    # As a rule once: the other code of a dossier rarely has a third one.
    while connection.exec_driver_sql(
        f"with link as ({' union all '.join(links)}), found as (insert into dx_touched select l.to_code, l.to_day"
        " from link as l inner join dx_touched as t on l.from_code = t.dossier_code and l.from_day = t.registered_on"
        " on conflict do nothing returning dossier_code) select count(*) from found"
    ).scalar_one():
        pass
    connection.exec_driver_sql("analyze dx_touched")
    return int(connection.exec_driver_sql("select count(*) from dx_touched").scalar_one())


class TouchedRows:
    """Rows of the touched dossiers, set aside table by table when they are asked for."""

    def __init__(self, connection: Connection, batches: Sequence[int], *, are_few: bool) -> None:
        """``are_few``: each dossier is looked up in the index; else the months they lie in are read."""
        self.connection = connection
        self._batches = list(batches)
        self._are_few = are_few
        self._set_aside: set[str] = set()
        self._event_kinds: list[int] = list(
            connection.exec_driver_sql("select k.event_kind_sk from core.dim_event_kind as k order by 1").scalars()
        )
        self._months: list[date] = list(
            connection.exec_driver_sql(
                "select distinct date_trunc('month', k.registered_on::timestamp)::date from dx_touched as k order by 1"
            ).scalars()
        )

    def set_aside(self, table: str) -> None:
        """Fill ``dx_now_<table>`` and ``dx_was_<table>``, once."""
        if table in self._set_aside:
            return
        self._set_aside.add(table)
        names = list(describe(self.connection, table).columns)
        for side in ("now", "was"):
            self.connection.exec_driver_sql(
                f"create temporary table {stand_in(table, side)} (like {table}) on commit drop"
            )
        self._fill_now(table, names)
        self._fill_was(table, names)

    def _fill_now(self, table: str, names: list[str]) -> None:
        code, day = TABLES[table]
        same = f"t.{code} = k.dossier_code and t.{day} = k.registered_on"
        month = f"select m.* from {table} as m where m.{day} >= :first and m.{day} < :next"
        if table == EVENTS:
            # Cut by kind and month: to name both leaves out the other partitions, a month alone does not.
            month = " union all ".join(f"{month} and m.event_kind_sk = {kind}" for kind in self._event_kinds)
        found = (
            # offset 0 keeps the planner from reading the month after all
            f"cross join lateral (select t.* from ({month}) as t where {same} offset 0) as t"
            if self._are_few
            else f"inner join ({month}) as t on {same}"
        )
        for first in self._months:  # named, so that the planner sees the one partition
            self.connection.execute(
                sa.text(
                    f"insert into {stand_in(table, 'now')} ({', '.join(map(identifier, names))})"
                    f" select {prefixed('t', names)} from dx_touched as k {found}"
                    " where k.registered_on >= :first and k.registered_on < :next"
                ),
                {"first": first, "next": first_of_next(first)},
            )
        self.connection.exec_driver_sql(f"analyze {stand_in(table, 'now')} ({code}, {day}, last_batch_id)")

    def _fill_was(self, table: str, names: list[str]) -> None:
        now, was = stand_in(table, "now"), stand_in(table, "was")
        key = primary_key(self.connection, table)
        self.connection.execute(
            sa.text(
                f"insert into {was} ({', '.join(map(identifier, names))}) select {prefixed('n', names)} from {now} as n"
                " where n.last_batch_id <> all(cast(:batches as bigint[])) union all select former.* from (select"
                f" distinct on ({prefixed('h', list(key))}) {prefixed('h', names)} from {table}{HISTORY_SUFFIX} as h"
                f" inner join {now} as n on {same_key('n', 'h', key)}"
                " and n.last_batch_id = any(cast(:batches as bigint[]))"
                " where h.last_batch_id <> all(cast(:batches as bigint[]))"
                f" order by {prefixed('h', list(key))}, h.known_from desc) as former"
            ),
            {"batches": self._batches},
        )
        self.connection.exec_driver_sql(f"analyze {was} ({', '.join(TABLES[table])})")


def first_of_next(month: date) -> date:
    """The first day of the month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def stand_in(table: str, side: Side) -> str:
    """Name of what stands in for a table or view on one side."""
    return f"dx_{side}_{table.rpartition('.')[2]}"


class OneSide:
    """Rewrites a SELECT to the touched dossiers as they are, or as they were; makes the temporary views it then reads."""

    def __init__(self, rows: TouchedRows, side: Side) -> None:
        self._rows = rows
        self._connection = rows.connection
        self._side: Side = side
        self._made: dict[str, str] = {}

    def read_ahead(self, tally: Tally) -> None:
        """Set aside what the tally will ask for, before the mart's SQL changes how the planner works."""
        for text in (tally.body, *tally.views.values()):
            self._over_stand_ins(text, {})

    def rewrite(self, tally: Tally) -> str:
        """The SELECT of the tally over the stand-ins."""
        for name, body in tally.views.items():
            if name not in self._made:
                self._make_view(name, self._over_stand_ins(body, tally.views))
        return self._over_stand_ins(tally.body, tally.views)

    def _over_stand_ins(self, text: str, views: Mapping[str, str]) -> str:
        text = _NAME.sub(lambda match: self._of_core(match[0]), text)
        for name in views:
            if name in self._made:
                text = unqualified(name).sub(self._made[name], text)
        return text

    def _of_core(self, name: str) -> str:
        """A table of dossiers, or a view that reads one, has a stand-in; the others are the same on both sides."""
        if name in TABLES:
            self._rows.set_aside(name)
            return stand_in(name, self._side)
        if name not in self._made:
            self._made[name] = name
            definition = self._connection.execute(
                sa.text(
                    "select rtrim(pg_get_viewdef(c.oid), E' ;\\n') from pg_catalog.pg_class as c"
                    " where c.oid = to_regclass(:name) and c.relkind = 'v'"
                ),
                {"name": name},
            ).scalar()
            over = self._over_stand_ins(definition or "", {})
            if over != (definition or ""):
                self._make_view(name, over)
        return self._made[name]

    def _make_view(self, name: str, body: str) -> None:
        made = stand_in(name, self._side)
        self._connection.exec_driver_sql(f"create temporary view {made} as {body}".replace("%", "%%"))
        self._made[name] = made
