"""34 provinces on two hosts: each is brought its month once, also when a host dies in the middle and comes back."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import dagster as dg
import psycopg
import pytest
from sqlalchemy.engine import make_url

from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.embedded import EmbeddedServer
from dx_pipeline.warehouse.migrate import migrate
from tests.conftest import ROOT
from tests.faults.small_project import SmallProject
from tests.network_hosts import Network, NetworkHost, network, why_not

BIN = Path(sys.executable).parent
CODES = (
    "01 04 08 11 12 14 15 19 20 22 24 25 31 33 37 38 40 42 44 46 48 51 52 56 66 68 75 79 80 82 86 91 92 96"
).split()  # the 34 provinces since 1 July 2025
HALF = 17
MAY, JUNE = "2024-05-01", "2024-06-01"
PORT = 4266
ROWS = 40  # of a province in each month


@dataclass
class Province:
    code: str
    warehouse: str


class Installation:
    """The hub with Dagster's state and its daemon, and two hosts with a code server each."""

    def __init__(self, net: Network, folder: Path, project: Path, dagster_url: str) -> None:
        self.folder = folder
        self.dagster_home = folder / "dagster"
        self.dagster_home.mkdir()
        (self.dagster_home / "dagster.yaml").write_text(
            _quicker((ROOT / "deploy/hosts/dagster.yaml").read_text("utf-8"))
        )
        self.hosts = {"host1": net.add_host(), "host2": net.add_host()}
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("DX_", "DAGSTER_"))},
            "DX_HOME": str(folder / "home"),
            "DAGSTER_HOME": str(self.dagster_home),
            "DX_DAGSTER_URL": dagster_url,
            "DX_EXTRA_PROJECTS": str(project),
            "DX_PROVINCES": str(folder / "provinces"),
            "DAGSTER_DISABLE_TELEMETRY": "1",
        }
        workspace = (ROOT / "deploy/hosts/workspace.yaml").read_text("utf-8")
        for name, address in (("host1", "10.0.0.11"), ("host2", "10.0.0.12")):
            assert address in workspace
            workspace = workspace.replace(address, self.hosts[name].address)
        self.workspace = folder / "workspace.yaml"
        self.workspace.write_text(workspace, encoding="utf-8")
        self._started: list[subprocess.Popen[bytes]] = []

    def start_code_server(self, name: str) -> None:
        """As the unit in deploy/ does, on that host."""
        unit = (ROOT / "deploy/hosts/dx-code-provinces.service").read_text(encoding="utf-8")
        (command,) = re.findall(r"^ExecStart=/opt/dx/\.venv/bin/(.*)$", unit, re.MULTILINE)
        here = CODES[:HALF] if name == "host1" else CODES[HALF:]
        variables = {
            "DX_CODE_LOCATION": name,
            "DX_CODE_ADDRESS": self.hosts[name].address,
            "DX_PROVINCES_HERE": ",".join(here),
        }
        for variable, value in variables.items():
            command = command.replace(f"${{{variable}}}", value)
        program, *arguments = command.split()
        self._started.append(
            self.hosts[name].start(
                [BIN / program, *arguments], {**self.environment, **variables}, self.folder / f"{name}.log"
            )
        )

    def start_daemon(self) -> None:
        with (self.folder / "daemon.log").open("ab") as log:
            self._started.append(
                subprocess.Popen(
                    [BIN / "dagster-daemon", "run", "--workspace", self.workspace],
                    env=self.environment,
                    cwd=self.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
            )

    def begin_launch(self, location: str, month: str, last: str | None = None) -> subprocess.Popen[bytes]:
        """`dagster job launch` over the provinces of a host, or from its first to ``last``."""
        codes = CODES[:HALF] if location == "host1" else CODES[HALF:]
        tags = {
            "dagster/asset_partition_range_start": f"{month}|{codes[0]}",
            "dagster/asset_partition_range_end": f"{month}|{last or codes[-1]}",
        }
        options = ["-w", self.workspace, "-l", location, "-j", "so_provinces", "--tags", json.dumps(tags)]
        with (self.folder / "launch.log").open("ab") as log:
            return subprocess.Popen(
                [BIN / "dagster", "job", "launch", *options],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def stop(self) -> None:
        for process in self._started:
            process.kill()
            process.wait()


def _quicker(configuration: str) -> str:
    """The example with seconds where it has minutes."""
    for name, seconds in (
        ("user_code_failure_retry_delay", 3),
        ("settle_seconds", 4),
        ("poll_interval_seconds", 2),
        ("free_slots_after_run_end_seconds", 1),
    ):
        configuration, found = re.subn(rf"(\b{name}: )\d+", rf"\g<1>{seconds}", configuration)
        assert found == 1, name
    return configuration


@pytest.fixture(scope="module")
def net() -> Iterator[Network]:
    reason = "ip (iproute2) is not installed" if shutil.which("ip") is None else why_not()
    if reason:
        required = os.environ.get("CI") == "true" and os.geteuid() == 0
        pytest.fail(reason) if required else pytest.skip(reason)
    with network() as made:
        yield made


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    """A register with days, read by month, in the system ``so``."""
    made = SmallProject(tmp_path_factory.mktemp("hosts") / "project")
    made.add_file("so", "phieu", "{kind: table, table: phieu}")
    contract, load = made.contract("so", "phieu"), made.load("so", "phieu")
    made.replace(
        contract,
        "{mode: snapshot}",
        '{mode: incremental, cursor: day, period: {column: day, unit: month, start: "2024-05"}}',
    )
    made.replace(
        contract,
        "      - name: amount",
        """      - name: day
        physicalName: Ngay
        logicalType: date
        classification: public
        description: Ngày | Day
        customProperties:
          - {property: semanticType, value: date}
      - name: amount""",
    )
    made.replace(
        made.suite("so", "phieu"),
        "expectations:\n",
        """expectations:
  - type: expect_column_values_to_be_null
    kwargs: {column: day__unreadable}
    meta: {code: day_unreadable, vi: "Ngày không đọc được", en: "the day cannot be read"}
""",
    )
    made.replace(load, "merge=snapshot", "merge=upsert")
    made.replace(load, "    amount bigint,\n    closed_on date,", "    amount bigint,\n    day date,")
    made.replace(load, "    s.amount,\n", "    s.amount,\n    s.day,\n")
    return made


@pytest.fixture(scope="module")
def provinces(
    net: Network, source_server: EmbeddedServer, project: SmallProject, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[Province]]:
    """34 warehouses and 34 registers, each with rows of its own."""
    folder = tmp_path_factory.mktemp("hub")
    template = f"province_{uuid4().hex[:8]}"
    source_server.create_database(template)
    address = source_server.start()
    warehouse = Warehouse(make_url(address.url(template)), embedded=source_server)
    migrate(warehouse, [ROOT, project.root])
    warehouse.close()
    net.forward(address.port)
    made = []
    with psycopg.connect(address.url("postgres", "postgresql"), autocommit=True) as connection:
        for code in CODES:
            name = f"{template}_{code}"
            connection.execute(f"create database {name} template {template}")  # type: ignore[arg-type]
            home = folder / "provinces" / code
            home.mkdir(parents=True, mode=0o700)
            over_network = address.url(name, "postgresql").replace("127.0.0.1", net.address)
            (home / "dx.env").write_text(f"DX_WAREHOUSE_URL={over_network}\n", encoding="utf-8")
            (home / "connections.env").write_text(f"DX_CONNECTION_SO=sqlite:///{home}/so.sqlite\n", encoding="utf-8")
            with sqlite3.connect(home / "so.sqlite") as register:
                register.execute("create table phieu (Ma text primary key, Ten text, Ngay text, SoTien integer)")
                register.executemany(
                    "insert into phieu values (?, ?, ?, ?)",
                    [
                        (f"{code}-{month}-{n}", "Phiếu", f"{month}-{1 + n % 28:02d}", int(code) * 1000 + n)
                        for month in ("2024-05", "2024-06")
                        for n in range(ROWS)
                    ],
                )
            register.close()
            made.append(Province(code, address.url(name, "postgresql")))
    return folder, made


@pytest.fixture(scope="module")
def installation(
    net: Network, source_server: EmbeddedServer, project: SmallProject, provinces: tuple[Path, list[Province]]
) -> Iterator[Installation]:
    folder = provinces[0]
    name = f"dagster_{uuid4().hex[:8]}"
    source_server.create_database(name)
    with psycopg.connect(source_server.start().url("postgres", "postgresql"), autocommit=True) as connection:
        connection.execute(f"alter database {name} set timezone = 'UTC'")  # type: ignore[arg-type]
    url = source_server.start().url(name, "postgresql+psycopg2").replace("127.0.0.1", net.address)
    made = Installation(net, folder, project.root, url)
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def instance(installation: Installation) -> Iterator[dg.DagsterInstance]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DX_DAGSTER_URL", installation.environment["DX_DAGSTER_URL"])
        # the first to open it makes the tables, as `dagster instance migrate` does
        with dg.DagsterInstance.from_config(str(installation.dagster_home)) as opened:
            yield opened


def brought(instance: dg.DagsterInstance, location: str) -> set[str]:
    return set(instance.get_materialized_partitions(dg.AssetKey([location, "so"])))


def until(condition: Callable[[], bool], seconds: float, folder: Path) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            logs = {log.name: log.read_text(errors="replace")[-3000:] for log in folder.glob("*.log")}
            pytest.fail("\n".join(f"== {name}\n{said}" for name, said in logs.items()))
        time.sleep(0.2)


def test_34_provinces_are_brought_their_month_though_a_host_dies(
    installation: Installation, instance: dg.DagsterInstance, provinces: tuple[Path, list[Province]]
) -> None:
    folder, all_provinces = provinces
    victim: NetworkHost = installation.hosts["host1"]
    installation.start_code_server("host1")
    installation.start_code_server("host2")
    installation.start_daemon()
    until(
        lambda: all(
            b"Started Dagster code server" in (folder / f"{name}.log").read_bytes() for name in installation.hosts
        ),
        90,
        folder,
    )
    launches = [installation.begin_launch("host1", MAY), installation.begin_launch("host2", MAY)]
    assert [launch.wait(120) for launch in launches] == [0, 0]
    second = installation.begin_launch("host1", JUNE, last=CODES[2])
    assert second.wait(120) == 0
    until(lambda: len(brought(instance, "host1")) >= 2, 120, folder)

    before = brought(instance, "host1")
    assert len(before) < HALF
    victim.kill()
    assert victim.processes() == []
    lost = {
        run.run_id
        for run in instance.get_runs()
        if run.status == dg.DagsterRunStatus.STARTED and "host1" in str(run.tags)
    }
    time.sleep(3)
    victim.connect()
    installation.start_code_server("host1")
    expected = {
        "host1": {f"{MAY}|{code}" for code in CODES[:HALF]} | {f"{JUNE}|{code}" for code in CODES[:3]},
        "host2": {f"{MAY}|{code}" for code in CODES[HALF:]},
    }
    until(lambda: all(brought(instance, name) >= keys for name, keys in expected.items()), 150, folder)
    until(lambda: all(run.is_finished for run in instance.get_runs()), 60, folder)
    assert {name: brought(instance, name) for name in expected} == expected

    runs = {run.run_id: run for run in instance.get_runs()}
    again = {run.tags["dagster/parent_run_id"]: run for run in runs.values() if "dagster/parent_run_id" in run.tags}
    assert lost
    assert {runs[run_id].status for run_id in lost} == {dg.DagsterRunStatus.FAILURE}
    assert {again[run_id].status for run_id in lost} == {dg.DagsterRunStatus.SUCCESS}
    assert len([run for run in runs.values() if run.status == dg.DagsterRunStatus.SUCCESS]) == 3

    for province in all_provinces:
        months = (5, 6) if province.code in CODES[:3] else (5,)
        with psycopg.connect(province.warehouse) as connection:
            found = connection.execute(
                "select extract(month from day)::int, count(*), sum(amount)::int, min(left(code, 2)), max(left(code, 2))"
                " from small.phieu group by 1 order by 1"
            ).fetchall()
            published = connection.execute(
                "select count(*) from ops.batch where status = 'published' and period_month = '2024-05-01'"
            ).fetchone()
        total = ROWS * int(province.code) * 1000 + sum(range(ROWS))
        assert found == [(month, ROWS, total, province.code, province.code) for month in months]
        if f"{MAY}|{province.code}" in before:
            assert published == (1,), f"{province.code} was published before the host died and need not be read again"


def test_a_pool_lets_one_run_at_a_time_read_the_sources_of_a_host(instance: dg.DagsterInstance) -> None:
    spans = []
    for run in instance.get_runs():
        logs = instance.all_logs(run.run_id)
        began = [log.timestamp for log in logs if log.dagster_event and log.dagster_event.is_step_start]
        if began and "host1" in str(run.tags):
            spans.append((began[0], max(log.timestamp for log in logs)))
    spans.sort()
    assert len(spans) >= 2
    assert all(earlier[1] <= later[0] for earlier, later in itertools.pairwise(spans)), spans
