"""What a column means: the semantic type whose cleaner reads it, and how it has to be protected.

Each guess is proved on the sample by the cleaner itself. What no cleaner reads well enough stays text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from dx_pipeline.clean.code_list import code_key
from dx_pipeline.clean.reading import tidy
from dx_pipeline.onboarding.column_facts import ColumnFacts
from dx_pipeline.onboarding.personal import Suspicion, all_name_persons, suspect_by_content, suspect_by_name

ENOUGH = 0.95  # of the values must be readable for a type that only the values suggest
_HINTED = 0.6  # where the column's name says the same
MOST_CODES = 40
_ROWS_PER_CODE = 5
_SURE_CODES = 12  # a longer list needs many more rows: it may be an open one, such as places
_ROWS_PER_CODE_OF_MANY = 50
_LONGEST_CODE = 60
LOGICAL_TYPES = {
    "integer": "integer", "money_vnd": "integer", "number": "number", "percentage": "number", "flag": "boolean",
    "date": "date", "birth_date": "date", "datetime": "timestamp",
}  # fmt: skip
_NAMED: dict[Suspicion, str] = {
    "identity": "citizen_id", "phone": "phone", "email": "email", "birth": "birth_date",
}  # fmt: skip
_CLASS: dict[Suspicion, str] = {"sensitive": "sensitive"}
_HINT = {
    "procedure_code": r"\b(?:tthc|thu tuc|procedure)\b",
    "agency_code": r"\b(?:dinh danh|co quan|don vi|agency)\b",
    "commune_code": r"\b(?:xa|phuong|xa phuong|dvhc|commune|ward)\b",
}
_CODED = re.compile(
    r"\b(?:loai|trang thai|tinh trang|status|state|type|kind|category|muc do|kenh|channel|hinh thuc|class)\b"
)
_YES_NO = re.compile(r"^(?:is|has|co|da|duoc|khong|active|enabled|deleted)\b|\b(?:flag|yn)$")
_IDENTIFYING = re.compile(
    r"^(?:ma|code|id|so hieu|ky hieu|key|ref|codex)\b|\b(?:ma|code|id|ref|number|no|key|codex|zip)$"
)
_MONEY = re.compile(r"\b(?:tien|phi|le phi|gia|thanh tien|so tien|kinh phi|vnd|hoc phi|luong|thue)\b")
_TIME_NAME = re.compile(r"\b(?:ngay|thoi gian|thoi diem|thoi han|han|date|time|datetime|timestamp|tempus|dies)\b")
_FLAG_WORDS = frozenset("true t yes y có x đúng rồi".split()), frozenset("false f no n không sai chưa".split())
_TIME_FORM = r"\d{14}|\d{12}|\d{8}|.*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*|/Date\(.*"
_DAY_ONLY = r"\d{8}|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}"
_INTEGER = r"-?(?:0|[1-9]\d{0,17})"
_DECIMAL = r"-?\d{1,15}(?:\.\d+)?(?:[eE][-+]?\d{1,2})?"
_GROUPED = r"\(?[-−]?\s?(?:vn[dđ]|₫)?\s?\d{1,3}(?:[., ']\d{3})+\)?\s*(?:vn[dđ]|[dđ]ồng|[đ₫d])?\.?"
_COMMA_DECIMAL = r"-?\d{1,3}(?:\.?\d{3})*(?:,\d+)?"
_POINT_DECIMAL = r"-?\d{1,3}(?:,?\d{3})*(?:\.\d+)?"
_SIGNED_DECIMALS = {",": _COMMA_DECIMAL, ".": _POINT_DECIMAL}
_FOREIGN_MONEY = ("€", "$", "£", "¥", "US$", "EUR", "USD")


@dataclass(frozen=True)
class Meaning:
    """The semantic type chosen for a column.

    ``readable``: share of the filled values of the sample that its cleaner reads; ``bounds``: the least and greatest
    number or time among them, not told of a personal column. ``why`` never shows a value of a
    personal column.
    """

    semantic_type: str
    why: str
    options: dict[str, Any] = field(default_factory=dict)
    readable: float = 1.0
    classification: str = "internal"
    bounds: tuple[str, str] | None = None

    @property
    def logical_type(self) -> str:
        return LOGICAL_TYPES.get(self.semantic_type, "string")

    @property
    def is_personal(self) -> bool:
        return self.classification in ("personal", "sensitive")


def find_meaning(facts: ColumnFacts, *, names_row_of: str | None = None) -> Meaning:
    """The semantic type, options and classification of one column.

    Args:
        names_row_of: the relation whose rows the column names (a declared foreign key): it is as open as that one,
            so it is no code list.
    """
    suspicion = suspect_by_name(facts.words)
    for guess in _guesses(facts, suspicion):
        if names_row_of is not None and guess.semantic_type in ("code_list", "flag"):
            continue
        needed = _HINTED if guess.readable < 1 else ENOUGH
        if facts.filled == 0:
            return replace(guess, readable=1.0)
        trial = facts.try_type(guess.semantic_type, guess.options, enough=needed)
        if trial.share >= needed:
            bounds = None if guess.is_personal else trial.bounds
            return replace(guess, readable=trial.share, options=_with_null_texts(guess, facts), bounds=bounds)
    found = _as_text(facts, suspicion)
    if names_row_of is not None and not found.is_personal and suspicion is None:
        return Meaning("identifier", f"khóa ngoại · foreign key of {names_row_of}")
    return found


def _guesses(facts: ColumnFacts, suspicion: Suspicion | None) -> Iterator[Meaning]:
    """What to try, most telling first; ``readable`` below 1 marks a guess that the name supports."""
    if suspicion in _NAMED:
        yield Meaning(_NAMED[suspicion], "tên cột · by its name", readable=_HINTED, classification="personal")
        return
    if facts.filled == 0:
        yield from _declared(facts)
        return
    if suspicion is not None and not _all_numbers(facts):
        return
    yield from _personal_codes(facts)
    for guess in _plain(facts):
        yield replace(guess, classification="sensitive") if suspicion == "sensitive" else guess


def _personal_codes(facts: ColumnFacts) -> Iterator[Meaning]:
    if facts.declared not in ("text", "whole") or facts.distinct < 3:
        return
    if facts.matching(r".+@.+\..+") >= ENOUGH:
        yield Meaning("email", "giá trị · by its values", classification="personal")
    if facts.matching(r"0\d{11}") >= ENOUGH:
        yield Meaning("citizen_id", "giá trị · by its values: 12 digits of a CCCD", classification="personal")
    if facts.matching(r"(?:\+?84|0)[ .\d()-]{8,14}") >= ENOUGH:
        yield Meaning("phone", "giá trị · by its values", classification="personal")


def _plain(facts: ColumnFacts) -> Iterator[Meaning]:
    """Meanings that tell nothing of a person."""
    name = " ".join(facts.words)
    if facts.declared == "text":
        yield from _known_codes(facts, name)
    yield from _flags(facts, name)
    if facts.declared in ("whole", "text") and _CODED.search(name):
        yield from _code_list(facts)
    yield from _declared(facts)
    if facts.declared not in ("text", "whole", "decimal", "float"):
        return
    yield from _times(facts, name)
    yield from _with_a_sign(facts)
    if not _IDENTIFYING.search(name) or facts.declared != "text":
        yield from _numbers(facts, name)
    elif facts.is_file and facts.words[-1:] == ("id",) and facts.matching(_INTEGER) == 1:
        yield Meaning("integer", "toàn số nguyên · whole numbers only")
    yield from _code_list(facts)


def _known_codes(facts: ColumnFacts, name: str) -> Iterator[Meaning]:
    if facts.matching(r"[A-Za-z0-9.]+\s*-\s*\d{6}\s*-\s*\d{4,10}") >= ENOUGH:
        yield Meaning("dossier_code", "giá trị · by its values: agency-yymmdd-number")
    for kind, hint in _HINT.items():
        if re.search(hint, name):
            yield Meaning(kind, "tên cột và giá trị · by name and values")


def _flags(facts: ColumnFacts, name: str) -> Iterator[Meaning]:
    found = {value.casefold().removesuffix(".0") for value in facts.values}
    yes, no = _FLAG_WORDS
    words = bool(found & yes) and bool(found & no) and found <= yes | no
    digits = found == {"0", "1"} and _YES_NO.search(name) is not None
    if facts.declared == "bool" or words or digits:
        yield Meaning("flag", "chỉ có hoặc không · only yes and no")


def _declared(facts: ColumnFacts) -> Iterator[Meaning]:
    why = f"kiểu khai báo · declared {facts.source.type_text}"
    kind = facts.declared
    if kind == "bool":
        yield Meaning("flag", why)
    elif kind == "whole":
        yield Meaning("integer", why)
    elif kind == "decimal":
        yield from _exact(facts, why)
    elif kind == "float":
        yield Meaning("number", why)
    elif kind == "time":
        yield Meaning("datetime", why)
    elif kind == "day":
        yield Meaning("date", why)
    elif kind == "uuid":
        yield Meaning("identifier", why)


def _exact(facts: ColumnFacts, why: str) -> Iterator[Meaning]:
    match = re.search(r"\((\d+)(?:,(\d+))?\)", facts.source.type_text)
    digits, scale = (int(match[1]), int(match[2] or 0)) if match else (18, None)
    if scale == 0 and digits <= 18:
        yield Meaning("integer", why)
    elif scale is not None and digits <= 18:
        yield Meaning("number", why, {"scale": scale})
    yield Meaning("number", why)


def _times(facts: ColumnFacts, name: str) -> Iterator[Meaning]:
    named = _TIME_NAME.search(name) is not None
    share = facts.matching(_TIME_FORM)
    if facts.declared != "text" or share < (_HINTED if named else ENOUGH):
        return
    if facts.matching(r"\d{8}") == 1 and facts.distinct < 3 and not named:
        return
    kind = "date" if facts.matching(_DAY_ONLY) >= share else "datetime"
    why = f"chữ ghi thời gian · times as text: {facts.forms()}"
    day_first = facts.try_type(kind, {}, enough=_HINTED).share
    month_first = facts.try_type(kind, {"order": "mdy"}, enough=_HINTED).share if day_first < 1 else 0.0
    order = {"order": "mdy"} if month_first > day_first else {}
    yield Meaning(kind, why, order, readable=_HINTED if named else 1.0)


def _with_a_sign(facts: ColumnFacts) -> Iterator[Meaning]:
    """Percentages, and amounts of a foreign money: the sign beside the number tells."""
    for decimal, number in _SIGNED_DECIMALS.items():
        if facts.declared != "text":
            return
        told = {"decimal": decimal} if facts.matching(r".*\d[.,]\d.*") > 0 else {}
        if facts.matching(rf"{number}\s?%") >= ENOUGH:
            yield Meaning("percentage", f"dấu phần trăm · percent sign: {facts.forms()}", told)
        for sign in _FOREIGN_MONEY:
            escaped = re.escape(sign)
            if facts.matching(rf"(?:{number}\s?{escaped}|{escaped}\s?{number})") >= ENOUGH:
                why = f"số tiền {sign} · amounts in {sign}: {facts.forms()}"
                exact = {"scale": 2} if facts.matching(r".*[.,]\d{3,}\D*") == 0 or told else {}
                yield Meaning("number", why, {**told, **exact, "currency": sign})


def _numbers(facts: ColumnFacts, name: str) -> Iterator[Meaning]:
    if facts.declared != "text":
        return
    money = _MONEY.search(name) is not None
    grouped = facts.matching(rf"{_INTEGER}|{_GROUPED}") >= ENOUGH
    if facts.matching(_INTEGER) == 1:
        yield Meaning("money_vnd" if money else "integer", "toàn số nguyên · whole numbers only")
    elif grouped and (money or facts.matching(_DECIMAL) < 1):  # 25.000 alone may be either
        kind = "money_vnd" if money or facts.matching(r".*[đ₫dD]\.?") > 0 else "integer"
        why = f"số viết theo nhóm · grouped digits: {facts.forms()}"
        yield Meaning(kind, why, readable=_HINTED if money else 1.0)
    elif facts.matching(_DECIMAL) >= ENOUGH and facts.matching(r"0\d+") == 0:
        yield Meaning("number", "số thập phân · decimal numbers")
    elif facts.matching(_COMMA_DECIMAL) >= ENOUGH and facts.matching(r"0\d+") == 0:
        yield Meaning("number", "số thập phân, dấu phẩy · decimal comma", {"decimal": ","})
    elif money:
        yield Meaning("money_vnd", "tên cột · by its name", readable=_HINTED)


def _code_list(facts: ColumnFacts) -> Iterator[Meaning]:
    rows_each = _ROWS_PER_CODE if facts.distinct <= _SURE_CODES else _ROWS_PER_CODE_OF_MANY
    if not 1 < facts.distinct <= MOST_CODES or facts.distinct * rows_each > facts.filled:
        return
    if max(len(text) for text, _ in facts.counts) > _LONGEST_CODE:
        return
    if all_name_persons(facts.words, [text for text, _ in facts.counts]):
        return  # a few owners, clerks, teachers: a list of their names would be written into the contract
    codes: dict[str, list[str]] = {}
    canonical: dict[str, str] = {}
    for raw, _ in facts.counts:  # the most frequent way to write a code is the canonical one
        text = tidy(raw)[0]
        first = canonical.setdefault(code_key(text), text)
        variants = codes.setdefault(first, [])
        if text != first and text not in variants:
            variants.append(text)
    why = f"{len(codes)} giá trị khác nhau · different values in {facts.filled:,} rows"
    yield Meaning("code_list", why, {"codes": dict(sorted(codes.items()))})


def _as_text(facts: ColumnFacts, suspicion: Suspicion | None) -> Meaning:
    by_content = suspicion is None
    numbers = facts.filled > 0 and _all_numbers(facts)
    if by_content and facts.declared in ("text", "uuid"):
        suspicion = suspect_by_content(facts.words, facts.some, facts.filled)
        if suspicion is None and all_name_persons(facts.words, [text for text, _ in facts.counts]):
            suspicion = "name"
    if suspicion == "free_text" and not by_content and facts.filled and facts.distinct * _ROWS_PER_CODE <= facts.filled:
        suspicion = None
    if suspicion is None or (numbers and suspicion in ("name", "address", "free_text")):
        if facts.declared in ("text", "uuid") and facts.filled and facts.matching(r"\S+") == 1 and _has_digits(facts):
            return Meaning("identifier", "mã không có dấu cách · codes without blanks")
        return Meaning("text", "văn bản · text" if facts.filled else "trống trong mẫu · empty in the sample")
    kinds: dict[Suspicion, str] = {"name": "person_name", "address": "address", "identity": "identifier"}
    what = "giá trị · by its values" if by_content else "tên cột · by its name"
    label = "có thể có tên người · may name persons" if suspicion == "free_text" else suspicion
    return Meaning(kinds.get(suspicion, "text"), f"{what}: {label}", classification=_CLASS.get(suspicion, "personal"))


def _has_digits(facts: ColumnFacts) -> bool:
    return facts.matching(r".*\d.*") >= _HINTED or _IDENTIFYING.search(" ".join(facts.words)) is not None


def _all_numbers(facts: ColumnFacts) -> bool:
    return facts.matching(_DECIMAL) == 1


def _with_null_texts(guess: Meaning, facts: ColumnFacts) -> dict[str, Any]:
    """Options with the texts that stand for nothing, where the type would not read them."""
    if not facts.null_texts or guess.semantic_type in ("code_list", "text", "identifier", "flag"):
        return guess.options
    return {**guess.options, "null_values": list(facts.null_texts)}
