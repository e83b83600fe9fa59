"""Writes a FoxPro 2 / dBASE III table from whole columns.

Layout (Microsoft, "Table File Structure"): 32 bytes of prefix, 32 bytes per field, 0x0D, fixed-width records that begin
with a deletion flag, 0x1A. Field names have at most 10 characters. Version 0x03: no memo, no back link.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

_VERSION: Final = 0x03
_CHARACTERS: Final = 10


@dataclass(frozen=True)
class Field:
    """One field: name, letter of its type (character, number, logical), width in bytes."""

    name: str
    letter: Literal["C", "N", "L"]
    width: int

    def __post_init__(self) -> None:
        if len(self.name) > _CHARACTERS:
            raise ValueError(f"field {self.name}: a name in a dbf table has at most {_CHARACTERS} characters")


def write_dbf(
    path: Path,
    fields: Sequence[Field],
    columns: Mapping[str, npt.NDArray[np.str_]],
    deleted: npt.NDArray[np.bool_],
    *,
    language_driver: int,
    encoding: str = "latin-1",
) -> None:
    """Write the table under its name once it is complete.

    Args:
        columns: texts of each field, one per record; a character is one byte of ``encoding``.
        deleted: records that carry the deletion flag.
        language_driver: what the header says about the encoding, true or not.

    Raises:
        ValueError: a text is wider than its field.
    """
    records = len(deleted)
    cells = [np.where(deleted, b"*", b" ").astype("S1")]
    for field in fields:
        texts = np.char.encode(columns[field.name], encoding)
        if records and np.char.str_len(texts).max() > field.width:
            raise ValueError(f"field {field.name}: a text is wider than {field.width} bytes")
        pad = np.char.rjust if field.letter == "N" else np.char.ljust
        cells.append(pad(texts, field.width).astype(f"S{field.width}"))
    body = np.concatenate([cell.view(np.uint8).reshape(records, cell.itemsize) for cell in cells], axis=1)
    head = struct.pack(
        "<BBBBIHH17xB2x", _VERSION, 124, 6, 30, records, 32 + 32 * len(fields) + 1, body.shape[1], language_driver
    )
    for field in fields:
        head += struct.pack("<11sc4xBB14x", field.name.encode("ascii"), field.letter.encode(), field.width, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(head + b"\x0d" + body.tobytes() + b"\x1a")
    partial.replace(path)
