"""The DuckDB session of one judgement: the cleaned batch as a view, a memory cap and nothing left behind."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import pyarrow.parquet as pq

from dx_pipeline.errors import DxError
from dx_pipeline.judge.deduplicate import CLEANED
from dx_pipeline.sql_quoting import identifier, parquet_files

TIME_ZONE = "Asia/Ho_Chi_Minh"
"""Bounds in rules without an offset are Vietnamese local time."""
STREAMING_BUFFER = "24MB"
"""Rows DuckDB may compute ahead of the reader; its default of 1 MB leaves its threads idle."""
_QUOTED_VALUE = re.compile(r"'[^']*'")
_VALUE_ERROR = re.compile(r"((?:Conversion|Invalid Input|Out of Range|Constraint) Error):.*")
"""Errors about a value, which they show in any form."""


class JudgeError(DxError):
    """A batch could not be judged: its file is damaged, memory is too small or a rule crashed on a value."""


class BatchSession:
    """DuckDB in memory with the view ``cleaned`` and one view per reference table.

    Spilled data goes to a folder of its own in ``work_dir``, which ``close`` removes. Rules can read the
    batch and the reference tables only: no other file, no network.
    """

    def __init__(
        self,
        cleaned: Sequence[Path],
        references: Mapping[str, Sequence[Path]],
        *,
        work_dir: Path,
        memory_limit: str,
        threads: int,
    ) -> None:
        self._spill = work_dir / f"judge-{uuid4().hex}"
        self._spill.mkdir(parents=True)
        try:
            self.schema = pq.read_schema(cleaned[0])
            self.connection = duckdb.connect(
                config={
                    "threads": threads,
                    "memory_limit": memory_limit,
                    "temp_directory": str(self._spill),
                    "preserve_insertion_order": False,
                    "autoinstall_known_extensions": False,
                }
            )
        except (OSError, ValueError, duckdb.Error) as error:
            shutil.rmtree(self._spill, ignore_errors=True)
            raise unjudgeable(error) from None
        try:
            self._prepare(cleaned, references)
        except duckdb.Error as error:
            self.close()
            raise unjudgeable(error) from None

    def _prepare(self, cleaned: Sequence[Path], references: Mapping[str, Sequence[Path]]) -> None:
        self.connection.execute(f"set global TimeZone = '{TIME_ZONE}'")
        readable = [str(path) for path in (*cleaned, *chain.from_iterable(references.values()))]
        self.connection.execute("set allowed_paths = $1", [readable])
        self.connection.execute("set enable_external_access = false")
        # Some thirty statements look at the files; each would read their footers again.
        self.connection.execute("set parquet_metadata_cache = true")
        self.connection.execute(f"set streaming_buffer_size = '{STREAMING_BUFFER}'")
        self.connection.execute("set lock_configuration = true")
        self.connection.execute(f"create view {CLEANED} as select * from {parquet_files(cleaned)}")
        for name, paths in references.items():
            schema, _, table = name.rpartition(".")
            if schema:
                self.connection.execute(f"create schema if not exists {identifier(schema)}")
            target = f"{identifier(schema)}.{identifier(table)}" if schema else identifier(table)
            self.connection.execute(f"create view {target} as select * from {parquet_files(paths)}")

    def columns(self) -> list[tuple[str, str]]:
        """Name and DuckDB type of every column of the cleaned batch."""
        return self.types_of(f"select * from {CLEANED}")

    def types_of(self, query: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[str, str]]:
        """Name and DuckDB type of every column a query would return; nothing is run."""
        described = self.connection.execute(f"describe {query}", dict(parameters or {})).fetchall()
        return [(row[0], row[1]) for row in described]

    def rows(self) -> int:
        """Rows of the cleaned batch."""
        row = self.connection.execute(f"select count(*) from {CLEANED}").fetchone()
        return int(row[0]) if row else 0

    def close(self) -> None:
        """Close DuckDB and remove what it spilled."""
        self.connection.close()
        shutil.rmtree(self._spill, ignore_errors=True)


def without_values(error: BaseException | str) -> str:
    """First line of an error without what may be somebody's data or a key."""
    lines = str(error).strip().splitlines()
    if not lines:
        return type(error).__name__
    return _QUOTED_VALUE.sub("'…'", _VALUE_ERROR.sub(r"\1", lines[0]))


def unjudgeable(error: BaseException, dataset: str = "", rule: str | None = None) -> JudgeError:
    """JudgeError for a failure of DuckDB, without data values; ``rule``: code of the rule that crashed."""
    named = [dataset] if dataset else []
    if rule is not None:
        named.append(f"quy tắc | rule {rule}")
    where = f" ({', '.join(named)})" if named else ""
    if isinstance(error, duckdb.OutOfMemoryException):
        step = "Tăng DX_JUDGE_MEMORY rồi chạy lại | raise DX_JUDGE_MEMORY and run again"
    else:
        step = "Xem lại tệp đã làm sạch và bộ quy tắc | look at the cleaned file and the suite"
    return JudgeError(
        f"Không chấm được lô{where} | the batch could not be judged{where}: {without_values(error)}",
        next_step=step,
    )
