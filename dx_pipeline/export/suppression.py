"""Small cells hidden before publication, and enough others that no hidden one follows from what is shown.

A table is a tree: rows, and totals over them that are nested (commune and month, then district and month, then month). A row
or a total is hidden as a whole. An attacker knows what is shown, that every row stands for one case at least, and that a part
is no larger than its whole.

Why it holds: under a shown total the hidden ones below it share a remainder. With two or more of them, one may hold all of the
remainder but one case for each other hidden row, or no more than one case. So the whole of each moves by the remainder less
the number of hidden rows, and a part or a complement by that or by its own remainder, whichever is less. A family is left as
it is only where these are ``k`` or more. Where they are less, the next smallest one is hidden too; where nothing is left to
hide, the total is hidden, and it then needs company among the totals of its own level. A hidden total has a hidden row below
it, else it would be the sum of what is shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Key = tuple[object, ...]
Why = Literal["small", "company"]


@dataclass(frozen=True)
class Measures:
    """The judged counts; the first one is the whole of every row. ``wholes`` gives the whole of each part."""

    counts: tuple[str, ...]
    wholes: Mapping[str, str] = field(default_factory=dict)

    def vector(self, row: Mapping[str, int]) -> tuple[int, ...]:
        """Counts, then complements: everything that must not be known when it is small."""
        return (*(row[name] for name in self.counts), *(row[of] - row[part] for part, of in self.wholes.items()))


@dataclass
class Cell:
    """A row of the lowest level or a total, with all that lies below it."""

    level: int
    key: Key
    vector: tuple[int, ...]
    children: list[Cell] = field(default_factory=list)
    hidden: Why | None = None


@dataclass
class Suppressed:
    """What may be shown: hidden keys of each level, the lowest first, with the reason; and all cells of each level."""

    levels: list[dict[Key, Cell]]

    def hidden(self, level: int) -> dict[Key, Why]:
        """Hidden cells of a level."""
        return {key: cell.hidden for key, cell in self.levels[level].items() if cell.hidden is not None}

    def counts(self, level: int) -> Counter[str]:
        """How many cells of a level are shown, hidden as small, hidden as company."""
        return Counter(cell.hidden or "shown" for cell in self.levels[level].values())


def suppress(
    rows: Mapping[Key, Mapping[str, int]], measures: Measures, *, totals: Sequence[Sequence[int]], k: int
) -> Suppressed:
    """Judge all cells.

    Args:
        rows: counts by key. The keys are all of one length.
        totals: for each level of totals, the positions of the key it keeps; each within the one before.
        k: the smallest count that may be shown.
    """
    levels: list[dict[Key, Cell]] = [{key: Cell(0, key, measures.vector(row)) for key, row in rows.items()}]
    before = tuple(range(len(next(iter(rows), ()))))
    for number, kept in enumerate(totals, start=1):
        if not set(kept) <= set(before):
            raise ValueError(f"totals {list(kept)} are not within {list(before)}")
        places = [before.index(position) for position in kept]
        parents: dict[Key, Cell] = {}
        for cell in levels[-1].values():
            key = tuple(cell.key[place] for place in places)
            parent = parents.setdefault(key, Cell(number, key, (0,) * len(cell.vector)))
            parent.children.append(cell)
            parent.vector = tuple(a + b for a, b in zip(parent.vector, cell.vector, strict=True))
        levels.append(parents)
        before = tuple(kept)
    for level in levels:
        for cell in level.values():
            if min(cell.vector) < k:
                cell.hidden = "small"
    root = Cell(len(levels), (), (), list(levels[-1].values()))
    _settle(root, k)
    return Suppressed(levels)


def _settle(root: Cell, k: int) -> None:
    """Hide more until every family holds; each round hides at least one more cell, so it ends."""
    while sum(_settle_family(cell, k) for cell in _parents(root)):
        pass


def _parents(cell: Cell) -> list[Cell]:
    """Cells with children, from the lowest level up; the root stands for no total and is left out."""
    found = [one for child in cell.children for one in _parents(child)]
    return [*found, cell] if cell.children and cell.vector else found


def _settle_family(parent: Cell, k: int) -> bool:
    """Make one family safe; whether anything was hidden."""
    hidden = [child for child in parent.children if child.hidden]
    shown = sorted((child for child in parent.children if not child.hidden), key=_size)
    if parent.hidden:
        if not hidden:
            _hide(shown[0])
        return not hidden
    if not hidden:
        return False
    changed = False
    while not _is_safe(hidden, k):
        if not shown:
            parent.hidden = "company"
            return True
        _hide(shown[0])
        hidden.append(shown.pop(0))
        changed = True
    return changed


def _is_safe(hidden: Sequence[Cell], k: int) -> bool:
    """Whether each of the hidden may still be many things although their sum is known."""
    if len(hidden) < 2:
        return False
    unknown = [leaf for cell in hidden for leaf in _unknown_leaves(cell)]
    sums: list[int] = [sum(values) for values in zip(*(leaf.vector for leaf in unknown), strict=True)]
    return sums[0] - len(unknown) >= k and min(sums) >= k


def _unknown_leaves(cell: Cell) -> list[Cell]:
    """Hidden rows below a hidden cell that no shown total in between holds together."""
    if not cell.children:
        return [cell]
    return [leaf for child in cell.children if child.hidden for leaf in _unknown_leaves(child)]


def _hide(cell: Cell) -> None:
    """Hide a cell and, so that it is not the sum of what is shown below it, the smallest one of each level below."""
    cell.hidden = "company"
    if cell.children and not any(child.hidden for child in cell.children):
        _hide(min(cell.children, key=_size))


def _size(cell: Cell) -> tuple[int, ...]:
    return cell.vector
