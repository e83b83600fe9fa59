"""The compiled verdict must be what plain Great Expectations says, for every expectation type in use."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import UTC as utc
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest
import yaml

from dx_pipeline.clean.batch import cleaned_schema
from dx_pipeline.contract.loader import load_contract
from dx_pipeline.contract.model import Column, Contract
from dx_pipeline.judge.expectation_types import SCOPES
from dx_pipeline.judge.outcome import MASK
from dx_pipeline.judge.suite import load_suite
from dx_pipeline.judge.verdict import RuleOutcome
from tests.judge_batches import UTC, Judged, judge, make_contract, rule, write_batch, write_suite

pytestmark = pytest.mark.filterwarnings("ignore:You are using a generic SQLDatasource")

ROOT = Path(__file__).resolve().parents[2]
PROJECTS = [ROOT, *sorted((ROOT / "examples").iterdir())]
CONTRACTS = [(project, path) for project in PROJECTS for path in sorted(project.glob("assets/*/*.odcs.yaml"))]
COUNTS = (
    "element_count",
    "unexpected_count",
    "missing_count",
    "unexpected_percent",
    "unexpected_percent_total",
    "unexpected_percent_nonmissing",
    "missing_percent",
)

# name, type in Arrow, type in PostgreSQL
COLUMNS: list[tuple[str, pa.DataType, str]] = [
    ("id", pa.string(), "text"),
    ("code", pa.string(), "text"),
    ("name", pa.string(), "text"),
    ("channel", pa.string(), "text"),
    ("ward", pa.string(), "text"),
    ("fee", pa.int64(), "bigint"),
    ("paid", pa.int64(), "bigint"),
    ("total", pa.int64(), "bigint"),
    ("rate", pa.decimal128(18, 4), "numeric(18,4)"),
    ("share", pa.float64(), "double precision"),
    ("online", pa.bool_(), "boolean"),
    ("born", pa.date32(), "date"),
    ("accepted_at", UTC, "timestamptz"),
    ("ended_at", UTC, "timestamptz"),
    ("empty", pa.string(), "text"),
]
WARDS = [f"{19000 + n}" for n in range(40)]
ONLINE = {"type": "comparison", "column": {"name": "channel"}, "operator": "==", "parameter": "online"}
NOT_ONLINE_OR_CHEAP = {
    "type": "or",
    "conditions": [
        {"type": "comparison", "column": {"name": "channel"}, "operator": "!=", "parameter": "online"},
        {"type": "comparison", "column": {"name": "fee"}, "operator": "<", "parameter": 100},
    ],
}

RULES = [
    rule("id_missing", "column_values_to_not_be_null", column="id"),
    rule("id_conflict", "column_values_to_be_unique", column="id"),
    rule("name_missing", "column_values_to_not_be_null", "warning", column="name"),
    rule("name_mostly", "column_values_to_not_be_null", "warning", column="name", mostly=0.8),
    rule("name_mostly_fails", "column_values_to_not_be_null", "warning", column="name", mostly=0.99),
    rule("name_online", "column_values_to_not_be_null", "warning", column="name", row_condition=ONLINE),
    rule("name_null", "column_values_to_be_null", "warning", column="name"),
    rule("empty_null", "column_values_to_be_null", column="empty"),
    rule("empty_regex", "column_values_to_match_regex", column="empty", regex="^x$"),
    rule("code_unique", "column_values_to_be_unique", "warning", column="code"),
    rule("code_unique_online", "column_values_to_be_unique", "warning", column="code", row_condition=ONLINE),
    rule("code_ward", "compound_columns_to_be_unique", "warning", column_list=["code", "ward"]),
    rule("code_form", "column_values_to_match_regex", column="code", regex=r"^H50\.\d{2}-\d{4}$"),
    rule("code_mostly", "column_values_to_match_regex", "warning", column="code", regex="H50", mostly=0.9),
    rule("code_not", "column_values_to_not_match_regex", "warning", column="code", regex="-00"),
    rule("code_any", "column_values_to_match_regex_list", "warning", column="code", regex_list=["^H", "9$"]),
    rule(
        "code_all",
        "column_values_to_match_regex_list",
        "warning",
        column="code",
        regex_list=["^H", r"\d$"],
        match_on="all",
    ),
    rule("code_none", "column_values_to_not_match_regex_list", "warning", column="code", regex_list=["^X", "-0"]),
    rule("code_like", "column_values_to_match_like_pattern", "warning", column="code", like_pattern="H50.0%"),
    rule("code_unlike", "column_values_to_not_match_like_pattern", "warning", column="code", like_pattern="%7"),
    rule(
        "code_likes",
        "column_values_to_match_like_pattern_list",
        "warning",
        column="code",
        like_pattern_list=["H%", "%1"],
    ),
    rule(
        "code_unlikes",
        "column_values_to_not_match_like_pattern_list",
        "warning",
        column="code",
        like_pattern_list=["X%", "%1"],
    ),
    rule("name_length", "column_value_lengths_to_be_between", "warning", column="name", min_value=4, max_value=12),
    rule("ward_length", "column_value_lengths_to_equal", "warning", column="ward", value=5),
    rule("channel_set", "column_values_to_be_in_set", column="channel", value_set=["online", "desk", 'it\'s "%" :x']),
    rule("channel_not", "column_values_to_not_be_in_set", "warning", column="channel", value_set=["desk"]),
    rule("fee_set", "column_values_to_be_in_set", "warning", column="fee", value_set=[0, 5, 10, 100]),
    rule("fee_range", "column_values_to_be_between", column="fee", min_value=0, max_value=900),
    rule("fee_strict", "column_values_to_be_between", "warning", column="fee", min_value=0, strict_min=True),
    rule("fee_online", "column_values_to_be_between", "warning", column="fee", min_value=500, row_condition=ONLINE),
    rule(
        "fee_other",
        "column_values_to_be_between",
        "warning",
        column="fee",
        min_value=200,
        row_condition=NOT_ONLINE_OR_CHEAP,
    ),
    rule(
        "fee_online_mostly",
        "column_values_to_be_between",
        "warning",
        column="fee",
        min_value=500,
        mostly=0.5,
        row_condition=ONLINE,
    ),
    rule(
        "fee_zscore", "column_value_z_scores_to_be_less_than", "warning", column="fee", threshold=1.5, double_sided=True
    ),
    rule("rate_range", "column_values_to_be_between", "warning", column="rate", min_value=1.1, max_value=7),
    rule("share_range", "column_values_to_be_between", "warning", column="share", min_value=0.0, max_value=0.9),
    rule(
        "born_range",
        "column_values_to_be_between",
        "warning",
        column="born",
        min_value=date(1930, 1, 1),
        max_value=date(2010, 1, 1),
    ),
    rule(
        "accepted_range",
        "column_values_to_be_between",
        column="accepted_at",
        min_value=datetime(2024, 1, 1),
        max_value=datetime(2024, 12, 1),
    ),
    rule(
        "accepted_text", "column_values_to_be_between", "warning", column="accepted_at", min_value="2024-02-01T00:00:00"
    ),
    rule(
        "ended_before",
        "column_pair_values_a_to_be_greater_than_b",
        column_A="ended_at",
        column_B="accepted_at",
        or_equal=True,
        ignore_row_if="either_value_is_missing",
    ),
    rule(
        "ended_strict",
        "column_pair_values_a_to_be_greater_than_b",
        "warning",
        column_A="ended_at",
        column_B="accepted_at",
        ignore_row_if="both_values_are_missing",
    ),
    rule(
        "paid_is_fee",
        "column_pair_values_to_be_equal",
        "warning",
        column_A="paid",
        column_B="fee",
        ignore_row_if="either_value_is_missing",
    ),
    rule(
        "paid_is_fee_online",
        "column_pair_values_to_be_equal",
        "warning",
        column_A="paid",
        column_B="fee",
        ignore_row_if="either_value_is_missing",
        row_condition=ONLINE,
    ),
    rule(
        "channel_ward",
        "column_pair_values_to_be_in_set",
        "warning",
        column_A="channel",
        column_B="ward",
        value_pairs_set=[["online", "19001"], ["desk", "19002"]],
        ignore_row_if="either_value_is_missing",
    ),
    rule(
        "sums",
        "multicolumn_sum_to_equal",
        "warning",
        column_list=["fee", "paid"],
        sum_total=200,
        ignore_row_if="any_value_is_missing",
    ),
    rule(
        "all_equal",
        "multicolumn_values_to_be_equal",
        "warning",
        column_list=["fee", "paid", "total"],
        ignore_row_if="any_value_is_missing",
    ),
    rule(
        "all_differ",
        "select_column_values_to_be_unique_within_record",
        "warning",
        column_list=["fee", "paid", "total"],
        ignore_row_if="any_value_is_missing",
    ),
    rule(
        "total_sql",
        "columns_to_satisfy_sql",
        column_list=["fee", "paid", "total"],
        sql="total >= fee + paid - 500 and 'a:b%' = 'a:b%'",
    ),
    rule(
        "paid_sql",
        "columns_to_satisfy_sql",
        "warning",
        column_list=["paid", "channel"],
        sql="paid > 300",
        row_condition=ONLINE,
        mostly=0.5,
    ),
    rule(
        "ward_known",
        "column_values_to_exist_in_table",
        "warning",
        column="ward",
        table_name="ref.ward",
        table_column="ward",
    ),
    rule("ward_sql", "columns_to_satisfy_sql", "warning", column_list=["ward"], sql="length(ward) = 5"),
    rule("rows", "table_row_count_to_be_between", min_value=1, max_value=10_000),
    rule("rows_equal", "table_row_count_to_equal", "warning", value=17),
    rule("rows_as_wards", "table_row_count_to_equal_other_table", "warning", other_table_name="ward"),
    rule("columns", "table_column_count_to_equal", "warning", value=len(COLUMNS) + 1),
    rule("columns_between", "table_column_count_to_be_between", "warning", min_value=1, max_value=3),
    rule("column_set", "table_columns_to_match_set", "warning", column_set=["_row", *(c[0] for c in COLUMNS)]),
    rule(
        "column_list", "table_columns_to_match_ordered_list", "warning", column_list=["_row", *(c[0] for c in COLUMNS)]
    ),
    rule("fee_exists", "column_to_exist", "warning", column="fee"),
    rule("fee_mean", "column_mean_to_be_between", "warning", column="fee", min_value=0, max_value=600),
    rule("fee_median", "column_median_to_be_between", "warning", column="fee", min_value=0, max_value=1),
    rule("fee_stdev", "column_stdev_to_be_between", "warning", column="fee", min_value=1),
    rule("fee_sum", "column_sum_to_be_between", "warning", column="fee", max_value=10),
    rule("fee_max", "column_max_to_be_between", "warning", column="fee", max_value=900),
    rule("fee_min", "column_min_to_be_between", "warning", column="fee", min_value=0),
    rule("fee_known", "column_proportion_of_non_null_values_to_be_between", "warning", column="fee", min_value=0.5),
    rule(
        "fee_quantile",
        "column_quantile_values_to_be_between",
        "warning",
        column="fee",
        quantile_ranges={"quantiles": [0.5], "value_ranges": [[0, 600]]},
    ),
    rule("ward_distinct", "column_unique_value_count_to_be_between", "warning", column="ward", max_value=30),
    rule("ward_share", "column_proportion_of_unique_values_to_be_between", "warning", column="ward", max_value=0.5),
    rule(
        "channel_distinct",
        "column_distinct_values_to_be_in_set",
        "warning",
        column="channel",
        value_set=["online", "desk"],
    ),
    rule("channel_contain", "column_distinct_values_to_contain_set", "warning", column="channel", value_set=["online"]),
    rule(
        "channel_equal",
        "column_distinct_values_to_equal_set",
        "warning",
        column="channel",
        value_set=["online", "desk", "phone", 'it\'s "%" :x'],
    ),
    rule("channel_common", "column_most_common_value_to_be_in_set", "warning", column="channel", value_set=["online"]),
    rule(
        "query",
        "unexpected_rows_expectation",
        "warning",
        unexpected_rows_query="select _row from {batch} where fee < 0",
    ),
]

# The critical row rules again, written by hand.
REJECTED_SQL = r"""
select _row from batch as b
where id is null
    or id in (select id from batch group by id having count(*) > 1)
    or empty is not null
    or code !~ '^H50\.\d{2}-\d{4}$'
    or channel not in ('online', 'desk', 'it''s "%" :x')
    or fee < 0 or fee > 900
    or accepted_at < '2024-01-01 00:00:00+07' or accepted_at > '2024-12-01 00:00:00+07'
    or ended_at < accepted_at
    or not (total >= fee + paid - 500)
