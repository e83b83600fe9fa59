"""One fault from the beginning to the end: done, lifted, recovered from by a plain run, compared."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.faults.harness import clock, disks
from tests.faults.harness.fault import Fault
from tests.faults.harness.injectors import INJECTORS
from tests.faults.harness.recovery import differences, half_done, traces
from tests.faults.harness.scene import Told, Workshop

NEEDS_MOUNT = ("disk full", "landing read-only")
NEEDS_CLOCK = ("clock moved",)


@dataclass(frozen=True)
class Outcome:
    """Whether the fault met the run, and everything that is not as it must be."""

    fault: Fault
    struck: bool
    wrong: tuple[str, ...]


def cannot_be_done(fault: Fault) -> str | None:
    """Why this machine cannot do a fault; None if it can."""
    if fault.kind in NEEDS_MOUNT and not disks.may_mount():
        return "this user may not mount file systems: run as root"
    if fault.kind in NEEDS_CLOCK and clock.library() is None:
        return "there is no C compiler for the moved clock: apt-get install gcc libc6-dev"
    return None


def do_fault(fault: Fault, workshop: Workshop) -> Outcome:
    """Do it and look at what it left."""
    changes = fault.kind == "source changed"
    unchanged = workshop.reference(fault.prepared, fault.targets).star
    right = [unchanged]
    if changes:
        # The run may have read the source before it was changed, or after.
        right = [
            workshop.reference(fault.prepared, fault.targets, changed=when).star
            for when in ("before the run", "after the run")
        ]
    with workshop.scene(fault) as scene:
        if changes:
            scene.use(workshop.sources.own(fault.prepared))
        if fault.kind == "source stopped":
            scene.use(workshop.sources.own_server(fault.prepared, scene.home))
        told: Told = INJECTORS[fault.kind](scene, fault, fault.randomness())
        wrong = []
        if "Traceback" in told.output:
            wrong.append(f"a person was shown a traceback:\n{told.output}")
        if scene.server.address() is not None:
            broken = half_done(scene, workshop.before(fault.prepared), unchanged, *right)
            wrong += [f"half done after the fault: {table}" for table in broken]
        done = scene.dx("run", *fault.targets, check=False)
        if done.returncode != 0:
            wrong.append(f"the plain run after the fault exited {done.returncode}:\n{done.stdout}\n{done.stderr}")
        scene.open()
        wrong += [
            f"{table} is {found}, should be {' or '.join(map(str, allowed))}"
            for table, (found, allowed) in differences(scene, *right).items()
        ]
        wrong += [f"left behind, {what}: {marks}" for what, marks in traces(scene).items()]
        if wrong:
            wrong.append(f"the disturbed run exited {told.exit_code} and told:\n{told.output}")
            wrong.append(f"batches: {scene.batches()}")
    return Outcome(fault, told.struck, tuple(wrong))


def fail_if_wrong(outcome: Outcome) -> None:
    if outcome.wrong:
        repeat = f"DX_FAULTS=1 DX_FAULT_SEED={outcome.fault.seed} pytest tests/faults/test_random_faults.py"
        pytest.fail("\n".join([outcome.fault.name, *outcome.wrong, f"alone: {repeat}"]), pytrace=False)
