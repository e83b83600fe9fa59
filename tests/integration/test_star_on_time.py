"""Both on-time rules, case by case. Each case has its own agency, so that its row in the mart is the case alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.cli.score_explain import clause
from dx_pipeline.contract.indicator_set import load_indicator_sets
from dx_pipeline.errors import SettingsError
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.dossier_verdict import dossier_verdict, prepare_verdicts
from dx_pipeline.warehouse.indicator_set import sync_indicator_sets
from tests.integration.star_on_time_cases import CASES, LIMIT_OF_5_DAYS, NO_LIMIT, Case, dossier
from tests.integration.star_warehouse import PROJECT, ask, migrated_warehouse, refresh, running_server

COUNTS = (
    "received", "carried_over", "finished", "returned", "in_progress", "paused",
    "early_local", "on_time_local", "overdue_local",
    "on_time_766", "overdue_766", "not_applicable", "stopped_local_only",
    "overdue_766_only", "overdue_local_only", "differing",
    "differing_second_supplement", "differing_missing_due", "differing_withdrawn", "differing_supplement_pause",
    "differing_open_at_period_end", "differing_clock_time",
)  # fmt: skip


def _agency(name: str) -> str:
    return f"H50.{list(CASES).index(name) + 1}"


def _insert_dossier(connection: Connection, code: str, agency: str, procedure: str, values: Mapping[str, Any]) -> None:
    filled = {"source_updated_at": "2024-05-06 08:00", **{k: v for k, v in values.items() if k != "alias"}}
    times = {name: f"{value}+07" for name, value in filled.items() if name.endswith("_at") and value is not None}
    received = filled.get("received_at")
    connection.execute(
        sa.text(
            "insert into core.fact_dossier (dossier_code, registered_on, agency_sk, procedure_sk, field_sk, commune_sk,"
            f" received_date_key, channel_sk, status_sk, applicant_kind_sk, received_on, {', '.join(times)}, loaded_at,"
            " row_hash, first_batch_id, last_batch_id) select :code, '2024-05-06', a.agency_sk, p.procedure_sk, -1, -1,"
            f" -1, 1, :status, 1, cast(:received as date), {', '.join(f'cast(:{n} as timestamptz)' for n in times)},"
            " now(), 1, 1, 1 from core.dim_agency as a, core.dim_procedure as p"
            " where a.agency_code = :agency and p.procedure_code = :procedure"
        ),
        {
            "code": code,
            "agency": agency,
            "procedure": procedure,
            "status": filled["status_sk"],
            "received": received[:10] if received else None,
            **times,
        },
    )


def _insert_case(connection: Connection, name: str, case: Case) -> None:
    agency = _agency(name)
    connection.execute(
        sa.text("insert into core.dim_agency (agency_code, name, valid_from) values (:code, :name, '1900-01-01')"),
        {"code": agency, "name": name},
    )
    code = f"{agency}-240506-0001"
    _insert_dossier(connection, code, agency, case.procedure, case.dossier)
    for number, other in enumerate(case.more):
        alias = f"G22.99-240506-{number:04}"
        _insert_dossier(connection, alias, agency, case.procedure, other)
        connection.execute(
            sa.text(
                "insert into core.dossier_alias values (:alias, '2024-05-06', :code, '2024-05-06', 1, 1, 1, now())"
            ),
            {"alias": alias, "code": code},
        )
    for number, (asked, answered) in enumerate(case.supplements):
        connection.execute(
            sa.text(
                "insert into core.fact_dossier_event (dossier_code, registered_on, event_kind_sk, event_id, status_sk,"
                " sent_status_sk, occurred_at, ended_at, source_updated_at, loaded_at, row_hash, first_batch_id,"
                " last_batch_id)"
                " values (:code, '2024-05-06', 2, :number, -2, -2, :asked, :answered, now(), now(), 1, 1, 1)"
            ),
            {
                "code": code,
                "number": number,
                "asked": f"{asked}+07" if asked else None,
                "answered": f"{answered}+07" if answered else None,
            },
        )


@pytest.fixture(scope="module", params=[16, 18])
def warehouse(request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    with running_server(request.param) as server, migrated_warehouse(server) as opened:
        with opened.loader() as connection:
            connection.exec_driver_sql("select ops.create_monthly_partition('core.fact_dossier', '2024-05-01')")
            connection.exec_driver_sql(
                "select ops.create_monthly_partition('core.fact_dossier_event', '2024-05-01', 2::smallint)"
            )
            connection.exec_driver_sql(
                "insert into core.dim_procedure (procedure_code, time_limit_working_days, valid_from)"
                f" values ('{LIMIT_OF_5_DAYS}', 5, '1900-01-01'), ('{NO_LIMIT}', null, '1900-01-01')"
            )
            connection.exec_driver_sql(
                "insert into core.holiday values ('2024-04-30', 'Giải phóng', null, 1, 1, 1, now()),"
                " ('2024-05-01', 'Lao động', null, 1, 1, 1, now())"
            )
            connection.exec_driver_sql("select core.refresh_working_days()")
            # The newest update anywhere is the moment up to which the data is known.
            connection.exec_driver_sql(
                "insert into core.dim_agency (agency_code, name, valid_from) values ('H50.0', 'now', '1900-01-01')"
            )
            _insert_dossier(
                connection,
                "H50.0-240506-0001",
                "H50.0",
                NO_LIMIT,
                dossier(1, received=None, source_updated_at="2024-06-20 15:00"),
            )
            for name, case in CASES.items():
                _insert_case(connection, name, case)
        refresh(opened, "dossier_on_time")
        refresh(opened, "dossier_on_time")
        yield opened


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("month", ["may", "june"])
def test_case(warehouse: Warehouse, name: str, month: str) -> None:
    expected: Mapping[str, int] | None = getattr(CASES[name], month)
    day = {"may": "2024-05-01", "june": "2024-06-01"}[month]
    rows = ask(
        warehouse,
        f"select {', '.join(COUNTS)} from mart.dossier_on_time"
        " where agency_code = :agency and month = cast(:day as date)",
        agency=_agency(name),
        day=day,
    )
    if expected is None:
        assert rows == []
    else:
        assert len(rows) == 1
        assert {count: value for count, value in zip(COUNTS, rows[0], strict=True) if value} == expected


def test_what_is_told_of_a_dossier_is_its_verdict(warehouse: Warehouse) -> None:
    """Every case in each month that counts it: the comparison in words agrees with what the mart counted."""
    told = {}
    with warehouse.loader() as connection:
        prepare_verdicts(connection, [PROJECT])
        for name, case in CASES.items():
            for month, expected in (("2024-05", case.may), ("2024-06", case.june)):
                if expected is None or expected.get("stopped_local_only"):  # 766 counted it when it stopped
                    continue
                found = dossier_verdict(connection, f"{_agency(name)}-240506-0001", month)
                told[name, month] = clause(found)
                signs = (" ≤ " in told[name, month], " > " in told[name, month] or "lần hai" in told[name, month])
                assert signs == (bool(expected.get("on_time_766")), bool(expected.get("overdue_766"))), name
                assert bool(expected.get("overdue_local")) == (found.local_verdict == "overdue"), name
                differs = [key.removeprefix("differing_") for key in expected if key.startswith("differing_")]
                assert found.cause == (differs[0] if differs else None), name
        with pytest.raises(SettingsError, match="no period counts a dossier 'H50.0-240506-0001'"):
            dossier_verdict(connection, "H50.0-240506-0001", None)
        connection.rollback()
    assert len(told) > 70
    assert told["finished one second later", "2024-05"].endswith("2024-05-10 17:00:01 > 2024-05-10 17:00:00")
    assert "clause 3" in told["open, due next month", "2024-05"]
    assert "clause 4" in told["answered next month: waiting in May, longer due in June", "2024-06"]
    assert "clause 2" in told["asked twice, still waiting", "2024-05"]
    assert "no due date and no limit" in told["no due date and no limit", "2024-05"]


def test_periods_end_with_the_month_or_with_the_data(warehouse: Warehouse) -> None:
    rows = ask(
        warehouse,
        "select month::text, period_end::text from mart.dossier_on_time where month >= '2024-05-01'"
        " group by 1, 2 order by 1",
    )
    assert rows == [("2024-05-01", "2024-05-31"), ("2024-06-01", "2024-06-20")]


def test_a_rate_of_nothing_is_empty(warehouse: Warehouse) -> None:
    rows = ask(
        warehouse,
        "select rate_local, rate_766 from mart.dossier_on_time where agency_code = :agency",
        agency=_agency("no due date and no limit"),
    )
    assert rows == [(1, None)]


def test_rates_of_the_whole_province(warehouse: Warehouse) -> None:
    """The rates of one row are its own counts; here over all cases together in May."""
    expected_on_time = sum((case.may or {}).get("on_time_766", 0) for case in CASES.values())
    expected_overdue = sum((case.may or {}).get("overdue_766", 0) for case in CASES.values())
    assert ask(
        warehouse,
        "select sum(on_time_766), sum(overdue_766) from mart.dossier_on_time where month = '2024-05-01'",
    ) == [(expected_on_time, expected_overdue)]
    assert ask(
        warehouse,
        "select count(*) from mart.dossier_on_time"
        " where rate_766 is distinct from on_time_766 / nullif(on_time_766 + overdue_766, 0)"
        " or rate_local is distinct from (early_local + on_time_local) / nullif(received + carried_over, 0)",
    ) == [(0,)]


def test_an_agency_renamed_in_between_stays_one_row(warehouse: Warehouse) -> None:
    with warehouse.loader() as connection:
        connection.exec_driver_sql(
            "update core.dim_agency set valid_to = '2024-05-05', is_current = false where agency_code = 'H50.1'"
        )
        connection.exec_driver_sql(
            "insert into core.dim_agency (agency_code, name, valid_from) values ('H50.1', 'new name', '2024-05-05')"
        )
        _insert_dossier(
            connection,
            "H50.1-240506-0002",
            "H50.2",
            NO_LIMIT,
            dossier(10, due="2024-05-10 17:00", finished_at="2024-05-09 16:00"),
        )
        connection.exec_driver_sql(
            "update core.fact_dossier set agency_sk = (select max(agency_sk) from core.dim_agency"
            " where agency_code = 'H50.1') where dossier_code = 'H50.1-240506-0002'"
        )
    refresh(warehouse, "dossier_on_time")
    assert ask(
        warehouse,
        "select agency_name, received, finished from mart.dossier_on_time where agency_code = 'H50.1'",
    ) == [("new name", 2, 2)]


# Received on Thursday 2 May 2024; Saturday 4 May was worked. Working days after it: 3, 4, 6, 7, 8, 9, 10, 13, ... 22 May.
PETITIONS = {
    "resolved on the 15th working day": ("giai_quyet", "2024-05-22", True, "2024-05-22"),
    "resolved a day later": ("giai_quyet", "2024-05-23", False, "2024-05-22"),
    "asked for more on the 5th": ("yeu_cau_bo_sung", "2024-05-08", True, "2024-05-08"),
    "asked for more on the 6th": ("yeu_cau_bo_sung", "2024-05-09", False, "2024-05-08"),
    "refused on the 2nd, the Saturday that was worked": ("tu_choi", "2024-05-04", True, "2024-05-04"),
    "refused on the Sunday after it": ("tu_choi", "2024-05-05", False, "2024-05-04"),
    "forwarded on the 2nd": ("chuyen", "2024-05-04", True, "2024-05-04"),
    "forwarded on the 3rd": ("chuyen", "2024-05-06", False, "2024-05-04"),
    "not handled": ("chua_xu_ly", None, None, "2024-05-22"),
}


def test_petitions_have_15_5_2_and_2_working_days(warehouse: Warehouse) -> None:
    with warehouse.loader() as connection:
        for number, (handling, handled, _, _) in enumerate(PETITIONS.values()):
            connection.execute(
                sa.text(
                    "insert into core.fact_petition (petition_code, petition_kind_code, agency_code, agency_sk, received_at,"
                    " received_on, handling_code, handled_at, handled_on, rating_code, row_hash, first_batch_id,"
                    " last_batch_id, loaded_at) values (:code, 'khac', 'H50.1', -1, '2024-05-02 08:00+07', '2024-05-02',"
                    " :handling, cast(:handled as timestamptz), cast(:handled as date), 'not_applicable', 1, 1, 1, now())"
                ),
                {"code": f"PA-{number}", "handling": handling, "handled": handled and f"{handled} 09:00+07"},
            )
    rows = ask(
        warehouse,
        "select petition_code, is_on_time, due_on::text, publish_due_on::text from core.petition_deadline order by 1",
    )
    assert {row[0]: row[1:3] for row in rows} == {
        f"PA-{number}": (on_time, due) for number, (_, _, on_time, due) in enumerate(PETITIONS.values())
    }
    assert rows[2][3] == "2024-05-10"  # answered on Wednesday 8 May: Thursday 9 and Friday 10


# The second quarter ends with the data, on 20 June: each dossier counts once, as it stands then.
QUARTER = {
    "finished at 00:00:00 of the first day": (0, 1),
    "open, due on the last day of the month": (0, 1),
    "open, due next month": (1, 1),
    "asked again in the next month": (0, 1),
    "answered next month: waiting in May, longer due in June": (1, 1),
    "stopped in time": (1, 1),
    "stopped after it was due": (0, 1),
    "carried over, finished in time": (1, 1),
    "no due date and no limit": (0, 0),
    "accepted and finished before May": (1, 1),
}


@pytest.fixture(scope="module")
def scored(warehouse: Warehouse) -> Warehouse:
    """The warehouse with its scores computed."""
    with warehouse.loader() as connection:
        sync_indicator_sets(connection, load_indicator_sets([PROJECT]))
    refresh(warehouse, "indicator_score")
    return warehouse


def test_a_quarter_counts_each_dossier_once_as_it_stands_at_its_end(scored: Warehouse) -> None:
    rows = ask(
        scored,
        "select unit_code, numerator, denominator, status from mart.indicator_score"
        " where component_code = 'PROCESSING_ON_TIME' and scope = 'agency' and period = '2024-Q2'",
    )
    found = {row[0]: row[1:] for row in rows}
    expected = {
        _agency(name): (*counts, "scored" if counts[1] else "not_applicable") for name, counts in QUARTER.items()
    }
    assert {code: found[code] for code in expected} == expected


def test_months_of_the_score_are_those_of_the_mart(scored: Warehouse) -> None:
    """Two ways through the same rule: counted in groups by month, and by period."""
    equal, different = ask(
        scored,
        "select count(*) filter (where (s.numerator, s.denominator) = (m.on_time_766, m.on_time_766 + m.overdue_766)),"
        " count(*) filter (where (s.numerator, s.denominator) is distinct from"
        " (m.on_time_766, m.on_time_766 + m.overdue_766)) from mart.indicator_score as s inner join mart.dossier_on_time"
        " as m on s.unit_code = m.agency_code and s.starts_on = m.month where s.component_code = 'PROCESSING_ON_TIME'"
        " and s.scope = 'agency' and s.period_kind = 'month'",
    )[0]
    assert (equal > 80, different) == (True, 0)
