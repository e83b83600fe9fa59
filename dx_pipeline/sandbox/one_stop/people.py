"""Applicants: names, identity numbers, birth dates, phones, e-mails and addresses. All invented.

A citizen number is PPP G YY NNNNNN: province of birth registration, century and sex, birth year,
six random digits; it has no check digit. Phones have ten digits (numbering plan of 2018).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dx_pipeline.sandbox.one_stop.agencies import Agencies
from dx_pipeline.sandbox.one_stop.timeline import Timeline
from dx_pipeline.sandbox.one_stop.working_days import Bools, Int64s

CITIZEN, BUSINESS, STATE_BODY, ORGANISATION = 1, 2, 3, 4

_SURNAMES: Final = pa.array(
    ("Nguyễn Trần Lê Phạm Hoàng Huỳnh Phan Vũ Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý Đoàn Trương Mai Cao Hà Thái").split()
)
_MIDDLE_MALE: Final = pa.array(["Văn", "Hữu", "Đức", "Công", "Quang", "Minh", "Xuân", "Ngọc", "Thanh", "Viết"])
_MIDDLE_FEMALE: Final = pa.array(["Thị", "Thị Thu", "Thị Thanh", "Ngọc", "Thị Kim", "Thùy", "Thị Hồng", "Mỹ"])
_GIVEN_MALE: Final = pa.array(
    (
        "An Bình Cường Dũng Đạt Đông Giang Hải Hiếu Hùng Khánh Lâm Long Nam Nghĩa Phong Phúc Quân "
        "Sơn Thắng Toàn Tuấn Việt Vinh"
    ).split()
)
_GIVEN_FEMALE: Final = pa.array(
    (
        "Anh Chi Dung Duyên Hà Hạnh Hiền Hoa Hương Lan Linh Loan Mai Nga Ngân Nhung Oanh Phương "
        "Quỳnh Tâm Thảo Thúy Trang Yến"
    ).split()
)
_COMPANY_KINDS: Final = pa.array(["Công ty TNHH", "Công ty cổ phần", "Doanh nghiệp tư nhân", "Công ty TNHH MTV"])
_COMPANY_TRADES: Final = pa.array(
    ["Thương mại", "Xây dựng", "Vận tải", "Dịch vụ", "Sản xuất gỗ", "Cao su", "Thủy sản", "Du lịch"]
)
_COMPANY_NAMES: Final = pa.array(
    [
        "Minh Phát",
        "Hoàng Long",
        "Đông Hà",
        "Trường Sơn",
        "Hiền Lương",
        "Thành Cổ",
        "Cửa Tùng",
        "Bến Hải",
        "Lao Bảo",
    ]
)
_ORGANISATIONS: Final = pa.array(
    ["Hội Nông dân", "Hội Cựu chiến binh", "Ban Quản lý thôn", "Trường Tiểu học", "Hợp tác xã nông nghiệp"]
)
# 045 Quảng Trị, 044 Quảng Bình, 046 Huế, 048 Đà Nẵng, 040 Nghệ An, 001 Hà Nội, 079 TP Hồ Chí Minh
_PROVINCES: Final = np.array([45] * 14 + [44, 46, 46, 48, 40, 1, 79], dtype=np.int64)
_MOBILE: Final = np.array(
    [32, 33, 34, 35, 36, 37, 38, 39, 70, 76, 77, 78, 79, 81, 82, 83, 84, 85, 86, 90, 91, 93, 94, 96, 97, 98],
    dtype=np.int64,
)
#: ten-digit prefix -> the eleven-digit prefix it had before 2018-09-15
OLD_MOBILE: Final = {
    70: 120,
    79: 121,
    77: 122,
    76: 126,
    78: 128,
    83: 123,
    84: 124,
    85: 125,
    81: 127,
    82: 129,
    32: 162,
    33: 163,
    34: 164,
    35: 165,
    36: 166,
    37: 167,
    38: 168,
    39: 169,
}
_HAMLETS: Final = pa.array([f"Thôn {at}" for at in range(1, 13)] + [f"Khu phố {at}" for at in range(1, 9)])


@dataclass(frozen=True)
class People:
    """Applicants of one chunk; Arrow columns ready for ``ho_so``."""

    kind: Int64s
    name: pa.Array
    citizen_number: pa.Array
    paper_kind: pa.Array
    birth: pa.Array
    phone: pa.Array
    phone_number: Int64s  # nine digits after the leading zero; -1 = none
    email: pa.Array
    address: pa.Array
    commune: pa.Array


def _take(values: pa.Array, rng: np.random.Generator, size: int) -> pa.Array:
    return values.take(pa.array(rng.integers(0, len(values), size)))


def _join(separator: str, *parts: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(*parts, separator)


def padded(numbers: Int64s, digits: int) -> pa.Array:
    """Each number as text of at least ``digits`` digits with leading zeros."""
    text = pa.array(numbers + 10**digits).cast(pa.string())
    return pc.utf8_slice_codeunits(text, 1)


def where(mask: Bools, yes: pa.Array | pa.Scalar, no: pa.Array | pa.Scalar) -> pa.Array:
    """Arrow ``if_else`` on a numpy mask."""
    return pc.if_else(pa.array(mask), yes, no)


def _person_names(female: Bools, rng: np.random.Generator) -> pa.Array:
    size = female.size
    middle = where(female, _take(_MIDDLE_FEMALE, rng, size), _take(_MIDDLE_MALE, rng, size))
    given = where(female, _take(_GIVEN_FEMALE, rng, size), _take(_GIVEN_MALE, rng, size))
    return _join(" ", _take(_SURNAMES, rng, size), middle, given)


def _birth_texts(year: Int64s, month: Int64s, day: Int64s, rng: np.random.Generator) -> pa.Array:
    """Mostly dd/mm/yyyy; some yyyymmdd, some only the year, a few unknown."""
    slashed = _join("/", padded(day, 2), padded(month, 2), pa.array(year).cast(pa.string()))
    compact = pa.array(year * 10_000 + month * 100 + day).cast(pa.string())
    drawn = rng.random(year.size)
    text = where(drawn < 0.05, compact, slashed)
    text = where((drawn >= 0.05) & (drawn < 0.09), pa.array(year).cast(pa.string()), text)
    return where(drawn > 0.98, pa.scalar(None, pa.string()), text)


def draw_people(life: Timeline, agencies: Agencies, rng: np.random.Generator) -> People:
    """The applicants of a chunk; citizens live in the commune that handles their dossier, if one does."""
    size = len(life)
    drawn = rng.random(size)
    kind = np.select(
        [drawn < 0.875, drawn < 0.965, drawn < 0.98], [CITIZEN, BUSINESS, STATE_BODY], default=ORGANISATION
    ).astype(np.int64)
    female = rng.random(size) < 0.48
    company = _join(
        " ",
        _take(_COMPANY_KINDS, rng, size),
        _take(_COMPANY_TRADES, rng, size),
        _take(_COMPANY_NAMES, rng, size),
    )
    communes = agencies.communes
    handled = np.isin(life.agency, communes)
    elsewhere = communes[np.searchsorted(agencies.weights(communes), rng.random(size), side="right") % communes.size]
    home = np.where(handled, life.agency, elsewhere)
    place = agencies.places.take(pa.array(home))
    organisation = _join(" ", _take(_ORGANISATIONS, rng, size), place)
    name = where(kind == CITIZEN, _person_names(female, rng), where(kind == BUSINESS, company, organisation))

    year = rng.integers(1945, 2006, size)
    month, day = rng.integers(1, 13, size), rng.integers(1, 29, size)
    province = _PROVINCES[rng.integers(0, _PROVINCES.size, size)]
    sex_and_century = female.astype(np.int64) + np.where(year >= 2000, 2, 0)
    number = ((province * 10 + sex_and_century) * 100 + year % 100) * 1_000_000 + rng.integers(0, 1_000_000, size)
    old_card = (year < 1990) & (rng.random(size) < 0.06)
    # 197 opened the nine-digit cards of Quảng Trị.
    nine = pa.array(197_000_000 + rng.integers(0, 1_000_000, size)).cast(pa.string())
    citizen_number = where(old_card, nine, padded(number, 12))

    phone_number = _MOBILE[rng.integers(0, _MOBILE.size, size)] * 10_000_000 + rng.integers(1_000_000, 9_999_999, size)
    no_phone = rng.random(size) < 0.06
    phone = where(no_phone, pa.scalar(None, pa.string()), padded(phone_number, 10))
    email = pc.binary_join_element_wise("congdan", padded(number % 10**7, 7), "@example.com", "")
    email = where(rng.random(size) < 0.7, pa.scalar(None, pa.string()), email)
    address = pc.binary_join_element_wise(_take(_HAMLETS, rng, size), place, "tỉnh Quảng Trị", ", ")
    return People(
        kind=kind,
        name=name,
        citizen_number=citizen_number,
        paper_kind=where(old_card, pa.scalar("2"), pa.scalar("1")),
        birth=_birth_texts(year, month, day, rng),
        phone=phone,
        phone_number=np.where(no_phone, -1, phone_number),
        email=email,
        address=address,
        commune=agencies.commune_codes.take(pa.array(home)),
    )
