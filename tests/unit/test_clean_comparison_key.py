"""Writings of one name share a key; different names never do; the stored text stays as it is."""

from __future__ import annotations

import csv
import unicodedata
from collections import defaultdict
from pathlib import Path

import pyarrow as pa
import pytest

from dx_pipeline.clean.batch import clean_batch, cleaned_schema
from dx_pipeline.clean.comparison_key import person_key, person_keys, unit_key, unit_keys
from dx_pipeline.errors import ContractError
from tests.unit.test_clean_batch import column, contract

ADMIN_UNITS = Path(__file__).parents[2] / "warehouse_sql" / "reference" / "admin_units.csv"


@pytest.mark.parametrize(
    ("writings", "key"),
    [
        (("Nguyễn Thị Thuỷ", "NGUYỄN THỊ THỦY", " Nguyễn  Thị\u00a0Thủy"), "nguyễn thị thủy"),
        (("Hoà", "hòa", unicodedata.normalize("NFD", "Hoà")), "hòa"),
        (("Lí Mĩ Hoà", "Lý Mỹ Hòa"), "lý mỹ hòa"),
        (("Qui", "Quy"), "quy"),
        (("Ðặng Văn Ðức", "Đặng Văn Đức"), "đặng văn đức"),
        (("H’Hen Niê", "H'Hen Niê"), "h'hen niê"),
        (("NguyÔn V¨n §øc", "Nguyễn Văn Đức"), "nguyễn văn đức"),  # TCVN3
        (("José Müller",), "josé müller"),
        (("", " "), ""),
    ],
)
def test_writings_of_one_person(writings: tuple[str, ...], key: str) -> None:
    assert [person_key(w) for w in writings] == [key] * len(writings)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Quảng Tiên", "Quảng Tiến"),
        ("Vi", "Vy"),
        ("My", "Mi"),
        ("Thi", "Thy"),
        ("Hoa", "Hòa"),
        ("Hằng", "Hàng"),
        ("Đức", "Dức"),
        ("Tài", "Tại"),
    ],
)
def test_different_names_stay_apart(one: str, other: str) -> None:
    assert person_key(one) != person_key(other)
    assert unit_key(one) != unit_key(other)


@pytest.mark.parametrize(
    ("writings", "key"),
    [
        (("Xã A Dơi", "Xã  A Dơi", "xã A dơi", "X. A Dơi"), "xãadơi"),
        (("Thị trấn Ái Tử", "Thị Trấn Ái Tử", "TT Ái Tử", "TT. Ái Tử"), "thịtrấnáitử"),
        (("TT NT Việt Trung", "Thị trấn NT Việt Trung", "Thị trấn Nông trường Việt Trung"),
         "thịtrấnnôngtrườngviệttrung"),
        (("Đakrông", "Đa Krông", "ĐaKrông", "ÐAKRÔNG"), "đakrông"),
        (("Phường 1", "P.1", "P. 1", "P1", "Phường 01"), "phường1"),
        (("TP Đông Hà", "TP. Đông Hà", "Tp.Đông Hà", "Thành phố Đông Hà"), "thànhphốđônghà"),
        (("TX Quảng Trị", "Thị xã Quảng Trị"), "thịxãquảngtrị"),
        (("UBND P. 5", "UBND phường 5", "Uỷ ban nhân dân Phường 5"), "ủybannhândânphường5"),
        (("TT Y tế huyện Hải Lăng", "Trung tâm Y tế huyện Hải Lăng"), "trungtâmytếhuyệnhảilăng"),
        (("Hướng Hoá", "Hướng Hóa", "H\u00ad\u00edng Hãa", "Höôùng Hoùa"), "hướnghóa"),
    ],
)  # fmt: skip
def test_writings_of_one_unit(writings: tuple[str, ...], key: str) -> None:
    assert [unit_key(w) for w in writings] == [key] * len(writings)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Phường 1", "Phường 2"),
        ("Phường 1", "Phường 10"),
        ("Tổ 1-2", "Tổ 12"),
        ("Thị xã Quảng Trị", "Tỉnh Quảng Trị"),
        ("Huyện Cồn Cỏ", "Đặc khu Cồn Cỏ"),
        ("Xã Quảng Tiên", "Xã Quảng Tiến"),
        ("Xã A Ngo", "Xã A Ngò"),
    ],
)
def test_different_units_stay_apart(one: str, other: str) -> None:
    assert unit_key(one) != unit_key(other)


def test_no_two_units_of_the_catalogue_share_a_key() -> None:
    names = defaultdict(set)
    with ADMIN_UNITS.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            names[unit_key(row["name"])].add(row["name"])
    assert len(names) > 380
    # The commune is Đa Krông in the catalogue of 2024 and Đakrông in that of 2025.
    assert [n for n in names.values() if len(n) > 1] == [{"Xã Đakrông", "Xã Đa Krông"}]


def test_the_key_stands_beside_the_name_it_does_not_touch() -> None:
    people = contract(column("id", "integer"), column("xa", "unit_name", key=True), column("ten", "person_name"))
    batch = pa.record_batch(
        {"ID": [1, 2, 3], "XA": ["Xã  Hướng Hoá", None, ""], "TEN": ["Lí Mĩ Hoà", "b", "c"]},
    )
    done = clean_batch(batch, people, 0)
    assert done.schema == cleaned_schema(people)
    assert done.schema.names == [
        "_row", "id", "id__unreadable", "id__note", "xa", "xa__note", "xa__key", "ten", "ten__note",
    ]  # fmt: skip
    assert done.column("xa").to_pylist() == ["Xã Hướng Hoá", None, None]
    assert done.column("xa__key").to_pylist() == ["xãhướnghóa", None, None]
    assert done.column("ten")[0].as_py() == "Lí Mĩ Hoà"


def test_keys_of_repeated_names() -> None:
    names = pa.array(["Mỹ", "Mĩ Hoà", None, "H’Hen  Niê"] * 500, pa.string())
    assert person_keys(names).to_pylist() == ["mỹ", "mỹ hòa", None, "h'hen niê"] * 500
    assert person_keys(names.slice(3, 3)).to_pylist() == ["h'hen niê", "mỹ", "mỹ hòa"]
    assert unit_keys(pa.array(["P.1", None])).to_pylist() == ["phường1", None]
    for keys in (person_keys, unit_keys):
        assert keys(pa.array([], pa.string())).to_pylist() == []
        assert keys(pa.nulls(3, pa.string())).to_pylist() == [None] * 3


def test_a_wrong_option_is_refused() -> None:
    with pytest.raises(ContractError, match="option key"):
        cleaned_schema(contract(column("xa", "unit_name", key="yes")))
    with pytest.raises(ContractError, match="no option key"):
        cleaned_schema(contract(column("xa", "text", key=True)))
