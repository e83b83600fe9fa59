"""CSV files as a source: every encoding a department may send, every broken file told by name and line."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa
import pytest

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import (
    ContractError,
    DxError,
    EmptySource,
    SourceDrift,
    SourceUnavailable,
    UnreadableSource,
)
from dx_pipeline.extract.completeness import check_complete, check_source_rows
from dx_pipeline.extract.drift import check_drift
from dx_pipeline.extract.source import Extraction, SourceColumn, open_source
from dx_pipeline.extract.window import Window
from tests.extract_contracts import make_contract

HEADER = "Mã trường,Tên trường,Số lớp"
SCHOOLS = f'{HEADER}\n45001,"THCS Nguyễn Huệ, Đông Hà",12\n45002,Tiểu học Hướng Hóa,\n'


def schools(**source: object) -> Contract:
    return make_contract(
        ["Mã trường", "Tên trường", "Số lớp"],
        kind="csv",
        **{"path": "*.csv", **source},  # type: ignore[arg-type]
    )


def read(contract: Contract, folder: Path, window: Window = Window("full")) -> tuple[Extraction, list[dict[str, str]]]:
    with open_source(contract, folder.as_uri()) as reader:
        extraction = reader.extract(window)
        table = pa.Table.from_batches(list(extraction.batches), schema=extraction.schema)
    check_complete(contract, extraction.source_rows, table.num_rows)
    return extraction, table.to_pylist()


def refused(contract: Contract, folder: Path) -> DxError:
    with pytest.raises(DxError) as caught:
        read(contract, folder)
    assert "one_stop.ho_so" in caught.value.what
    assert caught.value.next_step
    return caught.value


def test_rows_are_text_as_written(tmp_path: Path) -> None:
    path = tmp_path / "truong.csv"
    path.write_text(SCHOOLS, encoding="utf-8")
    extraction, rows = read(schools(), tmp_path)
    assert rows == [
        {"Mã trường": "45001", "Tên trường": "THCS Nguyễn Huệ, Đông Hà", "Số lớp": "12"},
        {"Mã trường": "45002", "Tên trường": "Tiểu học Hướng Hóa", "Số lớp": ""},
    ]
    assert extraction.source_rows == 2
    assert extraction.cursor_high is None
    (file,) = extraction.position["files"]
    assert file["name"] == "truong.csv"
    assert file["bytes"] == path.stat().st_size
    assert file["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert file["rows"] == 2
    assert file["modified_at"].endswith("+00:00")


def decomposed_for_cp1258(text: str) -> bytes:
    """cp1258 holds a, ă, â ... but tones only as marks: write what it has no letter for as letter + tone."""
    import unicodedata

    out = []
    for letter in text:
        try:
            out.append(letter.encode("cp1258"))
        except UnicodeEncodeError:
            base, *marks = unicodedata.normalize("NFD", letter)
            tones = [mark for mark in marks if mark in "\u0300\u0301\u0303\u0309\u0323"]
            stem = unicodedata.normalize("NFC", base + "".join(mark for mark in marks if mark not in tones))
            out.append((stem + "".join(tones)).encode("cp1258"))
    return b"".join(out)


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("utf-8", SCHOOLS.encode("utf-8")),
        ("utf-8", SCHOOLS.encode("utf-8-sig")),
        ("UTF8", SCHOOLS.encode("utf-8-sig")),
        ("utf-16", SCHOOLS.encode("utf-16")),
        ("utf-16-le", SCHOOLS.encode("utf-16-le")),
        ("utf-16-be", SCHOOLS.encode("utf-16-be")),
        ("cp1258", decomposed_for_cp1258(SCHOOLS)),
    ],
)
def test_encodings(tmp_path: Path, encoding: str, data: bytes) -> None:
    import unicodedata

    (tmp_path / "a.csv").write_bytes(data)
    _, rows = read(schools(encoding=encoding), tmp_path)
    assert unicodedata.normalize("NFC", rows[0]["Tên trường"]) == "THCS Nguyễn Huệ, Đông Hà"
    assert len(rows) == 2


def test_cp1252(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("Ma;Ten\n1;Café – 5 €\n".encode("cp1252"))
    contract = make_contract(["Ma", "Ten"], kind="csv", path="a.csv", encoding="cp1252", delimiter=";")
    assert read(contract, tmp_path)[1] == [{"Ma": "1", "Ten": "Café – 5 €"}]


@pytest.mark.parametrize(
    ("declared", "real", "data"),
    [
        ("utf-8", "cp1258", decomposed_for_cp1258(SCHOOLS)),
        ("utf-8", "utf-16", SCHOOLS.encode("utf-16")),
        ("utf-8", "utf-16-le", SCHOOLS.encode("utf-16-le")),
        ("utf-8", "cp1252", "Ma,Ten\n1,Café déjà\n".encode("cp1252")),
        ("cp1258", "utf-8", SCHOOLS.encode("utf-8")),
        ("cp1252", "utf-8", SCHOOLS.encode("utf-8-sig")),
        ("utf-16", "utf-8", SCHOOLS.encode("utf-8-sig")),
    ],
)
def test_wrong_encoding_tells_the_right_one(tmp_path: Path, declared: str, real: str, data: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(data)
    error = refused(schools(encoding=declared), tmp_path)
    assert isinstance(error, UnreadableSource)
    assert f"a.csv is not in the declared encoding {declared}" in error.what
    assert f"set source.encoding: {real} in assets/one_stop/ho_so.odcs.yaml" in error.next_step


def test_a_broken_byte_is_told_by_line_and_offset(tmp_path: Path) -> None:
    good = SCHOOLS.encode() + b"45003,Tr\xc6\xb0\xe1\xbb\x9dng,1\n"
    (tmp_path / "a.csv").write_bytes(good + b"45004,x\xff\xfey,1\n")
    error = refused(schools(), tmp_path)
    assert f"line 5, byte {len(good) + 7} (ff fe 79 2c) cannot be read" in error.what
    assert "mend these bytes" in error.next_step  # the encoding is right, so no other is proposed


def test_broken_byte_far_behind(tmp_path: Path) -> None:
    line = "45001,Trường THCS Hướng Hóa,12\n".encode()
    (tmp_path / "a.csv").write_bytes(f"{HEADER}\n".encode() + line * 60_000 + b"45004,\xd0\xce,1\n")
    assert "line 60002, byte" in refused(schools(), tmp_path).what


def test_unknown_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(SCHOOLS)
    for name in ("tcvn3", "base64", "rot13"):
        assert isinstance(refused(schools(encoding=name), tmp_path), ContractError)


def test_quoted_line_breaks_nul_and_quotes(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(
        b'Ma,Ten\r\n1,"a\r\nb ""c"""\r\n\r\n2,x\x00y\r\n3," lead"\r\n4,it\'s "so"\r\n5,""\r\n'
    )
    contract = make_contract(["Ma", "Ten"], kind="csv", path="a.csv")
    _, rows = read(contract, tmp_path)
    assert [row["Ten"] for row in rows] == ['a\r\nb "c"', "x\x00y", " lead", 'it\'s "so"', ""]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("ending", [True, False])
