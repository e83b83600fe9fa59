"""Quarantine as a workflow on the real road: lists, ages, release by mending, by decision, discarding, the audit."""

from __future__ import annotations

import csv
import io
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pytest
import sqlalchemy as sa

from dx_pipeline.errors import DxError, LoadFileError
from dx_pipeline.orchestration import process
from dx_pipeline.warehouse.embedded import EmbeddedServer
from dx_pipeline.warehouse.ledger import Batch
from tests.faults.small_project import HEADER, SmallProject
from tests.in_process import InProcess, in_process

pytestmark = pytest.mark.timeout(600)

DATASET = "mend.fees"
SUITE_END = """\
  - type: expect_column_values_to_be_between
    kwargs: {column: amount, min_value: 0, max_value: 1000}
    meta: {code: amount_out_of_range, vi: "Số tiền phải từ 0 đến 1000", en: "the amount must be from 0 to 1000"}
  - type: expect_column_values_to_not_be_null
    kwargs: {column: title}
    meta: {code: title_missing, vi: "Thiếu tên", en: "the name is missing"}
"""
ROWS = {
    "A1": "Một,100",
    "A2": "Hai,200",
    "A3": '=HYPERLINK("http://x"),-5',
    "A4": "Bốn,4000",
    "A5": "Năm,hỏng",
    "A6": ",600",
    "A7": "Bảy,700",
    "A8": "Tám,8000",
}


class Department(InProcess):
    """A register in a CSV file, its warehouse, and the ``dx`` command in this process."""

    def __init__(self, project: SmallProject, url: str) -> None:
        super().__init__(url)
        self.project = project
        self.rows = dict(ROWS)

    def load(self) -> Batch:
        """Write the file anew and run."""
        stream = io.StringIO()
        writer = csv.writer(stream)
        writer.writerows([code, *rest.rsplit(",", 1)] for code, rest in self.rows.items())
        self.project.write_csv("fees", HEADER + stream.getvalue())
        return self.run(DATASET)

    def number(self, code: str) -> int:
        """Number of the entry of a row in the quarantine."""
        ((found,),) = self.ask("select max(quarantine_id) from ops.quarantine where row_key = %s", code)
        assert isinstance(found, int)
        return found

    def status(self) -> dict[str, str]:
        return dict(self.ask("select row_key, status from ops.quarantine order by quarantine_id"))

    def published(self) -> dict[str, tuple[Any, ...]]:
        rows = self.ask("select code, amount, flags, closed_on is null from small.fees order by code")
        return {code: rest for code, *rest in rows}  # type: ignore[misc]


@pytest.fixture(scope="module")
def department(source_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Department]:
    root = tmp_path_factory.mktemp("mend")
    project = SmallProject(root)
    project.add_csv("mend", "fees", HEADER, cap=0.9)
    suite, load = project.suite("mend", "fees"), project.load("mend", "fees")
    suite.write_text(suite.read_text() + SUITE_END)
    project.replace(load, "    amount bigint,", "    amount bigint,\n    flags text[],")
    project.replace(load, "    title text,", "    title text not null,")
    project.replace(load, "    s.amount,", "    s.amount,\n    s._warnings as flags,")
    with in_process(source_server, root, {"mend": project.files.as_uri()}) as installation:
        made = Department(project, installation.url)
        made.load()
        yield made


def test_rejected_rows_wait_with_their_reasons(department: Department) -> None:
    found = department.ask("select row_key, reasons from ops.quarantine where status = 'open' order by 1")
    assert dict(found) == {
        "A3": ["amount_out_of_range"],
        "A4": ["amount_out_of_range"],
        "A5": ["amount_unreadable"],
        "A6": ["title_missing"],
        "A8": ["amount_out_of_range"],
    }
    assert list(department.published()) == ["A1", "A2", "A7"]


def test_summary_counts_rows_and_ages_by_department_and_reason(department: Department) -> None:
    with psycopg.connect(department.url) as connection:
        connection.execute(
            "update ops.quarantine set first_seen = now() - interval '10 days' where row_key in ('A3', 'A4')"
        )
    shown = department.dx("quarantine", "summary").output
    line = next(line for line in shown.splitlines() if "amount_out_of_range" in line)
    assert line.split()[:3] == ["H50.99", DATASET, "amount_out_of_range"]
    assert line.split()[3] == "3"
    assert line.split()[-1] == "10.0", "the median of 10, 10 and 0 days"
    assert "Số tiền phải từ 0 đến 1000" in shown
    assert "nothing waits" in department.dx("quarantine", "summary", "-a", "H50.01").output


