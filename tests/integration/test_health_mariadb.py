"""The facilities' contract reads the department's MariaDB and the sandbox's SQLite alike, zero dates and latin1 included."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dx_pipeline.clean.batch import clean_batch
from dx_pipeline.contract.catalog import load_catalog
from dx_pipeline.contract.model import Contract
from dx_pipeline.extract.drift import check_drift
from dx_pipeline.extract.source import open_source
from dx_pipeline.extract.window import Window
from dx_pipeline.sandbox.health.build import TABLE, planned_rows
from dx_pipeline.sandbox.mariadb_store import fill_mariadb, fill_sqlite
from tests.conftest import ROOT
from tests.mariadb import RunningMariadb, running_mariadb

SEED = 1982


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_catalog([ROOT]).contract("health.co_so_kcb")


@pytest.fixture(scope="module")
def mariadb() -> Iterator[RunningMariadb]:
    with running_mariadb() as server:
        yield server


@pytest.fixture(scope="module")
def rows_of_mariadb(mariadb: RunningMariadb, contract: Contract) -> list[dict[str, Any]]:
    return cleaned(contract, fill_mariadb(mariadb.server, "health", TABLE, planned_rows(SEED)[0]))


def cleaned(contract: Contract, url: str) -> list[dict[str, Any]]:
    """All rows as the cleaner leaves them, in the order of their ids; the source must not have drifted."""
    with open_source(contract, url) as source:
        drift = check_drift(contract, source.describe())
        assert (drift.added, drift.missing, drift.changed) == ((), (), ())
        extraction = source.extract(Window("full"))
        batches = [clean_batch(batch, contract, 0) for batch in extraction.batches]
    rows = pa.Table.from_batches(batches).drop_columns(["_row"]).to_pylist()
    assert len(rows) == extraction.source_rows == 1641
    return sorted(rows, key=lambda row: row["id"])


def test_both_stores_give_the_same_rows(
    contract: Contract, rows_of_mariadb: list[dict[str, Any]], tmp_path: Path
) -> None:
    fill_sqlite(tmp_path / "health.db", TABLE, planned_rows(SEED)[0])
    assert cleaned(contract, f"sqlite:///{tmp_path}/health.db") == rows_of_mariadb


def test_the_column_holds_the_bytes_of_utf8_and_the_names_come_back(
    mariadb: RunningMariadb, rows_of_mariadb: list[dict[str, Any]]
) -> None:
    with closing(mariadb.connect("health")) as connection, connection.cursor() as cursor:
        cursor.execute("select hex(ten_csyt) from co_so_kcb where id = 1")
        assert bytes.fromhex((cursor.fetchone() or ("",))[0]).decode("utf-8") == "Bệnh viện Đa khoa tỉnh"
        cursor.execute("select count(*) from co_so_kcb where ngay_cap_phep = 0")
        assert cursor.fetchone() == (14,)
    assert rows_of_mariadb[0]["ten_csyt"] == "Bệnh viện Đa khoa tỉnh"
    broken = [row for row in rows_of_mariadb if "áº" in row["ten_csyt"]]
    assert len(broken) == 4  # cut in the middle of a letter
    assert {row["ten_csyt__note"] for row in rows_of_mariadb if row not in broken} == {"utf8_twice"}


def test_zero_dates_and_flags_are_read_as_they_are_meant(rows_of_mariadb: list[dict[str, Any]]) -> None:
    zero = [row for row in rows_of_mariadb if row["ngay_cap_phep__note"] == "null_text"]
    assert len(zero) == 14
    assert {row["ngay_cap_phep"] for row in zero} == {None}
    assert sum(row["lien_thong_bhyt__unreadable"] == "2" for row in rows_of_mariadb) == 3
    assert {row["co_cap_cuu"] for row in rows_of_mariadb} == {True, False}
