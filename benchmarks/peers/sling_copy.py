"""Sling: its command line, PostgreSQL to PostgreSQL, table by table. A bare copy."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from order import CopyOrder, tell
from sling_linux_amd64 import SLING_BIN

KEY, CURSOR, PERIOD = "Id", "NgayCapNhat", "NgayNopHoSo"


def main() -> None:
    order = CopyOrder.read()
    started = time.perf_counter()
    for table in order.tables:
        _copy(order, table)
    tell(time.perf_counter() - started)  # rows: counted in the target by who asked


def _copy(order: CopyOrder, table: str) -> None:
    # Addresses by environment, not by argument: they hold passwords.
    environment = {
        **os.environ,
        "SRC": f"{order.source}?sslmode=disable",
        "TGT": f"{order.target}?sslmode=disable",
        "SLING_DISABLE_TELEMETRY": "true",
        "SLING_HOME_DIR": order.state,
    }
    command = [SLING_BIN, "run", "--src-conn", "SRC", "--src-stream", f"motcua.{table}"]
    command += ["--tgt-conn", "TGT", "--tgt-object", f"{order.schema}.{table}"]
    if order.case == "first":
        command += ["--mode", "full-refresh"]
    elif order.case == "increment":
        command += ["--mode", "incremental", "--primary-key", KEY, "--update-key", CURSOR]
    else:
        low, high = order.month_bounds
        command += ["--mode", "backfill", "--primary-key", KEY, "--update-key", PERIOD, "--range", f"{low},{high}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"sling failed on {table}:\n{(done.stdout + done.stderr)[-3000:]}")


if __name__ == "__main__":
    main()
