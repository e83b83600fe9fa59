"""Column types as source databases write them, brought to one spelling and compared.

``character varying(50)``, ``VARCHAR(50)`` and ``varchar(50)`` are one type; a contract may use any of them.
"""

from __future__ import annotations

import re
from typing import Literal

ChangeKind = Literal["widened", "narrowed", "changed"]

_SYNONYMS = {
    "character varying": "varchar",
    "nvarchar": "varchar",
    "varchar2": "varchar",
    "nvarchar2": "varchar",
    "character": "char",
    "nchar": "char",
    "int8": "bigint",
    "int4": "integer",
    "int": "integer",
    "int2": "smallint",
    "float8": "double precision",
    "double": "double precision",
    "float4": "real",
    "bool": "boolean",
    "decimal": "numeric",
    "number": "numeric",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
    "time without time zone": "time",
    "time with time zone": "timetz",
}
_SHAPE = re.compile(r"^(?P<base>[^()]*)(?:\((?P<args>[^()]*)\)(?P<rest>[^()]*))?$")
_WHOLE_NUMBERS = ("tinyint", "smallint", "mediumint", "integer", "bigint")
_WHOLE_DIGITS = {"tinyint": 3, "smallint": 5, "mediumint": 7, "integer": 10, "bigint": 19}
_FLOATS = ("real", "double precision")
_TEXTS = ("char", "bpchar", "varchar", "text")
_TIMES = ("timestamp", "timestamptz", "time", "timetz", "datetime")


def normalise_type(text: str) -> str:
    """One spelling for a type name.

    >>> normalise_type("CHARACTER VARYING(50)"), normalise_type("timestamp(3) without time zone")
    ('varchar(50)', 'timestamp(3)')
    >>> normalise_type("int(11)"), normalise_type("BIGINT(20) UNSIGNED"), normalise_type("Decimal(12, 2)")
    ('integer', 'bigint unsigned', 'numeric(12,2)')
    """
    flat = " ".join(text.lower().split())
    if flat.endswith("[]"):
        return normalise_type(flat.removesuffix("[]")) + "[]"
    match = _SHAPE.match(flat)
    if match is None or flat.startswith(("enum(", "set(")):
        return flat
    words = f"{match['base']} {match['rest'] or ''}".split()
    unsigned = " unsigned" if "unsigned" in words else ""
    base = " ".join(word for word in words if word not in ("unsigned", "zerofill"))
    base = _SYNONYMS.get(base, base)
    arguments = [part.strip() for part in match["args"].split(",")] if match["args"] else []
    if base in _WHOLE_NUMBERS and not (base == "tinyint" and arguments == ["1"]):
        arguments = []  # MySQL's display width is not part of the type
    shown = f"({','.join(arguments)})" if arguments else ""
    return f"{base}{shown}{unsigned}"


def compare_types(was: str, now: str) -> ChangeKind | None:
    """How a column's type changed, or None if it is the same type.

    ``widened``: every old value fits the new type unchanged; ``narrowed``: the reverse; else ``changed``.
    """
    was, now = normalise_type(was), normalise_type(now)
    if was == now:
        return None
    fits_on, fits_back = _fits(was, now), _fits(now, was)
    if fits_on and fits_back:
        return None  # varchar without a length and text
    if fits_on:
        return "widened"
    return "narrowed" if fits_back else "changed"


def base_type(text: str) -> str:
    """The type without length, precision or sign: ``varchar(50)`` is ``varchar``."""
    normalised = normalise_type(text)
    return normalised.split("(")[0].split(" unsigned")[0]


def _fits(inner: str, outer: str) -> bool:
    """True if every value of type ``inner`` can be held by ``outer`` without a change."""
    if inner.endswith("[]") or outer.endswith("[]"):
        return inner.endswith("[]") and outer.endswith("[]") and _fits(inner[:-2], outer[:-2])
    base_in, args_in, sign_in = _parts(inner)
    base_out, args_out, sign_out = _parts(outer)
    if base_in in _TEXTS and base_out in _TEXTS:
        if base_out == "char" and base_in != "char":
            return False
        return not args_out or (bool(args_in) and args_in[0] <= args_out[0])
    if base_in in _WHOLE_NUMBERS and base_out in _WHOLE_NUMBERS:
        order = _WHOLE_NUMBERS.index(base_out) - _WHOLE_NUMBERS.index(base_in)
        if sign_in == sign_out:
            return order >= 0
        return sign_in and order > 0
    if base_in in _FLOATS and base_out in _FLOATS:
        return _FLOATS.index(base_in) <= _FLOATS.index(base_out)
    if base_out == "numeric":
        if base_in in _WHOLE_NUMBERS:
            return not args_out or args_out[0] - _scale(args_out) >= _WHOLE_DIGITS[base_in] + sign_in
        if base_in == "numeric":
            if not args_out or not args_in:
                return not args_out
            more_digits = args_out[0] - _scale(args_out) >= args_in[0] - _scale(args_in)
            return more_digits and _scale(args_out) >= _scale(args_in)
    if base_in == base_out and base_in in _TIMES and sign_in == sign_out:
        return not args_out or (bool(args_in) and args_in[0] <= args_out[0])
    return False


def _parts(text: str) -> tuple[str, tuple[int, ...], bool]:
    match = _SHAPE.match(text)
    if match is None:
        return text, (), False
    arguments = tuple(int(part) for part in (match["args"] or "").split(",") if part.strip().isdigit())
    base = match["base"].removesuffix(" unsigned")
    if base == "char" and not arguments:
        arguments = (1,)
    return base, arguments, "unsigned" in text


def _scale(arguments: tuple[int, ...]) -> int:
    return arguments[1] if len(arguments) > 1 else 0
