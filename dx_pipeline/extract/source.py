"""What every source gives: its columns, its rows as Arrow batches, and a count from the same snapshot.

A reader for a new kind of source is one new module, registered in ``_READERS``.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self, cast

import pyarrow as pa

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import ContractError, SettingsError
from dx_pipeline.extract.window import Window


@dataclass(frozen=True)
class SourceColumn:
    """One column as the source declares it; ``type_text`` is normalised ("" if the source tells none).

    ``key_position`` counts from 1 within the primary key; 0: not part of it, or the source tells of no key.
    """

    name: str
    type_text: str
    nullable: bool = True
    key_position: int = field(default=0, compare=False)


@dataclass
class Extraction:
    """The rows of one window, on their way.

    Attributes:
        source_rows: rows the source counted in the snapshot (or file) that ``batches`` reads.
        cursor_high: next watermark: the smaller of the greatest cursor read and the source's own clock,
            as a naive ISO time or an integer. None without a cursor, without rows, and for a period
            window (a month of the past says nothing of what changed since).
        position: where in the source this was read (server and snapshot, or files with their SHA-256).
        schema: of the batches; fields carry the *source* names of the contract's columns, in its order.
        batches: can be consumed once, inside the reader's ``with`` block.
        control: control sums the source took in the same snapshot (see ``control_measures``); rows are always known.
        findings: what the reader found that does not add up; the batch goes on, with a warning each.
    """

    source_rows: int
    cursor_high: str | None
    position: dict[str, Any]
    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    control: dict[str, str | None] = field(default_factory=dict)
    findings: tuple[str, ...] = ()


class SourceReader(Protocol):
    """One open source; a context manager that gives back its connection."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def describe(self) -> list[SourceColumn]:
        """All columns of the relation, also those the contract does not use.

        Raises:
            SourceUnavailable: the source cannot be reached.
            SourceDrift: the relation is not there.
            UnreadableSource: the file cannot be read as what the contract says it is.
        """

    def extract(self, window: Window) -> Extraction:
        """Count and start to read the contract's columns of the window's rows, in one snapshot.

        Raises:
            SourceUnavailable, SourceDrift, UnreadableSource, ContractError: here or while the batches are read.
        """

    def holds_at_least(self, rows: int) -> bool:
        """True if the whole relation holds that many rows (not only the window)."""

    def is_empty(self) -> bool:
        """True if the whole relation holds no row."""


_READERS = {
    "postgresql": ("dx_pipeline.extract.postgresql", "PostgresqlReader"),
    "postgres": ("dx_pipeline.extract.postgresql", "PostgresqlReader"),
    "sqlite": ("dx_pipeline.extract.sqlite", "SqliteReader"),
    "mysql": ("dx_pipeline.extract.mysql", "MysqlReader"),
    "mariadb": ("dx_pipeline.extract.mysql", "MysqlReader"),
    "file+csv": ("dx_pipeline.extract.csv_source", "CsvReader"),
    "file+xlsx": ("dx_pipeline.extract.xlsx_source", "XlsxReader"),
    "file+xml": ("dx_pipeline.extract.xml_source", "XmlReader"),
    "http": ("dx_pipeline.extract.json_http_source", "JsonHttpReader"),
    "https": ("dx_pipeline.extract.json_http_source", "JsonHttpReader"),
    "mssql": ("dx_pipeline.extract.sqlalchemy_source", "SqlalchemyReader"),
    "oracle": ("dx_pipeline.extract.sqlalchemy_source", "SqlalchemyReader"),
    "file+dbf": ("dx_pipeline.extract.dbf_source", "DbfReader"),
    "file+json": ("dx_pipeline.extract.json_source", "JsonReader"),
    "file+parquet": ("dx_pipeline.extract.parquet_source", "ParquetReader"),
}


def open_source(contract: Contract, connection_url: str) -> SourceReader:
    """The reader for this contract over this connection; nothing is opened before its ``with`` block.

    Args:
        connection_url: ``postgresql://``, ``mysql://``, ``mariadb://``, ``sqlite:///file``, ``mssql://``,
            ``oracle://``, ``https://`` (a JSON API) or ``file:///folder``.

    Raises:
        SettingsError: the URL's scheme is unknown.
        ContractError: the contract's source kind cannot be read over such a connection.
    """
    scheme = connection_url.split(":", 1)[0].split("+", 1)[0].lower()
    is_folder = scheme == "file"
    known = is_folder or scheme in _READERS
    if not known:
        raise SettingsError(
            f"{contract.id}: the connection of system {contract.system} has an unknown kind of URL ({scheme[:20]!r})",
            next_step="use postgresql://, mysql://, mariadb://, sqlite:///path, mssql://, oracle://, https:// or "
            "file:///folder",
        )
    is_api = scheme in ("http", "https")
    if is_folder != contract.source.is_file or is_api != (contract.source.kind == "http_json"):
        wanted = "file:///folder" if contract.source.is_file else "a database URL"
        wanted = "https://host/base" if contract.source.kind == "http_json" else wanted
        raise ContractError(
            f"{contract.id}: source kind {contract.source.kind} cannot be read over a {scheme} connection",
            next_step=f"give the connection of system {contract.system} {wanted}, or mend source.kind in "
            f"{contract.path}",
        )
    module, name = _READERS[f"file+{contract.source.kind}" if is_folder else scheme]
    reader = getattr(importlib.import_module(module), name)
    return cast(SourceReader, reader(contract, connection_url))
