"""The level of service of a procedure on any day, from two datasets that may come in any order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.embedded import EmbeddedServer
from tests.integration.star_warehouse import ask, fill_stage, load, migrated_warehouse, refresh, running_server

CATALOGUE = {
    "ma_tthc": "text",
    "ten_tthc": "text",
    "ma_linh_vuc": "text",
    "cap_thuc_hien": "text",
    "thoi_gian_giai_quyet": "bigint",
    "co_phi_le_phi": "boolean",
    "muc_do": "text",
    "quyet_dinh_cong_bo": "text",
    "ngay_cap_nhat": "timestamptz",
}
CHANGES = {
    "id": "bigint",
    "ma_tthc": "text",
    "thoi_gian": "timestamptz",
    "muc_do_cu": "text",
    "muc_do_moi": "text",
    "ngay_cap_nhat": "timestamptz",
}

# 1.000001 never changed; 1.000002 rose twice; 1.000003 changed at 00:30 on 1 June local time (17:30 UTC the day
# before); 1.000004 changed twice on one day; 1.000005 is known to the log only.
PROCEDURES = [
    {"ma_tthc": "1.000001", "ten_tthc": "Một", "muc_do": "4", "thoi_gian_giai_quyet": 5},
    {"ma_tthc": "1.000002", "ten_tthc": "Hai", "muc_do": "4", "thoi_gian_giai_quyet": 10},
    {"ma_tthc": "1.000003", "ten_tthc": "Ba", "muc_do": "4", "thoi_gian_giai_quyet": 3},
    {"ma_tthc": "1.000004", "ten_tthc": "Bốn", "muc_do": "3", "thoi_gian_giai_quyet": 3},
]


def _change(number: int, code: str, at: str, before: str, after: str) -> dict[str, Any]:
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    return {"id": number, "ma_tthc": code, "thoi_gian": moment, "muc_do_cu": before, "muc_do_moi": after}


LOG = [
    _change(1, "1.000002", "2023-03-10 03:00", "2", "3"),
    _change(2, "1.000002", "2024-01-15 03:00", "3", "4"),
    _change(3, "1.000003", "2024-05-31 17:30", "3", "4"),
    _change(4, "1.000004", "2024-02-01 02:00", "2", "4"),
    _change(5, "1.000004", "2024-02-01 09:00", "4", "3"),
    _change(6, "1.000005", "2022-01-01 03:00", "2", "3"),
]

EXPECTED = [
    ("1.000001", 4, "1900-01-01", "9999-12-31", True, False),
    ("1.000002", 2, "1900-01-01", "2023-03-10", False, False),
    ("1.000002", 3, "2023-03-10", "2024-01-15", False, False),
    ("1.000002", 4, "2024-01-15", "9999-12-31", True, False),
    ("1.000003", 3, "1900-01-01", "2024-06-01", False, False),
    ("1.000003", 4, "2024-06-01", "9999-12-31", True, False),
    ("1.000004", 2, "1900-01-01", "2024-02-01", False, False),
    ("1.000004", 3, "2024-02-01", "9999-12-31", True, False),
    ("1.000005", 2, "1900-01-01", "2022-01-01", False, True),
    ("1.000005", 3, "2022-01-01", "9999-12-31", True, True),
]
VERSIONS = (
    "select procedure_code, service_level, valid_from::text, valid_to::text, is_current, is_inferred"
    " from core.dim_procedure where procedure_sk > 0 order by procedure_code, valid_from, valid_to"
)
KEYS = "select procedure_sk, procedure_code, valid_from, row_hash, last_batch_id from core.dim_procedure order by 1"


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with running_server() as running:
        yield running


@pytest.fixture
def warehouse(server: EmbeddedServer) -> Iterator[Warehouse]:
    with migrated_warehouse(server) as opened:
        yield opened


def _load_catalogue(warehouse: Warehouse, batch: int, rows: list[dict[str, Any]] = PROCEDURES) -> Any:
    fill_stage(warehouse, "thu_tuc", CATALOGUE, rows)
    return load(warehouse, "thu_tuc", batch)


def _load_log(warehouse: Warehouse, batch: int, rows: list[dict[str, Any]] = LOG) -> Any:
    fill_stage(warehouse, "thay_doi_muc_do_thu_tuc", CHANGES, rows)
    return load(warehouse, "thay_doi_muc_do_thu_tuc", batch)


def test_catalogue_first_then_log(warehouse: Warehouse) -> None:
    counts = _load_catalogue(warehouse, 1)
    assert (counts.rows, counts.inserted) == (4, 4)
    assert ask(warehouse, VERSIONS)[1] == ("1.000002", 4, "1900-01-01", "9999-12-31", True, False)
    counts = _load_log(warehouse, 2)
    assert (counts.rows, counts.inserted, counts.unchanged) == (6, 6, 0)
    assert ask(warehouse, VERSIONS) == EXPECTED


def test_log_first_then_catalogue_and_again(warehouse: Warehouse) -> None:
    _load_log(warehouse, 1)
    _load_catalogue(warehouse, 2)
    assert ask(warehouse, VERSIONS) == EXPECTED
    before = ask(warehouse, KEYS)
    counts = _load_log(warehouse, 3)
    assert (counts.inserted, counts.updated, counts.unchanged) == (0, 0, 6)
    counts = _load_catalogue(warehouse, 4)
    assert (counts.inserted, counts.updated, counts.unchanged) == (0, 0, 4)
    assert ask(warehouse, KEYS) == before


def test_a_new_attribute_reaches_every_version_and_keeps_the_keys(warehouse: Warehouse) -> None:
    _load_catalogue(warehouse, 1)
    _load_log(warehouse, 2)
    keys = ask(warehouse, "select procedure_sk, procedure_code, valid_from from core.dim_procedure order by 1")
    renamed = [dict(row, ten_tthc="Hai mới") if row["ma_tthc"] == "1.000002" else row for row in PROCEDURES]
    counts = _load_catalogue(warehouse, 3, renamed)
    assert (counts.updated, counts.unchanged) == (1, 3)
    assert ask(warehouse, "select distinct name from core.dim_procedure where procedure_code = '1.000002'") == [
        ("Hai mới",)
    ]
    assert ask(warehouse, "select procedure_sk, procedure_code, valid_from from core.dim_procedure order by 1") == keys


def test_a_change_that_became_known_late_moves_the_dossiers(warehouse: Warehouse) -> None:
    _load_catalogue(warehouse, 1)
    _load_log(warehouse, 2, LOG[:1])
    with warehouse.owner() as connection:
        connection.exec_driver_sql("select ops.create_monthly_partition('core.fact_dossier', '2024-01-01')")
        for number, received in ((1, "2024-01-10"), (2, "2024-01-20")):
            connection.exec_driver_sql(
                "insert into core.fact_dossier (dossier_code, registered_on, agency_sk, procedure_sk, field_sk,"
                " commune_sk, received_date_key, channel_sk, status_sk, applicant_kind_sk, received_at,"
                " source_updated_at, loaded_at, row_hash, first_batch_id, last_batch_id)"
                f" select 'H50.1-240101-000{number}', '2024-01-01', -1, procedure_sk, -1, -1, -1, 1, 4, 1,"
                f" '{received} 09:00+07', now(), now(), 1, 2, 2 from core.dim_procedure"
                " where procedure_code = '1.000002' and is_current"
            )
    _load_log(warehouse, 3)
    assert ask(
        warehouse,
        "select d.dossier_code, p.service_level, d.last_batch_id from core.fact_dossier as d"
        " join core.dim_procedure as p using (procedure_sk) order by 1",
    ) == [("H50.1-240101-0001", 3, 2), ("H50.1-240101-0002", 4, 3)]


def test_a_change_the_source_moved_leaves_an_empty_version(warehouse: Warehouse) -> None:
    _load_catalogue(warehouse, 1)
    _load_log(warehouse, 2)
    _load_log(warehouse, 3, [_change(2, "1.000002", "2024-02-20 03:00", "3", "4")])
    assert ask(warehouse, VERSIONS.replace("procedure_sk > 0", "procedure_code = '1.000002'")) == [
        ("1.000002", 2, "1900-01-01", "2023-03-10", False, False),
        ("1.000002", 3, "2023-03-10", "2024-02-20", False, False),
        ("1.000002", 4, "2024-01-15", "2024-01-15", False, False),
        ("1.000002", 4, "2024-02-20", "9999-12-31", True, False),
    ]


def test_a_procedure_that_left_the_catalogue_ends(warehouse: Warehouse) -> None:
    _load_catalogue(warehouse, 1)
    _load_log(warehouse, 2)
    counts = _load_catalogue(warehouse, 3, PROCEDURES[1:])
    assert counts.closed == 1
    assert ask(warehouse, VERSIONS)[0] == ("1.000001", 4, "1900-01-01", "2024-07-01", False, False)
    _load_catalogue(warehouse, 4)
    assert ask(warehouse, VERSIONS)[0] == ("1.000001", 4, "1900-01-01", "9999-12-31", True, False)


def test_an_inferred_procedure_is_completed_in_place(warehouse: Warehouse) -> None:
    with warehouse.loader() as connection:
        connection.exec_driver_sql(
            "insert into core.dim_procedure (procedure_code, valid_from, is_inferred)"
            " values ('1.000001', '1900-01-01', true)"
        )
    key = ask(warehouse, "select procedure_sk from core.dim_procedure where procedure_code = '1.000001'")
    _load_catalogue(warehouse, 1)
    assert ask(
        warehouse,
        "select procedure_sk, name, is_inferred from core.dim_procedure where procedure_code = '1.000001'",
    ) == [(key[0][0], "Một", False)]


@pytest.mark.parametrize(
    ("day", "partial", "full", "info"),
    [
        ("2020-01-01", 1, 1, 2),
        ("2023-03-09", 1, 1, 2),
        ("2023-03-10", 2, 1, 1),
        ("2024-01-15", 1, 2, 1),
        ("2024-02-01", 2, 2, 0),
        ("2024-05-31", 2, 2, 0),
        ("2024-06-01", 1, 3, 0),
        ("2030-01-01", 1, 3, 0),
    ],
)
def test_procedures_of_each_level_on_a_day(level_mart: Warehouse, day: str, partial: int, full: int, info: int) -> None:
    answer = ask(level_mart, "select * from mart.service_level_on(cast(:day as date))", day=day)
    assert answer == [(partial, full, info, 0, 4)]
    assert ask(
        level_mart,
        "select partial_count, full_count from mart.service_level_on_date"
        " where cast(:day as date) >= valid_from and cast(:day as date) < valid_to",
        day=day,
    ) == [(partial, full)]


def test_a_stretch_starts_only_where_a_count_changes(level_mart: Warehouse) -> None:
    assert ask(level_mart, "select valid_from::text, valid_to::text from mart.service_level_on_date order by 1") == [
        ("1900-01-01", "2023-03-10"),
        ("2023-03-10", "2024-01-15"),
        ("2024-01-15", "2024-02-01"),
        ("2024-02-01", "2024-06-01"),
        ("2024-06-01", "9999-12-31"),
    ]


@pytest.fixture(scope="module")
def level_mart(server: EmbeddedServer) -> Iterator[Warehouse]:
    with migrated_warehouse(server) as opened:
        _load_catalogue(opened, 1)
        _load_log(opened, 2)
        refresh(opened, "service_level_on_date")
        refresh(opened, "service_level_on_date")
        yield opened
