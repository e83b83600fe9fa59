"""Typed contract: what one dataset is, where it is read from and how it is loaded.

The file format is the Open Data Contract Standard v3.1; ``loader.py`` turns it into these classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

from dx_pipeline.contract.csv_form import CsvForm
from dx_pipeline.contract.http_api import HttpApi
from dx_pipeline.contract.volume import VolumePromise

SourceKind = Literal["table", "query", "csv", "xlsx", "dbf", "xml", "http_json", "json", "parquet"]
NestedPolicy = Literal["json", "refuse"]
LoadMode = Literal["incremental", "snapshot", "append"]
DriftPolicy = Literal["warn", "hold"]

PERSONAL_CLASSES = frozenset({"personal", "sensitive"})


@dataclass(frozen=True)
class Column:
    """One column of a dataset: its name in the source, its canonical name and its meaning."""

    name: str
    source_name: str
    semantic_type: str
    logical_type: str
    options: Mapping[str, Any] = field(default_factory=dict)
    physical_type: str | None = None
    required: bool = False
    key_position: int | None = None
    classification: str = "internal"
    description_vi: str = ""
    description_en: str = ""

    @property
    def is_personal(self) -> bool:
        """True for personal or sensitive data, which never reaches ``core`` or ``mart``."""
        return self.classification in PERSONAL_CLASSES


@dataclass(frozen=True)
class SourceRelation:
    """Where a dataset is read from, relative to the connection of its system."""

    kind: SourceKind
    schema: str | None = None
    table: str | None = None
    query: str | None = None
    path: str | None = None
    encoding: str = "utf-8"
    delimiter: str = ","
    further_forms: tuple[CsvForm, ...] = ()  # csv: forms that a file may have instead
    sheet: str | None = None
    header_row: int = 1
    header_rows: int = 1
    total_rows: tuple[str, ...] = ()
    stop_at: tuple[str, ...] = ()
    captions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # xlsx: name -> how its cell begins
    control_total: str | None = None  # xlsx: which of total_rows is the total of the whole file
    null_values: tuple[str, ...] = ()
    record: str | None = None  # xml: local name of the element that is one row
    api: HttpApi | None = None  # http_json
    records: str | None = None  # json: dotted path to the list; None if the document is the list, or NDJSON
    nested: NestedPolicy = "json"  # json, parquet: a list or an object in a column becomes a JSON text, or is refused

    @property
    def is_file(self) -> bool:
        return self.kind in ("csv", "xlsx", "dbf", "xml", "json", "parquet")

    @property
    def label(self) -> str:
        """Name for messages: schema.table, the file pattern, or ``query``."""
        if self.kind == "table":
            return f"{self.schema}.{self.table}" if self.schema else str(self.table)
        return self.path or self.kind


DAY_SUFFIX = "__day"  # of the stage column that holds the day inside a code
PRECISION_SUFFIX = "__precision"  # of the stage column that tells whether a date is known by day, month or year
CAPTION_SIGN = "^"  # begins the source name of a column that is read from a caption of the sheet
KEY_SUFFIX = "__key"  # of the column that holds what all writings of a name have in common


@dataclass(frozen=True)
class PeriodPolicy:
    """How a dataset is cut into monthly partitions: by which column, from which month on."""

    column: str
    start: date
    unit: Literal["month"] = "month"


@dataclass(frozen=True)
class LoadPolicy:
    """How a dataset is read: by cursor with a look-back window, whole, or append-only.

    Attributes:
        covers: a delivery speaks for the values of these columns that it holds; a row of another value has
            not vanished. Empty: a delivery speaks for everything.
    """

    mode: LoadMode
    cursor: str | None = None
    lookback: timedelta = timedelta(0)
    period: PeriodPolicy | None = None
    covers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contract:
    """One dataset of one source system, as its owner signed it."""

    id: str
    version: str
    system: str
    dataset: str
    purpose_vi: str
    purpose_en: str
    owner_agency: str
    source: SourceRelation
    load: LoadPolicy
    columns: tuple[Column, ...]
    row_identity: tuple[str, ...]
    rejected_share_cap: float
    min_source_rows: int
    on_new_column: DriftPolicy
    on_widened_type: DriftPolicy
    freshness: timedelta | None
    depends_on: tuple[str, ...]
    left_out: tuple[str, ...]
    path: Path
    root: Path
    volume: VolumePromise = field(default_factory=VolumePromise)
    schedule: str | None = None  # cron line in local time; None: the schedule of its system
    expected_rows: int = 0  # of a full read, roughly; larger datasets are worked on first

    @property
    def key_columns(self) -> tuple[str, ...]:
        """Canonical names of the business key, in key order."""
        keyed = [c for c in self.columns if c.key_position is not None]
        return tuple(c.name for c in sorted(keyed, key=lambda c: c.key_position or 0))

    def column(self, name: str) -> Column:
        """The column of that canonical name; KeyError if the contract has none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.id} has no column {name!r}")

    @property
    def stage_table(self) -> str:
        """Name of the stage table in schema ``stage``."""
        return f"{self.system}__{self.dataset}"

    @property
    def suite_path(self) -> Path:
        """The expectation suite that judges this dataset."""
        return self.root / "expectations" / self.system / f"{self.dataset}.yaml"

    @property
    def load_path(self) -> Path:
        """The SQL that moves this dataset from stage to the star."""
        return self.root / "warehouse_sql" / "load" / self.system / f"{self.dataset}.sql"


@dataclass(frozen=True)
class System:
    """One source system: the connection its datasets share, its owner and its schedule."""

    name: str
    title_vi: str
    title_en: str
    connection: str
    owners: tuple[str, ...]
    schedule: str | None
    pool_limit: int
    kinds: tuple[str, ...]
    root: Path

    @property
    def pool(self) -> str:
        """Concurrency pool that keeps the load on this source bounded."""
        return f"source_{self.name}"
