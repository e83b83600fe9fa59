"""Fields of a block of dBASE/FoxPro records as Arrow arrays, a whole column at once.

A block is a uint8 matrix: one row per record, one column per byte. Texts keep every byte: a byte that the
encoding does not define becomes the code point of the same number, so that a later repair still sees it.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dx_pipeline.extract.dbf_header import DbfField, DbfHeader

Block = npt.NDArray[np.uint8]
_BLANK, _NUL, _ZERO = 0x20, 0x00, 0x30
_UNIX_EPOCH_JULIAN_DAY = 2_440_588
_DAY_MS = 86_400_000

ARROW_TYPES: dict[str, pa.DataType] = {
    "C": pa.string(),
    "N": pa.string(),
    "F": pa.string(),
    "D": pa.string(),
    "L": pa.string(),
    "I": pa.int64(),
    "B": pa.float64(),
    "T": pa.timestamp("ms"),
    "Y": pa.decimal128(19, 4),
}


@dataclass(frozen=True)
class TextTable:
    """How bytes become UTF-8: ``characters`` by byte and ``widths`` of their UTF-8; both None for UTF-8 itself."""

    characters: str | None
    widths: npt.NDArray[np.int64] | None


def text_table(encoding: str) -> TextTable | None:
    """The table of a single-byte encoding or UTF-8; None for an encoding of several bytes per letter.

    Raises:
        LookupError: no such encoding.
    """
    name = codecs.lookup(encoding).name
    if name == "utf-8":
        return TextTable(None, None)
    characters = []
    for byte in range(256):
        try:
            character = bytes([byte]).decode(name)
        except UnicodeError:
            character = chr(byte)
        if len(character) != 1 or (byte < 0x80 and character != chr(byte)):
            return None
        characters.append(character)
    if not b"\xc3\xa1\xe1".decode(name, "replace").startswith(characters[0xC3]):
        return None  # a lead byte of a multi-byte encoding, undefined on its own
    widths = np.array([len(character.encode()) for character in characters], dtype=np.int64)
    return TextTable("".join(characters), widths)


def field_array(block: Block, field: DbfField, header: DbfHeader, table: TextTable) -> pa.Array:
    """One field of all records of a block, of the type ``ARROW_TYPES`` gives its letter; blanks are null.

    Raises:
        UnicodeDecodeError: the table is UTF-8 and the bytes are not.
        KeyError: the letter is not in ``ARROW_TYPES``.
    """
    cells = np.ascontiguousarray(block[:, field.offset : field.offset + field.width])
    match field.letter:
        case "C":
            values = _texts(cells, table, strip_left=False)
        case "N" | "F":
            values = _texts(cells, table, strip_left=True)
        case "D":
            cells[np.all((cells == _ZERO) | (cells == _BLANK), axis=1)] = _BLANK
            values = _texts(cells, table, strip_left=True)
        case "L":
            values = pa.DictionaryArray.from_arrays(cells[:, 0], _FLAG_TEXTS).cast(pa.string())
        case "I":
            values = pa.array(cells.view("<i4")[:, 0].astype(np.int64))
        case "B":
            values = pa.array(cells.view("<f8")[:, 0])
        case "T":
            values = _moments(cells)
        case "Y":
            values = _money(cells)
        case _:
            raise KeyError(field.letter)
    if field.null_bit is None or header.null_flags is None:
        return values
    flags = block[:, header.null_flags[0] + field.null_bit // 8]
    is_null = (flags >> (field.null_bit % 8)) & 1
    return pc.if_else(pa.array(is_null.astype(bool)), pa.scalar(None, values.type), values)


def _texts(cells: Block, table: TextTable, *, strip_left: bool) -> pa.Array:
    """Texts without the padding (blanks and NULs) at their end; null where nothing is left."""
    rows, width = cells.shape
    if not width:
        return pa.nulls(rows, pa.string())
    inked = (cells != _BLANK) & (cells != _NUL)
    filled = inked.any(axis=1)
    ends = np.where(filled, width - np.argmax(inked[:, ::-1], axis=1), 0)
    place = np.arange(width)
    kept = place < ends[:, None]
    if strip_left:
        kept &= place >= np.argmax(inked, axis=1)[:, None]
    flat = cells[kept]
    if table.characters is None or table.widths is None:
        lengths = kept.sum(axis=1)
        data = flat.tobytes()
        data.decode("utf-8")
    else:
        bytes_before = np.concatenate(([0], np.cumsum(table.widths[flat])))
        letters_before = np.concatenate(([0], np.cumsum(kept.sum(axis=1))))
        lengths = np.diff(bytes_before[letters_before])
        data = codecs.charmap_decode(flat.tobytes(), "strict", table.characters)[0].encode()
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    validity = pa.py_buffer(np.packbits(filled, bitorder="little").tobytes())
    array = pa.StringArray.from_buffers(rows, pa.py_buffer(offsets.tobytes()), pa.py_buffer(data), validity)
    if table.characters is None:
        array.validate(full=True)  # a letter cut in two by the width of its field
    return array


def _flag_texts() -> pa.Array:
    texts: list[str | None] = [chr(byte) for byte in range(256)]
    for letter in "TtYy":
        texts[ord(letter)] = "true"
    for letter in "FfNn":
        texts[ord(letter)] = "false"
    for letter in " ?\x00":
        texts[ord(letter)] = None
    return pa.array(texts, pa.string())


_FLAG_TEXTS = _flag_texts()


def _moments(cells: Block) -> pa.Array:
    """Visual FoxPro times: Julian day number and milliseconds of the day, both int32; day 0 is blank."""
    parts = cells.view("<i4").astype(np.int64)
    millis = (parts[:, 0] - _UNIX_EPOCH_JULIAN_DAY) * _DAY_MS + parts[:, 1]
    return pa.array(millis, pa.int64(), mask=parts[:, 0] == 0).cast(pa.timestamp("ms"))


def _money(cells: Block) -> pa.Array:
    """Visual FoxPro currency: int64 of ten-thousandths, widened to Arrow's 128-bit decimals."""
    low = cells.view("<i8")[:, 0]
    words = np.empty((len(low), 2), dtype="<i8")
    words[:, 0] = low
    words[:, 1] = low >> 63
    return pa.Array.from_buffers(pa.decimal128(19, 4), len(low), [None, pa.py_buffer(words.tobytes())])
