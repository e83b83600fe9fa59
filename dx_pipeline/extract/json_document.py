"""JSON with nothing lost: numbers keep their text, a name given twice is refused, depth is bounded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

MISSING: Any = object()


class JsonNumber(str):
    """A number as it was written, ``1.10`` stays ``1.10``."""

    __slots__ = ()


class BadJsonError(ValueError):
    """The document is not JSON; the message says where, and shows nothing of it."""


def parse_json(body: bytes) -> Any:
    """The document; numbers are :class:`JsonNumber`.

    Raises:
        BadJsonError: not JSON (RFC 8259), not UTF-8, -16 or -32, a name twice in one object, too deep.
    """
    try:
        return json.loads(
            body,
            parse_int=JsonNumber,
            parse_float=JsonNumber,
            parse_constant=refuse_constant,
            object_pairs_hook=unique_object,
        )
    except json.JSONDecodeError as error:
        raise BadJsonError(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except UnicodeDecodeError as error:
        raise BadJsonError(f"byte {error.start} is not {error.encoding.upper()}") from None
    except RecursionError:
        raise BadJsonError("it is nested too deep") from None


def split_path(path: str) -> tuple[str, ...]:
    """The steps of a dotted path."""
    return tuple(path.split("."))


def found_at(document: Any, path: str, steps: tuple[str, ...]) -> Any:
    """The value at a path, or ``MISSING``; a name that holds the dots itself comes first.

    >>> found_at({"a": [{"b": "x"}]}, "a.0.b", ("a", "0", "b"))
    'x'
    """
    if isinstance(document, dict) and path in document:
        return document[path]
    value = document
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step, MISSING)
        elif isinstance(value, list) and step.isascii() and step.isdigit() and len(step) < 10:
            value = value[int(step)] if int(step) < len(value) else MISSING
        else:
            return MISSING
    return value


def text_of(value: Any) -> str | None:
    """A value as a column holds it: text, a number as written, true or false, a structure as compact JSON."""
    if value is None or value is MISSING:
        return None
    if isinstance(value, str):
        return str(value)
    if value is True:
        return "true"
    if value is False:
        return "false"
    return _structure(value)


def leaf_names(record: dict[str, Any], kept_whole: Iterable[str]) -> list[str]:
    """Dotted names of what a record holds; names in ``kept_whole`` are not looked into."""
    whole = frozenset(kept_whole)
    names: list[str] = []
    waiting = [("", record)]
    while waiting:
        prefix, found = waiting.pop()
        for key, value in found.items():
            name = f"{prefix}{key}"
            if isinstance(value, dict) and value and name not in whole:
                waiting.append((f"{name}.", value))
            else:
                names.append(name)
    return names


def column_names(record: dict[str, Any], columns: Sequence[str]) -> list[str]:
    """Dotted names of what a record holds, as a contract with these columns looks at it.

    A column that looks into a list ("items.0.code") is there although the list itself is the leaf.
    """
    found = leaf_names(record, columns)
    found += [name for name in columns if "." in name and found_at(record, name, split_path(name)) is not MISSING]
    return [name for name in found if name in columns or not any(c.startswith(f"{name}.") for c in columns)]


def _structure(value: Any) -> str:
    if isinstance(value, dict):
        return (
            "{" + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{_structure(v)}" for key, v in value.items()) + "}"
        )
    if isinstance(value, list):
        return "[" + ",".join(map(_structure, value)) + "]"
    return str(value) if isinstance(value, JsonNumber) else json.dumps(value, ensure_ascii=False)


def unique_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of which no name is given twice (BadJsonError)."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise BadJsonError("an object has the same name twice")
    return made


def refuse_constant(name: str) -> Any:
    """NaN and Infinity are no JSON (BadJsonError)."""
    raise BadJsonError(f"{name} is not JSON")
