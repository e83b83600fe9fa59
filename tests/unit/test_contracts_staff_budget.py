"""Contracts and suites of the staff register and of the budget, their reference lists, and the sandbox's rows."""

from __future__ import annotations

import csv
import json
from collections import Counter
from typing import Any

import duckdb
import jsonschema
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from dx_pipeline.clean.batch import cleaned_schema
from dx_pipeline.contract.catalog import Catalog, load_catalog
from dx_pipeline.judge.suite import load_suite
from dx_pipeline.sandbox.dx_budget.kinds import KINDS as BUDGET_KINDS
from dx_pipeline.sandbox.dx_budget.rows import budget_rows
from dx_pipeline.sandbox.one_stop.agencies import build_agencies
from dx_pipeline.sandbox.planted import Kind, TruthBook
from dx_pipeline.sandbox.staff.build import COLUMNS
from dx_pipeline.sandbox.staff.kinds import KINDS as STAFF_KINDS
from dx_pipeline.sandbox.staff.persons import staff_rows
from tests.conftest import ROOT

DATASETS = ("staff.can_bo", "dx_budget.kinh_phi")
#: Flags that no single row shows: the star tells them.
TOLD_BY_THE_STAR = {"don_vi_khong_con", "nhiem_vu_khong_co", "don_vi_qhns_khong_co"}
PLANTED = [
    (dataset, kind)
    for dataset, kinds in zip(DATASETS, (STAFF_KINDS, BUDGET_KINDS), strict=True)
    for kind in kinds
    if kind.verdict in ("critical", "warning") and kind.code not in TOLD_BY_THE_STAR
]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog([ROOT])


