"""Canonical names are ASCII words that neither SQL nor the pipeline keeps for itself."""

from __future__ import annotations

import pytest

from dx_pipeline.contract.loader import CANONICAL_NAME
from dx_pipeline.onboarding.naming import canonical_columns, canonical_name, dataset_name, name_words, system_name


@pytest.mark.parametrize(
    ("source", "canonical"),
    [
        ("Mã hồ sơ", "ma_ho_so"),
        ("MaHoSo", "ma_ho_so"),
        ("SoGiayToChuHoSo", "so_giay_to_chu_ho_so"),
        ("TenTTHC", "ten_tthc"),
        ("Đơn vị xử lý (nếu có)", "don_vi_xu_ly_neu_co"),
        ("ĐỊA CHỈ", "dia_chi"),
        ("E-mail", "e_mail"),
        ("Straße", "strasse"),
        ("dies natalis", "dies_natalis"),
        ("2024", "n_2024"),
        ("order", "src_order"),
        ("row_hash", "src_row_hash"),
        ("_row", "src_row"),
        ("價格", "unnamed"),
        ("x__unreadable", "x_unreadable"),
    ],
)
def test_canonical_name(source: str, canonical: str) -> None:
    assert canonical_name(source) == canonical
    assert CANONICAL_NAME.match(canonical)


def test_decomposed_letters_are_the_same_name() -> None:
    assert canonical_name("Mã hồ sơ") == "ma_ho_so"


def test_words_part_at_capitals() -> None:
    assert name_words("NgayCapNhat") == ("ngay", "cap", "nhat")


def test_columns_of_a_table_are_all_different() -> None:
    names = canonical_columns(["Tên", "TEN", "價", "格", "Ten 2"])
    assert list(names.values()) == ["ten", "ten_2", "column_3", "column_4", "ten_2_2"]


def test_long_names_leave_room_for_suffixes() -> None:
    assert len(canonical_name("mot cot co ten rat dai " * 10)) <= 50
    system = system_name("so y te tinh quang tri rat dai")
    assert len(f"{system}__{dataset_name('mot bang co ten rat dai ' * 9, system)}__rejected") <= 63


@pytest.mark.parametrize("taken", ["core", "stage", "pg_temp", "public", "mart"])
def test_a_system_never_takes_a_schema_of_the_warehouse(taken: str) -> None:
    assert system_name(taken) == f"src_{taken}"
