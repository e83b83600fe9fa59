"""What is said of a condition, in Vietnamese and in English: dataset, owner, counts, codes, the next command."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from dx_pipeline.alerts.condition import KINDS, WAREHOUSE_DOWN
from dx_pipeline.warehouse.connection import LOCAL_TIME_ZONE

Facts = Mapping[str, Any]
Sentence = tuple[str, str]
_ZONE = ZoneInfo(LOCAL_TIME_ZONE)
_PLACES: Final[Mapping[str, Sentence]] = {
    "reading": ("khi đọc nguồn", "while reading the source"),
    "judging": ("khi kiểm tra", "while judging"),
    "publishing": ("khi công bố", "while publishing"),
    "rules": ("vì quy tắc", "by rules"),
    "died": ("tiến trình đã chết", "its process died"),
    "start": ("trước khi mở lô", "before it had a batch"),
    "mart": ("khi tính bảng tổng hợp", "while computing the mart"),
}


def one_line(text: str) -> str:
    """A text without line breaks, control and invisible characters: nothing can begin a header or hide in a message."""
    return "".join(
        " " if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") else letter for letter in text
    ).strip()


def moment(at: datetime | str) -> str:
    """A time as people here read it."""
    known = datetime.fromisoformat(at) if isinstance(at, str) else at
    return f"{known.astimezone(_ZONE):%Y-%m-%d %H:%M}"


def sentence(kind: str, facts: Facts, batch_id: int | None) -> Sentence:
    """What is wrong, in numbers."""
    details = _DETAILS[kind](facts)
    batch = ("", "") if batch_id is None else (f", lô {batch_id}", f", batch {batch_id}")
    name = KINDS[kind]
    vi, en = (one_line(text) for text in details)
    return f"{name.vi}: {vi}{batch[0]}", f"{name.en}: {en}{batch[1]}"


def next_command(kind: str, subject: str, facts: Facts, batch_id: int | None) -> str:
    """The command that shows more of it, or mends it."""
    if kind == WAREHOUSE_DOWN:
        return "dx doctor"
    if kind == "contract_broken":
        return "dx contract check"
    if kind == "run_failed" and (batch_id is None or facts.get("at") == "died"):
        return "dx run" if facts.get("at") == "mart" else f"dx run {one_line(subject)}"
    if kind == "batch_held" and facts.get("at") == "reading":
        return f"dx drift {one_line(subject)}"
    if kind in ("source_stale", "no_new_data"):
        return f"dx run {one_line(subject)}"
    if kind == "quality_low":
        return f"dx quarantine summary -d {one_line(subject)}"
    return f"dx batches show {batch_id}"


def _run_failed(facts: Facts) -> Sentence:
    place = _PLACES[facts["at"]]
    return _with_batches(place, facts)


def _batch_held(facts: Facts) -> Sentence:
    vi, en = _with_batches(_PLACES[facts["at"]], facts)
    codes = _listed(facts.get("codes") or {})
    return (vi, en) if not codes else (f"{vi}: {codes}", f"{en}: {codes}")


def _with_batches(place: Sentence, facts: Facts) -> Sentence:
    vi, en = place
    if facts.get("month"):
        vi, en = f"{vi}, tháng {facts['month']}", f"{en}, month {facts['month']}"
    if facts.get("batches"):
        since = moment(facts["since"])
        vi += f", {facts['batches']} lô chưa được thay thế từ {since}"
        en += f", {facts['batches']} not replaced since {since}"
    return vi, en


def _source_stale(facts: Facts) -> Sentence:
    at, promised, late = moment(facts["published_at"]), facts["promised_hours"], facts["late_hours"]
    return (
        f"công bố lần cuối {at}, cam kết {promised:g} giờ, trễ {late:g} giờ",
        f"last published {at}, promised every {promised:g} hours, late by {late:g} hours",
    )


def _quality_low(facts: Facts) -> Sentence:
    share = f"{facts['rejected']:,} / {facts['judged']:,} = {facts['percent']:g} % > {facts['limit_percent']:g} %"
    codes = _listed(facts.get("codes") or {})
    codes = f" ({codes})" if codes else ""
    return f"dòng bị loại {share}{codes}", f"rows rejected {share}{codes}"


def _no_new_data(facts: Facts) -> Sentence:
    silent, expected = facts["silent_hours"], facts["expected_hours"]
    return (
        f"không có dòng mới hay thay đổi trong {silent:g} giờ, cam kết {expected:g} giờ",
        f"no row new or changed for {silent:g} hours, promised within {expected:g} hours",
    )


def _volume(facts: Facts) -> Sentence:
    change = f"{facts['percent']:+d} %, ±{facts['band_percent']:g} %"
    return (
        f"đọc {facts['rows']:,} dòng, thường là {facts['usual']:,} ({change})",
        f"{facts['rows']:,} rows read, usual are {facts['usual']:,} ({change})",
    )


def _sums_differ(facts: Facts) -> Sentence:
    listed = ", ".join(facts["measures"])
    return listed, listed


def _contract_broken(facts: Facts) -> Sentence:
    return (
        f"{facts['broken']} tệp không đọc được, bị bỏ qua",
        f"{facts['broken']} files cannot be read and are left out",
    )


def _warehouse_down(facts: Facts) -> Sentence:
    return f"từ {moment(facts['since'])}", f"since {moment(facts['since'])}"


def _listed(codes: Mapping[str, int]) -> str:
    ordered = sorted(codes.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{code} {rows:,}" for code, rows in ordered)


_DETAILS = {
    "run_failed": _run_failed,
    "batch_held": _batch_held,
    "contract_broken": _contract_broken,
    "source_stale": _source_stale,
    "quality_low": _quality_low,
    "no_new_data": _no_new_data,
    "volume_outside_band": _volume,
    "sums_differ": _sums_differ,
    WAREHOUSE_DOWN: _warehouse_down,
}
