"""The example files for one server: Dagster takes its configuration and PostgreSQL its state; systemd takes the units."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.workspace.load import location_origins_from_yaml_paths

from tests.conftest import ROOT

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
HOST_UNITS = sorted((DEPLOY / "hosts").glob("*.service"))
SPARK_UNITS = sorted((DEPLOY / "spark").glob("*.service"))
BIN = Path(sys.executable).parent


def test_the_state_of_dagster_is_kept_in_postgresql(
    source_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = re.sub(r"^postgresql(\+\w+)?:", "postgresql+psycopg2:", source_url)
    monkeypatch.setenv("DX_DAGSTER_URL", address)
    shutil.copy(DEPLOY / "dagster.yaml", tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        instance.add_dynamic_partitions("months", ["2024-05"])
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.get_dynamic_partitions("months") == ["2024-05"]
        assert type(instance.event_log_storage).__name__ == "PostgresEventLogStorage"
        assert instance.run_monitoring_settings["max_runtime_seconds"] == 14400
        assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 4
    assert list(tmp_path.glob("**/*.db")) == []


def test_web_server_and_daemon_find_the_code_server_that_the_unit_starts() -> None:
    (origin,) = location_origins_from_yaml_paths([str(DEPLOY / "workspace.yaml")])
    unit = (DEPLOY / "systemd" / "dx-code.service").read_text(encoding="utf-8")
    assert (origin.host, origin.port, origin.location_name) == ("127.0.0.1", 4266, "dx")
    assert "--host 127.0.0.1 --port 4266 --module-name dx_pipeline.orchestration.definitions --location-name dx" in unit


def test_the_examples_say_the_same_as_the_installation_writes_for_itself() -> None:
    from dx_pipeline.orchestration.instance import _DAGSTER_YAML

    example = yaml.safe_load((DEPLOY / "dagster.yaml").read_text(encoding="utf-8"))
    own = yaml.safe_load(_DAGSTER_YAML)
    assert example.pop("storage") == {"postgres": {"postgres_url": {"env": "DX_DAGSTER_URL"}}}
    own.pop("event_log_storage")
    assert example == own


def test_several_hosts_keep_dagster_as_one_server_does_but_see_lost_runs(
    source_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = yaml.safe_load((DEPLOY / "dagster.yaml").read_text(encoding="utf-8"))
    several = yaml.safe_load((DEPLOY / "hosts" / "dagster.yaml").read_text(encoding="utf-8"))
    assert several["storage"] == one["storage"]
    assert several["concurrency"]["pools"] == one["concurrency"]["pools"]
    assert several["run_monitoring"] == {**one["run_monitoring"], "poll_interval_seconds": 30}
    monkeypatch.setenv("DX_DAGSTER_URL", re.sub(r"^postgresql(\+\w+)?:", "postgresql+psycopg2:", source_url))
    shutil.copy(DEPLOY / "hosts" / "dagster.yaml", tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.run_launcher.supports_check_run_worker_health
        assert (instance.run_retries_enabled, instance.run_retries_max_retries) == (True, 3)
        queue = instance.get_concurrency_config().run_queue_config
        assert (queue.max_concurrent_runs, queue.max_user_code_failure_retries) == (16, 20)


def test_the_hub_finds_the_hosts_by_the_port_and_the_name_that_their_unit_uses() -> None:
    origins = location_origins_from_yaml_paths([str(DEPLOY / "hosts" / "workspace.yaml")])
    assert [(origin.port, origin.location_name) for origin in origins] == [(4266, "host1"), (4266, "host2")]
    (unit,) = HOST_UNITS
    text = unit.read_text(encoding="utf-8")
    assert (
        "dagster api grpc --host ${DX_CODE_ADDRESS} --port 4266 --module-name dx_pipeline.orchestration.provinces"
        " --location-name ${DX_CODE_LOCATION}"
    ) in text
    given = dict(
        re.findall(r"^([A-Z_]+)=(.*)$", (DEPLOY / "hosts" / "dx-host.env.example").read_text("utf-8"), re.MULTILINE)
    )
    assert given["DX_CODE_LOCATION"] == "host1"
    assert given["DX_CODE_ADDRESS"] == origins[0].host
    assert not [name for name in given if name.startswith("DX_CONNECTION_")]


def test_every_variable_the_examples_need_is_in_the_environment_file() -> None:
    given = re.findall(r"^([A-Z_]+)=", (DEPLOY / "dx.env.example").read_text(encoding="utf-8"), re.MULTILINE)
    assert {"DX_HOME", "DAGSTER_HOME", "DX_WAREHOUSE_URL", "DX_DAGSTER_URL"} <= set(given)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_units_start_programs_that_exist_and_listen_on_this_machine_only(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    (command,) = re.findall(r"^ExecStart=/opt/dx/\.venv/bin/(\S+) (.*)$", text, re.MULTILINE)
    assert (BIN / command[0]).exists()
    assert "--host 127.0.0.1" in command[1] or command[0] == "dagster-daemon"


def test_the_spark_units_start_the_pinned_spark_with_the_secret_of_its_configuration() -> None:
    commands = [
        re.findall(r"^ExecStart=/opt/dx/\.venv/bin/spark-class (\S+)", unit.read_text(encoding="utf-8"), re.MULTILINE)
        for unit in SPARK_UNITS
    ]
    assert commands == [["org.apache.spark.deploy.master.Master"], ["org.apache.spark.deploy.worker.Worker"]]
    environment = (DEPLOY / "spark" / "spark.env.example").read_text(encoding="utf-8")
    assert {"SPARK_MASTER_HOST", "SPARK_CONF_DIR"} <= set(re.findall(r"^([A-Z_]+)=", environment, re.MULTILINE))
    defaults = (DEPLOY / "spark" / "spark-defaults.conf.example").read_text(encoding="utf-8")
    assert re.search(r"^spark\.authenticate +true$", defaults, re.MULTILINE)
    assert re.search(
        r"^pyspark==4\.1\.", (DEPLOY / "spark" / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE
    )


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed here")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for unit in [*UNITS, *HOST_UNITS, *SPARK_UNITS]:
        text = unit.read_text(encoding="utf-8").replace("/opt/dx/.venv/bin", str(BIN)).replace("/opt/dx", str(ROOT))
        text = text.replace("spark-class", "dx")  # part of an extra that is not installed everywhere
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / unit.name) for unit in UNITS)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    told = [line for line in done.stderr.splitlines() if str(tmp_path) in line or re.match(r"dx-\w+\.service", line)]
    assert (done.returncode, told) == (0, []), done.stderr
