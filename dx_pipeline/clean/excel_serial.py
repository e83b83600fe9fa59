"""Dates as Excel counts them: days since an epoch, the time of day as a fraction.

Epoch 1900: day 1 is 1900-01-01; day 60 is 1900-02-29, which never was (Excel keeps a fault of Lotus 1-2-3),
so it is unreadable and all later days count one too many. Epoch 1904 (Excel for Macintosh): day 0 is
1904-01-01. A fraction is rounded to the millisecond, the precision of Excel itself.

A whole number from 1900 to 2100 may as well be a year, and is left to the reader of years.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from dx_pipeline.clean.time_texts import (
    DAY_US,
    FIRST_US,
    FIRST_YEAR,
    LAST_US,
    LAST_YEAR,
    NO_MOMENT,
    Ints,
    Moment,
    timestamps,
)
from dx_pipeline.contract.model import Column
from dx_pipeline.errors import ContractError

EPOCHS = (1900, 1904)
_SERIAL = r"[0-9]{1,5}(?:\.[0-9]{1,17})?"
_SERIAL_TEXT = re.compile(r"[0-9]{1,5}(?:[.,][0-9]{1,17})?", re.ASCII)
_DAY_ZERO = {  # days from 1970 to day 0
    1900: int(np.datetime64("1899-12-31").astype(int)),
    1904: int(np.datetime64("1904-01-01").astype(int)),
}
_NEVER_WAS = 60
_DAY_MS = 86_400_000


def check_epoch(column: Column) -> None:
    """ContractError if the option ``excel_epoch`` is no epoch of Excel."""
    epoch = column.options.get("excel_epoch")
    if epoch is not None and epoch not in EPOCHS:
        raise ContractError(
            f"column {column.name}, option excel_epoch: {epoch!r} is not known",
            next_step="write 1900 (Excel for Windows, nearly always) or 1904 (old Excel for Macintosh)",
        )


def serial_stage(epoch: int) -> Callable[[pa.Array], tuple[pa.Array, pa.Array] | None]:
    """Stage reader: serial numbers as naive timestamps; years (1900 to 2100) and impossible days stay unsettled."""

    def read(text: pa.Array) -> tuple[pa.Array, pa.Array] | None:
        fits = pc.match_substring_regex(text, f"^{_SERIAL}$")
        if not pc.any(fits).as_py():
            return None
        serials = pc.if_else(fits, text, pa.scalar(None, pa.string())).cast(pa.float64())
        return timestamps(_moments(serials.fill_null(-1.0).to_numpy(zero_copy_only=False), epoch))

    return read


def read_serial(text: str, epoch: int) -> Moment | None:
    """The moment of one serial number, also with a decimal comma; None if it is none or could be a year."""
    if not _SERIAL_TEXT.fullmatch(text):
        return None
    moment = int(_moments(np.array([float(text.replace(",", "."))]), epoch)[0])
    return None if moment == NO_MOMENT else Moment(moment, usual="," not in text)


def _moments(serials: npt.NDArray[np.float64], epoch: int) -> Ints:
    """Microseconds of local time since 1970; NO_MOMENT where there is none within 1900 to 2100."""
    ms = np.rint(serials * _DAY_MS).astype(np.int64)
    days = np.floor_divide(ms, _DAY_MS)
    good = serials >= (0 if epoch == 1904 else 1)
    good &= ~((serials >= FIRST_YEAR) & (serials <= LAST_YEAR) & (serials == np.floor(serials)))
    if epoch == 1900:
        good &= days != _NEVER_WAS
        ms = ms - np.where(days > _NEVER_WAS, _DAY_MS, 0)
    moments = ms * 1000 + _DAY_ZERO[epoch] * DAY_US
    good &= (moments >= FIRST_US) & (moments < LAST_US)
    return np.where(good, moments, NO_MOMENT)
