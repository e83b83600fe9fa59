"""Finds what is wrong now, from the ledger and the contracts. Reads only; each check looks at everything anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.alerts.condition import Condition, Limits, RunNews
from dx_pipeline.contract.catalog import Catalog
from dx_pipeline.contract.model import Contract
from dx_pipeline.contract.timeliness import timeliness
from dx_pipeline.warehouse.alert_register import Alert
from dx_pipeline.warehouse.connection import LOCAL_TIME_ZONE
from dx_pipeline.warehouse.control_sums import reconcile
from dx_pipeline.warehouse.ledger import Batch, get_batch
from dx_pipeline.warehouse.volume import WHOLE_READS, silence, volume_change

CONTRACTS = "contracts"
MART = "mart."
FEWEST_JUDGED = 100  # of parts of a source, as for the cap on the rejected share
_MOST_CODES = 5


def find_conditions(
    connection: Connection, catalog: Catalog, limits: Limits, news: RunNews, known: Sequence[Alert]
) -> list[Condition]:
    """Everything that is wrong now, worst first.

    Args:
        news: what a run that just ended tells.
        known: open alerts; what a run told lasts until the ledger shows that it was mended.
    """
    not_mended = list(_not_mended(connection, catalog, limits, news, known))
    in_ledger = {condition.subject for condition in not_mended}
    told = _told_by_runs(connection, catalog, news, known)
    return [
        *_broken_contracts(catalog),
        *not_mended,
        *(condition for condition in told if condition.subject not in in_ledger),
        *_of_published(connection, catalog, limits),
    ]


def is_examined(catalog: Catalog, alert: Alert) -> bool:
    """Whether a check with these contracts can tell that an alert is over. Another project's datasets it does not see."""
    return alert.subject == CONTRACTS or alert.subject.startswith(MART) or alert.subject in catalog.contracts


def _broken_contracts(catalog: Catalog) -> Iterator[Condition]:
    if catalog.broken:
        yield Condition("contract_broken", CONTRACTS, {"broken": len(catalog.broken)})


def _not_mended(
    connection: Connection, catalog: Catalog, limits: Limits, news: RunNews, known: Sequence[Alert]
) -> Iterator[Condition]:
    """Failed and held batches that no later one has replaced, and batches whose run will never end."""
    rows = connection.execute(
        sa.text(
            "select b.system || '.' || b.dataset as subject, b.batch_id, b.status, b.landed_at, b.staged_at, b.started_at,"
            " b.period_month from ops.batch as b where b.status in ('failed', 'held')"
            " or (b.status in ('extracting', 'landed', 'staged') and (b.run_id = any(:dead)"
            " or b.batch_id = any(:known) or b.started_at < now() - make_interval(secs => :seconds)))"
            " order by b.batch_id desc"
        ),
        {
            "dead": list(news.dead_runs),
            "known": [alert.batch_id for alert in known if alert.kind == "run_failed" and alert.batch_id],
            "seconds": limits.unfinished_hours * 3600,
        },
    )
    by_subject: dict[str, list[Any]] = {}
    for row in rows:
        by_subject.setdefault(row.subject, []).append(row)
    for subject, batches in by_subject.items():
        contract = catalog.contracts.get(subject)
        if contract is None:
            continue
        newest = batches[0]
        facts = {
            "batches": len(batches),
            "since": batches[-1].started_at.isoformat(),
            "month": None if newest.period_month is None else f"{newest.period_month:%Y-%m}",
            "at": "reading" if newest.landed_at is None else "judging" if newest.staged_at is None else "publishing",
        }
        if newest.status == "held":
            codes = _codes(connection, newest.batch_id)
            facts |= {"codes": codes, "at": "rules" if newest.staged_at is not None and codes else facts["at"]}
        elif newest.status != "failed":
            facts["at"] = "died"
        kind = "batch_held" if newest.status == "held" else "run_failed"
        yield _about(contract, kind, facts, newest.batch_id)


def _told_by_runs(
    connection: Connection, catalog: Catalog, news: RunNews, known: Sequence[Alert]
) -> Iterator[Condition]:
    """Marts that failed, and datasets that failed before they had a batch: over with the next success."""
    now = connection.execute(sa.text("select now()")).scalar_one().isoformat()
    for subject in dict.fromkeys(news.failed):
        contract = catalog.contracts.get(subject)
        if contract is not None:
            yield _about(contract, "run_failed", {"at": "start", "told_at": now}, None)
        elif subject.startswith(MART):
            yield Condition("run_failed", subject, {"at": "mart", "told_at": now})
    for alert in known:
        is_told = alert.kind == "run_failed" and "told_at" in alert.facts
        if is_told and alert.subject not in news.failed and not _succeeded_since(connection, alert):
            yield Condition("run_failed", alert.subject, alert.facts, alert.owner_agency)


def _succeeded_since(connection: Connection, alert: Alert) -> bool:
    if alert.subject.startswith(MART):
        statement = "select exists (select from ops.mart_refresh as m where m.mart = :name and m.refreshed_at > :at)"
    else:
        statement = (
            "select exists (select from ops.batch as b where b.system || '.' || b.dataset = :name"
            " and b.published_at > :at)"
        )
    binds = {"name": alert.subject.removeprefix(MART), "at": datetime.fromisoformat(alert.facts["told_at"])}
    return bool(connection.execute(sa.text(statement), binds).scalar_one())


