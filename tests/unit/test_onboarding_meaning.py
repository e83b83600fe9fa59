"""What a column means is told by its values, proved by the cleaner that will read them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa
import pytest

from dx_pipeline.extract.source import SourceColumn
from dx_pipeline.onboarding.column_facts import ColumnFacts
from dx_pipeline.onboarding.meaning import Meaning, find_meaning

NAMES = ["Nguyễn Văn An", "Trần Thị Bình", "Lê Hoàng Cường", "Maria Rossi", "José García"]


def meaning(name: str, values: Sequence[object], declared: str = "text", *, is_file: bool = False) -> Meaning:
    source = SourceColumn(name, declared)
    return find_meaning(ColumnFacts.of(source, pa.array(values), is_file=is_file))


def numbered(form: str, count: int = 60) -> list[str]:
    return [form.format(i) for i in range(count)]


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("MaHoSo", numbered("H50.14-240823-{:04d}"), "dossier_code"),
        ("x", numbered("000.00.06.H50-231027-{:04d}"), "dossier_code"),
        ("MaTTHC", numbered("1.0011{:02d}.000.00.00.H50"), "procedure_code"),
        ("MaDinhDanh", numbered("H50.{:02d}"), "agency_code"),
        ("MaXa", numbered("19{:03d}"), "commune_code"),
        ("quando", numbered("202401{:02d}083000", 29)[1:], "datetime"),
        ("quando", numbered("{:02d}/08/2024 07:30", 29)[1:], "datetime"),
        ("quando", numbered("2024-08-{:02d}", 29)[1:], "date"),
        ("quando", numbered("{:02d}/08/2024", 29)[1:], "date"),
        ("pretium", numbered("1.{:03d}.000 đ"), "money_vnd"),
        ("le_phi", numbered("2{:02d}.000"), "money_vnd"),
        ("n", numbered("{}"), "integer"),
        ("punctum", numbered("{},5"), "number"),
        ("punctum", numbered("{}.25"), "number"),
        ("precio", numbered("{},05 €"), "number"),
        ("merma", numbered("{},5 %", 30) * 2, "percentage"),
        ("codex", numbered("0{:04d}"), "identifier"),
        ("codex", numbered("{:04d}1"), "identifier"),
        ("genus", ["ludus", "schola", "villa"] * 20, "code_list"),
        ("aperta", ["có", "không"] * 20, "flag"),
        ("is_open", ["1", "0"] * 20, "flag"),
        ("titulus", numbered("Một văn bản nào đó số {}"), "text"),
        ("area", numbered("1 {} x"), "text"),
    ],
)
def test_meaning_of_texts(name: str, values: list[str], expected: str) -> None:
    found = meaning(name, values)
    assert (found.semantic_type, found.classification) == (expected, "internal")


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("Họ và tên", NAMES * 10, "person_name"),
        ("x", [f"{a} {b.split()[-1]}" for a in NAMES for b in NAMES], "person_name"),
        ("Số CCCD", numbered("0450990000{:02d}"), "citizen_id"),
        ("x", ["Maria Rossi", "José García", "Iñaki Etxeberria"] * 20, "person_name"),
        ("armador", ["P-1", "P-2", "P-x"] * 20, "person_name"),
        ("x", numbered("0450990000{:02d}"), "citizen_id"),
        ("SoDienThoai", numbered("09120000{:02d}"), "phone"),
        ("tessera", numbered("09120000{:02d}"), "phone"),
        ("x", numbered("a{}@b.vn"), "email"),
        ("Địa chỉ", numbered("Thôn {}, xã A"), "address"),
        ("NgaySinh", numbered("19{:02d}"), "birth_date"),
        ("cognomen", numbered("Tullius {}"), "person_name"),
        ("Ghi chú", numbered("Ông A, lần {}"), "text"),
    ],
)
def test_personal_data_is_suspected(name: str, values: list[str], expected: str) -> None:
    found = meaning(name, values)
    assert (found.semantic_type, found.classification) == (expected, "personal")
    assert found.bounds is None
    assert not any(value in found.why for value in values)


def test_sensitive_data_is_suspected() -> None:
    assert meaning("Dân tộc", ["Kinh", "Bru - Vân Kiều"] * 20).classification == "sensitive"
    assert meaning("Tôn giáo", ["Không", "Phật giáo"] * 20).semantic_type == "text"  # no list of a sensitive column


def test_a_count_of_people_is_no_name() -> None:
    found = meaning("Số người", list(range(50)), "integer")
    assert (found.semantic_type, found.classification) == ("integer", "internal")


def test_declared_types() -> None:
    assert meaning("a", [1, 2, 3], "bigint").semantic_type == "integer"
    assert meaning("a", [True, False], "boolean").semantic_type == "flag"
    assert meaning("a", [datetime(2024, 1, 1)], "timestamp").semantic_type == "datetime"
    exact = meaning("a", ["1.50", "2.25"], "numeric(12,2)")
    assert (exact.semantic_type, exact.options) == ("number", {"scale": 2})
    assert meaning("a", ["12", "13"], "numeric(10,0)").semantic_type == "integer"


def test_what_the_source_declares_wrongly_stays_text() -> None:
    assert meaning("a", ["x", "y", "z"] * 2, "integer").semantic_type == "text"  # SQLite lets anything in


def test_a_few_unreadable_values_do_not_hide_the_type() -> None:
    days = [f"{1 + i % 28:02d}/{1 + i % 12:02d}/2024" for i in range(99)] + ["31/02/2024"]
    found = meaning("quando", days)
    assert found.semantic_type == "date"
    assert found.readable == pytest.approx(0.99)
    assert found.bounds == ("2024-01-01", "2024-12-28")


def test_a_name_that_says_the_same_lets_more_values_be_unreadable() -> None:
    amounts = [f"{i}.000" for i in range(100, 170)] + ["miễn phí lần này", "xem công văn", "hẹn trả sau"] * 5
    found = meaning("SoTien", amounts)
    assert (found.semantic_type, round(found.readable, 3)) == ("money_vnd", round(70 / 85, 3))
    assert meaning("x", amounts).semantic_type == "text"
    days = [f"{1 + i % 28:02d}/{1 + i % 12:02d}/2024" for i in range(80)] + [f"sau {i} hôm" for i in range(20)]
    assert meaning("Ngày trả", days).semantic_type == "date"
    assert meaning("x", days).semantic_type == "text"


def test_codes_in_digits_are_a_list_where_the_name_says_so() -> None:
    found = meaning("TrangThai", ["1", "2", "9", "10"] * 20)
    assert found.options == {"codes": {"1": [], "10": [], "2": [], "9": []}}
    assert meaning("gradus", ["1", "2", "9", "10"] * 20).semantic_type == "integer"


def test_texts_for_nothing_become_null_values() -> None:
    found = meaning("quando", ["2024-08-01", "2024-08-02", "N/A", "2024-08-03", "không có"] * 5)
    assert (found.semantic_type, found.options) == ("date", {"null_values": ["N/A", "không có"]})


def test_american_days_are_told_by_those_that_only_fit_one_order() -> None:
    found = meaning("quando", [f"{1 + i % 12:02d}/{1 + i % 28:02d}/2024" for i in range(80)])
    assert (found.semantic_type, found.options) == ("date", {"order": "mdy"})


def test_writings_of_one_code_are_its_variants() -> None:
    found = meaning("Trạng thái", ["Đã trả"] * 30 + ["đã  trả"] * 3 + ["Chờ"] * 20)
    assert found.options == {"codes": {"Chờ": [], "Đã trả": ["đã trả"]}}


def test_a_foreign_key_is_no_code_list() -> None:
    facts = ColumnFacts.of(SourceColumn("regio", "text"), pa.array(["LAT", "ETR"] * 30), is_file=False)
    assert find_meaning(facts, names_row_of="regio").semantic_type == "identifier"


def test_an_empty_column_keeps_its_declared_type() -> None:
    assert meaning("a", [None, "", " "], "timestamp").semantic_type == "datetime"
    assert meaning("a", [None, ""], "varchar(20)").semantic_type == "text"
    assert meaning("so_dien_thoai", [None, ""], "varchar(20)").classification == "personal"
