"""What happens to each row: deduplication, quarantine, warnings, hashes, pseudonyms, personal values."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC as utc
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dx_pipeline.contract.model import Column, Contract, LoadPolicy
from dx_pipeline.errors import DxError, SuiteError
from dx_pipeline.judge.suite import load_suite
from dx_pipeline.judge.verdict import JudgeError, Judgement, RuleOutcome
from tests.judge_batches import UTC, Judged, judge, make_contract, rule, write_batch, write_suite

COLUMNS = [
    Column("id", "Id", "identifier", "string", required=True, key_position=1),
    Column("fee", "Phi", "money_vnd", "integer"),
    Column("citizen", "Cccd", "citizen_id", "string", classification="personal"),
    Column("updated_at", "CapNhat", "datetime", "timestamp"),
]
RULES = [
    rule("no_rows", "table_row_count_to_be_between", min_value=1),
    rule("id_missing", "column_values_to_not_be_null", column="id"),
    rule("id_conflict", "column_values_to_be_unique", column="id"),
    rule("fee_negative", "column_values_to_be_between", column="fee", min_value=0),
    rule("fee_high", "column_values_to_be_between", "warning", column="fee", max_value=100),
    rule("citizen_form", "column_values_to_match_regex", "warning", column="citizen", regex="^[0-9]{12}$"),
    rule("citizen_unreadable", "column_values_to_be_null", "warning", column="citizen__unreadable"),
]
KEY = b"k3y-of-the-test-0123456789abcdef"


def day(number: int) -> datetime:
    return datetime(2024, 1, number, tzinfo=utc)


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    (tmp_path / "work").mkdir()
    made = make_contract(tmp_path, COLUMNS, load=LoadPolicy("incremental", cursor="updated_at"))
    write_suite(made, RULES)
    return made


def write(contract: Contract, *rows: tuple[Any, ...], name: str = "cleaned.parquet", first_row: int = 0) -> Path:
    """Rows of (id, fee, citizen, citizen__unreadable, updated_at)."""
    kinds = [
        ("id", pa.string()),
        ("fee", pa.int64()),
        ("citizen", pa.string()),
        ("citizen__unreadable", pa.string()),
        ("updated_at", UTC),
    ]
    arrays = {column: pa.array([row[i] for row in rows], kind) for i, (column, kind) in enumerate(kinds)}
    return write_batch(contract.root / name, arrays, first_row)


def run(contract: Contract, cleaned: Path | list[Path], **settings: Any) -> Judged:
    return judge(contract, cleaned, contract.root / "work", **settings)


def outcome(judged: Judged, code: str) -> RuleOutcome:
    [found] = [o for o in judged.verdict.outcomes if o.code == code]
    return found


def test_repeats_are_duplicates_and_conflicts_are_rejected(contract: Contract) -> None:
    judged = run(
        contract,
        write(
            contract,
            ("copy", 1, None, None, day(1)),
            ("copy", 1, None, None, day(1)),
            ("versions", 1, None, None, day(1)),
            ("versions", 2, None, None, day(3)),
            ("versions", 2, None, None, day(2)),
            ("versions", 3, None, None, None),
            ("conflict", 1, None, None, day(1)),
            ("conflict", 2, None, None, day(1)),
            ("conflict", 2, None, None, day(1)),
            ("conflict", 9, None, None, None),
            (None, 1, None, None, day(1)),
            (None, 1, None, None, day(1)),
            ("personal", 1, "1" * 12, None, day(1)),
            ("personal", 1, "2" * 12, None, day(1)),
            ("alone", 1, None, None, None),
        ),
    )
    assert judged.accepted_rows == [0, 3, 14]
    assert judged.rejected == {
        6: ["id_conflict"],
        7: ["id_conflict"],
        10: ["id_missing"],
        11: ["id_missing"],
        12: ["id_conflict"],
        13: ["id_conflict"],
    }
    verdict = judged.verdict
    assert (verdict.extracted, verdict.accepted, verdict.quarantined, verdict.duplicate) == (15, 3, 6, 6)
    assert verdict.reasons == {"id_missing": 2, "id_conflict": 4}


def test_warnings_are_loaded_with_their_codes(contract: Contract) -> None:
    judged = run(
        contract,
        write(
            contract,
            ("a", 5, None, None, day(1)),
            ("b", 500, "12", None, day(1)),
            ("c", -1, "12", "x", day(1)),
            ("d", None, None, "chữ", day(1)),
        ),
    )
    by_row = {row["_row"]: row["_warnings"] for row in judged.accepted}
    assert by_row == {0: None, 1: ["fee_high", "citizen_form"], 3: ["citizen_unreadable"]}
    assert judged.rejected == {2: ["fee_negative"]}
    assert judged.verdict.flagged == 2
    assert outcome(judged, "citizen_form").unexpected == 2, "rejected rows count too"


def test_accepted_rows_have_the_promised_columns_and_no_personal_one(contract: Contract) -> None:
    judged = run(contract, write(contract, ("a", 5, "0" * 12, None, day(1))))
    assert judged.schema == pa.schema(
        [
            ("_row", pa.int64()),
            ("_row_hash", pa.int64()),
            ("_warnings", pa.list_(pa.string())),
            ("id", pa.string()),
            ("fee", pa.int64()),
            ("updated_at", UTC),
        ]
    )
    assert judged.accepted[0]["updated_at"] == day(1)


def test_personal_values_are_masked_everywhere(contract: Contract) -> None:
    rules = [
        *RULES,
        rule("citizen_pair", "columns_to_satisfy_sql", "warning", column_list=["citizen", "fee"], sql="fee > 1000"),
        rule("citizen_most", "column_most_common_value_to_be_in_set", "warning", column="citizen", value_set=["x"]),
        rule("citizen_max", "column_max_to_be_between", "warning", column="fee", max_value=1),
        rule("query", "unexpected_rows_expectation", "warning", unexpected_rows_query="select citizen from {batch}"),
    ]
    write_suite(contract, rules)
    judged = run(
        contract, write(contract, ("a", 5, "SECRET-1", "SECRET-2", day(1)), ("b", 6, "SECRET-1", None, day(1)))
    )
    assert outcome(judged, "citizen_form").samples == ("•••", "•••")
    assert outcome(judged, "citizen_unreadable").samples == ("•••",)
    assert outcome(judged, "citizen_pair").samples == ("•••, 5", "•••, 6")
    assert not outcome(judged, "citizen_most").passed
    assert not outcome(judged, "query").passed
    assert "SECRET" not in repr(judged.verdict)
    assert outcome(judged, "citizen_max").gx_result["result"]["observed_value"] == 6
    json.dumps([dict(o.gx_result) for o in judged.verdict.outcomes])


def expected_hash(*content: str) -> int:
    return int.from_bytes(hashlib.md5("".join(content).encode()).digest()[8:], "little") >> 1


def test_the_row_hash_is_md5_of_a_fixed_text(tmp_path: Path) -> None:
    """Pinned: a changed hash would rewrite every row of the warehouse."""
    kinds: dict[str, tuple[pa.DataType, list[Any]]] = {
        "id": (pa.string(), ["a:1;", "", "b"]),
        "flag": (pa.bool_(), [True, None, False]),
        "on_day": (pa.date32(), [date(2024, 2, 29), None, date(1900, 1, 1)]),
        "at": (UTC, [datetime(2024, 1, 1, tzinfo=utc), None, datetime(1969, 12, 31, 23, 59, 59, 5, tzinfo=utc)]),
        "money": (pa.decimal128(18, 4), [Decimal("1.1000"), None, Decimal("-0.0001")]),
        "share": (pa.float64(), [0.5, None, -0.0]),
        "seen_at": (UTC, [datetime(2024, 1, 1, tzinfo=utc)] * 3),
    }
    columns = [Column(name, name, "text", "string", key_position=1 if name == "id" else None) for name in kinds]
    contract = make_contract(tmp_path, columns, load=LoadPolicy("incremental", cursor="seen_at"))
    write_suite(contract, [rule("conflict", "column_values_to_be_unique", column="id")])
    (tmp_path / "work").mkdir()
    cleaned = write_batch(tmp_path / "c.parquet", {n: pa.array(values, kind) for n, (kind, values) in kinds.items()})
    half = "00111111111" + "0" * 53
    expected = {
        0: expected_hash("4:a:1;", "true;", "2024-02-29;", "1704067200000000;", "1.1000;", f"{half};", "1:p"),
        1: expected_hash("0:", ";", ";", ";", ";", ";", "1:p"),
        2: expected_hash("1:b", "false;", "1900-01-01;", "-999995;", "-0.0001;", "0" * 64 + ";", "1:p"),
    }
    for threads in (1, 2):
        judged = run_with_extra(contract, cleaned, threads)
        assert {row["_row"]: row["_row_hash"] for row in judged.accepted} == expected
    assert all(0 <= value < 2**63 for value in expected.values())


def run_with_extra(contract: Contract, cleaned: Path, threads: int) -> Judged:
    return run(contract, cleaned, threads=threads, extra_columns={"extra": "'p'"})


def test_the_cursor_does_not_change_the_hash_but_any_other_column_does(contract: Contract) -> None:
    first = run(contract, write(contract, ("a", 5, None, None, day(1)), ("b", 5, None, None, day(1))))
    second = run(contract, write(contract, ("b", 6, None, None, day(1)), ("a", 5, "9", None, day(7)), first_row=70))
    hashes = [{row["id"]: row["_row_hash"] for row in judged.accepted} for judged in (first, second)]
    assert hashes[0]["a"] == hashes[1]["a"]
    assert hashes[0]["b"] != hashes[1]["b"]


PSEUDONYM = "unhex(sha256($outer::blob || unhex(sha256($inner::blob || encode(citizen)))))"


def padded(byte: int) -> bytes:
    return bytes(b ^ byte for b in KEY.ljust(64, b"\0"))


def test_extra_columns_take_bound_parameters(contract: Contract) -> None:
    judged = run(
        contract,
        write(contract, ("a", 5, "012345678901", None, day(1)), ("b", 5, None, None, day(1))),
        extra_columns={"citizen_pseudonym": PSEUDONYM},
        extra_parameters={"outer": padded(0x5C), "inner": padded(0x36), "unused": "x"},
    )
    found = {row["id"]: row["citizen_pseudonym"] for row in judged.accepted}
    assert found == {"a": hmac.digest(KEY, b"012345678901", "sha256"), "b": None}
    assert judged.schema is not None
    assert judged.schema.names[-1] == "citizen_pseudonym"


@pytest.mark.parametrize(
    "expression",
    ["$key::int + fee", "nosuch($key)", "error($key || citizen)", "$key || nosuch", "strptime(citizen, $key)"],
)
def test_keys_and_values_do_not_show_in_messages(contract: Contract, expression: str) -> None:
    cleaned = write(contract, ("a", 5, "PERSONAL", None, day(1)))
    with pytest.raises(DxError) as caught:
        run(contract, cleaned, extra_columns={"p": expression}, extra_parameters={"key": "%d TOPSECRET"})
    told = f"{caught.value!r} {caught.value} {caught.value.__cause__} {caught.value.__suppress_context__}"
    assert "TOPSECRET" not in told
    assert "PERSONAL" not in told
    assert not any((contract.root / "work").iterdir())


def test_more_rules_than_bits_in_a_word(contract: Contract) -> None:
    """Seventy thresholds on one column: a row breaks those below its value."""
    limits = [rule(f"over_{n}", "column_values_to_be_between", "warning", column="fee", max_value=n) for n in range(70)]
    floors = [rule(f"under_{n}", "column_values_to_be_between", column="fee", min_value=-n) for n in range(70)]
    write_suite(contract, [*RULES[:4], RULES[-1], *limits, *floors])
    judged = run(contract, write(contract, *[(f"r{n}", n - 3, None, None, day(1)) for n in range(80)]))
    for row in judged.accepted:
        expected = [f"over_{n}" for n in range(70) if row["fee"] > n]
        assert row["_warnings"] == (expected or None)
    assert judged.rejected[0] == ["fee_negative", "under_0", "under_1", "under_2"]
    assert outcome(judged, "over_69").unexpected == 7
    assert outcome(judged, "under_2").unexpected == 1


def test_a_rule_with_mostly_is_a_threshold_and_rejects_no_row(contract: Contract) -> None:
    write_suite(
        contract,
        [
            *RULES[:3],
            RULES[-1],
            rule("fee_half", "column_values_to_not_be_null", column="fee", mostly=0.5),
            rule("fee_most", "column_values_to_not_be_null", column="fee", mostly=0.9),
            rule("fee_some", "column_values_to_not_be_null", "warning", column="fee", mostly=0.9),
        ],
    )
    judged = run(contract, write(contract, ("a", 1, None, None, day(1)), ("b", None, None, None, day(1))))
    assert judged.rejected == {}
    assert judged.verdict.flagged == 0
    assert outcome(judged, "fee_half").passed
    assert not outcome(judged, "fee_most").passed
    assert judged.verdict.held == ("fee_most: fee_most (vi) | fee_most (en)",)


def test_an_empty_batch_evaluates_only_rules_about_the_table(contract: Contract) -> None:
    write_suite(contract, [*RULES, rule("fee_mean", "column_mean_to_be_between", column="fee", min_value=0)])
    judged = run(contract, write(contract))
    assert judged.accepted == []
    assert judged.verdict.extracted == 0
    assert not outcome(judged, "no_rows").passed
    assert judged.verdict.held == ("no_rows: no_rows (vi) | no_rows (en)",)
    for other in judged.verdict.outcomes:
        if other.code != "no_rows":
            assert (other.passed, other.evaluated, other.vacuous) == (True, 0, True)


def test_a_column_without_any_value_is_said_to_be_vacuous(contract: Contract) -> None:
    write_suite(contract, [*RULES, rule("fee_mean", "column_mean_to_be_between", "info", column="fee", min_value=0)])
    judged = run(contract, write(contract, ("a", None, None, None, day(1)), ("b", None, None, None, day(1))))
    vacuous = {o.code: o.vacuous for o in judged.verdict.outcomes}
    assert vacuous == {
        "no_rows": False,
        "id_missing": False,
        "id_conflict": False,
        "fee_negative": True,
        "fee_high": True,
        "citizen_form": True,
        "citizen_unreadable": False,
        "fee_mean": True,
    }
    assert outcome(judged, "fee_negative").passed
    assert outcome(judged, "fee_negative").missing == 2


def test_a_rule_that_raises_is_an_error_and_holds_the_batch(contract: Contract) -> None:
    """Regular expressions do not fit numbers, bounds do not fit text: no silent pass, the other rules go on."""
    write_suite(
        contract,
        [
            *RULES,
            rule("fee_regex", "column_values_to_match_regex", column="fee", regex="^1$"),
            rule("id_range", "column_values_to_be_between", "warning", column="id", min_value=1),
            rule("ref", "column_values_to_exist_in_table", column="id", table_name="ref.none", table_column="x"),
        ],
    )
    judged = run(contract, write(contract, ("a", -5, "secret", None, day(1)), ("b", 5, None, None, day(1))))
    for code in ("fee_regex", "id_range", "ref"):
        found = outcome(judged, code)
        assert not found.passed
        assert found.exception, code
        assert found.gx_result["exception_info"]["raised_exception"]
    assert judged.rejected == {0: ["fee_negative"]}
    held = " ".join(judged.verdict.held)
    assert "fee_regex could not be checked" in held
    assert "ref could not be checked" in held
    assert "id_range" not in held
    assert "Traceback" not in repr(judged.verdict)


def test_too_many_rejected_rows_hold_the_batch(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    contract = make_contract(tmp_path, COLUMNS, rejected_share_cap=0.2)
    write_suite(contract, RULES)
    rows = [(f"r{n}", -1 if n < 3 else 1, None, None, day(1)) for n in range(10)]
    held = run(contract, write(contract, *rows)).verdict.held
    assert held == (
        "3 trên 10 dòng bị loại (30.0%), quá ngưỡng 20.0% | 3 of 10 rows rejected (30.0%), above the cap of 20.0%",
    )
    assert (
        run(contract, write(contract, *rows[1:], *[(f"s{n}", 1, None, None, day(1)) for n in range(1)])).verdict.held
        == ()
    )


def test_samples_are_the_first_broken_rows_whatever_the_order(contract: Contract) -> None:
    rows = [(f"r{n}", 1_000 + n, None, None, day(1)) for n in range(5_000)]
    judged = run(contract, write(contract, *rows), batch_rows=100, threads=2)
    assert outcome(judged, "fee_high").samples == tuple(str(1_000 + n) for n in range(20))
    assert outcome(judged, "fee_high").gx_result["result"]["unexpected_count"] == 5_000


def test_several_files_are_one_batch(contract: Contract) -> None:
    first = write(contract, ("a", 1, None, None, day(1)), ("b", 1, None, None, day(1)), name="it's 1.parquet")
    second = write(contract, ("a", 2, None, None, day(2)), ("b", 2, None, None, day(1)), name="2.parquet", first_row=2)
    judged = run(contract, [first, second])
    assert judged.accepted_rows == [2]
    assert sorted(judged.rejected) == [1, 3]
    assert judged.verdict.duplicate == 1


def test_the_cleaned_file_must_fit_the_suite(contract: Contract) -> None:
    cleaned = write_batch(contract.root / "x.parquet", {"id": pa.array(["a"]), "fee__unreadable": pa.array(["x"])})
    with pytest.raises(SuiteError) as caught:
        run(contract, cleaned)
    assert "unknown column 'fee'" in caught.value.what
    assert "no rule watches 'fee__unreadable'" in caught.value.what


def test_a_predicate_may_read_only_the_columns_it_lists(contract: Contract) -> None:
    write_suite(contract, [*RULES, rule("p1", "columns_to_satisfy_sql", column_list=["id"], sql="fee > 1")])
    with pytest.raises(SuiteError, match=r"rule 8 \(p1\): broken sql"):
        run(contract, write(contract, ("a", 1, None, None, day(1))))


def test_a_wrong_argument_is_refused_by_great_expectations(contract: Contract) -> None:
    write_suite(contract, [*RULES, rule("p1", "column_values_to_be_between", column="fee", minimum=1)])
    with pytest.raises(SuiteError, match=r"rule 8 \(p1\): minimum: extra fields not permitted"):
        run(contract, write(contract, ("a", 1, None, None, day(1))))


def test_rules_cannot_read_other_files(contract: Contract) -> None:
    other = write(contract, ("a", 1, None, None, day(1)), name="other.parquet")
    sql = f"exists (select 1 from read_parquet('{other}'))"
    write_suite(contract, [*RULES, rule("p1", "columns_to_satisfy_sql", column_list=["id"], sql=sql)])
    with pytest.raises(SuiteError, match="rule 8"):
        run(contract, write(contract, ("a", 1, None, None, day(1))))


def test_a_damaged_or_missing_file_is_told(contract: Contract) -> None:
    damaged = contract.root / "damaged.parquet"
    damaged.write_bytes(b"PAR1 not parquet")
    for cleaned in (damaged, contract.root / "missing.parquet", []):
        with pytest.raises(JudgeError):
            run(contract, cleaned)
        assert not any((contract.root / "work").iterdir())


def test_a_value_that_crashes_a_rule_stops_the_batch(contract: Contract) -> None:
    write_suite(contract, [*RULES, rule("p1", "columns_to_satisfy_sql", column_list=["id"], sql="id::int > 0")])
    cleaned = write(contract, ("1", 1, None, None, day(1)), ("PERSONAL", 1, None, None, day(1)))
    with pytest.raises(JudgeError) as caught:
        run(contract, cleaned)
    assert "rule p1" in str(caught.value)
    assert "PERSONAL" not in str(caught.value)


def test_the_verdict_waits_for_the_last_batch_and_nothing_is_left_when_stopped_early(contract: Contract) -> None:
    cleaned = write(contract, *[(f"r{n}", 1, None, None, day(1)) for n in range(3_000)])
    work = contract.root / "work"
    with Judgement(contract, load_suite(contract), cleaned, work_dir=work, batch_rows=100) as judgement:
        batches = judgement.batches()
        next(batches)
        with pytest.raises(JudgeError, match="not judged to its end"):
            judgement.verdict()
    assert not any(work.iterdir())
