"""The three HTTP systems: their contracts and suites, what is not read, and that the sandbox's lists are reproducible."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from dx_pipeline.clean.batch import cleaned_schema
from dx_pipeline.contract.catalog import Catalog, load_catalog
from dx_pipeline.judge.suite import load_suite
from dx_pipeline.sandbox.field_reports import build as field_reports
from dx_pipeline.sandbox.planted import Kind
from dx_pipeline.sandbox.service_centre.build import build_service_centre
from dx_pipeline.sandbox.service_centre.dossiers import EndedDossier
from dx_pipeline.sandbox.service_centre.kinds import KINDS as SERVICE_KINDS
from dx_pipeline.sandbox.service_centre.petitions import working_day_after
from dx_pipeline.sandbox.socio_economic import build as socio_economic
from tests.conftest import ROOT

KINDS = {
    "field_reports": field_reports.KINDS,
    "service_centre": SERVICE_KINDS,
    "socio_economic": socio_economic.KINDS,
}
DATASETS = sorted({f"{system}.{kind.dataset}" for system, kinds in KINDS.items() for kind in kinds})
#: flags that need communes, agencies, dossiers, holidays or usual units: set by the load or a view, not by a rule
OF_THE_STAR = {
    "xa_khong_xac_dinh",
    "don_vi_da_giai_the",
    "ho_so_khong_co",
    "danh_gia_truoc_ket_thuc",
    "han_vao_ngay_nghi",
    "don_vi_tinh_khac",
}
PERSONAL = {"NguoiGui", "SoDienThoai", "Email", "NoiDung", "NoiDungTraLoi", "nguoi_gui", "so_dien_thoai", "noi_dung"}
JUDGED = [
    (system, kind)
    for system, kinds in KINDS.items()
    for kind in kinds
    if kind.verdict in ("critical", "warning") and kind.code not in OF_THE_STAR
]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog([ROOT])


@pytest.mark.parametrize("dataset", DATASETS)
def test_contract_and_suite_are_right(catalog: Catalog, dataset: str) -> None:
    contract = catalog.contract(dataset)
    jsonschema.validate(
        yaml.safe_load(contract.path.read_text(encoding="utf-8")), json.loads(OpenDataContractStandard.json_schema())
    )
    assert load_suite(contract, cleaned_schema(contract).names).rule("no_rows").holds
    assert not [column.name for column in contract.columns if column.is_personal]
    assert not PERSONAL & {column.source_name for column in contract.columns}


@pytest.mark.parametrize(
    ("system", "kind"), JUDGED, ids=lambda part: f"{part.dataset}-{part.code}" if isinstance(part, Kind) else part
)
def test_every_planted_fault_has_a_rule_of_that_severity(catalog: Catalog, system: str, kind: Kind) -> None:
    assert load_suite(catalog.contract(f"{system}.{kind.dataset}")).rule(kind.code).severity == kind.verdict


def _lists(system: str, truth: Path) -> dict[str, list[dict[str, Any]]]:
    if system == "field_reports":
        return field_reports.build_field_reports(seed=11, truth_path=truth)
    if system == "socio_economic":
        return socio_economic.build_socio_economic(seed=11, truth_path=truth)
    ended = datetime(2024, 3, 18, 9)
    dossiers = [
        EndedDossier(f"H50.11-240304-{n:04d}", ended + timedelta(hours=n % 40), ended + timedelta(days=2, hours=n % 40))
        for n in range(1, 200)
    ]
    return build_service_centre(dossiers, seed=11, truth_path=truth)


@pytest.mark.parametrize("system", KINDS)
def test_the_same_seed_gives_the_same_lists_and_every_kind_is_planted(system: str, tmp_path: Path) -> None:
    assert _lists(system, tmp_path / "a") == _lists(system, tmp_path / "b")
    summary = json.loads((tmp_path / "a" / "truth.json").read_text(encoding="utf-8"))
    assert [(one["code"], one["rows"]) for one in summary["planted"]] == [
        (kind.code, kind.rows) for kind in KINDS[system]
    ]


def test_working_days_leave_out_tet() -> None:
    """29 January 2024 and 15 working days, of which Tết (8 to 14 February) takes none: 26 February."""
    monday = date(2024, 1, 29)
    assert working_day_after(monday, 2) == date(2024, 1, 31)
    assert working_day_after(monday, 5) == date(2024, 2, 5)
    assert working_day_after(monday, 15) == date(2024, 2, 26)
    assert working_day_after(monday, 15, with_holidays=False) == date(2024, 2, 19)
