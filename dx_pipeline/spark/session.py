"""The session of this process on the cluster of ``DX_SPARK_MASTER``: opened by the first batch, closed at the end."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import socket
import sys
import time
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from dx_pipeline.errors import SparkUnavailable
from dx_pipeline.loopback import is_this_machine
from dx_pipeline.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_LOGGING = Path(__file__).with_name("log4j2.properties")
_ADDRESS = re.compile(r"([^,:/]+|\[[0-9A-Fa-f:]+\]):(\d+)")
_CONNECT_SECONDS = 5
_KEEP = "the landed rows are kept"
_guard = Lock()
_open: list[SparkSession] = []


def spark_session(settings: Settings) -> SparkSession:
    """The session of this process, with at least one executor.

    Raises:
        SparkUnavailable: PySpark or Java is not installed, the master does not answer, or gives no executor.
    """
    with _guard:
        if _open and not _is_alive(_open[0]):
            _open.pop().stop()
        if not _open:
            _open.append(_new_session(settings))
            atexit.register(close_session)
        return _open[0]


def close_session() -> None:
    """Give the executors back; the next batch opens a session of its own."""
    with _guard:
        while _open:
            _open.pop().stop()


def _is_alive(session: SparkSession) -> bool:
    """False once the cluster has ended the application, or the driver's Java process is gone."""
    try:
        return not session.sparkContext._jsc.sc().isStopped()
    except Exception:  # whatever Py4J says of a connection that is no more
        return False


def executors(session: SparkSession) -> int:
    """How many executors the session has at the moment; the driver counts as one if it works itself (``local``)."""
    context = session.sparkContext
    known = int(context._jsc.sc().getExecutorMemoryStatus().size())
    return known if str(context.master).startswith("local") else known - 1


def _new_session(settings: Settings) -> SparkSession:
    master = settings.spark_master
    if not master:
        raise SparkUnavailable(
            f"DX_SPARK_DATASETS names datasets, but DX_SPARK_MASTER is not set; {_KEEP}",
            next_step="set DX_SPARK_MASTER, e.g. spark://host:7077, or unset DX_SPARK_DATASETS, then run again",
        )
    try:
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError:
        raise SparkUnavailable(
            f"Apache Spark is not installed here; {_KEEP}",
            next_step="`make spark` installs the extra `spark` as pinned; or unset DX_SPARK_DATASETS",
        ) from None
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        raise SparkUnavailable(
            f"Apache Spark needs Java 17 or 21, which is not installed here; {_KEEP}",
            next_step="install a headless JRE (Debian: default-jre-headless) or set JAVA_HOME; or unset DX_SPARK_DATASETS",
        )
    host = _reachable(master)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # of the executors; Spark would take any python3
    log = settings.home / "logs" / "spark.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    builder = (
        SparkSession.builder.master(master)
        .appName("dx")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.driver.defaultJavaOptions", f"-Dlog4j2.configurationFile={_LOGGING} -Ddx.spark.log={log}")
    )
    if host is not None and is_this_machine(host):
        builder = builder.config("spark.driver.host", host).config("spark.driver.bindAddress", host)
    try:
        session = builder.getOrCreate()
    except (PySparkException, Py4JError) as error:
        raise SparkUnavailable(
            f"no Spark session on {master}: {_first_line(error)}; {_KEEP}",
            next_step=f"see {log}; master, workers and this machine need the same spark.authenticate.secret",
        ) from None
    _await_executor(session, master, settings.spark_patience_seconds)
    return session


def _reachable(master: str) -> str | None:
    """The first host of a standalone master that answers; None for other kinds of master, which Spark itself asks."""
    if not master.startswith("spark://"):
        return None
    reasons = []
    for host, port in _ADDRESS.findall(master.removeprefix("spark://")):
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_SECONDS).close()
            return str(host.strip("[]"))
        except OSError as error:
            reasons.append(f"{host}:{port} {error.strerror or error}")
    raise SparkUnavailable(
        f"the Spark master {master} does not answer ({'; '.join(reasons) or 'no host:port in it'}); {_KEEP}",
        next_step="start the master or correct DX_SPARK_MASTER; or take the dataset out of DX_SPARK_DATASETS",
    )


def _await_executor(session: SparkSession, master: str, patience: float) -> None:
    end = time.monotonic() + patience
    while executors(session) < 1:
        if time.monotonic() > end:
            session.stop()
            raise SparkUnavailable(
                f"the Spark master {master} gave no executor within {patience:g} seconds; {_KEEP}",
                next_step="start workers, or see whether other applications hold all their cores (spark.cores.max);"
                " DX_SPARK_PATIENCE_SECONDS allows more time",
            )
        time.sleep(0.2)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
