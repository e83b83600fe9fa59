"""Write the expectation suite of a draft: what the contract promises, and no more than the sample keeps."""

from __future__ import annotations

from typing import Any

from dx_pipeline.clean.registry import SEMANTIC_TYPES
from dx_pipeline.onboarding.draft import DatasetDraft
from dx_pipeline.onboarding.profile import ProfiledColumn
from dx_pipeline.onboarding.yaml_text import OneLine, yaml_text

_LONGEST_CODE = 63
_EXPECTED = {
    "integer": ("số nguyên không quá 18 chữ số", "a whole number of at most 18 digits"),
    "number": ("số", "a number"),
    "money_vnd": ("số tiền, đồng, không có phần lẻ", "an amount in đồng, without decimals"),
    "flag": ("có hoặc không", "yes or no"),
    "date": ("ngày có thật, ví dụ 31/12/2024", "a day that exists, such as 31/12/2024"),
    "birth_date": ("ngày sinh hoặc năm sinh", "a birth date or a year of birth"),
    "datetime": ("thời điểm có thật, ví dụ 31/12/2024 08:00", "a time that exists, such as 31/12/2024 08:00"),
    "dossier_code": ("mã hồ sơ, ví dụ H50.14-240823-0001", "a dossier code such as H50.14-240823-0001"),
    "procedure_code": ("mã thủ tục, ví dụ 1.001193", "a procedure code such as 1.001193"),
    "agency_code": ("mã định danh cơ quan, ví dụ H50.14", "an agency id such as H50.14"),
    "commune_code": ("mã xã 5 chữ số", "a commune code of 5 digits"),
    "citizen_id": ("số CCCD 12 chữ số hoặc CMND 9 chữ số", "an identity number of 12 or 9 digits"),
    "phone": ("số điện thoại", "a telephone number"),
    "email": ("thư điện tử", "an e-mail address"),
    "code_list": ("một mã trong danh mục của hợp đồng", "a code of the contract's list"),
}


def suite_text(draft: DatasetDraft) -> str:
    """The suite as YAML."""
    document = {"name": draft.id, "expectations": _rules(draft)}
    return yaml_text(
        document,
        f"Drafted by `dx contract init` for {draft.id}. critical keeps a row out of the star, warning loads it with a flag.",
        "Add the rules that only people know: which day comes before which, what is the least and the most.",
    )


def _rules(draft: DatasetDraft) -> list[dict[str, Any]]:
    profile = draft.profile
    rules = []
    if profile.total_rows:
        no_rows = ("no_rows", "Lô không có dòng nào; kiểm tra nguồn", "there is no row; check the source")
        kind = "expect_table_row_count_to_be_between"
        if profile.mode == "snapshot":
            rules.append(_rule(kind, {"min_value": 1}, *no_rows))
    for column in profile.columns:
        rules += _column_rules(column, in_key=column.name in profile.key.columns)
    rules.append(_uniqueness(draft))
    return rules


def _column_rules(column: ProfiledColumn, *, in_key: bool) -> list[dict[str, Any]]:
    name = column.name
    rules = []
    must = in_key or column.is_required
    if must:
        kwargs: dict[str, Any] = {"column": name}
        if SEMANTIC_TYPES[column.meaning.semantic_type].can_fail:
            # A value that cannot be read has its own reason below, so it is not called missing too.
            kwargs["row_condition"] = OneLine(type="nullity", column={"name": f"{name}__unreadable"}, is_null=True)
        source = column.source.name
        rules.append(
            _rule(
                "expect_column_values_to_not_be_null",
                kwargs,
                _code(name, "missing"),
                f"Thiếu {source}",
                f"{source} is missing",
            )
        )
    if SEMANTIC_TYPES[column.meaning.semantic_type].can_fail:
        vi, en = _EXPECTED.get(column.meaning.semantic_type, ("giá trị đọc được", "a value that can be read"))
        rules.append(
            _rule(
                "expect_column_values_to_be_null",
                {"column": f"{name}__unreadable"},
                _code(name, "unreadable"),
                f"{column.source.name} không đọc được; cần {vi}",
                f"{column.source.name} cannot be read; it must be {en}",
                severity=None if must else "warning",
            )
        )
    return rules


def _uniqueness(draft: DatasetDraft) -> dict[str, Any]:
    key = draft.profile.key.columns
    shown = ", ".join(draft.profile.column(name).source.name for name in key)
    text = (
        _code(key[0], "conflict"),
        f"Một {shown} có nhiều dòng khác nội dung; giữ lại dòng đúng",
        f"one {shown} has rows that differ; keep the right one",
    )
    if len(key) == 1:
        return _rule("expect_column_values_to_be_unique", {"column": key[0]}, *text)
    return _rule("expect_compound_columns_to_be_unique", {"column_list": list(key)}, *text)


def _rule(
    kind: str, kwargs: dict[str, Any], code: str, vi: str, en: str, *, severity: str | None = None
) -> dict[str, Any]:
    found: dict[str, Any] = {"type": kind, "kwargs": OneLine(kwargs)}
    if severity is not None:
        found["severity"] = severity
    return {**found, "meta": {"code": code, "vi": vi, "en": en}}


def _code(name: str, what: str) -> str:
    return f"{name[: _LONGEST_CODE - len(what) - 1]}_{what}"
