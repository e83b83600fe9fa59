"""One kept tally: the table ``mart_tally.<mart>__<tally>`` of its groups, and for one by a clock the dossiers it still moves.

``dx_key`` is a hash of what a group is counted by: groups that changed are found by it and added up with their change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.errors import LoadFileError
from dx_pipeline.sql_quoting import identifier
from dx_pipeline.warehouse.connection import run_text
from dx_pipeline.warehouse.tally_changes import OneSide
from dx_pipeline.warehouse.tally_script import Tally

_KEY = "dx_key"
_LONGEST_NAME = 63


class TallyTable:
    """The kept counts of one tally of a mart, in the transaction of the caller."""

    def __init__(self, connection: Connection, mart: str, tally: Tally) -> None:
        if len(f"{mart}__{tally.name}__open") > _LONGEST_NAME:
            raise LoadFileError(
                f"mart {mart}: with the name of its tally {tally.name} it is longer than {_LONGEST_NAME} characters",
                next_step="shorten the name of the temporary table",
            )
        self._connection = connection
        self.tally = tally
        self.name = f"mart_tally.{identifier(f'{mart}__{tally.name}')}"
        self.open_name = f"mart_tally.{identifier(f'{mart}__{tally.name}__open')}" if tally.clock is not None else None
        """Dossiers with something that the clock has not passed yet."""

    def names(self) -> list[str]:
        """The tables that hold it."""
        return [self.name, *filter(None, [self.open_name])]

    def count_everything(self, last_period: int | None) -> None:
        """Make the tables anew.

        Args:
            last_period: the last one of the clock.
        """
        for name in self.names():
            self._run(f"drop table if exists {name}")
        source = f"({self.tally.body})"
        if self.open_name is not None:
            # One pass gives both: the groups, and the dossiers of those that the clock still moves.
            is_open = self._is_open(last_period, self._alias())
            gathered = "".join(
                f"array_agg({column}) filter (where {is_open}) as dx_{part}, "
                for part, column in zip(("codes", "days"), self.tally.dossier, strict=True)
            )
            columns = self.tally.body.removeprefix("select")
            source = "dx_built"
            self._run(f"create temporary table {source} on commit drop as select {gathered}{columns}")
            self._run(
                f"create table {self.open_name} as select o.dossier_code, o.registered_on from dx_built as b"
                " cross join lateral unnest(b.dx_codes, b.dx_days) as o (dossier_code, registered_on)"
            )
        names = [name for name in self._columns_of(source) if not name.startswith("dx_")]
        self._run(f"create table {self.name} as select {self._with_key('q', names)} from {source} as q")
        self._run(f"analyze {self.name}")
        if self.open_name is not None:
            self._run(f"analyze {self.open_name}")
            self._run("drop table dx_built")

    def count_again(self, was: OneSide, now: OneSide, former_period: int | None, last_period: int | None) -> None:
        """Take the touched dossiers off as they were and add them as they are.

        Args:
            former_period: the last period of the clock when it was counted.
            last_period: the one it has now.
        """
        # Of the rows set aside the planner knows little, and one loop too many costs more than they all.
        loops = self._connection.exec_driver_sql("show enable_nestloop").scalar_one()
        self._run("set local enable_nestloop = off")
        if self.tally.adds:
            self._add_change(was.rewrite(self.tally), now.rewrite(self.tally), former_period)
        else:
            greatest = ", ".join(
                f"{identifier(name)} = greatest(t.{identifier(name)}, n.{identifier(name)})"
                for name in self.tally.highest
            )
            self._run(f"update {self.name} as t set {greatest} from ({now.rewrite(self.tally)}) as n")
        if self.open_name is not None:
            # All that were open before are among the touched ones.
            source = now.rewrite(self.tally).rpartition("from ")[2].partition("group by")[0]
            self._run(f"truncate {self.open_name}")
            self._run(
                f"insert into {self.open_name} select {', '.join(self.tally.dossier)} from {source}"
                f" where {self._is_open(last_period, self._alias())}"
            )
        self._run(f"set local enable_nestloop = {loops}")

    def _add_change(self, was: str, now: str, former_period: int | None) -> None:
        adds = self.tally.adds
        names = [name for name in self._columns_of(self.name) if name != _KEY]
        if self.open_name is not None:
            # Groups of what was open go whole, so their dossiers are not taken off once more.
            self._run(f"delete from {self.name} as q where {self._is_open(former_period, 'q')}")
            counted, _, grouped = was.rpartition("group by")
            dossier = ", ".join(self.tally.dossier)
            was = f"{counted} where ({dossier}) not in (select * from {self.open_name}) group by{grouped}"
        listed = ", ".join(map(identifier, names))
        off = ", ".join(f"-q.{identifier(name)}" if name in adds else f"q.{identifier(name)}" for name in names)
        self._run(
            "create temporary table dx_change on commit drop as"
            f" select {self._with_key('s', names)} from (select {self._summed('c', names)}"
            f" from (select {off} from ({was}) as q ({listed}) union all select {listed} from ({now}) as q) as c ({listed})"
            f" group by {self._keys('c', names)}"
            f" having {' or '.join(f'sum(c.{identifier(name)}) <> 0' for name in adds)}) as s"
        )
        self._run("analyze dx_change")
        # The groups as they were join the change, and go; what the two add up to comes.
        self._run(
            f"insert into dx_change select t.* from {self.name} as t where t.{_KEY} in (select c.{_KEY} from dx_change as c)"
        )
        self._run(f"delete from {self.name} as t where t.{_KEY} in (select c.{_KEY} from dx_change as c)")
        self._run(
            f"insert into {self.name} select {self._summed('g', names)}, g.{_KEY} from dx_change as g"
            f" group by {self._keys('g', names)}, g.{_KEY} having sum(g.{identifier(adds[0])}) <> 0"
        )
        self._run("drop table dx_change")

    def hand_out(self) -> None:
        """Let the rest of the script read it under the name of its temporary table."""
        names = [name for name in self._columns_of(self.name) if name != _KEY]
        self._run(
            f"create temporary view {self.tally.name} as select {', '.join(map(identifier, names))} from {self.name}"
        )

    def take_back(self) -> None:
        """Take back what was handed out, with what the script has built on it."""
        self._run(f"drop view {self.tally.name} cascade")

    def set_aside(self) -> None:
        """Copy the groups, to compare them with what counting everything gives."""
        self._run(f"create temporary table dx_former on commit drop as select * from {self.name}")

    def differing(self) -> int:
        """How many groups read otherwise than those set aside."""
        found = self._connection.exec_driver_sql(
            f"select count(*) from ((select * from dx_former except all select * from {self.name})"
            f" union all (select * from {self.name} except all select * from dx_former)) as d"
        ).scalar_one()
        self._run("drop table dx_former")
        return int(found)

    def _is_open(self, last_period: int | None, alias: str) -> str:
        """Whether any moment lies after the clock; one that is not known is not awaited either."""
        moments = ", ".join(f"{alias}.{identifier(name)}" for name in self.tally.moments)
        return f"coalesce(greatest({moments}) > {last_period or 0}, false)"

    def _alias(self) -> str:
        return self.tally.dossier[0].partition(".")[0]

    def _keys(self, alias: str, names: Sequence[str]) -> str:
        counted = (*self.tally.adds, *self.tally.highest)
        return ", ".join(f"{alias}.{identifier(name)}" for name in names if name not in counted)

    def _with_key(self, alias: str, names: Sequence[str]) -> str:
        keys = self._keys(alias, names)
        hashed = f"hash_record_extended(row({keys}), 0)" if keys else "0::bigint"
        return ", ".join([*(f"{alias}.{identifier(name)}" for name in names), f"{hashed} as {_KEY}"])

    def _summed(self, alias: str, names: Sequence[str]) -> str:
        """Columns with their sums, of the types they have."""
        types = self._types()
        return ", ".join(
            f"sum({alias}.{identifier(name)})::{types[name]} as {identifier(name)}"
            if name in self.tally.adds
            else f"{alias}.{identifier(name)}"
            for name in names
        )

    def _types(self) -> dict[str, str]:
        found = self._connection.execute(
            sa.text(
                "select a.attname::text, format_type(a.atttypid, a.atttypmod) from pg_catalog.pg_attribute as a"
                " where a.attrelid = cast(:name as regclass) and a.attnum > 0 and not a.attisdropped"
            ),
            {"name": self.name},
        )
        return dict(found.tuples().all())

    def _columns_of(self, source: str) -> list[str]:
        driver: Any = self._connection.connection.driver_connection
        return [column.name for column in driver.execute(f"select * from {source} as q limit 0".encode()).description]

    def _run(self, text: str) -> None:
        run_text(self._connection, text)
