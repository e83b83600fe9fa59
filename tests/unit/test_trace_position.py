"""``dx trace`` tells a person which files a batch was read from."""

from __future__ import annotations

from dx_pipeline.cli.trace import _told

FILE = {
    "name": "dinh_danh_2023-07.xlsx",
    "bytes": 14724,
    "sha256": "5a5e8d43d11c" + "0" * 52,
    "rows": 127,
    "sheet": "T7",
}


def test_each_file_is_a_line_with_rows_size_and_the_beginning_of_its_hash() -> None:
    assert _told([FILE, {"name": "b.csv", "rows": 0}]) == (
        "dinh_danh_2023-07.xlsx, 127 rows, 14,724 bytes, sha256 5a5e8d43d11c…\nb.csv, 0 rows"
    )


def test_of_many_files_the_first_are_named_and_the_others_counted() -> None:
    lines = _told([{"name": f"{number}.csv"} for number in range(12)]).splitlines()
    assert lines == [*(f"{number}.csv" for number in range(6)), "và · and 6 nữa · more"]


def test_anything_else_is_told_as_it_is_and_not_endlessly() -> None:
    assert _told("0000000A-1") == "0000000A-1"
    assert len(_told("x" * 5_000)) == 400
