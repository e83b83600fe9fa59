"""One message for everything that a channel has to be told at a check: for people (text) and for programs (JSON)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from dx_pipeline.alerts.condition import KINDS
from dx_pipeline.alerts.wording import moment, next_command, one_line, sentence
from dx_pipeline.warehouse.alert_register import Event

_HEADINGS: Final[Mapping[Event, tuple[str, str]]] = {
    "raised": ("MỚI", "NEW"),
    "reminder": ("VẪN CÒN", "STILL"),
    "recovered": ("ĐÃ HẾT", "RECOVERED"),
}
_MOST_TOLD: Final = 50
_SUBJECT_LETTERS: Final = 150


@dataclass(frozen=True)
class Entry:
    """One condition in a message, and what happened to it."""

    event: Event
    kind: str
    subject: str
    severity: str
    owner_agency: str | None
    batch_id: int | None
    facts: Mapping[str, Any]
    raised_at: datetime
    recovered_at: datetime | None = None


@dataclass(frozen=True)
class Message:
    """What a channel sends. ``subject`` is one line; ``document`` is fit for JSON; ``key`` is the same when sent again."""

    key: str
    subject: str
    text: str
    document: Mapping[str, Any]


def compose(label: str, entries: Sequence[Entry], key: str, *, note: str | None = None) -> Message:
    """The message about these entries, the new ones first.

    Args:
        label: name of the installation.
        note: a line above everything else.
    """
    order = list(_HEADINGS)
    entries = sorted(entries, key=lambda entry: (order.index(entry.event), entry.severity, entry.subject, entry.kind))
    subject = _subject(label, entries, note)
    lines = [subject, ""]
    for entry in entries[:_MOST_TOLD]:
        lines += [*_paragraph(entry), ""]
    if len(entries) > _MOST_TOLD:
        rest = len(entries) - _MOST_TOLD
        lines += [f"… và {rest} cảnh báo khác · and {rest} more: dx alerts show", ""]
    lines.append("Tất cả · All: dx alerts show    Tắt tiếng · Mute: dx alerts mute --help")
    text = "\n".join(lines)
    document = {
        "source": "dx",
        "label": one_line(label),
        "key": key,
        "text": text,
        "alerts": [_document(entry) for entry in entries],
    }
    return Message(key, subject, text, document)


def _subject(label: str, entries: Sequence[Entry], note: str | None) -> str:
    if note is not None:
        return one_line(f"[dx {label}] {note}")[:_SUBJECT_LETTERS]
    counts = {event: sum(entry.event == event for entry in entries) for event in _HEADINGS}
    told = ", ".join(
        f"{number} {_HEADINGS[event][0].lower()}·{_HEADINGS[event][1].lower()}"
        for event, number in counts.items()
        if number
    )
    names = ", ".join(dict.fromkeys(entry.subject for entry in entries))
    return one_line(f"[dx {label}] {told}: {names}")[:_SUBJECT_LETTERS]


def _paragraph(entry: Entry) -> list[str]:
    heading_vi, heading_en = _HEADINGS[entry.event]
    vi, en = sentence(entry.kind, entry.facts, entry.batch_id)
    owner = "" if entry.owner_agency is None else f" (cơ quan · owner {one_line(entry.owner_agency)})"
    times = f"từ · since {moment(entry.raised_at)}"
    if entry.recovered_at is not None:
        times += f", hết · over {moment(entry.recovered_at)}"
    lines = [f"{heading_vi} · {heading_en}  {one_line(entry.subject)}{owner}, {times}", f"  {vi}", f"  {en}"]
    if entry.recovered_at is None:
        lines.append(f"  → {_command(entry)}")
    return lines


def _command(entry: Entry) -> str:
    return next_command(entry.kind, entry.subject, entry.facts, entry.batch_id)


def _document(entry: Entry) -> dict[str, Any]:
    vi, en = sentence(entry.kind, entry.facts, entry.batch_id)
    return {
        "event": entry.event,
        "kind": entry.kind,
        "kind_vi": KINDS[entry.kind].vi,
        "kind_en": KINDS[entry.kind].en,
        "severity": entry.severity,
        "subject": one_line(entry.subject),
        "owner_agency": None if entry.owner_agency is None else one_line(entry.owner_agency),
        "batch_id": entry.batch_id,
        "facts": entry.facts,
        "text_vi": vi,
        "text_en": en,
        "next": _command(entry),
        "raised_at": entry.raised_at.isoformat(),
        "recovered_at": None if entry.recovered_at is None else entry.recovered_at.isoformat(),
    }
