"""What a workbook says once above its table becomes a column; its own total is compared with its rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
import yaml

from dx_pipeline.contract.loader import load_contract
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import ContractError, SourceDrift, UnreadableSource
from dx_pipeline.extract.drift import check_drift
from dx_pipeline.extract.source import Extraction, open_source
from dx_pipeline.extract.window import Window
from tests.conftest import ROOT
from tests.extract_contracts import make_contract

UNIT = {"unit": ("ĐVT", "Đơn vị tính")}


def budget(**source: Any) -> Contract:
    """Columns Ten, SoTien (a number) and the caption, header in row 4."""
    options = {
        "path": "*.xlsx",
        "header_row": 4,
        "captions": UNIT,
        "total_rows": ("Tổng cộng", "Cộng đơn vị"),
        "control_total": "Tổng cộng",
        **source,
    }
    made = make_contract(["Ten", "SoTien", "^unit"], kind="xlsx", **options)
    name, amount, unit = made.columns
    return replace(made, columns=(name, replace(amount, logical_type="number"), replace(unit, name="unit")))


def write(path: Path, caption: list[tuple[int, int, str]], rows: list[tuple[Any, ...]]) -> None:
    book = openpyxl.Workbook()
    page: Any = book.active
    page.title = "Kinh phí"
    page.cell(1, 1, "KINH PHÍ CHUYỂN ĐỔI SỐ")
    for row, column, text in caption:
        page.cell(row, column, text)
    for column, text in enumerate(("Ten", "SoTien"), start=1):
        page.cell(4, column, text)
    for number, values in enumerate(rows, start=5):
        for column, value in enumerate(values, start=1):
            page.cell(number, column, value)
    book.save(path)


def read(contract: Contract, folder: Path) -> tuple[Extraction, list[list[Any]]]:
    with open_source(contract, folder.as_uri()) as reader:
        assert check_drift(contract, reader.describe()).messages == ()
        extraction = reader.extract(Window("full"))
        table = pa.Table.from_batches(list(extraction.batches), schema=extraction.schema)
    assert extraction.source_rows == table.num_rows
    return extraction, [list(row.values()) for row in table.to_pylist()]


@pytest.mark.parametrize(
    ("caption", "value"),
    [
        ([(3, 2, "ĐVT: triệu đồng")], "triệu đồng"),
        ([(3, 2, "(Đơn vị tính: tỷ đồng)")], "tỷ đồng"),
        ([(2, 1, "đơn vị  tính  -  đồng")], "đồng"),
        ([(3, 1, "ĐVT:"), (3, 2, "nghìn đồng")], "nghìn đồng"),
        ([(2, 1, "ĐVT: đồng"), (3, 2, "ĐVT: đồng")], "đồng"),
    ],
)
def test_each_file_tells_its_unit(tmp_path: Path, caption: list[tuple[int, int, str]], value: str) -> None:
    write(tmp_path / "a.xlsx", caption, [("NV1", 10), ("NV2", 20.5), ("Tổng cộng", 30.5)])
    write(tmp_path / "b.xlsx", [(3, 1, "ĐVT: USD")], [("NV3", 1), ("Tổng cộng", 1)])
    extraction, rows = read(budget(), tmp_path)
    assert rows == [["NV1", "10", value], ["NV2", "20.5", value], ["NV3", "1", "USD"]]
    assert [file["captions"] for file in extraction.position["files"]] == [{"unit": value}, {"unit": "USD"}]
    assert extraction.findings == ()


def test_a_file_without_its_unit_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.xlsx", [(3, 2, "ĐVTX: triệu đồng")], [("NV1", 10)])  # a longer word
    with pytest.raises(SourceDrift, match="no cell above the data begins with 'ĐVT' or 'Đơn vị tính', so unit is not"):
        read(budget(), tmp_path)


def test_a_file_with_two_units_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.xlsx", [(2, 1, "ĐVT: triệu đồng"), (3, 1, "ĐVT: tỷ đồng")], [("NV1", 10)])
    with pytest.raises(UnreadableSource, match="say different things: 'triệu đồng', 'tỷ đồng'"):
        read(budget(), tmp_path)


def test_a_caption_is_not_looked_for_in_the_data(tmp_path: Path) -> None:
    write(tmp_path / "a.xlsx", [], [("ĐVT: tỷ đồng", 10)])
    with pytest.raises(SourceDrift, match="so unit is not known"):
        read(budget(), tmp_path)


ROWS = [("NV1", 10), ("NV2", 20.5), ("Cộng đơn vị: A", 30.5), ("NV3", "7,25"), ("NV4", 1), ("Tổng cộng", 31.5)]


def test_a_total_that_fits_is_told_and_no_finding(tmp_path: Path) -> None:
    write(tmp_path / "a.xlsx", [(3, 1, "ĐVT: đồng")], ROWS)
    extraction, rows = read(budget(), tmp_path)
    assert len(rows) == 4
    (file,) = extraction.position["files"]
    assert file["control_sums"] == [{"row": 10, "column": "SoTien", "total": "31.5", "sum": "31.5"}]
    assert file["total_rows"] == 2
    assert extraction.findings == ()


def test_rows_that_do_not_add_up_are_a_finding(tmp_path: Path) -> None:
    write(tmp_path / "a.xlsx", [(3, 1, "ĐVT: đồng")], [*ROWS[:-1], ("Tổng cộng toàn tỉnh", 40)])
    extraction, rows = read(budget(), tmp_path)
    assert len(rows) == 4
    assert extraction.findings == (
        "a.xlsx, row 10 (Tổng cộng), SoTien: the file's total is 40, its rows add up to 31.5 (difference -8.5);"
        " 1 cells of the column are no plain numbers and not in the sum",
    )


def test_floats_added_up_in_another_order_are_no_difference(tmp_path: Path) -> None:
    rows = [(f"NV{number}", 0.1) for number in range(10)]
    write(tmp_path / "a.xlsx", [(3, 1, "ĐVT: đồng")], [*rows, ("Tổng cộng", sum([0.1] * 10))])
    assert sum([0.1] * 10) != 1.0
    assert read(budget(), tmp_path)[0].findings == ()


@pytest.mark.parametrize(
    ("last", "told"),
    [
        ([], "a.xlsx has no row 'Tổng cộng': whether its rows are complete cannot be checked"),
        ([("Tổng cộng", "bằng chữ")], "a.xlsx, row 6 (Tổng cộng), SoTien: the total is no number"),
    ],
)
def test_what_cannot_be_compared_is_told(tmp_path: Path, last: list[tuple[Any, ...]], told: str) -> None:
    write(tmp_path / "a.xlsx", [(3, 1, "ĐVT: đồng")], [("NV1", 10), *last])
    (finding,) = read(budget(), tmp_path)[0].findings
    assert finding.startswith(told)


def test_without_a_control_total_nothing_is_compared(tmp_path: Path) -> None:
    write(tmp_path / "a.xlsx", [(3, 1, "ĐVT: đồng")], [("NV1", 10), ("Tổng cộng", 99)])
    extraction, _ = read(budget(control_total=None), tmp_path)
    assert extraction.findings == ()
    assert "control_sums" not in extraction.position["files"][0]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"controlTotal": "Cộng"}, "'Cộng' is not one of totalRows"),
        ({"captions": {"don_vi_tinh": []}}, "must be a list of texts"),
        ({"captions": ["ĐVT"]}, "must map names to texts"),
        ({"captions": {"unit": ["ĐVT"]}}, 'every caption needs a column with physicalName "^name"'),
        ({"kind": "csv"}, "belongs to kind xlsx, not to csv"),
    ],
)
def test_a_contract_that_does_not_fit_is_refused(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    document = yaml.safe_load((ROOT / "assets" / "dx_budget" / "kinh_phi.odcs.yaml").read_text(encoding="utf-8"))
    source = next(one for one in document["customProperties"] if one["property"] == "source")
    source["value"] |= change
    path = tmp_path / "assets" / "dx_budget" / "kinh_phi.odcs.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    with pytest.raises(ContractError) as refused:
        load_contract(path, tmp_path)
    assert told in refused.value.what
