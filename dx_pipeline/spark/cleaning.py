"""Clean a landed batch on the cluster: one task per row group of the landing zone."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pyarrow.parquet as pq

from dx_pipeline.clean.batch import cleaned_schema
from dx_pipeline.clean.repairs import Repair, RepairCounts, in_order
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import LandingError, SparkUnavailable
from dx_pipeline.landing.manifest import Manifest
from dx_pipeline.progress import listener
from dx_pipeline.settings import Settings
from dx_pipeline.spark.cleaning_order import ANSWER_TYPES, CleaningJob, CleaningOrder, code_versions, do_orders
from dx_pipeline.spark.session import executors, spark_session

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_POLL_SECONDS = 0.3
_ERROR_CLASS = re.compile(r"^(?:\w+\.)*(\w+(?:Error|Exception|Invalid|Lost|aborted))\b", re.MULTILINE)


def goes_to_spark(settings: Settings, contract: Contract, rows: int) -> bool:
    """Whether a batch of that many rows is cleaned on the cluster: its dataset is listed, and it is worth a session."""
    listed = "*" in settings.spark_datasets or contract.id in settings.spark_datasets
    return listed and rows >= settings.spark_min_rows


def clean_on_spark(
    contract: Contract, manifest: Manifest, target: Path, settings: Settings
) -> tuple[tuple[Path, ...], tuple[Repair, ...]]:
    """Clean a landed batch into Parquet parts below ``target``, in the order of its rows; tells what was changed.

    Raises:
        SparkUnavailable: there is no session, or the cluster lost the work.
        LandingError: an executor could not clean a part: its machine lacks files or has another version.
    """
    orders = tuple(_orders(manifest))
    job = CleaningJob(contract, orders, target, settings.batch_rows, code_versions())
    schema = cleaned_schema(contract)
    session = spark_session(settings)
    found: RepairCounts = Counter()
    rows = 0
    for answer in _run(session, job, settings.spark_patience_seconds):
        if answer["error"] is not None:
            raise LandingError(
                f"{contract.id}: the Spark worker on {answer['host']} cannot clean rows: {answer['error']}",
                next_step="every worker needs this checkout and its virtual environment, and DX_HOME of this machine under"
                " the same path and user (docs/scale.md); or take the dataset out of DX_SPARK_DATASETS",
            )
        rows += answer["rows"]
        for column, note, count in json.loads(answer["repairs"]):
            found[column, note] += count
    parts = tuple(job.part(number) for number in range(len(orders)))
    lost = [part.name for part in parts if not part.exists()]
    if lost or rows != manifest.row_count:
        raise LandingError(
            f"{contract.id}: Spark cleaned {rows} of {manifest.row_count} rows"
            + (f", {lost[0]} is not in {target}" if lost else ""),
            next_step="see that DX_HOME of the workers is that of this machine, not a folder of the same name",
        )
    listener().finish(contract.id, "clean")
    return parts, in_order(found, schema)


def _orders(manifest: Manifest) -> Iterator[CleaningOrder]:
    first_row = 0
    for file in manifest.files:
        path = (manifest.directory / file.name).absolute()
        metadata = pq.read_metadata(path)
        for group in range(metadata.num_row_groups):
            rows = metadata.row_group(group).num_rows
            yield CleaningOrder(path, group, first_row, rows)
            first_row += rows


def _run(session: SparkSession, job: CleaningJob, patience: float) -> Sequence[Any]:
    """The answer of every order; tells the progress and gives up when the cluster has no executor left."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    context = session.sparkContext
    name = f"{job.contract.id} {uuid4().hex[:8]}"

    def collect() -> Sequence[Any]:
        context.setJobGroup(name, f"clean {job.contract.id}", interruptOnCancel=True)
        numbers = session.range(0, len(job.orders), 1, numPartitions=len(job.orders))
        answers: list[Any] = numbers.mapInArrow(partial(do_orders, job), ANSWER_TYPES).collect()
        return answers

    with ThreadPoolExecutor(1, thread_name_prefix="dx-spark") as pool:
        answers: Future[Sequence[Any]] = pool.submit(collect)
        try:
            _watch(session, name, job, answers, patience)
            return answers.result()
        except (PySparkException, Py4JError) as error:
            raise _lost(job, str(error)) from None


def _watch(session: SparkSession, name: str, job: CleaningJob, answers: Future[Sequence[Any]], patience: float) -> None:
    context = session.sparkContext
    tell = _progress(job)
    last_seen = time.monotonic()
    while not answers.done():
        tell(_tasks_done(context, name))
        if executors(session) > 0:
            last_seen = time.monotonic()
        elif time.monotonic() - last_seen > patience:
            context.cancelJobGroup(name)
            raise SparkUnavailable(
                f"{job.contract.id}: all Spark executors are gone for {patience:g} seconds; the landed rows are kept",
                next_step="start the workers again, then `dx run` the dataset",
            )
        time.sleep(_POLL_SECONDS)
    tell(len(job.orders))


def _progress(job: CleaningJob) -> Callable[[int], None]:
    told = 0
    total = sum(order.rows for order in job.orders)

    def tell(done: int) -> None:
        nonlocal told
        for order in job.orders[told:done]:
            listener().advance(job.contract.id, "clean", order.rows, total)
        told = max(told, done)

    return tell


def _tasks_done(context: Any, name: str) -> int:
    tracker = context.statusTracker()
    jobs = [tracker.getJobInfo(number) for number in tracker.getJobIdsForGroup(name)]
    stages = [tracker.getStageInfo(stage) for job in jobs if job for stage in job.stageIds]
    return sum(stage.numCompletedTasks for stage in stages if stage)


def _lost(job: CleaningJob, reason: str) -> SparkUnavailable:
    named = _ERROR_CLASS.findall(reason)  # the rest of a message may be somebody's data
    return SparkUnavailable(
        f"{job.contract.id}: Spark gave up: {named[-1] if named else 'it named no reason'}; the landed rows are kept",
        next_step="see DX_HOME/logs/spark.log and the logs of the workers, then `dx run` the dataset",
    )
