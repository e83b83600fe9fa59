"""Civil status: the contract, its rules, the number of an entry, and the JSON files the sandbox writes."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import jsonschema
import pyarrow as pa
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from dx_pipeline.clean.register_number import REGISTER_NUMBER
from dx_pipeline.contract.catalog import load_catalog
from dx_pipeline.contract.model import Column, Contract
from dx_pipeline.errors import SourceDrift
from dx_pipeline.extract.drift import check_drift, refuse_drift
from dx_pipeline.extract.source import open_source
from dx_pipeline.judge.suite import load_suite
from dx_pipeline.sandbox.civil_status.build import build_civil_status
from dx_pipeline.sandbox.civil_status.kinds import KINDS
from dx_pipeline.sandbox.communes import commune_list
from dx_pipeline.sandbox.planted import Kind
from tests.conftest import ROOT

IN_THE_LOAD = {"ten_xa_khac_ma"}  # a name against a code needs the table of names


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_catalog([ROOT]).contract("civil_status.viec_ho_tich")


def test_contract_follows_the_published_json_schema(contract: Contract) -> None:
    text = (ROOT / "assets" / "civil_status" / "viec_ho_tich.odcs.yaml").read_text(encoding="utf-8")
    jsonschema.validate(yaml.safe_load(text), json.loads(OpenDataContractStandard.json_schema()))
    assert (contract.source.records, contract.source.nested) == ("du_lieu", "refuse")
    assert contract.on_new_column == "hold"


def test_only_the_personal_number_is_personal(contract: Contract) -> None:
    assert [column.name for column in contract.columns if column.is_personal] == ["so_dinh_danh_cap"]


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind.verdict in ("critical", "warning")], ids=lambda kind: kind.code
)
def test_every_planted_fault_has_a_rule_of_that_severity(contract: Contract, kind: Kind) -> None:
    if kind.code in IN_THE_LOAD:
        assert f"'{kind.code}'" in contract.load_path.read_text(encoding="utf-8")
    else:
        assert load_suite(contract).rule(kind.code).severity == kind.verdict


def test_communes_of_the_rules_are_those_of_the_reference_file(contract: Contract) -> None:
    suite = load_suite(contract)
    communes = commune_list(date(2024, 6, 30))
    gone = {one.code for one in communes if one.ceased_on is not None}
    assert set(suite.rule("ma_xa_unknown").kwargs["value_set"]) == {one.code for one in communes}
    assert set(suite.rule("xa_da_giai_the").kwargs["value_set"]) == gone


def test_numbers_of_entries() -> None:
    column = Column("so", "so", "register_number", "integer")
    texts = ["15", "015", "15/2024", " 7 / 2023 ", "", None, "15/24", "15a", "15/1024", "-3", "1.5", "9999999999", "٣"]
    cleaned = REGISTER_NUMBER.clean(pa.array(texts), column)
    assert cleaned.value.to_pylist() == [15, 15, 15, 7, *[None] * 9]
    assert cleaned.unreadable is not None
    assert cleaned.unreadable.to_pylist() == [*[None] * 6, "15/24", "15a", "15/1024", "-3", "1.5", "9999999999", "٣"]
    assert cleaned.note is not None
    assert cleaned.note.to_pylist()[:4] == [None, "variant", "variant", "whitespace,variant"]
    assert REGISTER_NUMBER.clean(pa.array([15, None]), column).value.to_pylist() == [15, None]


def test_files_are_the_same_for_the_same_seed_and_in_three_encodings(tmp_path: Path) -> None:
    for name in "ab":
        build_civil_status(tmp_path / name, seed=3, truth_path=tmp_path / f"truth_{name}")
    files = sorted((tmp_path / "a").glob("*.json"))
    assert [file.name for file in files][::17] == ["ho_tich_2023-01.json", "ho_tich_2024-06.json"]
    assert len(files) == 18
    heads = {file.read_bytes()[:2] for file in files}
    assert heads == {b"{\n", b"\xef\xbb", b"\xff\xfe"}
    entries = 0
    for file in files:
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()
        raw = file.read_bytes()
        document = json.loads(raw.decode(json.detect_encoding(raw)))
        assert document["ky"] == file.stem.removeprefix("ho_tich_")
        entries += len(document["du_lieu"])
    truth = json.loads((tmp_path / "truth_a" / "truth.json").read_text(encoding="utf-8"))
    assert truth["tables"]["viec_ho_tich"]["rows"] == entries == 5_000 + 8 + 18
    assert truth["tables"]["viec_ho_tich"]["quarantined"] == 12 + 16 + 14 + 10 + 8 + 14 + 8 + 6 + 9 + 6


def test_a_file_that_lists_persons_is_refused_before_a_row_is_read(contract: Contract, tmp_path: Path) -> None:
    build_civil_status(tmp_path / "a", seed=3, truth_path=tmp_path / "truth")
    path = tmp_path / "a" / "ho_tich_2023-01.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["du_lieu"][0]["ho_ten"] = "Nguyễn Văn A"
    path.write_text(json.dumps(document), encoding="utf-8")
    with open_source(contract, (tmp_path / "a").as_uri()) as reader, pytest.raises(SourceDrift) as caught:
        refuse_drift(contract, check_drift(contract, reader.describe()))
    assert "column ho_ten is new" in caught.value.what
    assert "Nguyễn" not in str(caught.value)
