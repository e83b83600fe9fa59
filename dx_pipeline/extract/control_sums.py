"""Do the rows of a sheet add up to the sheet's own total?

The total row (``source.controlTotal``) is compared, column by column, with the sum of those cells of the data rows that
are plain numbers; others (``1.234,5``, words) are told beside a difference. Excel's own sums leave out numbers that were
typed as text: that is one of the differences found. A difference is a finding and no refusal: whether the total or a row
is wrong only the owner knows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dx_pipeline.contract.model import CAPTION_SIGN, Contract
from dx_pipeline.extract.sheet_labels import beginning_with

MOST_TOTALS = 20
RELATIVE_TOLERANCE = 1e-9  # of floats that were added up in another order
_NUMBER = r"^-?[0-9]{1,200}(?:\.[0-9]{1,200})?(?:[eE][-+]?[0-9]{1,3})?$"


class ControlSums:
    """Sums of one file's number columns beside its total rows; idle if the contract names no control total."""

    def __init__(self, contract: Contract, places: Sequence[int]) -> None:
        """``places``: where each contract column stands in the sheet."""
        self._label = contract.source.control_total
        self._pattern = None if self._label is None else beginning_with([self._label])
        self._columns: dict[str, str] = {}
        if self._label is not None:
            self._columns = {
                str(place): column.source_name
                for column, place in zip(contract.columns, places, strict=True)
                if column.logical_type in ("integer", "number")
                and not column.is_personal
                and column.key_position is None
                and not column.source_name.startswith(CAPTION_SIGN)
            }
        self._sums = dict.fromkeys(self._columns, 0.0)
        self._sizes = dict.fromkeys(self._columns, 0.0)
        self._texts = dict.fromkeys(self._columns, 0)
        self._totals: list[tuple[int, dict[str, str]]] = []

    def add(self, rows: pa.RecordBatch) -> None:
        """Add data rows."""
        for place in self._columns:
            if place not in rows.schema.names:
                continue
            cells = rows[place].drop_null()
            numbers = cells.filter(pc.match_substring_regex(cells, _NUMBER)).cast(pa.float64()).to_pylist()
            self._sums[place] = math.fsum([self._sums[place], *numbers])
            self._sizes[place] += math.fsum(map(abs, numbers))
            self._texts[place] += len(cells) - len(numbers)

    def keep_totals(self, rows: pa.RecordBatch, labels: pa.Array) -> None:
        """Keep those of the total rows that are the whole file's."""
        if self._pattern is None:
            return
        chosen = rows.filter(pc.match_substring_regex(labels, self._pattern).fill_null(False))
        for number in range(min(chosen.num_rows, MOST_TOTALS - len(self._totals))):
            cells = {place: chosen[place][number].as_py() for place in self._columns if place in chosen.schema.names}
            told = {place: text for place, text in cells.items() if text is not None}
            self._totals.append((chosen["row"][number].as_py(), told))

    def position(self) -> dict[str, Any]:
        """What a manifest tells of it: total and sum, column by column."""
        if self._label is None:
            return {}
        compared = [
            {"row": row, "column": self._columns[place], "total": text, "sum": _shown(self._sums[place])}
            for row, cells in self._totals
            for place, text in cells.items()
        ]
        return {"control_sums": compared}

    def findings(self, file_name: str) -> list[str]:
        """One message per total that the rows do not add up to."""
        if self._label is None:
            return []
        if not self._totals:
            return [f"{file_name} has no row {self._label!r}: whether its rows are complete cannot be checked"]
        return [
            message
            for row, cells in self._totals
            for place, text in cells.items()
            if (message := self._difference(file_name, row, place, text)) is not None
        ]

    def _difference(self, file_name: str, row: int, place: str, text: str) -> str | None:
        where = f"{file_name}, row {row} ({self._label}), {self._columns[place]}"
        if not pc.match_substring_regex(pa.array([text]), _NUMBER)[0].as_py():
            return f"{where}: the total is no number, so it cannot be compared with the rows"
        total, found = float(text), self._sums[place]
        difference = found - total
        if abs(difference) <= RELATIVE_TOLERANCE * max(abs(total), self._sizes[place], 1.0):
            return None
        texts = self._texts[place]
        not_summed = f"; {texts} cells of the column are no plain numbers and not in the sum" if texts else ""
        return (
            f"{where}: the file's total is {text}, its rows add up to {_shown(found)} "
            f"(difference {_shown(difference)}){not_summed}"
        )


def _shown(number: float) -> str:
    rounded = round(number, 6)
    return str(int(rounded)) if rounded.is_integer() else repr(rounded)