def reference(name: str) -> list[dict[str, str]]:
    with (ROOT / "warehouse_sql" / "reference" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("dataset", DATASETS)
def test_contract_follows_the_published_json_schema(dataset: str) -> None:
    system, name = dataset.split(".")
    path = ROOT / "assets" / system / f"{name}.odcs.yaml"
    jsonschema.validate(
        yaml.safe_load(path.read_text(encoding="utf-8")), json.loads(OpenDataContractStandard.json_schema())
    )


@pytest.mark.parametrize(
    ("dataset", "kind"), PLANTED, ids=lambda part: part.code if isinstance(part, Kind) else str(part)
)
def test_every_planted_fault_has_a_rule_of_that_severity(catalog: Catalog, dataset: str, kind: Kind) -> None:
    contract = catalog.contract(dataset)
    assert load_suite(contract, cleaned_schema(contract).names).rule(kind.code).severity == kind.verdict


def test_names_sex_and_ethnic_group_are_not_read(catalog: Catalog) -> None:
    contract = catalog.contract("staff.can_bo")
    read = {column.source_name for column in contract.columns}
    assert {"HoTenKhaiSinh", "GioiTinh", "DanToc"} == {name for name, _ in COLUMNS} - read - {"NgayCapNhat"}
    assert {"HoTenKhaiSinh", "GioiTinh", "DanToc"} <= set(contract.left_out)
    assert contract.on_new_column == "hold"
    judged_only = {column.name for column in contract.columns if column.is_personal}
    assert judged_only == {"so_dinh_danh", "ngay_sinh", "he_so_luong", "ngay_tuyen_dung"}
    assert [column.name for column in catalog.contract("dx_budget.kinh_phi").columns if column.is_personal] == []


def test_declared_types_are_those_of_the_source(catalog: Catalog) -> None:
    declared = dict(COLUMNS)
    for column in catalog.contract("staff.can_bo").columns:
        assert declared[column.source_name] == column.physical_type


def test_ranks_of_the_contract_are_those_of_the_warehouse(catalog: Catalog) -> None:
    column = catalog.contract("staff.can_bo").column("ma_ngach")
    listed = reference("staff_ranks.csv")
    assert list(column.options["codes"]) == [row["rank_code"] for row in listed]
    assert {row["rank_group"] for row in listed} == {"senior", "principal", "officer", "associate", "support"}
    assert next(row for row in listed if row["rank_code"] == "01.003")["name_vi"] == "Chuyên viên"


def test_budget_units_are_agencies_of_the_province_or_none() -> None:
    agencies = {one.new_id: one.name for one in build_agencies(1).rows}
    units = reference("budget_units.csv")
    assert len({row["unit_code"] for row in units}) == len(units) == 33
    for row in units:
        assert row["agency_code"] == "" or agencies[row["agency_code"]] == row["name"]
        assert len(row["chapter_code"]) == 3
    assert {row["chapter_code"] for row in units if not row["agency_code"]} == {"009", "010"}


def breaks(catalog: Catalog, dataset: str, code: str, row: dict[str, str]) -> bool:
    """Whether one row breaks an SQL rule; values are SQL literals, as text."""
    predicate = load_suite(catalog.contract(dataset)).rule(code).kwargs["sql"]
    columns = ", ".join(f"{literal} as {name}" for name, literal in row.items())
    found = duckdb.execute(f"select ({predicate}) is false from (select {columns}) as batch").fetchone()
    assert found is not None
    return bool(found[0])


@pytest.mark.parametrize(
    ("number", "born", "broken"),
    [
        ("'045085001234'", "date '1985-07-01'", False),  # 0: a man of the 20th century, born in '85
        ("'045185001234'", "date '1985-07-01'", False),  # 1: a woman
        ("'045085001234'", "date '1982-07-01'", True),
        ("'045201001234'", "date '2001-01-01'", False),  # 2: born in the 21st century
        ("'045001001234'", "date '2001-01-01'", True),  # that is 1901
        ("'197123456'", "date '1985-07-01'", False),  # the old paper tells no year
        ("null", "date '1985-07-01'", False),
    ],
)
def test_birth_year_and_identity_number(catalog: Catalog, number: str, born: str, broken: bool) -> None:
    row = {"so_dinh_danh": number, "ngay_sinh": born}
    assert breaks(catalog, "staff.can_bo", "nam_sinh_trai_so_dinh_danh", row) is broken


@pytest.mark.parametrize(("recruited", "broken"), [("2003-07-01", False), ("2003-06-30", True), ("2010-01-01", False)])
def test_nobody_is_recruited_before_18(catalog: Catalog, recruited: str, broken: bool) -> None:
    row = {"ngay_sinh": "date '1985-07-01'", "ngay_tuyen_dung": f"date '{recruited}'"}
    assert breaks(catalog, "staff.can_bo", "tuyen_dung_truoc_18_tuoi", row) is broken


@pytest.mark.parametrize(
    ("amount", "unit", "broken"),
    [
        ("100000", "trieu_dong", False),  # 100 tỷ
        ("100001", "trieu_dong", True),
        ("350", "trieu_dong", False),
        ("350000", "trieu_dong", True),  # typed in nghìn đồng
        ("0.35", "ty_dong", False),
        ("350", "ty_dong", True),
        ("350000000", "dong", False),
        ("350", "dong", True),
        ("350000", "nghin_dong", False),
        ("0", "dong", False),
    ],
)
def test_what_is_plausible_is_asked_in_dong(catalog: Catalog, amount: str, unit: str, broken: bool) -> None:
    row = {"du_toan_giao": f"cast({amount} as decimal(18, 6))", "don_vi_tinh": f"'{unit}'"}
    assert breaks(catalog, "dx_budget.kinh_phi", "so_tien_bat_thuong", row) is broken


@pytest.mark.parametrize(
    ("allocated", "adjusted", "spent", "broken"),
    [("10", "5", "15", False), ("10", "null", "10.000001", True), ("10", "-5", "6", True), ("10", "0", "null", False)],
)
def test_no_more_is_spent_than_there_is(
    catalog: Catalog, allocated: str, adjusted: str, spent: str, broken: bool
) -> None:
    amounts = zip(("du_toan_giao", "dieu_chinh", "da_giai_ngan"), (allocated, adjusted, spent), strict=True)
    row = {name: f"cast({text} as decimal(18, 6))" for name, text in amounts}
    assert breaks(catalog, "dx_budget.kinh_phi", "giai_ngan_vuot_du_toan", row) is broken


def planted(kinds: tuple[Kind, ...], truth: TruthBook) -> dict[str, tuple[int, int]]:
    return {kind.code: (truth.counts[kind.dataset, kind.code], kind.rows) for kind in kinds}


@pytest.mark.parametrize("seed", [1, 2, 3, 20240628])
def test_any_seed_plants_all_faults_and_leaves_every_agency_its_staff(seed: int) -> None:
    truth = TruthBook(STAFF_KINDS)
    agencies = build_agencies(seed)
    rows = staff_rows(agencies, seed, truth)
    assert all(found == wanted for found, wanted in planted(STAFF_KINDS, truth).values())
    assert 4_500 < len(rows) < 5_500
    assert staff_rows(agencies, seed, TruthBook(STAFF_KINDS)) == rows
    yes = {"1", "x", "X", "có", "Có"}
    for year in (2023, 2024):
        of_year = [row for row in rows if row["Nam"] == year]
        digital = {r["MaDonVi"] for r in of_year if {r["LaChuyenTrachCDS"], r["LaKiemNhiemCDS"]} & yes}
        assert len(digital & {r["MaDonVi"] for r in of_year if r["LaDauMoiATTT"] in yes}) == 156


@pytest.mark.parametrize("seed", [1, 2, 3, 20240628])
def test_any_seed_plants_all_faults_of_the_budget(seed: int) -> None:
    truth = TruthBook(BUDGET_KINDS)
    years = budget_rows(seed, truth)
    assert all(found == wanted for found, wanted in planted(BUDGET_KINDS, truth).values())
    assert budget_rows(seed, TruthBook(BUDGET_KINDS)) == years
    rows: list[dict[str, Any]] = [row for listed in years.values() for row in listed]
    assert 320 < len(rows) < 400
    assert max(Counter(row["nam"] for row in rows).values()) < 140