"""


def random_rows(count: int, seed: int) -> list[dict[str, Any]]:
    """Rows with nulls, repeats and values on both sides of every rule's bounds."""
    rng = random.Random(seed)

    def maybe(value: Any, share: float = 0.1) -> Any:
        return None if rng.random() < share else value

    start = datetime(2023, 12, 25, 17, 0, tzinfo=utc)
    rows = []
    for number in range(count):
        accepted = start + timedelta(hours=rng.randint(0, 8_500))
        fee = rng.choice([0, 5, 10, 100, 100, 950, -1, rng.randint(0, 900)])
        same = rng.random() < 0.3
        rows.append(
            {
                "id": maybe(f"r{number if rng.random() < 0.97 else rng.randint(0, count)}", 0.01),
                "code": maybe(rng.choice(["H50.01-", "H50.02-", "X", "H50-"]) + f"{rng.randint(0, 999):04d}"),
                "name": maybe(rng.choice(["Nguyễn Văn A", "Lê", "Trần Thị Bích Ngọc", "Ô"]), 0.15),
                "channel": maybe(rng.choice(["online", "online", "desk", "phone", 'it\'s "%" :x'])),
                "ward": maybe(rng.choice([*WARDS, "1", "99999"])),
                "fee": maybe(fee),
                "paid": maybe(fee if same else rng.randint(0, 600)),
                "total": maybe(fee if same else rng.randint(0, 1200)),
                "rate": maybe(Decimal(rng.choice(["1.1000", "1.0999", "7.0000", "7.0001"]))),
                "share": maybe(rng.choice([0.0, 0.9, 0.90001, 0.5])),
                "online": maybe(rng.random() < 0.5),
                "born": maybe(date(1925, 1, 1) + timedelta(days=rng.randint(0, 33_000))),
                "accepted_at": maybe(accepted),
                "ended_at": maybe(accepted + timedelta(hours=rng.randint(-3, 60)), 0.4),
                "empty": None,
            }
        )
    return rows


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return random_rows(2_000, seed=7)