def test_line_ends(tmp_path: Path, newline: str, ending: bool) -> None:
    text = newline.join(["Ma,Ten", "1,a", "2,b"]) + (newline if ending else "")
    (tmp_path / "a.csv").write_bytes(text.encode())
    _, rows = read(make_contract(["Ma", "Ten"], kind="csv", path="a.csv"), tmp_path)
    assert [row["Ten"] for row in rows] == ["a", "b"]


def test_only_the_contracts_columns_in_its_order(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Tên , CCCD,\ufeffMã\nx,045...,1\n")
    contract = make_contract(["Mã", "Tên"], kind="csv", path="a.csv")
    extraction, rows = read(contract, tmp_path)
    assert extraction.schema.names == ["Mã", "Tên"]
    assert rows == [{"Mã": "1", "Tên": "x"}]
    with open_source(contract, tmp_path.as_uri()) as reader:
        assert reader.describe() == [
            SourceColumn("Tên", "text"), SourceColumn("CCCD", "text"), SourceColumn("Mã", "text"),
        ]  # fmt: skip
        assert check_drift(contract, reader.describe()).added == ("CCCD",)


def test_decomposed_header_is_the_same_header(tmp_path: Path) -> None:
    import unicodedata

    (tmp_path / "a.csv").write_text(unicodedata.normalize("NFD", SCHOOLS))
    assert len(read(schools(), tmp_path)[1]) == 2


def test_several_files_are_one_batch(tmp_path: Path) -> None:
    (tmp_path / "2024").mkdir()
    (tmp_path / "2024" / "b.csv").write_text("Ten,Ma\nhai,2\nba,3\n")
    (tmp_path / "2024" / "a.csv").write_text("Ma,Ten\n1,một\n")
    (tmp_path / "2024" / "~$a.csv").write_text("a lock file")
    (tmp_path / "2024" / ".b.csv").write_text("hidden")
    extraction, rows = read(make_contract(["Ma", "Ten"], kind="csv", path="2024/*.csv"), tmp_path)
    assert [row["Ma"] for row in rows] == ["1", "2", "3"]
    assert [(f["name"], f["rows"]) for f in extraction.position["files"]] == [("2024/a.csv", 1), ("2024/b.csv", 2)]


def test_header_in_a_later_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('BÁO CÁO,,,,\n"Ngày, tháng"\nMa,Ten\n1,x\n')
    contract = make_contract(["Ma", "Ten"], kind="csv", path="a.csv", header_row=3)
    assert read(contract, tmp_path)[1] == [{"Ma": "1", "Ten": "x"}]


def test_null_texts_of_the_contract(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('Ma,Ten\n1,N/A\n2,"N/A"\n3,\n4,na\n')
    contract = make_contract(["Ma", "Ten"], kind="csv", path="a.csv", null_values=("N/A",))
    assert [row["Ten"] for row in read(contract, tmp_path)[1]] == [None, None, "", "na"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "a.csv is empty, not a CSV file"),
        (b"\xef\xbb\xbf \r\n", "a.csv is empty"),
        (b"\n <!DOCTYPE html><html><body>login", "a.csv is a web page"),
        (b"PK\x03\x04xxxxxxxx", r"a.csv is a zip or Excel \(.xlsx\) file"),
        (b"%PDF-1.7", "a.csv is a PDF"),
        (b"Ma,Ten,Ma\n1,2,3\n", "the header of a.csv has 'Ma' more than once"),
        (b"Ma,Ten\n1,a\n2,b,c\n", "a.csv line 3: expected 2 columns, got 3"),
        (b'Ma,Ten\n1,"a\nb"\n2\n', "a.csv line 4: expected 2 columns, got 1"),
        (b'Ma,Ten\n1,a\n2,"b\n3,c\n', r"a.csv line 3: .*quotation mark is missing"),
        (b'Ma,Ten\n1,"a"b\n', r"a.csv line 2: .*quotation mark"),
        (b'Ma,"Ten\n1,a\n', r"a.csv line 1: .*quotation mark"),
    ],
)
def test_broken_files(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "a.csv").write_bytes(data)
    with pytest.raises(UnreadableSource, match=message):
        read(make_contract(["Ma", "Ten"], kind="csv", path="*.csv"), tmp_path)


