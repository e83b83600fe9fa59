"""``ops.alert`` and what was told about it: one row per condition while it lasts, one notice per channel and event."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

Event = Literal["raised", "reminder", "recovered"]


@dataclass(frozen=True)
class Alert:
    """One condition for as long as it lasts; ``facts`` are counts, codes and times."""

    alert_id: int
    kind: str
    subject: str
    severity: str
    owner_agency: str | None
    batch_id: int | None
    facts: Mapping[str, Any]
    raised_at: datetime
    last_seen_at: datetime
    seen: int
    recovered_at: datetime | None


@dataclass(frozen=True)
class Notice:
    """Something a channel has yet to be told."""

    notice_id: int
    channel: str
    event: Event
    alert: Alert


@dataclass(frozen=True)
class ChannelState:
    """How a channel did at its last messages."""

    channel: str
    last_sent_at: datetime | None
    failing_since: datetime | None
    failures: int
    last_error: str | None


_COLUMNS = tuple(field.name for field in fields(Alert))


def open_alerts(connection: Connection) -> list[Alert]:
    """What is wrong now, the longest first."""
    return _alerts(connection, "a.recovered_at is null order by a.raised_at, a.alert_id")


def recent_alerts(connection: Connection, limit: int) -> list[Alert]:
    """What is over, newest first."""
    return _alerts(connection, "a.recovered_at is not null order by a.recovered_at desc limit :limit", limit=limit)


def raise_alert(
    connection: Connection,
    *,
    kind: str,
    subject: str,
    severity: str,
    owner_agency: str | None,
    batch_id: int | None,
    facts: Mapping[str, Any],
) -> None:
    """Open an alert."""
    connection.execute(
        sa.text(
            "insert into ops.alert (kind, subject, severity, owner_agency, batch_id, facts)"
            " values (:kind, :subject, :severity, :owner_agency, :batch_id, cast(:facts as jsonb))"
        ),
        {
            "kind": kind,
            "subject": subject,
            "severity": severity,
            "owner_agency": owner_agency,
            "batch_id": batch_id,
            "facts": _json(facts),
        },
    )


def see_again(connection: Connection, alert_id: int, *, batch_id: int | None, facts: Mapping[str, Any]) -> None:
    """The condition lasts: keep what is known of it now."""
    connection.execute(
        sa.text(
            "update ops.alert set last_seen_at = now(), seen = seen + 1, batch_id = :batch_id,"
            " facts = cast(:facts as jsonb) where alert_id = :alert_id"
        ),
        {"alert_id": alert_id, "batch_id": batch_id, "facts": _json(facts)},
    )


def close_alert(connection: Connection, alert_id: int) -> None:
    """The condition is over."""
    connection.execute(
        sa.text("update ops.alert set recovered_at = now() where alert_id = :alert_id"), {"alert_id": alert_id}
    )


def queue_raised(connection: Connection, alert_ids: Collection[int], channels: Collection[str]) -> None:
    """Have each channel told of these open alerts, unless it was or will be."""
    connection.execute(
        sa.text(
            "insert into ops.alert_notice (alert_id, channel, event) select a.alert_id, c.channel, 'raised'"
            " from ops.alert as a cross join unnest(cast(:channels as text[])) as c (channel)"
            " left join ops.alert_notice as n on n.alert_id = a.alert_id and n.channel = c.channel"
            " where a.alert_id = any(:alerts) and n.notice_id is null"
        ),
        {"alerts": list(alert_ids), "channels": list(channels)},
    )


def queue_reminders(
    connection: Connection, alert_ids: Collection[int], channels: Collection[str], *, after_hours: float
) -> None:
    """Have each channel told again of open alerts it last heard of that long ago; not while something still waits."""
    connection.execute(
        sa.text(
            "insert into ops.alert_notice (alert_id, channel, event) select n.alert_id, n.channel, 'reminder'"
            " from ops.alert_notice as n where n.alert_id = any(:alerts) and n.channel = any(:channels)"
            " group by n.alert_id, n.channel having count(*) = count(n.sent_at)"
            " and max(n.sent_at) <= now() - make_interval(secs => :seconds)"
        ),
        {"alerts": list(alert_ids), "channels": list(channels), "seconds": after_hours * 3600},
    )


def queue_recovered(connection: Connection, alert_ids: Collection[int], channels: Collection[str]) -> None:
    """Have each channel that knows of an alert, or will, told that it is over."""
    connection.execute(
        sa.text(
            "insert into ops.alert_notice (alert_id, channel, event) select distinct n.alert_id, n.channel, 'recovered'"
            " from ops.alert_notice as n where n.alert_id = any(:alerts) and n.channel = any(:channels)"
        ),
        {"alerts": list(alert_ids), "channels": list(channels)},
    )


def waiting_notices(connection: Connection, channels: Collection[str]) -> list[Notice]:
    """What these channels have yet to be told, oldest first."""
    listed = ", ".join(f"a.{name}" for name in _COLUMNS)
    rows = connection.execute(
        sa.text(
            f"select n.notice_id, n.channel, n.event, {listed} from ops.alert_notice as n"
            " inner join ops.alert as a on a.alert_id = n.alert_id"
            " where n.sent_at is null and n.channel = any(:channels) order by n.notice_id"
        ),
        {"channels": list(channels)},
    ).mappings()
    return [Notice(row["notice_id"], row["channel"], row["event"], _alert(row)) for row in rows]


def note_sent(connection: Connection, channel: str, notice_ids: Sequence[int] = ()) -> None:
    """The channel took a message with these notices."""
    connection.execute(
        sa.text("update ops.alert_notice set sent_at = now() where notice_id = any(:notices)"),
        {"notices": list(notice_ids)},
    )
    connection.execute(
        sa.text(
            "insert into ops.alert_channel as c (channel, last_sent_at) select :channel, now()"
            " on conflict (channel) do update set last_sent_at = excluded.last_sent_at, failing_since = null,"
            " failures = 0, last_error = null"
        ),
        {"channel": channel},
    )


def note_failure(connection: Connection, channel: str, reason: str) -> None:
    """The channel took nothing."""
    connection.execute(
        sa.text(
            "insert into ops.alert_channel as c (channel, failing_since, failures, last_error)"
            " select :channel, now(), 1, :reason on conflict (channel) do update set"
            " failing_since = coalesce(c.failing_since, excluded.failing_since), failures = c.failures + 1,"
            " last_error = excluded.last_error"
        ),
        {"channel": channel, "reason": reason[:500]},
    )


def channel_states(connection: Connection) -> dict[str, ChannelState]:
    """Every channel that was ever tried."""
    rows = connection.execute(
        sa.text("select channel, last_sent_at, failing_since, failures, last_error from ops.alert_channel")
    ).mappings()
    return {row["channel"]: ChannelState(**row) for row in rows}


def _alerts(connection: Connection, rest: str, **binds: object) -> list[Alert]:
    listed = ", ".join(f"a.{name}" for name in _COLUMNS)
    return [
        _alert(row)
        for row in connection.execute(sa.text(f"select {listed} from ops.alert as a where {rest}"), binds).mappings()
    ]


def _alert(row: sa.RowMapping) -> Alert:
    return Alert(**{name: row[name] for name in _COLUMNS})


def _json(facts: Mapping[str, Any]) -> str:
    return json.dumps(facts, ensure_ascii=False, default=str)
