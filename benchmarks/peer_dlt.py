"""The peer: dlt copies the same tables with its SQL source (pyarrow backend) into PostgreSQL. No rule, no star."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.engine import make_url

from dx_pipeline.sandbox.province import SandboxProvince
from dx_pipeline.warehouse.connection import Warehouse

if TYPE_CHECKING:
    from benchmarks.run import Measurement

PACKAGES = ("dlt[postgres,sql_database]==1.31.0", "psycopg2-binary", "pyarrow", "sqlalchemy<2.1")
SCRIPT = """
import os, sys
import dlt
from dlt.sources.sql_database import sql_table
options = {"chunk_size": 100_000} if os.environ.get("BENCH_TUNED") else {}
pipeline = dlt.pipeline(
    "bench", destination=dlt.destinations.postgres(os.environ["BENCH_TARGET"]), dataset_name="dlt_bench",
    pipelines_dir=sys.argv[1],
)
tables = [
    sql_table(credentials=os.environ["BENCH_SOURCE"], schema="motcua", table=name, backend="pyarrow", **options)
    for name in sys.argv[2:]
]
pipeline.run(tables, write_disposition="replace")
print(pipeline.last_trace.last_normalize_info.row_counts)
"""


def copy_with_dlt(
    name: str, province: SandboxProvince, warehouse: Warehouse, tables: Sequence[str], venv: Path, *, tuned: bool
) -> Measurement:
    """Make dlt's venv once, then time its copy of all tables: as it comes, or without compression and in larger chunks."""
    from benchmarks.run import Measurement

    python = venv / "bin" / "python"
    if not (venv / ".ready").exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        (venv / ".ready").touch()
    environment = {
        **os.environ,
        "BENCH_SOURCE": make_url(province.admin_url()).set(drivername="postgresql+psycopg2").render_as_string(False),
        "BENCH_TARGET": warehouse.url.set(drivername="postgresql").render_as_string(False),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }
    if tuned:
        environment |= {"BENCH_TUNED": "1", "DATA_WRITER__DISABLE_COMPRESSION": "true"}
    started = time.monotonic()
    done = subprocess.run(
        [python, "-c", SCRIPT, str(venv.parent / "dlt-state"), *tables],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    seconds = time.monotonic() - started
    if done.returncode != 0:
        raise RuntimeError(f"dlt failed:\n{done.stderr[-3000:]}")
    with warehouse.owner() as connection:
        rows = sum(
            int(connection.exec_driver_sql(f'select count(*) from dlt_bench."{table}"').scalar_one())
            for table in tables
        )
        connection.exec_driver_sql("drop schema dlt_bench cascade")
    return Measurement(name, seconds, rows)
