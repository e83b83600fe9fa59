"""Error values of Excel sheets (``#N/A``, ``#DIV/0!``), which the reading library gives as blanks.

.xlsx: cells of type "e" in the sheet's XML. .xls: BOOLERR and FORMULA records of the BIFF8 stream ([MS-XLS] 2.4.24,
2.4.127) inside its compound file ([MS-CFB]). Whatever is not as the formats say ends the search: these cells stay blank.
"""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

ErrorCells = dict[int, dict[int, str]]

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_OFFICE = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_CELL = re.compile(rb"""<(?:\w+:)?c\b([^<>]{0,300}\bt=["']e["'][^<>]{0,300})>(.{0,20000}?)</(?:\w+:)?c>""", re.DOTALL)
_REFERENCE = re.compile(rb"""\br=["']([A-Z]{1,3})(\d{1,7})["']""")
_VALUE = re.compile(rb"<(?:\w+:)?v>(#[^<]{1,20})</")
_BLOCK_BYTES = 1024 * 1024
_LONGEST_CELL = 32 * 1024

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LAST_SECTOR = 0xFFFFFFFA
_FORMULA, _EOF, _BOUNDSHEET, _BOOLERR, _BOF = 0x0006, 0x000A, 0x0085, 0x0205, 0x0809
_BIFF_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}


def error_cells(path: str, sheet_names: list[str], sheet: str) -> ErrorCells:
    """Error texts of one sheet by row and column, both from 0.

    Args:
        sheet_names: all sheets in the workbook's order.
    """
    try:
        with Path(path).open("rb") as stream:
            if stream.read(len(_OLE)) == _OLE:
                return _in_biff(_OLE + stream.read(), sheet_names.index(sheet))
        with zipfile.ZipFile(path) as archive:
            return _in_xml(archive, sheet)
    except (struct.error, IndexError, KeyError, ElementTree.ParseError, zipfile.BadZipFile):
        return {}


def _in_xml(archive: zipfile.ZipFile, sheet: str) -> ErrorCells:
    found: ErrorCells = {}
    part = _sheet_part(archive, sheet)
    if part is None:
        return found
    with archive.open(part) as stream:
        rest = b""
        while block := stream.read(_BLOCK_BYTES):
            data = rest + block
            done = 0
            if b"#" in data:
                for match in _CELL.finditer(data):
                    done = match.end()
                    reference, value = _REFERENCE.search(match[1]), _VALUE.search(match[2])
                    if reference and value:
                        column = 0
                        for letter in reference[1]:
                            column = column * 26 + letter - 64
                        found.setdefault(int(reference[2]) - 1, {})[column - 1] = value[1].decode("utf-8", "replace")
            rest = data[max(done, len(data) - _LONGEST_CELL) :]
    return found


def _sheet_part(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """Name of the part that holds a sheet; None if the workbook does not tell it as Excel writes it."""
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    ids = {item.get("name"): item.get(f"{_OFFICE}id") for item in book.iter(f"{_MAIN}sheet")}
    targets = {item.get("Id"): item.get("Target") or "" for item in relations}
    target = targets.get(ids.get(sheet), "")
    part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    return part if part in archive.namelist() else None


def _in_biff(data: bytes, number: int) -> ErrorCells:
    """Error cells of the sheet of that number."""
    found: ErrorCells = {}
    book = _workbook_stream(data)
    starts = [struct.unpack_from("<I", body)[0] for kind, body in _records(book, 0) if kind == _BOUNDSHEET]
    for kind, body in _records(book, starts[number]):
        if kind == _BOOLERR:
            row, column, code, is_error = struct.unpack_from("<HH2xBB", body)
        elif kind == _FORMULA:
            row, column, marker, code, end = struct.unpack_from("<HH2xBxB3xH", body)
            is_error = marker == 2 and end == 0xFFFF
        else:
            continue
        if is_error:
            found.setdefault(row, {})[column] = _BIFF_ERRORS.get(code, f"#ERR{code}")
    return found


def _records(stream: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    """Records of one substream; a chart inside a sheet is a substream of its own and is passed over."""
    depth = 0
    while start + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, start)
        depth += (kind == _BOF) - (kind == _EOF)
        if depth == 1:
            yield kind, stream[start + 4 : start + 4 + size]
        if depth <= 0:
            return
        start += 4 + size


def _workbook_stream(data: bytes) -> bytes:
    """The stream "Workbook" of a compound file; Excel never keeps it in the file's small sectors."""
    (shift,) = struct.unpack_from("<H", data, 0x1E)
    size = 1 << min(shift, 16)
    (directory,) = struct.unpack_from("<I", data, 0x30)
    table_sectors = [*struct.unpack_from("<109I", data, 0x4C)]
    (more,) = struct.unpack_from("<I", data, 0x44)
    seen = set()
    while more < _LAST_SECTOR and more not in seen:
        seen.add(more)
        entries = struct.unpack_from(f"<{size // 4}I", data, (more + 1) * size)
        table_sectors += entries[:-1]
        more = entries[-1]
    table: list[int] = []
    for sector in table_sectors:
        if sector < _LAST_SECTOR:
            table += struct.unpack_from(f"<{size // 4}I", data, (sector + 1) * size)
    entries_data = _chain(data, table, directory, size)
    for start in range(0, len(entries_data) - 127, 128):
        (length,) = struct.unpack_from("<H", entries_data, start + 64)
        name = entries_data[start : start + max(length - 2, 0)].decode("utf-16-le", "replace")
        if name in ("Workbook", "Book"):
            first, bytes_held = struct.unpack_from("<II", entries_data, start + 116)
            return _chain(data, table, first, size)[:bytes_held]
    return b""


def _chain(data: bytes, table: list[int], sector: int, size: int) -> bytes:
    parts = []
    for _ in range(len(table)):  # a chain that bites its tail ends here
        if sector >= _LAST_SECTOR:
            break
        parts.append(data[(sector + 1) * size : (sector + 2) * size])
        sector = table[sector]
    return b"".join(parts)
