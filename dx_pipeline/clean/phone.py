"""Telephone numbers of Việt Nam as ``0`` and nine (mobile) or ten (fixed line) digits.

On 2018-09-15 mobile numbers of 11 digits got 10: a new prefix, the last seven digits kept. In 2017 the area
code of Quảng Trị changed from 053 to 0233. Both are brought to the number of today, note ``phone_2018``.
"""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from dx_pipeline.clean.pattern_code import clean_code, matching
from dx_pipeline.clean.reading import UNREADABLE, Reading, Stage
from dx_pipeline.clean.semantic_type import Cleaned, SemanticType
from dx_pipeline.clean.text import text_type
from dx_pipeline.contract.model import Column

# Source: plan of the Ministry of Information and Communications, in force 2018-09-15.
MOBILE_PREFIX_2018 = {
    "0120": "070", "0121": "079", "0122": "077", "0126": "076", "0128": "078",
    "0123": "083", "0124": "084", "0125": "085", "0127": "081", "0129": "082",
    "0162": "032", "0163": "033", "0164": "034", "0165": "035", "0166": "036",
    "0167": "037", "0168": "038", "0169": "039",
    "0186": "056", "0188": "058", "0199": "059",
}  # fmt: skip
_AREA_2017 = {"053": "0233"}

_MOBILE = r"0(?:3[2-9]|5[25-9]|7[06-9]|8[1-9]|9[0-9])[0-9]{7}"
_FIXED = r"02[0-9]{9}"
_SERVICE = r"1[89]00[0-9]{4,6}"
_NUMBER = f"{_MOBILE}|{_FIXED}|{_SERVICE}"
_CURRENT = re.compile(_NUMBER)
_PUNCTUATION = re.compile("[ .()\u2010-\u2015/-]+")
_COUNTRY = re.compile(r"^(?:\+|00)?84(?:0)?(?=[1-9][0-9]{8,9}$)")
_COUNTED = frozenset({"0123456789", "1234567890", "0987654321"})


def _renumber(text: pa.Array) -> tuple[pa.Array, pa.Array] | None:
    """Stage: plain mobile numbers of 11 digits with the prefix of 2018."""
    old = pc.match_substring_regex(text, f"^(?:{'|'.join(MOBILE_PREFIX_2018)})[0-9]{{7}}$")
    if not pc.any(old).as_py():
        return None
    number = pc.if_else(old, text, pa.scalar(None, pa.string()))
    place = pc.index_in(pc.utf8_slice_codeunits(number, 0, 4), pa.array(MOBILE_PREFIX_2018))
    prefix = pa.array(MOBILE_PREFIX_2018.values(), pa.string()).take(place)
    return pc.binary_join_element_wise(prefix, pc.utf8_slice_codeunits(number, 4), ""), old


_STAGES = [matching(_NUMBER), Stage(_renumber, "phone_2018")]


def _read(text: str) -> Reading:
    digits = _PUNCTUATION.sub("", text)
    bare = digits.removeprefix("+")
    if not (bare.isascii() and bare.isdigit()):
        return UNREADABLE
    if (len(bare) >= 6 and len(set(bare)) == 1) or bare in _COUNTED:
        return Reading(notes=("placeholder",))
    local = _COUNTRY.sub("0", digits)
    if re.fullmatch("[1-9][0-9]{8,9}", local, re.ASCII) and not _CURRENT.fullmatch(local):
        local = "0" + local  # a number column has lost the leading zero
    if len(local) == 11 and local[:4] in MOBILE_PREFIX_2018:
        return Reading(MOBILE_PREFIX_2018[local[:4]] + local[4:], True, ("phone_2018",))
    if len(local) == 10 and local[:3] in _AREA_2017:
        return Reading(_AREA_2017[local[:3]] + local[3:], True, ("phone_2018",))
    if not _CURRENT.fullmatch(local):
        return UNREADABLE
    return Reading(local, True, () if local == text else ("variant",))


def _clean(array: pa.Array, column: Column) -> Cleaned:
    return clean_code(array, column, _STAGES, _read)


PHONE = SemanticType(
    name="phone",
    arrow_type=text_type,
    clean=_clean,
    can_fail=True,
    makes_notes=True,
    pseudonymised=True,
    description="số điện thoại theo đầu số hiện nay | telephone number with the prefix of today",
)
