"""Scores of Decision 766 worked out a second time, from rows of ``core`` with pandas, as an analyst would in a notebook.

Nothing of the warehouse's SQL is used: rows are read as they are, rules, weights and places are written here again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from zoneinfo import ZoneInfo

import pandas as pd
import psycopg

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MAXIMA = {
    "DOSSIER_SYNC": 6, "PROCESSING_ON_TIME": 20, "SERVICES_ONLINE": 2, "SERVICES_WITH_ONLINE_DOSSIER": 4,
    "FILED_ONLINE": 6, "PAYMENT_USED": 2, "PAID_ONLINE": 6,
    "ORIGINAL_RESULT_AVAILABLE": 6, "SO_HOA_GIAY_TO_GIAI_QUYET": 4, "PETITION_PROCESSING_ON_TIME": 6,
    "PETITION_HANDLING_SATISFACTION": 6, "DOSSIER_RECEIVING_SATISFACTION": 6,
}  # fmt: skip
TARGETS = {
    "SERVICES_ONLINE": "0.8", "FILED_ONLINE": "0.5", "PAYMENT_USED": "0.8", "PAID_ONLINE": "0.3",
    "SO_HOA_GIAY_TO_GIAI_QUYET": "0.8",
    "DOSSIER_RECEIVING_SATISFACTION": "0.9",
}  # fmt: skip
PETITION_LIMITS = {"chua_xu_ly": 15, "giai_quyet": 15, "yeu_cau_bo_sung": 5, "tu_choi": 2, "chuyen": 2}


class Rows:
    """The rows of core that the scores stand on."""

    def __init__(self, connection: psycopg.Connection) -> None:
        def frame(query: str) -> pd.DataFrame:
            cursor = connection.execute(query)  # type: ignore[call-overload]
            return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description])

        agency = frame(
            "select agency_sk, agency_code, kind, level, valid_from from core.dim_agency where agency_sk > 0"
        )
        latest = agency.sort_values("valid_from").groupby("agency_code").last()
        self.code = dict(zip(agency.agency_sk, agency.agency_code, strict=True))
        self.peer = {code: f"{row.kind} {row.level}" for code, row in latest.iterrows() if row.kind}
        self.commune = {code for code, row in latest.iterrows() if row.level == "commune"}
        days = frame("select full_date, is_working_day from core.dim_date where full_date is not null order by 1")
        self.number = dict(zip(days.full_date, days.is_working_day.astype(int).cumsum(), strict=True))
        self.last_day = {number: day for day, number in self.number.items()}
        self.working = {self.number[day]: day for day, works in days.values.tolist() if works}
        dossier = frame(
            "select d.*, p.procedure_code, p.performing_level, p.field_code, p.time_limit_working_days"
            " from core.fact_dossier as d"
            " left join core.dim_procedure as p using (procedure_sk)"
        )
        self.kind = {code: row.kind for code, row in latest.iterrows()}
        self.procedure = frame(
            "select procedure_code, performing_level, field_code, service_level, valid_from, valid_to"
            " from core.dim_procedure where procedure_sk > 0 and not is_inferred"
        )
        self.as_of = dossier.source_updated_at.max()
        aliases = set(
            frame("select alias_code, dossier_code from core.dossier_alias").itertuples(index=False, name=None)
        )
        alive = set(dossier[dossier.deleted_at.isna()].dossier_code)
        twice = {alias for alias, kept in aliases if kept in alive}
        self.dossier = dossier[
            dossier.received_on.notna() & dossier.deleted_at.isna() & ~dossier.dossier_code.isin(twice)
        ].astype(object)
        event = frame(
            "select dossier_code, event_kind_sk, event_id, occurred_at, ended_at, state, method, amount_vnd"
            " from core.fact_dossier_event where event_kind_sk > 1"
        ).astype(object)
        self.event = event.where(event.notna(), None)
        self.dossier = self.dossier.where(self.dossier.notna(), None)
        petition = frame("select * from core.fact_petition where closed_on is null").astype(object)
        self.petition = petition.where(petition.notna(), None)
        self.disliked = frame(
            "select dossier_code, rated_on from core.fact_satisfaction where rating_code = 'khong_hai_long'"
        )


def is_on_time(rows: Rows, d: pd.Series, asks: list[tuple], ends_before: pd.Timestamp) -> bool | None:
    """Rule 2.1 for one dossier at the end of a period; None when it cannot be judged."""
    end = ended_at(d)
    first, last = (asks[0], asks[-1]) if asks else ((None, None), (None, None))
    if len(asks) > 1 and asks[1][0] < ends_before:
        return False
    due, extended = dues(rows, d, *first)
    if due is None:
        return None
    answered = first[1] is not None and first[1] < ends_before
    if end is not None and end < ends_before:
        return bool(end <= (extended if answered and first[1] <= end else due))
    if any(
        ask is not None and ask < ends_before and (answer is None or answer >= ends_before)
        for ask, answer in (first, last)
    ):
        return bool(first[0] <= due)
    return bool((extended if answered else due) >= ends_before)


def ended_at(d: pd.Series) -> pd.Timestamp | None:
    """Status 9, else 10; refusal; withdrawal or stop; the last update where the source has no date."""
    if d.status_sk in (9, 10):
        return d.finished_at or d.returned_at or d.source_updated_at
    if d.status_sk == 3:
        return d.refused_at or d.finished_at or d.source_updated_at
    return d.finished_at or d.source_updated_at if d.status_sk in (7, 8) else None


def dues(rows: Rows, d: pd.Series, asked: object, answered: object) -> tuple:
    """Due, and due with the time of the first supplement added."""
    if d.due_at is not None:
        wait = max(answered - asked, timedelta()) if asked is not None and answered is not None else timedelta()
        return d.due_at, d.due_at + wait
    if d.time_limit_working_days is None:
        return None, None
    number = rows.number[d.received_on] + int(d.time_limit_working_days)
    more = 0
    if asked is not None and answered is not None:
        more = max(rows.number[local_day(answered)] - rows.number[local_day(asked)], 0)
    return end_of(rows.last_day[number]), end_of(rows.last_day[number + more])


def local_day(moment: object) -> date:
    return moment.astimezone(ZONE).date()  # type: ignore[attr-defined]


def end_of(day: date) -> pd.Timestamp:
    return pd.Timestamp(day + timedelta(days=1), tz=ZONE) - timedelta(microseconds=1)


def shares(rows: Rows, first: date, last: date) -> dict[str, dict[str, tuple[Fraction | None, int]]]:
    """Agency → component → (share, denominator) of a period."""
    ends_before = min(pd.Timestamp(last + timedelta(days=1), tz=ZONE), rows.as_of + timedelta(microseconds=1))
    begin = pd.Timestamp(first, tz=ZONE)
    counts: dict[tuple[str, str], list[int]] = {}
    procedures: dict[str, dict[str, bool]] = {}

    def count(agency: str | None, component: str, is_good: bool) -> None:
        if agency is not None:
            cell = counts.setdefault((agency, component), [0, 0])
            cell[0] += is_good
            cell[1] += 1

    asks: dict[str, list[tuple]] = {}
    supplements = rows.event[(rows.event.event_kind_sk == 2) & rows.event.occurred_at.notna()]
    for one in supplements.sort_values(["occurred_at", "event_id"]).itertuples():
        asks.setdefault(one.dossier_code, []).append((one.occurred_at, one.ended_at))
    sent = set(rows.event[rows.event.event_kind_sk == 5].dossier_code)
    result = set(rows.event[(rows.event.event_kind_sk == 4) & (rows.event.state == "co_tep")].dossier_code)
    money = rows.event[(rows.event.event_kind_sk == 3) & (rows.event.amount_vnd > 0)]
    owing = set(money[money.state.notna() & (money.state != "huy_thanh_toan")].dossier_code)
    online = set(money[(money.state == "da_thanh_toan") & (money.method == "truc-tuyen")].dossier_code)

    complained = complaints(rows)
    for d in rows.dossier.itertuples():
        agency, code = rows.code.get(d.agency_sk), d.dossier_code
        end = ended_at(d)
        if d.received_on <= last and (end is None or end >= begin or (d.received_on >= first and d.status_sk != 8)):
            own = asks.get(code) or (
                [(d.supplement_requested_at, d.supplement_received_at)] if d.supplement_requested_at else []
            )
            verdict = is_on_time(rows, d, own, ends_before)
            if verdict is not None:
                count(agency, "PROCESSING_ON_TIME", verdict)
        if first <= d.received_on <= last:
            count(agency, "DOSSIER_SYNC", code in sent)
            count(agency, "FILED_ONLINE", d.channel_sk == 2)
            if code in owing:
                count(agency, "PAID_ONLINE", code in online)
                if agency is not None and d.procedure_sk > 0:
                    known = procedures.setdefault(agency, {})
                    known[d.procedure_code] = known.get(d.procedure_code, False) or code in online
        if d.status_sk in (9, 10) and first <= local_day(end) <= last:
            count(agency, "ORIGINAL_RESULT_AVAILABLE", code in result)
            count(agency, "SO_HOA_GIAY_TO_GIAI_QUYET", code in result and d.has_digitised_component is True)
        if code in complained and first <= complained[code] <= last:
            count(agency, "complained", False)
    for agency, used in procedures.items():
        counts[agency, "PAYMENT_USED"] = [sum(used.values()), len(used)]
    filed: dict[str, set[str]] = {}
    for d in rows.dossier.itertuples():
        if d.procedure_sk > 0 and first <= d.received_on <= last and d.channel_sk == 2:
            filed.setdefault(rows.code.get(d.agency_sk, ""), set()).add(d.procedure_code)
    for agency, competent in services(rows, last).items():
        online = {code for code, level in competent.items() if level >= 3}
        counts[agency, "SERVICES_ONLINE"] = [len(online), len(competent)]
        counts[agency, "SERVICES_WITH_ONLINE_DOSSIER"] = [len(online & filed.get(agency, set())), len(online)]
    for p in rows.petition.itertuples():
        if first <= p.received_on <= last:
            petition(rows, p, count)

    found: dict[str, dict[str, tuple[Fraction | None, int]]] = {}
    for agency in {agency for agency, name in counts if not name.startswith("SERVICES_")}:
        cells = {name: counts.get((agency, name), [0, 0]) for name in MAXIMA}
        good, judged = cells["PROCESSING_ON_TIME"]
        cells["DOSSIER_RECEIVING_SATISFACTION"] = [max(good - counts.get((agency, "complained"), [0, 0])[1], 0), judged]
        share = {name: (Fraction(n, of) if of else None, of) for name, (n, of) in cells.items()}
        online_share, synced = share["FILED_ONLINE"][0], share["DOSSIER_SYNC"][0]
        if online_share is not None and synced is not None:
            share["FILED_ONLINE"] = (online_share * synced, share["FILED_ONLINE"][1])
        found[agency] = share
    return found


def services(rows: Rows, last: date) -> dict[str, dict[str, int]]:
    """Agency → procedures it is competent for on a day, with the level of service."""
    found: dict[str, dict[str, int]] = {}
    lists: dict[tuple[str, str | None], dict[str, int]] = {}
    for p in rows.procedure[(rows.procedure.valid_from <= last) & (rows.procedure.valid_to > last)].itertuples():
        key = (p.performing_level, p.field_code if p.performing_level == "tinh" else None)
        lists.setdefault(key, {})[p.procedure_code] = 0 if pd.isna(p.service_level) else int(p.service_level)
    year = rows.dossier[
        (rows.dossier.received_on > (pd.Timestamp(last) - pd.DateOffset(months=12)).date())
        & (rows.dossier.received_on <= last)
        & (rows.dossier.performing_level == "tinh")
        & (rows.dossier.procedure_sk > 0)
    ]
    accepted: dict[str, dict[str, int]] = {}
    for d in year.itertuples():
        agency = rows.code.get(d.agency_sk, "")
        if rows.kind.get(agency) == "so-ban-nganh":
            of_field = accepted.setdefault(d.field_code, {})
            of_field[agency] = of_field.get(agency, 0) + 1
    for field, of_field in accepted.items():
        most = [agency for agency, count in of_field.items() if count == max(of_field.values())]
        if len(most) == 1:
            found.setdefault(most[0], {}).update(lists.get(("tinh", field), {}))
    for agency, peer in rows.peer.items():
        level = {"quan-huyen district": "huyen", "xa-phuong commune": "xa"}.get(peer)
        if level is not None:
            found[agency] = lists.get((level, None), {})
    return found


def complaints(rows: Rows) -> dict[str, date]:
    """Dossier → the day of its first dislike or petition."""
    days: dict[str, date] = {}
    about = rows.petition[rows.petition.dossier_code.notna()]
    told: Iterable[tuple[str, date]] = [
        *rows.disliked.itertuples(index=False, name=None),
        *zip(about.dossier_code, about.received_on, strict=True),
    ]
    for code, day in told:
        days[code] = min(day, days.get(code, day))
    return days


def petition(rows: Rows, p: pd.Series, count: object) -> None:
    """Indicators 5.2 and 5.3 for one petition."""
    known = [day for day in (*rows.petition.received_on, *rows.petition.handled_on, *rows.petition.published_on) if day]
    as_of = max(known)
    limit = PETITION_LIMITS.get(p.handling_code)
    due = rows.working.get(rows.number[p.received_on] + limit) if limit is not None else None
    on_time = p.handled_on <= due if p.handled_on and due else None
    waits_late = on_time is None and due is not None and due < as_of
    if waits_late or on_time is not None:
        count(rows.code.get(p.agency_sk), "PETITION_PROCESSING_ON_TIME", not waits_late and on_time)  # type: ignore[operator]
    content = p.rating_code != "khong_hai_long" and not p.raised_again and on_time is not False and not waits_late
    count(rows.code.get(p.agency_sk), "PETITION_HANDLING_SATISFACTION", content)  # type: ignore[operator]


def ranking(rows: Rows, first: date, last: date) -> pd.DataFrame:
    """Agency, percent and place within its peer group; only agencies to which half of the measured points apply."""
    table = []
    for agency, share in shares(rows, first, last).items():
        score, most = Fraction(), 0
        for name, maximum in MAXIMA.items():
            rate, _ = share[name]
            if rate is not None:
                score += maximum * min(Fraction(1), rate / Fraction(TARGETS.get(name, "1")))
                most += maximum
        if agency in rows.peer and 2 * most >= sum(MAXIMA.values()):
            table.append((agency, rows.peer[agency], 100 * score / most))
    frame = pd.DataFrame(table, columns=["agency_code", "peer_group", "percent"])
    frame["place"] = [
        1 + int((frame[frame.peer_group == one.peer_group].percent > one.percent).sum()) for one in frame.itertuples()
    ]
    frame["percent"] = frame.percent.map(decimal_20)
    return frame.sort_values(["peer_group", "place", "agency_code"]).reset_index(drop=True)


def decimal_20(value: Fraction) -> Decimal:
    with localcontext(prec=80):
        exact = Decimal(value.numerator) / Decimal(value.denominator)
        return exact.quantize(Decimal(1).scaleb(-20), rounding=ROUND_HALF_UP)
