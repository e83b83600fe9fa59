"""dBASE III and FoxPro tables written byte by byte, so that a test can also write wrong ones."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

HOUSEHOLDS = (
    ("MAHO", "C", 12, 0),
    ("HOTENCH", "C", 40, 0),
    ("NGAYSINH", "C", 10, 0),
    ("CMND", "C", 12, 0),
    ("DANTOC", "C", 2, 0),
    ("MAXA", "C", 5, 0),
    ("LOAIHO", "C", 1, 0),
    ("SONK", "N", 2, 0),
    ("B1_DIEM", "N", 3, 0),
    ("CO_INTERNET"[:10], "L", 1, 0),
    ("NAM", "N", 4, 0),
)

Field = tuple[str | bytes, str, int, int]


def dbf_bytes(
    fields: Sequence[Field],
    records: Sequence[Sequence[bytes]],
    *,
    deleted: Sequence[int] = (),
    version: int = 0x03,
    language_driver: int = 0x00,
    count: int | None = None,
    record_bytes: int | None = None,
    end: bytes = b"\x1a",
    field_flags: int = 0,
) -> bytes:
    """A whole table; a value shorter than its field is padded on the side FoxPro pads it."""
    backlink = bytes(263) if version in (0x30, 0x31, 0x32) else b""
    header_bytes = 32 + 32 * len(fields) + 1 + len(backlink)
    width = 1 + sum(field[2] for field in fields)
    head = struct.pack(
        "<BBBBIHH17xB2x",
        version,
        124,
        6,
        30,
        len(records) if count is None else count,
        header_bytes,
        record_bytes or width,
        language_driver,
    )
    for name, letter, size, decimals in fields:
        raw = name if isinstance(name, bytes) else name.encode("ascii")
        high = size >> 8 if letter == "C" and size > 255 else decimals
        head += struct.pack("<11sc4xBBB13x", raw, letter.encode(), size & 0xFF, high, field_flags)
    body = b""
    for number, record in enumerate(records):
        body += b"*" if number in deleted else b" "
        for (_, letter, size, _), value in zip(fields, record, strict=True):
            body += value.rjust(size) if letter in "NF" else value.ljust(size)
    return head + b"\x0d" + backlink + body + end


def household(code: bytes, name: bytes, people: bytes = b"4", internet: bytes = b"T") -> list[bytes]:
    """One poor household in the fields of ``HOUSEHOLDS``."""
    return [code, name, b"05/10/1970", b"197012345", b"01", b"19429", b"1", people, b"120", internet, b"2024"]


def write_dbf(path: Path, *arguments: object, **options: object) -> Path:
    """Write the table of ``dbf_bytes`` to a file."""
    path.write_bytes(dbf_bytes(*arguments, **options))  # type: ignore[arg-type]
    return path
