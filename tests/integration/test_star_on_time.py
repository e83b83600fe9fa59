"""Both on-time rules, case by case. Each case has its own agency, so that its row in the mart is the case alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.warehouse.connection import Warehouse
from tests.integration.star_on_time_cases import CASES, LIMIT_OF_5_DAYS, NO_LIMIT, Case, dossier
from tests.integration.star_warehouse import ask, migrated_warehouse, refresh, running_server

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
