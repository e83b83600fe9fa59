"""Contracts and suites of the departments' systems, and that every planted fault has a rule that finds it."""

from __future__ import annotations

import csv
import json
from typing import Any

import duckdb
import jsonschema
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from dx_pipeline.clean.batch import cleaned_schema
from dx_pipeline.contract.catalog import Catalog, load_catalog
from dx_pipeline.judge.suite import load_suite
from dx_pipeline.sandbox.digital_infrastructure.build import TABLES
from dx_pipeline.sandbox.digital_infrastructure.kinds import KINDS as INFRASTRUCTURE_KINDS
from dx_pipeline.sandbox.planted import Kind
from dx_pipeline.sandbox.task_tracking.build import COLUMNS
from dx_pipeline.sandbox.task_tracking.tasks import KINDS as TASK_KINDS
from tests.conftest import ROOT

SOURCE_TABLES = {
    "digital_infrastructure.ha_tang_so": "ha_tang_so",
    "digital_infrastructure.to_cong_nghe_so": "to_cnscd",
    "digital_infrastructure.to_cong_nghe_so_bao_cao": "bao_cao_to_cnscd",
    "digital_infrastructure.he_thong_thong_tin": "he_thong_tt",
    "digital_infrastructure.don_vi_chuyen_doi_so": "don_vi_cds",
}
DATASETS = (*SOURCE_TABLES, "task_tracking.nhiem_vu")
JUDGED = ("critical", "warning")
PLANTED = [
    *(("digital_infrastructure", kind) for kind in INFRASTRUCTURE_KINDS if kind.verdict in JUDGED),
    *(("task_tracking", kind) for kind in TASK_KINDS if kind.verdict in JUDGED),
]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog([ROOT])


@pytest.mark.parametrize("dataset", DATASETS)
def test_contract_follows_the_published_json_schema(dataset: str) -> None:
    system, name = dataset.split(".")
    path = ROOT / "assets" / system / f"{name}.odcs.yaml"
    jsonschema.validate(
        yaml.safe_load(path.read_text(encoding="utf-8")), json.loads(OpenDataContractStandard.json_schema())
    )


@pytest.mark.parametrize("dataset", DATASETS)
def test_suite_is_complete(catalog: Catalog, dataset: str) -> None:
    contract = catalog.contract(dataset)
    assert load_suite(contract, cleaned_schema(contract).names).rule("no_rows").holds


@pytest.mark.parametrize("dataset", DATASETS)
def test_declared_types_are_those_of_the_source(catalog: Catalog, dataset: str) -> None:
    declared = dict(TABLES[SOURCE_TABLES[dataset]] if dataset in SOURCE_TABLES else COLUMNS)
    for column in catalog.contract(dataset).columns:
        if column.physical_type:
            assert declared[column.source_name].split(" not null")[0].removesuffix(" primary key") == (
                column.physical_type
            )


def test_nothing_personal_is_read(catalog: Catalog) -> None:
    assert [column.name for name in DATASETS for column in catalog.contract(name).columns if column.is_personal] == []
    assert "ghi_chu" not in {column.source_name for column in catalog.contract("task_tracking.nhiem_vu").columns}


@pytest.mark.parametrize(
    ("system", "kind"), PLANTED, ids=lambda part: f"{part.dataset}-{part.code}" if isinstance(part, Kind) else part
)
def test_every_planted_fault_has_a_rule_of_that_severity(catalog: Catalog, system: str, kind: Kind) -> None:
    assert load_suite(catalog.contract(f"{system}.{kind.dataset}")).rule(kind.code).severity == kind.verdict


def breaks(catalog: Catalog, dataset: str, code: str, row: dict[str, Any]) -> bool:
    """Whether one row breaks an SQL rule; values are SQL literals, as text."""
    predicate = load_suite(catalog.contract(dataset)).rule(code).kwargs["sql"]
    columns = ", ".join(f"{literal} as {name}" for name, literal in row.items())
    found = duckdb.execute(f"select ({predicate}) is false from (select {columns}) as batch").fetchone()
    assert found is not None
    return bool(found[0])


@pytest.mark.parametrize(
    ("ceased", "month", "broken"),
    [
        ("date '2020-01-01'", "date '2024-06-01'", True),
        ("date '2020-01-01'", "date '2019-12-01'", False),
        ("date '2020-01-01'", "date '2020-01-01'", True),
        ("null::date", "date '2024-06-01'", False),
    ],
)
def test_a_commune_reports_until_it_ceases(catalog: Catalog, ceased: str, month: str, broken: bool) -> None:
    row = {"xa_het_hieu_luc": ceased, "ky": month}
    assert breaks(catalog, "digital_infrastructure.ha_tang_so", "xa_da_giai_the", row) is broken


@pytest.mark.parametrize(
    ("status", "day", "broken"),
    [
        ("'hoan_thanh'", "null::date", True),
        ("'hoan_thanh'", "date '2024-06-01'", False),
        ("'co_ban_hoan_thanh'", "null::date", False),
        ("'dang_trien_khai'", "null::date", False),
    ],
)
def test_a_task_that_is_done_has_a_day(catalog: Catalog, status: str, day: str, broken: bool) -> None:
    row = {"trang_thai": status, "ngay_hoan_thanh": day}
    assert breaks(catalog, "task_tracking.nhiem_vu", "hoan_thanh_thieu_ngay", row) is broken


def test_published_figures_have_a_source_and_a_query_on_the_star() -> None:
    with (ROOT / "warehouse_sql" / "reference" / "published_figures.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["figure_code"] for row in rows}) == len(rows) == 25
    known = load_catalog([ROOT]).contracts
    for row in rows:
        assert row["dataset"] in known
        assert " | " in row["source"]
        assert row["query"].startswith("select ")
        assert "from core." in row["query"]
        assert row["published_value"].rstrip("0").rstrip(".") not in row["query"].split(), "a constant"
