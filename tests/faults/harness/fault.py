"""What a seed stands for: one fault, the datasets of the run it is done to, and the moment it strikes."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass

DOSSIERS, IDENTITIES, HOUSEHOLDS = "one_stop.ho_so", "eid", "poor_households"
EVERYTHING = (DOSSIERS, IDENTITIES, HOUSEHOLDS)
PREPARED = ("first", "next")  # a first load of the datasets, or the next load of a source that has changed since

STEPS = ("extracting", "half landed", "landed", "cleaning", "staging", "staged", "publishing", "published")
AT_RANDOM = "at random"

# Each kind with the datasets it may be done to; the moment is drawn where "when" is given.
TARGETS: dict[str, tuple[tuple[str, ...], ...]] = {
    "run killed": ((DOSSIERS,), (DOSSIERS, IDENTITIES), (HOUSEHOLDS,)),
    "run and its workers killed": ((DOSSIERS, IDENTITIES), (IDENTITIES,)),
    "workbook worker killed": ((IDENTITIES,),),
    "warehouse stopped": ((DOSSIERS,), (DOSSIERS, IDENTITIES), (HOUSEHOLDS,)),
    "warehouse session killed": ((DOSSIERS,), (HOUSEHOLDS,)),
    "source stopped": ((DOSSIERS,),),
    "connection cut": ((DOSSIERS,),),
    "source changed": ((DOSSIERS,), (HOUSEHOLDS,), (IDENTITIES,)),
    "disk full": ((DOSSIERS,), (DOSSIERS, IDENTITIES), (HOUSEHOLDS,)),
    "landing read-only": ((DOSSIERS,), (HOUSEHOLDS,)),
    "two runs": ((DOSSIERS,), (DOSSIERS, IDENTITIES), (HOUSEHOLDS,)),
    "clock moved": ((DOSSIERS,), (DOSSIERS, IDENTITIES)),
    "landed file lost": ((DOSSIERS,), (HOUSEHOLDS,)),
    "landed bit flipped": ((DOSSIERS,), (HOUSEHOLDS,)),
}
KINDS = tuple(TARGETS)


@dataclass(frozen=True)
class Fault:
    """One fault. Everything else about it (how many bytes, which signal) is drawn from ``randomness``."""

    seed: int
    kind: str
    prepared: str
    targets: tuple[str, ...]
    moment: str
    share: float
    """Of the time an undisturbed run takes, where the moment is a random one."""

    @property
    def name(self) -> str:
        when = f"{self.moment} {self.share:.2f}" if self.moment == AT_RANDOM else self.moment
        return "-".join([str(self.seed), self.kind, self.prepared, "+".join(self.targets), when]).replace(" ", "_")

    def randomness(self) -> random.Random:
        """The same numbers each time the fault is done."""
        return random.Random(f"{self.seed} {self.kind}")


def fault_of(seed: int) -> Fault:
    """The fault of a seed: the kinds take turns, so that any few seeds in a row meet all of them."""
    drawn = random.Random(seed)
    kind = KINDS[seed % len(KINDS)]
    return Fault(
        seed=seed,
        kind=kind,
        prepared=drawn.choice(PREPARED),
        targets=drawn.choice(TARGETS[kind]),
        moment=drawn.choice((*STEPS, AT_RANDOM, AT_RANDOM, AT_RANDOM)),
        share=round(drawn.random(), 2),
    )


def faults_to_do() -> list[Fault]:
    """``DX_FAULTS`` faults, from seed ``DX_FAULT_SEED`` up."""
    first = int(os.environ.get("DX_FAULT_SEED") or 1986)
    return [fault_of(first + number) for number in range(int(os.environ.get("DX_FAULTS") or 14))]