def _of_published(connection: Connection, catalog: Catalog, limits: Limits) -> Iterator[Condition]:
    """What is wrong with data that was published: its age, its quality, its amount, its sums."""
    latest = _latest(connection)
    local = ZoneInfo(LOCAL_TIME_ZONE)
    now = connection.execute(sa.text("select now()")).scalar_one().astimezone(local)
    for contract in catalog.contracts.values():
        row = latest.get(contract.id)
        if row is None:
            continue
        grace = timedelta(hours=limits.stale_grace_hours)
        late = timeliness(None, contract.freshness, row.published_at.astimezone(local), now).late_by
        if late is not None and late > grace and contract.freshness is not None:
            facts = {"published_at": row.published_at.isoformat(), "late_hours": _hours(late)}
            yield _about(
                contract, "source_stale", {**facts, "promised_hours": _hours(contract.freshness)}, row.batch_id
            )
        quality = _quality(connection, contract, limits)
        if quality is not None:
            yield quality
        if (silent := silence(connection, contract)) is not None and contract.volume.new_within is not None:
            facts = {"silent_hours": _hours(silent), "expected_hours": _hours(contract.volume.new_within)}
            yield _about(contract, "no_new_data", facts, row.batch_id)
        if row.whole_id is not None and contract.volume.band is not None:
            yield from _volume(connection, contract, get_batch(connection, row.whole_id))
        sums = reconcile(connection, row.batch_id) if row.batch_id is not None else []
        differing = [one.measure for one in sums if one.broken]
        if differing:
            yield _about(contract, "sums_differ", {"measures": differing[:_MOST_CODES]}, row.batch_id)


def _latest(connection: Connection) -> Mapping[str, Any]:
    """Of each dataset: its last publishing, the last batch that had rows, the last whole read."""
    rows = connection.execute(
        sa.text(
            "select b.system || '.' || b.dataset as subject, max(b.published_at) as published_at,"
            " max(b.batch_id) filter (where b.extracted > 0) as batch_id,"
            " max(b.batch_id) filter (where b.kind = any(:whole)) as whole_id"
            " from ops.batch as b where b.status = 'published' group by b.system, b.dataset"
        ),
        {"whole": list(WHOLE_READS)},
    )
    return {row.subject: row for row in rows}


def _quality(connection: Connection, contract: Contract, limits: Limits) -> Condition | None:
    """The share rejected of what was judged last: batches back to a whole read, or until they make 100 rows.

    Of a batch and its replays the newest counts.
    """
    rows = connection.execute(
        sa.text(
            "select b.batch_id, b.extracted, b.quarantined, coalesce(b.replay_of, b.batch_id) as origin,"
            " coalesce(o.kind, b.kind) = any(:whole) as is_whole from ops.batch as b"
            " left join ops.batch as o on b.replay_of = o.batch_id"
            " where b.system = :system and b.dataset = :dataset and b.status = 'published' and b.extracted > 0"
            " order by b.batch_id desc limit 100"
        ),
        {"system": contract.system, "dataset": contract.dataset, "whole": list(WHOLE_READS)},
    )
    judged = rejected = 0
    is_enough = False
    batches: list[int] = []
    origins: set[int] = set()
    for row in rows:
        if row.origin in origins:
            continue
        origins.add(row.origin)
        batches.append(row.batch_id)
        judged, rejected = judged + row.extracted, rejected + row.quarantined
        is_enough = row.is_whole or judged >= FEWEST_JUDGED
        if is_enough:
            break
    if not is_enough or rejected <= limits.rejected_share * judged:
        return None
    facts = {
        "judged": judged,
        "rejected": rejected,
        "percent": round(100 * rejected / judged, 1),
        "limit_percent": round(100 * limits.rejected_share, 1),
        "codes": _codes(connection, *batches),
    }
    return _about(contract, "quality_low", facts, batches[0])


def _volume(connection: Connection, contract: Contract, batch: Batch) -> Iterator[Condition]:
    change = volume_change(connection, contract, batch)
    if change is not None:
        facts = {"rows": change.rows, "usual": round(change.usual), "percent": round(change.percent)}
        yield _about(contract, "volume_outside_band", {**facts, "band_percent": 100 * change.band}, batch.batch_id)


def _codes(connection: Connection, *batch_ids: int) -> dict[str, int]:
    """Critical rules that did not hold, by code, with the rows that broke them; those with most first."""
    rows = connection.execute(
        sa.text(
            "select r.code, sum(coalesce(r.unexpected, 0)) as found from ops.rule_result as r"
            " where r.batch_id = any(:batches) and r.severity = 'critical' and not r.passed"
            " group by r.code order by found desc, r.code limit :most"
        ),
        {"batches": list(batch_ids), "most": _MOST_CODES},
    )
    return {row.code: int(row.found) for row in rows}


def _about(contract: Contract, kind: str, facts: Mapping[str, Any], batch_id: int | None) -> Condition:
    return Condition(kind, contract.id, facts, contract.owner_agency, batch_id)


def _hours(span: timedelta) -> float:
    return round(span.total_seconds() / 3600, 1)
