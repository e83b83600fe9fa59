"""Parse ``warehouse_sql/load/<system>/<dataset>.sql``: how accepted rows move from stage to the star.

A file is a comment that states the grain, an optional ``-- dx:tables`` section (idempotent DDL that
runs at migration time), and one or more steps::

    -- dx:step merge=upsert target=core.fact_dossier key=dossier_code,registered_on ledger
    select ... from stage.one_stop__ho_so as s

``merge.py`` turns each step into statements. Exactly one step carries ``ledger``: its counts balance
the batch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from dx_pipeline.errors import LoadFileError

MergeKind = Literal["upsert", "scd2", "infer", "snapshot", "sql"]
MERGE_KINDS = ("upsert", "scd2", "infer", "snapshot", "sql")
SECTION = re.compile(r"^-- dx:(?P<kind>[a-z]+)(?P<rest>[^\n]*)$", re.MULTILINE)
IDENTIFIER = re.compile(r"^[a-z_][a-z0-9_]*\Z")


@dataclass(frozen=True)
class LoadStep:
    """One SELECT and how its rows are merged into a target table."""

    merge: MergeKind
    target: str | None
    key: tuple[str, ...]
    ledger: bool
    version: str | None
    close_missing: bool
    """What a whole delivery no longer holds is closed; a ``snapshot`` always does so."""
    closes: bool
    """A ``merge=sql`` step that closes what vanished: its rows are counted as closed."""
    stays: bool
    """A ``merge=sql`` step that only counts, part by part, open rows that the delivery does not hold: kept, absent."""
    identity: tuple[str, ...]
    """Columns of the target that hold the contract's primary key, in its order; without them ``key`` does."""
    scope: tuple[str, ...]
    """Columns of the target whose values a delivery covers: only among those it holds can a row have vanished."""
    period: str | None
    """Column of the target that holds the contract's period column."""
    fills: str | None
    """The table that a ``merge=sql`` step works on; the work order reads it."""
    changes: tuple[str, ...]
    """Further tables whose rows a ``merge=sql`` step may change: their former versions are kept."""
    sql: str
    line: int


@dataclass(frozen=True)
class LoadFile:
    """A parsed load file."""

    path: Path
    steps: tuple[LoadStep, ...]

    @property
    def ledger_step(self) -> LoadStep:
        return next(step for step in self.steps if step.ledger)

    @property
    def targets(self) -> tuple[str, ...]:
        """Tables the file writes, in order, without repeats."""
        return tuple(dict.fromkeys(step.target for step in self.steps if step.target))

    @property
    def filled(self) -> frozenset[str]:
        """Tables whose rows come from this dataset; those it only infers members of are not."""
        named = {step.fills or step.target for step in self.steps if step.merge != "infer"}
        return frozenset(name for name in named if name)


def tables_section(path: Path) -> str | None:
    """The DDL of the ``-- dx:tables`` section, or None."""
    text = path.read_text(encoding="utf-8", errors="replace")
    for match, body in _sections(text):
        if match["kind"] == "tables":
            return body
    return None


def parse_load_file(path: Path) -> LoadFile:
    """Read and check a load file.

    Raises:
        LoadFileError: names file, line and reason.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise LoadFileError(
            f"load file {path}: cannot be read ({error.strerror})",
            next_step="every dataset needs one; docs/onboard-a-source.md shows how to write it",
        ) from None
    except UnicodeDecodeError as error:
        raise LoadFileError(
            f"load file {path}: is not UTF-8 (byte {error.start})", next_step="save it as UTF-8 and run again"
        ) from None
    steps: list[LoadStep] = []
    for match, body in _sections(text):
        line = text.count("\n", 0, match.start()) + 1
        if match["kind"] == "step":
            steps.append(_step(path, line, match["rest"], body))
        elif match["kind"] != "tables":
            raise LoadFileError(f"load file {path} line {line}: unknown section dx:{match['kind']}")
    if sum(step.ledger for step in steps) != 1:
        raise LoadFileError(
            f"load file {path}: {sum(step.ledger for step in steps)} steps carry `ledger`, exactly one must",
            next_step="add the word ledger to the step that loads one target row for each accepted row",
        )
    return LoadFile(path, tuple(steps))


def _sections(text: str) -> list[tuple[re.Match[str], str]]:
    matches = list(SECTION.finditer(text))
    ends = [match.start() for match in matches[1:]] + [len(text)]
    return [(match, text[match.end() : end]) for match, end in zip(matches, ends, strict=True)]


def _step(path: Path, line: int, rest: str, body: str) -> LoadStep:
    def refuse(reason: str) -> LoadFileError:
        return LoadFileError(f"load file {path} line {line}: {reason}")

    words = rest.split()
    settings = dict(word.split("=", 1) for word in words if "=" in word)
    flags = {word for word in words if "=" not in word}
    unknown = (
        set(settings) - {"merge", "target", "key", "version", "fills", "changes", "identity", "scope", "period"}
    ) | (flags - {"ledger", "close_missing", "closes", "stays"})
    if unknown:
        raise refuse(f"unknown {', '.join(sorted(unknown))} in dx:step")
    merge = settings.get("merge")
    if merge not in MERGE_KINDS:
        raise refuse(f"merge={merge!r} must be one of {', '.join(MERGE_KINDS)}")
    target = settings.get("target")
    key, identity, scope = (
        tuple(part for part in settings.get(name, "").split(",") if part) for name in ("key", "identity", "scope")
    )
    if merge != "sql":
        if not target or not all(IDENTIFIER.match(part) for part in target.split(".")) or target.count(".") != 1:
            raise refuse("target=schema.table is needed")
        if not key or not all(IDENTIFIER.match(part) for part in key):
            raise refuse("key=column[,column] is needed")
    elif "ledger" in flags:
        raise refuse("a merge=sql step cannot carry ledger: its counts are unknown")
    if "fills" in settings and merge != "sql":
        raise refuse("fills= belongs to a merge=sql step; the others say target=")
    changes = tuple(part for part in settings.get("changes", "").split(",") if part)
    if changes and (merge != "sql" or not all(re.fullmatch(r"[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*", t) for t in changes)):
        raise refuse("changes=schema.table[,schema.table] belongs to a merge=sql step")
    period = settings.get("period")
    if not all(IDENTIFIER.match(name) for name in (*identity, *scope, *((period,) if period is not None else ()))):
        raise refuse("identity=, scope= and period= name columns of the target")
    if "closes" in flags and (merge != "sql" or "fills" not in settings):
        raise refuse("closes belongs to a merge=sql step with fills=schema.table, the table whose rows it closes")
    if "stays" in flags and (merge != "sql" or "fills" not in settings or len(scope) != 1):
        raise refuse("stays belongs to a merge=sql step with fills=schema.table and scope=column, whose rows it counts")
    if "close_missing" in flags and merge not in ("scd2", "upsert"):
        raise refuse("close_missing belongs to merge=scd2 and merge=upsert; a snapshot closes what vanished anyway")
    sql = body.strip().rstrip(";").strip()
    if not re.sub(r"--[^\n]*", "", sql).strip():
        raise refuse("the step has no statement")
    return LoadStep(
        merge=cast(MergeKind, merge),
        target=target,
        key=key,
        ledger="ledger" in flags,
        version=settings.get("version"),
        close_missing="close_missing" in flags or merge == "snapshot",
        closes="closes" in flags,
        stays="stays" in flags,
        identity=identity,
        scope=scope,
        period=period,
        fills=settings.get("fills"),
        changes=changes,
        sql=sql,
        line=line,
    )
