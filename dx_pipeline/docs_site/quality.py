"""What the site tells of quality: counts of the ledger and of the quarantine. No raw row and no value is ever read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.warehouse.quarantine import ReasonSummary, quarantine_summary

_BATCHES_SHOWN = 60
# One batch per dataset and moment of publishing, the latest ones: a partitioned dataset has one a month.
_BATCHES = f"""
select
    dataset_id,
    batch_id,
    published_at,
    extracted,
    accepted,
    quarantined,
    duplicate,
    flagged
from (
    select
        b.system || '.' || b.dataset as dataset_id,
        b.batch_id,
        b.published_at,
        b.extracted,
        b.accepted,
        b.quarantined,
        b.duplicate,
        coalesce(b.flagged, 0) as flagged,
        row_number() over (partition by b.system, b.dataset order by b.batch_id desc) as newest
    from ops.batch as b
    where b.status = 'published' and b.extracted > 0
) as b
where b.newest <= {_BATCHES_SHOWN}
order by dataset_id, batch_id
"""
_LAST = """
select
    b.system || '.' || b.dataset as dataset_id,
    max(b.published_at) as published_at,
    max(b.batch_id) filter (where b.status in ('held', 'failed')) as troubled,
    max(b.batch_id) filter (where b.status = 'published') as published
from ops.batch as b
group by 1
"""
_RULES = """
select
    b.system || '.' || b.dataset as dataset_id,
    r.code,
    sum(r.evaluated)::bigint as evaluated,
    sum(r.unexpected)::bigint as unexpected,
    count(*) filter (where not r.passed) as broken_batches,
    count(*) as batches
from ops.rule_result as r
inner join ops.batch as b on b.batch_id = r.batch_id
where b.status = 'published' and r.batch_id = any(:batches)
group by 1, 2
"""
_OPEN = """
select
    q.system || '.' || q.dataset as dataset_id,
    count(*) as open_rows
from ops.quarantine as q
where q.status = 'open'
group by 1
"""
_AGENCIES = """
select
    agency_code,
    name
from core.dim_agency
where is_current and not is_inferred and agency_code = any(:codes)
"""


@dataclass(frozen=True)
class Reading:
    """Counts of one published batch."""

    batch_id: int
    published_at: datetime
    extracted: int
    accepted: int
    quarantined: int
    duplicate: int
    flagged: int

    @property
    def rejected_share(self) -> float:
        """Rejected rows of those read."""
        return self.quarantined / self.extracted


@dataclass(frozen=True)
class RuleCount:
    """How a rule came out over the batches that the board shows."""

    evaluated: int | None
    unexpected: int | None
    broken_batches: int
    batches: int


@dataclass
class DatasetQuality:
    """Everything the board says of one dataset."""

    readings: list[Reading] = field(default_factory=list)
    rules: dict[str, RuleCount] = field(default_factory=dict)
    published_at: datetime | None = None
    is_troubled: bool = False
    open_rows: int = 0
    is_snapshot: bool = False

    @property
    def counted(self) -> list[Reading]:
        """The batches that are counted together: each snapshot reads the whole source, so only the last one."""
        return self.readings[-1:] if self.is_snapshot else self.readings

    @property
    def extracted(self) -> int:
        return sum(one.extracted for one in self.counted)

    @property
    def accepted(self) -> int:
        return sum(one.accepted for one in self.counted)

    @property
    def quarantined(self) -> int:
        return sum(one.quarantined for one in self.counted)

    @property
    def duplicate(self) -> int:
        return sum(one.duplicate for one in self.counted)

    @property
    def flagged(self) -> int:
        return sum(one.flagged for one in self.counted)

    @property
    def rejected_share(self) -> float | None:
        """Rejected rows of those read, over the batches shown; None when none was read."""
        return self.quarantined / self.extracted if self.extracted else None

    @property
    def broken_rules(self) -> int:
        return sum(1 for one in self.rules.values() if one.broken_batches)

    def freshness(self, promise: timedelta | None, now: datetime) -> str:
        """``none`` (never published), ``ok``, ``late`` or ``free`` (nothing was promised)."""
        if self.published_at is None:
            return "none"
        if promise is None:
            return "free"
        return "late" if now - self.published_at > promise else "ok"


@dataclass(frozen=True)
class Board:
    """The quality of all datasets at the moment the site was built."""

    now: datetime
    datasets: dict[str, DatasetQuality]
    summary: list[ReasonSummary]
    agency_names: dict[str, str]


def read_board(connection: Connection, owners: dict[str, str], snapshots: set[str]) -> Board:
    """Read the ledger; every named dataset (id → owner agency) is there, loaded or not."""
    datasets = {name: DatasetQuality(is_snapshot=name in snapshots) for name in owners}
    for row in connection.execute(sa.text(_BATCHES)):
        if row.dataset_id in datasets:
            reading = Reading(*row[1:])
            datasets[row.dataset_id].readings.append(reading)
    for row in connection.execute(sa.text(_LAST)):
        if row.dataset_id in datasets:
            datasets[row.dataset_id].published_at = row.published_at
            datasets[row.dataset_id].is_troubled = (row.troubled or 0) > (row.published or 0)
    shown = [one.batch_id for quality in datasets.values() for one in quality.counted]
    for row in connection.execute(sa.text(_RULES), {"batches": shown}):
        datasets[row.dataset_id].rules[row.code] = RuleCount(*row[2:])
    for row in connection.execute(sa.text(_OPEN)):
        if row.dataset_id in datasets:
            datasets[row.dataset_id].open_rows = row.open_rows
    summary = [row for row in quarantine_summary(connection) if row.dataset_id in datasets]
    codes = sorted({*owners.values(), *(row.owner_agency for row in summary)})
    names = {row.agency_code: row.name for row in connection.execute(sa.text(_AGENCIES), {"codes": codes})}
    now = connection.exec_driver_sql("select now()").scalar_one()
    return Board(now, datasets, summary, names)
