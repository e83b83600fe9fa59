"""Runs that fail in every way, and then: no password, token or key in any file, message, ledger row or event log."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import psycopg
import pytest

from dx_pipeline.warehouse.embedded import EmbeddedServer
from tests.conftest import Installation
from tests.faults.small_project import GOOD_ROWS, SmallProject
from tests.http_server import Reply, Request, serving

TOKEN = "Bi-Mat-T0ken-91c4e7"
ALERT_SECRETS = {"mail": "Thu-Mat-khau-55e0d1", "hook": "Moc-T0ken-0b77a2", "signature": "Ky-bang-khoa-c3d9f4"}
PASSWORDS = {name: f"Mat/Khau@{name}:9#%$ ü" for name in ("down", "refused", "mariadb", "broken")}
API = "{kind: http_json, path: /petitions, records: data.items}"


def echoing(request: Request) -> Reply:
    """A server that says back what it was sent, as debugging pages do."""
    sent = request.headers.get("Authorization", "")
    return Reply(f"<html>500: {sent} {request.path}</html>".encode(), 500, {"X-Debug": sent, "Retry-After": "0"})


_RUN_ALL = """
import json, sys, traceback
from typer.testing import CliRunner
from dx_pipeline.cli.main import app
for arguments in json.load(sys.stdin):
    done = CliRunner().invoke(app, arguments)
    print(arguments, done.exit_code, done.output)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        traceback.print_exception(done.exception, file=sys.stdout)
