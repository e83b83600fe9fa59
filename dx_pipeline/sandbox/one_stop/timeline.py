"""The life of each dossier as moments: submitted, accepted, due, supplemented, ended, handed over.

Every function works on a chunk of dossiers at once. A moment is a count of seconds since
1970-01-01 in local time; -1 means "has not happened". Shares follow what a province of about
700,000 people sees: 55 % commune, 25 % district, 20 % province; overdue 1-4 %; online 40-65 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dx_pipeline.sandbox.one_stop.agencies import Agencies
from dx_pipeline.sandbox.one_stop.procedures import Catalogue
from dx_pipeline.sandbox.one_stop.quotas import Quotas
from dx_pipeline.sandbox.one_stop.working_days import Bools, Int64s, WorkCalendar, day_number

Floats = NDArray[np.float64]

DAY: Final = 86_400
OPENS: Final = 27_900  # 07:45
CLOSES: Final = 61_200  # 17:00
DIRECT, ONLINE, POST, NO_CHANNEL = 1, 2, 3, 0

# Shares of submissions per half hour from 00:00.
_AT_THE_DESK: Final = np.array([*[0] * 15, 6, 10, 11, 10, 9, 7, 5, 2, 0, 0, 0, 0, 5, 7, 8, 7, 6, 4, *[0] * 15])
_ONLINE_HOURS: Final = np.array(
    [
        *(1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 6, 9, 12, 13, 12, 11, 10, 9, 7, 5),
        *(4, 4, 5, 7, 10, 11, 10, 9, 8, 7, 5, 4, 4, 4, 5, 6, 7, 7, 6, 5, 4, 3, 2, 1),
    ]
)
_WEEKDAY_LOAD: Final = np.array([1.22, 1.06, 1.02, 0.98, 0.95, 0.0, 0.0])


@dataclass
class Timeline:
    """One chunk of dossiers in order of submission; all arrays have the same length."""

    first_id: int
    submit: Int64s
    accept: Int64s
    due: Int64s
    due_before: Int64s  # due date before a supplement moved it
    request: Int64s  # supplement asked for
    back: Int64s  # supplement received
    checked: Int64s  # an officer finished examining it
    end: Int64s
    handed: Int64s
    refused: Int64s
    status: Int64s
    updated_us: Int64s  # microseconds
    channel: Int64s
    level: Int64s
    procedure: Int64s
    agency: Int64s
    month_end: Int64s  # positions accepted at 23:59:59 of a month's last day
    month_start: Int64s  # positions accepted at 00:00:00 of a month's first day

    def __len__(self) -> int:
        return int(self.submit.size)


@dataclass(frozen=True)
class Period:
    """The days dossiers are submitted on, and how many on each."""

    first: date
    last: date
    per_day: Int64s

    @property
    def now(self) -> int:
        """The sandbox's present: the last second of the last day."""
        return (day_number(self.last) + 1) * DAY - 1

    def chunks(self, rows: int) -> list[Int64s]:
        """Day number of every dossier, cut at midnight into pieces of about ``rows`` dossiers."""
        pieces = np.maximum(np.cumsum(self.per_day) - 1, 0) // rows
        start = day_number(self.first)
        return [
            np.repeat(np.flatnonzero(pieces == piece) + start, self.per_day[pieces == piece])
            for piece in np.unique(pieces)
        ]


def plan_period(dossiers: int, months: int, last: date, calendar: WorkCalendar) -> Period:
    """Share ``dossiers`` out over the days of ``months`` whole months ending with ``last``'s month."""
    first = first_day(last, months)
    days = np.arange(day_number(first), day_number(last) + 1, dtype=np.int64)
    load = np.where(calendar.works_on(days), _WEEKDAY_LOAD[(days + 3) % 7], 0.08)
    load = load * (1.0 + 0.25 * np.linspace(0.0, 1.0, days.size))
    exact = dossiers * load / load.sum()
    per_day = np.floor(exact).astype(np.int64)
    rest = dossiers - int(per_day.sum())
    per_day[np.argsort(per_day - exact, kind="stable")[:rest]] += 1
    return Period(first, last, per_day)