def test_workbook_has_a_cover_a_sheet_and_only_texts(department: Department, tmp_path: Path) -> None:
    target = tmp_path / "can-sua.xlsx"
    department.dx("quarantine", "export", str(target), "-a", "H50.99")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    book = openpyxl.load_workbook(target)
    assert book.sheetnames == ["Tóm tắt", DATASET]
    cover = [row for row in book["Tóm tắt"].iter_rows(values_only=True) if row[0] == DATASET]
    assert cover[0] == (
        DATASET, "amount_out_of_range", "Số tiền phải từ 0 đến 1000", "the amount must be from 0 to 1000", 3, 10,
    )  # fmt: skip
    assert sum(row[4] for row in cover) == 5
    rows = list(book[DATASET].iter_rows())
    header = [cell.value for cell in rows[0]]
    assert header == [
        "Số", "Khóa dòng", "Phải sửa", "Reason", "Mã lý do", "Thấy lần đầu", "Số ngày", "Ma", "Ten", "SoTien",
    ]  # fmt: skip
    by_key = {row[1].value: dict(zip(header, row, strict=True)) for row in rows[1:]}
    formula = by_key["A3"]["Ten"]
    assert (formula.value, formula.data_type, formula.quotePrefix) == ('=HYPERLINK("http://x")', "s", True)
    assert (by_key["A3"]["SoTien"].value, by_key["A3"]["SoTien"].data_type) == ("-5", "s")
    assert by_key["A3"]["Số ngày"].value == 10
    assert by_key["A5"]["Phải sửa"].value == "Số tiền không đọc được"
    assert by_key["A6"]["Ten"].value is None


def test_csv_is_harmless_and_keeps_its_numbers(department: Department, tmp_path: Path) -> None:
    target = tmp_path / "can-sua.csv"
    department.dx("quarantine", "export", str(target), "--owner", "mend")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    rows = {row["dong"]: row for row in csv.DictReader(target.read_text(encoding="utf-8-sig").splitlines())}
    assert rows["A3"]["Ten"] == '\'=HYPERLINK("http://x")'
    assert rows["A3"]["SoTien"] == "-5"
    assert rows["A3"]["so_ngay"] == "10"
    refused = department.dx("quarantine", "export", str(target), "--owner", "nobody", code=1)
    assert "owns no system" in refused.stderr
    assert ".csv or .xlsx" in department.dx("quarantine", "export", str(tmp_path / "a.ods"), code=1).stderr


