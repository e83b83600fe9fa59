"""Dossiers by hand, and what each of the two on-time rules makes of them in May and June 2024.

The data is known up to Thursday 20 June 2024 15:00; so June is the present month and ends on the 20th.
All times are local (UTC+7). Holidays: 30 April and 1 May 2024; Saturday 4 May 2024 was worked in exchange. May 2024 began
on a Wednesday.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LIMIT_OF_5_DAYS, NO_LIMIT = "1.000005", "1.000000"

EARLY = {"early_local": 1, "on_time_766": 1}
ON_TIME = {"on_time_local": 1, "on_time_766": 1}
OVERDUE = {"overdue_local": 1, "overdue_766": 1}
LATE_766_ONLY = {"on_time_local": 1, "overdue_766": 1, "overdue_766_only": 1, "differing": 1}
FINISHED = {"received": 1, "finished": 1}
OPEN = {"received": 1, "in_progress": 1}
STILL_OPEN = {"carried_over": 1, "in_progress": 1}
PAUSED = {"received": 1, "paused": 1}
STILL_PAUSED = {"carried_over": 1, "paused": 1}
FINISHED_LATER = {"carried_over": 1, "finished": 1}


@dataclass(frozen=True)
class Case:
    """One dossier, the supplements it was asked for, and what the mart says of it month by month."""

    dossier: Mapping[str, Any]
    may: Mapping[str, int] | None = None
    june: Mapping[str, int] | None = None
    supplements: tuple[tuple[str | None, str | None], ...] = ()
    procedure: str = LIMIT_OF_5_DAYS
    more: tuple[Mapping[str, Any], ...] = field(default=())


def dossier(
    status: int, received: str | None = "2024-05-06 08:00", due: str | None = None, **times: Any
) -> dict[str, Any]:
    return {"status_sk": status, "received_at": received, "due_at": due, **times}


CASES: dict[str, Case] = {
    # -- finished: clause 1, and day against clock
    "finished the day before": Case(
        dossier(10, due="2024-05-10 17:00", finished_at="2024-05-09 16:00"), may=FINISHED | EARLY
    ),
    "finished on the day, hours before": Case(
        dossier(10, due="2024-05-10 17:00", finished_at="2024-05-10 10:00"), may=FINISHED | ON_TIME
    ),
    "finished at the very second": Case(
        dossier(9, due="2024-05-10 17:00", finished_at="2024-05-10 17:00"), may=FINISHED | ON_TIME
    ),
    "finished one second later": Case(
        dossier(9, due="2024-05-10 17:00", finished_at="2024-05-10 17:00:01"),
        may=FINISHED | LATE_766_ONLY | {"differing_clock_time": 1},
    ),
    "finished the day after": Case(
        dossier(9, due="2024-05-10 17:00", finished_at="2024-05-11 08:00"), may=FINISHED | OVERDUE
    ),
    "processed in time, handed over late": Case(
        dossier(10, due="2024-05-10 17:00", finished_at="2024-05-10 09:00", returned_at="2024-05-14 09:00"),
        may=FINISHED | ON_TIME,
    ),
    "no end of processing: the hand-over counts": Case(
        dossier(10, due="2024-05-10 17:00", returned_at="2024-05-13 09:00"), may=FINISHED | OVERDUE
    ),
    "no date at all: the last update counts": Case(
        dossier(9, due="2024-05-10 17:00", source_updated_at="2024-05-08 09:00"), may=FINISHED | EARLY
    ),
    # -- midnight at the end of a month
    "finished at 23:59:59 of the last day": Case(
        dossier(9, due="2024-05-31 23:59:59", finished_at="2024-05-31 23:59:59"), may=FINISHED | ON_TIME
    ),
    "finished at 00:00:00 of the first day": Case(
        dossier(9, due="2024-05-31 23:59:59", finished_at="2024-06-01 00:00:00"),
        may=OPEN | LATE_766_ONLY | {"differing_open_at_period_end": 1},
        june=FINISHED_LATER | OVERDUE,
    ),
    "accepted at 01:00 local, still the day before in UTC": Case(
        dossier(9, received="2024-06-01 01:00", due="2024-06-10 17:00", finished_at="2024-06-05 09:00"),
        june=FINISHED | EARLY,
    ),
    # -- clause 3: open at the end of the period
    "open, due next month": Case(dossier(4, due="2024-06-25 17:00"), may=OPEN | ON_TIME, june=STILL_OPEN | ON_TIME),
    "open, due passed in the present month": Case(
        dossier(4, due="2024-06-18 17:00"), may=OPEN | ON_TIME, june=STILL_OPEN | OVERDUE
    ),
    "open, due on the last day of the month": Case(
        dossier(4, due="2024-05-31 17:00"),
        may=OPEN | LATE_766_ONLY | {"differing_open_at_period_end": 1},
        june=STILL_OPEN | OVERDUE,
    ),
    "open, due at the midnight that ends the month": Case(
        dossier(2, due="2024-06-01 00:00"), may=OPEN | ON_TIME, june=STILL_OPEN | OVERDUE
    ),
    "open, due later today": Case(dossier(4, received="2024-06-03 08:00", due="2024-06-20 17:00"), june=OPEN | ON_TIME),
    "open, due earlier today": Case(
        dossier(4, received="2024-06-03 08:00", due="2024-06-20 11:00"),
        june=OPEN | LATE_766_ONLY | {"differing_open_at_period_end": 1},
    ),
    # -- clause 2: supplements that are waited for
    "one supplement, asked in time, never answered": Case(
        dossier(5, due="2024-05-15 17:00"),
        supplements=(("2024-05-13 09:00", None),),
        may=PAUSED | ON_TIME,
        june=STILL_PAUSED | ON_TIME,
    ),
    "one supplement, asked after the due day": Case(
        dossier(5, due="2024-05-15 17:00"),
        supplements=(("2024-05-16 09:00", None),),
        may=PAUSED | OVERDUE,
        june=STILL_PAUSED | OVERDUE,
    ),
    "one supplement, asked on the due day after the hour": Case(
        dossier(5, due="2024-05-15 11:00"),
        supplements=(("2024-05-15 16:00", None),),
        may=PAUSED | LATE_766_ONLY | {"differing_clock_time": 1},
        june=STILL_PAUSED | LATE_766_ONLY | {"differing_clock_time": 1},
    ),
    "one supplement known to the dossier only": Case(
        dossier(5, due="2024-05-15 17:00", supplement_requested_at="2024-05-13 09:00"),
        may=PAUSED | ON_TIME,
        june=STILL_PAUSED | ON_TIME,
    ),
    "asked twice, finished early": Case(
        dossier(10, due="2024-05-24 17:00", finished_at="2024-05-20 09:00"),
        supplements=(("2024-05-07 09:00", "2024-05-08 09:00"), ("2024-05-10 09:00", "2024-05-13 09:00")),
        may=FINISHED
        | {"early_local": 1, "overdue_766": 1, "overdue_766_only": 1, "differing": 1, "differing_second_supplement": 1},
    ),
    "asked again in the next month": Case(
        dossier(5, due="2024-06-28 17:00", source_updated_at="2024-06-10 09:00"),
        supplements=(("2024-05-20 09:00", "2024-05-22 09:00"), ("2024-06-10 09:00", None)),
        may=OPEN | ON_TIME,
        june=STILL_PAUSED | LATE_766_ONLY | {"differing_second_supplement": 1},
    ),
    # -- clause 4: supplements that came back
    "answered, finished late by less than the wait": Case(
        dossier(10, due="2024-05-15 17:00", finished_at="2024-05-17 09:00"),
        supplements=(("2024-05-09 09:00", "2024-05-13 09:00"),),
        may=FINISHED
        | {
            "overdue_local": 1,
            "on_time_766": 1,
            "overdue_local_only": 1,
            "differing": 1,
            "differing_supplement_pause": 1,
        },
    ),
    "answered, finished late by exactly the wait": Case(
        dossier(10, due="2024-05-15 17:00", finished_at="2024-05-19 17:00"),
        supplements=(("2024-05-09 09:00", "2024-05-13 09:00"),),
        may=FINISHED
        | {
            "overdue_local": 1,
            "on_time_766": 1,
            "overdue_local_only": 1,
            "differing": 1,
            "differing_supplement_pause": 1,
        },
    ),
    "answered, finished late by more than the wait": Case(
        dossier(10, due="2024-05-15 17:00", finished_at="2024-05-19 17:00:01"),
        supplements=(("2024-05-09 09:00", "2024-05-13 09:00"),),
        may=FINISHED | OVERDUE,
    ),
    "answered after the end gives nothing": Case(
        dossier(10, due="2024-05-15 17:00", finished_at="2024-05-16 09:00"),
        supplements=(("2024-05-14 09:00", "2024-05-20 09:00"),),
        may=FINISHED | OVERDUE,
    ),
    "answered next month: waiting in May, longer due in June": Case(
        dossier(4, due="2024-06-14 17:00"),
        supplements=(("2024-05-30 09:00", "2024-06-06 09:00"),),
        may=PAUSED | ON_TIME,
        june=STILL_OPEN
        | {
            "overdue_local": 1,
            "on_time_766": 1,
            "overdue_local_only": 1,
            "differing": 1,
            "differing_supplement_pause": 1,
        },
    ),
    # -- clause 5: no due date. Monday 6 May + 5 working days = Monday 13 May.
    "no due date, within the limit": Case(dossier(10, finished_at="2024-05-13 23:00"), may=FINISHED | ON_TIME),
    "no due date, finished on the Sunday after a full limit": Case(
        dossier(10, received="2024-05-10 08:00", finished_at="2024-05-19 09:00"), may=FINISHED | ON_TIME
    ),
    "no due date, a day over the limit": Case(
        dossier(10, finished_at="2024-05-14 00:00"), may=FINISHED | LATE_766_ONLY | {"differing_missing_due": 1}
    ),
    "no due date, holidays do not count": Case(
        # 29 April, 2, 3, 4 (a Saturday that was worked) and 6 May
        dossier(10, received="2024-04-26 08:00", finished_at="2024-05-06 23:00"),
        may=FINISHED_LATER | ON_TIME,
    ),
    "no due date, the supplement does not count": Case(
        dossier(10, finished_at="2024-05-17 09:00"),
        supplements=(("2024-05-09 09:00", "2024-05-15 09:00"),),
        may=FINISHED | ON_TIME,
    ),
    "no due date, the supplement does not save it": Case(
        dossier(10, finished_at="2024-05-20 09:00"),
        supplements=(("2024-05-09 09:00", "2024-05-15 09:00"),),
        may=FINISHED | LATE_766_ONLY | {"differing_missing_due": 1},
    ),
    "no due date, open too long": Case(
        dossier(4),
        may=OPEN | LATE_766_ONLY | {"differing_missing_due": 1},
        june=STILL_OPEN | LATE_766_ONLY | {"differing_missing_due": 1},
    ),
    "no due date and no limit": Case(
        dossier(10, finished_at="2024-05-13 09:00"),
        procedure=NO_LIMIT,
        may=FINISHED | {"on_time_local": 1, "not_applicable": 1},
    ),
    "no due date and no limit, but asked twice": Case(
        dossier(10, finished_at="2024-05-13 09:00"),
        supplements=(("2024-05-07 09:00", "2024-05-08 09:00"), ("2024-05-09 09:00", None)),
        procedure=NO_LIMIT,
        may=FINISHED | LATE_766_ONLY | {"differing_second_supplement": 1},
    ),
    # -- refused, withdrawn, stopped, fee
    "refused after acceptance, in time": Case(
        dossier(3, due="2024-05-15 17:00", refused_at="2024-05-10 09:00"),
        may={"received": 1, "returned": 1} | EARLY,
    ),
    "refused after acceptance, late": Case(
        dossier(3, due="2024-05-15 17:00", refused_at="2024-05-20 09:00"),
        may={"received": 1, "returned": 1} | OVERDUE,
    ),
    "refused without acceptance": Case(dossier(3, received=None, refused_at="2024-05-10 09:00")),
    "withdrawn in time": Case(
        dossier(7, due="2024-05-15 17:00", finished_at="2024-05-10 09:00"),
        may={"received": 1, "returned": 1} | ON_TIME,
    ),
    "withdrawn after it was due": Case(
        dossier(7, due="2024-05-15 17:00", finished_at="2024-05-20 09:00"),
        may={"received": 1, "returned": 1} | LATE_766_ONLY | {"differing_withdrawn": 1},
    ),
    "stopped in time": Case(
        dossier(8, due="2024-05-15 17:00", finished_at="2024-05-10 09:00"),
        may=PAUSED | ON_TIME,
        june=STILL_PAUSED | {"on_time_local": 1, "stopped_local_only": 1},
    ),
    "stopped after it was due": Case(
        dossier(8, due="2024-05-15 17:00", finished_at="2024-05-20 09:00"),
        may=PAUSED | OVERDUE,
        june=STILL_PAUSED | {"overdue_local": 1, "stopped_local_only": 1},
    ),
    "stopped on the due day after the hour": Case(
        dossier(8, received="2024-06-03 08:00", due="2024-06-12 11:00", finished_at="2024-06-12 16:00"),
        june=PAUSED | LATE_766_ONLY | {"differing_clock_time": 1},
    ),
    "waiting for a fee since before the due day": Case(
        dossier(6, due="2024-06-12 17:00", source_updated_at="2024-06-10 09:00"),
        may=OPEN | ON_TIME,
        june=STILL_PAUSED | LATE_766_ONLY | {"differing_open_at_period_end": 1},
    ),
    # -- further edges of each clause
    "handed over at the very second, no end of processing": Case(
        dossier(10, due="2024-05-13 09:00", returned_at="2024-05-13 09:00"), may=FINISHED | ON_TIME
    ),
    "due at midnight, finished at that midnight": Case(
        dossier(9, due="2024-05-16 00:00", finished_at="2024-05-16 00:00"), may=FINISHED | ON_TIME
    ),
    "due at midnight, finished a second later": Case(
        dossier(9, due="2024-05-16 00:00", finished_at="2024-05-16 00:00:01"),
        may=FINISHED | LATE_766_ONLY | {"differing_clock_time": 1},
    ),
    "accepted in the last second of May": Case(
        dossier(9, received="2024-05-31 23:59:59", due="2024-06-10 17:00", finished_at="2024-06-05 09:00"),
        may=OPEN | ON_TIME,
        june=FINISHED_LATER | EARLY,
    ),
    "accepted at the midnight that begins June": Case(
        dossier(9, received="2024-06-01 00:00", due="2024-06-10 17:00", finished_at="2024-06-05 09:00"),
        june=FINISHED | EARLY,
    ),
    "carried over, finished in time": Case(
        dossier(9, received="2024-05-28 08:00", due="2024-06-10 17:00", finished_at="2024-06-07 09:00"),
        may=OPEN | ON_TIME,
        june=FINISHED_LATER | EARLY,
    ),
    "carried over, finished late": Case(
        dossier(9, received="2024-05-28 08:00", due="2024-06-03 17:00", finished_at="2024-06-04 09:00"),
        may=OPEN | ON_TIME,
        june=FINISHED_LATER | OVERDUE,
    ),
    "accepted and finished before May": Case(
        dossier(9, received="2024-04-10 08:00", due="2024-04-24 17:00", finished_at="2024-04-20 09:00")
    ),
    "reopened: the former end does not count": Case(
        dossier(4, due="2024-05-15 17:00", finished_at="2024-05-10 09:00"),
        may=OPEN | OVERDUE,
        june=STILL_OPEN | OVERDUE,
    ),
    "reopened, finished again next month": Case(
        dossier(9, due="2024-05-15 17:00", finished_at="2024-06-05 09:00"),
        may=OPEN | OVERDUE,
        june=FINISHED_LATER | OVERDUE,
    ),
    "refused at the very second": Case(
        dossier(3, due="2024-05-15 17:00", refused_at="2024-05-15 17:00"),
        may={"received": 1, "returned": 1} | ON_TIME,
    ),
    "refused one second later": Case(
        dossier(3, due="2024-05-15 17:00", refused_at="2024-05-15 17:00:01"),
        may={"received": 1, "returned": 1} | LATE_766_ONLY | {"differing_clock_time": 1},
    ),
    "refused after a supplement, late by less than the wait": Case(
        dossier(3, due="2024-05-15 17:00", refused_at="2024-05-17 09:00"),
        supplements=(("2024-05-09 09:00", "2024-05-13 09:00"),),
        may={
            "received": 1,
            "returned": 1,
            "overdue_local": 1,
            "on_time_766": 1,
            "overdue_local_only": 1,
            "differing": 1,
            "differing_supplement_pause": 1,
        },
    ),
    "withdrawn in the next month": Case(
        dossier(7, due="2024-05-15 17:00", finished_at="2024-06-03 09:00"),
        may=OPEN | OVERDUE,
        june={"carried_over": 1, "returned": 1} | LATE_766_ONLY | {"differing_withdrawn": 1},
    ),
    "withdrawn after a supplement, late by less than the wait": Case(
        dossier(7, due="2024-05-15 17:00", finished_at="2024-05-17 09:00"),
        supplements=(("2024-05-09 09:00", "2024-05-13 09:00"),),
        may={"received": 1, "returned": 1} | ON_TIME,
    ),
    "stopped without a date: the last update counts": Case(
        dossier(8, due="2024-05-15 17:00", source_updated_at="2024-05-14 09:00"),
        may=PAUSED | ON_TIME,
        june=STILL_PAUSED | {"on_time_local": 1, "stopped_local_only": 1},
    ),
    "one supplement, asked at the very second": Case(
        dossier(5, due="2024-05-15 17:00"),
        supplements=(("2024-05-15 17:00", None),),
        may=PAUSED | ON_TIME,
        june=STILL_PAUSED | ON_TIME,
    ),
    "asked twice, still waiting": Case(
        dossier(5, due="2024-05-24 17:00"),
        supplements=(("2024-05-07 09:00", "2024-05-08 09:00"), ("2024-05-10 09:00", None)),
        may=PAUSED | LATE_766_ONLY | {"differing_second_supplement": 1},
        june=STILL_PAUSED | LATE_766_ONLY | {"differing_second_supplement": 1},
    ),
    "no due date, a Saturday worked in exchange counts": Case(
        # From Friday 3 May: 4 (Saturday), 6, 7, 8 and 9 May
        dossier(10, received="2024-05-03 08:00", finished_at="2024-05-10 09:00"),
        may=FINISHED | LATE_766_ONLY | {"differing_missing_due": 1},
    ),
    "no due date, the last day after a Saturday worked in exchange": Case(
        dossier(10, received="2024-05-03 08:00", finished_at="2024-05-09 23:59"), may=FINISHED | ON_TIME
    ),
    "no due date, a supplement answered the same day gives nothing": Case(
        dossier(10, finished_at="2024-05-14 00:00"),
        supplements=(("2024-05-08 09:00", "2024-05-08 16:00"),),
        may=FINISHED | LATE_766_ONLY | {"differing_missing_due": 1},
    ),
    "no due date, open within the limit at the end of May": Case(
        # From Wednesday 29 May: 30, 31 May, 3, 4 and 5 June
        dossier(4, received="2024-05-29 08:00"),
        may=OPEN | ON_TIME,
        june=STILL_OPEN | LATE_766_ONLY | {"differing_missing_due": 1},
    ),
    # -- what does not count, or counts once
    "deleted at the source": Case(
        dossier(10, due="2024-05-10 17:00", finished_at="2024-05-09 16:00", deleted_at="2024-05-12 09:00")
    ),
    "accepted after the last moment known": Case(dossier(4, received="2024-07-02 08:00", due="2024-07-10 17:00")),
    "known under two codes": Case(
        dossier(10, due="2024-05-10 17:00", finished_at="2024-05-09 16:00"),
        more=(dossier(10, due="2024-05-10 17:00", finished_at="2024-05-09 16:00", alias=True),),
        may=FINISHED | EARLY,
    ),
}
