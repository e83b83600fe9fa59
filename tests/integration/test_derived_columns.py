"""Columns worked out from others on the way to stage: the precision of a date, the key of a name."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dx_pipeline.clean.batch import clean_batch
from dx_pipeline.clean.derived import derived_columns
from tests.judge_batches import judge, make_contract, rule, write_suite
from tests.unit.test_clean_batch import column


def test_precision_and_key_reach_the_accepted_rows(tmp_path: Path) -> None:
    """From the landed batch through the judge: the stage columns of a partial date and of a unit's name."""
    columns = [column("id", "integer"), column("lap", "date", partial=True), column("xa", "unit_name", key=True)]
    units = make_contract(tmp_path, columns)
    write_suite(
        units,
        [
            rule("lap_unreadable", "column_values_to_be_null", column="lap__unreadable"),
            rule("id_unreadable", "column_values_to_be_null", column="id__unreadable"),
            rule("xa_known", "column_values_to_be_in_set", "warning", column="xa__key", value_set=["xãadơi"]),
        ],
    )
    landed = pa.record_batch(
        {
            "ID": [1, 2, 3, 4],
            "LAP": ["1990", "05/1990", "15/05/1990", None],
            "XA": ["Xã  A Dơi", "X. A Dơi", "TT Ái Tử", None],
        }
    )
    cleaned = tmp_path / "cleaned.parquet"
    pq.write_table(pa.Table.from_batches([clean_batch(landed, units, 0)]), cleaned)
    work = tmp_path / "work"
    work.mkdir()
    derived = derived_columns(units)
    assert list(derived) == ["lap__precision", "xa__key"]
    judged = judge(units, cleaned, work, extra_columns={name: d.sql for name, d in derived.items()})
    rows = sorted(judged.accepted, key=lambda row: row["id"])
    assert [(r["lap"], r["lap__precision"]) for r in rows] == [
        (date(1990, 1, 1), "year"),
        (date(1990, 5, 1), "month"),
        (date(1990, 5, 15), "day"),
        (None, None),
    ]
    assert [(r["xa"], r["xa__key"], r["_warnings"]) for r in rows] == [
        ("Xã A Dơi", "xãadơi", None),
        ("X. A Dơi", "xãadơi", None),
        ("TT Ái Tử", "thịtrấnáitử", ["xa_known"]),
        (None, None, None),
    ]


def test_a_date_known_by_its_year_is_other_content_than_its_first_day(tmp_path: Path) -> None:
    """The row hash holds the precision, so that a source which adds the day changes the star."""
    units = make_contract(tmp_path, [column("id", "integer"), column("lap", "date", partial=True)])
    write_suite(
        units,
        [
            rule("lap_unreadable", "column_values_to_be_null", column="lap__unreadable"),
            rule("id_unreadable", "column_values_to_be_null", column="id__unreadable"),
        ],
    )
    hashes = set()
    for number, text in enumerate(("1990", "01/01/1990", "1990-01-01")):
        landed = pa.record_batch({"ID": [1], "LAP": [text]})
        cleaned = tmp_path / f"{number}.parquet"
        pq.write_table(pa.Table.from_batches([clean_batch(landed, units, 0)]), cleaned)
        work = tmp_path / f"work{number}"
        work.mkdir()
        extra = {name: derived.sql for name, derived in derived_columns(units).items()}
        hashes.add(judge(units, cleaned, work, extra_columns=extra).accepted[0]["_row_hash"])
    assert len(hashes) == 2


def test_a_personal_column_gives_nothing_to_stage(tmp_path: Path) -> None:
    born = replace(column("sinh", "birth_date"), classification="personal")
    name = replace(column("ten", "person_name", key=True), classification="personal")
    assert derived_columns(make_contract(tmp_path, [column("id", "integer"), born, name])) == {}
