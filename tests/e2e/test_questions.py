"""The questions people ask, each one statement, asked of the standard sandbox with the rights its file names.

``DX_WRITE_ANSWERS=1`` writes the answers anew: after a change of the sandbox or of a mart, read the difference in git.
"""

from __future__ import annotations

import csv
import io
import os
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
import sqlglot

from tests.conftest import Installation
from tests.questions import FOLDER, ROLES, Question, answer, read_questions
from tests.star import warehouse_url

QUESTIONS = {question.number: question for question in read_questions()}

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def province(make_installation: Callable[[], Installation]) -> Installation:
    """A warehouse loaded from the standard sandbox: 60,000 dossiers, seed 1982."""
    installation = make_installation()
    installation.dx("sandbox", "build", "--dossiers", "60000", "--seed", "1982")
    installation.dx("run")
    return installation


@pytest.fixture(scope="module")
def connection(province: Installation) -> Iterator[psycopg.Connection]:
    with psycopg.connect(warehouse_url(province.home)) as opened:
        yield opened


def rows(number: int) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(QUESTIONS[number].answer_path.read_text(encoding="utf-8"))))


def test_the_24_questions_are_files_with_one_statement_and_an_answer() -> None:
    assert sorted(QUESTIONS) == list(range(1, 25))
    assert {path.stem for path in (FOLDER / "answers").iterdir()} == {f"{number:02d}" for number in QUESTIONS}
    guide = (FOLDER / "README.md").read_text(encoding="utf-8")
    for question in QUESTIONS.values():
        assert question.role in ROLES
        assert len(sqlglot.parse(question.statement, dialect="postgres")) == 1
        assert question.path.name in guide, f"{question.path.name} is missing in docs/questions/README.md"


@pytest.mark.parametrize("number", sorted(QUESTIONS))
def test_question_has_its_answer(
    connection: psycopg.Connection, number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    question: Question = QUESTIONS[number]
    began = time.perf_counter()
    found = answer(connection, question)
    seconds = time.perf_counter() - began
    with capsys.disabled():
        print(f"  {question.path.stem:32} {question.role:10} {found.count(chr(10)) - 1:4} rows {seconds:.3f} s")
    if os.environ.get("DX_WRITE_ANSWERS"):
        question.answer_path.write_text(found, encoding="utf-8")
    assert found == question.answer_path.read_text(encoding="utf-8")
    assert found.count("\n") > 1, "an answer without rows shows nothing"


def test_answers_agree_with_the_published_figures() -> None:
    """As the province published them for mid-2024, written here by hand."""
    tasks = {row["group_code"]: (row["carried_out"], row["assigned"]) for row in rows(14) if row["lead_agency"] == "*"}
    assert tasks == {"CHUNG": ("11", "11"), "CQS": ("11", "21"), "KTS": ("5", "9"), "XHS": ("1", "6")}
    eid = rows(11)[0]
    assert (eid["issued"], eid["activated"], eid["activation_rate"]) == ("285394", "189631", "66.445")
    assert {(row["issued_on_map"], row["activated_on_map"]) for row in rows(12)} == {("285394.0", "189631.0")}
    assert {(row["full_count"], row["partial_count"]) for row in rows(7)} == {("1081", "647")}
    teams = rows(13)
    assert {(row["teams_by_decision"], row["teams_reported"]) for row in teams} == {("100", "115")}
    assert [row["has_team"] for row in teams].count("False") == 25
    assert [row["registers_differ"] for row in teams].count("True") == 15


def test_cash_that_is_flagged_as_online_is_found() -> None:
    assert sum(int(row["flagged_but_cash"]) for row in rows(8)) > 0


def test_only_the_named_role_is_needed(connection: psycopg.Connection) -> None:
    """Questions of ``dx_analyst`` read the star: ``dx_bi`` is refused, so the role in the file is the least one."""
    for question in QUESTIONS.values():
        if question.role == "dx_analyst":
            refused = Question(
                question.number, question.path, question.vietnamese, question.english, "dx_bi", question.statement
            )
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                answer(connection, refused)
