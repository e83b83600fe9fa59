"""Codes of a fixed number of digits: zeros that a spreadsheet took away, and what is no such code."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from dx_pipeline.clean.digit_code import DIGIT_CODE
from dx_pipeline.contract.model import Column
from dx_pipeline.errors import ContractError


def column(**options: Any) -> Column:
    return Column("c", "c", "digit_code", "string", options=options)


@pytest.mark.parametrize(
    ("groups", "source", "expected"),
    [
        ([3], "418", ("418", None, None)),
        ([3], "9", ("009", None, "zeros_restored")),
        ([3], "9.0", ("009", None, "zeros_restored")),
        ([3], "4180", (None, "4180", None)),
        ([3], "chương 9", (None, "chương 9", None)),
        ([7], "1045001", ("1045001", None, None)),
        ([7], "45001", ("0045001", None, "zeros_restored")),
        ([7], "1045", (None, "1045", None)),  # three zeros are no loss of Excel's
        ([3, 3], "070-085", ("070-085", None, None)),
        ([3, 3], "70-85", ("070-085", None, "zeros_restored")),
        ([3, 3], "070085", ("070-085", None, "variant")),
        ([3, 3], "070 – 085", ("070-085", None, "variant")),
        ([3, 3], "340.341", ("340-341", None, "variant")),
        ([3, 3], "70085", (None, "70085", None)),  # of which part was the zero?
        ([3, 3], "340-341-1", (None, "340-341-1", None)),
        ([3, 3], "", (None, None, None)),
    ],
)
def test_reading(groups: list[int], source: str, expected: tuple[str | None, ...]) -> None:
    done = DIGIT_CODE.clean(pa.array([source, None]), column(groups=groups))
    note = None if done.note is None else done.note[0].as_py()
    unreadable = None if done.unreadable is None else done.unreadable[0].as_py()
    assert (done.value[0].as_py(), unreadable, note) == expected
    assert done.value[1].as_py() is None


def test_a_number_column_and_how_many_zeros_may_be_lost() -> None:
    assert DIGIT_CODE.clean(pa.array([9, 418]), column(groups=[3])).value.to_pylist() == ["009", "418"]
    assert DIGIT_CODE.clean(pa.array(["9", "10"]), column(groups=[3], most_lost=1)).value.to_pylist() == [None, "010"]


@pytest.mark.parametrize("options", [{}, {"groups": []}, {"groups": [0]}, {"groups": 7}, {"groups": [True]}])
def test_groups_are_needed(options: dict[str, Any]) -> None:
    with pytest.raises(ContractError, match="option groups"):
        DIGIT_CODE.check and DIGIT_CODE.check(column(**options))


def test_most_lost_is_a_count() -> None:
    with pytest.raises(ContractError, match="most_lost"):
        DIGIT_CODE.check and DIGIT_CODE.check(column(groups=[3], most_lost=-1))
