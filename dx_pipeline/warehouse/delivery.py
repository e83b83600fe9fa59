"""What a batch delivers, so that what it does not hold can be told from what it was never meant to hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

USUAL_BAND = 0.5  # of a contract that promises none: more than half of a part does not vanish unasked
WHOLE_BAND = 0.1  # of an incremental dataset that is read whole: it was read all along, so little can have vanished
Extent = Literal["all", "period", "part"]


@dataclass(frozen=True)
class Delivery:
    """A batch as its contract declares it.

    Attributes:
        extent: all that the source has, all of one period, or a part that says nothing of other rows.
        key: the contract's primary key, in its order.
        covers: contract columns; a delivery speaks for the values of these that it holds. Empty: for everything.
        window: of a period: its limits in the source's local time, and that time zone.
        read_from: when the reading began; rows that were published later were not there to be read.
        withdrawn: parts, as the scope column of the target writes them, that a person said were withdrawn: the delivery
            speaks for these although it holds no row of them, and the band does not apply.
        rejected: stage table of the rejected rows; they have not vanished.
        band: share of the open rows of a part that may vanish.
        mend: where the band is written and what to run then, for the message.
    """

    extent: Extent = "all"
    key: tuple[str, ...] = ()
    covers: tuple[str, ...] = ()
    window: tuple[str, str, str] | None = None
    read_from: datetime | None = None
    withdrawn: tuple[str, ...] = ()
    rejected: str | None = None
    band: float = USUAL_BAND
    mend: str = "widen volume.band in the contract and replay the batch"
