"""The questions people ask, each one statement, asked of the standard sandbox with the rights its file names.

``DX_WRITE_ANSWERS=1`` writes the answers anew: after a change of the sandbox or of a mart, read the difference in git.
"""

from __future__ import annotations

import csv
import io
import os
import re
import time
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal, localcontext
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
import sqlglot

from dx_pipeline.contract.indicator import Indicator, load_indicators
from dx_pipeline.report.pdf import find_chromium
from dx_pipeline.warehouse.indicator_value import IndicatorValue, indicator_values
from tests.assessed import assess
from tests.conftest import ROOT, Installation
from tests.questions import FOLDER, ROLES, Question, answer, read_questions
from tests.score_recomputed import Rows, ranking
from tests.star import warehouse_url

INDICATORS = {indicator.id: indicator for indicator in load_indicators([ROOT])}
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


@pytest.fixture(scope="module")
def core_rows(connection: psycopg.Connection) -> Rows:
    found = Rows(connection)
    connection.rollback()
    return found


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


def compute(
    province: Installation,
    indicator: Indicator,
    *by: str,
    since: date | None = None,
    until: date | None = None,
) -> list[IndicatorValue]:
    """As ``dx metrics show`` does, with the rights of ``dx_bi``."""
    engine = sa.create_engine(warehouse_url(province.home).replace("postgresql://", "postgresql+psycopg://"))
    try:
        with engine.connect() as opened:
            opened.exec_driver_sql("set local role dx_bi")
            return indicator_values(opened, indicator, by=by, since=since, until=until)
    finally:
        engine.dispose()


@pytest.mark.parametrize("name", sorted(INDICATORS))
def test_an_indicator_is_the_sum_of_its_parts(province: Installation, name: str) -> None:
    """Each one computed as a whole and by every breakdown: the numerators add up."""
    indicator = INDICATORS[name]
    (whole,) = compute(province, indicator)
    assert whole.value is not None
    for dimension in indicator.by:
        parts = compute(province, indicator, dimension)
        assert len(parts) > 1
        with localcontext(prec=60):  # Python would round the sum to 28 digits; PostgreSQL adds exactly
            assert sum(part.numerator or 0 for part in parts) == whole.numerator
    if indicator.time:
        assert compute(province, indicator, indicator.time.unit)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("eid_issued", "285394"),
        ("eid_activation", "66.445"),
        ("households_with_internet", "72.595"),
        ("households_with_smartphone", "92.700"),
        ("communes_with_team", "80.00"),
    ],
)
def test_indicators_of_mid_2024_are_the_published_ones(province: Installation, name: str, value: str) -> None:
    """100 of 125 communes have a team: 80 %."""
    (found,) = compute(province, INDICATORS[name], until=date(2024, 6, 30))
    assert found.value == Decimal(value)


def test_indicator_and_question_say_the_same(province: Installation) -> None:
    """Question 10 on the province, the first half of 2024, written with other words than the indicators."""
    asked = {row["component"][:3]: row["percent"] for row in rows(10) if row["agency_code"] == "*"}
    declared = {
        "2.1": "on_time_766",
        "3.3": "online_rate",
        "3.6": "online_payment_rate",
        "4.1": "electronic_result_rate",
        "4.2": "digitised_rate",
        "5.2": "petitions_on_time",
    }
    for component, name in declared.items():
        (found,) = compute(province, INDICATORS[name], since=date(2024, 1, 1), until=date(2024, 6, 1))
        assert str(found.value) == asked[component], name


@pytest.mark.parametrize(("period", "first"), [("2024-06", date(2024, 6, 1)), ("2024-H1", date(2024, 1, 1))])
def test_places_worked_out_again_from_rows_are_equal_to_the_last_digit(
    connection: psycopg.Connection, core_rows: Rows, period: str, first: date
) -> None:
    again = ranking(core_rows, first, date(2024, 6, 30))
    assert len(again) > 150
    stored = connection.execute(
        "select unit_code, percent, place from mart.indicator_score where set_code = '766-2022' and component_code = '*'"
        " and status = 'scored' and scope in ('agency', 'commune') and peer_group is not null and period = %s",
        (period,),
    ).fetchall()
    connection.rollback()
    assert {row[0]: row[1:] for row in stored} == {
        one.agency_code: (one.percent, one.place) for one in again.itertuples(index=False)
    }
    assert set(again[again.place > 1].peer_group) == {
        "so-ban-nganh province", "quan-huyen district", "cnvpdk province", "xa-phuong commune",
    }  # fmt: skip