def test_every_department_gets_its_own_workbook(department: Department, tmp_path: Path) -> None:
    folder = tmp_path / "all"
    department.dx("quarantine", "export", "--all", str(folder))
    assert [path.name for path in folder.iterdir()] == ["can-sua-H50.99.xlsx"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_value_that_is_not_there_cannot_be_released(department: Department) -> None:
    refused = department.dx(
        "quarantine", "release", str(department.number("A4")), str(department.number("A5")),
        "--reason", "thử", "--by", "Lê Thị C", code=1,
    )  # fmt: skip
    assert "column SoTien cannot be read" in refused.stderr
    assert "nothing was decided" in refused.stderr
    assert department.ask("select count(*) from ops.quarantine_decision") == [(0,)], "not the other row either"


def test_a_decision_needs_a_name_and_a_reason(department: Department) -> None:
    number = str(department.number("A4"))
    assert "--by" in department.dx("quarantine", "release", number, "--reason", "đúng", code=2).output
    blank = department.dx("quarantine", "release", number, "--reason", "đúng", "--by", "  ", code=1)
    assert "a decision says who" in blank.stderr
    assert "999999: does not exist" in department.dx(
        "quarantine", "discard", "999999", "--reason", "a", "--by", "b", code=1
    ).stderr  # fmt: skip


def test_a_released_row_is_loaded_flagged_and_the_ledger_balances(department: Department) -> None:
    number = str(department.number("A4"))
    done = department.dx("quarantine", "release", number, "--reason", "Giá theo QĐ 12", "--by", "Lê Thị C")
    assert f"dx run {DATASET}" in done.output
    assert department.status()["A4"] == "open", "not before a batch has loaded it"
    listed = department.dx("quarantine", "export", "-d", DATASET).output
    assert "A3" in listed
    assert "A4" not in listed, "the department need not mend it"
    batch = department.load()
    assert department.published()["A4"] == [4000, ["released_manually", "amount_out_of_range"], True]
    assert (batch.extracted, batch.accepted, batch.quarantined, batch.duplicate) == (8, 4, 4, 0)
    assert (batch.inserted, batch.unchanged, batch.flagged) == (1, 3, 1)
    assert department.status()["A4"] == "released"
    again = department.load()
    assert (again.accepted, again.unchanged) == (4, 4), "the decision holds for every later batch"
    shown = department.dx("quarantine", "show", number).output
    for part in ("release", "Lê Thị C", "Giá theo QĐ 12", "amount_out_of_range"):
        assert part in shown


def test_a_replay_honours_a_decision_too(department: Department) -> None:
    newest = department.ask("select max(batch_id) from ops.batch where status = 'published'")[0][0]
    department.dx("quarantine", "release", str(department.number("A8")), "--reason", "Đúng", "--by", "Lê Thị C")
    assert department.replay(DATASET, newest).accepted == 5
    assert department.published()["A8"][0] == 8000


def test_a_changed_row_needs_a_new_decision(department: Department) -> None:
    department.rows["A4"] = "Bốn,5000"
    batch = department.load()
    assert (batch.accepted, batch.quarantined) == (4, 4)
    assert department.status()["A4"] == "open"
    assert department.published()["A4"][0] == 4000, "what was loaded stays until a good version comes"
    department.rows["A4"] = "Bốn,4000"
    assert department.load().accepted == 5, "the record decided about is back"


def test_mended_at_the_source_a_row_is_released_by_itself(department: Department) -> None:
    department.rows["A5"] = "Năm,500"
    department.load()
    assert department.status()["A5"] == "released"
    assert department.published()["A5"] == [500, None, True]
    assert department.ask("select count(*) from ops.quarantine_decision where row_key = 'A5'") == [(0,)]


def test_a_discarded_row_leaves_the_list_but_stays_counted(department: Department) -> None:
    number = str(department.number("A3"))
    department.dx("quarantine", "discard", number, "--reason", "Dòng thử", "--by", "Trần B")
    assert "A3" not in department.dx("quarantine", "export", "-d", DATASET).output
    before = department.ask("select count(*) from ops.quarantine")
    batch = department.load()
    assert batch.extracted == 8
    assert batch.quarantined == 2, "A3 and A6: nothing is lost"
    assert department.status()["A3"] == "discarded"
    assert department.ask("select count(*) from ops.quarantine") == before, "no second entry"
    line = next(
        line for line in department.dx("quarantine", "summary").output.splitlines() if "amount_out_of_range" in line
    )
    assert line.split()[3:5] == ["0", "1"]
    department.rows["A3"] = "Ba,-7"
    department.load()
    assert department.status()["A3"] == "open", "its record changed: it is on the list again"
    assert department.number("A3") == int(number)


def test_a_discarding_can_be_taken_back(department: Department) -> None:
    number = str(department.number("A3"))
    department.dx("quarantine", "discard", number, "--reason", "Dòng thử", "--by", "Trần B")
    department.dx("quarantine", "reopen", number, "--reason", "Bỏ nhầm", "--by", "Trần B")
    assert department.status()["A3"] == "open"
    refused = department.dx("quarantine", "reopen", number, "--reason", "x", "--by", "Trần B", code=1)
    assert "no decision to take back" in refused.stderr
    kinds = department.ask(
        "select decision, decided_by from ops.quarantine_decision where quarantine_id = %s order by decision_id", number
    )
    assert kinds == [("discard", "Trần B"), ("discard", "Trần B"), ("reopen", "Trần B")]


def test_a_release_the_warehouse_cannot_take_stops_the_batch_and_names_the_row(department: Department) -> None:
    """The table wants a title, which no rule of the contract knows as required."""
    number = str(department.number("A6"))
    before = department.published()
    department.dx("quarantine", "release", number, "--reason", "Không tên", "--by", "Trần B")
    with pytest.raises(LoadFileError, match="null value") as stopped:
        department.load()
    assert "dx quarantine reopen" in stopped.value.next_step
    assert number in stopped.value.next_step.split("reopen ")[1].split(" --")[0].split()
    assert department.published() == before, "nothing half done"
    department.dx("quarantine", "reopen", number, "--reason", "Không nạp được", "--by", "Trần B")
    assert department.load().status == "published"


@pytest.mark.parametrize(
    "statement", ["update ops.quarantine_decision set decided_by = 'x'", "delete from ops.quarantine_decision"]
)
def test_not_even_the_loader_may_change_a_decision(department: Department, statement: str) -> None:
    with (
        pytest.raises((DxError, sa.exc.ProgrammingError), match="permission denied"),
        process.get_road().warehouse.loader() as connection,
    ):
        connection.execute(sa.text(statement))
