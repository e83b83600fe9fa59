"""``dx drift``: the source against its contract and its last published batch, and how to accept what changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from dx_pipeline.cli.console import console, friendly, show_error
from dx_pipeline.cli.project import add_projects
from dx_pipeline.cli.tables import plain_table, status_text
from dx_pipeline.errors import ContractError, DxError

if TYPE_CHECKING:
    from dx_pipeline.contract.amend import Amendment
    from dx_pipeline.contract.model import Contract
    from dx_pipeline.orchestration.code_growth import UnknownCode
    from dx_pipeline.orchestration.drift_report import DriftReport
    from dx_pipeline.warehouse.shape_history import RecordedShape

_SINCE = {True: "[yellow]new[/]", False: "before", None: "first batch"}


def register(app: typer.Typer) -> None:
    app.command()(drift)


@friendly
def drift(
    names: Annotated[list[str] | None, typer.Argument(help="Systems or datasets. Default: all.")] = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="Write the contract's next version with what can be written by a program.")
    ] = False,
    by: Annotated[str, typer.Option("--by", help="Name of the person who accepts; stands in the contract.")] = "",
    rename: Annotated[
        list[str] | None, typer.Option("--rename", help="OLD=NEW: this missing column is that new one (repeatable).")
    ] = None,
    retype: Annotated[
        list[str] | None, typer.Option("--retype", help="Accept the other type of this column (repeatable).")
    ] = None,
    code: Annotated[
        list[str] | None, typer.Option("--code", help="COLUMN=VALUE: add the value to its code list (repeatable).")
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="When the structure of the source changed, and how.")
    ] = False,
    project: Annotated[
        list[Path] | None, typer.Option("--project", help="Further project folder (repeatable).")
    ] = None,
) -> None:
    """Compare live sources with their contracts and with what the last published batch met.

    Shows each column that is new, missing, probably renamed (by name, type and the values of the same rows), wider, narrower,
    of another type or no longer guarded by the source, its effect on the next run and how to accept it. Values that a code
    list does not know are counted in the landed rows. Nothing is loaded. Exit code 1 if a run would be held.

    Accepting writes the contract's next version: additive changes raise the second number, breaking ones the first. The file
    stays as it is everywhere else.

    Examples:

      dx drift

      dx drift one_stop.ho_so --history

      dx drift one_stop.ho_so --accept --by "Nguyễn Văn A"

      dx drift one_stop.ho_so --rename TenTTHC=TenThuTuc --accept --by "Nguyễn Văn A"
    """
    add_projects(project)
    from dx_pipeline.orchestration.process import get_road

    road = get_road()
    contracts = road.catalog.select(names or [])
    wants_one = accept or history or rename or retype or code
    if wants_one and (len(contracts) != 1 or not names):
        raise ContractError("this is about one dataset", next_step="name it: `dx drift system.dataset …`")
    if history:
        _show_history(contracts[0])
        return
    if accept or code:
        _accept(contracts[0], by, rename or [], retype or [], code or [], changes=accept)
        return
    from dx_pipeline.orchestration.drift_report import drift_report

    renames = _pairs(rename or [], "--rename OLD=NEW")
    held = broken = same = 0
    for contract in contracts:
        try:
            report = drift_report(road, contract, renames=renames, retyped=retype or [])
        except DxError as error:
            broken += 1
            show_error(error)
            continue
        held += report.is_held
        if report.differences or report.codes:
            _show(report)
        else:
            same += 1
    console.print(
        f"{same} as promised, {len(contracts) - same - broken} differ, {held} would be held, {broken} not read"
    )
    if held or broken:
        raise typer.Exit(1)


def _show(report: DriftReport) -> None:
    contract = report.contract
    since = f"last published batch {report.since.batch_id}" if report.since else "never published"
    if report.differences:
        table = plain_table(f"{contract.id}  (contract {contract.version}, {since})")
        for name in ("column", "what", "was", "now", "effect", "how to accept"):
            table.add_column(name, overflow="fold")
        for line in report.differences:
            style = "red" if line.held else "yellow"
            cells = (line.column, line.what, line.was or "–", line.now or "–", line.effect, line.accept)
            column, what, *rest = map(escape, cells)
            table.add_row(column, f"[{style}]{what}[/]", *rest)
        console.print(table)
    if report.codes:
        console.print(_code_table(contract, report.codes))
        console.print(
            f"  [dim]→[/] a new code: dx drift {contract.id} --code LIST=VALUE --by NAME;"
            " another spelling: a variant of its code, by hand; else the source mends it"
        )
    if any(line.amendment for line in report.differences):
        console.print(f"  [dim]→[/] agreed with {contract.owner_agency}? dx drift {contract.id} --accept --by NAME")


def _code_table(contract: Contract, codes: Sequence[UnknownCode]) -> Table:
    table = plain_table(f"{contract.id}  values no code list knows, in batch {codes[0].batch_id}")
    for name in ("column", "code list", "value", "rows", "since", "effect"):
        table.add_column(name, justify="right" if name == "rows" else "left", overflow="fold")
    for item in codes:
        name = item.column.name
        effect = (
            f"{'rejected' if item.rejects else 'loaded without it'} ({item.rule})" if item.rule else "loaded without it"
        )
        table.add_row(
            escape(item.column.source_name),
            escape(name),
            escape(item.value),
            f"{item.rows:,}",
            _SINCE[item.is_new],
            escape(effect),
        )
    return table


def _accept(
    contract: Contract,
    by: str,
    rename: Sequence[str],
    retype: Sequence[str],
    codes: Sequence[str],
    *,
    changes: bool,
) -> None:
    """Write the next version of the contract, or nothing if something that holds the batch would remain."""
    from dx_pipeline.contract.amend import AddCode, amend_file
    from dx_pipeline.orchestration.drift_report import drift_report
    from dx_pipeline.orchestration.process import get_road

    name = " ".join(by.split())
    if not name:
        raise ContractError("--by is empty: an acceptance says who", next_step='give --by "…"')
    report = drift_report(get_road(), contract, renames=_pairs(rename, "--rename OLD=NEW"), retyped=retype)
    lines = report.differences if changes else ()
    by_hand = [f"{line.column} {line.what}: {line.accept}" for line in lines if line.held and line.amendment is None]
    if by_hand:
        raise ContractError(
            f"{contract.id}: nothing was written, a person has to decide first: " + "; ".join(by_hand),
            next_step=f"agree with the owner {contract.owner_agency}, then call again, or change {contract.path} by hand",
        )
    amendments: list[Amendment] = [line.amendment for line in lines if line.amendment is not None]
    said = [f"{line.column} {line.what} {line.now}".strip() for line in lines if line.amendment is not None]
    for column, value in _pairs(codes, "--code COLUMN=VALUE").items():
        if value not in {item.value for item in report.codes if item.column.name == column}:
            raise ContractError(f"{contract.id}: {value!r} is no unknown value of column {column} in the landed rows")
        amendments.append(AddCode(column, value))
        said.append(f"code {value} of {column}")
    if not amendments:
        console.print(f"{contract.id}: nothing to accept")
        return
    major = any(line.bump == "major" for line in lines if line.amendment is not None)
    written = amend_file(contract, amendments, bump="major" if major else "minor", note=f"{'; '.join(said)} ({name})")
    console.print(f"[green]✓[/] {escape(str(contract.path))}: {contract.version} → {written.version}", soft_wrap=True)
    for text in said:
        console.print(f"  {escape(text)}", soft_wrap=True)
    console.print(f"  [dim]→[/] `dx contract check`, commit the file, `dx run {contract.id}`")


def _pairs(texts: Sequence[str], form: str) -> dict[str, str]:
    """``LEFT=RIGHT`` texts as a mapping."""
    pairs = {}
    for text in texts:
        left, found, right = text.partition("=")
        if not (found and left.strip() and right.strip()):
            raise ContractError(f"{text!r} is not of the form {form}")
        pairs[left.strip()] = right.strip()
    return pairs


def _show_history(contract: Contract) -> None:
    """One line per batch whose source looked different from the one before."""
    from dx_pipeline.orchestration.process import get_warehouse
    from dx_pipeline.warehouse.shape_history import shape_history

    with get_warehouse().loader() as connection:
        shapes = shape_history(connection, contract)
    if not shapes:
        console.print(f"{contract.id}: no batch has noted the structure of its source yet; `dx run {contract.id}` does")
        return
    table = plain_table(f"{contract.id}  structure of the source")
    for name in ("batch", "at", "contract", "status", "fingerprint", "what changed"):
        table.add_column(name, no_wrap=name != "what changed", overflow="fold")
    before: RecordedShape | None = None
    for shape in shapes:
        if before is None or shape.source_columns != before.source_columns:
            changed = _what_changed(before, shape)
            table.add_row(
                str(shape.batch_id), f"{shape.started_at:%Y-%m-%d %H:%M}", shape.contract_version,
                status_text(shape.status), shape.schema_fingerprint[:12], escape("\n".join(changed)),
            )  # fmt: skip
        before = shape
    console.print(table)
    console.print(f"{len(shapes)} batches, the newest is {shapes[-1].batch_id}")


def _what_changed(before: RecordedShape | None, shape: RecordedShape) -> list[str]:
    columns = {item["name"]: item for item in shape.source_columns}
    if before is None:
        key = [item["name"] for item in sorted(columns.values(), key=lambda item: item["key"]) if item["key"]]
        return [f"{len(columns)} columns" + (f", primary key ({', '.join(key)})" if key else "")]
    old = {item["name"]: item for item in before.source_columns}
    lines = [f"+ {name} {item['type']}".rstrip() for name, item in columns.items() if name not in old]
    lines += [f"- {name} {item['type']}".rstrip() for name, item in old.items() if name not in columns]
    for name, item in columns.items():
        was = old.get(name)
        if was is None:
            continue
        if was["type"] != item["type"]:
            lines.append(f"~ {name} {was['type']} → {item['type']}")
        if was["nullable"] != item["nullable"]:
            lines.append(f"~ {name} {'may be empty' if item['nullable'] else 'never empty'}")
        if was["key"] != item["key"]:
            lines.append(f"~ {name} {'in' if item['key'] else 'no longer in'} the primary key")
    return lines or ["order of the columns"]
