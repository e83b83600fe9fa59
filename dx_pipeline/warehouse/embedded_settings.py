"""Settings of the embedded PostgreSQL server: a warehouse that one node loads in bulk.

They go to one file, rewritten at every start, that first includes what ``initdb`` chose; so an
upgrade of the product takes effect and ``alter system`` still has the last word.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from dx_pipeline.errors import SettingsError

MIB = 1024 * 1024

_SETTING_NAME = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?", re.ASCII)

# Where the server listens and how it admits people is what makes it safe to run: not for overriding.
_FIXED = frozenset(
    {
        "config_file",
        "data_directory",
        "hba_file",
        "ident_file",
        "listen_addresses",
        "password_encryption",
        "port",
        "unix_socket_directories",
    }
)


def server_settings(
    overrides: Mapping[str, str],
    *,
    memory_bytes: int,
    has_lz4: bool,
    shared_memory_bytes: int,
) -> dict[str, str]:
    """The settings of one server: the warehouse's defaults with ``overrides`` laid over them.

    Args:
        overrides: setting name -> value, as in ``postgresql.conf``.
        memory_bytes: memory this machine (or container) may use.
        has_lz4: whether this build of PostgreSQL can compress with lz4.
        shared_memory_bytes: size of ``/dev/shm``.

    Raises:
        SettingsError: an override has a malformed name or value, or is fixed for safety.
    """
    settings = {
        # A table filled in the transaction that made it is not written to the WAL.
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "wal_compression": "lz4" if has_lz4 else "pglz",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "autovacuum_naptime": "3min",  # not in the middle of a load of some minutes
        # Published means on disk.
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "max_connections": "60",
        "shared_buffers": f"{_clamp(memory_bytes // 16, 128 * MIB, 1024 * MIB) // MIB}MB",
        "work_mem": "64MB",
        "maintenance_work_mem": "256MB",
        "jit": "off",
        "timezone": "Asia/Ho_Chi_Minh",
        "log_timezone": "Asia/Ho_Chi_Minh",
        "password_encryption": "scram-sha-256",
        # Rows hold personal data; the log must not.
        "log_destination": "stderr",
        "log_line_prefix": "%m [%p] %u@%d ",
        "log_statement": "none",
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
    }
    if shared_memory_bytes < 512 * MIB:
        # Containers give /dev/shm 64 MB; parallel queries would fail with "no space left on device".
        settings["dynamic_shared_memory_type"] = "mmap"
    for name, value in overrides.items():
        if name in _FIXED:
            raise SettingsError(
                f"embedded server: the setting {name} is fixed",
                next_step="leave it out; for a server of your own set DX_WAREHOUSE_URL",
            )
        if not _SETTING_NAME.fullmatch(name) or not value.isprintable():
            raise SettingsError(
                f"embedded server: the setting {name!r} has a malformed name or value",
                next_step="give a PostgreSQL setting name in lower case and a value on one line",
            )
        settings[name] = value
    return settings


def render_settings(settings: Mapping[str, str], *, base: str) -> str:
    """Text of the settings file; ``base`` is the file to include first, relative to it."""
    lines = [
        "# Viết lại mỗi lần khởi động; đừng sửa ở đây | Rewritten at every start; do not edit here",
        f"include {_quoted(base)}",
        *(f"{name} = {_quoted(value)}" for name, value in settings.items()),
    ]
    return "\n".join(lines) + "\n"


def usable_memory() -> int:
    """Bytes of memory of this machine, or of its container when that has a lower limit."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(limit).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if text.isdigit():
            total = min(total, int(text))
    return total


def shared_memory_size() -> int:
    """Bytes ``/dev/shm`` can hold; 0 where there is none."""
    try:
        found = os.statvfs("/dev/shm")
    except OSError:
        return 0
    return found.f_blocks * found.f_frsize


def _clamp(value: int, lowest: int, highest: int) -> int:
    return max(lowest, min(value, highest))


def _quoted(value: str) -> str:
    """A value of ``postgresql.conf``, where quotes are doubled and backslashes escape."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