def first_day(last: date, months: int) -> date:
    """First day of the period: ``months`` calendar months, the one of ``last`` included."""
    month = last.year * 12 + last.month - months
    return date(month // 12, month % 12 + 1, 1)


def calendar_for(last: date, months: int) -> WorkCalendar:
    """Look-up tables wide enough for every due date of the period."""
    return WorkCalendar.spanning(first_day(last, months) - timedelta(days=31), last + timedelta(days=400))


def _pick(cumulative: Floats, drawn: Floats) -> Int64s:
    found = np.searchsorted(cumulative, drawn, side="right").astype(np.int64)
    return np.minimum(found, cumulative.size - 1)


def _time_of_day(shares: NDArray[np.int64], rng: np.random.Generator, size: int) -> Int64s:
    cumulative = np.cumsum(shares / shares.sum())
    return _pick(cumulative, rng.random(size)) * 1_800 + rng.integers(0, 1_800, size)


def _office_time(rng: np.random.Generator, size: int) -> Int64s:
    return (OPENS + rng.random(size) * (CLOSES - 300 - OPENS)).astype(np.int64)


def _procedures(
    days: Int64s, units: Int64s, calendar: WorkCalendar, catalogue: Catalogue, rng: np.random.Generator
) -> Int64s:
    chosen = np.zeros(days.size, dtype=np.int64)
    working = calendar.works_on(days)
    drawn = rng.random(days.size)
    for unit, level in enumerate("XHT"):
        for at_work in (True, False):
            rows = (units == unit) & (working == at_work)
            positions, shares = catalogue.draw(level, online_only=not at_work)
            chosen[rows] = positions[_pick(shares, drawn[rows])]
    return chosen


def _agencies(
    units: Int64s, procedures: Int64s, agencies: Agencies, catalogue: Catalogue, rng: np.random.Generator
) -> Int64s:
    drawn, second = rng.random(units.size), rng.random(units.size)
    communes, districts = agencies.communes, agencies.districts
    chosen = catalogue.owners[procedures]
    chosen = np.where(units == 0, communes[_pick(agencies.weights(communes), drawn)], chosen)
    chosen = np.where(units == 1, districts[_pick(agencies.weights(districts), drawn)], chosen)
    to_branch = (units == 1) & catalogue.is_land[procedures] & (second < 0.6)
    return np.where(to_branch, agencies.land_branch_of[chosen], chosen).astype(np.int64)


def _acceptance(submit: Int64s, channel: Int64s, calendar: WorkCalendar, rng: np.random.Generator) -> Int64s:
    """Direct: minutes after submission. Online: in office hours, the same day if it came before 15:30."""
    size = submit.size
    day, second = submit // DAY, submit % DAY
    at_desk = submit + 60 + (rng.random(size) * 1_100).astype(np.int64)
    same_day = calendar.works_on(day) & (second < 55_800)
    base = np.maximum(second, OPENS - 900)
    today = day * DAY + base + (rng.random(size) ** 2 * (CLOSES - 600 - base)).astype(np.int64)
    later_index = calendar.index_from(day + 1) + (rng.random(size) < 0.12)
    early = OPENS - 900 + (rng.random(size) ** 2 * 33_000).astype(np.int64)
    later = calendar.day_at(later_index) * DAY + early
    return np.where(channel == ONLINE, np.where(same_day, today, later), at_desk)


def _month_turns(
    accept: Int64s,
    submit: Int64s,
    eligible: Bools,
    calendar: WorkCalendar,
    now: int,
    quotas: Quotas,
    rng: np.random.Generator,
) -> tuple[Int64s, Int64s, Int64s]:
    """Put some acceptances on the last second of a month, and some on the first of the next."""
    day = submit // DAY
    last_day = np.where(calendar.ends_month(day), day, day + 1)
    near = eligible & calendar.ends_month(last_day)
    last_second = last_day * DAY + DAY - 1
    ends = quotas.choose("month_end_second", near & (last_second <= now), rng)
    near[ends] = False
    starts = quotas.choose("month_first_second", near & (last_second + 1 <= now), rng)
    moved = accept.copy()
    moved[ends] = last_second[ends]
    moved[starts] = last_second[starts] + 1
    return moved, ends, starts


def draw_timeline(
    days: Int64s,
    first_id: int,
    period: Period,
    calendar: WorkCalendar,
    agencies: Agencies,
    catalogue: Catalogue,
    quotas: Quotas,
    rng: np.random.Generator,
) -> Timeline:
    """The lives of the dossiers submitted on ``days`` (one day number per dossier, ascending)."""
    size = days.size
    now = period.now
    units = _pick(np.array([0.55, 0.80, 1.0]), rng.random(size))
    procedure = _procedures(days, units, calendar, catalogue, rng)
    agency = _agencies(units, procedure, agencies, catalogue, rng)

    progress = (days - day_number(period.first)) / max(1, day_number(period.last) - day_number(period.first))
    online_share = np.clip((0.42 + 0.18 * progress) * agencies.online_factor[agency], 0.05, 0.95)
    offered = catalogue.level_at(procedure, days * DAY) > 2
    online = (offered & (rng.random(size) < online_share)) | ~calendar.works_on(days)
    channel = np.where(online, ONLINE, np.where(rng.random(size) < 0.06, POST, DIRECT))
    second = np.where(online, _time_of_day(_ONLINE_HOURS, rng, size), _time_of_day(_AT_THE_DESK, rng, size))
    submit = days * DAY + second
    order = np.argsort(submit, kind="stable")
    submit, channel = submit[order], channel[order]
    procedure, agency = procedure[order], agency[order]
    level = catalogue.level_at(procedure, submit)

    refused_first = rng.random(size) < 0.010
    accept = _acceptance(submit, channel, calendar, rng)
    accept, month_end, month_start = _month_turns(
        accept, submit, (channel == ONLINE) & ~refused_first, calendar, now, quotas, rng
    )
    refused = np.where(refused_first, accept, -1)
    life = _process(accept, ~refused_first, procedure, agency, calendar, agencies, catalogue, rng)
    accept = np.where(refused_first, -1, accept)
    return _as_of_now(
        Timeline(
            first_id=first_id,
            submit=submit,
            accept=accept,
            due=life.due,
            due_before=life.due_before,
            request=life.request,
            back=life.back,
            checked=np.full(size, -1, dtype=np.int64),
            end=life.end,
            handed=life.handed,
            refused=np.where(life.refused, life.end, refused),
            status=life.outcome,
            updated_us=submit,
            channel=channel,
            level=level,
            procedure=procedure,
            agency=agency,
            month_end=month_end,
            month_start=month_start,
        ),
        now,
        catalogue,
        rng,
    )


@dataclass(frozen=True)
class _Life:
    due: Int64s
    due_before: Int64s
    request: Int64s
    back: Int64s
    end: Int64s
    handed: Int64s
    refused: Bools
    outcome: Int64s


def _process(
    accept: Int64s,
    accepted: Bools,
    procedure: Int64s,
    agency: Int64s,
    calendar: WorkCalendar,
    agencies: Agencies,
    catalogue: Catalogue,
    rng: np.random.Generator,
) -> _Life:
    """What happens after acceptance if time never stopped; counted in working days."""
    size = accept.size
    day, second = accept // DAY, accept % DAY
    start = calendar.index_from(day + (calendar.works_on(day) & (second >= CLOSES)))
    limit = catalogue.days[procedure]

    supplemented = accepted & (limit >= 3) & (rng.random(size) < 0.115)
    never_back = supplemented & (rng.random(size) < 0.06)
    asked = 1 + (rng.random(size) * np.maximum(1, limit // 2)).astype(np.int64)
    waited = 1 + (rng.random(size) ** 2 * 10).astype(np.int64)
    pause = np.where(supplemented & ~never_back, waited, 0)
    request = calendar.day_at(start + asked) * DAY + _office_time(rng, size)
    back = calendar.day_at(start + asked + waited) * DAY + _office_time(rng, size)

    has_due = accepted & (rng.random(size) >= 0.02)
    due_before = calendar.day_at(start + limit) * DAY + CLOSES
    due = calendar.day_at(start + limit + pause) * DAY + CLOSES

    drawn = rng.random(size)
    outcome = np.select([drawn < 0.015, drawn < 0.020, drawn < 0.024], [7, 3, 8], default=9)
    latest = limit + pause
    earliest = np.where(pause > 0, asked + pause + 1, 0)
    took = earliest + (rng.beta(2.2, 1.6, size) * (latest - earliest + 1)).astype(np.int64)
    late = has_due & (outcome == 9) & (rng.random(size) < agencies.late_rate[agency])
    took = np.where(late, latest + rng.geometric(0.3, size), np.minimum(took, latest))
    stopped = never_back & (rng.random(size) < 0.5)
    outcome = np.where(stopped, 8, np.where(never_back, 5, outcome))
    took = np.where(stopped, asked + 30, took)
    end_day = calendar.day_at(start + took)
    drawn = rng.random(size)
    same_day = second + 60 + (drawn * (CLOSES - 120 - second)).astype(np.int64)
    usual = OPENS + (drawn * (CLOSES - 300 - OPENS)).astype(np.int64)
    end = end_day * DAY + np.where(end_day == day, same_day, usual)

    steps = (rng.random(size) ** 3 * 6).astype(np.int64)
    soon = end + 60 + (rng.random(size) * np.maximum(60, CLOSES - end % DAY)).astype(np.int64)
    later = calendar.day_at(start + took + steps) * DAY + _office_time(rng, size)
    handed = np.where(steps == 0, soon, later)
    handed = np.where(rng.random(size) < 0.03, -1, handed)

    none = np.full(size, -1, dtype=np.int64)
    ended = accepted & (outcome != 5)
    return _Life(
        due=np.where(has_due, due, none),
        due_before=np.where(has_due, due_before, none),
        request=np.where(supplemented, request, none),
        back=np.where(supplemented & ~never_back, back, none),
        end=np.where(ended, end, none),
        handed=np.where(ended & (outcome == 9), handed, none),
        refused=accepted & (outcome == 3),
        outcome=outcome.astype(np.int64),
    )


def _as_of_now(life: Timeline, now: int, catalogue: Catalogue, rng: np.random.Generator) -> Timeline:
    """Forget what lies after ``now`` and derive status and last change from what is left."""
    size = len(life)
    outcome = life.status
    for name in ("accept", "request", "back", "end", "handed", "refused"):
        moments = getattr(life, name)
        setattr(life, name, np.where(moments > now, -1, moments))
    accepted, ended = life.accept >= 0, life.end >= 0
    # A moved due date is known only once the supplement is back.
    life.due = np.where(life.back >= 0, life.due, life.due_before)
    for name in ("due", "due_before"):
        setattr(life, name, np.where(accepted, getattr(life, name), -1))

    fresh = (life.accept > now - DAY) | (rng.random(size) < 0.15)
    to_pay = catalogue.has_fee[life.procedure] & (rng.random(size) < 0.12)
    waiting = (life.request >= 0) & (life.back < 0)
    status = np.where(accepted, np.where(fresh & (life.request < 0), 2, 4), 1)
    status = np.where(accepted & to_pay, 6, status)
    status = np.where(waiting, 5, status)
    done = np.where(life.handed >= 0, 10, 9)
    status = np.where(ended, np.where(outcome == 9, done, outcome), status)
    life.status = np.where(~accepted & (life.refused >= 0), 3, status).astype(np.int64)

    part = 0.2 + 0.6 * rng.random(size)
    checked = life.accept + (part * (np.where(ended, life.end, now) - life.accept)).astype(np.int64)
    has_check = accepted & (ended | (now - life.accept > 2 * DAY))
    life.checked = np.where(has_check, checked, -1)

    last = np.maximum.reduce(
        [life.submit, life.accept, life.request, life.back, life.checked, life.end, life.handed, life.refused]
    )
    after = 1 + (rng.random(size) * 300).astype(np.int64)
    after += np.where(rng.random(size) < 0.04, (rng.random(size) * 15 * DAY).astype(np.int64), 0)
    changed = last + after
    cut = last + (rng.random(size) * (now - last)).astype(np.int64)
    changed = np.where(changed > now, cut, changed)
    life.updated_us = changed * 1_000_000 + rng.integers(0, 1_000_000, size)
    return life
