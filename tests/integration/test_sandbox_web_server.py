"""The server of the sandbox's HTTP systems: it outlives its caller, is found again, asks for a token, stops by pid."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import urllib3

from dx_pipeline.sandbox.web.process import WebServer
from dx_pipeline.sandbox.web.serve import TURNED_AWAY
from dx_pipeline.warehouse.embedded_process import is_alive

REPORTS = [{"ma_pa": f"PA-{number}"} for number in range(5)]


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebServer]:
    server = WebServer(tmp_path / "web")
    server._folder.mkdir(parents=True)
    server.publish("field_reports", {"reports": REPORTS})
    yield server
    server.stop()


def ask(web: WebServer, path: str = "/reports?limit=2", token: str | None = None) -> urllib3.BaseHTTPResponse:
    headers = {"Authorization": f"Bearer {web.token('field_reports') if token is None else token}"}
    return urllib3.request("GET", web.url("field_reports") + path, headers=headers, retries=False, timeout=20)


def test_it_goes_on_after_the_process_that_started_it(web: WebServer) -> None:
    script = (
        "import sys; from pathlib import Path; from dx_pipeline.sandbox.web.process import WebServer;"
        "print(WebServer(Path(sys.argv[1])).url('field_reports'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(web._folder)], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == web.url("field_reports")
    answer = ask(web).json()
    assert (answer["code"], answer["total"], len(answer["data"])) == (0, 5, 2)
    found = web.address()
    assert found is not None
    assert found[0] != os.getpid()
    assert web.stop()
    assert not is_alive(found[0])
    assert not web.stop()


def test_the_port_stays_unless_somebody_else_has_it(web: WebServer) -> None:
    before = web.url("field_reports")
    web.stop()
    assert web.url("field_reports") == before
    web.stop()
    with socket.socket() as other:
        other.bind(("127.0.0.1", int(before.rsplit(":", 1)[1].split("/")[0])))
        other.listen(1)
        moved = web.url("field_reports")
        assert moved != before
        assert ask(web).status == 200


def test_two_callers_start_one_server(web: WebServer) -> None:
    script = (
        "import sys; from pathlib import Path; from dx_pipeline.sandbox.web.process import WebServer;"
        "web = WebServer(Path(sys.argv[1])); web.url('field_reports'); print(web.address()[0])"
    )
    command = [sys.executable, "-c", script, str(web._folder)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    pids = {one.communicate(timeout=120)[0].strip() for one in started}
    assert len(pids) == 1


def test_a_pid_that_is_another_process_now_is_not_ours(web: WebServer) -> None:
    state = web._folder / "server.json"
    state.write_text(json.dumps({"pid": os.getpid(), "port": 1}), encoding="utf-8")
    assert web.address() is None
    assert not web.stop()
    assert ask(web).status == 200


def test_token_paths_and_what_is_published_later(web: WebServer) -> None:
    assert ask(web, token="").status == 401
    assert ask(web, token="wrong").status == 401
    assert ask(web, "/nothing").status == 404
    assert ask(web, "/reports?limit=x").json()["code"] == 400
    assert len({web.token("field_reports"), web.token("service_centre")}) == 2
    assert (web._folder / "tokens.json").stat().st_mode & 0o077 == 0
    web.publish("field_reports", {"reports": REPORTS[:1]})
    assert ask(web).json()["total"] == 1


def test_some_requests_are_turned_away_and_the_next_one_is_not(web: WebServer) -> None:
    statuses = [ask(web).status for _ in range(40)]
    assert {200, 429, 503} >= set(statuses) >= {200, 429}
    assert all(one == 200 for before, one in pairwise(statuses) if before != 200)
    assert {status for _, status, _ in TURNED_AWAY} == {429, 503}


def test_a_folder_that_is_removed_leaves_no_server_behind(web: WebServer) -> None:
    web.url("field_reports")
    found = web.address()
    assert found is not None
    shutil.rmtree(web._folder)
    deadline = time.monotonic() + 30
    while is_alive(found[0]) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not is_alive(found[0])
