"""A Superset of this installation: its environment, its folder under ``DX_HOME``, and its server on 127.0.0.1."""

from __future__ import annotations

import hashlib
import os
import secrets
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import urllib3

from dx_pipeline.errors import DxError
from dx_pipeline.settings import PROJECT_ROOT, Settings
from dx_pipeline.warehouse.embedded_process import exclusive, is_alive, is_free_port, write_file

SOURCES = PROJECT_ROOT / "bi" / "superset"
ENVIRONMENT = PROJECT_ROOT / ".venv-superset"
ADMIN = "admin"
HOST = "127.0.0.1"
PORT = 8088
_START_SECONDS = 120
_STOP_SECONDS = 20


class SupersetError(DxError):
    """Superset is not installed, does not start, or refuses what is brought to it."""


@dataclass(frozen=True)
class SupersetServer:
    """The Superset of one ``DX_HOME``."""

    home: Path

    @classmethod
    def of(cls, settings: Settings) -> SupersetServer:
        return cls(settings.home / "superset")

    @property
    def password_file(self) -> Path:
        return self.home / "admin_password"

    @property
    def log(self) -> Path:
        return self.home / "superset.log"

    @property
    def address(self) -> str | None:
        """URL of the running server; None if it does not run."""
        state = self._state()
        return f"http://{HOST}:{state[1]}" if state else None

    def password(self) -> str:
        """The administrator's password.

        Raises:
            SupersetError: the server was never started.
        """
        try:
            return self.password_file.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            raise SupersetError(
                "the Superset of this installation was never started", next_step="dx bi superset up"
            ) from None

    def start(self, port: int | None = None) -> str:
        """Start it if it does not run, and give its URL; the first time its tables and administrator are made.

        Raises:
            SupersetError: not installed, the port is taken, or it does not come up.
        """
        if not is_installed():
            raise SupersetError(
                "Superset is not installed as bi/superset/requirements.lock says", next_step="dx bi superset install"
            )
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with exclusive(self.home / "lock", seconds=_START_SECONDS):
            running = self.address
            if running:
                return running
            if port is None:
                port = next((one for one in range(PORT, PORT + 200) if is_free_port(one)), None)
            if port is None or not is_free_port(port):
                raise SupersetError(f"port {port or PORT} is taken", next_step="dx bi superset up --port N")
            self._prepare()
            self._launch(port)
        return f"http://{HOST}:{port}"

    def stop(self) -> bool:
        """Stop it; False if it did not run."""
        state = self._state()
        if state is None:
            return False
        os.kill(state[0], signal.SIGTERM)
        end = time.monotonic() + _STOP_SECONDS
        while is_alive(state[0]) and time.monotonic() < end:
            time.sleep(0.1)
        if is_alive(state[0]):
            os.kill(state[0], signal.SIGKILL)
        (self.home / "server").unlink(missing_ok=True)
        return True

    def _prepare(self) -> None:
        """Tables, roles and administrator of the metadata, once per version of Superset."""
        if not (self.home / "secret_key").exists():
            write_file(self.home / "secret_key", secrets.token_urlsafe(42) + "\n")
        if not self.password_file.exists():
            write_file(self.password_file, secrets.token_urlsafe(18) + "\n")
        done, version = self.home / "prepared", _lock_hash()
        if done.exists() and done.read_text(encoding="ascii") == version:
            return
        made = subprocess.run(
            [_python(), SOURCES / "prepare.py"],
            input=self.password() + "\n",
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            write_file(self.log, made.stdout + made.stderr)
            raise SupersetError(
                f"Superset's own tables could not be made: {_last(made.stderr)}", next_step=f"see {self.log}"
            )
        write_file(done, version)

    def _launch(self, port: int) -> None:
        command: list[str | Path] = [
            ENVIRONMENT / "bin" / "gunicorn",
            "--bind",
            f"{HOST}:{port}",
            "--workers",
            "1",
            "--threads",
            "8",
        ]
        command += ["--timeout", "120", "--worker-class", "gthread", "superset.app:create_app()"]
        with self.log.open("ab") as log:
            server = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment(),
                start_new_session=True,
            )
        write_file(self.home / "server", f"{server.pid} {port}\n")
        end = time.monotonic() + _START_SECONDS
        http = urllib3.PoolManager(retries=False, timeout=5)
        while time.monotonic() < end:
            if server.poll() is not None:
                break
            try:
                if http.request("GET", f"http://{HOST}:{port}/health").status == 200:
                    return
            except urllib3.exceptions.HTTPError:
                time.sleep(0.3)
        self.stop()
        raise SupersetError(f"Superset does not answer on port {port}", next_step=f"see {self.log}")

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "DX_SUPERSET_HOME": str(self.home),
            "SUPERSET_CONFIG_PATH": str(SOURCES / "superset_config.py"),
            "FLASK_APP": "superset.app:create_app()",
            "PYTHONWARNINGS": "ignore",
        }

    def _state(self) -> tuple[int, int] | None:
        """Process and port of the running server."""
        try:
            pid, port = map(int, (self.home / "server").read_text(encoding="ascii").split())
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return (pid, port) if b"superset.app" in command and f":{port}".encode() in command and is_alive(pid) else None


def is_installed() -> bool:
    """Whether the environment is there and as the lock file says."""
    try:
        return (ENVIRONMENT / ".ready").read_text(encoding="ascii") == _lock_hash()
    except OSError:
        return False


def install() -> None:
    """Make the environment of its own and install what ``requirements.lock`` pins, by hash.

    Raises:
        SupersetError: pip failed.
    """
    steps: list[list[str | Path]] = [
        [sys.executable, "-m", "venv", ENVIRONMENT],
        [
            *(_python(), "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check"),
            *("--require-hashes", "--requirement", SOURCES / "requirements.lock"),
        ],
    ]
    for command in steps:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SupersetError(
                f"Superset could not be installed: {_last(done.stderr)}",
                next_step="check the network and the package index, then `dx bi superset install` again",
            )
    (ENVIRONMENT / ".ready").write_text(_lock_hash(), encoding="ascii")


def _python() -> Path:
    return ENVIRONMENT / "bin" / "python"


def _lock_hash() -> str:
    return hashlib.sha256((SOURCES / "requirements.lock").read_bytes()).hexdigest()


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip() and "WARNING" not in line]
    return (lines or ["it said nothing"])[-1][:300]
