"""Schedules in contracts: cron lines read as Dagster reads them, due and late as a person counts."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from dagster._utils.schedules import cron_string_iterator
from hypothesis import given, settings
from hypothesis import strategies as st

from dx_pipeline.contract.catalog import load_catalog, load_system
from dx_pipeline.contract.cron import parse_cron
from dx_pipeline.contract.loader import load_contract
from dx_pipeline.contract.timeliness import in_words, timeliness
from dx_pipeline.errors import ContractError
from tests.conftest import ROOT
from tests.faults.small_project import GOOD_ROWS, SmallProject

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LOCAL)


def fields(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    pair = st.tuples(number, number).map(sorted).filter(lambda two: two[0] < two[1])
    return st.one_of(
        st.just("*"), number.map(str), pair.map(lambda two: f"{two[0]}-{two[1]}"),
        st.lists(number, min_size=2, max_size=3, unique=True).map(lambda many: ",".join(map(str, sorted(many)))),
        st.integers(2, 6).map(lambda step: f"*/{step}"),
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.tuples(fields(0, 59), fields(0, 23), fields(1, 28), fields(1, 12), fields(0, 6)),
    st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1)),
)
def test_next_time_is_dagsters(parts: tuple[str, ...], moment: datetime) -> None:
    line = " ".join(parts)
    start = moment.replace(microsecond=0, tzinfo=LOCAL)
    ticks = cron_string_iterator(start.timestamp(), line, "Asia/Ho_Chi_Minh")
    wanted = next(tick for tick in ticks if tick > start)
    assert parse_cron(line).next_after(start) == wanted


@pytest.mark.parametrize(
    ("line", "rhythm"),
    [
        ("0 * * * *", "hourly"), ("*/10 * * * *", "hourly"), ("0 6 * * *", "daily"), ("0 6 * * 1", "weekly"),
        ("0 6 5 * *", "monthly"), ("0 6 5 1,4,7,10 *", "quarterly"), ("0 6 15 1 *", "yearly"),
    ],
)  # fmt: skip
def test_rhythm_in_a_word(line: str, rhythm: str) -> None:
    assert parse_cron(line).rhythm == rhythm


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("0 6 * *", "has 4 fields"), ("60 6 * * *", "minute '60' is not within 0-59"), ("0 6 31 2 *", "no month has"),
        ("0 6 * * monday", "weekday 'monday' is not"), ("0 6 5-1 * *", "day '5-1' is not within 1-31"),
        ("*/0 * * * *", "not within"), ("", "has 0 fields"),
    ],
)  # fmt: skip
def test_a_line_that_is_none_is_refused(line: str, why: str) -> None:
    with pytest.raises(ValueError, match=why.replace("'", ".")):
        parse_cron(line)


def test_contract_and_system_say_where_the_line_is_wrong(tmp_path: Path) -> None:
    project = SmallProject(tmp_path)
    project.add_csv("so", "a", GOOD_ROWS)
    contract = project.contract("so", "a")
    line = 'slaProperties:\n  - {property: frequency, value: daily, scheduler: cron, schedule: "0 25 * * *"}\n'
    project.replace(
        contract, "customProperties:\n  - {property: system", f"{line}customProperties:\n  - {{property: system"
    )
    with pytest.raises(ContractError, match=r"at slaProperties\[0\].schedule: '0 25 \* \* \*' its hour '25'"):
        load_contract(contract, tmp_path)
    project.replace(contract, "0 25 * * *", "0 5 * * *")
    assert load_contract(contract, tmp_path).schedule == "0 5 * * *"
    project.replace(contract, "scheduler: cron", "scheduler: airflow")
    with pytest.raises(ContractError, match="scheduler: is 'airflow', must be cron"):
        load_contract(contract, tmp_path)
    system = contract.with_name("system.yaml")
    system.write_text(system.read_text(encoding="utf-8") + "schedule: every day\n", encoding="utf-8")
    with pytest.raises(ContractError, match="at schedule: 'every day' has 2 fields"):
        load_system(system, tmp_path)


def test_every_dataset_of_the_project_has_a_schedule_and_a_promise_that_fits_it() -> None:
    """Fresh for as long as from one run to the next at least: else it would be late by plan."""
    catalog = load_catalog((ROOT,))
    for contract in catalog.contracts.values():
        line = catalog.schedule_of(contract)
        assert line is not None, contract.id
        assert contract.freshness is not None, contract.id
        cron = parse_cron(line)
        first = cron.next_after(at("2025-12-20T00:00"))
        assert first is not None
        second = cron.next_after(first)
        assert second is not None
        assert second - first <= contract.freshness, contract.id


def test_due_and_late() -> None:
    monthly, month = "0 6 5 * *", timedelta(days=32)
    fine = timeliness(monthly, month, at("2024-06-05T06:02"), at("2024-06-30T12:00"))
    assert (fine.due, fine.is_overdue, fine.late_by) == (at("2024-07-05T06:00"), False, None)
    missed = timeliness(monthly, month, at("2024-06-05T06:02"), at("2024-07-10T06:02"))
    assert (missed.due, missed.is_overdue, missed.late_by) == (at("2024-07-05T06:00"), True, timedelta(days=3))
    never = timeliness(monthly, month, None, at("2024-06-30T12:00"))
    assert (never.due, never.is_overdue, never.late_by) == (at("2024-07-05T06:00"), False, None)
    assert timeliness(None, None, at("2024-06-05T06:02"), at("2024-06-30T12:00")) == type(fine)(None, False, None)
    assert [in_words(span) for span in (timedelta(days=3), timedelta(hours=30), timedelta(minutes=12))] == [
        "3 d", "30 h", "12 min",
    ]  # fmt: skip
