"""A department's register of cooperatives, written as such registers are, from CSV to the star."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Installation
from tests.faults.small_project import SmallProject

pytestmark = pytest.mark.timeout(600)

# Code, unit, founded, tax code, share of members (%), capital (million đồng), revenue of last year.
REGISTER = """\
Ma,Ten,SoTien,NgayLap,MST,TyLe,DoanhThu
A1,Xã  Hướng Hoá,"1.234,5",1990,0100047516,"92,7 %","1,5 tỷ"
A2,X. Hướng Hóa,250,05/1990,0100047516-001,"103,97%",250 triệu đồng
A3,TT Ái Tử,12,15/05/1990,3200042637,50,900000000
A4,Höôùng Hoùa,"1.234",1990,,,
A5,Phường 01,7,00/00/1965,0100047517,,
A6,P.1,"2,5",32874,045099001234,,1 tỷ 500 triệu
"""

COLUMNS = """\
      - name: founded_on
        physicalName: NgayLap
        logicalType: date
        classification: public
        description: Ngày thành lập | Founded on
        customProperties:
          - {property: semanticType, value: date}
          - {property: options, value: {partial: true, excel_epoch: 1900}}
      - name: tax_code
        physicalName: MST
        logicalType: string
        classification: public
        description: Mã số thuế | Tax code
        customProperties:
          - {property: semanticType, value: tax_code}
      - name: share
        physicalName: TyLe
        logicalType: number
        classification: public
        description: Tỷ lệ | Share
        customProperties:
          - {property: semanticType, value: percentage}
          - {property: options, value: {scale: 2}}
      - name: revenue
        physicalName: DoanhThu
        logicalType: integer
        classification: public
        description: Doanh thu | Revenue
        customProperties:
          - {property: semanticType, value: money_vnd}
"""

RULES = "".join(
    f"""\
  - type: expect_column_values_to_be_null
    kwargs: {{column: {column}__unreadable}}
    severity: {severity}
    meta: {{code: {column}_unreadable, vi: "Không đọc được {column}", en: "{column} cannot be read"}}
"""
    for column, severity in (
        ("founded_on", "warning"), ("tax_code", "critical"), ("share", "warning"), ("revenue", "warning"),
    )
)  # fmt: skip


@pytest.fixture(scope="module")
def warehouse(make_installation: Callable[[], Installation], tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The warehouse after one run over the register."""
    project = SmallProject(tmp_path_factory.mktemp("types"))
    project.add_csv("coop", "register", REGISTER, cap=0.6)
    contract = project.contract("coop", "register")
    project.replace(
        contract,
        "          - {property: semanticType, value: text}\n",
        "          - {property: semanticType, value: unit_name}\n          - {property: options, value: {key: true}}\n",
    )
    project.replace(
        contract,
        "          - {property: semanticType, value: money_vnd}\n",
        "          - {property: semanticType, value: money_vnd}\n"
        "          - {property: options, value: {unit: trieu}}\n" + COLUMNS,
    )
    suite = project.suite("coop", "register")
    suite.write_text(suite.read_text(encoding="utf-8") + RULES, encoding="utf-8")
    load = project.load("coop", "register")
    project.replace(
        load,
        "    amount bigint,\n",
        "    amount bigint,\n    unit_key text,\n    founded_on date,\n    founded_precision text,\n"
        "    tax_code text,\n    share numeric(18, 2),\n    revenue bigint,\n",
    )
    project.replace(
        load,
        "    s.amount,\n",
        "    s.amount,\n    s.title__key as unit_key,\n    s.founded_on,\n"
        "    s.founded_on__precision as founded_precision,\n    s.tax_code,\n    s.share,\n    s.revenue,\n",
    )
    installation = make_installation()
    installation.environment["DX_CONNECTION_COOP"] = project.files.as_uri()
    checked = installation.dx("contract", "check", str(contract))
    assert "1 right, 0 broken" in checked.stdout
    installation.dx("run", "--project", str(project.root), "coop")
    return installation


def test_values_reach_the_star_exactly(warehouse: Installation) -> None:
    rows = warehouse.rows(
        "select code, title, amount, founded_on::text, founded_precision, tax_code, share, revenue"
        " from small.register order by code"
    )
    assert rows == [
        ["A1", "Xã Hướng Hoá", "1234500000", "1990-01-01", "year", "0100047516", "92.70", "1500000000"],
        ["A2", "X. Hướng Hóa", "250000000", "1990-05-01", "month", "0100047516-001", "103.97", "250000000"],
        ["A3", "TT Ái Tử", "12000000", "1990-05-15", "day", "3200042637", "50.00", "900000000"],
        ["A6", "P.1", "2500000", "1990-01-01", "day", "045099001234", "", "1500000000"],
    ]


def test_rows_join_by_the_key_of_the_unit(warehouse: Installation) -> None:
    keys = "select unit_key, string_agg(code, ' ' order by code) from small.register group by 1 order by 2"
    assert warehouse.rows(keys) == [["xãhướnghóa", "A1 A2"], ["thịtrấnáitử", "A3"], ["phường1", "A6"]]


def test_what_is_ambiguous_or_wrong_waits_in_quarantine(warehouse: Installation) -> None:
    """A4: 1.234 million is 1234 or 1.234; A5: the check digit of its tax code is wrong."""
    rows = warehouse.rows("select row_key, reasons::text from ops.quarantine where dataset = 'register' order by 1")
    assert rows == [["A4", "{amount_unreadable}"], ["A5", "{tax_code_unreadable}"]]
