"""What an HTTP system of the sandbox answers to one request: status, headers and a JSON document."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Record = dict[str, Any]
Data = Mapping[str, Sequence[Record]]


@dataclass(frozen=True)
class Answer:
    """One answer; the document is sent as JSON."""

    document: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


#: Path below the system's base, query and the system's lists → the answer; None if the path is not known.
Answers = Callable[[str, Mapping[str, str], Data], Answer | None]


def number(query: Mapping[str, str], name: str, default: int, most: int) -> int | None:
    """A whole number of the query, at least 0 and cut at ``most``; None if it is none."""
    text = query.get(name, str(default))
    return min(int(text), most) if text.isascii() and text.isdigit() else None
