"""Is a missing column the new one under another name? Judged by name, by type and by the values of the same rows."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from dx_pipeline.extract.physical_type import compare_types

LIKE_NAME = 0.6
_LIKE_VALUES = 0.9  # enough without a like name
_UNLIKE_VALUES = 0.2  # too little, whatever the name says
_FEWEST_ROWS = 5
_FEWEST_VALUES = 3  # a column that holds one word everywhere is like any other such column


@dataclass(frozen=True)
class Rename:
    """A proposed rename; ``same_values``: share of compared rows with the same value, None if none was compared."""

    old: str
    new: str
    like_name: float
    same_values: float | None
    compared: int


def propose_renames(
    missing: Mapping[str, str],
    added: Mapping[str, str],
    key: Sequence[str],
    before: pa.Table | None,
    now: pa.Table | None,
) -> list[Rename]:
    """Pairs of a missing and a new column, the best first; each column is in one pair at most.

    Args:
        missing, added: type by name ("" if unknown); a pair of types that exclude each other is no rename.
        key: columns of both tables that tell which rows are the same; empty if the key itself is renamed.
        before, now: rows of the last landed batch and of the source today, as texts; None if there are none.
    """
    candidates = []
    for old, old_type in missing.items():
        for new, new_type in added.items():
            if old_type and new_type and compare_types(old_type, new_type) == "changed":
                continue
            pair = _compared(old, new, key, before, now)
            if _is_likely(pair, before, old):
                candidates.append(pair)
    candidates.sort(key=lambda pair: (-(pair.same_values or 0.0) - pair.like_name, pair.old, pair.new))
    chosen: list[Rename] = []
    for pair in candidates:
        if all(pair.old != other.old and pair.new != other.new for other in chosen):
            chosen.append(pair)
    return chosen


def _is_likely(pair: Rename, before: pa.Table | None, old: str) -> bool:
    enough = pair.same_values is not None and pair.compared >= _FEWEST_ROWS
    if enough and pair.same_values is not None:
        if pair.same_values <= _UNLIKE_VALUES:
            return False
        varied = before is not None and pc.count_distinct(before[old]).as_py() >= _FEWEST_VALUES
        if pair.same_values >= _LIKE_VALUES and varied:
            return True
    return pair.like_name >= LIKE_NAME


def _compared(old: str, new: str, key: Sequence[str], before: pa.Table | None, now: pa.Table | None) -> Rename:
    like_name = difflib.SequenceMatcher(None, _fold(old), _fold(new)).ratio()
    same, compared = 0, 0
    if before is not None and now is not None and old in before.column_names and new in now.column_names:
        if key and all(name in before.column_names and name in now.column_names for name in key):
            then = dict(zip(_keys(before, key), before[old].to_pylist(), strict=True))
            pairs = [
                (then[row], value)
                for row, value in zip(_keys(now, key), now[new].to_pylist(), strict=True)
                if row in then and (value is not None or then[row] is not None)
            ]
            same, compared = sum(left == right for left, right in pairs), len(pairs)
        else:  # without a key: how many of the smaller set of values the other one knows
            sets = [set(values.to_pylist()) - {None} for values in (before[old], now[new])]
            same, compared = len(sets[0] & sets[1]), min(map(len, sets))
    return Rename(old, new, like_name, same / compared if compared else None, compared)


def _keys(table: pa.Table, key: Sequence[str]) -> list[tuple[object, ...]]:
    return list(zip(*(table[name].to_pylist() for name in key), strict=True))


def _fold(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())
