"""OpenLineage events of a real road: to a file, to an HTTP receiver, and to one that is not there."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from dx_pipeline.contract.catalog import load_catalog
from dx_pipeline.errors import DxError
from dx_pipeline.lineage.graph import build_graph
from dx_pipeline.lineage.open_lineage import LineageEmitter
from dx_pipeline.orchestration.road import Road
from dx_pipeline.settings import PROJECT_ROOT, Settings
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.embedded import EmbeddedServer
from dx_pipeline.warehouse.migrate import migrate
from tests.faults.small_project import GOOD_ROWS, SmallProject


class Receiver:
    """An HTTP server that keeps what is posted to it."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.keys: set[str | None] = set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.keys.add(self.headers.get("Authorization"))
                receiver.events.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(201)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


class Lineage:
    def __init__(self, project: SmallProject, warehouse: Warehouse, home: Path) -> None:
        self.project, self.warehouse, self.home = project, warehouse, home
        self.warnings: list[str] = []

    def road(self, **settings: Any) -> Road:
        chosen = Settings(home=self.home, extra_projects=(self.project.root,), **settings)
        catalog = load_catalog((self.project.root,))
        migrate(self.warehouse, (PROJECT_ROOT, self.project.root))
        emitter = LineageEmitter(
            chosen, self.warehouse.url, lambda: build_graph(catalog.contracts.values(), []), self.warnings.append
        )
        return Road(chosen, self.warehouse, catalog, lineage=emitter)

    def go(self, **settings: Any) -> None:
        road = self.road(**settings)
        contract = road.catalog.contract("books.book")
        road.publish(contract, road.stage(contract, road.land(contract, run_id=None)).batch)


@pytest.fixture
def lineage(source_server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lineage]:
    name = f"w_{tmp_path.name.lower()[-30:].replace('-', '_')}"
    source_server.create_database(name)
    warehouse = Warehouse(make_url(source_server.start().url(name)))
    project = SmallProject(tmp_path / "project")
    project.add_csv("books", "book", GOOD_ROWS)
    monkeypatch.setenv("DX_CONNECTION_BOOKS", project.files.as_uri())
    yield Lineage(project, warehouse, tmp_path / "home")
    warehouse.close()


def test_a_published_batch_is_a_start_and_a_complete_event_in_a_file(lineage: Lineage) -> None:
    lineage.go()
    (file,) = (lineage.home / "lineage").glob("openlineage-*.ndjson")
    start, complete = (json.loads(line) for line in file.read_text(encoding="utf-8").splitlines())
    assert (start["eventType"], complete["eventType"]) == ("START", "COMPLETE")
    assert start["run"]["runId"] == complete["run"]["runId"]
    assert complete["job"]["name"] == "books.book"
    (read,) = complete["inputs"]
    assert (read["namespace"], read["name"]) == ("dx-source://books", "book.csv")
    assert {one["assertion"]: one["success"] for one in read["inputFacets"]["dataQualityAssertions"]["assertions"]} == {
        "code_missing": True, "code_conflict": True, "amount_unreadable": True,
    }  # fmt: skip
    (written,) = complete["outputs"]
    assert written["name"].endswith(".small.book")
    assert written["outputFacets"]["outputStatistics"]["rowCount"] == 3
    fields = written["facets"]["columnLineage"]["fields"]
    assert [(one["name"], one["field"]) for one in fields["amount"]["inputFields"]] == [("book.csv", "SoTien")]
    assert "password" not in file.read_text(encoding="utf-8").lower()


def test_a_failed_batch_is_told_as_failed_with_its_reason(lineage: Lineage, receiver: Receiver) -> None:
    lineage.project.write_csv("book", "Ma,Ten\nA1,Một\n")
    receiver.events.clear()
    with pytest.raises(DxError):
        lineage.go(lineage=receiver.url, lineage_api_key=SecretStr("geheim"))
    assert [event["eventType"] for event in receiver.events] == ["START", "FAIL"]
    assert "SoTien" in receiver.events[1]["run"]["facets"]["errorMessage"]["message"]
    assert receiver.keys == {"Bearer geheim"}


def test_a_receiver_that_is_not_there_is_told_of_once_and_stops_nothing(lineage: Lineage) -> None:
    road = lineage.road(lineage="http://127.0.0.1:9")
    contract = road.catalog.contract("books.book")
    for _ in range(2):
        published = road.publish(contract, road.stage(contract, road.land(contract, run_id=None)).batch).batch
        assert published.status == "published"
    assert len(lineage.warnings) == 1
    assert lineage.warnings[0].startswith("lineage events cannot be sent")


def test_off_is_off(lineage: Lineage) -> None:
    lineage.go(lineage="off")
    assert not list((lineage.home / "lineage").glob("*")) if (lineage.home / "lineage").exists() else True
