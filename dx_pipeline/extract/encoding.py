"""Text encodings of source files: is a file in the one its contract declares, and if not, in which?"""

from __future__ import annotations

import codecs
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import ContractError

SAMPLE_BYTES = 1024 * 1024
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_VIETNAMESE_ONLY = frozenset("ăđơưĂĐƠƯ₫")
_NUL_SHARE = 0.2


@dataclass(frozen=True)
class Undecodable:
    """The first bytes of a file that are not in the declared encoding; line from 1, offset from 0.

    ``after_letters``: UTF-8 beyond ASCII was read before, so the encoding is right and only these bytes are not.
    """

    line: int
    offset: int
    found: bytes
    after_letters: bool


def codec_name(contract: Contract, encoding: str) -> str:
    """Python's name of an encoding that the contract declares; UTF-8 is read with or without a byte-order mark.

    Raises:
        ContractError: no such text encoding.
    """
    try:
        information = codecs.lookup(encoding)
        "".encode(information.name)  # refuses codecs that do not make text
    except (LookupError, UnicodeError, ValueError):
        raise ContractError(
            f"{contract.id}: source.encoding {encoding!r} is not a text encoding",
            next_step=f"in {contract.path} use utf-8, utf-16, cp1258, cp1252 or another name Python knows",
        ) from None
    return "utf-8-sig" if information.name in ("utf-8", "utf-8-sig") else information.name


def file_codec(contract: Contract, encoding: str, sample: bytes) -> str:
    """Python's codec for one file in the declared encoding: UTF-16 in either byte order, with or without its mark.

    Args:
        sample: the beginning of the file. A byte-order mark in it says more than the contract; without one, UTF-16 is
            in the order its NULs show.

    Raises:
        ContractError: no such text encoding.
    """
    name = codec_name(contract, encoding)
    for family in ("utf-16", "utf-32"):
        if name.startswith(family):
            if _by_byte_order_mark(sample) == family:
                return family
            if name == family:
                return (_by_nul_pattern(sample) if family == "utf-16" else None) or f"{family}-le"
    return name


def first_undecodable(path: Path, encoding: str) -> Undecodable | None:
    """Where a file leaves its declared encoding; None if it never does.

    Raises:
        OSError: the file cannot be read.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    is_utf8 = encoding.startswith("utf-8")
    seen_letters = False
    offset = line = 0
    with path.open("rb") as stream:
        while True:
            block = stream.read(SAMPLE_BYTES)
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                good = error.object[: error.start]
                return Undecodable(
                    line=line + good.count(b"\n") + 1,
                    offset=offset - pending + error.start,
                    found=error.object[error.start : error.start + 4],
                    after_letters=is_utf8 and (seen_letters or not good.isascii()),
                )
            line += text.count("\n")
            seen_letters = seen_letters or not text.isascii()
            offset += len(block)
            if not block:
                return None


def contradicting_encoding(sample: bytes, encoding: str) -> str | None:
    """The encoding a file is really in, where the declared one would read it without complaint, but wrong.

    UTF-8 read as cp1258 gives ``Ä‘`` for ``đ``; UTF-16 read as UTF-8 gives NULs between ASCII letters.
    """
    by_mark = _by_byte_order_mark(sample)
    declared = codecs.lookup(encoding).name.removesuffix("-sig")
    if by_mark is not None:
        return None if declared.startswith(by_mark) else by_mark
    if declared.startswith(("utf-16", "utf-32")):
        return None
    by_nul = _by_nul_pattern(sample)
    if by_nul is not None:
        return by_nul
    if declared != "utf-8" and not sample.isascii() and _is_utf8(sample):
        return "utf-8"
    return None


def likely_encoding(sample: bytes) -> str | None:
    """The encoding that a sample of a file looks like; None if nothing fits."""
    found = _by_byte_order_mark(sample) or _by_nul_pattern(sample)
    if found is not None:
        return found
    if _is_utf8(sample):
        return "utf-8"
    if _looks_vietnamese(sample):
        return "cp1258"
    for encoding in ("cp1252", "cp1258", "latin-1"):
        try:
            sample.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return None


def _by_byte_order_mark(sample: bytes) -> str | None:
    return next((name for mark, name in _BOMS if sample.startswith(mark)), None)


def _by_nul_pattern(sample: bytes) -> str | None:
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    half = max(len(sample) // 2, 1)
    if odd / half > _NUL_SHARE and odd > 4 * even:
        return "utf-16-le"
    if even / half > _NUL_SHARE and even > 4 * odd:
        return "utf-16-be"
    return None


def _is_utf8(sample: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(sample, final=len(sample) < SAMPLE_BYTES)
    except UnicodeDecodeError:
        return False
    return True


def _looks_vietnamese(sample: bytes) -> bool:
    """cp1258 writes tones as marks after the vowel: nearly all of them must join with what stands before."""
    try:
        text = sample.decode("cp1258")
    except UnicodeDecodeError:
        return False
    marks = sum(1 for character in text if unicodedata.combining(character))
    left = sum(1 for character in unicodedata.normalize("NFC", text) if unicodedata.combining(character))
    if marks:
        return left <= 0.1 * marks
    return any(character in _VIETNAMESE_ONLY for character in text)
