"""``ops.alert_mute``: decisions of people to hear nothing of an alert until a date. Added to, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

EVERYTHING = "*"


@dataclass(frozen=True)
class Mute:
    """A decision that is in force."""

    mute_id: int
    subject: str
    kind: str | None
    muted_until: datetime
    reason: str
    decided_by: str
    login: str
    decided_at: datetime

    def covers(self, kind: str, subject: str) -> bool:
        """Whether alerts of that kind about that subject are muted: itself, its system, or everything."""
        is_subject = self.subject in (EVERYTHING, subject, subject.partition(".")[0])
        return is_subject and self.kind in (None, kind)


def record_mute(
    connection: Connection,
    decision: Literal["mute", "unmute"],
    *,
    subject: str,
    kind: str | None,
    until: datetime | None,
    reason: str,
    decided_by: str,
    login: str,
) -> None:
    """Write a decision down; the newest about the same subject and kind counts."""
    connection.execute(
        sa.text(
            "insert into ops.alert_mute (decision, subject, kind, muted_until, reason, decided_by, login)"
            " values (:decision, :subject, :kind, :until, :reason, :decided_by, :login)"
        ),
        {
            "decision": decision,
            "subject": subject,
            "kind": kind,
            "until": until,
            "reason": reason,
            "decided_by": decided_by,
            "login": login,
        },
    )


def mutes_in_force(connection: Connection) -> list[Mute]:
    """Decisions that hold now, the first to end first."""
    listed = ", ".join(field.name for field in fields(Mute))
    rows = connection.execute(
        sa.text(
            "with newest as (select distinct on (subject, kind) * from ops.alert_mute"
            " order by subject, kind, mute_id desc)"
            f" select {listed} from newest where decision = 'mute' and muted_until > now() order by muted_until, mute_id"
        )
    ).mappings()
    return [Mute(**row) for row in rows]


def is_muted(mutes: Sequence[Mute], kind: str, subject: str) -> bool:
    """Whether a decision in force covers the alert."""
    return any(mute.covers(kind, subject) for mute in mutes)