def assessed_table(html: str) -> list[tuple[str, ...]]:
    """Cells of the assessed table, row by row."""
    table = html.split('<table class="assessed">')[1].split("</table>")[0].split("<tbody>")[1]
    return [
        tuple(re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row))
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", table, flags=re.DOTALL)
    ]


def test_the_report_of_june_shows_every_published_figure_matching(province: Installation, tmp_path: Path) -> None:
    assess(province, tmp_path)
    vietnamese, english = tmp_path / "vi.html", tmp_path / "en.html"
    told = province.dx("report", "2024-06", "-o", str(vietnamese)).stdout
    assert "25/25" in told
    province.dx("report", "2024-06", "--lang", "en", "--no-pdf", "-o", str(english))
    text = vietnamese.read_text(encoding="utf-8")
    assert "Tất cả số liệu đã công bố đều khớp với kho." in text
    for figure in ("285.394", "189.631", "66,445", "72,595", "103,97", "1.081", "647", "4.327"):
        assert text.count(f">{figure}<") >= 2, figure
    assert "All published figures match the warehouse." in english.read_text(encoding="utf-8")
    # Equal ones share a place and the next stays empty; not applicable lowers the maximum; excluded is not 0 points.
    assert assessed_table(text) == [
        ("1/5", "Sở Nông nghiệp và Phát triển nông thôn", "100,00", "74,75", "100", "74,75", ""),
        ("2/5 =", "Sở Nội vụ", "100,00", "50,00", "100", "50,00", "đồng hạng, 2 cơ quan"),
        (
            "2/5 =", "Sở Tư pháp", "90,00", "45,00", "90", "50,00",
            "đồng hạng, 2 cơ quan; không áp dụng A3 (10 điểm)",
        ),
        ("4/5", "Sở Kế hoạch và Đầu tư", "100,00", "40,00", "100", "40,00", ""),
        ("5/5", "Sở Công Thương", "100,00", "0,00", "100", "0,00", ""),
        ("–", "Sở Tài chính", "100,00", "100,00", "100", "–", "loại khỏi xếp hạng: Mới thành lập"),
        ("–", "Sở Giao thông vận tải", "100,00", "9,00", "100", "–", "chưa thẩm định đủ"),
    ]  # fmt: skip
    assert assessed_table(english.read_text(encoding="utf-8"))[2][0::6] == (
        "2/5 =", "2 agencies share the place; A3 not applicable (10 points)",
    )  # fmt: skip
    assert "Chưa đo được 26 trên 100 điểm" in text
    assert "không ghi đã tích hợp thanh toán trực tuyến hay chưa" in text
    for page in (text, english.read_text(encoding="utf-8")):
        assert not re.search(r"(src|href)=\"(?!data:)", page), "the file loads nothing from elsewhere"
    if find_chromium():
        assert vietnamese.with_suffix(".pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize(("unit", "component"), [("H50.12", "2.1"), ("H50.12", "3.2"), ("461", "3.6"), ("*", "5.2")])
def test_every_point_lost_leads_to_its_rows(province: Installation, unit: str, component: str) -> None:
    """As many dossiers are named as the denominator is larger than the numerator."""
    shown = province.dx("score", "show", "2024-06", "--unit", unit, "-f", "csv").stdout
    (part,) = [row for row in csv.DictReader(io.StringIO(shown)) if row["component_number"] == component]
    lost = province.dx("score", "rows", "2024-06", unit, component, "-f", "csv", "--limit", "9999").stdout
    named = list(csv.DictReader(io.StringIO(lost)))
    assert len(named) == int(part["denominator"]) - int(part["numerator"]) > 0
    assert all(row["reason"] for row in named)
    if component == "2.1":
        told = province.dx("score", "explain", named[0]["row_code"], "--period", "2024-06").stdout
        assert "QĐ 766, 2.1: quá hạn · overdue" in told
        assert re.search(r"khoản [1-5] · clause [1-5]: ", told)
        assert "Points not measured: 26 / 100" in province.dx("score", "show", "2024-06", "--unit", unit).stdout
