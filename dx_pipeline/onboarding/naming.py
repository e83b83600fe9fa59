"""Canonical names from what sources call their tables and columns.

``Mã hồ sơ`` and ``MaHoSo`` both become ``ma_ho_so``: lower-case ASCII words joined by ``_``. Names that SQL, the
engine or the pipeline keep for themselves get the prefix ``src_``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

LONGEST_COLUMN = 50  # leaves room for the suffixes of the pipeline within PostgreSQL's 63 characters
_LONGEST_STAGE_TABLE = 51  # of system and dataset together: `__` and `__rejected` come with them
_LONGEST_SYSTEM = 20
_LETTERS = str.maketrans(
    {
        "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE",
        "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "þ": "th", "Þ": "Th", "ı": "i",
    }
)  # fmt: skip
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+\d*|[A-Z]+\d*|\d+")
_SUFFIXES = ("__unreadable", "__note", "_pseudonym", "__day")
ENGINE_COLUMNS = frozenset("row_hash first_batch_id last_batch_id loaded_at closed_on warnings".split())
# Reserved in PostgreSQL 18 (appendix C of its manual), and so not to be written without quotation marks.
_RESERVED = frozenset(
    """
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation
    column concurrently constraint create cross current_catalog current_date current_role current_schema current_time
    current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze
    from full grant group having ilike in initially inner intersect into is isnull join lateral leading left like limit
    localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing primary references
    returning right select session_user similar some symmetric system_user table tablesample then to trailing true union
    unique user using variadic verbose when where window with
    between bigint bit boolean char character coalesce dec decimal exists extract float greatest grouping inout int
    integer interval least national nchar none normalize nullif numeric out overlay position precision real row setof
    smallint substring time timestamp treat trim values varchar
    """.split()
)
# Schemas that are there already, or that PostgreSQL keeps.
_TAKEN_SCHEMAS = frozenset(
    "core core_partition mart mart_tally ops stage restricted reference public information_schema".split()
)


def name_words(text: str) -> tuple[str, ...]:
    """The words of a name in small ASCII letters, whether parted by signs or by capitals.

    >>> name_words("SoGiayToChuHoSo"), name_words("Mã TTHC"), name_words("ngày cập nhật")
    (('so', 'giay', 'to', 'chu', 'ho', 'so'), ('ma', 'tthc'), ('ngay', 'cap', 'nhat'))
    """
    plain = unicodedata.normalize("NFD", text.translate(_LETTERS))
    ascii_only = "".join(c if c.isascii() else " " for c in plain if not unicodedata.combining(c))
    return tuple(word.lower() for word in _WORD.findall(ascii_only))


def canonical_name(text: str, *, fallback: str = "unnamed", longest: int = LONGEST_COLUMN) -> str:
    """One canonical name; ``fallback`` where the text holds no Latin letter or digit."""
    name = "_".join(name_words(text)) or fallback
    if name[0].isdigit():
        name = f"n_{name}"
    name = name[:longest].rstrip("_")
    if name in _RESERVED or name in ENGINE_COLUMNS or name.endswith(_SUFFIXES):
        name = f"src_{name}".removesuffix("_pseudonym")
    return name


def canonical_columns(source_names: Sequence[str]) -> dict[str, str]:
    """Canonical names by source name, all different: a second ``ten`` becomes ``ten_2``."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for position, source_name in enumerate(source_names, start=1):
        name = unused_name(canonical_name(source_name, fallback=f"column_{position}"), taken)
        taken.add(name)
        names[source_name] = name
    return names


def unused_name(name: str, taken: Iterable[str]) -> str:
    """``name``, or ``name_2``, ``name_3`` ... if it is taken."""
    others = set(taken)
    candidate, number = name, 2
    while candidate in others:
        candidate, number = f"{name}_{number}", number + 1
    return candidate


def system_name(text: str) -> str:
    """Name of a source system, which is also the name of its schema in the warehouse."""
    name = canonical_name(text, fallback="source", longest=_LONGEST_SYSTEM)
    return f"src_{name}" if name in _TAKEN_SCHEMAS or name.startswith("pg_") else name


def dataset_name(text: str, system: str) -> str:
    """Name of a dataset; cut so that the stage table of system and dataset stays within 63 characters."""
    return canonical_name(text, fallback="dataset", longest=_LONGEST_STAGE_TABLE - len(system))
