"""The one alert that the warehouse cannot remember: itself out of reach. Its state is a file below ``DX_HOME``."""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dx_pipeline.alerts.channels import Notifier, Outcome, notifiers, send_within_limit
from dx_pipeline.alerts.condition import KINDS, WAREHOUSE_DOWN
from dx_pipeline.alerts.message import Entry, Message, compose
from dx_pipeline.settings import Settings, write_private_file
from dx_pipeline.warehouse.alert_register import Event


def tell_outage(settings: Settings) -> dict[str, Outcome]:
    """Tell each channel that the warehouse is out of reach: once, and again after the reminder's time."""
    now = datetime.now(UTC)
    with _state(settings) as state:
        if "over_at" in state:  # of an outage before, which not every channel took the end of
            state.clear()
        state.setdefault("since", now.isoformat())
        told: dict[str, str] = state.setdefault("told", {})
        again = now - timedelta(hours=settings.alert_reminder_hours)
        due: list[tuple[Notifier, Event]] = []
        for channel in notifiers(settings):
            if channel.name not in told:
                due.append((channel, "raised"))
            elif datetime.fromisoformat(told[channel.name]) <= again:
                due.append((channel, "reminder"))
        outcomes = _send(settings, state, due)
        told |= {name: now.isoformat() for name, outcome in outcomes.items() if outcome.taken}
    return outcomes


def tell_end(settings: Settings, channels: Sequence[Notifier]) -> dict[str, Outcome]:
    """The warehouse answers: tell the channels that know of its outage, if there was one."""
    if not _path(settings).exists():
        return {}
    with _state(settings) as state:
        state.setdefault("over_at", datetime.now(UTC).isoformat())
        told = state.get("told", {})
        outcomes = _send(settings, state, [(one, "recovered") for one in channels if one.name in told])
        left = {name: told[name] for name, outcome in outcomes.items() if not outcome.taken}
        if left:
            state["told"] = left
        else:
            state.clear()
    return outcomes


def _send(settings: Settings, state: dict[str, Any], due: Sequence[tuple[Notifier, Event]]) -> dict[str, Outcome]:
    messages = [(channel, _message(settings, state, event)) for channel, event in due]
    return send_within_limit(messages, settings) if messages else {}


def _message(settings: Settings, state: dict[str, Any], event: Event) -> Message:
    since = state["since"]
    entry = Entry(
        event=event,
        kind=WAREHOUSE_DOWN,
        subject="warehouse",
        severity=KINDS[WAREHOUSE_DOWN].severity,
        owner_agency=None,
        batch_id=None,
        facts={"since": since},
        raised_at=datetime.fromisoformat(since),
        recovered_at=datetime.fromisoformat(state["over_at"]) if event == "recovered" else None,
    )
    key = hashlib.sha256(f"{WAREHOUSE_DOWN} {since} {event}".encode()).hexdigest()
    return compose(settings.alert_label, [entry], key)


def _path(settings: Settings) -> Path:
    return settings.home / "alerts" / "outage.json"


@contextmanager
def _state(settings: Settings) -> Iterator[dict[str, Any]]:
    """What is known of the outage, held alone; written back at the end, the file removed if it is empty."""
    path = _path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / "outage.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        state: dict[str, Any] = {}
        with suppress(OSError, ValueError):
            state = json.loads(path.read_text(encoding="utf-8"))
        yield state
        if state:
            write_private_file(path, json.dumps(state))
        else:
            path.unlink(missing_ok=True)
