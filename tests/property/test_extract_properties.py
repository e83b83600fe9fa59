"""Properties that hold for any data: a CSV gives back what was written, windows lose no row."""

from __future__ import annotations

import csv
import io
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from dx_pipeline.extract.completeness import check_complete
from dx_pipeline.extract.drift import check_drift
from dx_pipeline.extract.physical_type import compare_types, normalise_type
from dx_pipeline.extract.source import SourceColumn, open_source
from dx_pipeline.extract.window import Window, increment_window, parse_naive
from dx_pipeline.landing.store import LandingStore
from tests.extract_contracts import make_contract

CELLS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)
TYPES = st.sampled_from(
    ["smallint", "integer", "bigint", "bigint unsigned", "real", "double precision", "numeric", "numeric(10,2)",
     "numeric(12,4)", "char(3)", "varchar(3)", "varchar(50)", "varchar", "text", "timestamp", "timestamp(3)", "date"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.tuples(CELLS, CELLS), max_size=20),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_csv_gives_back_what_was_written(
    rows: list[tuple[str, str]], encoding: str, delimiter: str, newline: str
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=newline, quoting=csv.QUOTE_ALL)
    writer.writerow(["Mã", "Tên"])
    writer.writerows(rows)
    contract = make_contract(
        ["Mã", "Tên"],
        kind="csv",
        path="a.csv",
        encoding=encoding.removesuffix("-sig"),
        delimiter=delimiter,
    )
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.csv").write_bytes(text.getvalue().encode(encoding))
        with open_source(contract, Path(folder).as_uri()) as reader:
            extraction = reader.extract(Window("full"))
            table = pa.Table.from_batches(list(extraction.batches), schema=extraction.schema)
    check_complete(contract, extraction.source_rows, table.num_rows)
    assert list(zip(table["Mã"].to_pylist(), table["Tên"].to_pylist(), strict=True)) == rows


@given(
    watermark=st.datetimes(datetime(1900, 1, 1), datetime(9999, 12, 31)),
    lookback=st.timedeltas(timedelta(0), timedelta(days=4000)),
)
def test_increment_never_starts_after_the_watermark_less_lookback(watermark: datetime, lookback: timedelta) -> None:
    contract = make_contract(["Luc:timestamp"], mode="incremental", cursor="Luc", lookback=lookback)
    window = increment_window(contract, watermark.isoformat())
    assert window.low is not None
    low = parse_naive(window.low)
    assert low is not None
    assert low == max(watermark - lookback, datetime(1900, 1, 1)) if watermark.year > 1911 else low <= watermark


@given(was=TYPES, now=TYPES)
def test_type_changes_are_consistent(was: str, now: str) -> None:
    forth, back = compare_types(was, now), compare_types(now, was)
    assert {forth, back} in ({None}, {"widened", "narrowed"}, {"changed"})
    assert forth is None or normalise_type(was) != normalise_type(now)
    assert normalise_type(normalise_type(was)) == normalise_type(was)


@given(
    promised=st.lists(CELLS.filter(bool), min_size=1, max_size=6, unique=True),
    found=st.lists(CELLS.filter(bool), max_size=6, unique=True),
)
def test_drift_never_raises_and_counts_every_column(promised: list[str], found: list[str]) -> None:
    contract = make_contract([name.replace(":", "") or "x" for name in promised], table="t")
    names = {column.source_name for column in contract.columns}
    drift = check_drift(contract, [SourceColumn(name, "text") for name in found])
    assert set(drift.missing) == names - set(found)
    assert set(drift.added) == set(found) - names
    assert {old for old, _ in drift.renamed} <= set(drift.missing)
    assert {new for _, new in drift.renamed} <= set(drift.added)
    assert bool(drift.messages) == (not drift.is_none)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.one_of(st.none(), CELLS), max_size=30), max_size=6))
def test_landing_gives_back_what_came(batches: list[list[str | None]]) -> None:
    schema = pa.schema([("Ten", pa.string())])
    with tempfile.TemporaryDirectory() as folder:
        store = LandingStore(Path(folder))
        manifest = store.write(
            system="s",
            dataset="d",
            batch_id=1,
            schema=schema,
            batches=[pa.RecordBatch.from_arrays([pa.array(rows, pa.string())], schema=schema) for rows in batches],
            facts={},
        )
        store.verify(manifest)
        found = [value for batch in store.read(manifest, batch_rows=7) for value in batch["Ten"].to_pylist()]
    assert found == [value for rows in batches for value in rows]
