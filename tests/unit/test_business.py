"""The business register: the contract, its rules on single rows, and the XML files the sandbox writes."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import jsonschema
import pyarrow as pa
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from dx_pipeline.clean.batch import cleaned_schema
from dx_pipeline.clean.tax_code import check_digit
from dx_pipeline.contract.catalog import load_catalog
from dx_pipeline.contract.model import Contract
from dx_pipeline.extract.source import open_source
from dx_pipeline.extract.window import Window
from dx_pipeline.judge.suite import load_suite
from dx_pipeline.sandbox.business.build import build_business
from dx_pipeline.sandbox.business.enterprises import FIELDS
from dx_pipeline.sandbox.business.kinds import KINDS
from dx_pipeline.sandbox.business.tax_codes import tax_codes
from dx_pipeline.sandbox.business.xml_writer import NIL, Dress, write_xml
from tests.conftest import ROOT

TOLD_BY_THE_STAR = {"chi_nhanh_thieu_doanh_nghiep", "xa_khong_xac_dinh"}


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_catalog([ROOT]).contract("business.doanh_nghiep")


def test_contract_follows_the_published_json_schema(contract: Contract) -> None:
    text = (ROOT / "assets" / "business" / "doanh_nghiep.odcs.yaml").read_text(encoding="utf-8")
    jsonschema.validate(yaml.safe_load(text), json.loads(OpenDataContractStandard.json_schema()))
    assert {column.source_name for column in contract.columns} | set(contract.left_out) == set(FIELDS)


def test_codes_are_personal_and_no_name_no_street_no_person_is_read(contract: Contract) -> None:
    personal = {column.name: column.semantic_type for column in contract.columns if column.is_personal}
    assert personal == {"ma_so_dn": "tax_code", "ma_so_dn_chu_quan": "tax_code"}
    assert set(contract.left_out) == {
        "TenDN",
        "DiaChi.SoNha",
        "NguoiDaiDien.HoTen",
        "NguoiDaiDien.SoGiayTo",
        "DienThoai",
    }
    assert contract.row_identity == ("so_noi_bo",)


def test_every_planted_fault_has_a_rule_of_that_severity(contract: Contract) -> None:
    suite = load_suite(contract, cleaned_schema(contract).names)
    for kind in KINDS:
        if kind.verdict in ("critical", "warning") and kind.code not in TOLD_BY_THE_STAR:
            assert suite.rule(kind.code).severity == kind.verdict, kind.code


def holds(contract: Contract, code: str, **row: str) -> bool:
    """Whether one row passes an SQL rule; values are SQL literals, as text."""
    predicate = load_suite(contract).rule(code).kwargs["sql"]
    columns = ", ".join(f"{literal} as {name}" for name, literal in row.items())
    found = duckdb.execute(f"select ({predicate}) is not false from (select {columns}) as batch").fetchone()
    assert found is not None
    return bool(found[0])


@pytest.mark.parametrize(
    ("code", "updated", "right"),
    [
        ("3200101234", "2024-05-01", True),
        ("3100101234", "2024-05-01", False),  # Quảng Bình, another province then
        ("3100101234", "2025-07-01", True),
        ("0100101234", "2025-07-02", False),
        ("0100101234-001", "2024-05-01", False),
        ("3200101234-001", "2024-05-01", True),
    ],
)
def test_a_code_begins_with_the_province_of_its_time(contract: Contract, code: str, updated: str, right: bool) -> None:
    row = {"ma_so_dn": f"'{code}'", "ngay_cap_nhat": f"timestamptz '{updated} 00:00:00+07'"}
    assert holds(contract, "ma_so_tinh_khac", **row) is right


@pytest.mark.parametrize(
    ("note", "kind", "right"),
    [
        ("'personal_id'", "'tu_nhan'", False),
        ("'personal_id,variant'", "null::text", False),
        ("'personal_id'", "'ho_kinh_doanh'", True),  # rejected as a household business
        ("'variant'", "'tu_nhan'", True),
        ("null::text", "'co_phan'", True),
    ],
)
def test_a_personal_number_is_no_enterprise(contract: Contract, note: str, kind: str, right: bool) -> None:
    assert holds(contract, "ma_so_la_so_dinh_danh", ma_so_dn__note=note, loai_hinh=kind) is right


def test_divisions_of_the_rule_are_those_of_the_sections(contract: Contract) -> None:
    """VSIC 2018 has 88 divisions in 21 sections."""
    predicate = load_suite(contract).rule("ma_nganh_chinh_unknown").kwargs["sql"]
    codes = "select printf('%02d10', n) as ma_nganh_chinh from range(100) as r (n)"
    found = duckdb.execute(f"select ma_nganh_chinh[:2] from ({codes}) where {predicate}").fetchall()
    known = [division for (division,) in found]
    assert len(known) == 88
    assert not {"00", "04", "34", "40", "44", "48", "54", "57", "67", "76", "83", "89"} & set(known)
    migration = (ROOT / "warehouse_sql" / "migrations" / "0030_business.sql").read_text(encoding="utf-8")
    text = " ".join(migration.split())
    for spans in ("'A', 1, 3", "'C', 10, 33", "'F', 41, 43", "'G', 45, 47", "'L', 68, 68", "'U', 99, 99"):
        assert spans in text


def test_codes_of_the_sandbox_pass_their_check() -> None:
    codes = tax_codes("32", 50, 100_000)
    assert len(set(codes)) == 50
    assert all(check_digit(code[:9]) == int(code[9]) for code in codes)


def test_every_way_of_writing_is_the_same_record(tmp_path: Path) -> None:
    record = {"MaSoNoiBo": "1", "DiaChi.TenXa": "Xã A & B", "DiaChi.TenHuyen": "Huyện Đakrông", "NgayGiaiThe": NIL}
    write_xml(tmp_path / "a.xml", [(record, "cdata"), (record, "references"), (record, "plain")], Dress("utf-8", "dk"))
    text = (tmp_path / "a.xml").read_text(encoding="utf-8")
    assert "<dk:TenXa><![CDATA[Xã A & B]]></dk:TenXa>" in text
    assert "<dk:TenXa>X&#227; A &amp; B</dk:TenXa>" in text
    assert '<dk:NgayGiaiThe xsi:nil="true"/>' in text


def test_the_three_files_are_read_as_one(contract: Contract, tmp_path: Path) -> None:
    build_business(tmp_path / "files", seed=3, truth_path=tmp_path / "truth")
    build_business(tmp_path / "again", seed=3, truth_path=tmp_path / "truth")
    truth = json.loads((tmp_path / "truth" / "truth.json").read_text(encoding="utf-8"))
    heads = [(tmp_path / "files" / f"doanh_nghiep_{at}.xml").read_bytes() for at in (1, 2, 3)]
    assert heads == [(tmp_path / "again" / f"doanh_nghiep_{at}.xml").read_bytes() for at in (1, 2, 3)]
    assert b'<DanhSach xmlns="urn:' in heads[0]
    assert b"<dk:DoanhNghiep>" in heads[1]
    assert heads[2].startswith(b"\xff\xfe")
    with open_source(contract, (tmp_path / "files").resolve().as_uri()) as reader:
        rows = pa.Table.from_batches(reader.extract(Window("full")).batches)
    assert rows.num_rows == truth["tables"]["doanh_nghiep"]["rows"] == 3_000 + 160 + 10 + 25
    assert rows.column("MaSoNoiBo").null_count == 0
    assert "NguoiDaiDien.HoTen" not in rows.column_names
