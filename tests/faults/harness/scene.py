"""Where a fault is done: an installation copied from a prepared one, its source, and what it must come to."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Literal
from uuid import uuid4

import psycopg

from dx_pipeline.clean.pseudonym import PseudonymKeys
from dx_pipeline.settings import Settings
from dx_pipeline.warehouse.embedded import EmbeddedServer
from tests.conftest import Installation
from tests.faults.harness.fault import EVERYTHING, Fault
from tests.faults.harness.link import Link
from tests.faults.harness.source import Source, Sources, copy_folder
from tests.faults.runs import Run
from tests.star import star_checksums, warehouse_url

NEEDED = ("groups", "thu_tuc", "linh_vuc", "ngay_nghi", "thay_doi_muc_do_thu_tuc")  # what dossiers refer to
RECOVERY_SECONDS = 60.0
Star = dict[str, tuple[int, str]]
SourceChanged = Literal["never", "before the run", "after the run"]


@dataclass(frozen=True)
class Reference:
    """An undisturbed run: the star it left, how long it took, how many bytes the source sent."""

    star: Star
    seconds: float
    bytes_from_source: int


@dataclass(frozen=True)
class Told:
    """How the disturbed run ended. ``struck``: whether the fault met it while it was running."""

    struck: bool
    exit_code: int | None
    output: str


class Scene(Installation):
    """One installation of its own, with its source behind a link."""

    is_warm = False  # what is left of a command is found by its name

    def __init__(self, home: Path, source: Source, targets: tuple[str, ...]) -> None:
        super().__init__(home)
        self.source = source
        self.targets = targets
        self.link = Link(lambda: self.source.port())
        self.environment |= source.environment(self.link.port)
        self.server = EmbeddedServer(home, name="warehouse")
        self.seconds_undisturbed = 0.0
        self.bytes_undisturbed = 0
        self.cleanup = ExitStack()
        self.url = ""
        self.last_batch_before = 0

    def use(self, source: Source) -> None:
        """Read another source from now on."""
        self.source = source
        self.environment |= source.environment(self.link.port)

    def open(self) -> None:
        """Start the warehouse, unless something else did."""
        self.url = warehouse_url(self.home)
        with psycopg.connect(self.url) as connection:
            found = connection.execute("select coalesce(max(batch_id), 0) from ops.batch").fetchone()
        self.last_batch_before = int(found[0]) if found else 0

    def begin(self, environment: dict[str, str] | None = None) -> Run:
        """A run of the scene's datasets, in the background."""
        chosen = Installation(self.home)
        chosen.environment = {**self.environment, **(environment or {})}
        return Run(chosen, "run", *self.targets)

    def star(self) -> Star:
        url = warehouse_url(self.home)
        _wait_for_recovery(url)
        return star_checksums(url)

    def batches(self) -> list[tuple[int, str, str, str | None]]:
        """Number, dataset, status and message of every batch that began in the scene."""
        with psycopg.connect(warehouse_url(self.home)) as connection:
            return connection.execute(
                "select batch_id, system || '.' || dataset, status, message from ops.batch where batch_id > %s order by 1",
                [self.last_batch_before],
            ).fetchall()


class Workshop:
    """Prepares installations once, hands out copies, and knows what undisturbed runs come to."""

    def __init__(self, province: Installation, folder: Path) -> None:
        self._folder = folder
        self.sources = Sources(province, folder)
        self._guard = Lock()
        self._references: dict[tuple[str, tuple[str, ...], SourceChanged], Reference] = {}
        self._reference_guards: dict[tuple[str, tuple[str, ...], SourceChanged], Lock] = {}
        self._before: dict[str, Star] = {}
        self._prepare()

    def before(self, prepared: str) -> Star:
        """The star of a prepared installation."""
        return self._before[prepared]

    @contextmanager
    def scene(self, fault: Fault, source: Source | None = None) -> Iterator[Scene]:
        """A copy of the fault's prepared installation, its warehouse not started yet."""
        chosen = source or self.sources.shared(fault.prepared)
        with self._copy(fault.prepared, chosen, fault.targets) as scene:
            reference = self.reference(fault.prepared, fault.targets)
            scene.seconds_undisturbed, scene.bytes_undisturbed = reference.seconds, reference.bytes_from_source
            yield scene

    def reference(self, prepared: str, targets: tuple[str, ...], *, changed: SourceChanged = "never") -> Reference:
        """What undisturbed runs come to: one, over a source that a later hour has changed or not, or one of each.

        The last two differ: what was read and has vanished since stays, closed; what was never read does not.
        """
        key = (prepared, targets, changed)
        with self._guard:
            guard = self._reference_guards.setdefault(key, Lock())
        with guard:
            if key not in self._references:
                source = self.sources.shared(prepared, changed=changed == "before the run")
                with self._copy(prepared, source, targets) as scene:
                    self._references[key] = _undisturbed(scene)
                    if changed == "after the run":
                        scene.use(self.sources.shared(prepared, changed=True))
                        self._references[key] = _undisturbed(scene)
        return self._references[key]

    def _prepare(self) -> None:
        first = self._folder / "prepared_first"
        source = self.sources.shared("first")
        with self._opened(Scene(first, source, tuple(f"one_stop.{name}" for name in NEEDED))) as scene:
            scene.dx("run", *scene.targets)
            PseudonymKeys.load(Settings(home=first).keys_path)  # one key for all copies, or their stars would differ
            scene.open()
            self._before["first"] = scene.star()
            scene.server.stop()
        with self._copy("first", source, EVERYTHING) as scene:
            self._before["next"] = _undisturbed(scene).star
            scene.server.stop()
            scene.home.rename(self._folder / "prepared_next")

    @contextmanager
    def _copy(self, prepared: str, source: Source, targets: tuple[str, ...]) -> Iterator[Scene]:
        home = self._folder / f"scene_{uuid4().hex[:8]}" / "home"
        copy_folder(self._folder / f"prepared_{prepared}", home)
        # A port of its own: a run whose server is down must not find another copy's, which has the same password.
        (home / "warehouse" / "port").unlink()
        try:
            with self._opened(Scene(home, source, targets)) as scene:
                yield scene
        finally:
            shutil.rmtree(home.parent, ignore_errors=True)

    @contextmanager
    def _opened(self, scene: Scene) -> Iterator[Scene]:
        try:
            yield scene
        finally:
            scene.link.close()
            if scene.server.is_running():
                scene.server.stop("immediate")
            scene.cleanup.close()


def _wait_for_recovery(url: str) -> None:
    """A server that lost a session to SIGKILL takes a second or two to recover; a run may end before it has."""
    deadline = time.monotonic() + RECOVERY_SECONDS
    while True:
        try:
            psycopg.connect(url).close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def _undisturbed(scene: Scene) -> Reference:
    scene.open()
    started = time.monotonic()
    scene.dx("run", *scene.targets)
    seconds = time.monotonic() - started
    return Reference(scene.star(), seconds, scene.link.bytes_from_source)


def fault_workers() -> int:
    """How many faults are done at once."""
    return int(os.environ.get("DX_FAULT_WORKERS") or 2)
