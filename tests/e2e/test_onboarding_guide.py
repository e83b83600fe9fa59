"""The worked example of docs/onboard-a-source.md, taken from its text, does what the guide says."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT, Installation

GUIDE = ROOT / "docs" / "onboard-a-source.md"
PROJECT_FILES = (
    "assets/clinics/co_so_y_te.odcs.yaml",
    "assets/clinics/system.yaml",
    "expectations/clinics/co_so_y_te.yaml",
    "warehouse_sql/load/clinics/co_so_y_te.sql",
    "warehouse_sql/marts/beds_by_kind.sql",
    "warehouse_sql/migrations/0001_beds_by_kind.sql",
)
FACILITIES = (
    "select facility_code, facility_name, facility_kind, beds,"
    " to_char(updated_at at time zone 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD HH24-MI'),"
    " warnings::text, closed_on is not null from clinics.dim_facility order by 1"
)

pytestmark = pytest.mark.timeout(600)


def guide_files() -> dict[str, str]:
    """Files that the guide shows in full: a line with the name in backticks, then a code block."""
    pattern = r"^`([^`\n]+)`:\n\n```\w+\n(.*?)^```$"
    return dict(re.findall(pattern, GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL))


@dataclass(frozen=True)
class Department:
    """The department of the guide: its database, and the warehouse that reads it."""

    installation: Installation
    folder: Path
    database: Path

    def change(self, script: str) -> None:
        connection = sqlite3.connect(self.database)
        connection.executescript(script)
        connection.commit()
        connection.close()

    def run(self) -> None:
        self.installation.dx("run", "--project", str(self.folder), "clinics")


@pytest.fixture(scope="module")
def department(make_installation: Callable[[], Installation], tmp_path_factory: pytest.TempPathFactory) -> Department:
    """The project folder of the guide, its source filled, run once."""
    folder = tmp_path_factory.mktemp("department")
    found = Department(make_installation(), folder, folder / "y_te.sqlite")
    files = guide_files()
    for name in PROJECT_FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(files[name], encoding="utf-8")
    found.installation.environment["DX_CONNECTION_CLINICS"] = f"sqlite:///{found.database}"
    found.change(files["y_te.sql"])
    found.run()
    return found


def test_guide_shows_every_file_it_needs() -> None:
    assert sorted(guide_files()) == [*PROJECT_FILES, "y_te.sql"]


def test_six_rows_are_accounted_for(department: Department) -> None:
    checked = department.installation.dx("contract", "check", str(department.folder / PROJECT_FILES[0]))
    assert "1 right, 0 broken" in checked.stdout
    counts = "select extracted, accepted, quarantined, duplicate from ops.batch where system = 'clinics'"
    assert department.installation.rows(counts) == [["6", "4", "1", "1"]]


def test_the_mart_answers(department: Department) -> None:
    found = department.installation.rows("select facility_kind, facilities, beds from mart.beds_by_kind order by 1")
    assert found == [["clinic", "1", "10"], ["health_station", "2", "5"], ["hospital", "1", "500"]]


def test_rows_come_out_as_the_guide_says(department: Department) -> None:
    assert department.installation.rows(FACILITIES) == [
        ["45001", "Bệnh viện Đa khoa tỉnh", "hospital", "500", "2024-05-01 08-00", "", "False"],
        ["45011", "Trạm Y tế xã Hướng Phùng", "health_station", "5", "2024-05-02 09-30", "", "False"],
        ["45012", "Trạm Y tế xã A Dơi", "health_station", "", "2024-05-02 09-30", "{beds_missing}", "False"],
        ["45013", "Phòng khám khu vực Lìa", "clinic", "10", "2024-05-03 00-00", "", "False"],
    ]
    ((key, reasons),) = department.installation.rows(
        "select row_key, reasons from ops.quarantine where system = 'clinics'"
    )
    assert key == "45099"
    assert "facility_kind_unknown" in reasons


def test_mended_row_is_released_and_deleted_row_is_closed(department: Department) -> None:
    department.change(
        """update co_so_y_te set "Loai" = 'Phòng khám' where "MaCSYT" = '45099';
        delete from co_so_y_te where "MaCSYT" = '45013';"""
    )
    department.run()
    assert department.installation.rows(
        "select facility_code, closed_on is not null from clinics.dim_facility order by 1"
    ) == [["45001", "False"], ["45011", "False"], ["45012", "False"], ["45013", "True"], ["45099", "False"]]
    assert department.installation.rows("select row_key, status from ops.quarantine where system = 'clinics'") == [
        ["45099", "released"]
    ]
