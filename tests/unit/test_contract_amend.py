"""A contract file is changed where it must be and nowhere else."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from dx_pipeline.contract.amend import AddCode, LeaveOut, SetColumn, amend_file, amend_text, next_version
from dx_pipeline.contract.loader import load_contract
from dx_pipeline.errors import ContractError
from tests.conftest import ROOT

CONTRACTS = sorted((ROOT / "assets").glob("*/*.odcs.yaml"))


def changed_lines(before: str, after: str) -> list[str]:
    """Lines taken away (-) and added (+)."""
    return [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "+-"]


def amended(path: Path, *amendments: SetColumn | LeaveOut | AddCode) -> list[str]:
    before = path.read_text(encoding="utf-8")
    return changed_lines(before, amend_text(before, amendments, version="9.0.0", note="thử", path=path))


@pytest.mark.parametrize(("bump", "version"), [("minor", "1.3.0"), ("major", "2.0.0")])
def test_additive_is_minor_and_breaking_is_major(bump: str, version: str) -> None:
    assert next_version("1.2.3", bump) == version  # type: ignore[arg-type]


def test_a_version_of_another_form_is_refused() -> None:
    with pytest.raises(ContractError, match="not three numbers"):
        next_version("v1", "minor")


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.parent.name + "." + path.name.split(".")[0])
def test_every_contract_of_the_house_can_be_amended(path: Path, tmp_path: Path) -> None:
    """A renamed column, its type and a column left out, and nothing else changes; the result is a contract."""
    folder = tmp_path / "assets" / path.parent.name
    folder.mkdir(parents=True)
    copy = folder / path.name
    copy.write_bytes(path.read_bytes())
    contract = load_contract(copy, tmp_path)
    column = contract.columns[-1]
    changes = (
        SetColumn(column.name, "physicalName", "Tên cột: mới"),
        SetColumn(column.name, "physicalType", "numeric(12,2)"),
        LeaveOut("Ghi chú, khác"),
    )
    again = amend_file(contract, changes, bump="major", note="tên mới (Nguyễn Văn A)")
    assert again.version == next_version(contract.version, "major")
    assert again.column(column.name).source_name == "Tên cột: mới"
    assert again.column(column.name).physical_type == "numeric(12,2)"
    assert again.left_out == (*contract.left_out, "Ghi chú, khác")
    assert [one.name for one in again.columns] == [one.name for one in contract.columns]
    lines = changed_lines(path.read_text(encoding="utf-8"), copy.read_text(encoding="utf-8"))
    assert f"+ # {again.version}: tên mới (Nguyễn Văn A)" in lines
    assert len([line for line in lines if line.startswith("-")]) <= 4
    assert len([line for line in lines if line.startswith("+")]) <= 5


def test_a_left_out_list_is_longer_by_one_word() -> None:
    path = ROOT / "assets" / "eid" / "dinh_danh_xa_thang.odcs.yaml"
    assert amended(path, LeaveOut("Số CCCD")) == [
        "+ # 9.0.0: thử",
        "- version: 1.0.0",
        "+ version: 9.0.0",
        "-   - {property: leftOut, value: [STT]}",
        '+   - {property: leftOut, value: [STT, "Số CCCD"]}',
    ]


def test_a_code_is_added_below_the_last_one() -> None:
    path = ROOT / "assets" / "digital_infrastructure" / "he_thong_thong_tin.odcs.yaml"
    lines = amended(path, AddCode("loai", "ung_dung"))
    assert lines[3:] == ['+                 "ung_dung": []']
    text = amend_text(path.read_text(), [AddCode("loai", "ung_dung")], version="1.1.0", note="x", path=path)
    assert text.index("nen_tang: [") < text.index('"ung_dung": []') < text.index("- name: chu_quan")


def test_windows_line_ends_stay() -> None:
    path = ROOT / "assets" / "eid" / "dinh_danh_xa_thang.odcs.yaml"
    before = path.read_text().replace("\n", "\r\n")
    after = amend_text(
        before, [LeaveOut("A"), SetColumn("ten_xa", "physicalType", "text")], version="2.0.0", note="x", path=path
    )
    assert after.count("\n") == after.count("\r\n") == before.count("\r\n") + 2


def test_what_is_no_contract_is_put_back(tmp_path: Path) -> None:
    folder = tmp_path / "assets" / "eid"
    folder.mkdir(parents=True)
    path = folder / "dinh_danh_xa_thang.odcs.yaml"
    path.write_bytes((ROOT / "assets" / "eid" / path.name).read_bytes())
    contract = load_contract(path, tmp_path)
    with pytest.raises(ContractError):
        amend_file(contract, [LeaveOut("Mã xã")], bump="minor", note="a column cannot be both read and left out")
    assert path.read_bytes() == (ROOT / "assets" / "eid" / path.name).read_bytes()


def test_an_unknown_column_is_named() -> None:
    with pytest.raises(ContractError, match="column nix"):
        amended(CONTRACTS[0], SetColumn("nix", "physicalName", "x"))
