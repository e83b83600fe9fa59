"""Which rows of a source relation one run reads.

A window is text in the source's own terms: naive local time (the time zone of the column, by default
Asia/Ho_Chi_Minh) in ISO 8601, or an integer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from dx_pipeline.contract.model import Column, Contract
from dx_pipeline.errors import ContractError

WindowKind = Literal["full", "increment", "period"]

DEFAULT_TIMEZONE = "Asia/Ho_Chi_Minh"
_INTEGER = re.compile(r"^[+-]?\d{1,19}$")
_EARLIEST = datetime(1900, 1, 1)


@dataclass(frozen=True)
class Window:
    """Rows to read: ``low`` inclusive (look-back already applied), ``high`` exclusive, None = unbounded.

    ``increment`` bounds the cursor of the contract (and always takes rows whose cursor is null);
    ``period`` bounds the period column; ``full`` has no bound.
    """

    kind: WindowKind
    low: str | None = None
    high: str | None = None


def is_integer_cursor(column: Column) -> bool:
    """True if the cursor counts (1, 2, 3 ...) instead of telling the time.

    Raises:
        ContractError: the column is neither a whole number nor a time.
    """
    if column.logical_type == "integer":
        return True
    if column.logical_type in ("timestamp", "date"):
        return False
    raise ContractError(
        f"column {column.name}: logicalType {column.logical_type} cannot bound a read",
        next_step="use a timestamp, date or integer column as cursor or period, or a query source that makes one",
    )


def column_timezone(column: Column) -> str:
    """IANA name of the time zone in which naive times of this column are written.

    Raises:
        ContractError: there is no such time zone.
    """
    name = str(column.options.get("timezone", DEFAULT_TIMEZONE))
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ContractError(
            f"column {column.name}: options.timezone {name[:40]!r} is not a time zone",
            next_step="use an IANA name such as Asia/Ho_Chi_Minh or UTC",
        ) from None
    return name


def increment_window(contract: Contract, watermark: str | None) -> Window:
    """The window that reads everything changed since ``watermark``, less the contract's look-back.

    Args:
        watermark: ``cursor_high`` of the last published batch; None if there was none.

    Returns:
        A full window if there is no watermark or the contract has no cursor. An integer cursor goes
        back by as many units as the look-back has seconds.

    Raises:
        ContractError: the cursor cannot bound a read, or the watermark is not of the cursor's kind.
    """
    if watermark is None or contract.load.cursor is None or contract.load.mode == "snapshot":
        return Window("full")
    column = contract.column(contract.load.cursor)
    if is_integer_cursor(column):
        integer = parse_integer(watermark)
        if integer is None:
            raise _bad_watermark(contract, watermark, "a whole number")
        return Window("increment", low=str(integer - int(contract.load.lookback.total_seconds())))
    instant = parse_naive(watermark, column_timezone(column))
    if instant is None:
        raise _bad_watermark(contract, watermark, "an ISO 8601 time")
    span = min(contract.load.lookback, max(instant - _EARLIEST, timedelta(0)))
    return Window("increment", low=(instant - span).isoformat())


def period_window(contract: Contract, month: date) -> Window:
    """The window of one calendar month of the contract's period column.

    Raises:
        ContractError: the contract declares no period, or its period column is not a time.
    """
    period = contract.load.period
    if period is None:
        raise ContractError(
            f"{contract.id}: the contract declares no load.period, so it cannot be read month by month",
            next_step=f"add load.period to {contract.path}, or run the dataset without a partition",
        )
    if is_integer_cursor(contract.column(period.column)):
        raise ContractError(
            f"{contract.id}: the period column {period.column} is a whole number, not a time",
            next_step=f"choose a timestamp or date column for load.period in {contract.path}",
        )
    first = month.replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    return Window("period", low=f"{first.isoformat()}T00:00:00", high=f"{following.isoformat()}T00:00:00")


def parse_integer(text: str) -> int | None:
    """The whole number in ``text``, or None."""
    stripped = text.strip()
    return int(stripped) if _INTEGER.match(stripped) else None


def parse_naive(text: str, timezone: str = DEFAULT_TIMEZONE) -> datetime | None:
    """The local time in ``text`` (ISO 8601; an offset is turned into ``timezone``), or None."""
    try:
        parsed = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if parsed.tzinfo is None:
        return parsed
    return parsed.astimezone(UTC).astimezone(ZoneInfo(timezone)).replace(tzinfo=None)


def _bad_watermark(contract: Contract, watermark: str, wanted: str) -> ContractError:
    return ContractError(
        f"{contract.id}: the stored watermark {watermark[:40]!r} is not {wanted}, as cursor "
        f"{contract.load.cursor} needs",
        next_step="the cursor was changed to another kind of column; run the dataset once in full to set a new one",
    )
