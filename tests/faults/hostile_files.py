"""Files that mean no good: sound ones with wrong bytes by a seeded hand, and some built to hurt."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.parquet as pq

from tests.dbf_files import HOUSEHOLDS, dbf_bytes, household
from tests.workbooks import write_xls, write_xlsx

KINDS = ("csv", "utf16", "dbf", "xlsx", "parts", "xls", "xml", "json", "ndjson", "json16", "parquet", "footer")
CSV = "Ma;Ten;So\n" + "".join(f'{n};"Hướng Hóa; {n}";1.234,{n}\n' for n in range(300))
RECORDS = [{"Ma": n, "Ten": f"Hướng Hóa; {n}", "So": n / 8, "noi": {"xa": ["19330", None, "é"]}} for n in range(300)]
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


@dataclass(frozen=True)
class HostileFile:
    """A file to write, the kind of source it is given as, and how it was made."""

    name: str
    kind: str
    data: bytes


def sound_files(folder: Path) -> dict[str, bytes]:
    """One sound file of each kind that is mutated."""
    records = [household(b"%d" % n, b"Qu\xb6ng Tr\xde") for n in range(300)]
    return {
        "csv": CSV.encode("utf-8-sig"),
        "utf16": CSV.encode("utf-16"),
        "dbf": dbf_bytes(HOUSEHOLDS, records, deleted=[3, 5]),
        "xlsx": write_xlsx(folder / "sound.xlsx").read_bytes(),
        "xls": write_xls(folder / "sound.xls").read_bytes(),
        "xml": xml_bytes(),
        "json": json.dumps({"ky": "2024-06", "kem": [1, [2]], "du_lieu": RECORDS}, ensure_ascii=False).encode(
            "utf-8-sig"
        ),
        "ndjson": "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in RECORDS).encode(),
        "json16": json.dumps(RECORDS, ensure_ascii=False, indent=1).encode("utf-16"),
        "parquet": parquet_bytes(),
    }


def xml_bytes() -> bytes:
    """The records as XML with the usual first line."""
    rows = "".join(
        f'<r ma="{record["Ma"]}"><Ten>{escape(str(record["Ten"]))}</Ten><So>{record["So"]}</So></r>'
        for record in RECORDS
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<ds>{rows}</ds>'.encode()


def parquet_bytes(**options: Any) -> bytes:
    """The records as Parquet: three row groups, plain and nested columns, no checksum that would find every change."""
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(RECORDS), file, **{"row_group_size": 100, "compression": "snappy", **options})
    return file.getvalue()


def mutated_files(folder: Path, count: int, seed: int) -> Iterator[HostileFile]:
    """``count`` files, the kinds in turn; the same for the same seed."""
    chance = random.Random(seed)
    sound = sound_files(folder)
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        if kind == "parts":
            data, told = _with_mutated_part(sound["xlsx"], chance)
        elif kind == "footer":
            data, told = _with_mutated_footer(sound["parquet"], chance)
        else:
            data, told = _mutated(sound[kind], chance)
        given_as = {"parts": "xlsx", "footer": "parquet"}.get(kind, kind)
        yield HostileFile(f"{number:04}-{kind}-{told}", given_as, data)


def _mutated(data: bytes, chance: random.Random) -> tuple[bytes, str]:
    mutation = chance.choice((_flip, _flip_head, _cut, _repeat, _blank, _huge_number, _insert_nuls))
    return mutation(data, chance), mutation.__name__.strip("_")


def _flip(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 3, 30))):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _flip_head(data: bytes, chance: random.Random) -> bytes:
    head = min(len(data), 600)
    return _flip(data[:head], chance) + data[head:]


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def _repeat(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    return data[:start] + data[start : start + 700] * 5 + data[start:]


def _blank(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    length = chance.randrange(1, 600)
    return data[:start] + bytes([chance.choice((0, 0xFF))]) * length + data[start + length :]


def _huge_number(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(min(len(data), 2000) // 2) * 2
    return (
        data[:start]
        + chance.choice((b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80"))
        + data[start + 4 :]
    )


def _insert_nuls(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    return data[:start] + bytes(chance.randrange(1, 9)) + data[start:]


def _with_mutated_part(book: bytes, chance: random.Random) -> tuple[bytes, str]:
    """A zip file in order, with one broken part: what mutations of the compressed bytes rarely reach."""
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    victim = chance.choice([name for name in parts if name.startswith("xl/") and "theme" not in name])
    parts[victim], told = _mutated(parts[victim], chance)
    return zipped(parts), f"{told}-{Path(victim).name}"


def _with_mutated_footer(file: bytes, chance: random.Random) -> tuple[bytes, str]:
    """A Parquet file whose table of contents is wrong, and found all the same."""
    start = len(file) - 8 - int.from_bytes(file[-8:-4], "little")
    footer, told = _mutated(file[start:-8], chance)
    return file[:start] + footer + struct.pack("<I", len(footer)) + b"PAR1", f"{told}-footer"


def _unfolding_parquet(text_bytes: int, rows: int) -> bytes:
    """One text, written once and meant thousands of times."""
    column = pa.DictionaryArray.from_arrays(pa.array(bytes(rows), pa.int8()), ["x" * text_bytes])
    file = io.BytesIO()
    pq.write_table(pa.table({"Ma": column, "Ten": column, "So": column}), file)
    return file.getvalue()


def _deep_parquet(levels: int) -> bytes:
    values: Any = 1
    for _ in range(levels):
        values = [values]
    file = io.BytesIO()
    pq.write_table(pa.table({"Ma": ["1"], "Ten": [values], "So": ["2"]}), file)
    return file.getvalue()


def zipped(parts: dict[str, bytes]) -> bytes:
    """A compressed zip file of these parts."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return file.getvalue()


