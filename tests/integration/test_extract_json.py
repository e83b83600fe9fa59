"""JSON files as a source: the three layouts, encodings, and what is refused with one message."""

from __future__ import annotations

import hashlib
import io
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import ContractError, DxError, SourceDrift, SourceUnavailable, UnreadableSource
from dx_pipeline.extract import json_records, json_source
from dx_pipeline.extract.completeness import check_complete
from dx_pipeline.extract.drift import check_drift, refuse_drift
from dx_pipeline.extract.json_records import RecordStream
from dx_pipeline.extract.source import Extraction, open_source
from dx_pipeline.extract.window import Window
from tests.extract_contracts import make_contract

Rows = list[tuple[str | None, ...]]
LIST = [
    {"id": 1, "tên": "Hướng Hóa", "noi": {"xa": "19330"}},
    {"id": 2, "noi": {"xa": None, "huyện": "465"}, "tên": ""},
]
COLUMNS = ["id", "tên", "noi.xa"]
WANTED: Rows = [("1", "Hướng Hóa", "19330"), ("2", "", None)]


def register(columns: list[str] = COLUMNS, **more: Any) -> Contract:
    return make_contract(columns, kind="json", **{"path": "*.json", **more})


def read(contract: Contract, folder: Path) -> tuple[Extraction, Rows]:
    with open_source(contract, folder.as_uri()) as reader:
        refuse_drift(contract, check_drift(contract, reader.describe()))
        extraction = reader.extract(Window("full"))
        table = pa.Table.from_batches(list(extraction.batches), schema=extraction.schema)
    check_complete(contract, extraction.source_rows, table.num_rows)
    return extraction, [tuple(row.values()) for row in table.to_pylist()]


def rows_of(folder: Path, body: bytes, **more: Any) -> Rows:
    (folder / "a.json").write_bytes(body)
    return read(register(**more), folder)[1]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("indent", [None, 2])
def test_a_list_in_every_unicode_encoding(tmp_path: Path, encoding: str, indent: int | None) -> None:
    text = json.dumps(LIST, ensure_ascii=False, indent=indent)
    assert rows_of(tmp_path, text.encode(encoding)) == WANTED


@pytest.mark.parametrize("path", ["du_lieu", "tra_loi.du.lieu", "tra_loi.du_lieu"])
def test_a_list_at_a_path(tmp_path: Path, path: str) -> None:
    """A name that holds the dot itself is a step as well."""
    first, _, rest = path.partition(".")
    inner = {rest: LIST} if rest else LIST
    document = {"ky": "2024-06", "kem": [[1], {"du_lieu": [7]}], first: inner, "so": 2}
    assert rows_of(tmp_path, json.dumps(document).encode(), records=path) == WANTED


@pytest.mark.parametrize("end", ["", "\n", "\r\n\r\n"])
def test_one_object_per_line(tmp_path: Path, end: str) -> None:
    text = "\r\n".join(json.dumps(record, ensure_ascii=False) for record in LIST) + end
    assert rows_of(tmp_path, text.encode()) == WANTED


def test_a_single_object_is_one_row(tmp_path: Path) -> None:
    assert rows_of(tmp_path, json.dumps(LIST[0]).encode()) == WANTED[:1]


def test_a_declared_encoding_that_is_not_unicode(tmp_path: Path) -> None:
    body = '[{"id": 1, "ten": "Đông Hà"}]'.encode("cp1258")
    assert rows_of(tmp_path, body, columns=["id", "ten"], encoding="cp1258") == [("1", "Đông Hà")]
    with pytest.raises(UnreadableSource, match=r"is not UTF-8: line 1, byte 19 \(d0 f4 6e 67\)") as caught:
        rows_of(tmp_path, body, columns=["id", "ten"])
    assert "set source.encoding: cp" in caught.value.next_step


def test_numbers_keep_their_text_and_structures_are_json(tmp_path: Path) -> None:
    body = b'[{"id": 12345678901234567890, "x": 1.10}, {"id": 1e5, "x": {"a": [1.0, null, "\\u0111"]}}, {"id": -0, "x": true}]'
    assert rows_of(tmp_path, body, columns=["id", "x"]) == [
        ("12345678901234567890", "1.10"),
        ("1e5", '{"a":[1.0,null,"đ"]}'),
        ("-0", "true"),
    ]


def test_nested_refuse_names_the_column(tmp_path: Path) -> None:
    body = json.dumps([{"id": 1, "tep": ["a"]}]).encode()
    assert rows_of(tmp_path, body, columns=["id", "tep"]) == [("1", '["a"]')]
    with pytest.raises(UnreadableSource, match="tep in a.json holds a list, which source.nested: refuse"):
        rows_of(tmp_path, body, columns=["id", "tep"], nested="refuse")


def test_names_in_other_letters_are_the_same_names(tmp_path: Path) -> None:
    """A name with letters and marks apart is the contract's; both in one object are one name twice."""
    apart, whole = "te\u0302n", "tên"
    assert rows_of(tmp_path, json.dumps([{apart: "a"}], ensure_ascii=False).encode(), columns=[whole]) == [("a",)]
    with pytest.raises(UnreadableSource, match="same name twice"):
        rows_of(tmp_path, json.dumps([{apart: "a", whole: "b"}], ensure_ascii=False).encode(), columns=[whole])


