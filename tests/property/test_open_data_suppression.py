"""Whatever the table and its totals are, no hidden cell follows from what is published.

The attacker is a linear program: from every shown row and total, and what rows and parts are, it computes how small and how
large each hidden count may be. The two must lie ``k`` apart.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from dx_pipeline.export.suppression import Key, Measures, Suppressed, suppress

K = 5
COUNTS = ("cases", "online", "paid")
CHAIN = Measures(COUNTS, {"online": "cases", "paid": "online"})
SIDE_BY_SIDE = Measures(COUNTS, {"online": "cases", "paid": "cases"})
TOTALS = ((0, 1), (0,), ())
SIZES = st.one_of(st.integers(1, 9), st.integers(5, 60))
KEYS = st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 3))


@st.composite
def tables(draw: st.DrawFn) -> tuple[dict[Key, dict[str, int]], Measures]:
    """Up to 14 rows of three keys; of each row's cases some are online, of those or of all some are paid."""
    measures = draw(st.sampled_from([CHAIN, SIDE_BY_SIDE]))
    found: dict[Key, dict[str, int]] = {}
    for key in draw(st.lists(KEYS, unique=True, min_size=1, max_size=14)):
        row = {"cases": draw(SIZES)}
        for part, whole in measures.wholes.items():
            row[part] = draw(st.integers(0, row[whole]))
        found[key] = row
    return found, measures


def widths(rows: Mapping[Key, Mapping[str, int]], measures: Measures, judged: Suppressed) -> list[float]:
    """How far each hidden count, and each hidden complement, can move against all that is known."""
    keys = list(rows)
    size = len(keys)
    members: list[tuple[int, Key, list[int]]] = [(0, key, [at]) for at, key in enumerate(keys)]
    for number, kept in enumerate(TOTALS[: len(judged.levels) - 1], start=1):
        for total in judged.levels[number]:
            inside = [at for at, key in enumerate(keys) if tuple(key[p] for p in kept) == total]
            members.append((number, total, inside))
    known, values, hidden = [], [], []
    for level, key, inside in members:
        lines = {}
        for offset, name in enumerate(COUNTS):
            lines[name] = np.zeros(len(COUNTS) * size)
            lines[name][[at + offset * size for at in inside]] = 1
        if key in judged.hidden(level):
            hidden += [*lines.values(), *(lines[of] - lines[part] for part, of in measures.wholes.items())]
            continue
        known += lines.values()
        values += [sum(rows[keys[at]][name] for at in inside) for name in COUNTS]
    one = {name: np.eye(len(COUNTS) * size)[offset * size : (offset + 1) * size] for offset, name in enumerate(COUNTS)}
    parts = np.vstack([one[part] - one[of] for part, of in measures.wholes.items()])
    bounds = [(1, None)] * size + [(0, None)] * (len(COUNTS) - 1) * size
    found = []
    for line in hidden:
        ends = []
        for sign in (1, -1):
            answer = linprog(
                sign * line,
                A_ub=parts,
                b_ub=np.zeros(len(parts)),
                A_eq=np.array(known) if known else None,
                b_eq=values or None,
                bounds=bounds,
            )
            assert answer.status in (0, 3), answer.message
            ends.append(np.inf if answer.status == 3 else sign * answer.fun)
        found.append(ends[1] - ends[0] if np.isfinite(ends[1]) else np.inf)
    return found


@settings(max_examples=40, deadline=None)
@given(drawn=tables(), levels=st.integers(0, 3))
def test_no_hidden_cell_can_be_computed(drawn: tuple[dict[Key, dict[str, int]], Measures], levels: int) -> None:
    rows, measures = drawn
    judged = suppress(rows, measures, totals=TOTALS[:levels], k=K)
    for level in judged.levels:
        assert all(cell.hidden or min(cell.vector) >= K for cell in level.values())
    assert all(width >= K - 1e-6 for width in widths(rows, measures, judged))


def test_a_single_small_row_takes_the_next_smallest_with_it() -> None:
    rows = {("a",): 3, ("b",): 20, ("c",): 8, ("d",): 40}
    counts = {key: {"cases": value} for key, value in rows.items()}
    judged = suppress(counts, Measures(("cases",)), totals=[()], k=5)
    assert judged.hidden(0) == {("a",): "small", ("c",): "company"}  # 3 + 8 - 2 rows = 9, which is 5 or more
    assert judged.hidden(1) == {}


def test_nothing_small_hides_nothing() -> None:
    counts = {(place, month): {"cases": 10 + place} for place in range(4) for month in range(3)}
    judged = suppress(counts, Measures(("cases",)), totals=[(1,), ()], k=5)
    assert [judged.counts(level) for level in range(3)] == [{"shown": 12}, {"shown": 3}, {"shown": 1}]
