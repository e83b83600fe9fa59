"""Imports Great Expectations without two libraries that only its drawings and statistics use.

``scipy.stats`` and ``altair`` are a third of the import of Great Expectations. They are put off with the standard
library's ``LazyLoader``: the first use of an attribute imports them after all, so nothing is missing.
"""

from __future__ import annotations

import importlib.util
import sys

_PUT_OFF = ("scipy.stats", "altair")


def import_great_expectations() -> None:
    """Import ``great_expectations`` once; the modules of the judge that use it then find it there."""
    if "great_expectations" not in sys.modules:
        for name in _PUT_OFF:
            _put_off(name)
    import great_expectations  # noqa: F401


def _put_off(name: str) -> None:
    if name in sys.modules:
        return
    parent, _, child = name.rpartition(".")
    specification = importlib.util.find_spec(name)
    if specification is None or specification.loader is None:
        return
    specification.loader = importlib.util.LazyLoader(specification.loader)
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    if parent:
        setattr(sys.modules[parent], child, module)
