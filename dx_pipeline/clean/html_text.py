"""Texts that a web form saved with its markup: tags go, entities become the characters they stand for.

Only for columns whose contract says so (option ``html``): elsewhere ``<`` and ``&`` are what they are.
"""

from __future__ import annotations

import html
import re

from dx_pipeline.clean.reading import Reader, Reading, tidy
from dx_pipeline.contract.model import Column
from dx_pipeline.errors import ContractError

_TAG = re.compile(r"<(?:/?[a-zA-Z][^<>]*|!--.*?--)>", re.DOTALL)
_BREAK = re.compile(r"</?(?:br|p|div|li|tr|td)\b[^<>]*>", re.IGNORECASE)

HTML_OPTION = {"html": "true: the texts may hold HTML; tags are taken out, entities read (default false)"}


def check_html(column: Column) -> None:
    """ContractError if the option ``html`` is neither true nor false."""
    wanted = column.options.get("html", False)
    if not isinstance(wanted, bool):
        raise ContractError(
            f"column {column.name}, option html: {wanted!r} is neither true nor false", next_step="write true or false"
        )


def without_html(text: str) -> str:
    """The text a reader of the page would see, on one line."""
    if "<" not in text and "&" not in text:
        return text
    seen = _TAG.sub("", _BREAK.sub(" ", text))
    return tidy(html.unescape(seen))[0]


def html_reader(reader: Reader) -> Reader:
    """A reader that takes the markup out first, with the note ``html``."""

    def read(text: str) -> Reading:
        plain = without_html(text)
        if plain == text:
            return reader(text)
        if not plain:
            return Reading(None, True, ("html",))
        reading = reader(plain)
        return Reading(reading.value, True, ("html", *reading.notes)) if reading.readable else reading

    return read
