"""A standalone cluster of Apache Spark on this machine: one master, workers with one core each, a secret."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

import psutil

from tests.conftest import ROOT

HOST = "127.0.0.1"
_EXECUTOR = "org.apache.spark.executor.CoarseGrainedExecutorBackend"
_QUICK_START = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


class SparkCluster:
    """A running cluster; ``settings``: the variables of the environment that dx needs to use it."""

    def __init__(self, home: Path) -> None:
        example = (ROOT / "deploy" / "spark" / "spark-defaults.conf.example").read_text(encoding="utf-8")
        conf = home / "conf"
        conf.mkdir(parents=True)
        quick = "".join(f"spark.{side}.extraJavaOptions {_QUICK_START}\n" for side in ("driver", "executor"))
        (conf / "spark-defaults.conf").write_text(example.replace("change-me", token_hex(16)) + quick, encoding="utf-8")
        with socket.create_server((HOST, 0)) as free:
            self.port = free.getsockname()[1]
        self._home = home
        self._started: list[subprocess.Popen[bytes]] = []
        self._workers: list[subprocess.Popen[bytes]] = []
        self.settings = {
            "DX_SPARK_MASTER": f"spark://{HOST}:{self.port}",
            "SPARK_CONF_DIR": str(conf),
            "SPARK_LOCAL_IP": HOST,
        }

    def start(self, workers: int) -> None:
        self._launch("master", "master.Master", "--port", str(self.port))
        self._await_port()
        for number in range(workers):
            folder = self._home / f"worker-{number}"
            options = ("--cores", "1", "--memory", "1g", "--work-dir", str(folder), self.settings["DX_SPARK_MASTER"])
            self._workers.append(self._launch(f"worker-{number}", "worker.Worker", *options))

    def executors(self) -> list[psutil.Process]:
        """The Java processes that the workers have started for applications; a worker has others, for a moment."""
        children = [child for worker in self._workers for child in psutil.Process(worker.pid).children()]
        return [child for child in children if _EXECUTOR in _command(child)]

    def stop_workers(self) -> None:
        self._end(self._workers)

    def stop(self) -> None:
        self._end(list(reversed(self._started)))

    def _end(self, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _launch(self, name: str, role: str, *options: str) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            **self.settings,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_DAEMON_JAVA_OPTS": _QUICK_START,
        }
        with (self._home / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [
                    Path(sys.executable).parent / "spark-class",
                    f"org.apache.spark.deploy.{role}",
                    *("--host", HOST, "--webui-port", "0"),
                    *options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                cwd=self._home,
            )
        self._started.append(process)
        return process

    def _await_port(self) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                socket.create_connection((HOST, self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.1)
        raise TimeoutError(f"the Spark master does not listen: see {self._home / 'master.log'}")


def _command(process: psutil.Process) -> Sequence[str]:
    """Words of its command line; none if it has ended."""
    try:
        return process.cmdline()
    except psutil.Error:
        return ()


@contextmanager
def spark_cluster(home: Path, workers: int) -> Iterator[SparkCluster]:
    """A cluster that lives as long as the block."""
    cluster = SparkCluster(home)
    try:
        cluster.start(workers)
        yield cluster
    finally:
        cluster.stop()
