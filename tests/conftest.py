"""Fixtures shared by all tests: real PostgreSQL servers, installations in temporary folders, the real data file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

os.environ["COLUMNS"] = "220"  # test workers set 80; a console takes it when dx_pipeline is imported

from dx_pipeline.warehouse.embedded import EmbeddedServer
from tests.warm_dx import WarmDx

ROOT = Path(__file__).resolve().parent.parent
REAL_DATA = Path(os.environ.get("DX_REAL_DATA") or ROOT.parent / "shared" / "real_data")


# A file is given to the next free core; what takes minutes is begun first, so that the last files are short.
SHORT = ("integration", "property", "unit")
LONGEST = ("test_one_stop_sandbox.py", "test_random_faults.py", "test_departments_sandbox.py", "test_backup_drill.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> tuple[int, int]:
    folder = item.path.parent.name
    return (
        SHORT.index(folder) + 1 if folder in SHORT else 0,
        LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST),
    )


@pytest.fixture(scope="session")
def server_home() -> Iterator[Path]:
    """A folder for servers, removed at the end of the session."""
    folder = Path(tempfile.mkdtemp(prefix="dx-test-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def source_server(server_home: Path) -> Iterator[EmbeddedServer]:
    """One PostgreSQL server that plays the departments' databases."""
    server = EmbeddedServer(server_home, name="source", settings={"fsync": "off", "shared_buffers": "128MB"})
    server.start()
    yield server
    server.stop("immediate")


@pytest.fixture
def source_url(source_server: EmbeddedServer) -> str:
    """URL of a new, empty PostgreSQL database."""
    name = f"t_{uuid4().hex[:12]}"
    source_server.create_database(name)
    return source_server.start().url(name)


_warm = WarmDx()


class Installation:
    """One ``DX_HOME`` and the ``dx`` command over it, run as a subprocess like a person would."""

    is_warm = True
    """Whether commands are forked from a process that has imported the judge, which spares each some seconds."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {**os.environ, "DX_HOME": str(home), "COLUMNS": "250", "PYTHONUNBUFFERED": "1"}
        self.environment.pop("DAGSTER_HOME", None)
        # Few rows are counted anew each time; tests shall see the marts of many.
        self.environment["DX_TALLIES_FROM_ROWS"] = "1000"

    def dx(self, *arguments: str, check: bool = True, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        """Run ``dx``; fails the test with its output if it exits non-zero and ``check`` is set."""
        done = _warm.run(arguments, self.environment, timeout=timeout) if self.is_warm else None
        done = done or subprocess.run(
            [sys.executable, "-m", "dx_pipeline.cli.main", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check and done.returncode != 0:
            pytest.fail(f"dx {' '.join(arguments)} exited {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def rows(self, statement: str) -> list[list[str]]:
        """Rows of one SQL statement, as text, without the header."""
        import csv
        import io

        done = self.dx("sql", "--format", "csv", statement)
        return list(csv.reader(io.StringIO(done.stdout)))[1:]

    def value(self, statement: str) -> str:
        """The single value of a statement."""
        return self.rows(statement)[0][0]


@pytest.fixture(scope="session")
def make_installation() -> Iterator[Callable[[], Installation]]:
    """Makes installations in new folders; their servers are stopped at the end of the session."""
    made: list[Installation] = []

    def make() -> Installation:
        installation = Installation(Path(tempfile.mkdtemp(prefix="dx-home-")))
        made.append(installation)
        return installation

    yield make
    for installation in made:
        installation.dx("down", check=False)
        shutil.rmtree(installation.home, ignore_errors=True)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real data files; tests that need it are skipped only where it does not exist."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"no real data folder at {REAL_DATA}")
    return REAL_DATA
