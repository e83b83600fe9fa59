"""Marts: ``warehouse_sql/marts/<name>.sql``, each refreshing one ``mart`` table in one transaction.

The header line ``-- dx:mart name=... depends=system.dataset,...`` names the table and the datasets
after whose publishing it is refreshed. A line ``-- dx:include parts/<file>.sql`` stands for that file's text: SQL that
several marts share, so that a rule has one definition.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import re
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.errors import LoadFileError
from dx_pipeline.warehouse.connection import LOCAL_TIME_ZONE, Warehouse, run_text, without_values
from dx_pipeline.warehouse.distribution import citus_version
from dx_pipeline.warehouse.kept_tally import forget_tallies, is_worth_keeping, run_with_tallies
from dx_pipeline.warehouse.tally_script import split_at_tallies

HEADER = re.compile(r"^-- dx:mart name=(?P<name>[a-z][a-z0-9_]*) depends=(?P<depends>[a-z0-9_.,]+)\s*$", re.MULTILINE)
_log = logging.getLogger("dx_pipeline")

LONGEST_REFRESH = 3600
"""Seconds to wait for another refresh of the same mart."""
_COMMENT = re.compile(r"--[^\n]*")
_TABLE_READ = re.compile(r"\b(?:core|restricted)\.[a-z_][a-z0-9_]*\b")
INCLUDE = re.compile(r"^-- dx:include (?P<file>parts/[a-z][a-z0-9_]*\.sql)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True)
class Mart:
    """One mart: its table, what it depends on and its grain (the first paragraph of its file)."""

    name: str
    depends_on: tuple[str, ...]
    grain: str
    path: Path

    @property
    def table(self) -> str:
        return f"mart.{self.name}"

    @property
    def script(self) -> str:
        """The SQL with what it includes.

        Raises:
            LoadFileError: an included file is missing.
        """
        return with_includes(self.path)


@dataclass(frozen=True)
class MartRefresh:
    """Rows of the mart afterwards, and whether it was computed anew."""

    rows: int
    computed: bool


def with_includes(path: Path, folder: Path | None = None) -> str:
    """The text of a SQL file with the text of each part it includes, one level deep.

    Args:
        folder: where ``parts/`` lies; default: beside the file.

    Raises:
        LoadFileError: a part is missing.
    """
    beside = folder or path.parent

    def part(match: re.Match[str]) -> str:
        try:
            return (beside / match["file"]).read_text(encoding="utf-8")
        except OSError:
            raise LoadFileError(
                f"mart file {path}: it includes {match['file']}, which is not in {beside}",
                next_step="restore the file or mend the line",
            ) from None

    return INCLUDE.sub(part, path.read_text(encoding="utf-8"))


def without_comments(script: str) -> str:
    """SQL without its ``--`` comments, which may name tables that are not read."""
    return _COMMENT.sub("", script)


def dependent_marts(marts: Sequence[Mart], datasets: Collection[str]) -> list[Mart]:
    """Those of the marts that depend on any of the datasets (``system.dataset``)."""
    return [mart for mart in marts if not set(mart.depends_on).isdisjoint(datasets)]


def load_marts(roots: Sequence[Path]) -> list[Mart]:
    """All marts of the given project folders, by name.

    Raises:
        LoadFileError: a file has no header or a name is used twice.
    """
    marts: dict[str, Mart] = {}
    for root in roots:
        for path in sorted((root / "warehouse_sql" / "marts").glob("*.sql")):
            text = path.read_text(encoding="utf-8")
            match = HEADER.search(text)
            if match is None:
                raise LoadFileError(f"mart file {path}: the line `-- dx:mart name=... depends=...` is missing")
            if match["name"] in marts:
                raise LoadFileError(f"mart {match['name']} is defined by {marts[match['name']].path} and {path}")
            first_paragraph = itertools.takewhile(
                lambda line: line.startswith("-- "), text[: match.start()].splitlines()
            )
            grain = " ".join(line.removeprefix("-- ").strip() for line in first_paragraph)
            marts[match["name"]] = Mart(match["name"], tuple(match["depends"].split(",")), grain, path)
    return [marts[name] for name in sorted(marts)]


def refresh_mart(warehouse: Warehouse, mart: Mart, *, only_if_changed: bool = False) -> MartRefresh:
    """Refresh one mart in one transaction.

    Args:
        only_if_changed: leave the rows as they are when the mart was computed today already, by the same SQL, and no
            batch of a dataset it depends on has changed anything since.

    Raises:
        LoadFileError: a statement failed; the mart keeps its former rows.
    """
    definition = hashlib.sha256(mart.script.encode()).hexdigest()
    with warehouse.loader() as connection:
        is_current = only_if_changed and _is_current(connection, mart, definition, _inputs(connection, mart))
    if not is_current:
        _refresh_statistics(warehouse, mart)
        _compute(warehouse, mart)
    with warehouse.loader() as connection:
        rows = int(connection.execute(sa.text(f"select count(*) from mart.{mart.name}")).scalar_one())
    return MartRefresh(rows, computed=not is_current)


def seconds_of_marts(warehouse: Warehouse) -> dict[str, float]:
    """Seconds that each mart took when it was computed last, by name."""
    with warehouse.loader() as connection:
        found = connection.exec_driver_sql(
            "select m.mart, m.seconds::double precision from ops.mart_refresh as m where m.seconds is not null"
        )
        return dict(found.tuples().all())


def _compute(warehouse: Warehouse, mart: Mart) -> None:
    """Compute a mart in a transaction of its own, from tallies that are kept where that is worth it."""
    if len(split_at_tallies(mart.script)) > 1 and _compute_from_tallies(warehouse, mart):
        return
    with warehouse.loader() as connection:
        compute_mart(connection, mart)


def _compute_from_tallies(warehouse: Warehouse, mart: Mart) -> bool:
    """Whether that was worth it and went well. One at a time: whoever refreshes changes the tallies."""
    with warehouse.dataset_lock(f"mart:{mart.name}", timeout_seconds=LONGEST_REFRESH):
        with warehouse.loader() as connection:
            if citus_version(connection) is not None:
                return False
            if not is_worth_keeping(connection, mart.name, mart.depends_on, warehouse.tallies_from_rows):
                return False
        try:
            with warehouse.loader() as connection:  # the lock comes before the snapshot
                connection.exec_driver_sql("set transaction isolation level repeatable read")
                compute_mart(connection, mart, keeps_tallies=True)
                return True
        except LoadFileError as error:
            _log.warning("%s; it is computed from nothing instead", error.what)
        with warehouse.loader() as connection:
            forget_tallies(connection, mart.name)
    return False


def compute_mart(connection: Connection, mart: Mart, *, keeps_tallies: bool = False) -> None:
    """Compute a mart in the caller's transaction.

    Args:
        keeps_tallies: only what has changed is counted again; see ``run_with_tallies`` for what that asks of the caller.

    Raises:
        LoadFileError: a statement failed; the transaction can only be rolled back.
    """
    script = mart.script
    # Read before the mart's own statements: what is published meanwhile makes the next refresh compute again.
    inputs = _inputs(connection, mart)
    started = time.monotonic()
    try:
        if keeps_tallies:
            run_with_tallies(connection, mart.name, script, split_at_tallies(script))
        else:
            run_text(connection, script)
    except sa.exc.DBAPIError as error:
        raise LoadFileError(
            f"mart {mart.name} ({mart.path}), its tallies: {str(error.orig).strip().splitlines()[0]}",
            next_step="run `dx run` again; the mart keeps its former rows",
        ) from None
    except psycopg.Error as error:
        raise LoadFileError(
            f"mart {mart.name} ({mart.path}): {without_values(error)}",
            next_step="mend the SQL and run `dx run` again; the mart keeps its former rows",
        ) from None
    connection.execute(
        sa.text(
            "insert into ops.mart_refresh as m (mart, definition, inputs, refreshed_at, seconds)"
            " select :mart, :definition, :inputs, now(), :seconds on conflict (mart) do update set"
            " definition = excluded.definition, inputs = excluded.inputs, refreshed_at = excluded.refreshed_at,"
            " seconds = excluded.seconds"
        ),
        {
            "mart": mart.name,
            "definition": hashlib.sha256(script.encode()).hexdigest(),
            "inputs": inputs,
            "seconds": round(time.monotonic() - started, 3),
        },
    )


def _refresh_statistics(warehouse: Warehouse, mart: Mart) -> None:
    """Statistics of the tables the mart reads, where a load has filled them since they were taken.

    One transaction each: its locks keep those waiting who add a month to the table.
    """
    for name in sorted(set(_TABLE_READ.findall(without_comments(mart.script)))):
        with warehouse.loader() as connection:
            connection.execute(sa.text("select ops.refresh_statistics(:name)"), {"name": name})


def _inputs(connection: Connection, mart: Mart) -> str:
    """The batches that changed anything of each dataset the mart depends on, and how many SQL files were run.

    They are told by the last number and by how many there are: months of a dataset are published in any order.

    A mart that scores by indicator sets also depends on those.
    """
    changed = connection.execute(
        sa.text(
            "select b.system || '.' || b.dataset as name, max(b.batch_id) as last, count(*) as batches from ops.batch as b"
            " where b.status = 'published' and b.inserted + b.updated + b.closed + b.also_changed > 0"
            " and b.system || '.' || b.dataset = any(:names) group by b.system, b.dataset"
        ),
        {"names": list(mart.depends_on)},
    )
    batches = {row.name: f"{row.last} ({row.batches})" for row in changed}
    migrations = connection.execute(sa.text("select count(*) from ops.migration")).scalar_one()
    listed = ", ".join(f"{name} {batches.get(name, '-')}" for name in sorted(mart.depends_on))
    sets = ""
    if "core.dim_indicator_" in mart.script:  # loaded by people, not by batches
        loaded = connection.exec_driver_sql(
            "select (select count(*) from core.indicator_set_revision), (select count(*) from core.ranking_exclusion)"
        ).one()
        sets = f"; {loaded[0]} indicator sets, {loaded[1]} exclusions"
    return f"{listed}; {migrations} SQL files{sets}"


def _is_current(connection: Connection, mart: Mart, definition: str, inputs: str) -> bool:
    found = connection.execute(
        sa.text(
            "select m.definition, m.inputs,"
            " (m.refreshed_at at time zone :zone)::date = (now() at time zone :zone)::date as is_of_today"
            " from ops.mart_refresh as m where m.mart = :mart"
        ),
        {"mart": mart.name, "zone": LOCAL_TIME_ZONE},
    ).one_or_none()
    return found is not None and bool(found.is_of_today) and (found.definition, found.inputs) == (definition, inputs)
