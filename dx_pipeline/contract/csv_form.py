"""The forms in which a CSV file may come: encoding and delimiter, the usual one and those that other hands save it in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dx_pipeline.contract.place import Place


@dataclass(frozen=True)
class CsvForm:
    """Encoding and delimiter of a file."""

    encoding: str
    delimiter: str


def parse_further_forms(value: Any, place: Place) -> tuple[CsvForm, ...]:
    """``alsoSavedAs``: further forms a file may have; empty if it is not given."""
    if value is None:
        return ()
    known = {"encoding", "delimiter"}
    if not isinstance(value, list) or not all(isinstance(form, Mapping) and set(form) == known for form in value):
        place.refuse('must be a list of forms, e.g. [{encoding: utf-16, delimiter: "\\t"}]')
    return tuple(CsvForm(str(form["encoding"]), str(form["delimiter"])) for form in value)
