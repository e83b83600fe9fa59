"""A rename is proposed from names, types and the values of the same rows."""

from __future__ import annotations

import pyarrow as pa
import pytest

from dx_pipeline.extract.rename_evidence import propose_renames

KEYS = [f"A{number}" for number in range(20)]
NAMES = [f"Tên {number % 7}" for number in range(20)]


def table(**columns: list[str | None]) -> pa.Table:
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def pairs(now: pa.Table | None, *, old_type: str = "", new_type: str = "", new: str = "DonVi") -> list[tuple[str, str]]:
    before = table(Ma=KEYS, Ten=NAMES)
    found = propose_renames({"Ten": old_type}, {new: new_type}, ["Ma"], before, now)
    return [(pair.old, pair.new) for pair in found]


def test_the_same_values_in_the_same_rows_are_a_rename_whatever_the_name() -> None:
    assert pairs(table(Ma=KEYS[::-1], DonVi=NAMES[::-1])) == [("Ten", "DonVi")]


def test_other_values_are_none_even_under_a_like_name() -> None:
    assert pairs(table(Ma=KEYS, Ten_=["x"] * 20), new="Ten_") == []


def test_a_like_name_is_enough_without_rows() -> None:
    assert pairs(None, new="TEN") == [("Ten", "TEN")]
    assert pairs(None, new="DonVi") == []


def test_types_that_exclude_each_other_are_no_rename() -> None:
    assert pairs(table(Ma=KEYS, DonVi=NAMES), old_type="varchar(10)", new_type="date") == []


def test_one_word_everywhere_proves_nothing() -> None:
    before = table(Ma=KEYS, Ten=["1"] * 20)
    now = table(Ma=KEYS, DonVi=["1"] * 20)
    assert propose_renames({"Ten": ""}, {"DonVi": ""}, ["Ma"], before, now) == []


def test_a_renamed_key_is_found_by_its_set_of_values() -> None:
    before, now = table(Ma=KEYS), table(MaSo=KEYS[5:], Khac=["x"] * 15)
    (found,) = propose_renames({"Ma": ""}, {"MaSo": "", "Khac": ""}, [], before, now)
    assert (found.old, found.new, found.same_values, found.compared) == ("Ma", "MaSo", 1.0, 15)


@pytest.mark.parametrize("swapped", [False, True])
def test_each_column_is_in_one_pair(swapped: bool) -> None:
    other = [f"{number}" for number in range(20)]
    before = table(Ma=KEYS, a=NAMES, b=other)
    now = table(Ma=KEYS, x=other if swapped else NAMES, y=NAMES if swapped else other)
    found = propose_renames({"a": "", "b": ""}, {"x": "", "y": ""}, ["Ma"], before, now)
    wanted = {("a", "y"), ("b", "x")} if swapped else {("a", "x"), ("b", "y")}
    assert {(pair.old, pair.new) for pair in found} == wanted
