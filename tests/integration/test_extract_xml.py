"""XML files as a source: the business register as it is exported, and files that mean harm."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pyarrow as pa
import pytest

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import ContractError, DxError, SourceDrift, SourceUnavailable, UnreadableSource
from dx_pipeline.extract import xml_records
from dx_pipeline.extract.completeness import check_complete
from dx_pipeline.extract.drift import check_drift
from dx_pipeline.extract.source import Extraction, open_source
from dx_pipeline.extract.window import Window
from tests.extract_contracts import make_contract

REGISTER = """<?xml version="1.0" encoding="{encoding}"?>
<dk:DanhSach xmlns:dk="urn:dkkd" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <dk:KyBaoCao>2024-06</dk:KyBaoCao>
  <dk:DoanhNghiep ma_so="3200000001" dk:loai="TNHH">
    <dk:TenDN>Công ty &amp; Hội <![CDATA[<Huế>]]></dk:TenDN>
    <dk:DiaChi><dk:MaXa>19330</dk:MaXa><dk:ChiTiet>
      Số 1 </dk:ChiTiet></dk:DiaChi>
    <dk:VonDieuLe>1000000000</dk:VonDieuLe>
    <dk:Nganh>4711</dk:Nganh><dk:Nganh>4719</dk:Nganh>
  </dk:DoanhNghiep>
  <!-- một ghi chú -->
  <dk:DoanhNghiep ma_so="3200000002">
    <dk:TenDN/>
    <dk:DiaChi xsi:nil="true"/>
    <dk:VonDieuLe xsi:nil="true"></dk:VonDieuLe>
  </dk:DoanhNghiep>
