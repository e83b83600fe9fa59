"""Rows cleaned on a real cluster of Apache Spark are those cleaned here, also when it loses an executor; its absence is told."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, repeat
from pathlib import Path

import duckdb
import pytest

from dx_pipeline.clean.repairs import Repair
from dx_pipeline.errors import LandingError, SparkUnavailable
from dx_pipeline.landing.manifest import Manifest
from dx_pipeline.landing.store import LandingStore
from dx_pipeline.orchestration import process
from dx_pipeline.orchestration.staging import write_cleaned
from dx_pipeline.settings import get_settings
from dx_pipeline.spark import cleaning
from dx_pipeline.spark.session import close_session, executors, spark_session
from dx_pipeline.sql_quoting import parquet_files
from dx_pipeline.warehouse.embedded import EmbeddedServer
from tests.in_process import InProcess, in_process
from tests.integration.one_stop_sandbox import built_sandbox
from tests.spark_cluster import HOST, SparkCluster, spark_cluster

LARGE_ROWS = 6 * 65_536
"""Six row groups of the landing zone: six tasks for two executors of one core."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkCluster]:
    missing = [] if shutil.which("java") else ["java"]
    try:
        import pyspark  # noqa: F401
    except ImportError:
        missing.append("pyspark (`make spark`)")
    if missing:
        told = f"Apache Spark cannot run here: {', '.join(missing)} is not installed"
        pytest.fail(told) if os.environ.get("CI") == "true" else pytest.skip(told)
    with spark_cluster(tmp_path_factory.mktemp("spark"), workers=2) as running:
        yield running


