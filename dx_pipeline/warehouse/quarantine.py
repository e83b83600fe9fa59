"""The quarantine ``ops.quarantine``: one row per rejected source row, with its reasons and raw record.

When the source mends the row, the next batch that accepts it releases it by itself. A row discarded by a person stays
discarded, and counted, until its record changes at the source: then it is open again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.contract.model import Contract
from dx_pipeline.warehouse.ledger import Batch
from dx_pipeline.warehouse.stage import rejected_table


@dataclass(frozen=True)
class QuarantinedRow:
    """One rejected row as people see it. ``raw_record`` is the source row, and may hold personal data."""

    quarantine_id: int
    dataset_id: str
    row_key: str
    reasons: list[str]
    messages_vi: list[str]
    messages_en: list[str]
    raw_record: dict[str, Any]
    owner_agency: str
    first_batch_id: int
    last_batch_id: int
    first_seen: datetime
    last_seen: datetime
    status: str


def settle_quarantine(connection: Connection, contract: Contract, batch: Batch, *, identity: Sequence[str]) -> None:
    """Release mended rows, then record the rejected rows of this batch; inside the publishing transaction.

    A replay shows rows as they were when its batch was read: what a later batch said of a row stays.

    Args:
        identity: stage columns that make the row key (the contract's row identity).
    """
    scope = {
        "system": contract.system,
        "dataset": contract.dataset,
        "batch_id": batch.batch_id,
        "origin": batch.replay_of or batch.batch_id,
    }
    read_later = "(select coalesce(b.replay_of, b.batch_id) from ops.batch as b where b.batch_id = {}) > :origin"
    key = "concat_ws('|', " + ", ".join(f's."{name}"::text' for name in identity) + ")"
    connection.execute(
        sa.text(
            "update ops.quarantine as q set status = 'released', released_at = now(), released_by_batch = :batch_id"
            f' from stage."{contract.stage_table}" as s where q.system = :system and q.dataset = :dataset'
            f" and q.status in ('open', 'discarded') and q.row_key = {key} and not {read_later.format('q.last_batch_id')}"
        ),
        scope,
    )
    rejected = rejected_table(contract)
    if contract.load.mode == "snapshot":
        connection.execute(
            sa.text(
                "update ops.quarantine set status = 'gone', released_at = now(), released_by_batch = :batch_id"
                " where system = :system and dataset = :dataset and status in ('open', 'discarded')"
                f' and row_key not in (select r.row_key from stage."{rejected}" as r)'
            ),
            scope,
        )
    connection.execute(
        sa.text(
            "update ops.quarantine as q set status = case when q.raw_record = r.raw_record::jsonb then 'discarded'"
            " else 'open' end, reasons = r.reasons, raw_record = r.raw_record::jsonb, last_batch_id = :batch_id,"
            f' last_seen = now() from stage."{rejected}" as r where q.system = :system and q.dataset = :dataset'
            f" and q.status = 'discarded' and q.row_key = r.row_key and not {read_later.format('q.last_batch_id')}"
        ),
        scope,
    )
    connection.execute(
        sa.text(
            "insert into ops.quarantine (system, dataset, row_key, reasons, raw_record, owner_agency, first_batch_id,"
            " last_batch_id, first_seen, last_seen, status) select :system, :dataset, r.row_key, r.reasons,"
            " r.raw_record::jsonb, :owner, :batch_id, :batch_id, now(), now(), 'open'"
            f' from stage."{rejected}" as r where not exists (select from ops.quarantine as q'
            " where q.system = :system and q.dataset = :dataset and q.row_key = r.row_key"
            f" and (q.status = 'discarded' or {read_later.format('coalesce(q.released_by_batch, q.last_batch_id)')}))"
            " on conflict (system, dataset, row_key) where status = 'open' do update set reasons = excluded.reasons,"
            " raw_record = excluded.raw_record, last_batch_id = excluded.last_batch_id, last_seen = excluded.last_seen"
        ),
        {**scope, "owner": contract.owner_agency},
    )


def list_quarantine(
    connection: Connection,
    *,
    dataset_ids: Sequence[str] | None = None,
    reason: str | None = None,
    agency: str | None = None,
    status: str = "open",
    limit: int | None = 50,
) -> list[QuarantinedRow]:
    """Quarantined rows, newest first, with the messages of their reasons."""
    conditions = ["q.status = :status"]
    parameters: dict[str, Any] = {"status": status}
    if dataset_ids:
        conditions.append("q.system || '.' || q.dataset = any(:ids)")
        parameters["ids"] = list(dataset_ids)
    if reason:
        conditions.append(":reason = any(q.reasons)")
        parameters["reason"] = reason
    if agency:
        conditions.append("q.owner_agency = :agency")
        parameters["agency"] = agency
    bound = "" if limit is None else " limit :limit"
    if limit is not None:
        parameters["limit"] = limit
    return [_row(row) for row in connection.execute(sa.text(_select(conditions) + bound), parameters).mappings()]


def get_quarantined(connection: Connection, quarantine_id: int) -> QuarantinedRow | None:
    """One quarantined row, whatever its status."""
    row = connection.execute(sa.text(_select(["q.quarantine_id = :id"])), {"id": quarantine_id}).mappings().first()
    return _row(row) if row else None


def quarantine_counts(connection: Connection) -> list[tuple[str, str, str, str, int]]:
    """Open rows as (dataset, reason, message vi, message en, rows), most frequent first."""
    rows = connection.execute(
        sa.text(
            "with reason as (select q.system || '.' || q.dataset as dataset_id, r.code, q.last_batch_id"
            " from ops.quarantine as q cross join lateral unnest(q.reasons) as r(code) where q.status = 'open'),"
            " counted as (select dataset_id, code, max(last_batch_id) as batch_id, count(*) as n from reason group by 1, 2)"
            " select c.dataset_id, c.code, coalesce(m.message_vi, c.code), coalesce(m.message_en, c.code), c.n"
            " from counted as c left join ops.rule_result as m on m.batch_id = c.batch_id and m.code = c.code"
            " order by c.n desc, 1, 2"
        )
    )
    return [(row[0], row[1], row[2], row[3], int(row[4])) for row in rows]


@dataclass(frozen=True)
class ReasonSummary:
    """Rows of one department, dataset and reason; ages in days, of the open rows."""

    owner_agency: str
    dataset_id: str
    code: str
    message_vi: str
    message_en: str
    open_rows: int
    discarded_rows: int
    oldest: datetime | None
    newest: datetime | None
    median_days: float | None


def quarantine_summary(
    connection: Connection, *, dataset_ids: Sequence[str] | None = None, agency: str | None = None
) -> list[ReasonSummary]:
    """Open and discarded rows by department, dataset and reason, with the ages of the open ones.

    A row with two reasons is counted under each of them.
    """
    conditions = ["q.status in ('open', 'discarded')"]
    parameters: dict[str, Any] = {}
    if dataset_ids:
        conditions.append("q.system || '.' || q.dataset = any(:ids)")
        parameters["ids"] = list(dataset_ids)
    if agency:
        conditions.append("q.owner_agency = :agency")
        parameters["agency"] = agency
    is_open = "filter (where q.status = 'open')"
    rows = connection.execute(
        sa.text(
            "with counted as (select coalesce(q.owner_agency, '') as owner_agency,"
            " q.system || '.' || q.dataset as dataset_id, r.code, max(q.last_batch_id) as batch_id,"
            f" count(*) {is_open} as open_rows, count(*) filter (where q.status = 'discarded') as discarded_rows,"
            f" min(q.first_seen) {is_open} as oldest, max(q.first_seen) {is_open} as newest,"
            " percentile_cont(0.5) within group (order by extract(epoch from now() - q.first_seen)::double precision)"
            f" {is_open} / 86400 as median_days"
            " from ops.quarantine as q cross join lateral unnest(q.reasons) as r(code)"
            f" where {' and '.join(conditions)} group by 1, 2, 3)"
            " select c.owner_agency, c.dataset_id, c.code, coalesce(m.message_vi, c.code) as message_vi,"
            " coalesce(m.message_en, c.code) as message_en, c.open_rows, c.discarded_rows, c.oldest, c.newest,"
            " c.median_days from counted as c left join ops.rule_result as m on m.batch_id = c.batch_id"
            " and m.code = c.code order by c.owner_agency, c.dataset_id, c.open_rows desc, c.code"
        ),
        parameters,
    ).mappings()
    return [ReasonSummary(**dict(row)) for row in rows]


def _select(conditions: Sequence[str]) -> str:
    return (
        "select q.quarantine_id, q.system || '.' || q.dataset as dataset_id, q.row_key, q.reasons, q.raw_record,"
        " q.owner_agency, q.first_batch_id, q.last_batch_id, q.first_seen, q.last_seen, q.status,"
        " array(select coalesce(m.message_vi, r.code) from unnest(q.reasons) with ordinality as r(code, n)"
        " left join ops.rule_result as m on m.batch_id = q.last_batch_id and m.code = r.code order by r.n) as messages_vi,"
        " array(select coalesce(m.message_en, r.code) from unnest(q.reasons) with ordinality as r(code, n)"
        " left join ops.rule_result as m on m.batch_id = q.last_batch_id and m.code = r.code order by r.n) as messages_en"
        f" from ops.quarantine as q where {' and '.join(conditions)} order by q.last_seen desc, q.quarantine_id desc"
    )


def _row(row: Any) -> QuarantinedRow:
    return QuarantinedRow(**dict(row))
