"""A whole record batch, cleaned as its contract says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dx_pipeline.clean.batch import clean_batch, cleaned_schema
from dx_pipeline.clean.registry import SEMANTIC_TYPES, check_options
from dx_pipeline.contract.model import Column, Contract, LoadPolicy, SourceRelation
from dx_pipeline.errors import ContractError, LandingError

NEEDED_OPTIONS = {"code_list": {"codes": {"1": ["một"], "2": []}}, "digit_code": {"groups": [3]}}


def contract(*columns: Column, null_values: tuple[str, ...] = ()) -> Contract:
    return Contract(
        id="demo.people",
        version="1.0.0",
        system="demo",
        dataset="people",
        purpose_vi="",
        purpose_en="",
        owner_agency="H50",
        source=SourceRelation("table", schema="s", table="t", null_values=null_values),
        load=LoadPolicy("snapshot"),
        columns=columns,
        row_identity=("id",),
        rejected_share_cap=0.2,
        min_source_rows=1,
        on_new_column="warn",
        on_widened_type="hold",
        freshness=None,
        depends_on=(),
        left_out=(),
        path=Path("demo.odcs.yaml"),
        root=Path(),
    )


def column(name: str, kind: str, **options: Any) -> Column:
    return Column(name, name.upper(), kind, "string", options=options)


def every_type() -> Contract:
    """One column of every semantic type, and a decimal."""
    columns = [column(f"c_{name}", name, **NEEDED_OPTIONS.get(name, {})) for name in SEMANTIC_TYPES]
    return contract(*columns, column("c_decimal", "number", scale=4))


def test_values_texts_and_notes_stand_side_by_side() -> None:
    people = contract(column("id", "integer"), column("name", "text"), column("born", "date"), column("ok", "flag"))
    batch = pa.record_batch(
        {
            "OK": pa.array([1, None, 0], pa.int16()),
            "BORN": pa.array(["15/01/1990", "31/02/1990", None]),
            "NAME": pa.array(["Quảng  Trị", "Hà Nội", ""]),
            "ID": pa.array([1, 2, 3]),
        }
    )
    assert clean_batch(batch, people, 100).to_pylist() == [
        {
            "_row": 100, "id": 1, "id__unreadable": None, "id__note": None,
            "name": "Quảng Trị", "name__note": "whitespace",
            "born": date(1990, 1, 15), "born__unreadable": None, "born__note": None,
            "ok": True, "ok__unreadable": None,
        },
        {
            "_row": 101, "id": 2, "id__unreadable": None, "id__note": None,
            "name": "Hà Nội", "name__note": None,
            "born": None, "born__unreadable": "31/02/1990", "born__note": None,
            "ok": None, "ok__unreadable": None,
        },
        {
            "_row": 102, "id": 3, "id__unreadable": None, "id__note": None,
            "name": None, "name__note": None,
            "born": None, "born__unreadable": None, "born__note": None,
            "ok": False, "ok__unreadable": None,
        },
    ]  # fmt: skip


SOURCES: dict[str, pa.Array] = {
    "no row": pa.array([], pa.string()),
    "null type": pa.nulls(3),
    "all null": pa.nulls(3, pa.string()),
    "text": pa.array(["1", "x", None]),
    "long text": pa.array(["1", "x" * 100_000, "🙂\x00"]),
    "large text": pa.array(["1", None], pa.large_string()),
    "dictionary": pa.array(["1", "x", None, "1"]).dictionary_encode(),
    "integer": pa.array([1, -5, 2**62, None]),
    "small integer": pa.array([1, 0, None], pa.int8()),
    "unsigned": pa.array([1, 2**64 - 1, None], pa.uint64()),
    "float": pa.array([1.0, 1e300, float("nan"), float("-inf"), None]),
    "half": pa.array([1.0, None], pa.float32()),
    "boolean": pa.array([True, False, None]),
    "date": pa.array([date(2024, 1, 15), date(1, 1, 1), None]),
    "date64": pa.array([date(2024, 1, 15), None], pa.date64()),
    "timestamp": pa.array([0, 2**60, None]).view(pa.timestamp("us")),
    "timestamp in seconds": pa.array([0, 2**62, None]).view(pa.timestamp("s")),
    "timestamp in nanoseconds": pa.array([0, 2**62, None]).view(pa.timestamp("ns")),
    "timestamp with zone": pa.array([datetime(2024, 1, 1, tzinfo=UTC), None], pa.timestamp("us", "UTC")),
    "decimal": pa.array([1, None], pa.decimal128(30, 6)),
    "wide decimal": pa.array([10**60, None], pa.decimal256(70, 2)),
    "time": pa.array([1, None], pa.time64("us")),
    "bytes": pa.array([b"1", b"\xff\xfe", None]),
    "list": pa.array([[1, 2], None]),
    "struct": pa.array([{"a": b"\x01"}, None]),
}


@pytest.mark.parametrize("source", SOURCES)
def test_every_type_takes_every_source_and_keeps_its_schema(source: str) -> None:
    everything = every_type()
    array = SOURCES[source]
    batch = pa.RecordBatch.from_arrays([array] * len(everything.columns), [c.source_name for c in everything.columns])
    cleaned = clean_batch(batch, everything, 7)
    cleaned.validate(full=True)
    assert cleaned.schema == cleaned_schema(everything)
    assert cleaned.num_rows == len(array)
    assert cleaned["_row"].to_pylist() == list(range(7, 7 + len(array)))


@pytest.mark.parametrize("source", SOURCES)
def test_a_slice_is_cleaned_like_the_whole(source: str) -> None:
    everything = every_type()
    array = SOURCES[source]
    names = [c.source_name for c in everything.columns]
    batch = pa.RecordBatch.from_arrays([array] * len(names), names)
    whole = clean_batch(batch, everything, 0)
    part = clean_batch(batch.slice(1), everything, 1)
    assert str(part.to_pylist()) == str(whole.slice(1).to_pylist())


def test_bytes_that_are_no_utf8_never_raise() -> None:
    bad = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0\3\0\0\0"), pa.py_buffer(b"\xff\xfe1")]
    )
    everything = every_type()
    batch = pa.RecordBatch.from_arrays([bad] * len(everything.columns), [c.source_name for c in everything.columns])
    cleaned = clean_batch(batch, everything, 0)
    cleaned.validate(full=True)
    assert cleaned["c_text"].to_pylist() == ["\\xff\\xfe", "1"]
    assert cleaned["c_integer__unreadable"].to_pylist() == ["\\xff\\xfe", None]


def test_null_values_of_the_source_apply_to_all_columns() -> None:
    people = contract(column("id", "integer", null_values=["-1"]), column("name", "text"), null_values=("NULL",))
    batch = pa.record_batch({"ID": pa.array([-1, 2]), "NAME": pa.array(["NULL", "-1"])})
    cleaned = clean_batch(batch, people, 0)
    assert cleaned["id"].to_pylist() == [None, 2]
    assert cleaned["name"].to_pylist() == [None, "-1"]
    assert cleaned["name__note"].to_pylist() == ["null_text", None]


def test_a_code_that_an_empty_value_means_also_fills_an_empty_column() -> None:
    channel = contract(column("channel", "code_list", codes={"1": [], "2": []}, null_as="1"))
    for empty in (pa.nulls(2), pa.nulls(2, pa.string()), pa.array(["", " "])):
        cleaned = clean_batch(pa.record_batch({"CHANNEL": empty}), channel, 0)
        assert cleaned["channel"].to_pylist() == ["1", "1"]


def test_missing_source_column_is_named() -> None:
    with pytest.raises(LandingError, match=r"demo\.people.*NAME"):
        clean_batch(
            pa.record_batch({"ID": pa.array([1])}), contract(column("id", "integer"), column("name", "text")), 0
        )


def test_unknown_type_names_contract_column_and_choices() -> None:
    with pytest.raises(ContractError, match=r"demo\.people, column id: semantic type 'intger'") as caught:
        cleaned_schema(contract(column("id", "intger")))
    assert "integer" in caught.value.next_step


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (column("c", "datetime", timezone="Asia/Dong_Ha"), "no time zone"),
        (column("c", "datetime", timezon="UTC"), "no option timezon"),
        (column("c", "date", order="ymd"), "order"),
        (column("c", "code_list"), "needs its codes"),
        (column("c", "code_list", codes={"1": ["a"], "2": ["A"]}), "stands for both"),
        (column("c", "code_list", codes={"1": "a"}), "not a list"),
        (column("c", "code_list", codes={"1": []}, null_as="2"), "null_as"),
        (column("c", "number", scale=-1), "scale"),
        (column("c", "number", decimal=";"), "decimal"),
        (column("c", "citizen_id", as_of_year="x"), "as_of_year"),
        (column("c", "text", null_values="N/A"), "not a list"),
    ],
)
def test_bad_options_are_refused(bad: Column, reason: str) -> None:
    with pytest.raises(ContractError, match=reason) as caught:
        cleaned_schema(contract(bad))
    assert caught.value.what.startswith("demo.people, column c")
    assert caught.value.next_step


def test_the_batch_is_not_changed() -> None:
    batch = pa.record_batch({"NAME": pa.array(["Quảng  Trị"])})
    people = contract(replace(column("name", "text"), required=True))
    assert clean_batch(batch, people, 0) == clean_batch(batch, people, 0)
    assert batch["NAME"].to_pylist() == ["Quảng  Trị"]


@pytest.mark.parametrize("option", [True, False, None, 1])
def test_an_option_that_yaml_reads_as_a_value_is_told(option: object) -> None:
    """``true: [S]`` without quotation marks is the truth value and no name."""
    column = Column("active", "Active", "flag", "boolean", options={option: ["S"]})  # type: ignore[dict-item]
    with pytest.raises(ContractError, match="column active: YAML reads the option") as refused:
        check_options(contract(column), column)
    assert f'"{str(option).lower()}": [...]' in refused.value.next_step
