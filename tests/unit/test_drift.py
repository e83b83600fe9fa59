"""Drift: every kind of change gets a message that names the columns and tells what to do."""

from __future__ import annotations

import pytest

from dx_pipeline.errors import SourceDrift
from dx_pipeline.extract.drift import check_drift, refuse_drift, schema_fingerprint
from dx_pipeline.extract.physical_type import compare_types, normalise_type
from dx_pipeline.extract.source import SourceColumn
from tests.extract_contracts import make_contract

PROMISED = ["MaHoSo:varchar(50)", "TenTTHC:varchar(2000)", "ThoiHan:integer"]
FOUND = [
    SourceColumn("MaHoSo", "varchar(50)"),
    SourceColumn("TenTTHC", "varchar(2000)"),
    SourceColumn("ThoiHan", "integer"),
]


def contract(**policy: object):  # type: ignore[no-untyped-def]
    return make_contract(PROMISED, schema="motcua", table="ho_so", **policy)  # type: ignore[arg-type]


def test_same_shape_is_no_drift() -> None:
    drift = check_drift(contract(), FOUND)
    assert drift.is_none
    assert drift.messages == ()
    refuse_drift(contract(), drift)


def test_fingerprint_tells_types_and_names_but_not_the_order() -> None:
    assert schema_fingerprint(FOUND) == schema_fingerprint(FOUND[::-1])
    assert schema_fingerprint(FOUND) != schema_fingerprint([*FOUND[:2], SourceColumn("ThoiHan", "bigint")])
    assert len(schema_fingerprint(FOUND)) == 64


def test_dropped_column_is_refused_with_its_name() -> None:
    drift = check_drift(contract(), FOUND[:2])
    assert drift.missing == ("ThoiHan",)
    with pytest.raises(SourceDrift) as refused:
        refuse_drift(contract(), drift)
    assert "one_stop.ho_so" in refused.value.what
    assert "motcua.ho_so" in refused.value.what
    assert "column ThoiHan is missing" in refused.value.what
    assert "raise the contract's version" in refused.value.next_step
    assert "H50.00" in refused.value.next_step


def test_renamed_column_is_guessed() -> None:
    found = [SourceColumn("Ma_Ho_So", "varchar(50)"), *FOUND[1:]]
    drift = check_drift(contract(), found)
    assert drift.renamed == (("MaHoSo", "Ma_Ho_So"),)
    with pytest.raises(SourceDrift, match=r"MaHoSo is missing \(renamed to Ma_Ho_So\?\)") as refused:
        refuse_drift(contract(), drift)
    assert "MaHoSo → Ma_Ho_So" in refused.value.next_step


def test_a_like_name_of_another_type_is_no_rename() -> None:
    found = [*FOUND[:2], SourceColumn("ThoiHanMoi", "date")]
    assert check_drift(contract(), found).renamed == ()


def test_new_column_warns_or_holds_as_the_contract_says() -> None:
    drift = check_drift(contract(), [*FOUND, SourceColumn("GhiChu", "text")])
    assert drift.messages == ("column GhiChu is new: not in the contract and not in its leftOut list",)
    refuse_drift(contract(on_new_column="warn"), drift)
    with pytest.raises(SourceDrift, match="column GhiChu is new"):
        refuse_drift(contract(on_new_column="hold"), drift)


def test_column_left_out_on_purpose_is_not_new() -> None:
    drift = check_drift(contract(left_out=("GhiChu",)), [*FOUND, SourceColumn("GhiChu", "text")])
    assert drift.is_none


def test_widened_type_holds_or_warns_as_the_contract_says() -> None:
    drift = check_drift(contract(), [SourceColumn("MaHoSo", "varchar(80)"), *FOUND[1:]])
    assert drift.messages == ("column MaHoSo widened from varchar(50) to varchar(80)",)
    refuse_drift(contract(on_widened_type="warn"), drift)
    with pytest.raises(SourceDrift, match=r"widened from varchar\(50\) to varchar\(80\)"):
        refuse_drift(contract(on_widened_type="hold"), drift)


@pytest.mark.parametrize(("now", "kind"), [("varchar(20)", "narrowed"), ("bytea", "changed")])
def test_narrowed_and_changed_types_are_always_refused(now: str, kind: str) -> None:
    drift = check_drift(contract(), [SourceColumn("MaHoSo", now), *FOUND[1:]])
    with pytest.raises(SourceDrift, match=f"column MaHoSo {kind} from"):
        refuse_drift(contract(on_widened_type="warn"), drift)


def test_everything_is_said_in_one_message() -> None:
    found = [SourceColumn("MaHoSo", "bigint"), SourceColumn("GhiChu", "text")]
    with pytest.raises(SourceDrift) as refused:
        refuse_drift(contract(on_new_column="hold"), check_drift(contract(), found))
    for part in ("MaHoSo changed", "TenTTHC is missing", "ThoiHan is missing", "GhiChu is new"):
        assert part in refused.value.what


def test_no_type_on_either_side_is_not_compared() -> None:
    untyped = make_contract(["MaHoSo", "Ngay:timestamp"])
    assert check_drift(untyped, [SourceColumn("MaHoSo", "varchar(9)"), SourceColumn("Ngay", "")]).is_none


@pytest.mark.parametrize(
    ("text", "normalised"),
    [
        ("CHARACTER VARYING(50)", "varchar(50)"),
        ("character varying", "varchar"),
        ("bpchar", "bpchar"),
        ("timestamp without time zone", "timestamp"),
        ("timestamp(3) with time zone", "timestamptz(3)"),
        ("int8", "bigint"),
        ("int(11)", "integer"),
        ("bigint(20) unsigned", "bigint unsigned"),
        ("int unsigned", "integer unsigned"),
        ("tinyint(1)", "tinyint(1)"),
        ("decimal(12, 2)", "numeric(12,2)"),
        ("double precision", "double precision"),
        ("DOUBLE", "double precision"),
        ("integer[]", "integer[]"),
        ("character varying(20)[]", "varchar(20)[]"),
        ("enum('a','b')", "enum('a','b')"),
        ("", ""),
    ],
)
def test_types_have_one_spelling(text: str, normalised: str) -> None:
    assert normalise_type(text) == normalised


@pytest.mark.parametrize(
    ("was", "now", "kind"),
    [
        ("varchar(50)", "character varying(50)", None),
        ("varchar", "text", None),
        ("char", "char(5)", "widened"),
        ("varchar(50)", "varchar(51)", "widened"),
        ("varchar(50)", "text", "widened"),
        ("text", "varchar(50)", "narrowed"),
        ("char(5)", "varchar(5)", "widened"),
        ("smallint", "bigint", "widened"),
        ("bigint", "integer", "narrowed"),
        ("integer unsigned", "bigint", "widened"),
        ("integer", "bigint unsigned", "changed"),
        ("numeric(10,2)", "numeric(12,2)", "widened"),
        ("numeric(10,2)", "numeric(10,4)", "changed"),
        ("integer", "numeric(10,0)", "widened"),
        ("integer", "numeric(9,0)", "changed"),
        ("bigint", "numeric", "widened"),
        ("real", "double precision", "widened"),
        ("timestamp(3)", "timestamp", "widened"),
        ("timestamp", "timestamptz", "changed"),
        ("varchar(19)", "timestamp", "changed"),
        ("integer[]", "bigint[]", "widened"),
    ],
)
def test_type_changes_are_told_apart(was: str, now: str, kind: str | None) -> None:
    assert compare_types(was, now) == kind
