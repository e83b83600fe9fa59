"""The contract of the tasks reads the office's MariaDB and the sandbox's SQLite alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from dx_pipeline.clean.batch import clean_batch
from dx_pipeline.contract.catalog import load_catalog
from dx_pipeline.contract.model import Contract
from dx_pipeline.extract.drift import check_drift
from dx_pipeline.extract.source import open_source
from dx_pipeline.extract.window import Window
from dx_pipeline.sandbox.mariadb_store import fill_mariadb, fill_sqlite
from dx_pipeline.sandbox.task_tracking.build import TABLE, planned_rows
from tests.conftest import ROOT
from tests.mariadb import running_mariadb

SEED = 1982


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_catalog([ROOT]).contract("task_tracking.nhiem_vu")


@pytest.fixture(scope="module")
def mariadb_url() -> Iterator[str]:
    with running_mariadb() as server:
        yield fill_mariadb(server.server, "task_tracking", TABLE, planned_rows(SEED)[0])


def cleaned(contract: Contract, url: str) -> list[dict[str, object]]:
    """All rows as the cleaner leaves them, in the order of their ids; the source must not have drifted."""
    with open_source(contract, url) as source:
        drift = check_drift(contract, source.describe())
        assert drift.added == ()
        extraction = source.extract(Window(kind="increment", low=None, high=None))
        batches = [clean_batch(batch, contract, 0) for batch in extraction.batches]
        assert extraction.source_rows == sum(batch.num_rows for batch in batches)
        assert str(extraction.cursor_high).startswith("2024-06")
    rows = pa.Table.from_batches(batches).drop_columns(["_row"]).to_pylist()
    return sorted(rows, key=lambda row: row["id"])


def test_both_stores_give_the_same_rows(contract: Contract, mariadb_url: str, tmp_path: Path) -> None:
    file = tmp_path / "tasks.db"
    fill_sqlite(file, TABLE, planned_rows(SEED)[0])
    of_sqlite = cleaned(contract, f"sqlite:///{file}")
    assert len(of_sqlite) == 71
    assert cleaned(contract, mariadb_url) == of_sqlite
    done = [row for row in of_sqlite if row["trang_thai"] == "co_ban_hoan_thanh"]
    assert len(done) == 11
