"""An installation whose ``dx`` runs in this process: many commands in little time, on a real warehouse."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from click.testing import Result
from typer.testing import CliRunner

from dx_pipeline.cli.main import app
from dx_pipeline.orchestration import process
from dx_pipeline.settings import get_settings
from dx_pipeline.warehouse.embedded import EmbeddedServer
from dx_pipeline.warehouse.ledger import Batch

_CACHES = (get_settings, process.get_catalog, process.own_look_ahead)


class InProcess:
    """A project folder and its warehouse."""

    def __init__(self, url: str) -> None:
        self.url = url

    def forget(self) -> None:
        """Read settings and contracts again at the next command, as a new process would."""
        if (opened := process.forget_warehouse()) is not None:
            opened.close()
        for cached in _CACHES:
            cached.cache_clear()

    def run(self, dataset_id: str) -> Batch:
        """Land, judge and publish what the source holds now."""
        road, contract = process.get_road(), process.get_catalog().contract(dataset_id)
        landed = road.land(contract, run_id=None)
        return road.publish(contract, road.stage(contract, landed).batch).batch

    def replay(self, dataset_id: str, batch_id: int) -> Batch:
        road, contract = process.get_road(), process.get_catalog().contract(dataset_id)
        landed = road.replay(contract, batch_id, run_id=None)
        return road.publish(contract, road.stage(contract, landed).batch).batch

    def dx(self, *arguments: str, code: int = 0) -> Result:
        """Run ``dx``; fails the test if it exits otherwise."""
        done = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "220"})
        assert done.exit_code == code, f"{done.output}\n{done.exception!r}"
        return done

    def ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement, values or None).fetchall()


@contextmanager
def in_process(server: EmbeddedServer, root: Path, connections: Mapping[str, str]) -> Iterator[InProcess]:
    """An empty warehouse over the project folder; ``connections``: URL by name of the system."""
    name = f"w_{uuid4().hex[:12]}"
    server.create_database(name)
    url = server.start().url(name, "postgresql")
    settings = {f"DX_CONNECTION_{system.upper()}": place for system, place in connections.items()}
    with over_warehouse(url, root / "home", {**settings, "DX_EXTRA_PROJECTS": str(root)}) as made:
        yield made


@contextmanager
def over_warehouse(url: str, home: Path, settings: Mapping[str, str]) -> Iterator[InProcess]:
    """A warehouse that is there already; ``settings``: further variables of the environment."""
    settings = {"DX_HOME": str(home), "DX_WAREHOUSE_URL": url, **settings}
    before = {key: os.environ.get(key) for key in settings}
    os.environ.update(settings)
    made = InProcess(url)
    made.forget()
    try:
        yield made
    finally:
        made.forget()
        for key, value in before.items():
            os.environ.pop(key, None) if value is None else os.environ.update({key: value})
