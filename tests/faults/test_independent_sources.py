"""Eight sources in one run: what is down, hangs, has drifted or is slow holds none of the others, and the run ends."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.conftest import Installation
from tests.faults.messages import messages_of, the_message
from tests.faults.small_project import GOOD_ROWS, SmallProject
from tests.http_server import Reply, Request, serving
from tests.star import warehouse_url

CONNECT_SECONDS = 2
SILENCE_SECONDS = 12
SLOW_SECONDS = 10  # for each of two answers
ROWS = [{"Ma": "A1", "Ten": "Một", "SoTien": 100}, {"Ma": "A2", "Ten": "Hai", "SoTien": 200}]
API = "{kind: http_json, path: /so, records: data, paging: {style: none}}"

pytestmark = pytest.mark.timeout(300)


@contextmanager
def accepting_and_silent() -> Iterator[tuple[int, list[float]]]:
    """A server that takes every connection and never says a word: its port, and when it was called."""
    calls: list[float] = []
    held: list[socket.socket] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            calls.append(time.monotonic())
            held.append(connection)

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listening.getsockname()[1], calls
    finally:
        listening.close()
        for connection in held:
            connection.close()


class Together:
    """One ``dx run`` of all of them."""

    def __init__(self, installation: Installation, root: Path) -> None:
        project = SmallProject(root / "small")
        for system in ("aaa", "zzz"):  # before and after the others in every order of names
            project.add_csv(system, f"tot_{system}", GOOD_ROWS)
        for number in range(4):
            project.add_table("treo_pg", f"treo_{number}", f"treo_{number}")
        project.add_table("treo_my", "treo_my", "treo_my")
        project.add_file("treo_api", "treo_api", API)
        project.add_table("tat", "tat", "tat")
        project.add_csv("lech", "lech", "Ma,Ten\nA1,Một\n")
        project.add_file("cham", "cham", API)
        with accepting_and_silent() as (port, self.calls), serving(self._slowly) as slow:
            installation.environment |= {
                "DX_EXTRA_PROJECTS": str(project.root),
                "DX_SOURCE_CONNECT_SECONDS": str(CONNECT_SECONDS),
                "DX_SOURCE_SILENCE_SECONDS": str(SILENCE_SECONDS),
                **{f"DX_CONNECTION_{name}": project.files.as_uri() for name in ("AAA", "ZZZ", "LECH")},
                "DX_CONNECTION_TREO_PG": f"postgresql://doc:geheim@127.0.0.1:{port}/so",
                "DX_CONNECTION_TREO_MY": f"mysql://doc:geheim@127.0.0.1:{port}/so",
                "DX_CONNECTION_TREO_API": f"http://127.0.0.1:{port}",
                "DX_CONNECTION_TAT": "postgresql://doc:geheim@127.0.0.1:1/so",
                "DX_CONNECTION_CHAM": slow.url,
            }
            started = time.monotonic()
            self.done = installation.dx(
                "run", "aaa", "cham", "lech", "tat", "treo_api", "treo_my", "treo_pg", "zzz", check=False
            )
            self.seconds = time.monotonic() - started
        with psycopg.connect(warehouse_url(installation.home)) as connection:
            self.batches = {
                row[0]: row[1:]
                for row in connection.execute(
                    "select distinct on (dataset) dataset, status, published_at, landed_at, accepted from ops.batch"
                    " order by dataset, batch_id desc"
                )
            }

    @staticmethod
    def _slowly(_: Request) -> Reply:
        body = json.dumps({"data": ROWS}).encode()
        head = (
            f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {SLOW_SECONDS + len(body)}\r\n\r\n"
        )

        def trickle(connection: socket.socket) -> None:
            connection.sendall(head.encode())
            for _ in range(SLOW_SECONDS):
                time.sleep(1)
                connection.sendall(b" ")
            connection.sendall(body)

        return Reply(raw=trickle)


@pytest.fixture(scope="module")
def together(make_installation: Callable[[], Installation], tmp_path_factory: pytest.TempPathFactory) -> Together:
    return Together(make_installation(), tmp_path_factory.mktemp("independent"))


def test_the_healthy_ones_are_published(together: Together) -> None:
    published = {name: batch[3] for name, batch in together.batches.items() if batch[0] == "published"}
    assert published == {"tot_aaa": 3, "tot_zzz": 3, "cham": 2}


def test_they_do_not_wait_for_the_slow_one(together: Together) -> None:
    slow_landed = together.batches["cham"][2]
    assert together.batches["tot_aaa"][1] < slow_landed
    assert together.batches["tot_zzz"][1] < slow_landed


def test_the_run_ends_in_bounded_time(together: Together) -> None:
    """The API is waited for longest: half the silence, four times; the databases for their connection only."""
    assert together.done.returncode == 1
    assert together.seconds < 2 * SILENCE_SECONDS + 60


def test_one_message_for_each(together: Together) -> None:
    assert len(messages_of(together.done)) == 5
    silent = the_message(together.done, "treo_pg.treo_0")
    assert len(silent.assets) == 4, "a source of four datasets is told once"
    assert "the source of system treo_pg cannot be reached" in silent.what
    assert "timeout" in silent.what
    assert "the source of system treo_my cannot be reached" in the_message(together.done, "treo_my.treo_my").what
    assert f"no byte within {SILENCE_SECONDS // 2} seconds" in the_message(together.done, "treo_api.treo_api").what
    assert "the source of system tat cannot be reached" in the_message(together.done, "tat.tat").what
    assert "column SoTien is missing" in the_message(together.done, "lech.lech").what
    assert "geheim" not in together.done.stdout + together.done.stderr


def test_a_silent_source_is_not_asked_for_every_dataset(together: Together) -> None:
    """Two attempts each for PostgreSQL (four datasets) and MySQL; two answers of the API waited for, twice."""
    assert 2 + 2 + 2 <= len(together.calls) <= 2 + 2 + 4
