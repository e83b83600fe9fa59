"""Contracts and suites of the one-stop system: what they promise, and that each rule means what it says."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from dx_pipeline.contract.catalog import Catalog, load_catalog, load_order
from dx_pipeline.contract.model import Contract
from dx_pipeline.judge.suite import Suite, load_suite
from dx_pipeline.sandbox.one_stop.schema import TABLES

ROOT = Path(__file__).resolve().parents[2]
DATASETS = (
    "dong_bo_dvcqg",
    "giay_to_ket_qua",
    "groups",
    "ho_so",
    "ho_so_bo_sung",
    "linh_vuc",
    "ngay_nghi",
    "qua_trinh_xu_ly",
    "thay_doi_muc_do_thu_tuc",
    "thu_tuc",
    "yeu_cau_thanh_toan",
)
QUERY_DATASETS = {"yeu_cau_thanh_toan": "CoDanhDauTrucTuyen", "dong_bo_dvcqg": "TrangThaiDiaPhuong"}
VERDICTS = {
    "ho_so": {
        "critical": (
            "ma_ho_so_missing",
            "ma_ho_so_unreadable",
            "ma_ho_so_conflict",
            "ma_tthc_unreadable",
            "ma_dinh_danh_unreadable",
            "ngay_tiep_nhan_unreadable",
            "ngay_tiep_nhan_in_future",
            "ket_thuc_truoc_tiep_nhan",
            "trang_thai_unknown",
            "kenh_unknown",
            "loai_doi_tuong_unknown",
        ),
        "warning": (
            "so_giay_to_placeholder",
            "so_giay_to_unreadable",
            "so_dien_thoai_unreadable",
            "ngay_sinh_unreadable",
            "ten_chu_ho_so_truncated",
            "ten_legacy_encoding",
        ),
    },
    "yeu_cau_thanh_toan": {
        "critical": ("so_tien_unreadable", "so_tien_negative", "trang_thai_thanh_toan_unknown"),
        "warning": ("online_flag_but_paid_cash",),
    },
    "dong_bo_dvcqg": {"critical": (), "warning": ("trang_thai_gui_rewritten",)},
    "ho_so_bo_sung": {"critical": ("nhan_truoc_yeu_cau",), "warning": ()},
    "qua_trinh_xu_ly": {"critical": ("thoi_diem_missing",), "warning": ()},
}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog([ROOT])


def contract_of(catalog: Catalog, dataset: str) -> Contract:
    return catalog.contract(f"one_stop.{dataset}")


def test_the_system_has_its_eleven_datasets(catalog: Catalog) -> None:
    assert tuple(sorted(c.dataset for c in catalog.contracts.values() if c.system == "one_stop")) == DATASETS
    system = catalog.systems["one_stop"]
    assert (system.connection, system.schedule, system.pool_limit) == ("ONE_STOP", "0 * * * *", 1)


def test_no_dataset_waits_for_another(catalog: Catalog) -> None:
    """A broken catalogue must not hold the dossiers; what they name is inferred and completed later."""
    assert {contract.id: contract.depends_on for contract in catalog.contracts.values() if contract.depends_on} == {}
    assert load_order(catalog.contracts.values()) == sorted(catalog.contracts)


@pytest.mark.parametrize("dataset", DATASETS)
def test_contract_follows_the_published_json_schema(dataset: str) -> None:
    path = ROOT / "assets" / "one_stop" / f"{dataset}.odcs.yaml"
    jsonschema.validate(
        yaml.safe_load(path.read_text(encoding="utf-8")), json.loads(OpenDataContractStandard.json_schema())
    )


@pytest.mark.parametrize("dataset", DATASETS)
def test_columns_are_those_of_the_source_and_of_its_types(catalog: Catalog, dataset: str) -> None:
    declared = {name: kind.removesuffix(" not null") for name, kind in TABLES[dataset]}
    joined = QUERY_DATASETS.get(dataset)
    for column in contract_of(catalog, dataset).columns:
        if column.source_name == joined:
            continue
        assert declared[column.source_name] == column.physical_type, column.name


def test_query_datasets_select_exactly_the_columns_of_their_contract(catalog: Catalog) -> None:
    for dataset, joined in QUERY_DATASETS.items():
        contract = contract_of(catalog, dataset)
        query = contract.source.query
        assert query is not None
        selected = query.partition("  from ")[0]
        assert joined in selected
        for column in contract.columns:
            assert f'"{column.source_name}"' in selected
        assert selected.count(",") == len(contract.columns) - 1


def test_only_these_columns_are_personal(catalog: Catalog) -> None:
    personal = {
        (contract.dataset, column.name)
        for contract in catalog.contracts.values()
        if contract.system == "one_stop"
        for column in contract.columns
        if column.is_personal
    }
    assert personal == {
        ("ho_so", "chu_ho_so"),
        ("ho_so", "so_giay_to_chu_ho_so"),
        ("ho_so", "ngay_sinh_chu_ho_so"),
        ("ho_so", "so_dien_thoai_chu_ho_so"),
    }
    assert contract_of(catalog, "ho_so").column("ma_xa").classification == "internal"


def test_data_nobody_needs_is_not_read(catalog: Catalog) -> None:
    left_out = {"EmailChuHoSo", "DiaChiChuHoSo", "LyDoTuChoi", "DeletedBy", "NguoiXuLy", "NoiDungXuLy"}
    read = {column.source_name for contract in catalog.contracts.values() for column in contract.columns}
    assert not left_out & read


def test_load_policies(catalog: Catalog) -> None:
    dossiers = contract_of(catalog, "ho_so").load
    assert (dossiers.mode, dossiers.cursor, dossiers.lookback) == (
        "incremental",
        "ngay_cap_nhat",
        timedelta(hours=2),
    )
    assert dossiers.period is not None
    assert (dossiers.period.column, dossiers.period.start) == ("ngay_nop", date(2023, 1, 1))
    modes = {dataset: contract_of(catalog, dataset).load.mode for dataset in DATASETS}
    assert {d for d, mode in modes.items() if mode == "snapshot"} == {
        "groups",
        "thu_tuc",
        "linh_vuc",
        "ngay_nghi",
    }
    assert {d for d, mode in modes.items() if mode == "append"} == {"thay_doi_muc_do_thu_tuc"}
    assert contract_of(catalog, "ho_so").freshness == timedelta(hours=2)
    assert contract_of(catalog, "groups").key_columns == ("ma_dinh_danh",)


def test_code_lists(catalog: Catalog) -> None:
    def codes(dataset: str, column: str) -> dict[str, list[str]]:
        return dict(contract_of(catalog, dataset).column(column).options["codes"])

    assert list(codes("ho_so", "kenh_thuc_hien")) == ["1", "2", "3"]
    assert list(codes("ho_so", "trang_thai")) == [str(number) for number in range(1, 11)]
    assert "Công dân" in codes("ho_so", "loai_doi_tuong")["1"]
    assert "Doanh nghiệp" in codes("ho_so", "loai_doi_tuong")["2"]
    assert {"Mức độ 4", "Toàn trình"} <= set(codes("ho_so", "muc_do")["4"])
    assert list(codes("yeu_cau_thanh_toan", "hinh_thuc_thanh_toan")) == [
        "truc-tuyen",
        "tien-mat",
        "chuyen-khoan",
    ]
    assert codes("yeu_cau_thanh_toan", "trang_thai")["da_thanh_toan"] == ["Đã thanh toán"]
    assert codes("thu_tuc", "cap_thuc_hien")["xa"][0] == "Xã"


@pytest.mark.parametrize("dataset", DATASETS)
def test_suite_is_complete(catalog: Catalog, dataset: str) -> None:
    contract = contract_of(catalog, dataset)
    suite = load_suite(contract, cleaned_names(contract))
    assert suite.rule("no_rows").holds
    for severity, wanted in VERDICTS.get(dataset, {}).items():
        assert {code: suite.rule(code).severity for code in wanted} == dict.fromkeys(wanted, severity)


def cleaned_names(contract: Contract) -> list[str]:
    """Names of the cleaned batch: as the cleaner builds them."""
    from dx_pipeline.clean.batch import cleaned_schema

    return list(cleaned_schema(contract).names)


def breaks(suite: Suite, code: str, row: dict[str, Any]) -> bool:
    """Whether one row breaks an SQL rule; values are SQL literals, as text."""
    columns = ", ".join(f"{literal} as {name}" for name, literal in row.items())
    predicate = suite.rule(code).kwargs["sql"]
    found = duckdb.execute(f"select ({predicate}) is false from (select {columns}) as batch").fetchone()
    assert found is not None
    return bool(found[0])


@pytest.mark.parametrize(
    ("accepted", "updated", "broken"),
    [
        ("2024-05-02 08:00:00+07", "2024-05-02 08:00:00+07", False),
        ("2024-05-03 08:00:00+07", "2024-05-02 08:00:00+07", False),  # a clock that is a day off is forgiven
        ("2024-05-03 08:00:01+07", "2024-05-02 08:00:00+07", True),
        ("2042-05-02 08:00:00+07", "2024-05-02 08:00:00+07", True),
    ],
)
def test_acceptance_in_the_future(catalog: Catalog, accepted: str, updated: str, broken: bool) -> None:
    suite = load_suite(contract_of(catalog, "ho_so"))
    row = {"ngay_tiep_nhan": f"timestamptz '{accepted}'", "ngay_cap_nhat": f"timestamptz '{updated}'"}
    assert breaks(suite, "ngay_tiep_nhan_in_future", row) is broken


def test_a_dossier_not_accepted_yet_is_not_in_the_future(catalog: Catalog) -> None:
    row = {"ngay_tiep_nhan": "null::timestamptz", "ngay_cap_nhat": "timestamptz '2024-05-02 08:00:00+07'"}
    assert not breaks(load_suite(contract_of(catalog, "ho_so")), "ngay_tiep_nhan_in_future", row)


@pytest.mark.parametrize(
    ("name_note", "unit_note", "broken"),
    [
        ("null", "null", False),
        ("'nfc'", "'whitespace'", False),
        ("'legacy_tcvn3'", "null", True),
        ("null", "'legacy_vni'", True),
        ("'legacy_tcvn3,whitespace'", "'nfc'", True),
    ],
)
def test_old_encoding(catalog: Catalog, name_note: str, unit_note: str, broken: bool) -> None:
    row = {"ten_tthc__note": f"{name_note}::varchar", "don_vi_xu_ly__note": f"{unit_note}::varchar"}
    assert breaks(load_suite(contract_of(catalog, "ho_so")), "ten_legacy_encoding", row) is broken


@pytest.mark.parametrize(
    ("flag", "method", "broken"),
    [
        ("'1'", "'tien-mat'", True),
        ("'2'", "'tien-mat'", True),
        ("'0'", "'tien-mat'", False),
        ("'1'", "'truc-tuyen'", False),
        ("null::varchar", "'tien-mat'", False),
        ("'1'", "null::varchar", False),
    ],
)
def test_cash_under_an_online_flag(catalog: Catalog, flag: str, method: str, broken: bool) -> None:
    row = {"co_danh_dau_truc_tuyen": flag, "hinh_thuc_thanh_toan": method}
    assert breaks(load_suite(contract_of(catalog, "yeu_cau_thanh_toan")), "online_flag_but_paid_cash", row) is broken


@pytest.mark.parametrize(
    ("pushed", "held", "broken"),
    [
        ("'9'", "'5'", True),
        ("'9'", "'6'", True),
        ("'9'", "'8'", True),
        ("'9'", "'9'", False),
        ("'5'", "'5'", False),
    ],
)
def test_status_rewritten_for_the_portal(catalog: Catalog, pushed: str, held: str, broken: bool) -> None:
    row = {"trang_thai_gui": pushed, "trang_thai_dia_phuong": held}
    assert breaks(load_suite(contract_of(catalog, "dong_bo_dvcqg")), "trang_thai_gui_rewritten", row) is broken


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("'Nguyễn Thị Hoàng Ng...'", True),
        ("'Nguyễn Thị Hoàng…'", True),
        ("'Nguyễn Thị Hoa'", False),
        ("'H. Ê...a'", False),
    ],
)
def test_cut_off_name(catalog: Catalog, name: str, broken: bool) -> None:
    regex = load_suite(contract_of(catalog, "ho_so")).rule("ten_chu_ho_so_truncated").kwargs["regex"]
    found = duckdb.execute(f"select regexp_matches({name}, $1)", [regex]).fetchone()
    assert found == (broken,)