def test_header_only(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Ma,Ten\n")
    contract = make_contract(["Ma", "Ten"], kind="csv", path="*.csv")
    extraction, rows = read(contract, tmp_path)
    assert (extraction.source_rows, rows) == (0, [])
    with open_source(contract, tmp_path.as_uri()) as reader:
        assert reader.is_empty()
        with pytest.raises(EmptySource, match=r"\*\.csv holds no row at all"):
            check_source_rows(contract, reader)
    (tmp_path / "b.csv").write_text("Ma,Ten\n1,a\n\n2,b")
    with open_source(contract, tmp_path.as_uri()) as reader:
        assert [reader.holds_at_least(n) for n in (0, 1, 2, 3)] == [True, True, True, False]


def test_missing_columns_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Ma,Ten\n1,a\n")
    (tmp_path / "b.csv").write_text("Ma,Ho ten\n1,a\n")
    with pytest.raises(SourceDrift, match="b.csv lacks the column Ten; its header is: Ma, Ho ten"):
        read(make_contract(["Ma", "Ten"], kind="csv", path="*.csv"), tmp_path)


def test_file_without_header_shows_nobody(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,Nguyễn Văn A,045201000001\n")
    with pytest.raises(SourceDrift, match=r"row 1 of a.csv \(3 cells\) holds none of the contract's column") as caught:
        read(make_contract(["Ma", "Ten"], kind="csv", path="*.csv"), tmp_path)
    assert "Nguyễn" not in str(caught.value)
    assert "source.delimiter" in caught.value.next_step


def test_no_file_and_no_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match=r"no file matches '\*\.csv'"):
        read(schools(), tmp_path)
    with pytest.raises(SourceUnavailable, match="the folder of system one_stop is not there") as caught:
        read(schools(), tmp_path / "gone")
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("path", ["../secret.csv", "/etc/passwd", "a/../../x.csv", "..\\x.csv"])
def test_path_cannot_leave_the_folder(tmp_path: Path, path: str) -> None:
    with pytest.raises(ContractError, match="leaves the folder"):
        read(schools(path=path), tmp_path)


def test_link_cannot_leave_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text(SCHOOLS)
    inside = tmp_path / "drop"
    inside.mkdir()
    (inside / "a.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(UnreadableSource, match="a.csv is a link that leads out of the source folder"):
        read(schools(), inside)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "b.csv").write_text(SCHOOLS)
    (inside / "a.csv").unlink()
    (inside / "deep").symlink_to(tmp_path / "outside")
    with pytest.raises(UnreadableSource, match="deep/b.csv is a link"):
        read(schools(path="deep/*.csv"), inside)


def test_file_that_grows_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(SCHOOLS)
    with open_source(schools(), tmp_path.as_uri()) as reader:
        extraction = reader.extract(Window("full"))
        with path.open("a") as stream:
            stream.write("45003,x,1\n")
        with pytest.raises(SourceUnavailable, match="a.csv was changed while it was read"):
            list(extraction.batches)


def test_file_that_is_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(SCHOOLS)
    with open_source(schools(), tmp_path.as_uri()) as reader:
        reader.describe()
        path.unlink()
        with pytest.raises(SourceUnavailable, match="a.csv cannot be read: No such file"):
            reader.extract(Window("full"))


def test_an_increment_is_the_whole_file_and_a_month_cannot_be_had(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(SCHOOLS)
    assert len(read(schools(), tmp_path, Window("increment", low="2024-01-01T00:00:00"))[1]) == 2
    with pytest.raises(ContractError, match="read whole, not month by month"):
        read(schools(), tmp_path, Window("period", "2024-01-01T00:00:00", "2024-02-01T00:00:00"))


def test_delimiter_of_two_characters(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(SCHOOLS)
    with pytest.raises(ContractError, match="is not one character"):
        read(schools(delimiter="||"), tmp_path)


def test_many_rows_come_in_bounded_batches(tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("w") as stream:
        stream.write("Ma,Ten\n")
        for number in range(300_000):
            stream.write(f'{number},"Trường THCS số {number}\nxã Hướng Hóa"\n')
    contract = make_contract(["Ma", "Ten"], kind="csv", path="a.csv")
    with open_source(contract, tmp_path.as_uri()) as reader:
        extraction = reader.extract(Window("full"))
        sizes = [(batch.num_rows, batch.nbytes) for batch in extraction.batches]
    assert extraction.source_rows == sum(rows for rows, _ in sizes) == 300_000
    assert max(size for _, size in sizes) < 8 * 1024 * 1024
