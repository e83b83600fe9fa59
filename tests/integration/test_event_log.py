"""The event log that keeps its files open and remembers the newest materialization stores what Dagster's own would."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from dx_pipeline.orchestration.event_log import KeptOpenSqliteEventLogStorage
from dx_pipeline.orchestration.instance import open_instance, prepare_dagster_home
from dx_pipeline.settings import Settings

MONTHS = dg.StaticPartitionsDefinition(["2024-01", "2024-02"])


@dg.asset(partitions_def=MONTHS, check_specs=[dg.AssetCheckSpec(name, asset="dossiers") for name in ("one", "two")])
def dossiers() -> dg.MaterializeResult:  # type: ignore[type-arg]
    return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True, check_name=n) for n in ("one", "two")])


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    prepare_dagster_home(Settings(home=tmp_path))
    with open_instance() as opened:
        assert isinstance(opened.event_log_storage, KeptOpenSqliteEventLogStorage)
        yield opened


def targets(instance: dg.DagsterInstance, month: str) -> set[tuple[str, int]]:
    """Run and storage id of the materializations that the check results of one run name."""
    result = dg.materialize([dossiers], instance=instance, partition_key=month)
    named = [evaluation.target_materialization_data for evaluation in result.get_asset_check_evaluations()]
    assert len(named) == 2
    assert None not in named
    return {(one.run_id, one.storage_id) for one in named if one is not None}


def newest(instance: dg.DagsterInstance, month: str) -> tuple[str, int]:
    asked = dg.AssetRecordsFilter(asset_key=dg.AssetKey("dossiers"), asset_partitions=[month])
    record = instance.fetch_materializations(asked, limit=1).records[0]
    return record.run_id, record.storage_id


def test_checks_name_the_materialization_of_their_own_run_and_month(instance: dg.DagsterInstance) -> None:
    for month in ("2024-01", "2024-02", "2024-01"):
        assert targets(instance, month) == {newest(instance, month)}


def test_a_newer_materialization_is_seen_at_once(instance: dg.DagsterInstance) -> None:
    targets(instance, "2024-01")
    before = newest(instance, "2024-01")
    targets(instance, "2024-02")
    assert newest(instance, "2024-01") == before
    targets(instance, "2024-01")
    assert newest(instance, "2024-01")[1] > before[1]
