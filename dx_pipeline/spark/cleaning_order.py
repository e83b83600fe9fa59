"""What an executor does: clean one row group of the landing zone into one part of the cleaned batch.

Spark carries the orders and the answers, never a row: executors read the landed Parquet and write the cleaned one with
Arrow, as the pipeline does. So Spark's own types change nothing (its TIMESTAMP is an instant, it knows no unsigned numbers),
no name of a person passes through its network, and the driver is no bottleneck.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import socket
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from dx_pipeline.clean.batch import clean_batch, cleaned_parquet_options, cleaned_schema
from dx_pipeline.clean.repairs import RepairCounts, count_notes
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import DxError

_PACKAGE = Path(__file__).resolve().parent.parent
_CODE = ("clean", "contract", "spark")  # what decides how a value is cleaned
ANSWER_TYPES = "number bigint, rows bigint, repairs string, host string, error string"
_ANSWER = pa.schema(
    [
        ("number", pa.int64()),
        ("rows", pa.int64()),
        ("repairs", pa.string()),
        ("host", pa.string()),
        ("error", pa.string()),
    ]
)


@dataclass(frozen=True)
class CleaningOrder:
    """One row group to clean. ``first_row``: ordinal of its first row in the landed batch."""

    source: Path
    row_group: int
    first_row: int
    rows: int


@dataclass(frozen=True)
class CleaningJob:
    """All orders of one batch, as they are sent to the executors."""

    contract: Contract
    orders: tuple[CleaningOrder, ...]
    target: Path
    batch_rows: int
    versions: Mapping[str, str]

    def part(self, number: int) -> Path:
        """Where the cleaned rows of an order go."""
        return self.target / f"cleaned-{number:05d}.parquet"


class _Unfit(Exception):
    """This machine cannot do the order; trying again here or elsewhere of its kind changes nothing."""


@lru_cache(maxsize=1)
def code_versions() -> Mapping[str, str]:
    """What must be equal on the driver and on every executor for equal results: Python, Arrow and the code that cleans."""
    digest = hashlib.sha256()
    for folder in _CODE:
        for file in sorted((_PACKAGE / folder).glob("*.py")):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return {"python": platform.python_version(), "pyarrow": pa.__version__, "dx_pipeline": digest.hexdigest()[:12]}


def do_orders(job: CleaningJob, numbers: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The function of ``mapInArrow``: numbers of orders in, one answer for each out.

    A part is written under a name of its own and renamed, so that an order done twice, after an executor was lost, leaves
    one whole part.
    """
    for batch in numbers:
        for number in batch.column(0).to_pylist():
            found: RepairCounts = Counter()
            try:
                rows, error = _clean(job, number, found), None
            except DxError as refused:
                rows, error = 0, str(refused.what)
            except _Unfit as unfit:
                rows, error = 0, str(unfit)
            repairs = json.dumps([[*key, count] for key, count in found.items()])
            answer = [[number], [rows], [repairs], [socket.gethostname()], [error]]
            yield pa.RecordBatch.from_arrays(
                [pa.array(value, field.type) for value, field in zip(answer, _ANSWER, strict=True)], schema=_ANSWER
            )


def _clean(job: CleaningJob, number: int, found: RepairCounts) -> int:
    for name, here in code_versions().items():
        if here != job.versions[name]:
            raise _Unfit(f"it has {name} {here}, this machine has {job.versions[name]}")
    order = job.orders[number]
    temporary = job.target / f".{job.part(number).name}.{uuid4().hex}"
    schema = cleaned_schema(job.contract)
    rows = 0
    try:
        with (
            pq.ParquetFile(order.source, pre_buffer=False) as landed,
            open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file,
            pq.ParquetWriter(file, schema, **cleaned_parquet_options(schema)) as writer,
        ):
            for batch in landed.iter_batches(job.batch_rows, row_groups=[order.row_group]):
                cleaned = clean_batch(batch, job.contract, order.first_row + rows)
                writer.write_batch(cleaned)
                count_notes(cleaned, found)
                rows += batch.num_rows
        os.replace(temporary, job.part(number))
    except (FileNotFoundError, PermissionError) as error:
        raise _Unfit(f"it cannot reach {error.filename}: {error.strerror}") from None
    finally:
        temporary.unlink(missing_ok=True)
    return rows