@pytest.fixture(scope="module")
def compiled(rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """The rows judged by the compiled suite on DuckDB."""
    folder = tmp_path_factory.mktemp("agreement")
    columns = [Column(name, name, "text", "string") for name, _, _ in COLUMNS]
    columns[0] = Column("id", "id", "identifier", "string", key_position=1)
    contract = make_contract(folder, columns)
    write_suite(contract, RULES)
    arrays = {name: pa.array([row[name] for row in rows], kind) for name, kind, _ in COLUMNS}
    cleaned = write_batch(folder / "cleaned.parquet", arrays)
    wards = write_batch(folder / "ward.parquet", {"ward": pa.array([*WARDS, None])})
    (folder / "work").mkdir()
    references = {"ref.ward": wards, "ward": wards}
    return judge(contract, cleaned, folder / "work", reference_tables=references)


@pytest.fixture(scope="module")
def batch_url(rows: list[dict[str, Any]], source_server: Any) -> str:
    """URL of a PostgreSQL database with the same rows in table ``batch``."""
    source_server.create_database("judge_agreement")
    url = str(source_server.start().url("judge_agreement", "postgresql"))
    with psycopg.connect(url) as connection:
        declared = ", ".join(f"{name} {kind}" for name, _, kind in COLUMNS)
        connection.execute(f"create table batch (_row bigint, {declared})")
        connection.execute("create schema ref")
        for table in ("ref.ward", "public.ward"):
            connection.execute(f"create table {table} (_row bigint, ward text)")
            with connection.cursor().copy(f"copy {table} from stdin") as copy:
                for number, ward in enumerate([*WARDS, None]):
                    copy.write_row((number, ward))
        with connection.cursor().copy("copy batch from stdin") as copy:
            for number, row in enumerate(rows):
                copy.write_row((number, *(row[name] for name, _, _ in COLUMNS)))
    return url


def plain_results(url: str, table: str, rules: list[Mapping[str, Any]]) -> dict[str, Any]:
    """What Great Expectations itself says, by code, as JSON."""
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    from dx_pipeline.judge.gx_suite import named_suite, quiet_context

    context = quiet_context()
    source = context.data_sources.add_sql("plain", connection_string=url)
    try:
        batch = source.add_table_asset("plain", table_name=table).add_batch_definition_whole_table("plain").get_batch()
        built = [ExpectationConfiguration(**entry).to_domain_obj() for entry in rules]
        results = batch.validate(named_suite("plain", built), result_format="SUMMARY").results
    finally:
        source.get_execution_engine().close()
        source.get_engine().dispose()
    return {result.expectation_config.meta["code"]: result.to_json_dict() for result in results}


def assert_same(outcome: RuleOutcome, plain: dict[str, Any]) -> None:
    """Same success, same counts, same percentages, same observed value."""
    raised = [part for part in plain["exception_info"].values() if isinstance(part, dict)]
    assert not raised, (outcome.code, raised)
    assert outcome.exception is None, (outcome.code, outcome.exception)
    assert outcome.passed == plain["success"], (outcome.code, outcome.gx_result, plain["result"])
    ours, theirs = outcome.gx_result["result"], plain["result"]
    for count in COUNTS:
        assert ours.get(count) == pytest.approx(theirs.get(count)), (outcome.code, count)
    if isinstance(theirs.get("observed_value"), int | float) and ours["observed_value"] != MASK:
        assert ours["observed_value"] == pytest.approx(theirs["observed_value"], rel=1e-9), outcome.code


@pytest.fixture(scope="module")
def plain_postgresql(batch_url: str) -> dict[str, Any]:
    separator = "&" if "?" in batch_url else "?"
    url = batch_url.replace("postgresql://", "postgresql+psycopg://", 1)
    return plain_results(f"{url}{separator}options=-ctimezone%3DAsia/Ho_Chi_Minh", "batch", RULES)


@pytest.mark.parametrize("code", [entry["meta"]["code"] for entry in RULES])
def test_each_rule_agrees_with_plain_great_expectations_on_postgresql(
    code: str, compiled: Judged, plain_postgresql: dict[str, Any]
) -> None:
    [outcome] = [outcome for outcome in compiled.verdict.outcomes if outcome.code == code]
    assert_same(outcome, plain_postgresql[code])


def test_the_rules_are_put_to_the_test(compiled: Judged) -> None:
    """Rules that no row breaks would agree about nothing."""
    row_rules = [outcome for outcome in compiled.verdict.outcomes if SCOPES[outcome.type] == "row"]
    broken = {outcome.code for outcome in row_rules if outcome.unexpected}
    assert {outcome.code for outcome in row_rules} - broken == {"empty_null", "empty_regex"}


def test_rejected_rows_are_those_of_hand_written_sql(compiled: Judged, batch_url: str) -> None:
    with psycopg.connect(batch_url) as connection:
        expected = sorted(row[0] for row in connection.execute(REJECTED_SQL))
    assert 200 < len(expected) < 1_900
    assert sorted(compiled.rejected) == expected
    assert compiled.verdict.quarantined == len(expected)
    assert compiled.verdict.duplicate == 0


def test_reasons_add_up(compiled: Judged) -> None:
    counted: dict[str, int] = {}
    for codes in compiled.rejected.values():
        for code in codes:
            counted[code] = counted.get(code, 0) + 1
    assert counted == dict(compiled.verdict.reasons)


def suite_types() -> Iterator[tuple[Path, str]]:
    for project in PROJECTS:
        for path in sorted(project.glob("expectations/*/*.yaml")):
            for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["expectations"]:
                yield path, entry["type"]


def test_every_expectation_type_in_use_is_compared_with_postgresql() -> None:
    compared = {entry["type"] for entry in RULES}
    missing = {f"{path.name}: {kind}" for path, kind in suite_types() if kind not in compared}
    assert not missing


def random_column(kind: pa.DataType, name: str, texts: list[str], rng: random.Random, rows: int) -> pa.Array:
    """Values of a cleaned column, a tenth of them null; its note and unreadable columns are mostly null."""
    derived = name.endswith(("__unreadable", "__note"))
    start = datetime(2024, 1, 1, tzinfo=utc)

    def value(number: int) -> Any:
        if rng.random() < (0.95 if derived else 0.1):
            return None
        if name.endswith("__note"):
            return rng.choice(["nfc", "legacy_tcvn3", "placeholder", "whitespace"])
        if pa.types.is_timestamp(kind):
            return start + timedelta(hours=rng.randint(-40, 40) + number // 50)
        if pa.types.is_date(kind):
            return date(2024, 1, 1) + timedelta(days=rng.randint(-20, 400))
        if pa.types.is_boolean(kind):
            return rng.random() < 0.5
        if pa.types.is_integer(kind):
            return rng.choice([-1, 0, 1, 30, 400, rng.randint(-1_000, 100_000)])
        if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            scale = min(kind.scale, 2) if pa.types.is_decimal(kind) else 2
            return Decimal(rng.randint(-100, 40_000)) / 10**scale
        return rng.choice([*texts, f"v{rng.randint(0, rows)}"])

    values = [value(number) for number in range(rows)]
    if pa.types.is_floating(kind):
        values = [None if v is None else float(v) for v in values]
    return pa.array(values, kind)


def literals(contract: Contract) -> list[str]:
    """Texts the rules of a dataset compare with, so that random values meet them."""
    found: list[str] = ["", "x"]
    for spec in load_suite(contract).rules:
        found += [v for v in spec.kwargs.get("value_set", []) if isinstance(v, str)]
        found += str(spec.kwargs.get("sql", "")).split("'")[1::2]
    for column in contract.columns:
        found += [str(code) for code in column.options.get("codes", {})]
    return found


@pytest.mark.parametrize(
    ("project", "path"), CONTRACTS, ids=[f"{p.parent.name}.{p.name.partition('.')[0]}" for _, p in CONTRACTS]
)
def test_every_suite_of_the_project_agrees_with_plain_great_expectations(
    project: Path, path: Path, tmp_path: Path
) -> None:
    """All rules of every dataset over random values of its columns, plain on DuckDB."""
    import duckdb

    from dx_pipeline.judge.duckdb_dialect import shared_session

    contract = load_contract(path, project)
    schema = cleaned_schema(contract)
    rng = random.Random(contract.id)
    texts = literals(contract)
    arrays = {
        field.name: random_column(field.type, field.name, texts, rng, 600) for field in schema if field.name != "_row"
    }
    cleaned = write_batch(tmp_path / "cleaned.parquet", arrays)
    (tmp_path / "work").mkdir()
    judged = judge(contract, cleaned, tmp_path / "work")
    assert judged.verdict.extracted == 600
    left = [*judged.rejected, *judged.accepted_rows]
    with duckdb.connect() as connection:
        connection.execute("set global TimeZone = 'Asia/Ho_Chi_Minh'")
        connection.execute("create table left_row as select unnest($1) as _row", [left])
        connection.execute(f"create view batch as select * from '{cleaned}' where _row in (select _row from left_row)")
        entries = yaml.safe_load(contract.suite_path.read_text(encoding="utf-8"))["expectations"]
        with shared_session(connection) as url:
            plain = plain_results(url, "batch", entries)
    for outcome in judged.verdict.outcomes:
        assert_same(outcome, plain[outcome.code])
