"""E-mail addresses in small letters; only the form is checked, never the mailbox."""

from __future__ import annotations

import re

import pyarrow as pa

from dx_pipeline.clean.pattern_code import clean_code, matching
from dx_pipeline.clean.reading import UNREADABLE, Reading
from dx_pipeline.clean.semantic_type import Cleaned, SemanticType
from dx_pipeline.clean.text import text_type
from dx_pipeline.contract.model import Column

_ADDRESS = (
    r"[0-9a-z!#$%&'*+/=?^_`{|}~-]+(?:\.[0-9a-z!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[0-9a-z](?:[0-9a-z-]*[0-9a-z])?\.)+[a-z]{2,63}"
)
_WHOLE = re.compile(_ADDRESS, re.ASCII)
_STAGES = [matching(_ADDRESS)]
_LONGEST = 254  # RFC 5321


def _read(text: str) -> Reading:
    address = text.removeprefix("mailto:").lower()
    if len(address) > _LONGEST or not _WHOLE.fullmatch(address):
        return UNREADABLE
    return Reading(address, True, () if address == text else ("variant",))


def _clean(array: pa.Array, column: Column) -> Cleaned:
    return clean_code(array, column, _STAGES, _read)


EMAIL = SemanticType(
    name="email",
    arrow_type=text_type,
    clean=_clean,
    can_fail=True,
    makes_notes=True,
    pseudonymised=False,
    description="thư điện tử | e-mail address",
)
