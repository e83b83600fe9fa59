"""Aggregates in the shape of two other systems: the provincial reporting system and the e-government monitoring centre (EMC).

Both are counts only. EMC's own call sends one dossier with the citizen's id; ours has its codes (Status, FormsReception,
FormsPayments, Level) and a number of dossiers in the place of the dossier and the person.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from dx_pipeline.contract.indicator import Indicator
from dx_pipeline.errors import SettingsError
from dx_pipeline.warehouse.asking import asking
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.indicator_value import indicator_values

CARRIED_OUT = 3  # dataTypeId: 1 plan, 2 estimate, 3 carried out, 4 official
_PERIOD = re.compile(r"(?P<year>\d{4})(?:-(?:(?P<month>0[1-9]|1[0-2])|Q(?P<quarter>[1-4])|H(?P<half>[12])))?")
_EMC = """
with payment as (
    select
        e.dossier_code,
        e.registered_on,
        bool_or(e.method = 'truc-tuyen') as is_online
    from core.fact_dossier_event as e
    where e.event_kind_sk = 3 and e.closed_on is null and e.amount_vnd > 0 and e.state = 'da_thanh_toan'
    group by
        e.dossier_code,
        e.registered_on
),

dossier as (
    select
        a.agency_code,
        r.procedure_code,
        case
            when d.refused_at is not null then 0
            when d.finished_at is not null then 3
            when d.received_at is not null then 2
            else 1
        end as status,
        case when d.channel_sk = 2 then 1 else 2 end as reception,
        case when p.dossier_code is null then 0 when p.is_online then 1 else 2 end as payment,
        d.service_level,
        coalesce(d.submitted_through = 1, false) as from_national_portal
    from core.fact_dossier as d
    inner join core.dim_agency as a on d.agency_sk = a.agency_sk
    inner join core.dim_procedure as r on d.procedure_sk = r.procedure_sk
    left join payment as p on d.dossier_code = p.dossier_code and d.registered_on = p.registered_on
    left join core.duplicate_dossier as x on d.dossier_code = x.dossier_code and d.registered_on = x.registered_on
    where d.received_on >= :first and d.received_on <= :last and d.deleted_at is null and x.dossier_code is null
)

select
    d.agency_code as "SiteId",
    d.procedure_code as "CodeTTHC",
    d.status as "Status",
    d.reception as "FormsReception",
    d.payment as "FormsPayments",
    case when d.service_level in (3, 4) then d.service_level else 0 end as "Level",
    d.from_national_portal as "IsFromDVCQG",
    count(*) as "Count"
from dossier as d
group by 1, 2, 3, 4, 5, 6, 7
order by 1, 2, 3, 4, 5, 6, 7
"""


@dataclass(frozen=True)
class Period:
    """A month, quarter, half-year or year; ``period_id`` as the provincial reporting system numbers them."""

    text: str
    year: int
    period_id: int
    first: date
    last: date


def parse_period(text: str) -> Period:
    """``2024-06``, ``2024-Q2``, ``2024-H1`` or ``2024``.

    Raises:
        SettingsError: it is none of these.
    """
    match = _PERIOD.fullmatch(text)
    if match is None:
        raise SettingsError(f"--period {text!r} is unknown", next_step="e.g. 2024-06, 2024-Q2, 2024-H1 or 2024")
    year = int(match["year"])
    if match["month"]:
        number, start, months = int(match["month"]), int(match["month"]), 1
    elif match["quarter"]:
        number, start, months = 12 + int(match["quarter"]), 3 * int(match["quarter"]) - 2, 3
    elif match["half"]:
        number, start, months = 16 + int(match["half"]), 6 * int(match["half"]) - 5, 6
    else:
        number, start, months = 20, 1, 12
    end = start + months - 1
    return Period(text, year, number, date(year, start, 1), date(year, end, calendar.monthrange(year, end)[1]))


def indicator_report(
    warehouse: Warehouse, indicators: Sequence[Indicator], period: Period, *, office_code: str, role: str
) -> dict[str, Any]:
    """Every declared indicator that has a value in the period, as the provincial reporting system writes values."""
    data = []
    for indicator in indicators:
        if indicator.time is None or (indicator.time.unit == "year" and period.period_id != 20):
            continue
        with asking(warehouse, role) as connection:
            values = indicator_values(connection, indicator, since=period.first, until=period.last)
        for one in values:
            if one.value is not None:
                data.append(
                    {
                        "officeCode": office_code,
                        "indicatorCode": indicator.id.upper(),
                        "dataTypeId": CARRIED_OUT,
                        "periodId": period.period_id,
                        "dataYear": period.year,
                        "unit": indicator.unit.vi,
                        "value": _number(one.value),
                    }
                )
    return {"data": data, "error": {"code": 0, "internalMessage": "", "userMessage": ""}, "total": len(data)}


def emc_report(warehouse: Warehouse, period: Period, *, role: str) -> dict[str, Any]:
    """Dossiers received in the period, counted by agency, procedure and the codes of EMC; nothing about a person."""
    with asking(warehouse, role) as connection:
        found = connection.execute(sa.text(_EMC), {"first": period.first, "last": period.last}).mappings()
        data = [dict(row) for row in found]
    return {"period": period.text, "data": data, "total": len(data), "dossiers": sum(row["Count"] for row in data)}


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)
