"""Let a peer copy tables, as a process in its own venv, and count in the target what it brought."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.installation import Source, Target
from benchmarks.measurement import Timed, run_timed

PEERS = Path(__file__).parent / "peers"


@dataclass(frozen=True)
class Peer:
    """A script of ``peers/`` and how it is called."""

    name: str
    script: str
    cases: tuple[str, ...]
    """Cases beyond the first load that it knows for one table."""
    slow: bool = False
    tuned: bool = False

    @property
    def schema(self) -> str:
        """Where its copies go."""
        return "peer_" + self.script.split("_")[0] + ("_tuned" if self.tuned else "")


DLT = Peer("dlt, pyarrow backend", "dlt_copy.py", ("increment", "month"))
DLT_TUNED = Peer("dlt, tuned", "dlt_copy.py", (), tuned=True)
SLING = Peer("Sling", "sling_copy.py", ("increment", "month"))
PANDAS = Peer("pandas read_sql/to_sql", "pandas_copy.py", (), slow=True)
PEER_COPIES = (DLT, DLT_TUNED, SLING, PANDAS)


def copy_with(
    peer: Peer, python: Path, source: Source, target: Target, tables: Sequence[str], case: str, month: str
) -> tuple[Timed, int]:
    """Run the peer once; it and the rows of its tables in the target afterwards."""
    schema, state = peer.schema, target.home / peer.schema
    if case == "first":
        shutil.rmtree(state, ignore_errors=True)
        drop_copy(peer, target)
    state.mkdir(exist_ok=True)
    environment = {
        **os.environ,
        "BENCH_SOURCE": source.admin_uri,
        "BENCH_TARGET": target.peers_uri,
        "BENCH_SCHEMA": schema,
        "BENCH_TABLES": ",".join(tables),
        "BENCH_CASE": case,
        "BENCH_MONTH": month,
        "BENCH_STATE": str(state),
        "BENCH_TUNED": "1" if peer.tuned else "0",
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }
    timed = run_timed([python, PEERS / peer.script], environment, target.home)
    with psycopg.connect(target.peers_uri) as connection:
        rows = 0
        for table in tables:
            found = connection.execute(f'select count(*) from {schema}."{table}"'.encode()).fetchone()
            rows += int(found[0]) if found else 0
    return timed, rows


def drop_copy(peer: Peer, target: Target) -> None:
    """Give the disk back."""
    with psycopg.connect(target.peers_uri, autocommit=True) as connection:
        for schema in (peer.schema, f"{peer.schema}_staging"):
            connection.execute(f"drop schema if exists {schema} cascade".encode())