@pytest.fixture(scope="module")
def province(source_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    """A warehouse and the one-stop system of 2,000 dossiers."""
    sandbox = built_sandbox(source_server, "one_stop_on_spark", tmp_path_factory.mktemp("truth"))
    root = tmp_path_factory.mktemp("project")
    with in_process(source_server, root, {"one_stop": sandbox.url}) as made:
        yield made


@pytest.fixture
def on_spark(province: InProcess, cluster: SparkCluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[InProcess]:
    """The province, with its dossiers switched to Spark."""
    for name, value in cluster.settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DX_SPARK_DATASETS", "one_stop.ho_so")
    monkeypatch.setenv("DX_SPARK_MIN_ROWS", "1")
    province.forget()
    yield province
    province.forget()


@pytest.fixture(scope="module")
def large(province: InProcess, tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """The landed dossiers, over and over, in six row groups."""
    road = process.get_road()
    contract = process.get_catalog().contract("one_stop.ho_so")
    landed = road.land(contract, run_id=None)
    manifest = road.landing.load_manifest("one_stop", "ho_so", landed.batch_id)
    batches = list(road.landing.read(manifest))
    rows = sum(batch.num_rows for batch in batches)
    again = chain.from_iterable(repeat(batches, LARGE_ROWS // rows + 1))
    store = LandingStore(tmp_path_factory.mktemp("large"))
    return store.write(
        system="one_stop", dataset="ho_so", batch_id=1, schema=batches[0].schema, batches=again, facts={}
    )


@pytest.fixture(scope="module")
def expected(large: Manifest, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[object], tuple[Repair, ...]]:
    """Checksums of the large batch cleaned in this process, and the repairs."""
    contract = process.get_catalog().contract("one_stop.ho_so")
    path = tmp_path_factory.mktemp("here") / "cleaned.parquet"
    repairs = write_cleaned(contract, LandingStore(large.directory.parents[2]), large, path, 32_768)
    return checksums([path]), repairs


def checksums(paths: Sequence[Path]) -> list[object]:
    """Rows, and per column the sum of the hashes of its values with their row numbers."""
    with duckdb.connect() as connection:
        names = [row[0] for row in connection.execute(f"describe select * from {parquet_files(paths)}").fetchall()]
        sums = ", ".join(f'sum(hash(_row, "{name}"))' for name in names)
        return list(connection.execute(f"select count(*), {sums} from {parquet_files(paths)}").fetchone() or ())


def test_a_cluster_cleans_as_this_process_does(
    on_spark: InProcess, large: Manifest, expected: tuple[list[object], tuple[Repair, ...]], tmp_path: Path
) -> None:
    contract = process.get_catalog().contract("one_stop.ho_so")
    paths, repairs = cleaning.clean_on_spark(contract, large, tmp_path, get_settings())
    assert executors(spark_session(get_settings())) == 2
    assert len(paths) >= 6
    assert checksums(paths) == expected[0]
    assert repairs == expected[1] != ()
    assert sorted(tmp_path.iterdir()) == list(paths), "a part was left under its temporary name"
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}


def test_the_result_is_the_same_when_an_executor_is_killed_in_the_middle(
    on_spark: InProcess,
    cluster: SparkCluster,
    large: Manifest,
    expected: tuple[list[object], tuple[Repair, ...]],
    tmp_path: Path,
) -> None:
    contract = process.get_catalog().contract("one_stop.ho_so")
    spark_session(get_settings())
    with ThreadPoolExecutor(1) as pool:
        cleaned = pool.submit(cleaning.clean_on_spark, contract, large, tmp_path, get_settings())
        while len(list(tmp_path.glob("cleaned-*.parquet"))) < 2 and not cleaned.done():
            time.sleep(0.01)
        victim = cluster.executors()[0]
        victim.kill()
        done_before = len(list(tmp_path.glob("cleaned-*.parquet")))
        paths, repairs = cleaned.result(120)
    assert 2 <= done_before < len(paths)
    assert victim.pid not in {process.pid for process in cluster.executors()}
    assert (checksums(paths), repairs) == expected


def test_one_setting_switches_a_dataset_of_dx_run(on_spark: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    cleaned_on_spark: list[str] = []
    monkeypatch.setattr(
        "dx_pipeline.orchestration.judging.clean_on_spark",
        lambda contract, *rest: cleaned_on_spark.append(contract.id) or cleaning.clean_on_spark(contract, *rest),
    )
    on_spark.dx("run", "one_stop.ho_so", "one_stop.linh_vuc")
    assert set(cleaned_on_spark) == {"one_stop.ho_so"}
    (spark,) = published(on_spark, "one_stop.ho_so")
    monkeypatch.setenv("DX_SPARK_DATASETS", "")
    on_spark.forget()
    on_spark.replay("one_stop.ho_so", spark[0])
    _, here = published(on_spark, "one_stop.ho_so")
    assert here[1:6] == spark[1:6]
    assert spark[2] > 1_900
    assert spark[3] > 0
    # every row of the replay, cleaned in this process, had the hash of the row that came through Spark
    assert (here[6], spark[6]) == (spark[2], 0)


def published(province: InProcess, dataset: str) -> list[tuple[object, ...]]:
    return province.ask(
        "select batch_id, extracted, accepted, quarantined, duplicate, flagged, unchanged from ops.batch"
        " where system || '.' || dataset = %s and status = 'published' order by batch_id",
        dataset,
    )


def test_a_worker_with_another_version_of_the_code_is_refused(
    on_spark: InProcess, large: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleaning, "code_versions", lambda: {"python": "3", "pyarrow": "25.0.1", "dx_pipeline": "0"})
    contract = process.get_catalog().contract("one_stop.ho_so")
    with pytest.raises(LandingError, match=r"one_stop\.ho_so: the Spark worker on .* it has python 3\.\d+\.\d+, this"):
        cleaning.clean_on_spark(contract, large, tmp_path, get_settings())


def test_a_worker_that_does_not_see_the_files_is_told(on_spark: InProcess, large: Manifest, tmp_path: Path) -> None:
    contract = process.get_catalog().contract("one_stop.ho_so")
    with pytest.raises(LandingError, match=r"on .* cannot clean rows: it cannot reach .*/nowhere/.*No such file"):
        cleaning.clean_on_spark(contract, large, tmp_path / "nowhere", get_settings())


def test_without_its_master_a_batch_is_held_and_the_other_datasets_go_on(
    on_spark: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    close_session()
    monkeypatch.setenv("DX_SPARK_MASTER", f"spark://{HOST}:9")
    on_spark.forget()
    told = on_spark.dx("run", "one_stop.ho_so", "one_stop.ngay_nghi", code=1).output
    assert f"the Spark master spark://{HOST}:9 does not answer ({HOST}:9 Connection refused)" in told
    assert "start the master or correct DX_SPARK_MASTER" in told
    assert "Traceback" not in told
    states = dict(on_spark.ask("select dataset, status from ops.batch order by batch_id"))
    assert (states["ho_so"], states["ngay_nghi"]) == ("held", "published")


def test_without_the_extra_the_message_says_how_to_install_it(
    province: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    close_session()
    monkeypatch.setenv("DX_SPARK_MASTER", f"spark://{HOST}:7077")
    province.forget()
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(SparkUnavailable, match="Apache Spark is not installed here(.|\n)*make spark"):
        spark_session(get_settings())


def test_a_master_that_gives_no_executor_is_waited_for_and_then_told(
    on_spark: InProcess, cluster: SparkCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    close_session()
    cluster.stop_workers()  # so this test is the last
    monkeypatch.setenv("DX_SPARK_PATIENCE_SECONDS", "1")
    on_spark.forget()
    with pytest.raises(SparkUnavailable, match="gave no executor within 1 seconds; the landed rows are kept"):
        spark_session(get_settings())
