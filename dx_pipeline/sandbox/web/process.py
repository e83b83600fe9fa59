"""Starts, finds and stops the one server of the HTTP systems; it goes on after the process that started it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import dx_pipeline
from dx_pipeline.errors import DxError, SettingsError
from dx_pipeline.sandbox.web.apis import base_path
from dx_pipeline.sandbox.web.serve import HOST, STATE, TOKENS
from dx_pipeline.settings import write_private_file
from dx_pipeline.warehouse.embedded_process import OsUser, exclusive, is_alive, launch

MODULE: Final = "dx_pipeline.sandbox.web.serve"
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 20.0


class WebServer:
    """The server over one folder: any process may start, use and stop it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self.log = self._folder / "server.log"

    def publish(self, system: str, lists: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Write what a system holds; a running server answers with it from its next request on."""
        write_private_file(self._folder / f"{system}.json", json.dumps(lists, ensure_ascii=False))

    def token(self, system: str) -> str:
        """The token that a system asks for, made at the first call."""
        path = self._folder / TOKENS
        known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        if system not in known:
            known[system] = secrets.token_urlsafe(24)
            write_private_file(path, json.dumps(known))
        return known[system]

    def url(self, system: str) -> str:
        """Where a system is read; the server is started unless it runs.

        Raises:
            SettingsError: it cannot be started; the message has the last lines of its log.
        """
        return f"http://{HOST}:{self._start()}{base_path(system)}"

    def stop(self) -> bool:
        """Stop the server and wait for its end; False if it was not running."""
        if not self._folder.is_dir():
            return False
        with exclusive(self._folder / "lock", seconds=_START_SECONDS):
            found = self._running()
            if found is None:
                return False
            pid = found[0]
            for number in (signal.SIGTERM, signal.SIGKILL):
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
                deadline = time.monotonic() + _STOP_SECONDS
                while self._serves(pid) and time.monotonic() < deadline:
                    time.sleep(0.02)
                if not self._serves(pid):
                    return True
            raise SettingsError(f"the sandbox's HTTP server (process {pid}) does not end", next_step="end it by hand")

    def address(self) -> tuple[int, int] | None:
        """Process and port of the running server, None if it does not run."""
        return self._running()

    def _start(self) -> int:
        self._folder.mkdir(parents=True, exist_ok=True)
        with exclusive(self._folder / "lock", seconds=_START_SECONDS):
            found = self._running()
            if found is not None:
                return found[1]
            former = self._state()
            command = [sys.executable, "-m", MODULE, str(self._folder), str(former[1] if former else 0)]
            user = OsUser(os.getuid(), os.getgid(), switch=False)
            self.log.unlink(missing_ok=True)
            root = Path(dx_pipeline.__file__).resolve().parents[1]
            try:
                pid = launch(command, user, log=self.log, environment={"PYTHONPATH": str(root)})
            except DxError as error:
                raise SettingsError(
                    f"the sandbox's HTTP server cannot be started: {error.what}", next_step=error.next_step
                ) from None
            deadline = time.monotonic() + _START_SECONDS
            while time.monotonic() < deadline and is_alive(pid):
                found = self._running()
                if found is not None and found[0] == pid:
                    return found[1]
                time.sleep(0.02)
        said = self.log.read_text(encoding="utf-8", errors="replace").strip()[-400:] if self.log.exists() else ""
        raise SettingsError(
            f"the sandbox's HTTP server did not start: {said or 'it said nothing'}", next_step=f"read {self.log}"
        )

    def _state(self) -> tuple[int, int] | None:
        try:
            state = json.loads((self._folder / STATE).read_text(encoding="utf-8"))
            return int(state["pid"]), int(state["port"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _running(self) -> tuple[int, int] | None:
        state = self._state()
        return state if state is not None and self._serves(state[0]) else None

    def _serves(self, pid: int) -> bool:
        """Whether the process is our server over this folder, and no other that got its number since."""
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return is_alive(pid) and MODULE.encode() in arguments and os.fsencode(self._folder) in arguments
