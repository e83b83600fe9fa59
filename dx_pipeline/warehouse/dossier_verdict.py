"""Why one dossier is on time or overdue, by the rule of Decision 766 and by the local one, from the SQL that judges all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.errors import SettingsError
from dx_pipeline.warehouse.trace_script import run_trace


@dataclass(frozen=True)
class DossierVerdict:
    """A dossier at the end of one period, and what decided.

    Attributes:
        due_766: due under rule 2.1: the due time, or the procedure's limit in working days where there is none.
        extended_due_766: the same with the time of the answered supplement added.
        paused_at: since when it waits for a supplement or a fee, as far as the last update tells.
        waiting_for: which supplement it waits for at the end of the period, ``first`` or ``last``.
        is_on_time_766: None when it cannot be judged.
        cause: why the two rules differ; None when they agree.
    """

    dossier_code: str
    agency_code: str
    agency_name: str
    procedure_code: str
    procedure_name: str
    time_limit_working_days: int | None
    status_code: int
    status_vi: str
    status_en: str
    period: str
    received_on: date
    due_at: datetime | None
    due_766: datetime | None
    extended_due_766: datetime | None
    end_at: datetime | None
    first_asked_at: datetime | None
    first_answered_at: datetime | None
    second_asked_at: datetime | None
    ends_before: datetime
    last_day: date
    ended_status: int | None
    has_due: bool
    is_ended: bool
    is_asked_again: bool
    is_extended: bool
    waiting_for: str | None
    paused_at: datetime | None
    is_answered_before_end: bool | None
    is_stopped_local_only: bool
    is_on_time_766: bool | None
    local_verdict: str
    cause: str | None


def prepare_verdicts(connection: Connection, roots: Sequence[Path]) -> None:
    """Make the temporary view that :func:`dossier_verdict` reads, in the transaction of the caller.

    Raises:
        LoadFileError: the trace is missing or its SQL failed.
    """
    run_trace(connection, roots, "dossier_verdict")


def dossier_verdict(connection: Connection, dossier_code: str, period: str | None) -> DossierVerdict:
    """The verdicts of a dossier in a period, or in the last month that counts it.

    Raises:
        SettingsError: no period counts the dossier; tells which do.
    """
    connection.execute(sa.text("select set_config('dx.dossier', :code, true)"), {"code": dossier_code})
    columns = ", ".join(DossierVerdict.__dataclass_fields__)
    rows = connection.execute(
        sa.text(f"select {columns}, period_kind, ends_in from dossier_verdict order by ends_in, period_kind")
    ).mappings()
    found = [
        (str(row["period_kind"]), {name: row[name] for name in DossierVerdict.__dataclass_fields__}) for row in rows
    ]
    if period is not None:
        chosen = [cells for _, cells in found if cells["period"] == period]
    else:
        chosen = [cells for kind, cells in found if kind == "month"][-1:]
    if chosen:
        return DossierVerdict(**chosen[0])
    counted = [cells["period"] for kind, cells in found if kind == "month"]
    if counted:
        raise SettingsError(
            f"{dossier_code} is not counted in {period}",
            next_step=f"months that count it: {counted[0]} to {counted[-1]}, and the quarters, halves and years of these",
        )
    raise SettingsError(
        f"no period counts a dossier {dossier_code!r}",
        next_step='counted are accepted dossiers that are neither deleted nor the second record of another; `dx sql "select *'
        " from core.fact_dossier where dossier_code = '…'\"` shows it, `dx score rows` lists the codes of a component",
    )
