"""Texts that a spreadsheet program takes for texts: no cell runs as a formula, and no workbook is broken by a value."""

from __future__ import annotations

import re
from typing import Any

from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
LAST_ROW = 1_048_576  # Excel's own limit, the header included
_NUMBER = re.compile(r"-\d+([.,]\d+)*%?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]|[\ufffe\uffff\ud800-\udfff]")
_LONGEST_CELL = 32_767  # characters, Excel's own limit
_CUT = " … (đã cắt bớt · cut)"


def harmless(value: object) -> str:
    """A CSV cell that no spreadsheet takes for a formula; a negative number stays one.

    Source: OWASP, CSV injection: cells that begin with = + - @ (also full-width), tab, carriage return or line feed.
    """
    text = "" if value is None else str(value)
    return "'" + text if text.startswith(FORMULA_STARTS) and not _NUMBER.fullmatch(text) else text


def text_cell(sheet: Any, value: str | None, *, bold: bool = False, wrap: bool = False) -> Any:
    """A cell typed as text, whatever it begins with; marked so that it stays text when someone edits it."""
    if value is None:
        return None
    shown = _CONTROL.sub(lambda found: chr(0x2400 + ord(found[0])) if ord(found[0]) < 0x20 else "\ufffd", value)
    if len(shown) > _LONGEST_CELL:
        shown = shown[: _LONGEST_CELL - len(_CUT)] + _CUT
    cell = WriteOnlyCell(sheet, shown)
    cell.data_type = "s"
    cell.number_format = "@"
    if shown.startswith(FORMULA_STARTS):
        cell.quotePrefix = True
    if bold:
        cell.font = Font(bold=True)
    if wrap:
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell
