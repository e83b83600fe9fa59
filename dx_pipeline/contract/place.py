"""Where in a contract file we are, so that each refusal can say so; and the checks of single values."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

from dx_pipeline.errors import ContractError


class Place:
    """Where in which file we are, so that each refusal can say so."""

    def __init__(self, path: Path, inside: str = "") -> None:
        self.path = path
        self.inside = inside

    def at(self, part: str) -> Place:
        return Place(self.path, f"{self.inside}.{part}" if self.inside else part)

    def refuse(self, reason: str, next_step: str = "") -> NoReturn:
        where = f"{self.path} at {self.inside}" if self.inside else str(self.path)
        raise ContractError(
            f"contract {where}: {reason}",
            next_step=next_step or "mend the file; `dx contract check FILE` tells when it is right",
        )


def text_at(value: Any, place: Place) -> str:
    """A text that is not blank, without the spaces around it."""
    if not isinstance(value, str) or not value.strip():
        place.refuse("is missing or not a text")
    return value.strip()


def count_at(value: Any, place: Place) -> int:
    """A whole number from 0 up."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        place.refuse(f"is {value!r}, must be a whole number from 0 up")
    return value


def texts_at(value: Any, place: Place) -> tuple[str, ...]:
    """A list of texts that are not blank; empty if it is not given."""
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(text, str) and text.strip() for text in value):
        place.refuse('must be a list of texts, e.g. ["Tổng cộng", "Cộng"]')
    return tuple(value)
