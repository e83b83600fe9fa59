"""JSON and Parquet files through the whole road, with the ``dx`` command, beside files that mean no good."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.conftest import Installation
from tests.faults.messages import the_message
from tests.faults.small_project import SmallProject

LINES = (
    '{"Ma": "L1", "noi": {"Ten": "X\\u0000ã"}, "SoTien": 100}\n'
    '{"Ma": "L2", "noi": {"Ten": ["a", 1.50]}, "SoTien": 12345678901234567890}\n'
    '{"Ma": "L3", "noi": null, "SoTien": 1e2}\n'
)

pytestmark = pytest.mark.timeout(600)


def test_sound_files_reach_the_star_and_hostile_ones_stop_nobody(
    make_installation: Callable[[], Installation], tmp_path: Path
) -> None:
    installation = make_installation()
    project = SmallProject(tmp_path / "project")
    project.add_file("lines", "entry", '{kind: json, path: "*.ndjson"}', cap=0.9)
    project.replace(project.contract("lines", "entry"), "physicalName: Ten", "physicalName: noi.Ten")
    project.add_file("columns", "payment", '{kind: parquet, path: "sound_*.parquet"}', cap=0.9)
    project.add_file("page", "answer", '{kind: json, path: "page.json", records: data}')
    project.add_file("deep", "answer", '{kind: json, path: "deep.json"}')
    project.add_file("cut", "payment", '{kind: parquet, path: "cut.parquet"}')
    (project.files / "a.ndjson").write_text(LINES, encoding="utf-8")
    (project.files / "page.json").write_text("<html><body>503", encoding="utf-8")
    (project.files / "deep.json").write_text("[" * 10**6, encoding="utf-8")
    amounts = pa.array([100.0, float("nan"), 300.0])
    days = pa.array([dt.datetime(2024, 1, 1)] * 3, pa.timestamp("ns"))
    pq.write_table(
        pa.table({"Ma": ["P1", "P2", "P3"], "Ten": days, "SoTien": amounts}), project.files / "sound_1.parquet"
    )
    pq.write_table(pa.table({"Ma": ["P4"], "Ten": ["x"], "SoTien": ["1.000"]}), project.files / "sound_2.parquet")
    (project.files / "cut.parquet").write_bytes((project.files / "sound_1.parquet").read_bytes()[:-5])
    systems = ("lines", "columns", "page", "deep", "cut")
    for system in systems:
        installation.environment[f"DX_CONNECTION_{system.upper()}"] = project.files.as_uri()
    done = installation.dx("run", "--project", str(project.root), *systems, check=False)
    assert done.returncode == 1
    assert installation.rows("select code, title, amount from small.entry order by 1") == [
        ["L1", "X\ufffdã", "100"],
        ["L3", "", "100"],
    ]
    assert installation.rows("select code, amount from small.payment order by 1") == [
        ["P1", "100"],
        ["P3", "300"],
        ["P4", "1000"],
    ]
    assert installation.rows(
        "select q.row_key, r.reason from ops.quarantine as q cross join lateral unnest(q.reasons) as r (reason) order by 1"
    ) == [["L2", "amount_unreadable"], ["P2", "amount_unreadable"]]
    assert "page.json is a web page" in the_message(done, "page.answer").what
    assert (
        "deep.json cannot be read as JSON: line 1, column 2: it is nested too deep"
        in the_message(done, "deep.answer").what
    )
    assert "cut.parquet cannot be read as Parquet: its end is missing" in the_message(done, "cut.payment").what
