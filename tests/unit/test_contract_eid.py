"""Contract and suite of the electronic identities, and the workbooks of the sandbox: their sums and their dirt."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import jsonschema
import openpyxl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from dx_pipeline.clean.batch import cleaned_schema
from dx_pipeline.contract.catalog import load_catalog
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import SourceDrift
from dx_pipeline.extract.drift import check_drift, refuse_drift
from dx_pipeline.extract.source import open_source
from dx_pipeline.extract.window import Window
from dx_pipeline.judge.suite import load_suite
from dx_pipeline.sandbox.communes import commune_list
from dx_pipeline.sandbox.eid.build import build_eid
from dx_pipeline.sandbox.eid.kinds import KINDS
from dx_pipeline.sandbox.eid.rows import eid_rows
from dx_pipeline.sandbox.planted import TruthBook
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_catalog([ROOT]).contract("eid.dinh_danh_xa_thang")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("eid")
    build_eid(found / "files", seed=20240628, truth_path=found / "truth")
    return found


def test_contract_follows_the_published_json_schema() -> None:
    path = ROOT / "assets" / "eid" / "dinh_danh_xa_thang.odcs.yaml"
    jsonschema.validate(
        yaml.safe_load(path.read_text(encoding="utf-8")), json.loads(OpenDataContractStandard.json_schema())
    )


def test_every_planted_fault_has_a_rule_of_that_severity(contract: Contract) -> None:
    suite = load_suite(contract, cleaned_schema(contract).names)
    told_by_the_star = {"xa_khong_xac_dinh", "luy_ke_giam"}
    for kind in KINDS:
        if kind.verdict in ("critical", "warning") and kind.code not in told_by_the_star:
            assert suite.rule(kind.code).severity == kind.verdict, kind.code


def test_nothing_personal_is_read(contract: Contract) -> None:
    assert [column.name for column in contract.columns if column.is_personal] == []


@pytest.mark.parametrize("seed", [1, 2, 20240628])
def test_the_sheets_of_any_seed_hold_more_than_what_is_published(seed: int) -> None:
    """The published total is in no row: June's rows add up to more, because dirty ones stand among them."""
    months = eid_rows(commune_list(date(2024, 6, 30)), seed, TruthBook(KINDS))
    june = months[-1]
    assert len(months) == 12
    assert sum(row["cap_1"] + row["cap_2"] for row in june) > 285_394
    clean = june[:126]
    assert len({(row["huyen"], row["xa"]) for row in clean}) == 126
    assert sum(row["cap_1"] + row["cap_2"] for row in clean) == 285_394
    assert sum(row["kich_hoat_1"] + row["kich_hoat_2"] for row in clean) == 189_631
    assert max(row["cap_1"] + row["cap_2"] for row in clean) < 10_000


def test_a_workbook_is_read_without_its_title_total_and_signatures(contract: Contract, folder: Path) -> None:
    with open_source(contract, (folder / "files").as_uri()) as reader:
        refuse_drift(contract, check_drift(contract, reader.describe()))
        extraction = reader.extract(Window("full"))
        table = pa.Table.from_batches(list(extraction.batches), schema=extraction.schema)
    truth = json.loads((folder / "truth" / "truth.json").read_text(encoding="utf-8"))
    assert table.num_rows == extraction.source_rows == truth["tables"]["dinh_danh_xa_thang"]["rows"]
    assert len(extraction.position["files"]) == 12
    assert {file["total_rows"] for file in extraction.position["files"]} == {1}
    names = table.column("Xã, phường, thị trấn")
    assert not pc.any(pc.match_substring_regex(names, "Tổng|Người lập")).as_py()
    assert pc.sum(pc.equal(table.column("Đã cấp (hồ sơ) / Mức 2"), "chưa có số liệu")).as_py() == 6


def test_a_list_of_persons_is_refused_and_nothing_of_it_is_shown(
    contract: Contract, folder: Path, tmp_path: Path
) -> None:
    book = openpyxl.load_workbook(next((folder / "files").glob("*2024-06*")))
    sheet = book.active
    sheet.cell(4, 14, "Số CCCD")
    sheet.cell(4, 15, "Họ và tên")
    sheet.cell(7, 14, "045123456789")
    sheet.cell(7, 15, "Nguyễn Văn Thử")
    book.save(tmp_path / "thang_6.xlsx")
    with open_source(contract, tmp_path.as_uri()) as reader, pytest.raises(SourceDrift) as refused:
        refuse_drift(contract, check_drift(contract, reader.describe()))
    assert "Số CCCD" in str(refused.value)
    assert "Họ và tên" in str(refused.value)
    assert "045123456789" not in str(refused.value)
    assert "Thử" not in str(refused.value)
