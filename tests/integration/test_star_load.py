"""The load files of the one-stop system against stage tables shaped by its contracts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from dx_pipeline.clean.registry import SEMANTIC_TYPES
from dx_pipeline.contract.catalog import load_catalog
from dx_pipeline.orchestration.staging import accepted_schema
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.embedded import EmbeddedServer
from dx_pipeline.warehouse.merge import MergeCounts
from dx_pipeline.warehouse.stage import postgres_type
from tests.integration.star_warehouse import PROJECT, ask, fill_stage, load, migrated_warehouse, running_server

DATASETS = (
    "linh_vuc", "ngay_nghi", "groups", "thu_tuc", "thay_doi_muc_do_thu_tuc", "ho_so", "qua_trinh_xu_ly",
    "ho_so_bo_sung", "yeu_cau_thanh_toan", "giay_to_ket_qua", "dong_bo_dvcqg",
)  # fmt: skip
CODE = "H50.7-240610-0001"


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with running_server() as running:
        yield running


@pytest.fixture
def warehouse(server: EmbeddedServer) -> Iterator[Warehouse]:
    with migrated_warehouse(server) as opened:
        yield opened


def stage_types(dataset: str) -> dict[str, str]:
    """Columns of a stage table and their types, from the contract of the dataset."""
    contract = load_catalog([PROJECT]).contract(f"one_stop.{dataset}")
    pseudonyms = [
        f"{column.name}_pseudonym"
        for column in contract.columns
        if column.is_personal and SEMANTIC_TYPES[column.semantic_type].pseudonymised
    ]
    schema = accepted_schema(contract, pseudonyms)
    return {field.name: postgres_type(field.type) for field in schema if not field.name.startswith("_")}


def local(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+07:00").astimezone(UTC)


def dossier(code: str = CODE, **changes: Any) -> dict[str, Any]:
    return {
        "id": 1,
        "ma_ho_so": code,
        "ma_tthc": "1.001193",
        "ma_linh_vuc": "HT",
        "kenh_thuc_hien": "2",
        "muc_do": "4",
        "loai_doi_tuong": "1",
        "ma_dinh_danh": "H50.7",
        "ma_xa": "19330",
        "trang_thai": "4",
        "ngay_nop": local("2024-06-10 07:00"),
        "ngay_tiep_nhan": local("2024-06-10 08:00"),
        "ngay_hen_tra": local("2024-06-14 17:00"),
        "ngay_cap_nhat": local("2024-06-10 08:00"),
        **changes,
    }


def run(
    warehouse: Warehouse, dataset: str, batch: int, *rows: dict[str, Any], as_of: str = "2024-07-01 08:00"
) -> MergeCounts:
    """Fill the stage table and load it; the counts must balance."""
    fill_stage(warehouse, dataset, stage_types(dataset), rows)
    counts = load(warehouse, dataset, batch, local(as_of))
    assert counts.rows == len(rows) == counts.inserted + counts.updated + counts.unchanged
    return counts


def agency(code: str = "H50.7", **changes: Any) -> dict[str, Any]:
    return {
        "group_code": f"G-{code}",
        "group_name": "Sở Tư pháp",
        "ma_dinh_danh": code,
        "ma_dinh_danh_cu": "000.00.07.H50",
        "catalog": "so-ban-nganh",
        "ma_tinh": "45",
        "hieu_luc_tu": datetime(2021, 1, 1).date(),
        **changes,
    }


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_load_fits_the_stage_table_of_its_contract(warehouse: Warehouse, dataset: str) -> None:
    run(warehouse, dataset, 1)


def test_there_is_a_load_for_every_contract() -> None:
    contracts = {path.name.removesuffix(".odcs.yaml") for path in (PROJECT / "assets" / "one_stop").glob("*.odcs.yaml")}
    loads = {path.stem for path in (PROJECT / "warehouse_sql" / "load" / "one_stop").glob("*.sql")}
    assert contracts == loads == set(DATASETS)


def test_a_dossier_before_its_dimensions_makes_inferred_members_that_are_completed(warehouse: Warehouse) -> None:
    run(warehouse, "ho_so", 1, dossier())
    before = ask(
        warehouse,
        "select d.agency_sk, d.procedure_sk, d.field_sk, a.is_inferred, p.is_inferred, f.is_inferred, a.name"
        " from core.fact_dossier as d join core.dim_agency as a using (agency_sk)"
        " join core.dim_procedure as p using (procedure_sk) join core.dim_field as f using (field_sk)",
    )
    assert before[0][3:] == (True, True, True, "Chưa có trong danh mục | Not in the catalogue")
    run(warehouse, "groups", 2, agency())
    run(warehouse, "linh_vuc", 3, {"ma_linh_vuc": "HT", "ten_linh_vuc": "Hộ tịch"})
    run(
        warehouse,
        "thu_tuc",
        4,
        {"ma_tthc": "1.001193", "ten_tthc": "Đăng ký khai sinh", "ma_linh_vuc": "HT", "muc_do": "4"},
    )
    assert ask(
        warehouse,
        "select d.agency_sk, d.procedure_sk, d.field_sk, a.name, p.name, f.name, a.is_inferred, a.level"
        " from core.fact_dossier as d join core.dim_agency as a using (agency_sk)"
        " join core.dim_procedure as p using (procedure_sk) join core.dim_field as f using (field_sk)",
    ) == [(*before[0][:3], "Sở Tư pháp", "Đăng ký khai sinh", "Hộ tịch", False, "province")]


def test_both_generations_of_identifiers_lead_to_one_agency(warehouse: Warehouse) -> None:
    run(warehouse, "groups", 1, agency())
    run(
        warehouse,
        "ho_so",
        2,
        dossier(),
        dossier("000.00.07.H50-240610-0002", ma_dinh_danh="000.00.07.H50"),
        dossier("000.00.07.H50-240610-0003", ma_dinh_danh=None),
        dossier("G22.99-240610-0004", ma_dinh_danh=None),
    )
    assert ask(
        warehouse,
        "select d.dossier_code, a.agency_code from core.fact_dossier as d"
        " join core.dim_agency as a using (agency_sk) order by 1",
    ) == [
        ("000.00.07.H50-240610-0002", "H50.7"),
        ("000.00.07.H50-240610-0003", "H50.7"),
        ("G22.99-240610-0004", "-1"),
        ("H50.7-240610-0001", "H50.7"),
    ]


def test_an_agency_first_met_by_its_old_identifier_is_renamed_not_doubled(warehouse: Warehouse) -> None:
    run(warehouse, "ho_so", 1, dossier(ma_dinh_danh="000.00.07.H50"))
    key = ask(warehouse, "select agency_sk from core.fact_dossier")
    run(warehouse, "groups", 2, agency())
    assert ask(
        warehouse, "select agency_sk, agency_code, is_inferred from core.dim_agency where agency_sk > 0"
    ) == [(key[0][0], "H50.7", False)]  # fmt: skip


def test_a_dossier_takes_the_agency_version_of_its_day(warehouse: Warehouse) -> None:
    run(warehouse, "groups", 1, agency(), as_of="2024-01-01 08:00")
    counts = run(
        warehouse,
        "groups",
        2,
        agency(group_name="Sở Tư pháp và Nội vụ", hieu_luc_tu=datetime(2024, 6, 1).date()),
        as_of="2024-06-20 08:00",
    )
    assert counts.updated == 1
    assert run(
        warehouse,
        "groups",
        3,
        agency(group_name="Sở Tư pháp và Nội vụ", hieu_luc_tu=datetime(2024, 6, 1).date()),
        as_of="2024-06-21 08:00",
    ).unchanged == 1  # fmt: skip
    run(
        warehouse,
        "ho_so",
        4,
        dossier("H50.7-240531-0001", ngay_tiep_nhan=local("2024-05-31 23:30")),
        dossier("H50.7-240601-0001", ngay_tiep_nhan=local("2024-06-01 00:30")),
        dossier("H50.7-190101-0001", ngay_tiep_nhan=local("2019-01-01 09:00")),
    )
    assert ask(
        warehouse,
        "select d.dossier_code, d.received_on::text, a.name from core.fact_dossier as d"
        " join core.dim_agency as a using (agency_sk) order by 1",
    ) == [
        ("H50.7-190101-0001", "2019-01-01", "Sở Tư pháp"),
        ("H50.7-240531-0001", "2024-05-31", "Sở Tư pháp"),
        ("H50.7-240601-0001", "2024-06-01", "Sở Tư pháp và Nội vụ"),
    ]


def test_the_commune_is_the_one_of_that_day(warehouse: Warehouse) -> None:
    # 19333 was Phường 1 of Đông Hà and is Phường Đông Hà since 2025-07-01.
    run(
        warehouse,
        "ho_so",
        1,
        dossier("H50.7-240610-0001", ma_xa="19333"),
        dossier("H50.7-250801-0001", ma_xa="19333", ngay_tiep_nhan=local("2025-08-01 08:00")),
        dossier("H50.7-240610-0003", ma_xa="99999"),
    )
    assert ask(
        warehouse,
        "select d.dossier_code, u.name from core.fact_dossier as d"
        " join core.dim_admin_unit as u on u.admin_unit_sk = d.commune_sk order by 1",
    ) == [
        ("H50.7-240610-0001", "Phường 1"),
        ("H50.7-240610-0003", "Không xác định | Unknown"),
        ("H50.7-250801-0001", "Phường Đông Hà"),
    ]


def test_new_changed_and_known_dossiers_over_two_months(warehouse: Warehouse) -> None:
    assert run(warehouse, "ho_so", 1, dossier(), dossier("H50.7-240520-0001")).inserted == 2
    counts = run(
        warehouse,
        "ho_so",
        2,
        dossier(trang_thai="10", ngay_tra=local("2024-06-13 09:00"), ngay_cap_nhat=local("2024-06-13 09:00")),
        dossier("H50.7-240520-0001"),
        dossier("H50.7-240611-0001"),
        dossier("H50.7-240701-0001"),
    )
    assert (counts.inserted, counts.updated, counts.unchanged) == (2, 1, 1)
    assert ask(
        warehouse,
        "select dossier_code, registered_on::text, status_sk, first_batch_id, last_batch_id"
        " from core.fact_dossier order by 1",
    ) == [
        ("H50.7-240520-0001", "2024-05-20", 4, 1, 1),
        ("H50.7-240610-0001", "2024-06-10", 10, 1, 2),
        ("H50.7-240611-0001", "2024-06-11", 4, 2, 2),
        ("H50.7-240701-0001", "2024-07-01", 4, 2, 2),
    ]


def test_an_older_version_does_not_overwrite_a_newer_one(warehouse: Warehouse) -> None:
    run(warehouse, "ho_so", 1, dossier(trang_thai="10", ngay_cap_nhat=local("2024-06-13 09:00")))
    assert run(warehouse, "ho_so", 2, dossier()).unchanged == 1
    assert ask(warehouse, "select status_sk from core.fact_dossier") == [(10,)]


def test_empty_values_become_unknown_members_or_stay_empty(warehouse: Warehouse) -> None:
    run(
        warehouse,
        "ho_so",
        1,
        dossier(kenh_thuc_hien=None, ma_tthc=None, ma_linh_vuc=None, ma_xa=None, ngay_tiep_nhan=None, muc_do=None),
    )
    assert ask(
        warehouse,
        "select channel_sk, procedure_sk, field_sk, commune_sk, received_date_key, received_on, service_level"
        " from core.fact_dossier",
    ) == [(-1, -1, -1, -1, -1, None, None)]


def test_a_dossier_known_under_two_codes_counts_once(warehouse: Warehouse) -> None:
    run(
        warehouse,
        "ho_so",
        1,
        dossier(ma_ho_so_khac="G22.99-240609-0001"),
        dossier("G22.99-240609-0001", ma_ho_so_khac=CODE),
        dossier("H50.7-240610-0002", ma_ho_so_khac="G22.99-240609-0002"),
    )
    duplicates = "select dossier_code, kept_dossier_code from core.duplicate_dossier"
    assert ask(warehouse, duplicates) == [("G22.99-240609-0001", CODE)]
    assert ask(
        warehouse,
        "select count(*) from core.fact_dossier as d left join core.duplicate_dossier as x"
        " on x.dossier_code = d.dossier_code and x.registered_on = d.registered_on where x.dossier_code is null",
    ) == [(2,)]
    # The portal's record comes later than the provincial one; a deleted provincial record no longer stands for it.
    run(warehouse, "ho_so", 2, dossier("G22.99-240609-0002"))
    assert len(ask(warehouse, duplicates)) == 2
    run(
        warehouse,
        "ho_so",
        3,
        dossier(deleted_on=local("2024-06-20 09:00"), ngay_cap_nhat=local("2024-06-20 09:00")),
    )
    assert ask(warehouse, duplicates) == [("G22.99-240609-0002", "H50.7-240610-0002")]


def test_pseudonyms_go_to_the_restricted_schema_and_leave_it_again(warehouse: Warehouse) -> None:
    first, second = b"\x01" * 32, b"\x02" * 32
    run(
        warehouse,
        "ho_so",
        1,
        dossier(so_giay_to_chu_ho_so_pseudonym=first, so_dien_thoai_chu_ho_so_pseudonym=second),
        dossier("H50.7-240610-0002"),
    )
    found = "select dossier_code, citizen_id_pseudonym, phone_pseudonym, key_version from restricted.dossier_applicant"
    assert ask(warehouse, found) == [(CODE, first, second, 1)]
    run(warehouse, "ho_so", 2, dossier(ngay_cap_nhat=local("2024-06-11 09:00")))
    assert ask(warehouse, found) == [(CODE, None, None, 1)]


def test_events_of_every_kind(warehouse: Warehouse) -> None:
    known = {"ma_ho_so": CODE, "ngay_cap_nhat": local("2024-06-12 09:00")}
    run(
        warehouse,
        "qua_trinh_xu_ly",
        1,
        {
            "id": 1,
            "thoi_diem_xu_ly": local("2024-06-11 09:00"),
            "trang_thai": "4",
            "phong_ban_xu_ly": "Phòng 1",
            **known,
        },
    )
    run(
        warehouse,
        "ho_so_bo_sung",
        2,
        {
            "id": 1,
            "ngay_bo_sung": local("2024-06-11 09:00"),
            "ngay_tiep_nhan_bo_sung": local("2024-06-12 09:00"),
            "trang_thai_bo_sung": True,
            **known,
        },
    )
    run(
        warehouse,
        "yeu_cau_thanh_toan",
        3,
        {
            "id": 1,
            "so_tien": 50_000,
            "trang_thai": "da_thanh_toan",
            "hinh_thuc_thanh_toan": "tien-mat",
            "ngay_thu_phi": local("2024-06-11 10:00"),
            **known,
        },
    )
    run(warehouse, "giay_to_ket_qua", 4, {"id": 1, "duong_dan_tep_tin_ket_qua": "a/b.pdf", **known})
    run(
        warehouse,
        "dong_bo_dvcqg",
        5,
        {
            "id": 1,
            "trang_thai_gui": "9",
            "trang_thai_dia_phuong": "5",
            "thoi_gian_gui": local("2024-06-12 02:00"),
            **known,
        },
    )
    rows = ask(
        warehouse,
        "select k.code, e.registered_on::text, e.status_sk, e.sent_status_sk, e.amount_vnd, e.state, e.method"
        " from core.fact_dossier_event as e join core.dim_event_kind as k using (event_kind_sk) order by event_kind_sk",
    )
    assert rows == [
        ("process_step", "2024-06-10", 4, -2, None, None, None),
        ("supplement", "2024-06-10", -2, -2, None, "da_bo_sung", None),
        ("payment", "2024-06-10", -2, -2, 50_000, "da_thanh_toan", "tien-mat"),
        ("result", "2024-06-10", -2, -2, None, "co_tep", None),
        ("national_sync", "2024-06-10", 5, 9, None, None, None),
    ]


def test_an_event_again_changes_nothing_and_a_new_version_replaces(warehouse: Warehouse) -> None:
    step = {
        "id": 1,
        "ma_ho_so": CODE,
        "ngay_bat_dau": local("2024-06-10 09:00"),
        "thoi_diem_xu_ly": local("2024-06-11 09:00"),
        "trang_thai": "4",
    }
    first = {**step, "ngay_cap_nhat": local("2024-06-11 09:00")}
    run(warehouse, "qua_trinh_xu_ly", 1, first)
    assert run(warehouse, "qua_trinh_xu_ly", 2, first).unchanged == 1
    later = {**step, "trang_thai": "9", "ngay_cap_nhat": local("2024-06-12 09:00")}
    assert run(warehouse, "qua_trinh_xu_ly", 3, later).updated == 1
    assert ask(
        warehouse,
        "select status_sk, last_batch_id, started_at, occurred_at, ended_at from core.fact_dossier_event",
    ) == [(9, 3, local("2024-06-10 09:00"), local("2024-06-11 09:00"), None)]


def test_holidays_that_vanish_become_working_days_again(warehouse: Warehouse) -> None:
    day = datetime(2024, 9, 2).date()
    run(warehouse, "ngay_nghi", 1, {"ngay": day, "mo_ta": "Quốc khánh"})
    working = "select is_working_day, holiday_name from core.dim_date where date_key = 20240902"
    assert ask(warehouse, working) == [(False, "Quốc khánh")]
    assert run(warehouse, "ngay_nghi", 2, {"ngay": datetime(2024, 9, 3).date(), "mo_ta": "Quốc khánh"}).closed == 1
    assert ask(warehouse, working) == [(True, None)]


def test_a_field_that_left_and_came_back_gives_a_dossier_one_row(warehouse: Warehouse) -> None:
    fields = [{"ma_linh_vuc": "HT", "ten_linh_vuc": "Hộ tịch"}, {"ma_linh_vuc": "DD", "ten_linh_vuc": "Đất đai"}]
    run(warehouse, "linh_vuc", 1, *fields, as_of="2024-01-01 08:00")
    run(warehouse, "linh_vuc", 2, fields[1], as_of="2024-02-01 08:00")
    run(warehouse, "linh_vuc", 3, *fields, as_of="2024-03-01 08:00")
    run(warehouse, "ho_so", 4, dossier())
    assert ask(
        warehouse, "select f.name from core.fact_dossier as d join core.dim_field as f using (field_sk)"
    ) == [("Hộ tịch",)]  # fmt: skip
