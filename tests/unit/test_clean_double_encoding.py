"""UTF-8 read as Western text is brought back as a whole; every other text stays as it is."""

from __future__ import annotations

import csv

import pyarrow as pa
import pytest

from dx_pipeline.clean.double_encoding import brought_back
from dx_pipeline.clean.legacy_encodings import CP1258, TCVN3, VNI
from dx_pipeline.clean.text import TEXT
from dx_pipeline.contract.model import Column
from tests.conftest import ROOT


def twice(text: str) -> str:
    """As MySQL hands it out of a latin1 column: Windows-1252, its five holes as control characters."""
    return "".join(
        chr(byte) if byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else bytes([byte]).decode("cp1252")
        for byte in text.encode("utf-8")
    )


def unit_names() -> list[str]:
    with (ROOT / "warehouse_sql" / "reference" / "admin_units.csv").open(encoding="utf-8") as file:
        return sorted({row["name"] for row in csv.DictReader(file)})


def clean_texts(texts: list[str]) -> list[tuple[str, str | None]]:
    column = Column("t", "t", "text", "string")
    done = TEXT.clean(pa.array(texts, pa.string()), column)
    notes = [None] * len(texts) if done.note is None else done.note.to_pylist()
    return list(zip(done.value.to_pylist(), notes, strict=True))


def test_what_a_person_sees_is_brought_back() -> None:
    assert brought_back("Tráº¡m Y táº¿") == "Trạm Y tế"
    assert twice("Đakrông") == "Ä\x90akrÃ´ng"
    assert brought_back("Ä\x90akrÃ´ng") == "Đakrông"


def test_every_name_of_a_unit_comes_back_and_none_is_touched_that_is_sound_or_in_another_encoding() -> None:
    names = unit_names()
    assert len(names) > 100
    for name in names:
        assert brought_back(name) is None, name
        if not name.isascii():
            assert brought_back(twice(name)) == name
        for table in (TCVN3, VNI, CP1258):
            back = {letter: legacy for legacy, letter in reversed(table.items())}
            assert brought_back("".join(back.get(one, one) for one in name)) is None, name


def test_a_column_is_mended_where_it_must_be_and_spaces_survive() -> None:
    hard = "Nhà A,  Phòng khám Đa khoa xã "  # à ends words: its second byte is a no-break space
    assert clean_texts(["Trạm Y tế", twice("Trạm Y tế"), twice(hard), "Qu¶ng TrÞ", "Café São Paulo"]) == [
        ("Trạm Y tế", None),
        ("Trạm Y tế", "utf8_twice"),
        ("Nhà A, Phòng khám Đa khoa xã", "utf8_twice"),
        ("Quảng Trị", "legacy_tcvn3"),
        ("Café São Paulo", None),
    ]


@pytest.mark.parametrize("text", ["", "abc", "Ã", "naÃ¯ve", "10 Â°C", "Tráº¡m Y táº", "Trạm Y táº¿", "Ãž"])
def test_what_is_cut_mixed_or_foreign_stays(text: str) -> None:
    assert brought_back(text) is None
