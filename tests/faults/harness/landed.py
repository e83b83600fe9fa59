"""A landed file that is lost, or in which one bit is another: right after it was written, or long after."""

from __future__ import annotations

import random
import time
from pathlib import Path

import psycopg

from tests.faults.harness.fault import Fault
from tests.faults.harness.scene import Scene, Told

LOOK_SECONDS = 0.002
PATIENCE_SECONDS = 60.0


def break_landed_file(scene: Scene, fault: Fault, drawn: random.Random, *, how: str) -> Told:
    """Break the files of the batch that is just being written down as landed; its replay is refused too."""
    scene.open()
    run = scene.begin()
    struck = False
    deadline = time.monotonic() + PATIENCE_SECONDS
    with psycopg.connect(scene.url) as connection:
        while run.is_alive and time.monotonic() < deadline:
            found = connection.execute(
                "select landing from (select system || '/' || dataset || '/' || batch_id as landing"
                " from ops.batch where batch_id > %s and status = 'extracting' order by batch_id limit 1 for update) as b",
                [scene.last_batch_before],
            ).fetchone()
            if found is None:
                connection.rollback()
                time.sleep(LOOK_SECONDS)
                continue
            landed = scene.home / "landing" / found[0]
            while not landed.exists() and run.is_alive and time.monotonic() < deadline:
                time.sleep(LOOK_SECONDS)
            if landed.exists():
                _break(drawn.choice(sorted(landed.glob("part-*.parquet"))), drawn, how)
                struck = True
            connection.rollback()
            break
    output = run.output()
    if struck:
        told = f"{output}\n{scene.batches()}"
        assert run.exit_code == 0, f"the run did not read the source again:\n{told}"
        flat = " ".join(output.split())
        assert flat.count(f"is {how}") == 1, f"not told in one message that a landed file is {how}:\n{told}"
        _refuse_replay(scene, drawn, how)
    return Told(struck, run.exit_code, output)


def _refuse_replay(scene: Scene, drawn: random.Random, how: str) -> None:
    """The files of the batch that was published are broken too: nothing but their replay needs them, and it refuses."""
    batch, dataset, *_ = next(one for one in reversed(scene.batches()) if one[2] == "published")
    landed = scene.home / "landing" / dataset.replace(".", "/") / str(batch)
    _break(drawn.choice(sorted(landed.glob("part-*.parquet"))), drawn, how)
    refused = scene.dx("replay", str(batch), check=False)
    told = refused.stdout + refused.stderr
    assert refused.returncode == 1, told
    assert f"is {how}" in " ".join(told.split()), told


def _break(path: Path, drawn: random.Random, how: str) -> None:
    if how == "missing":
        path.unlink()
        return
    data = bytearray(path.read_bytes())
    place = drawn.randrange(len(data))
    data[place] ^= 1 << drawn.randrange(8)
    path.write_bytes(data)
