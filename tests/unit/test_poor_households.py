"""Lists of poor households: the contract, its rules, and the FoxPro files the sandbox writes."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from dx_pipeline.contract.catalog import load_catalog
from dx_pipeline.contract.model import Contract
from dx_pipeline.extract.dbf_header import parse_header
from dx_pipeline.judge.suite import load_suite
from dx_pipeline.sandbox.communes import commune_list
from dx_pipeline.sandbox.dbf_writer import Field, write_dbf
from dx_pipeline.sandbox.planted import Kind
from dx_pipeline.sandbox.poor_households.build import FIELDS, build_poor_households
from dx_pipeline.sandbox.poor_households.households import KINDS
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_catalog([ROOT]).contract("poor_households.ho_ngheo")


def test_contract_follows_the_published_json_schema(contract: Contract) -> None:
    text = (ROOT / "assets" / "poor_households" / "ho_ngheo.odcs.yaml").read_text(encoding="utf-8")
    jsonschema.validate(yaml.safe_load(text), json.loads(OpenDataContractStandard.json_schema()))
    assert [column.source_name for column in contract.columns] == [field.name for field in FIELDS]


def test_names_numbers_births_and_ethnicity_are_personal(contract: Contract) -> None:
    personal = {column.name: column.classification for column in contract.columns if column.is_personal}
    assert personal == {
        "ho_ten_chu_ho": "personal",
        "ngay_sinh": "personal",
        "cmnd": "personal",
        "dan_toc": "sensitive",
    }


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if kind.verdict in ("critical", "warning")], ids=lambda kind: kind.code
)
def test_every_planted_fault_has_a_rule_of_that_severity(contract: Contract, kind: Kind) -> None:
    assert load_suite(contract).rule(kind.code).severity == kind.verdict


def test_communes_of_the_rules_are_those_of_the_reference_file(contract: Contract) -> None:
    suite = load_suite(contract)
    communes = commune_list(date(2024, 6, 30))
    gone = {one.code for one in communes if one.ceased_on is not None}
    assert set(suite.rule("ma_xa_unknown").kwargs["value_set"]) == {one.code for one in communes}
    assert set(suite.rule("xa_da_giai_the").kwargs["value_set"]) == gone
    assert len(communes) - len(gone) == 125


def test_files_are_foxpro_tables_whose_driver_byte_lies(tmp_path: Path) -> None:
    build_poor_households(tmp_path / "a", seed=3, truth_path=tmp_path / "truth")
    build_poor_households(tmp_path / "b", seed=3, truth_path=tmp_path / "truth")
    for year in (2022, 2023, 2024):
        raw = (tmp_path / "a" / f"HONGHEO_{year}.DBF").read_bytes()
        header = parse_header(raw)
        assert header.end_of_records + 1 == len(raw)
        assert header.language_driver == 0x01
        assert header.record_bytes == 1 + 12 + 40 + 10 + 12 + 2 + 5 + 1 + 2 + 3 + 3 + 1 + 1 + 4
        assert raw == (tmp_path / "b" / f"HONGHEO_{year}.DBF").read_bytes()
    assert b"H\xad\xacng" in raw  # Hương in TCVN3: ư is the soft hyphen of cp1252


def test_one_record_byte_by_byte(tmp_path: Path) -> None:
    fields = (Field("TEN", "C", 6), Field("SO", "N", 3), Field("CO", "L", 1))
    columns = {"TEN": np.array(["Qu\xb6ng", "b"]), "SO": np.array(["7", "120"]), "CO": np.array(["T", "?"])}
    write_dbf(tmp_path / "x.dbf", fields, columns, np.array([False, True]), language_driver=0x01)
    raw = (tmp_path / "x.dbf").read_bytes()
    assert raw[32 + 3 * 32 :] == b"\x0d" + b" Qu\xb6ng   7T" + b"*b     120?" + b"\x1a"


def test_field_names_have_ten_characters_at_most() -> None:
    with pytest.raises(ValueError, match="at most 10 characters"):
        Field("CO_SMARTPHONE", "L", 1)


def test_a_text_wider_than_its_field_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="field TEN: a text is wider than 2 bytes"):
        write_dbf(
            tmp_path / "x.dbf",
            (Field("TEN", "C", 2),),
            {"TEN": np.array(["abc"])},
            np.array([False]),
            language_driver=0,
        )
