"""Imports Great Expectations without two libraries that only its drawings and statistics use.

``scipy.stats`` and ``altair`` are a third of the import of Great Expectations. They are put off: the first use of an
attribute imports them after all, so nothing is missing.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any

_PUT_OFF = ("scipy.stats", "altair")


class _PutOff(ModuleType):
    """A module that is filled when something is looked for in it.

    The standard library's ``LazyLoader`` is not enough: on Python 3.11 ``import altair as alt`` looks at the module's
    ``__spec__``, which already fills it.
    """

    def __getattr__(self, name: str) -> Any:
        specification = self.__dict__["__spec__"]
        self.__class__ = ModuleType  # type: ignore[assignment]
        specification.loader.exec_module(self)
        return getattr(self, name)


def import_great_expectations() -> None:
    """Import ``great_expectations`` once; the modules of the judge that use it then find it there."""
    if "great_expectations" in sys.modules:
        return
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
    module = importlib.util.module_from_spec(specification)
    module.__class__ = _PutOff
    sys.modules[name] = module
    if parent:
        setattr(sys.modules[parent], child, module)