"""


def run_all(installation: Installation, *commands: list[str]) -> str:
    """All that several commands print, run in one process."""
    done = subprocess.run(
        [sys.executable, "-c", _RUN_ALL],
        input=json.dumps(commands),
        env=installation.environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return done.stdout + done.stderr


class Failed:
    """An installation whose runs have failed for every reason a secret could be told with."""

    def __init__(self, installation: Installation, server: EmbeddedServer, root: Path) -> None:
        self.installation = installation
        self.project = SmallProject(root)
        address = server.start()
        self.printed: list[str] = []
        self.secrets: dict[str, str] = {"token": TOKEN, **PASSWORDS, **ALERT_SECRETS}
        database = f"s_{uuid4().hex[:12]}"
        server.create_database(database)
        with psycopg.connect(address.url(database, "postgresql")) as connection:
            connection.execute("create schema motcua")
            connection.execute(
                'create view motcua.broken as select 1 / (random() * 0)::int as "Ma", 1 as "Ten", 1 as "SoTien"'
            )
            self.secrets["server"] = address.password
        for name in ("down", "refused", "broken"):
            self.project.add_table(name, name, "broken")
        self.project.add_table("mariadb", "mariadb", "broken")
        self.project.add_file("petitions", "petition", API)
        self.project.add_csv("good", "good", GOOD_ROWS)
        self.project.add_csv("wrongsql", "wrongsql", GOOD_ROWS)
        load = self.project.load("wrongsql", "wrongsql")
        self.project.replace(load, "s.title,", "(s.title || 'x')::integer as title,")
        written = {name: quote(password, safe="") for name, password in PASSWORDS.items()}
        with serving(echoing) as api:
            installation.environment |= {
                "DX_EXTRA_PROJECTS": str(root),
                "DX_CONNECTION_DOWN": f"postgresql://reader:{written['down']}@127.0.0.1:1/x",
                "DX_CONNECTION_REFUSED": f"postgresql://dx_admin:{written['refused']}@127.0.0.1:{address.port}/{database}",
                "DX_CONNECTION_BROKEN": address.url(database, "postgresql"),
                "DX_CONNECTION_MARIADB": f"mysql+pymysql://reader:{written['mariadb']}@127.0.0.1:1/x",
                "DX_CONNECTION_PETITIONS": api.url,
                "DX_CONNECTION_PETITIONS_TOKEN": TOKEN,
                "DX_ALERT_SMTP_HOST": "127.0.0.1",
                "DX_ALERT_SMTP_PORT": "1",
                "DX_ALERT_SMTP_USER": "dx",
                "DX_ALERT_SMTP_PASSWORD": ALERT_SECRETS["mail"],
                "DX_ALERT_FROM": "dx@tinh.example",
                "DX_ALERT_TO": "van-hanh@tinh.example",
                "DX_ALERT_WEBHOOK_URL": f"{api.url}/hook",
                "DX_ALERT_WEBHOOK_TOKEN": ALERT_SECRETS["hook"],
                "DX_ALERT_WEBHOOK_SECRET": ALERT_SECRETS["signature"],
                "DX_CONNECTION_GOOD": self.project.files.as_uri(),
                "DX_CONNECTION_WRONGSQL": self.project.files.as_uri(),
            }
            self.run = self.dx("run", "down", "refused", "broken", "petitions", "good", "wrongsql")
            self.printed.append(
                run_all(
                    installation,
                    *(["run", "--plan", "down", "refused", "petitions"], ["doctor"], ["status"], ["batches"], ["up"]),
                    *(["alerts", "show"], ["alerts", "test"], ["alerts", "check"]),
                    *(
                        ["audit"],
                        ["contract", "list"],
                        ["keys", "show"],
                        ["quarantine", "list"],
                        ["batches", "show", "1"],
                    ),
                )
            )
        for scheme in ("postgresql", "mysql"):
            wrong = Installation(installation.home)
            url = f"{scheme}://owner:{written['down']}@127.0.0.1:{address.port}/x"
            wrong.environment |= {**installation.environment, "DX_WAREHOUSE_URL": url}
            self.printed.append(run_all(wrong, ["status"], ["doctor"], ["run", "good"], ["backup", str(root / "none")]))
        self.dx("backup", str(root / "backup"))
        self.secrets["warehouse"] = (installation.home / "warehouse" / "password").read_text().strip()
        key = (
            json.loads((installation.home / "keys" / "pseudonym.json").read_text())["keys"]["1"]
            if self._has_key()
            else ""
        )
        if key:
            self.secrets |= {"key": key, "key in hex": base64.b64decode(key).hex()}

    def _has_key(self) -> bool:
        return (self.installation.home / "keys" / "pseudonym.json").exists()

    def dx(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = self.installation.dx(*arguments, check=False)
        self._keep(done)
        return done

    def _keep(self, done: subprocess.CompletedProcess[str]) -> None:
        self.printed += [done.stdout, done.stderr]

    def ledger(self) -> str:
        url = EmbeddedServer(self.installation.home, name="warehouse").start().url("dx_warehouse", "postgresql")
        with psycopg.connect(url) as connection:
            rows: list[Any] = []
            for table in (
                "batch",
                "rule_result",
                "quarantine",
                "operation",
                "read_audit",
                "migration",
                "stage_content",
                "alert",
                "alert_notice",
                "alert_channel",
            ):
                rows += connection.execute(f"select to_jsonb(t)::text from ops.{table} as t").fetchall()
        return "\n".join(row for (row,) in rows)

    def forms(self) -> dict[str, set[bytes]]:
        """Each secret as it is, quoted for a URL, in JSON, and in Base64 as an Authorization header has it."""
        return {
            name: {
                form.encode()
                for form in (
                    secret,
                    quote(secret, safe=""),
                    quote(secret),
                    json.dumps(secret)[1:-1],
                    base64.b64encode(secret.encode()).decode().rstrip("="),
                )
            }
            for name, secret in self.secrets.items()
        }


@pytest.fixture(scope="module")
def failed(
    make_installation: Callable[[], Installation],
    source_server: EmbeddedServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Failed:
    return Failed(make_installation(), source_server, tmp_path_factory.mktemp("failed") / "project")


def test_the_runs_failed_as_they_should(failed: Failed) -> None:
    """Else there would be nothing to find."""
    assert failed.run.returncode == 1
    told = failed.run.stderr
    for expected in ("system down cannot be reached", "password authentication failed", "division by zero", "HTTP 500"):
        assert expected in told, told
    for channel in (
        "smtp: the mail server gives no service: Connection refused",
        "webhook: the webhook answers HTTP 500",
    ):
        assert f"alerts by {channel}" in failed.run.stdout
    assert all(password not in told for password in PASSWORDS.values())
    assert len(failed.secrets) >= 7


def test_no_secret_is_printed(failed: Failed) -> None:
    printed = "\n".join(failed.printed).encode()
    assert len(printed) > 5_000
    assert [name for name, forms in failed.forms().items() if any(form in printed for form in forms)] == []


def test_no_secret_is_in_the_ledger(failed: Failed) -> None:
    ledger = failed.ledger().encode()
    assert b"password authentication failed" in ledger
    assert [name for name, forms in failed.forms().items() if any(form in ledger for form in forms)] == []


def test_no_secret_is_in_any_file_but_its_own(failed: Failed) -> None:
    home = failed.installation.home
    own = {home / "warehouse" / "password", home / "keys" / "pseudonym.json"}
    files = [path for path in [*home.rglob("*"), *failed.project.root.rglob("*")] if path.is_file() and path not in own]
    assert any(path.suffix == ".db" and "dagster" in path.parts for path in files), "no event log was searched"
    forms = failed.forms()
    found = []
    for path in files:
        content = path.read_bytes()
        found += [f"{name}: {path}" for name, texts in forms.items() if any(text in content for text in texts)]
    assert found == []


def test_what_fails_tells_the_place_and_no_value_of_a_row(failed: Failed) -> None:
    """The server says 'invalid input syntax for type integer: "Mộtx"'; a value may be a person's."""
    assert 'step at line 23: invalid input syntax for type integer: "…"' in failed.run.stderr
    logs = [path.read_bytes() for path in (failed.installation.home / "dagster").rglob("*") if path.is_file()]
    for told in ("Mộtx", "Haix", json.dumps("Mộtx")[1:-1]):
        assert told not in failed.run.stdout + failed.run.stderr + failed.ledger()
        assert not any(told.encode() in log for log in logs)


def test_private_files_are_private(failed: Failed) -> None:
    home = failed.installation.home
    for path in (home / "landing", home / "keys", home / "warehouse" / "password", home / "work"):
        if path.exists():
            assert path.stat().st_mode & 0o007 == 0, path
