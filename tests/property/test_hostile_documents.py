"""Sixty hostile XML files and JSON answers: each is read or refused in one message, and none hangs."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa
import pytest

from dx_pipeline.contract.http_api import HttpApi, Paging
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import DxError
from dx_pipeline.extract import http_client
from dx_pipeline.extract.completeness import check_complete
from dx_pipeline.extract.source import open_source
from dx_pipeline.extract.window import Window
from tests.extract_contracts import make_contract
from tests.http_server import Reply, serving

SEED = 1982
LONGEST_SECONDS = 10.0
TEXTS = ["Hướng Hóa", "a&b<c>'\"", "", " ", "\u202eabc", "😀" * 50, "x" * 5000, "1.10", "null", "]]>", "\\u0000"]
NASTY = [
    b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\\ud800", b"<!DOCTYPE a [<!ENTITY a 'b'>]>", b"&a;", b"&#xD800;",
    b"<?xml version='1.0' encoding='utf-7'?>", b"]]>", b"<![CDATA[", b"{" * 3000, b"[" * 30_000, b"<a>" * 30_000, b"NaN",
    b"1e999999999", b"9" * 20_000, b'"data":', b"</r>", b"<!--", b"--", b'"\\u', b"\xef\xbb\xbf", b"<html>", b"}", b",",
    b" " * 100_000, b'{"data":{"data":{"data":[]}}}', b'"id":1,"id":2,', b"<DoanhNghiep/>", b"xmlns:a='b' ",
]  # fmt: skip


def hostile(good: Callable[[random.Random], bytes], seed: int) -> bytes:
    """A good document with one to four harms done to it."""
    chance = random.Random(seed)
    body = bytearray(good(chance))
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(body) + 1)
        harm = chance.randrange(6)
        if harm == 0:
            del body[at:]
        elif harm == 1:
            body[at:at] = chance.choice(NASTY)
        elif harm == 2:
            for _ in range(20):
                if body:
                    body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
        elif harm == 3:
            body[at:at] = body[: chance.randrange(len(body) + 1)]
        elif harm == 4:
            codec = chance.choice(["utf-16", "utf-32", "cp1258"])
            body = bytearray(bytes(body).decode("utf-8", "replace").encode(codec, "replace"))
        else:
            body[at : at + chance.randrange(50)] = b""
    return bytes(body)


def good_xml(chance: random.Random) -> bytes:
    def text() -> str:
        return chance.choice(TEXTS)

    records = "".join(
        f"<DoanhNghiep id={quoteattr(text())}><name>{escape(text())}</name><a><b>{number}</b></a></DoanhNghiep>"
        for number in range(chance.randint(0, 30))
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<r>{records}</r>'.encode()


def good_json(chance: random.Random) -> bytes:
    records = [
        {"id": chance.choice(TEXTS), "name": chance.choice([1.5, None, True, [1], {"x": 1}]), "a": {"b": number}}
        for number in range(chance.randint(0, 30))
    ]
    return json.dumps(
        {"data": records, "total": len(records), "next": chance.choice([None, "x", 7]), "error": {"code": 0}},
        ensure_ascii=chance.random() < 0.5,
    ).encode()


def outcome(contract: Contract, url: str) -> str:
    """``rows`` or the class of the one refusal; anything else fails the test."""
    started = time.monotonic()
    refusal: DxError | None = None
    try:
        with open_source(contract, url) as reader:
            reader.describe()
            reader.is_empty()
            extraction = reader.extract(Window("full"))
            table = pa.Table.from_batches(list(extraction.batches), schema=extraction.schema)
        table.validate(full=True)
        check_complete(contract, extraction.source_rows, table.num_rows)
    except DxError as error:
        refusal = error
    assert time.monotonic() - started < LONGEST_SECONDS
    if refusal is None:
        return "rows"
    assert refusal.what.startswith("one_stop.ho_so: ")
    assert refusal.next_step
    assert "\n" not in refusal.what
    assert len(refusal.what) < 1000
    return type(refusal).__name__


def test_xml(tmp_path: Path) -> None:
    contract = make_contract(["@id", "name", "a.b"], kind="xml", path="a.xml", record="DoanhNghiep")
    told = []
    for number in range(30):
        (tmp_path / "a.xml").write_bytes(hostile(good_xml, SEED + number))
        told.append(outcome(contract, tmp_path.as_uri()))
    assert {"rows", "UnreadableSource"} <= set(told)


@pytest.mark.parametrize("style", ["none", "page", "cursor"])
def test_json(style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "FIRST_WAIT", 0.001)
    paging = {
        "none": Paging(),
        "page": Paging("page", "page", "size", 10, most_pages=20),
        "cursor": Paging("cursor", "after", next="next", most_pages=20),
    }[style]
    api = HttpApi("data", paging, "total" if style != "cursor" else None, error_code="error.code")
    contract = make_contract(["id", "name", "a.b"], kind="http_json", path="/x", api=api)
    told = []
    for number in range(10 if style != "none" else 20):
        body = hostile(good_json, SEED + 1000 + number)
        with serving(lambda _, body=body: Reply(body)) as server:
            told.append(outcome(contract, server.url))
    assert "UnreadableSource" in told
