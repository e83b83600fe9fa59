"""Spares Great Expectations from working out the configuration of an expectation again and again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from great_expectations.expectations.expectation import Expectation

_settled = threading.local()


@contextmanager
def settled_configurations() -> Iterator[None]:
    """Within it and this thread, the configuration of an expectation is worked out once.

    ``Expectation.configuration`` makes a new object of the whole model each time it is looked at, and the validation of
    one rule looks some sixty times: half of what Great Expectations costs a batch. Nothing here changes an expectation.
    """
    _remember_configurations()
    outer = getattr(_settled, "known", None)
    _settled.known = {} if outer is None else outer
    try:
        yield
    finally:
        _settled.known = outer


def _remember_configurations() -> None:
    work_out: Any = vars(Expectation)["configuration"].fget
    if getattr(work_out, "remembers", False):
        return

    def configuration(self: Any) -> Any:
        known = getattr(_settled, "known", None)
        if known is None:
            return work_out(self)
        if id(self) not in known:
            known[id(self)] = self, work_out(self)  # with the expectation, so that its id stays its own
        return known[id(self)][1]

    configuration.remembers = True  # type: ignore[attr-defined]
    Expectation.configuration = property(configuration)  # type: ignore[method-assign,assignment]
