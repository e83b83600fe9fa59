"""CSV files as Vietnamese Excel saves them: ``;`` or tab between the fields, a byte-order mark, cp1258, UTF-16."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pyarrow as pa
import pytest

from dx_pipeline.clean.batch import clean_batch
from dx_pipeline.extract.completeness import check_complete
from dx_pipeline.extract.source import open_source
from dx_pipeline.extract.window import Window
from tests.extract_contracts import make_contract

LINES = (
    ("Mã trường", "Tên trường", "Tỷ lệ"),
    ("45001", "THCS Nguyễn Huệ; Đông Hà", "1.234,5"),
    ("45002", 'Tiểu học "Hướng Hóa"', "72,595"),
    ("45003", "Trường PTDTBT TH&THCS A Dơi\nđiểm Phước Hòa", ""),
)
# "Hướng Hóa" as cp1258 must write it: ươ and o with the tone as a byte of its own (0xEC sắc), 0xFD ư, 0xF5 ơ.
HUONG_HOA_CP1258 = bytes.fromhex("48 FD F5 EC 6E 67 20 48 6F EC 61")


def as_csv(delimiter: str) -> str:
    """Every field quoted, the header too."""
    return "".join(delimiter.join('"' + text.replace('"', '""') + '"' for text in line) + "\r\n" for line in LINES)


def in_cp1258(text: str) -> bytes:
    """Letters cp1258 lacks are written as letter and tone; the others stay whole, so the text is part decomposed."""
    out = bytearray()
    for letter in text:
        try:
            out += letter.encode("cp1258")
        except UnicodeEncodeError:
            parts = unicodedata.normalize("NFD", letter)
            tone = next(mark for mark in parts if mark in "\u0300\u0301\u0303\u0309\u0323")
            out += (unicodedata.normalize("NFC", parts.replace(tone, "")) + tone).encode("cp1258")
    return bytes(out)


def cleaned(folder: Path, encoding: str, delimiter: str) -> list[list[str | None]]:
    contract = make_contract(
        ["Mã trường", "Tên trường", "Tỷ lệ"], kind="csv", path="*.csv", encoding=encoding, delimiter=delimiter
    )
    with open_source(contract, folder.as_uri()) as reader:
        extraction = reader.extract(Window("full"))
        table = pa.Table.from_batches(list(extraction.batches), schema=extraction.schema)
    check_complete(contract, extraction.source_rows, table.num_rows)
    (batch,) = table.combine_chunks().to_batches()
    clean = clean_batch(batch, contract, 0)
    return [clean[name].to_pylist() for name in ("mã trường", "tên trường", "tỷ lệ")]


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize(
    ("declared", "mark", "written"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8"),
        ("utf-16", b"\xff\xfe", "utf-16-le"),
        ("utf-16", b"\xfe\xff", "utf-16-be"),
        ("utf-16", b"", "utf-16-le"),
        ("utf-16", b"", "utf-16-be"),
        ("utf-16-le", b"", "utf-16-le"),
        ("utf-16-le", b"\xff\xfe", "utf-16-le"),
        ("utf-16-be", b"\xfe\xff", "utf-16-be"),
        ("cp1258", b"", "cp1258"),
    ],
)
def test_as_excel_saves_it(tmp_path: Path, declared: str, mark: bytes, written: str, delimiter: str) -> None:
    text = as_csv(delimiter)
    (tmp_path / "a.csv").write_bytes(mark + (in_cp1258(text) if written == "cp1258" else text.encode(written)))
    codes, names, rates = cleaned(tmp_path, declared, delimiter)
    assert codes == ["45001", "45002", "45003"]
    assert names == [
        "THCS Nguyễn Huệ; Đông Hà",
        'Tiểu học "Hướng Hóa"',
        "Trường PTDTBT TH&THCS A Dơi điểm Phước Hòa",
    ]
    assert rates == ["1.234,5", "72,595", None]


def test_cp1258_bytes_are_composed_when_cleaned(tmp_path: Path) -> None:
    header = in_cp1258("Mã trường;Tên trường;Tỷ lệ\r\n")
    (tmp_path / "a.csv").write_bytes(header + b"1;" + HUONG_HOA_CP1258 + b";x\r\n")
    assert HUONG_HOA_CP1258.decode("cp1258") == "Hươ\u0301ng Ho\u0301a"
    assert cleaned(tmp_path, "cp1258", ";")[1] == ["Hướng Hóa"]


def test_decomposed_utf8_is_composed_when_cleaned(tmp_path: Path) -> None:
    name = unicodedata.normalize("NFD", "Hướng Hóa")
    assert len(name) == 13
    (tmp_path / "a.csv").write_text(f"Mã trường;Tên trường;Tỷ lệ\n1;{name};x\n", encoding="utf-8-sig")
    (found,) = cleaned(tmp_path, "utf-8", ";")[1]
    assert found == "Hướng Hóa"
    assert found is not None
    assert len(found) == 9
