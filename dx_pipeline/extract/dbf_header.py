"""The header of a dBASE III/IV or FoxPro table: its fields, their places and its promises, checked.

Layout (Microsoft, "Table File Structure"): 32 bytes (version, date, record count, header and record length, language
driver), then 32 bytes per field up to a 0x0D, then fixed-width records that begin with a deletion flag.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

PREFIX_BYTES = 32
FIELD_BYTES = 32
FIELD_END = 0x0D
FILE_END = 0x1A
LIVE, DELETED = 0x20, 0x2A

# dBASE III/IV with and without memo, FoxPro 2, Visual FoxPro. dBASE II (0x02) and dBASE 7 (0x04) are other layouts.
_VERSIONS = frozenset({0x03, 0x30, 0x31, 0x32, 0x43, 0x63, 0x83, 0x8B, 0xCB, 0xE5, 0xF5, 0xFB})
_VISUAL_FOXPRO = frozenset({0x30, 0x31, 0x32})
_SYSTEM_COLUMN, _NULLABLE, _BINARY = 0x01, 0x02, 0x04
_NULL_FLAGS = b"_NullFlags"
_FIXED_BYTES = {"D": 8, "L": 1, "I": 4, "T": 8, "Y": 8}
_TYPE_WORDS = {
    "D": "date",
    "L": "boolean",
    "I": "integer",
    "T": "timestamp",
    "Y": "numeric(19,4)",
    "B": "double precision",
    "M": "memo",
}


@dataclass(frozen=True)
class DbfField:
    """One field: its raw name, its type letter and where it stands in a record (``offset`` counts the flag).

    ``null_bit``: its bit in the table's null flags (Visual FoxPro only), else None.
    """

    name: bytes
    letter: str
    offset: int
    width: int
    decimals: int
    null_bit: int | None = None
    is_binary: bool = False

    @property
    def type_text(self) -> str:
        """The type in the words of a database: ``char(12)``, ``numeric(4,0)``, ``date``."""
        if self.letter == "C":
            return f"char({self.width})"
        if self.letter in "NF":
            return f"numeric({self.width},{self.decimals})"
        return _TYPE_WORDS.get(self.letter, f"dbf {self.letter!r}")


@dataclass(frozen=True)
class DbfHeader:
    """What the header of a table declares; ``null_flags`` is the place (offset, width) of the null flags."""

    version: int
    language_driver: int
    records: int
    header_bytes: int
    record_bytes: int
    fields: tuple[DbfField, ...]
    null_flags: tuple[int, int] | None

    @property
    def end_of_records(self) -> int:
        """Length in bytes of a file that holds all declared records, without the end mark."""
        return self.header_bytes + self.records * self.record_bytes


class BrokenHeader(Exception):
    """The bytes are not the header of a table that can be read; the text tells why."""


def parse_header(head: bytes) -> DbfHeader:
    """Read and check the header.

    Args:
        head: the first bytes of the file, at least ``header_bytes`` of them if the file has so many.

    Raises:
        BrokenHeader: no such table, or its field list and its record length do not agree.
    """
    if len(head) < PREFIX_BYTES + 1:
        raise BrokenHeader(f"it has {len(head)} bytes, fewer than any table")
    version, records, header_bytes, record_bytes = struct.unpack_from("<B3xIHH", head)
    if version not in _VERSIONS:
        raise BrokenHeader(f"its first byte 0x{version:02x} is not of a dBASE III/IV or FoxPro table")
    if header_bytes < PREFIX_BYTES + 1 or record_bytes < 1:
        raise BrokenHeader(f"its header says {header_bytes} bytes of header and {record_bytes} bytes per record")
    if len(head) < header_bytes:
        raise BrokenHeader(f"it ends inside its header, at byte {len(head)} of {header_bytes}")
    descriptors = _descriptors(head[:header_bytes])
    widths = [item[16] for item in descriptors]
    if 1 + sum(widths) != record_bytes:  # a long character field keeps the high byte of its width as decimals
        widths = [item[16] + (item[17] << 8 if item[11:12] == b"C" else 0) for item in descriptors]
    if 1 + sum(widths) != record_bytes:
        raise BrokenHeader(f"its fields take {1 + sum(widths)} bytes, but a record is said to have {record_bytes}")
    fields, null_flags = _fields(descriptors, widths, version in _VISUAL_FOXPRO)
    return DbfHeader(version, head[29], records, header_bytes, record_bytes, fields, null_flags)


def _descriptors(head: bytes) -> list[bytes]:
    found = []
    for start in range(PREFIX_BYTES, len(head), FIELD_BYTES):
        if head[start] == FIELD_END:
            break
        if start + FIELD_BYTES > len(head):
            raise BrokenHeader("its list of fields has no end")
        found.append(head[start : start + FIELD_BYTES])
    if not found:
        raise BrokenHeader("it has no field")
    return found


def _fields(
    descriptors: list[bytes], widths: list[int], visual: bool
) -> tuple[tuple[DbfField, ...], tuple[int, int] | None]:
    fields: list[DbfField] = []
    null_flags = None
    offset = 1
    bit = 0
    for item, width in zip(descriptors, widths, strict=True):
        name = item[:11].split(b"\x00", 1)[0].strip()
        letter = item[11:12].decode("ascii", "replace")
        flags = item[18] if visual else 0
        wanted = 8 if letter == "B" and visual else _FIXED_BYTES.get(letter, width)
        if width != wanted:
            raise BrokenHeader(f"field {len(fields) + 1} of type {letter} has {width} bytes instead of {wanted}")
        if visual and letter in "VQ":
            bit += 1  # of a text that does not fill its width
        null_bit = None
        if flags & _NULLABLE:
            null_bit, bit = bit, bit + 1
        if visual and letter == "0" and flags & _SYSTEM_COLUMN and name == _NULL_FLAGS:
            null_flags = (offset, width)
        else:
            letter = "M" if letter == "B" and not visual else letter  # dBASE keeps binary data in the memo file
            fields.append(DbfField(name, letter, offset, width, item[17], null_bit, bool(flags & _BINARY)))
        offset += width
    if null_flags is None or bit > null_flags[1] * 8:
        fields = [DbfField(f.name, f.letter, f.offset, f.width, f.decimals, None, f.is_binary) for f in fields]
        null_flags = None
    return tuple(fields), null_flags
