"""Spares Great Expectations from working out the configuration of an expectation again and again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from great_expectations.expectations.expectation import Expectation

_settled = threading.local()
_work_out: Any = vars(Expectation)["configuration"].fget


@contextmanager
def settled_configurations() -> Iterator[None]:
    """Within it and this thread, the configuration of an expectation is worked out once.

    ``Expectation.configuration`` makes a new object of the whole model each time it is looked at, and the validation of
    one rule looks some sixty times: half of what Great Expectations costs a batch. Nothing here changes an expectation.
    """
    outer = getattr(_settled, "known", None)
    _settled.known = {} if outer is None else outer
    try:
        yield
    finally:
        _settled.known = outer


def _configuration(expectation: Any) -> Any:
    known = getattr(_settled, "known", None)
    if known is None:
        return _work_out(expectation)
    if id(expectation) not in known:
        known[id(expectation)] = expectation, _work_out(expectation)  # with it, so that its id stays its own
    return known[id(expectation)][1]


Expectation.configuration = property(_configuration)  # type: ignore[method-assign,assignment]