def test_null_values_and_several_files(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"id": "1", "x": "N/A"}]')
    (tmp_path / "b.json").write_text('{"id": "2", "x": "y", "z": 1}\n')
    extraction, rows = read(register(["id", "x"], null_values=("N/A",)), tmp_path)
    assert rows == [("1", None), ("2", "y")]
    assert [(file["name"], file["rows"]) for file in extraction.position["files"]] == [("a.json", 1), ("b.json", 1)]
    assert extraction.position["files"][1]["sha256"] == hashlib.sha256((tmp_path / "b.json").read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'[{"id": NaN}]', "line 1, column 2: NaN is not JSON"),
        (b'[{"id": Infinity}]', "Infinity is not JSON"),
        (b'[{"id": 1,\n"id": 2}]', "line 1, column 2: an object has the same name twice"),
        (b'{"a": [{"id": 1}], "a": [{"id": 1}]}', "line 1, column 23: an object has the same name twice"),
        (b'[{"id": 1},\n {"id": "bi c', "line 2, column 9: the file ends in the middle of a value: it was cut off"),
        (b'[{"id": 1}', "the file ends in the middle: it was cut off"),
        (b'[{"id": 1},', "cut off"),
        (b'[{"id": 1, ', "cut off"),
        (b'[{"id":\n', "cut off"),
        (b'[{"id": 1},]', "line 1, column 12: Expecting value"),
        (b'[{"id": 1} {"id": 2}]', "line 1, column 12: , is expected"),
        (b'[{"id": "a\x00b"}]', "line 1, column 11: Invalid control character"),
        (b"[" * 100_000, "nested too deep"),
        (b'[{"id": ' + b"[" * 5_000 + b"]" * 5_000 + b"}]", "nested too deep"),
        (b'[{"id": "\\ud83d"}]', "a text of id is broken Unicode"),
        (b'[{"id": 1}, null]', "line 1, column 17: a record is null, not an object"),
        (b'[["id"], [1]]', "a record is a list, not an object"),
        (b'"id"', r"begins with neither \[ nor \{"),
        (b'{"id": 1} {"id": 2}', "two records on one line"),
        (b'[{"id": 1}] tail', "there is more after the end of the document"),
        (b'{"id": "\xff"}', "is not UTF-8: line 1, byte 8"),
        (b"<!DOCTYPE html><p>502", "is a web page"),
        (b"PK\x03\x04", "Excel"),
        (b" \n ", "is empty"),
    ],
)
def test_refused_with_one_message_and_nothing_of_the_data(tmp_path: Path, body: bytes, words: str) -> None:
    with pytest.raises(UnreadableSource, match=words) as caught:
        rows_of(tmp_path, body, columns=["id"], records="a" if body.startswith(b'{"a"') else None)
    assert caught.value.what.startswith("one_stop.ho_so: a.json ")
    assert caught.value.next_step
    assert "bi c" not in caught.value.what


def test_the_list_is_not_where_the_contract_says(tmp_path: Path) -> None:
    body = json.dumps({"ky": "2024-06", "du_lieu": LIST}).encode()
    with pytest.raises(SourceDrift, match="a.json holds no list at data; it has: ky, du_lieu"):
        rows_of(tmp_path, body, records="data")
    with pytest.raises(UnreadableSource, match="ky is no list"):
        rows_of(tmp_path, body, records="ky")
    with pytest.raises(UnreadableSource, match="the document is no object, so it has no data"):
        rows_of(tmp_path, b"[]", records="data")
    with pytest.raises(SourceDrift, match="column id is missing"):
        rows_of(tmp_path, body)  # one row with the names of the document


def test_no_record_no_file_no_period(tmp_path: Path) -> None:
    assert rows_of(tmp_path, b"[]") == []
    with pytest.raises(SourceUnavailable, match="no file matches"):
        read(register(path="*.ndjson"), tmp_path)
    with open_source(register(), tmp_path.as_uri()) as reader, pytest.raises(ContractError, match="read whole"):
        reader.extract(Window("period"))


def test_wherever_the_pieces_of_the_file_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read in pieces of any size, a record is the same; so is the place of an error."""
    records = [{"id": number, "tên": 'Đông Hà \\ "x"', "noi": {"xa": 1.5}} for number in range(3)]
    body = json.dumps({"x": [True, {"y": -12}], "d": {"du_lieu": records}}, ensure_ascii=False, indent=1).encode()
    broken = body.replace(b"2,", b"2;")
    for size in range(1, 40):
        monkeypatch.setattr(json_records, "BLOCK_BYTES", size)
        found = list(RecordStream(io.BytesIO(body), "utf-8", "d.du_lieu").records())
        assert found == [{"id": str(n), "tên": 'Đông Hà \\ "x"', "noi": {"xa": "1.5"}} for n in range(3)]
        with pytest.raises(DxError, match=r"line \d+, column 12: Expecting ',' delimiter"):
            rows_of(tmp_path, broken, records="d.du_lieu")


def test_memory_does_not_grow_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_source, "BATCH_CHARACTERS", 1024 * 1024)
    peaks = []
    for count in (1_000, 20_000):
        with (tmp_path / "a.json").open("w") as file:
            file.write('{"d": [')
            file.writelines(f'{{"id": {number}, "x": "{"y" * 1000}"}},' for number in range(count))
            file.write('{"id": 0, "x": ""}]}')
        tracemalloc.start()
        with open_source(register(["id", "x"], records="d"), tmp_path.as_uri()) as reader:
            extraction = reader.extract(Window("full"))
            assert sum(batch.num_rows for batch in extraction.batches) == count + 1 == extraction.source_rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (tmp_path / "a.json").stat().st_size > 20_000_000
    assert peaks[1] < 2 * peaks[0] + 4_000_000, peaks
