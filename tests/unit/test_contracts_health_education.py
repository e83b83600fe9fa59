"""Contracts and suites of the health facilities and the schools, and what the sandbox makes for them."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow as pa
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from dx_pipeline.clean.batch import cleaned_schema
from dx_pipeline.contract.catalog import load_catalog
from dx_pipeline.contract.loader import load_contract
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import ContractError, SourceDrift, UnreadableSource
from dx_pipeline.extract.drift import check_drift, refuse_drift
from dx_pipeline.extract.source import open_source
from dx_pipeline.extract.window import Window
from dx_pipeline.judge.suite import load_suite
from dx_pipeline.sandbox.communes import commune_list
from dx_pipeline.sandbox.education import kinds as education_kinds
from dx_pipeline.sandbox.education.build import FORMS, build_education
from dx_pipeline.sandbox.education.schools import school_rows
from dx_pipeline.sandbox.health import kinds as health_kinds
from dx_pipeline.sandbox.health.facilities import NAME_BYTES, as_latin1_shows, facility_rows
from dx_pipeline.sandbox.planted import TruthBook
from tests.conftest import ROOT

KINDS = {"health.co_so_kcb": health_kinds.KINDS, "education.truong_hoc": education_kinds.KINDS}
TOLD_BY_THE_STAR = {"xa_khong_xac_dinh", "hssk_giam", "the_vuot_dan_so"}
COMMUNES = commune_list(date(2024, 5, 31))


def contract_of(name: str) -> Contract:
    return load_catalog([ROOT]).contract(name)


@pytest.mark.parametrize("name", KINDS)
def test_contract_follows_the_published_json_schema_and_reads_nothing_personal(name: str) -> None:
    contract = contract_of(name)
    document = yaml.safe_load(contract.path.read_text(encoding="utf-8"))
    jsonschema.validate(document, json.loads(OpenDataContractStandard.json_schema()))
    assert [column.name for column in contract.columns if column.is_personal] == []


@pytest.mark.parametrize("name", KINDS)
def test_every_planted_fault_has_a_rule_of_that_severity(name: str) -> None:
    contract = contract_of(name)
    suite = load_suite(contract, cleaned_schema(contract).names)
    for kind in KINDS[name]:
        if kind.verdict in ("critical", "warning") and kind.code not in TOLD_BY_THE_STAR:
            assert suite.rule(kind.code).severity == kind.verdict, kind.code


@pytest.mark.parametrize("seed", [1, 2, 1982])
def test_facilities_of_any_seed(seed: int) -> None:
    truth = TruthBook(health_kinds.KINDS)
    rows = facility_rows(COMMUNES, seed, truth)
    assert {(kind.code, kind.rows) for kind in health_kinds.KINDS} == {
        (code, count) for (_, code), count in truth.counts.items()
    }
    june = {row["ma_csyt"]: row for row in rows[: 12 * 135] if row["ky_bao_cao"] in ("2024-06", "06/2024")}
    assert Counter(row["tuyen"] for row in june.values() if row["tuyen"].startswith("Tuyến")) == {
        "Tuyến xã": 125,
        "Tuyến huyện": 9,
        "Tuyến tỉnh": 1,
    }
    over = [row for row in june.values() if row["tuyen"] == "Tuyến xã" and row["so_the_bhyt"] > row["people"]]
    assert len(over) == 3
    assert all(len(as_latin1_shows(row["ten_csyt"])) <= NAME_BYTES for row in rows)


@pytest.mark.parametrize("seed", [1, 2, 1982])
def test_schools_of_any_seed(seed: int) -> None:
    truth = TruthBook(education_kinds.KINDS)
    years = school_rows(COMMUNES, seed, truth)
    assert {(kind.code, kind.rows) for kind in education_kinds.KINDS} == {
        (code, count) for (_, code), count in truth.counts.items()
    }
    for rows in years.values():
        assert len({row["ma_xa"] for row in rows[:376]}) == 125
        assert {len(row["ma_truong"]) for row in rows[:376]} == {10}


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("education")
    build_education(folder / "files", seed=1982, truth_path=folder / "truth")
    return folder


def read(contract: Contract, folder: Path) -> pa.Table:
    with open_source(contract, folder.as_uri()) as reader:
        refuse_drift(contract, check_drift(contract, reader.describe()))
        extraction = reader.extract(Window("full"))
        table = pa.Table.from_batches(list(extraction.batches), schema=extraction.schema)
    assert table.num_rows == extraction.source_rows
    return table


def test_three_files_in_three_forms_are_one_batch_and_nothing_personal_is_read(exports: Path) -> None:
    """Tabs in UTF-16, semicolons, commas: the same columns, and neither head nor telephone among them."""
    contract = contract_of("education.truong_hoc")
    beginnings = {path.name[11:20]: path.read_bytes()[:4] for path in (exports / "files").glob("*.csv")}
    assert set(beginnings) == set(FORMS)
    assert beginnings["2021-2022"][:2] in (b"\xff\xfe", b"\xfe\xff")
    assert beginnings["2023-2024"][:3] == b"\xef\xbb\xbf"
    table = read(contract, exports / "files")
    truth = json.loads((exports / "truth" / "truth.json").read_text(encoding="utf-8"))
    assert table.num_rows == truth["tables"]["truong_hoc"]["rows"]
    assert table.column_names == [column.source_name for column in contract.columns]
    years = Counter(table.column("nam_hoc").to_pylist())
    assert min(years[year] for year in FORMS) > 370
    assert "Trường Mầm non Đông Giang" in table.column("ten_truong").to_pylist()


def test_a_form_that_is_not_in_the_contract_is_refused(exports: Path, tmp_path: Path) -> None:
    contract = contract_of("education.truong_hoc")
    text = (exports / "files" / "truong_hoc_2023-2024.csv").read_text(encoding="utf-8-sig")
    (tmp_path / "a.csv").write_text(text.replace(",", "|"), encoding="utf-8")
    with pytest.raises(SourceDrift, match="holds none of the contract's column names"):
        read(contract, tmp_path)
    (tmp_path / "a.csv").write_text(text, encoding="utf-16")
    with pytest.raises(UnreadableSource, match="it looks like utf-16"):
        read(contract, tmp_path)


def test_a_column_that_is_missing_in_one_form_is_told_of(exports: Path, tmp_path: Path) -> None:
    contract = contract_of("education.truong_hoc")
    text = (exports / "files" / "truong_hoc_2022-2023.csv").read_text(encoding="utf-8-sig")
    (tmp_path / "a.csv").write_text(text.replace("so_lop", "lop", 1).replace(";", ","), encoding="utf-8")
    with pytest.raises(SourceDrift, match="so_lop"):
        read(contract, tmp_path)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ({"kind": "csv", "path": "*.csv", "alsoSavedAs": "utf-16"}, "must be a list of forms"),
        ({"kind": "csv", "path": "*.csv", "alsoSavedAs": [{"encoding": "utf-16"}]}, "must be a list of forms"),
        ({"kind": "table", "table": "t", "alsoSavedAs": []}, "belongs to kind csv"),
    ],
)
def test_a_contract_with_bad_forms_is_refused(tmp_path: Path, source: dict[str, Any], reason: str) -> None:
    original = ROOT / "assets" / "education" / "truong_hoc.odcs.yaml"
    document = yaml.safe_load(original.read_text(encoding="utf-8"))
    next(one for one in document["customProperties"] if one["property"] == "source")["value"] = source
    folder = tmp_path / "assets" / "education"
    folder.mkdir(parents=True)
    path = folder / original.name
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    with pytest.raises(ContractError, match=reason):
        load_contract(path, tmp_path)
