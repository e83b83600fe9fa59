"""Every question of the BI guide is asked on a loaded sandbox, with the rights the guide says it needs."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable

import pytest

from tests.conftest import ROOT, Installation

GUIDE = (ROOT / "docs" / "for-bi.md").read_text(encoding="utf-8")
QUESTIONS = {
    int(number): statement
    for number, statement in re.findall(r"^(\d+)\. [^\n]+\n\n```sql\n(.*?)```", GUIDE, re.M | re.S)
}
DICTIONARY = next(
    block for block in re.findall(r"```sql\n(.*?)```", GUIDE, re.DOTALL) if "ops.data_dictionary" in block
)

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def province(make_installation: Callable[[], Installation]) -> Installation:
    """A warehouse loaded from a sandbox of 2,000 dossiers."""
    installation = make_installation()
    installation.dx("sandbox", "build", "--dossiers", "2000")
    installation.dx("run")
    return installation


def ask(province: Installation, statement: str, role: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(province.dx("sql", "--role", role, "-f", "csv", statement).stdout)))


def test_all_blocks_are_known() -> None:
    assert sorted(QUESTIONS) == list(range(1, 22))
    assert GUIDE.count("```sql\n") == len(QUESTIONS) + 1


@pytest.mark.parametrize("number", sorted(QUESTIONS))
def test_question_has_an_answer(province: Installation, number: int) -> None:
    """As the guide says: the first five need ``dx_bi``, the others ``dx_analyst``."""
    assert ask(province, QUESTIONS[number], "dx_bi" if number <= 5 else "dx_analyst")


def test_published_numbers_of_30_june_2024(province: Installation) -> None:
    """The province published 1,081 full and 647 partial online services."""
    (row,) = ask(province, QUESTIONS[1], "dx_bi")
    assert (row["full_count"], row["partial_count"]) == ("1081", "647")


def test_communes_without_a_team_are_the_difference_to_125(province: Installation) -> None:
    """100 of 125 communes have a team by decision; the districts report 15 of the others."""
    rows = ask(province, QUESTIONS[16], "dx_analyst")
    assert len(rows) == 25
    assert sum(row["reported_by_district"] in ("t", "True", "true") for row in rows) == 15


def test_tasks_of_decision_1982_by_group(province: Installation) -> None:
    rows = {row["group_code"]: row for row in ask(province, QUESTIONS[17], "dx_analyst")}
    done = {group: (int(row["carried_out"]), int(row["assigned"])) for group, row in rows.items()}
    assert done == {"CHUNG": (11, 11), "CQS": (11, 21), "KTS": (5, 9), "XHS": (1, 6)}


def test_star_and_mart_count_the_same_dossiers(province: Installation) -> None:
    """Question 6 on the star and question 2 on the mart: received per month, each dossier once."""
    star = {row["month"]: row["received"] for row in ask(province, QUESTIONS[6], "dx_analyst")}
    mart = {row["month"]: row["received"] for row in ask(province, QUESTIONS[2], "dx_bi")}
    assert len(star) == 6
    assert star == mart


def test_restated_reports_keep_their_totals(province: Installation) -> None:
    """Questions 12 and 13: other maps, as many dossiers. Question 14: other agencies, as many dossiers."""
    received = "d.received_on between date '2024-01-01' and date '2024-06-30' and d.deleted_at is null"
    (known,) = ask(province, f"select count(*) as n from core.fact_dossier as d where {received}", "dx_analyst")
    of_today = ask(province, QUESTIONS[12], "dx_analyst")
    assert sum(int(row["dossiers"]) for row in of_today) == int(known["n"])
    of_2019 = ask(province, QUESTIONS[13], "dx_analyst")
    assert sum(int(row["dossiers"]) for row in of_2019) == int(known["n"])
    assert {row["placed"] for row in of_2019} >= {"on the map", "merged_from_several"}
    agencies = ask(province, QUESTIONS[14], "dx_analyst")
    today = {row["agency_today"]: int(row["dossiers_of_agency_today"]) for row in agencies}
    assert sum(today.values()) == sum(int(row["dossiers"]) for row in agencies)
    merged = [int(row["dossiers"]) for row in agencies if row["agency_then"] in ("H50.07", "H50.10")]
    assert today["H50.31"] == sum(merged) > 0
    assert [row["agency_then"] for row in agencies if row["agency_today"] == "split_share_unknown"] == ["H50.12"]


def test_dictionary_describes_every_column_in_both_languages(province: Installation) -> None:
    rows = ask(province, DICTIONARY, "dx_analyst")
    assert len(rows) > 200
    assert [row for row in rows if not (row["comment_vi"] and row["comment_en"])] == []


def test_every_table_of_core_and_mart_is_in_the_guide(province: Installation) -> None:
    tables = {row["table_name"] for row in ask(province, DICTIONARY, "dx_analyst")}
    assert {table for table in tables if table not in GUIDE} == set()
