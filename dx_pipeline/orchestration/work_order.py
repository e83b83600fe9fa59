"""In which order one process works on the datasets of a run, and the Dagster priorities that say so.

First the catalogues that others look up, so that these find their members; then what is read whole, what a mart waits
for, and the largest, so that the run ends with little work. None waits for another but where a contract says
``dependsOn``: a load completes unknown members later.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable

from dx_pipeline.contract.catalog import load_order
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import LoadFileError
from dx_pipeline.warehouse.load_file import parse_load_file
from dx_pipeline.warehouse.marts import Mart

# Within a dataset: the next source is read before this batch is waited for, and what is judged is published at once.
_STEP = {"landing": 15, "core": 3, "stage": 1}
_PER_DATASET = 10
MART_PRIORITY = 1_000_000


def work_order(contracts: Iterable[Contract], marts: Iterable[Mart]) -> list[str]:
    """Dataset ids in the order they are landed, judged and published."""
    needed_by_marts = {name for mart in marts for name in mart.depends_on}
    by_id = {contract.id: contract for contract in contracts}
    names = load_order(by_id.values())
    filled, looked_up = _dimensions(by_id.values())
    return sorted(
        names,
        key=lambda name: (
            -max((looked_up[table] for table in filled.get(name, ())), default=0),
            by_id[name].load.mode != "snapshot",
            name not in needed_by_marts,
            -by_id[name].expected_rows,
            names.index(name),
        ),
    )


def _dimensions(contracts: Iterable[Contract]) -> tuple[dict[str, frozenset[str]], Counter[str]]:
    """The tables each dataset fills, and how many load files infer unknown members of a dimension."""
    filled: dict[str, frozenset[str]] = {}
    looked_up: Counter[str] = Counter()
    for contract in contracts:
        with contextlib.suppress(LoadFileError):  # the publishing step tells what is wrong with it
            load = parse_load_file(contract.load_path)
            filled[contract.id] = load.filled
            looked_up.update({str(step.target) for step in load.steps if step.merge == "infer"})
    return filled, looked_up


def step_priority(layer: str, position: int, datasets: int) -> int:
    """Dagster priority of a step of the dataset at that position of the work order."""
    return (datasets - position) * _PER_DATASET + _STEP[layer]