def _book_of(folder: Path, sheet_xml: bytes, other: dict[str, bytes] | None = None) -> bytes:
    with zipfile.ZipFile(io.BytesIO(sound_files(folder)["xlsx"])) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    return zipped({**parts, "xl/worksheets/sheet1.xml": sheet_xml, **(other or {})})


def _sheet(cells: str, before: str = "") -> bytes:
    return f"{before}<worksheet {_MAIN}><sheetData>{cells}</sheetData></worksheet>".encode()


def _cell(place: str) -> str:
    return f'<c r="{place}"><v>1</v></c>'


def _lying_bomb(folder: Path) -> bytes:
    """A sheet of 1.5 GiB that its zip file says to be of 1000 bytes."""
    real = 1536 * 1024 * 1024
    file = io.BytesIO()
    source = zipfile.ZipFile(io.BytesIO(sound_files(folder)["xlsx"]))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in source.namelist():
            if not name.endswith("sheet1.xml"):
                archive.writestr(name, source.read(name))
        with archive.open("xl/worksheets/sheet1.xml", "w") as part:
            part.write(_sheet("")[: -len("</sheetData></worksheet>")])
            row = b"<row>" + b'<c t="inlineStr"><is><t>aaaaaaaaaaaaaaaaaaaa</t></is></c>' * 16 + b"</row>"
            block = row * 4000
            for _ in range(real // len(block)):
                part.write(block)
            part.write(b"</sheetData></worksheet>")
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    return file.getvalue().replace(struct.pack("<I", size), struct.pack("<I", 1000))


def _far_cell_of_xls(folder: Path) -> bytes:
    """Row and column of cells that Excel 97 cannot have: what the library would keep is 65536 times 65536 cells."""
    book = sound_files(folder)["xls"]
    places = [n for n in range(len(book)) if book.startswith(b"\xfd\x00\x0a\x00", n)]  # LABELSST records
    changed = bytearray(book)
    struct.pack_into("<H", changed, places[-1] + 4, 0xFFFF)
    struct.pack_into("<H", changed, places[-2] + 6, 0xFFFF)
    return bytes(changed)


def _endless_chain_of_xls(folder: Path) -> bytes:
    book = bytearray(sound_files(folder)["xls"])
    (table,) = struct.unpack_from("<I", book, 0x4C)
    for number in range(20):
        struct.pack_into("<I", book, (table + 1) * 512 + number * 4, 0)
    return bytes(book)


LAUGHS = "<!DOCTYPE x [" + '<!ENTITY a0 "ha">' + "".join(
    f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)
) + "]>"  # fmt: skip

