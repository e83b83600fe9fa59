"""``dx contract reasons``: what each reason code means, for those who have to mend rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from dx_pipeline.cli.console import console, friendly
from dx_pipeline.cli.project import add_projects
from dx_pipeline.cli.tables import plain_table
from dx_pipeline.contract.catalog import load_catalog
from dx_pipeline.contract.model import Contract
from dx_pipeline.settings import get_settings

if TYPE_CHECKING:
    from dx_pipeline.judge.rule_spec import RuleSpec


@friendly
def reasons(
    names: Annotated[list[str] | None, typer.Argument(help="Systems or datasets. Default: all.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="As the tables of docs/for-departments.md.")] = False,
    project: Annotated[
        list[Path] | None, typer.Option("--project", help="Further project folder (repeatable).")
    ] = None,
) -> None:
    """What each reason code means and whether it rejects the row, only flags it, or holds the batch.

    Examples:

      dx contract reasons one_stop.ho_so

      dx contract reasons --markdown > reasons.md
    """
    add_projects(project)
    from dx_pipeline.judge.suite import load_suite

    for contract in load_catalog(get_settings().project_roots, strict=False).select(names or []):
        rules = load_suite(contract).rules
        if markdown:
            print(reasons_markdown(contract, rules))
        else:
            table = plain_table(contract.id)
            for name in ("mã · code", "mức", "phải sửa · what to mend"):
                table.add_column(name, no_wrap=not name.startswith("phải"))
            for rule in rules:
                table.add_row(rule.code, _level(rule), f"{escape(rule.message_vi)}\n[dim]{escape(rule.message_en)}")
            console.print(table)


def reasons_markdown(contract: Contract, rules: tuple[RuleSpec, ...]) -> str:
    """One section of the guide for departments."""
    rows = [f"| `{r.code}` | {_level(r)} | {_cell(r.message_vi)} | {_cell(r.message_en)} |" for r in rules]
    head = [f"### {contract.id}", "", _cell(contract.purpose_vi.split(". ")[0].rstrip(".") + "."), ""]
    return "\n".join([*head, "| mã | mức | phải hiểu là | in English |", "|---|---|---|---|", *rows, ""])


def _level(rule: RuleSpec) -> str:
    if rule.quarantines:
        return "loại"
    if rule.flags:
        return "cảnh báo"
    return "cả lô" if rule.holds else "chỉ đếm"


def _cell(text: str) -> str:
    return text.replace("|", "/")