</dk:DanhSach>
"""
COLUMNS = ["@ma_so", "@loai", "TenDN", "DiaChi.MaXa", "DiaChi.ChiTiet", "VonDieuLe", "Nganh"]
FIRST = ("3200000001", "TNHH", "Công ty & Hội <Huế>", "19330", "\n      Số 1 ", "1000000000", '["4711", "4719"]')


def register(columns: list[str] = COLUMNS, **more: object) -> Contract:
    return make_contract(columns, kind="xml", **{"path": "*.xml", "record": "DoanhNghiep", **more})  # type: ignore[arg-type]


def read(contract: Contract, folder: Path) -> tuple[Extraction, list[tuple[str | None, ...]]]:
    with open_source(contract, folder.as_uri()) as reader:
        extraction = reader.extract(Window("full"))
        table = pa.Table.from_batches(list(extraction.batches), schema=extraction.schema)
    check_complete(contract, extraction.source_rows, table.num_rows)
    return extraction, [tuple(row.values()) for row in table.to_pylist()]


def refused(folder: Path, body: bytes, words: str, kind: type[DxError] = UnreadableSource) -> None:
    (folder / "a.xml").write_bytes(body)
    started = time.monotonic()
    with pytest.raises(kind, match=words) as caught:
        read(register(), folder)
    assert caught.value.next_step
    assert "one_stop.ho_so: a.xml" in caught.value.what
    assert time.monotonic() - started < 10


def test_register_with_attributes_nesting_and_namespaces(tmp_path: Path) -> None:
    body = REGISTER.format(encoding="UTF-8").encode()
    (tmp_path / "a.xml").write_bytes(body)
    extraction, rows = read(register(), tmp_path)
    assert rows == [FIRST, ("3200000002", None, "", None, None, None, None)]
    assert extraction.position["files"][0]["sha256"] == hashlib.sha256(body).hexdigest()
    assert extraction.position["files"][0]["rows"] == 2
    with open_source(register(["@ma_so", "TenDN"]), tmp_path.as_uri()) as reader:
        assert check_drift(register(["@ma_so", "Ten"]), reader.describe()).missing == ("Ten",)
        assert set(check_drift(register(["@ma_so", "TenDN"]), reader.describe()).added) == {
            "@loai", "DiaChi", "DiaChi.MaXa", "DiaChi.ChiTiet", "VonDieuLe", "Nganh",
        }  # fmt: skip
        assert reader.holds_at_least(2)
        assert not reader.holds_at_least(3)


@pytest.mark.parametrize(
    ("declared", "codec"),
    [("UTF-8", "utf-8-sig"), ("UTF-16", "utf-16"), ("UTF-16LE", "utf-16-le"), ("utf-16", "utf-16-be")],
)
def test_unicode_encodings(tmp_path: Path, declared: str, codec: str) -> None:
    mark = "\ufeff" if codec in ("utf-16-be", "utf-16-le") else ""
    (tmp_path / "a.xml").write_bytes((mark + REGISTER.format(encoding=declared)).encode(codec))
    assert read(register(), tmp_path)[1][0] == FIRST


def test_windows_1258(tmp_path: Path) -> None:
    """Vietnamese Windows: base letter and combining tone mark are two bytes; they arrive decomposed."""
    record = b"<DoanhNghiep ten='Qua\xd2ng Tri\xf2'><Ten>Hu\xea\xec</Ten></DoanhNghiep>"
    (tmp_path / "a.xml").write_bytes(b'<?xml version="1.0" encoding="windows-1258"?>\n<x>' + record + b"</x>")
    assert read(register(["@ten", "Ten"]), tmp_path)[1] == [("Qua\u0309ng Tri\u0323", "Huê\u0301")]


def test_several_files_values_that_mean_nothing_and_own_text(tmp_path: Path) -> None:
    (tmp_path / "b.xml").write_text("<r><DoanhNghiep>2</DoanhNghiep></r>")
    (tmp_path / "a.xml").write_text("<DoanhNghiep>N/A</DoanhNghiep>")
    extraction, rows = read(register(["#text"], null_values=("N/A",)), tmp_path)
    assert rows == [(None,), ("2",)]
    assert [file["name"] for file in extraction.position["files"]] == ["a.xml", "b.xml"]


def test_no_record(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<DanhSach/>")
    assert read(register(), tmp_path)[1] == []
    with open_source(register(), tmp_path.as_uri()) as reader:
        assert reader.is_empty()
        assert check_drift(register(), reader.describe()).is_none
    refused(
        tmp_path, b"<DanhSach><Doanh_Nghiep/><GhiChu/></DanhSach>", "no element DoanhNghiep; it has: DanhSach, Doanh_Nghiep",
        SourceDrift,
    )  # fmt: skip
    (tmp_path / "a.xml").unlink()
    with pytest.raises(SourceUnavailable, match="no file matches"):
        read(register(), tmp_path)


def test_malformed_names_the_line_and_nothing_is_landed(tmp_path: Path) -> None:
    good = "<DoanhNghiep><TenDN>x</TenDN></DoanhNghiep>\n"
    for tail, words in (
        ("</r", "a.xml cannot be read as XML: line 5002: unclosed token"),
        ("<b></r>", "line 5002: mismatched tag"),
        ("&quotes;</r>", "line 5002: undefined entity"),
        ('<a x="1" x="2"/></r>', "line 5002: duplicate attribute"),
        ("\x01</r>", "line 5002: not well-formed"),
        ("</r><r/>", "line 5002: junk after document element"),
        ("&#0;</r>", "line 5002: reference to invalid character number"),
    ):
        refused(tmp_path, ("<r>\n" + good * 5000 + tail).encode(), words)
    refused(tmp_path, "<r><DoanhNghiep TenDN='Huế'/></r>".encode("utf-16-le")[1:], "line 1: syntax error")
    refused(tmp_path, '<?xml version="1.0" encoding="UTF-8"?><r>Qu¶ng</r>'.encode("latin-1"), "line 1: not well-formed")
    refused(tmp_path, b'<?xml version="1.0" encoding="x-tcvn"?><r/>', "line 1: .*encoding")
    refused(tmp_path, b'<?xml version="1.0" encoding="big5"?><r/>', "line 1: .*encoding")


BOMBS = [
    '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><r><DoanhNghiep>&b;</DoanhNghiep></r>',
    '<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><r><DoanhNghiep>&a;</DoanhNghiep></r>',
    '<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd"><r/>',
    '<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p;]><r/>',
    '<!DOCTYPE r [<!ATTLIST DoanhNghiep ma_so CDATA "gia">]><r><DoanhNghiep/></r>',
    "<!DOCTYPE html><html/>",
]


@pytest.mark.parametrize("body", BOMBS)
def test_dtd_and_entities_are_refused(tmp_path: Path, body: str) -> None:
    refused(tmp_path, ('<?xml version="1.0"?>\n' + body).encode(), r"line 2: it has a DTD \(<!DOCTYPE ...>\)|web page")


def test_depth_size_and_names_are_capped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(tmp_path, b"<a>" * 200_000, "line 1: more than 64 elements are inside one another")
    refused(tmp_path, b"<r><DoanhNghiep>" + b"x" * 9_000_000, "a record holds more than the 8 Mi characters")
    refused(tmp_path, b"<r><DoanhNghiep a='" + b"x" * 9_000_000 + b"'/></r>", "a record holds more than the 8 Mi")
    refused(tmp_path, b"<r><DoanhNghiep>" + b"<a/>" * 5_000_000, "a record holds more than the 8 Mi characters")
    monkeypatch.setattr(xml_records, "LARGEST_TOKEN", 2**20)
    refused(tmp_path, b"<r><!--" + b"x" * 3_000_000 + b"--></r>", "one tag or comment is larger than 1 MiB")
    names = b"".join(b"<n%d/>" % n for n in range(6_000))
    refused(tmp_path, b"<r><DoanhNghiep>" + names + b"</DoanhNghiep></r>", "more than 5000 different names")


def test_other_files_are_told_by_what_they_are(tmp_path: Path) -> None:
    for body, words in (
        (b"", "a.xml is empty, not an XML file"),
        (b"<html><body>login", "a.xml is a web page"),
        (b"PK\x03\x04", "a zip or Excel"),
        (b"MaDN,Ten\n1,x\n", "line 1: syntax error|not well-formed"),
    ):
        refused(tmp_path, body, words)
    with pytest.raises(ContractError, match="read whole, not month by month"):
        (tmp_path / "a.xml").write_text("<DoanhNghiep/>")
        with open_source(register(), tmp_path.as_uri()) as reader:
            reader.extract(Window("period", "2024-01-01T00:00:00", "2024-02-01T00:00:00"))


def test_a_file_that_changes_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text("<r>" + "<DoanhNghiep ma_so='1'/>" * 10 + "</r>")
    with open_source(register(), tmp_path.as_uri()) as reader:
        extraction = reader.extract(Window("full"))
        os.utime(path, ns=(1, 1))
        with pytest.raises(SourceUnavailable, match="a.xml was changed while it was read"):
            list(extraction.batches)


def test_batches_are_bounded(tmp_path: Path) -> None:
    with (tmp_path / "a.xml").open("w", encoding="utf-8") as stream:
        stream.write("<r>")
        for number in range(30_000):
            stream.write(f"<DoanhNghiep ma_so='{number}'><TenDN>Công ty {number}</TenDN></DoanhNghiep>\n")
        stream.write("</r>")
    with open_source(register(["@ma_so", "TenDN"]), tmp_path.as_uri()) as reader:
        sizes = [batch.num_rows for batch in reader.extract(Window("full")).batches]
    assert sum(sizes) == 30_000
    assert max(sizes) == 8_192
