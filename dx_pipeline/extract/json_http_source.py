"""Read a JSON API page by page as Arrow text columns.

A page is one request, so reading is not one snapshot: the API's own total is compared instead. Records
are walked one by one in Python: an answer has no columns, and the network is slower than the walk.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import IO, Any, Self
from zoneinfo import ZoneInfo

import pyarrow as pa

from dx_pipeline.contract.model import Column, Contract
from dx_pipeline.errors import ContractError, SourceDrift, UnreadableSource
from dx_pipeline.extract.folder import refuse_period
from dx_pipeline.extract.http_client import ApiClient
from dx_pipeline.extract.http_paging import Page, api_of, read_pages
from dx_pipeline.extract.json_document import (
    JsonNumber,
    column_names,
    found_at,
    split_path,
    text_of,
)
from dx_pipeline.extract.source import Extraction, SourceColumn
from dx_pipeline.extract.window import (
    DEFAULT_TIMEZONE,
    Window,
    column_timezone,
    is_integer_cursor,
    parse_integer,
    parse_naive,
)

BATCH_ROWS = 8_192
_SURVEY_PAGES = 10
_MOST_NAMES = 5_000
_JSON_NUMBER = "number"  # physicalType of a column whose values must be numbers of JSON
_PARAMETER = "?"  # physicalName "?dataYear" is the value of the parameter dataYear


class JsonHttpReader:
    """One resource of a JSON API (see :class:`SourceReader`)."""

    def __init__(self, contract: Contract, connection_url: str) -> None:
        self._contract = contract
        self._api = api_of(contract)
        self._client = ApiClient(contract, connection_url)
        self._names: list[str] | None = None
        self._held: tuple[int, bool] = (0, False)  # records met by the survey, and whether these are all
        self._spool: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    def describe(self) -> list[SourceColumn]:
        """Dotted names of all fields of the first page; an API tells no types.

        Many APIs leave out empty fields: pages are read on until every column of the contract was met, at
        most ten. Without any record the contract is believed.
        """
        if self._names is None:
            columns = [column.source_name for column in self._contract.columns]
            names: dict[str, None] = {}
            missing = set(columns)
            held, is_all = 0, True
            for number, page in enumerate(self._pages(Window("full")), start=1):
                names.update(dict.fromkeys(f"{_PARAMETER}{name}" for name in page.parameters if f"?{name}" in missing))
                for record in page.records:
                    names.update(dict.fromkeys(column_names(record, columns)))
                    missing -= {name for name in missing if name in names or name in record}
                if len(names) > _MOST_NAMES:
                    raise SourceDrift(
                        f"{self._contract.id}: the records of {self._contract.source.label} have more than "
                        f"{_MOST_NAMES} different names",
                        next_step=f"mend source.records in {self._contract.path}: it must lead to a list of like "
                        "records",
                    )
                held += len(page.records)
                missing -= names.keys()
                if (held and not missing) or number == _SURVEY_PAGES:
                    is_all = page.total is not None and held >= page.total and not self._api.asks_more_than_once
                    is_all = is_all or (self._api.paging.style == "none" and not self._api.asks_more_than_once)
                    break
            self._held = held, is_all
            self._names = list(names) if held else columns
        return [SourceColumn(name, "") for name in self._names]

    def holds_at_least(self, rows: int) -> bool:
        """True if all pages together hold that many records; stops asking there."""
        self.describe()
        held, is_all = self._held
        if held >= rows or is_all:
            return held >= rows
        held = 0
        for page in self._pages(Window("full")):
            held += len(page.records)
            if held >= rows or (page.total is not None and page.total >= rows and not self._api.asks_more_than_once):
                return True
        return False

    def is_empty(self) -> bool:
        """True if the API gives no record."""
        return not self.holds_at_least(1)

    def extract(self, window: Window) -> Extraction:
        """Ask for the first page and start to read.

        Where the API says no total, or several combinations of parameters are asked, all records are first
        read into a temporary file: how many there are is not known before.
        """
        refuse_period(self._contract, window)
        schema = pa.schema([pa.field(column.source_name, pa.string()) for column in self._contract.columns])
        pages = self._pages(window)
        first = next(pages, None)
        extraction = Extraction(
            source_rows=0,
            cursor_high=None,
            position={"path": self._contract.source.path, "read_at": _clock(first).isoformat(timespec="seconds")},
            schema=schema,
            batches=iter(()),
        )
        if first is None:
            return extraction
        batches = self._batches(itertools.chain([first], pages), schema, window, extraction)
        if not self._api.asks_more_than_once and (first.total is not None or self._api.paging.style == "none"):
            extraction.source_rows = len(first.records) if first.total is None else first.total
            extraction.batches = batches
            return extraction
        self._spool = tempfile.TemporaryFile(prefix="dx-pages-")  # noqa: SIM115 - closed by __exit__
        with pa.ipc.new_stream(self._spool, schema) as spooled:
            for batch in batches:
                extraction.source_rows += batch.num_rows
                spooled.write_batch(batch)
        self._spool.seek(0)
        extraction.batches = iter(pa.ipc.open_stream(self._spool))
        return extraction

    def _pages(self, window: Window) -> Iterator[Page]:
        bound = {}
        since = self._api.since
        if window.kind == "increment" and since is not None and window.low is not None:
            bound[since.parameter] = self._since(window.low, since.format)
        return read_pages(self._client, self._contract, bound)

    def _batches(
        self, pages: Iterator[Page], schema: pa.Schema, window: Window, extraction: Extraction
    ) -> Iterator[pa.RecordBatch]:
        plans = [(name, split_path(name)) for name in schema.names]
        numbers = {c.source_name for c in self._contract.columns if c.physical_type == _JSON_NUMBER}
        nulls = frozenset(self._contract.source.null_values)
        cursor = None if self._contract.load.mode == "snapshot" else self._contract.load.cursor
        watched = None if cursor is None else self._contract.column(cursor)
        greatest = _Greatest(self._contract, watched, self._api.since.format if self._api.since else "iso")
        columns: list[list[str | None]] = [[] for _ in plans]
        numbered = 0
        clock: datetime | None = None
        for page in pages:
            numbered += 1
            clock = clock or _clock(page)
            for start in range(0, len(page.records), BATCH_ROWS):
                for record in page.records[start : start + BATCH_ROWS]:
                    for values, (name, steps) in zip(columns, plans, strict=True):
                        values.append(self._value(record, page, name, steps, name in numbers))
                if len(columns[0]) >= BATCH_ROWS:
                    yield self._batch(columns, schema, greatest, nulls)
                    columns = [[] for _ in plans]
        if columns[0]:
            yield self._batch(columns, schema, greatest, nulls)
        extraction.position["pages"] = numbered
        extraction.cursor_high = greatest.told(clock)

    def _value(
        self, record: dict[str, Any], page: Page, name: str, steps: tuple[str, ...], is_number: bool
    ) -> str | None:
        if name.startswith(_PARAMETER) and name[1:] in page.parameters:
            return page.parameters[name[1:]]
        value = found_at(record, name, steps)
        if is_number and isinstance(value, str) and not isinstance(value, JsonNumber) and value.strip():
            return f'"{value}"'  # a text is no number: "1.234" may be a thousand times 1.234
        try:
            return text_of(value)
        except RecursionError:
            raise UnreadableSource(
                f"{self._contract.id}: a value of {name} in {self._contract.source.label} is nested too deep",
                next_step=f"name a field inside it as physicalName in {self._contract.path}",
            ) from None

    def _batch(
        self, columns: list[list[str | None]], schema: pa.Schema, greatest: _Greatest, nulls: frozenset[str]
    ) -> pa.RecordBatch:
        arrays = []
        for name, values in zip(schema.names, columns, strict=True):
            greatest.watch(name, values)
            try:
                arrays.append(pa.array([None if v in nulls else v for v in values] if nulls else values, pa.string()))
            except UnicodeEncodeError:
                raise UnreadableSource(
                    f"{self._contract.id}: a text of {name} in {self._contract.source.label} is broken Unicode (half "
                    "of a surrogate pair)",
                    next_step=f"ask the owner {self._contract.owner_agency} to mend it",
                ) from None
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _since(self, low: str, pattern: str) -> str:
        column = self._contract.column(self._contract.load.cursor or "")
        if is_integer_cursor(column):
            return low
        zone = ZoneInfo(column_timezone(column))
        moment = parse_naive(low, column_timezone(column))
        if moment is None:
            raise ContractError(
                f"{self._contract.id}: the window bound {low[:40]!r} is not a time",
                next_step="run the dataset once in full to set a new watermark",
            )
        aware = moment.replace(tzinfo=zone)
        if pattern == "iso":
            return moment.isoformat(timespec="seconds")
        if pattern == "iso_offset":
            return aware.isoformat(timespec="seconds")
        if pattern in ("epoch", "epoch_ms"):
            return str(int(aware.timestamp()) * (1000 if pattern == "epoch_ms" else 1))
        return moment.strftime(pattern)


class _Greatest:
    """The greatest value of the cursor among all records; what cannot be read does not count."""

    def __init__(self, contract: Contract, column: Column | None, pattern: str) -> None:
        self._contract = contract
        self._column = column
        self._pattern = pattern
        self._is_integer = column is not None and is_integer_cursor(column)
        self._zone = column_timezone(column) if column is not None else DEFAULT_TIMEZONE
        self._number: int | None = None
        self._moment: datetime | None = None
        self._unreadable = 0

    def watch(self, name: str, values: list[str | None]) -> None:
        """Look at one column of a batch."""
        if self._column is None or name != self._column.source_name:
            return
        for text in values:
            if not text:
                continue
            if self._is_integer:
                number = parse_integer(text)
                self._unreadable += number is None
                if number is not None and (self._number is None or number > self._number):
                    self._number = number
            else:
                moment = self._read(text)
                self._unreadable += moment is None
                if moment is not None and (self._moment is None or moment > self._moment):
                    self._moment = moment

    def told(self, clock: datetime | None) -> str | None:
        """The next watermark: never later than the server's clock.

        Raises:
            ContractError: there are values, and not one can be read.
        """
        if self._number is not None:
            return str(self._number)
        if self._moment is not None:
            now = (clock or datetime.now(UTC)).astimezone(ZoneInfo(self._zone)).replace(tzinfo=None)
            return min(self._moment, now).isoformat()
        if self._unreadable and self._column is not None:
            raise ContractError(
                f"{self._contract.id}: not one of the {self._unreadable} values of the cursor "
                f"{self._column.source_name} can be read as {self._column.logical_type}",
                next_step=f"in {self._contract.path} give source.since.format as the API writes times (values are "
                "read by it, or as ISO 8601), or use load.mode: snapshot",
            )
        return None

    def _read(self, text: str) -> datetime | None:
        if self._pattern in ("epoch", "epoch_ms"):
            number = parse_integer(text)
            if number is not None:
                try:
                    seconds = number / 1000 if self._pattern == "epoch_ms" else number
                    return datetime.fromtimestamp(seconds, ZoneInfo(self._zone)).replace(tzinfo=None)
                except (ValueError, OverflowError, OSError):
                    return None
        elif self._pattern not in ("iso", "iso_offset"):
            try:
                return datetime.strptime(text.strip(), self._pattern).replace(tzinfo=None)
            except ValueError:
                pass
        try:
            return parse_naive(text, self._zone)
        except OverflowError:
            return None


def _clock(page: Page | None) -> datetime:
    """The server's clock, or ours where it tells none."""
    return page.made_at if page is not None and page.made_at is not None else datetime.now(UTC)
