"""Land parcels: the contract, its rules on single rows, and the FoxPro files the sandbox writes."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import jsonschema
import pyarrow as pa
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from dx_pipeline.clean.batch import clean_batch, cleaned_schema
from dx_pipeline.contract.catalog import load_catalog
from dx_pipeline.contract.model import Contract
from dx_pipeline.extract.dbf_header import parse_header
from dx_pipeline.judge.suite import load_suite
from dx_pipeline.sandbox.land.build import FIELDS, build_land
from dx_pipeline.sandbox.land.kinds import KINDS
from dx_pipeline.sandbox.land.parcels import USES
from dx_pipeline.sandbox.one_stop.legacy_text import to_tcvn3
from tests.conftest import ROOT

TOLD_BY_THE_STAR = {"thua_cu_da_co_so_moi", "gcn_trung_so", "xa_da_giai_the", "xa_khong_xac_dinh"}
DISTRICTS = ("461", "462", "464", "465", "466", "467", "468", "469", "470", "471")


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_catalog([ROOT]).contract("land.thua_dat")


def test_contract_follows_the_published_json_schema(contract: Contract) -> None:
    text = (ROOT / "assets" / "land" / "thua_dat.odcs.yaml").read_text(encoding="utf-8")
    jsonschema.validate(yaml.safe_load(text), json.loads(OpenDataContractStandard.json_schema()))
    read = {column.source_name for column in contract.columns}
    assert read | {"TENCHU"} == {field.name for field in FIELDS}
    assert contract.left_out == ("TENCHU",)
    assert [column.name for column in contract.columns if column.is_personal] == []


def test_every_planted_fault_has_a_rule_of_that_severity(contract: Contract) -> None:
    suite = load_suite(contract, cleaned_schema(contract).names)
    for kind in KINDS:
        if kind.verdict in ("critical", "warning") and kind.code not in TOLD_BY_THE_STAR:
            assert suite.rule(kind.code).severity == kind.verdict, kind.code


def test_symbols_of_contract_rule_and_dimension_are_the_same(contract: Contract) -> None:
    (column,) = (column for column in contract.columns if column.name == "muc_dich")
    symbols = list(column.options["codes"])
    rule = load_suite(contract).rule("ky_hieu_muc_dich_unknown").kwargs["regex"]
    assert rule == f"^({'|'.join(symbols)})(\\+({'|'.join(symbols)})){{0,3}}$"
    migration = (ROOT / "warehouse_sql" / "migrations" / "0029_land.sql").read_text(encoding="utf-8")
    for number, (symbol, (name,)) in enumerate(column.options["codes"].items(), 1):
        assert f"({number}, '{symbol}', '{name}', " in migration
    assert set(USES) <= set(symbols)


def test_every_purpose_is_read_in_tcvn3(contract: Contract) -> None:
    (column,) = (column for column in contract.columns if column.name == "muc_dich")
    names = {symbol: variants[0] for symbol, variants in column.options["codes"].items()}
    landed = {one.source_name: pa.nulls(len(names), pa.string()) for one in contract.columns}
    landed["MDSD"] = pa.array([to_tcvn3(name) for name in names.values()])
    cleaned = clean_batch(pa.RecordBatch.from_pydict(landed), contract, 0)
    assert cleaned.column("muc_dich").to_pylist() == list(names)


def holds(contract: Contract, code: str, **row: str) -> bool:
    """Whether one row passes an SQL rule; values are SQL literals, as text."""
    predicate = load_suite(contract).rule(code).kwargs["sql"]
    columns = ", ".join(f"{literal} as {name}" for name, literal in row.items())
    found = duckdb.execute(f"select ({predicate}) is not false from (select {columns}) as batch").fetchone()
    assert found is not None
    return bool(found[0])


@pytest.mark.parametrize(
    ("area", "symbol", "right"),
    [
        ("0.4", "LUC", False),
        ("9.9", "RSX", False),
        ("0.4", "CLN+ONT", False),
        ("10", "LUC", True),
        ("8", "ODT", True),
        ("0.4", "ONT+CLN", True),
        ("0", "LUC", True),  # another rule says so
    ],
)
def test_farm_land_of_a_few_square_metres_is_in_hectares(
    contract: Contract, area: str, symbol: str, right: bool
) -> None:
    row = {"dien_tich": area, "ky_hieu_muc_dich": f"'{symbol}'"}
    assert holds(contract, "dien_tich_nghi_hec_ta", **row) is right


@pytest.mark.parametrize(
    ("code", "day", "right"),
    [
        ("ngay_cap_truoc_luat_1993", "1993-10-14", False),
        ("ngay_cap_truoc_luat_1993", "1993-10-15", True),
        ("ngay_cap_trong_tuong_lai", "2024-06-30", True),
        ("ngay_cap_trong_tuong_lai", "2024-07-01", False),
    ],
)
def test_certificates_are_as_old_as_the_law_and_not_of_tomorrow(
    contract: Contract, code: str, day: str, right: bool
) -> None:
    assert holds(contract, code, ngay_cap=f"date '{day}'", ngay_du_lieu="date '2024-06-30'") is right


@pytest.mark.parametrize(("district", "right"), [("471", True), ("464", False)])
def test_only_the_island_has_no_commune(contract: Contract, district: str, right: bool) -> None:
    row = {"ma_huyen": f"'{district}'", "ma_xa": "null::text", "ma_xa__unreadable": "null::text"}
    assert holds(contract, "ma_xa_missing", **row) is right


def test_one_file_per_district_whose_driver_byte_lies(tmp_path: Path) -> None:
    build_land(tmp_path / "a", seed=3, truth_path=tmp_path / "truth")
    build_land(tmp_path / "b", seed=3, truth_path=tmp_path / "truth")
    truth = json.loads((tmp_path / "truth" / "truth.json").read_text(encoding="utf-8"))
    deleted = json.loads((tmp_path / "truth" / "deleted.json").read_text(encoding="utf-8"))
    records = 0
    for district in DISTRICTS:
        raw = (tmp_path / "a" / f"THUADAT_{district}.DBF").read_bytes()
        header = parse_header(raw)
        assert header.language_driver == 0x01
        assert raw == (tmp_path / "b" / f"THUADAT_{district}.DBF").read_bytes()
        records += int.from_bytes(raw[4:8], "little")
    assert records == truth["tables"]["thua_dat"]["rows"] + len(deleted)
    assert len(deleted) == 60
    assert "§Êt chuyªn trång lóa n\xadíc".encode("latin-1") in (tmp_path / "a" / "THUADAT_464.DBF").read_bytes()
