"""One check: find what is wrong, remember it, tell each channel what it has not been told yet.

Two processes that check at once take turns. What a channel did not take is told at the next check.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy.engine import Connection

from dx_pipeline.alerts import outage
from dx_pipeline.alerts.channels import Notifier, Outcome, notifiers, send_within_limit
from dx_pipeline.alerts.condition import Condition, Limits, RunNews
from dx_pipeline.alerts.detection import find_conditions, is_examined
from dx_pipeline.alerts.message import Entry, compose
from dx_pipeline.contract.catalog import Catalog
from dx_pipeline.settings import Settings
from dx_pipeline.warehouse import alert_register as register
from dx_pipeline.warehouse.alert_mutes import Mute, is_muted, mutes_in_force
from dx_pipeline.warehouse.alert_register import Alert, Event, Notice
from dx_pipeline.warehouse.connection import Warehouse

WAIT_FOR_TURN_SECONDS = 15


@dataclass(frozen=True)
class CheckReport:
    """What a check found and told: alerts that began, ended and last, and how each channel that was used did."""

    raised: tuple[Condition, ...] = ()
    recovered: tuple[Alert, ...] = ()
    open: int = 0
    muted: int = 0
    channels: Mapping[str, Outcome] = field(default_factory=dict)


def check_alerts(
    warehouse: Warehouse, catalog: Catalog, settings: Settings, news: RunNews | None = None
) -> CheckReport:
    """Look at everything and tell what changed.

    Args:
        news: what a run that just ended tells beside the ledger.

    Raises:
        WarehouseUnavailable: it cannot be reached; ``outage.tell_outage`` tells of that.
        DatasetBusy: another check has not ended within 15 seconds.
    """
    channels = notifiers(settings)
    with warehouse.dataset_lock("alerts", timeout_seconds=WAIT_FOR_TURN_SECONDS):
        report, waiting = _settle(warehouse, catalog, settings, news or RunNews(), [one.name for one in channels])
        outcomes: dict[str, Outcome] = {}
        with suppress(OSError):  # its file cannot be read or written: the disk's own trouble is told elsewhere
            outcomes |= outage.tell_end(settings, channels)
        outcomes |= _tell(warehouse, settings, channels, waiting)
    return CheckReport(report.raised, report.recovered, report.open, report.muted, outcomes)


def _settle(
    warehouse: Warehouse, catalog: Catalog, settings: Settings, news: RunNews, channels: Sequence[str]
) -> tuple[CheckReport, list[Notice]]:
    """Bring ``ops.alert`` up to date; what is to be told afterwards."""
    limits = Limits(settings.alert_rejected_share, settings.alert_stale_grace_hours, settings.alert_unfinished_hours)
    with warehouse.loader() as connection:
        known = {(alert.kind, alert.subject): alert for alert in register.open_alerts(connection)}
        found = find_conditions(connection, catalog, limits, news, list(known.values()))
        mutes = mutes_in_force(connection)
        raised = [condition for condition in found if (condition.kind, condition.subject) not in known]
        for condition in found:
            alert = known.get((condition.kind, condition.subject))
            if alert is not None:
                register.see_again(connection, alert.alert_id, batch_id=condition.batch_id, facts=condition.facts)
            else:
                register.raise_alert(
                    connection,
                    kind=condition.kind,
                    subject=condition.subject,
                    severity=condition.severity,
                    owner_agency=condition.owner_agency,
                    batch_id=condition.batch_id,
                    facts=condition.facts,
                )
        recovered = _recovered(catalog, known, found)
        for alert in recovered:
            register.close_alert(connection, alert.alert_id)
        now_open = register.open_alerts(connection)
        muted = {alert.alert_id for alert in now_open if is_muted(mutes, alert.kind, alert.subject)}
        seen = {(condition.kind, condition.subject) for condition in found}  # the others were not looked at
        loud = [one.alert_id for one in now_open if (one.kind, one.subject) in seen and one.alert_id not in muted]
        register.queue_raised(connection, loud, channels)
        register.queue_reminders(connection, loud, channels, after_hours=settings.alert_reminder_hours)
        # A dataset whose run failed and is held now has not recovered: that it is held is told.
        still_failing = {condition.subject for condition in found if condition.severity == "error"}
        over = [one.alert_id for one in recovered if one.severity == "warning" or one.subject not in still_failing]
        register.queue_recovered(connection, over, channels)
        waiting = _loud(register.waiting_notices(connection, channels), mutes)
    report = CheckReport(tuple(raised), tuple(recovered), len(now_open), len(muted))
    return report, waiting


def _recovered(catalog: Catalog, known: Mapping[tuple[str, str], Alert], found: Sequence[Condition]) -> list[Alert]:
    still = {(condition.kind, condition.subject) for condition in found}
    return [alert for key, alert in known.items() if key not in still and is_examined(catalog, alert)]


def _loud(notices: Sequence[Notice], mutes: Sequence[Mute]) -> list[Notice]:
    return [notice for notice in notices if not is_muted(mutes, notice.alert.kind, notice.alert.subject)]


def _tell(
    warehouse: Warehouse, settings: Settings, channels: Sequence[Notifier], waiting: Sequence[Notice]
) -> dict[str, Outcome]:
    """One message per channel; each alert is in it once, as it is now, whatever waited."""
    by_channel = {channel: [notice for notice in waiting if notice.channel == channel.name] for channel in channels}
    messages = [
        (channel, compose(settings.alert_label, _entries(notices), _key(notices)))
        for channel, notices in by_channel.items()
        if notices
    ]
    if not messages:
        return {}
    outcomes = send_within_limit(messages, settings)
    with warehouse.loader() as connection:
        for channel, notices in by_channel.items():
            outcome = outcomes.get(channel.name)
            if outcome is not None:
                record_outcome(connection, channel.name, outcome, [notice.notice_id for notice in notices])
    return outcomes


def record_outcome(connection: Connection, channel: str, outcome: Outcome, notice_ids: Sequence[int] = ()) -> None:
    """Keep how a channel did."""
    if outcome.taken:
        register.note_sent(connection, channel, notice_ids)
    if outcome.trouble is not None:
        register.note_failure(connection, channel, outcome.trouble)


def _entries(notices: Sequence[Notice]) -> list[Entry]:
    newest = {notice.alert.alert_id: notice for notice in notices}
    return [_entry(notice.alert, notice.event) for notice in newest.values()]


def _entry(alert: Alert, event: Event) -> Entry:
    return Entry(
        event="recovered" if alert.recovered_at is not None else event,
        kind=alert.kind,
        subject=alert.subject,
        severity=alert.severity,
        owner_agency=alert.owner_agency,
        batch_id=alert.batch_id,
        facts=alert.facts,
        raised_at=alert.raised_at,
        recovered_at=alert.recovered_at,
    )


def _key(notices: Sequence[Notice]) -> str:
    """The same for the same notices, so that a receiver can tell a message that is sent again."""
    return hashlib.sha256(",".join(str(notice.notice_id) for notice in notices).encode()).hexdigest()
