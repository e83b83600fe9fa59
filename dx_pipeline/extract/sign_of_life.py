"""How a reading tells that it goes on, to whoever waits for it (``orchestration.bounded_reading``).

Rows that arrive are a sign by themselves. A reader that works for long before its first row (an API whose pages must
all be counted first) calls ``still_alive`` between its steps.
"""

from __future__ import annotations

import threading
import time


class LeftBehindError(Exception):
    """Raised inside a reading that nobody waits for any more."""


class SignOfLife:
    """Tells how long ago a reading last brought something."""

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._is_left_behind = False

    def seen(self) -> None:
        """It goes on.

        Raises:
            LeftBehindError: too late.
        """
        if self._is_left_behind:
            raise LeftBehindError
        self._last = time.monotonic()

    def silence(self) -> float:
        """Seconds since the last sign."""
        return time.monotonic() - self._last

    def leave_behind(self) -> None:
        """Nobody waits any more."""
        self._is_left_behind = True


class _Reading(threading.local):
    life: SignOfLife | None = None


_reading = _Reading()


def begin(life: SignOfLife) -> None:
    """Signs of the reading in this thread go to ``life`` from now on."""
    _reading.life = life


def still_alive() -> None:
    """The reading of this thread, if it is one, goes on."""
    if _reading.life is not None:
        _reading.life.seen()