# What is built to hurt, and what the refusal (or "rows", if it may be read) must say.
BUILT: dict[str, tuple[str, Callable[[Path], bytes], str]] = {
    "csv-million-columns": ("csv", lambda _: (";".join(f"c{n}" for n in range(10**6)) + "\n").encode(), "has 1000000 columns"),
    "csv-million-same-columns": ("csv", lambda _: b"Ma;Ten;So" + b";x" * 10**4, "has 'x' more than once"),
    "csv-one-quote": ("csv", lambda _: b'Ma;Ten;So\n1;"' + b"a;b\n" * 10**6, "quotation mark"),
    "csv-nuls": ("csv", lambda _: b"Ma;Ten;So\n" + bytes(10**6), "csv"),
    "csv-only-nuls": ("csv", lambda _: bytes(10**6), "empty"),
    "dbf-count": ("dbf", lambda _: dbf_bytes(HOUSEHOLDS, [household(b"1", b"a")], count=0xFFFFFFFF), "declares 4294967295"),
    "dbf-wide-record": ("dbf", lambda _: dbf_bytes(HOUSEHOLDS, [], record_bytes=65535), "a record is said to have 65535"),
    "dbf-2000-fields": ("dbf", lambda _: dbf_bytes([(f"F{n}", "C", 1, 0) for n in range(2000)], []), "none of the contract"),
    "dbf-no-fields": ("dbf", lambda _: dbf_bytes([], []), "it has no field"),
    "dbf-empty-fields": ("dbf", lambda _: dbf_bytes([("MAHO", "C", 0, 0), ("HOTENCH", "C", 0, 0)], [[b"", b""]] * 9), "9 rows"),
    "xlsx-honest-bomb": (
        "xlsx",
        lambda folder: _book_of(folder, _sheet(""), {"xl/media/big.xml": bytes(600 * 1024 * 1024)}),
        "more than the 512 MiB that are read",
    ),
    "xlsx-lying-bomb": ("xlsx", _lying_bomb, "larger than its declared uncompressed size"),
    "xlsx-far-cell": (
        "xlsx",
        lambda folder: _book_of(folder, _sheet(f'<row r="1">{_cell("A1")}</row><row r="1048576">{_cell("XFD1048576")}</row>')),
        "cannot be unpacked",
    ),
    "xlsx-million-columns": (
        "xlsx",
        lambda folder: _book_of(folder, _sheet(f'<row r="1">{_cell("A1")}{_cell("ZZZZ1")}</row>')),
        "more than Excel can write",
    ),
    "xlsx-million-merges": (
        "xlsx",
        lambda folder: _book_of(
            folder,
            _sheet(f'<row r="3">{_cell("A3")}{_cell("P3")}</row>').removesuffix(b"</worksheet>") + b"<mergeCells>"
            + b'<mergeCell ref="A3:XFD1048576"/>' * 10**5
            + b"</mergeCells></worksheet>",
        ),
        "none of the contract",
    ),
    "xlsx-billion-laughs": (
        "xlsx",
        lambda folder: _book_of(folder, _sheet('<row r="1"><c r="A1" t="inlineStr"><is><t>&a9;</t></is></c></row>', LAUGHS)),
        "unrecognized entity",
    ),
    "xlsx-long-text-often": (
        "xlsx",
        lambda folder: _book_of(
            folder,
            _sheet("<row>" + '<c t="s"><v>0</v></c>' * 100_000 + "</row>"),
            {"xl/sharedStrings.xml": f"<sst {_MAIN}><si><t>{'x' * 10**6}</t></si></sst>".encode()},
        ),
        "cannot be unpacked",
    ),
    "xml-billion-laughs": ("xml", lambda _: f"{LAUGHS}<ds><r ma='1'><Ten>&a9;</Ten></r></ds>".encode(), "it has a DTD"),
    "xml-deep": ("xml", lambda _: b"<ds>" + b"<r>" * 10**6, "inside one another"),
    "xml-long-text": ("xml", lambda _: b"<ds><r ma='1'><Ten>" + b"a" * 10**8 + b"</Ten></r></ds>", "a record holds more than"),
    "xml-long-texts-often": (
        "xml",
        lambda _: b"<ds>" + (b"<r ma='1'><So>1</So><Ten>" + b"a" * 10**6 + b"</Ten></r>") * 300 + b"</ds>",
        "300 rows",
    ),
    "json-deep": ("json16", lambda _: b'[{"Ma":' + b"[" * 10**6, "nested too deep"),
    "json-deep-closed": ("json16", lambda _: b'[{"Ma":' + b"[" * 10**5 + b"]" * 10**5 + b"}]", "nested too deep"),
    "json-long-text": ("json16", lambda _: b'[{"Ma":"' + b"a" * 10**8 + b'"}]', "a record holds more than"),
    "json-long-texts-often": (
        "json16",
        lambda _: b"[" + b",".join([b'{"Ma":"' + b"a" * 10**6 + b'","Ten":1,"So":2,"noi":3}'] * 300) + b"]",
        "300 rows",
    ),
    "json-many-empty-lists": ("json16", lambda _: b'[{"Ma":[' + b"[]," * 10**6 + b'[]],"Ten":1,"So":2}]', "1 rows"),
    "json-no-end-of-numbers": ("json16", lambda _: b'[{"Ma":' + b"9" * 10**7 + b"}]", "a record holds more than"),
    "json-long-number": ("json16", lambda _: b'[{"Ma":' + b"9" * 10**6 + b',"Ten":1,"So":2}]', "1 rows"),
    "json-million-names": (
        "json16",
        lambda _: ("[" + ",".join(f'{{"n{n}":1}}' for n in range(10**5)) + "]").encode(),
        "different names",
    ),
    "json-names-beside-the-list": (
        "json",
        lambda _: ("{" + ",".join(f'"n{n}":1' for n in range(10**5)) + ',"du_lieu":[]}').encode(),
        "an object has more than 5000 names",
    ),
    "json-endless-space": ("json16", lambda _: b"[" + b" " * 10**8, "cut off"),
    "json-same-name-twice": ("json16", lambda _: b'[{"Ma":1,"Ten":2,"So":3,"Ma":4}]', "same name twice"),
    "json-nan": ("json16", lambda _: b'[{"Ma":1,"Ten":2,"So":NaN}]', "NaN is not JSON"),
    "json-nuls": ("json16", lambda _: b'[{"Ma":1,' + bytes(10**6), "cannot be read as JSON"),
    "json-web-page": ("json16", lambda _: b"\n<!DOCTYPE html><html><body>502 Bad Gateway</body></html>", "is a web page"),
    "json-web-page-16": ("json16", lambda _: "<!DOCTYPE html><html>".encode("utf-16"), "begins with neither"),
    "json-list-of-numbers": ("json16", lambda _: b"[1,2,3]", "a record is a number, not an object"),
    "json-two-documents": ("json16", lambda _: b'[{"Ma":1,"Ten":2,"So":3}] []', "more after the end"),
    "ndjson-cut": ("ndjson", lambda _: b'{"Ma":1,"Ten":2,"So":3}\n{"Ma":1,"Te', "it was cut off"),
    "ndjson-on-one-line": ("ndjson", lambda _: b'{"Ma":1,"Ten":2,"So":3} ' * 9, "two records on one line"),
    "parquet-unfolding-texts": ("parquet", lambda _: _unfolding_parquet(4_000_000, 20_000), "unfolds to more than"),
    "parquet-long-text": ("parquet", lambda _: _unfolding_parquet(9_000_000, 3), "a text is longer than"),
    "parquet-no-end": ("parquet", lambda _: parquet_bytes()[:-9], "it was cut off"),
    "parquet-encrypted": ("parquet", lambda _: b"PARE" + parquet_bytes()[4:-4] + b"PARE", "it is encrypted"),
    "parquet-deep": ("parquet", lambda _: _deep_parquet(60), "too deeply nested"),
    "parquet-huge-footer": ("parquet", lambda _: parquet_bytes()[:-8] + b"\xff\xff\xff\x7fPAR1", "table of contents"),
    "parquet-wrong-checksum": (
        "parquet",
        lambda _: parquet_bytes(compression="none", write_page_checksum=True, use_dictionary=False).replace(
            "Hóa; 7".encode(), "Hóa; 8".encode(), 1
        ),
        "CRC",
    ),
    "xls-far-cells": ("xls", _far_cell_of_xls, "cannot be unpacked"),
    "xls-endless-chain": ("xls", _endless_chain_of_xls, "cannot be unpacked"),
}  # fmt: skip
