"""``dx quarantine release|discard|reopen``: what a person decides about rejected rows, with a reason and a name."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from dx_pipeline.cli.console import console, friendly
from dx_pipeline.errors import WarehouseError

if TYPE_CHECKING:
    from dx_pipeline.orchestration.road import Road
    from dx_pipeline.warehouse.quarantine import QuarantinedRow
    from dx_pipeline.warehouse.quarantine_decision import DecisionKind

RowsArgument = Annotated[list[int], typer.Argument(help="Numbers of the rows, from `dx quarantine list`.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept for ever beside the decision.")]
ByOption = Annotated[str, typer.Option("--by", help="Name of the person who decides.")]


def register(app: typer.Typer) -> None:
    app.command()(release)
    app.command()(discard)
    app.command()(reopen)


@friendly
def release(rows: RowsArgument, reason: ReasonOption, by: ByOption) -> None:
    """Accept rejected rows as they are, in spite of the rules they break.

    The next run (or replay) that meets exactly this record loads it, flagged `released_manually` and with the overruled
    codes. A record that changes at the source needs a new decision. A row whose key or typed value cannot be read cannot be
    released: there is nothing to load.

    Example: dx quarantine release 7 9 --reason "Giá đúng theo QĐ 12" --by "Nguyễn Văn A"
    """
    from dx_pipeline.judge.releasable import release_obstacles
    from dx_pipeline.judge.suite import load_suite

    def obstacles(road: Road, row: QuarantinedRow) -> list[str]:
        if row.status not in ("open", "discarded"):
            return [f"dòng không còn bị loại | the row is {row.status}"]
        contract = road.catalog.contract(row.dataset_id)
        return release_obstacles(contract, load_suite(contract), row.row_key, row.reasons)

    decided = _decide("release", rows, reason, by, obstacles)
    console.print(f"{len(decided)} released by {escape(by.strip())}; they are loaded by:")
    for command in _next_commands(decided):
        console.print(f"  {command}", soft_wrap=True)


@friendly
def discard(rows: RowsArgument, reason: ReasonOption, by: ByOption) -> None:
    """Wait no longer for rejected rows: they stay out of the warehouse and leave the department's list.

    They are still counted as quarantined in every batch, and open again when the record changes at the source.

    Example: dx quarantine discard 12 --reason "Hồ sơ thử nghiệm" --by "Trần Thị B"
    """

    def obstacles(road: Road, row: QuarantinedRow) -> list[str]:
        return [] if row.status == "open" else [f"chỉ bỏ được dòng đang mở | the row is {row.status}, not open"]

    decided = _decide("discard", rows, reason, by, obstacles)
    console.print(f"{len(decided)} discarded by {escape(by.strip())}; `dx quarantine list -s discarded` shows them")


@friendly
def reopen(rows: RowsArgument, reason: ReasonOption, by: ByOption) -> None:
    """Take a release or a discarding back.

    A discarded row is open again at once. A released row that was already loaded is rejected again by the next run that
    judges it; what was loaded of it stays until the source sends a good version.

    Example: dx quarantine reopen 12 --reason "Bỏ nhầm" --by "Trần Thị B"
    """
    from dx_pipeline.judge.record_hash import record_hash
    from dx_pipeline.warehouse.quarantine_decision import decisions_about

    def obstacles(road: Road, row: QuarantinedRow) -> list[str]:
        if row.status == "discarded":
            return []
        with road.warehouse.loader() as connection:
            mine = [
                item
                for item in decisions_about(connection, [row.quarantine_id])
                if item.record_hash == record_hash(row.raw_record)
            ]
        if mine and mine[-1].decision == "release":
            return []
        return ["không có quyết định nào để rút lại | there is no decision to take back"]

    decided = _decide("reopen", rows, reason, by, obstacles)
    console.print(f"{len(decided)} reopened by {escape(by.strip())}")
    loaded = [row for row in decided if row.status == "released"]
    for command in _next_commands(loaded):
        console.print(f"  {command}  [dim]judges the loaded row again", soft_wrap=True)


def _decide(
    kind: DecisionKind,
    numbers: Sequence[int],
    reason: str,
    by: str,
    obstacles: Callable[[Road, QuarantinedRow], list[str]],
) -> list[QuarantinedRow]:
    """Record one decision about all rows, or none if it cannot be carried out for one of them."""
    from dx_pipeline.judge.record_hash import record_hash
    from dx_pipeline.orchestration.process import get_road
    from dx_pipeline.warehouse.quarantine import get_quarantined
    from dx_pipeline.warehouse.quarantine_decision import record_decision

    explanation, name = " ".join(reason.split()), " ".join(by.split())
    for value, option, what in ((explanation, "--reason", "why"), (name, "--by", "who")):
        if not value:
            raise WarehouseError(f"{option} is empty: a decision says {what}", next_step=f'give {option} "…"')
    road = get_road()
    problems: list[str] = []
    rows: list[QuarantinedRow] = []
    with road.warehouse.loader() as connection:
        for number in dict.fromkeys(numbers):
            row = get_quarantined(connection, number)
            if row is None:
                problems.append(f"{number}: does not exist")
                continue
            rows.append(row)
            problems += [f"{number} ({row.dataset_id} {row.row_key}): {text}" for text in obstacles(road, row)]
        if problems:
            raise WarehouseError(
                f"không thể {_VERB[kind]} | nothing was decided, cannot {kind}: " + "; ".join(problems),
                next_step="mend the row at the source, or leave these numbers out",
            )
        for row in rows:
            record_decision(
                connection,
                row.quarantine_id,
                kind,
                record_hash=record_hash(row.raw_record),
                explanation=explanation,
                decided_by=name,
                login=_login(),
            )
    return rows


_VERB = {"release": "nhận", "discard": "bỏ", "reopen": "mở lại"}


def _next_commands(rows: Sequence[QuarantinedRow]) -> list[str]:
    """What judges these rows again: a snapshot is read whole, an increment only by replaying the batch that has the row."""
    from dx_pipeline.orchestration.process import get_catalog

    commands = []
    for row in rows:
        whole = get_catalog().contract(row.dataset_id).load.mode == "snapshot"
        commands.append(f"dx run {row.dataset_id}" if whole else f"dx replay {row.last_batch_id}")
    return list(dict.fromkeys(commands))


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a process without an account of its own, as in a container
        return "unknown"
