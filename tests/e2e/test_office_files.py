"""A FoxPro table, an Excel 97 report and a UTF-16 list of one department go the whole road."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import xlwt

from tests.conftest import Installation
from tests.dbf_files import write_dbf
from tests.faults.small_project import SmallProject

pytestmark = pytest.mark.timeout(600)


def write_report(path: Path) -> None:
    """Two header rows with merged cells, a total row, a signature."""
    book = xlwt.Workbook(encoding="utf-8")
    page = book.add_sheet("Kinh phí")
    page.write_merge(0, 0, 0, 2, "KINH PHÍ CHUYỂN ĐỔI SỐ")
    page.write_merge(1, 2, 0, 0, "Ma")
    page.write_merge(1, 1, 1, 2, "Nhiệm vụ")
    page.write(2, 1, "Ten")
    page.write(2, 2, "SoTien")
    for number, row in enumerate(
        [
            ("NV1", "Đường truyền", 1200),
            ("NV2", "Đào tạo", "3.400"),
            ("", "Tổng cộng", 4600),
            ("Người lập biểu", "", ""),
        ]
    ):
        for column, value in enumerate(row):
            page.write(number + 3, column, value)
    book.save(str(path))


@pytest.fixture(scope="module")
def office(make_installation: Callable[[], Installation], tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The department's three files, run once."""
    project = SmallProject(tmp_path_factory.mktemp("office"))
    write_dbf(
        project.files / "ho.dbf",
        [("Ma", "C", 12, 0), ("Ten", "C", 40, 0), ("SoTien", "N", 12, 0)],
        [
            [b"45001", bytes.fromhex("51 75 B6 6E 67 20 54 72 DE"), b"150000"],
            [b"45002", b"xoa", b"1"],
            [b"45003", bytes.fromhex("48 AD ED 6E 67 20 48 E3 61"), b"************"],
            [b"45004", bytes.fromhex("48 AD ED 6E 67 20 48 E3 61"), b""],
        ],
        deleted=[1],
        language_driver=0x78,
    )
    write_report(project.files / "kinh_phi.xls")
    (project.files / "phuong.csv").write_bytes(
        '"Ma";"Ten";"SoTien"\r\n"P1";"Phường 1; Đông Hà";"1"\r\n'.encode("utf-16")
    )
    merged = 'headerRow: 2, headerRows: 2, totalRows: ["Tổng cộng"], stopAt: ["Người lập biểu"]'
    project.add_file("office", "ho", '{kind: dbf, path: "ho.dbf"}', cap=0.5)
    project.add_file("office", "kinh_phi", f'{{kind: xlsx, path: "*.xls*", {merged}}}')
    project.add_file("office", "phuong", '{kind: csv, path: "phuong.csv", encoding: utf-16, delimiter: ";"}')
    installation = make_installation()
    installation.environment["DX_CONNECTION_OFFICE"] = project.files.as_uri()
    installation.dx("run", "--project", str(project.root), "office")
    return installation


def test_every_row_is_accounted_for(office: Installation) -> None:
    counts = (
        "select dataset, extracted, accepted, quarantined, duplicate from ops.batch where system = 'office' order by 1"
    )
    assert office.rows(counts) == [
        ["ho", "3", "2", "1", "0"],
        ["kinh_phi", "2", "2", "0", "0"],
        ["phuong", "1", "1", "0", "0"],
    ]


def test_the_star_holds_vietnamese_and_numbers(office: Installation) -> None:
    assert office.rows("select code, title, amount from small.ho order by 1") == [
        ["45001", "Quảng Trị", "150000"],
        ["45004", "Hướng Hóa", ""],
    ]
    assert office.rows("select code, title, amount from small.kinh_phi order by 1") == [
        ["NV1", "Đường truyền", "1200"],
        ["NV2", "Đào tạo", "3400"],
    ]
    assert office.rows("select code, title, amount from small.phuong") == [["P1", "Phường 1; Đông Hà", "1"]]


def test_a_number_too_wide_for_its_field_waits_for_its_owner(office: Installation) -> None:
    """FoxPro writes asterisks where a number does not fit."""
    ((key, reasons),) = office.rows("select row_key, reasons from ops.quarantine where system = 'office'")
    assert key == "45003"
    assert "amount_unreadable" in reasons
