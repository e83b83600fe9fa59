"""Identifiers and texts inside SQL that is put together here; values are bound wherever the engine can bind them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def identifier(name: str) -> str:
    """A SQL identifier in quotation marks, as PostgreSQL, SQLite and DuckDB read it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A SQL text literal; for places that take no bound value, such as a file name in DuckDB."""
    return "'" + text.replace("'", "''") + "'"


def mysql_identifier(name: str) -> str:
    """A SQL identifier in backquotes, as MySQL and MariaDB read it."""
    return "`" + name.replace("`", "``") + "`"


def parquet_files(paths: Iterable[Path]) -> str:
    """DuckDB's table function over Parquet files of one schema."""
    return f"read_parquet([{', '.join(literal(str(path)) for path in paths)}])"
