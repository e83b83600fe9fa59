"""What Dagster shows and does: assets, checks, schedule, pools from the contracts; retries; runs that died."""

from __future__ import annotations

import importlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import dagster as dg
import psutil
import pytest
import yaml
from dagster import AssetCheckSeverity, DagsterEventType, DagsterRunStatus

from dx_pipeline.contract.catalog import Catalog, load_catalog
from dx_pipeline.contract.model import Contract
from dx_pipeline.lineage.graph import build_graph
from dx_pipeline.orchestration.assets import REPLAY_TAG
from dx_pipeline.orchestration.column_lineage import assets_of_tables, staged_lineage, table_lineage
from dx_pipeline.orchestration.control_checks import CONTROL_SUMS, DATA_VOLUME
from dx_pipeline.orchestration.definitions import build_definitions
from dx_pipeline.orchestration.instance import (
    OWNER_TAG,
    apply_pool_limits,
    close_dead_runs,
    prepare_dagster_home,
)
from dx_pipeline.orchestration.process_tag import process_tag
from dx_pipeline.settings import PROJECT_ROOT, Settings
from dx_pipeline.warehouse.marts import load_marts
from tests.conftest import ROOT, Installation
from tests.faults.small_project import GOOD_ROWS, HEADER, SmallProject

LAYERS = ("landing", "stage", "core")
LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")

pytestmark = pytest.mark.timeout(600)


def key(layer: str, contract: Contract) -> dg.AssetKey:
    return dg.AssetKey([layer, contract.system, contract.dataset])


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """The project's own contracts."""
    return load_catalog((ROOT,))


@pytest.fixture(scope="module")
def definitions(catalog: Catalog) -> dg.Definitions:
    return build_definitions(catalog)


def rule_codes(contract: Contract) -> list[str]:
    """Codes of a suite, read from its file and nothing else."""
    suite = yaml.safe_load(contract.suite_path.read_text(encoding="utf-8"))
    return [rule["meta"]["code"] for rule in suite["expectations"]]


# -- what is defined ---------------------------------------------------------------------------------


def test_workspace_loads_without_a_word(tmp_path: Path) -> None:
    """As ``dagster dev`` on a fresh checkout would: only ``DX_HOME`` is set, ``dx`` was never run."""
    environment = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    done = subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml", "--log-level", "warning"],
        cwd=ROOT,
        env={**environment, "DX_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = [
        line for line in done.stderr.splitlines() if "SupersessionWarning" not in line and "return callback" not in line
    ]
    assert (done.returncode, said, done.stdout) == (0, [], "")


def test_workspace_names_the_module() -> None:
    (location,) = yaml.safe_load((ROOT / "workspace.yaml").read_text(encoding="utf-8"))["load_from"]
    module = importlib.import_module(location["python_module"]["module_name"])
    assert isinstance(module.defs, dg.Definitions)


def test_three_assets_per_dataset_and_one_per_mart(catalog: Catalog, definitions: dg.Definitions) -> None:
    wanted = {key(layer, contract) for contract in catalog.contracts.values() for layer in LAYERS}
    marts = {dg.AssetKey(["mart", path.stem]) for path in (ROOT / "warehouse_sql" / "marts").glob("*.sql")}
    assert len([one for one in catalog.contracts.values() if one.system == "one_stop"]) == 11
    assert definitions.resolve_asset_graph().get_all_asset_keys() == wanted | marts


def test_one_check_per_expectation(catalog: Catalog, definitions: dg.Definitions) -> None:
    found = {(check.asset_key, check.name) for check in definitions.resolve_asset_graph().asset_check_keys}
    wanted = {
        (key("stage", contract), code) for contract in catalog.contracts.values() for code in rule_codes(contract)
    }
    assert len(wanted) > 150
    gates = {(key(layer, contract), CONTROL_SUMS) for contract in catalog.contracts.values() for layer in LAYERS}
    promised = {
        (key(layer, contract), DATA_VOLUME)
        for contract in catalog.contracts.values()
        for layer, promise in (("landing", contract.volume.band), ("core", contract.volume.new_within))
        if promise is not None
    }
    assert promised, "some contract promises something about its volume"
    assert found == wanted | gates | promised


def test_checks_are_described_in_both_languages(definitions: dg.Definitions) -> None:
    for assets in definitions.resolve_asset_graph().assets_defs:
        for spec in assets.check_specs:
            vietnamese, bar, english = str(spec.description).partition(" | ")
            assert vietnamese, spec.name
            assert bar, spec.name
            assert english, spec.name
            if spec.name in (CONTROL_SUMS, DATA_VOLUME):
                continue
            assert spec.metadata["severity"] in ("critical", "warning", "info")
            assert str(spec.metadata["expectation"]).startswith("expect_")


@pytest.mark.parametrize("layer", LAYERS)
def test_assets_carry_what_the_contract_says(catalog: Catalog, definitions: dg.Definitions, layer: str) -> None:
    graph = definitions.resolve_asset_graph()
    kinds = {"stage": {"greatexpectations", "duckdb"}, "core": {"postgres", "table"}}
    assert list(catalog.systems["one_stop"].owners) == ["team:trung-tam-phuc-vu-hcc"]
    for contract in catalog.contracts.values():
        node = graph.get(key(layer, contract))
        assert node.group_name == contract.system
        system = catalog.systems[contract.system]
        assert list(node.owners) == list(system.owners) != []
        assert node.kinds == kinds.get(layer, {*system.kinds, "parquet"})
        assert contract.purpose_vi in str(node.description)
        assert contract.purpose_en in str(node.description)
        assert node.metadata["contract"] == f"{contract.id} {contract.version}"
        assert node.tags["dx/layer"] == layer


def test_column_schemas_say_names_types_and_classes(catalog: Catalog, definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for contract in catalog.contracts.values():
        landed = graph.get(key("landing", contract)).metadata["dagster/column_schema"].columns
        staged = graph.get(key("stage", contract)).metadata["dagster/column_schema"].columns
        assert [column.name for column in landed] == [column.source_name for column in contract.columns]
        assert [column.name for column in staged] == [c.name for c in contract.columns if not c.is_personal]
        assert all(" | " in str(column.description) for column in landed)
        assert all(column.tags["classification"] for column in staged)
    dossiers = graph.get(dg.AssetKey(["stage", "one_stop", "ho_so"])).metadata["dagster/column_schema"].columns
    (code,) = [column for column in dossiers if column.name == "ma_ho_so"]
    assert (code.type, code.constraints.nullable, code.constraints.unique) == ("string", False, True)
    assert not {"chu_ho_so", "so_dien_thoai_chu_ho_so"} & {column.name for column in dossiers}


def test_months_start_with_the_contract_and_are_local(catalog: Catalog, definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for contract in catalog.contracts.values():
        for layer in LAYERS:
            months = graph.get(key(layer, contract)).partitions_def
            if contract.load.period is None:
                assert months is None
                continue
            assert isinstance(months, dg.MonthlyPartitionsDefinition)
            assert months.timezone == "Asia/Ho_Chi_Minh"
            keys = months.get_partition_keys()
            assert keys[0] == "2023-01-01"
            assert keys[-1] == f"{datetime.now(LOCAL):%Y-%m}-01", "the running month is there"
    assert [contract.id for contract in catalog.contracts.values() if contract.load.period] == ["one_stop.ho_so"]


def test_freshness_is_the_contracts_promise(catalog: Catalog, definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for contract in catalog.contracts.values():
        policy = graph.get(key("core", contract)).freshness_policy
        assert policy is not None
        assert policy.fail_window.to_timedelta() == contract.freshness
        assert graph.get(key("landing", contract)).freshness_policy is None
    assert catalog.contracts["one_stop.ho_so"].freshness == timedelta(hours=2)


def test_every_step_may_be_retried_and_only_landing_takes_the_sources_pool(
    catalog: Catalog, definitions: dg.Definitions
) -> None:
    for assets in definitions.resolve_asset_graph().assets_defs:
        policy = assets.op.retry_policy
        assert policy is not None
        assert policy.max_retries == 2
        layer, system = assets.key.path[0], assets.key.path[1]
        assert assets.op.pool == (f"source_{system}" if layer == "landing" else None)


def test_core_waits_for_stage_and_stage_for_landing(catalog: Catalog, definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for contract in catalog.contracts.values():
        assert graph.get(key("stage", contract)).parent_keys == {key("landing", contract)}
        assert key("stage", contract) in graph.get(key("core", contract)).parent_keys
    on_time = graph.get(dg.AssetKey(["mart", "dossier_on_time"]))
    assert dg.AssetKey(["core", "one_stop", "ho_so"]) in on_time.parent_keys


# -- schedule ----------------------------------------------------------------------------------------


def test_schedule_asks_for_an_increment_in_the_running_month(catalog: Catalog, definitions: dg.Definitions) -> None:
    repository = definitions.get_repository_def()
    schedule = repository.get_schedule_def("one_stop_schedule")
    assert schedule.cron_schedule == catalog.systems["one_stop"].schedule == "0 * * * *"
    assert schedule.execution_timezone == "Asia/Ho_Chi_Minh"
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
    with dg.build_schedule_context(repository_def=repository, scheduled_execution_time=datetime.now(LOCAL)) as context:
        (request,) = schedule.evaluate_tick(context).run_requests or ()
    assert request.partition_key == f"{datetime.now(LOCAL):%Y-%m}-01"
    assert request.tags["dx/mode"] == "increment"
    assert request.tags["dx/trigger"] == "schedule"
    assert REPLAY_TAG not in request.tags


def test_each_cron_of_a_system_is_one_schedule(catalog: Catalog, definitions: dg.Definitions) -> None:
    schedules = {one.name: one for one in definitions.schedules or ()}
    found = {name: one.cron_schedule for name, one in schedules.items() if name.startswith(("one_stop", "eid", "poor"))}
    assert found == {
        "one_stop_schedule": "0 * * * *",
        "one_stop_daily_schedule": "15 5 * * *",
        "one_stop_monthly_schedule": "0 5 1 * *",
        "eid_monthly_schedule": "0 6 5 * *",
        "poor_households_yearly_schedule": "0 6 15 1 *",
    }
    for schedule in schedules.values():
        assert schedule.execution_timezone == "Asia/Ho_Chi_Minh"
        assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
        assert " | " in str(schedule.description)
        assert schedule.cron_schedule in str(schedule.description)
    pairs = {(one.system, catalog.schedule_of(one)) for one in catalog.contracts.values()}
    assert len(schedules) == len(pairs) + 2, "and the nightly removal of what is old enough, the weekly whole re-read"


def test_the_whole_re_read_is_one_run_of_the_running_month(definitions: dg.Definitions) -> None:
    repository = definitions.get_repository_def()
    weekly = repository.get_schedule_def("whole_reread_schedule")
    with dg.build_schedule_context(repository_def=repository, scheduled_execution_time=datetime.now(LOCAL)) as context:
        (request,) = weekly.evaluate_tick(context).run_requests or ()
    assert (request.tags["dx/mode"], request.partition_key) == ("whole", f"{datetime.now(LOCAL):%Y-%m}-01")


def test_a_schedule_of_some_datasets_brings_them_and_their_marts(definitions: dg.Definitions) -> None:
    repository = definitions.get_repository_def()
    catalogues = repository.get_schedule_def("one_stop_daily_schedule")
    with dg.build_schedule_context(repository_def=repository, scheduled_execution_time=datetime.now(LOCAL)) as context:
        (request,) = catalogues.evaluate_tick(context).run_requests or ()
    assert request.partition_key is None, "none of them is cut into months"
    assert request.tags["dx/mode"] == "increment"
    keys = repository.get_job(catalogues.job_name).asset_layer.executable_asset_keys
    assert {key.path[2] for key in keys if key.path[0] == "core"} == {
        "groups", "linh_vuc", "thay_doi_muc_do_thu_tuc", "thu_tuc",
    }  # fmt: skip
    hourly = repository.get_job(repository.get_schedule_def("one_stop_schedule").job_name)
    names = {key.path[2] for key in hourly.asset_layer.executable_asset_keys if key.path[0] == "core"}
    assert "ho_so" in names
    assert not names & {"groups", "ngay_nghi"}
    assert {key.path[1] for key in hourly.asset_layer.executable_asset_keys if key.path[0] == "mart"} >= {
        "dossier_on_time"
    }


def test_job_brings_the_system_and_the_marts_that_depend_on_it(definitions: dg.Definitions) -> None:
    job = definitions.get_repository_def().get_job("one_stop_refresh")
    selected = {asset_key.path[0] for asset_key in job.asset_layer.executable_asset_keys}
    assert selected == {"landing", "stage", "core", "mart"}
    marts = {key.path[1] for key in job.asset_layer.executable_asset_keys if key.path[0] == "mart"}
    depending = {
        mart.name
        for mart in load_marts((PROJECT_ROOT,))
        if any(name.startswith("one_stop.") for name in mart.depends_on)
    }
    assert {"dossier_by_agency_today", "dossier_on_time", "service_level_on_date", "published_figure"} <= depending
    assert marts == depending
    assert len(job.asset_layer.executable_asset_keys) == 3 * 11 + len(depending)


def test_a_system_without_months_is_scheduled_without_a_partition(tmp_path: Path) -> None:
    """One department cut into months beside one that is not: each gets the run it can execute."""
    small = SmallProject(tmp_path / "small")
    small.add_csv("register", "so_nho", GOOD_ROWS)
    system = small.contract("register", "so_nho").with_name("system.yaml")
    system.write_text(system.read_text(encoding="utf-8") + 'schedule: "30 5 * * *"\n', encoding="utf-8")
    repository = build_definitions(load_catalog((ROOT, small.root))).get_repository_def()
    schedule = repository.get_schedule_def("register_schedule")
    with dg.build_schedule_context(repository_def=repository, scheduled_execution_time=datetime.now(LOCAL)) as context:
        (request,) = schedule.evaluate_tick(context).run_requests or ()
    assert request.partition_key is None
    assert request.tags["dx/mode"] == "increment"


# -- broken files ------------------------------------------------------------------------------------


@pytest.fixture
def copied_project(tmp_path: Path) -> Path:
    for folder in ("assets", "expectations", "warehouse_sql"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def test_a_broken_contract_leaves_only_its_own_dataset_out(copied_project: Path) -> None:
    broken = copied_project / "assets" / "one_stop" / "giay_to_ket_qua.odcs.yaml"
    broken.write_text(broken.read_text(encoding="utf-8").replace("apiVersion", "apiversion"), encoding="utf-8")
    catalog = load_catalog((copied_project,), strict=False)
    assert [str(broken) in str(error) for error in catalog.broken] == [True]
    graph = build_definitions(catalog).resolve_asset_graph()
    datasets = {
        key.path[2] for key in graph.get_all_asset_keys() if key.path[0] in LAYERS and key.path[1] == "one_stop"
    }
    assert len(datasets) == 10
    assert "giay_to_ket_qua" not in datasets
    assert "ho_so" in datasets


def test_a_broken_suite_takes_only_its_own_checks_away(copied_project: Path) -> None:
    """The asset stays, so that its next run says what is wrong with the suite."""
    suite = copied_project / "expectations" / "one_stop" / "linh_vuc.yaml"
    suite.write_text("name: one_stop.linh_vuc\nexpectations: []\n", encoding="utf-8")
    definitions = build_definitions(load_catalog((copied_project,)))
    graph = definitions.resolve_asset_graph()
    checked = {check.asset_key.path[2] for check in graph.asset_check_keys if check.asset_key.path[1] == "one_stop"}
    assert dg.AssetKey(["stage", "one_stop", "linh_vuc"]) in graph.get_all_asset_keys()
    rules = {
        check.asset_key.path[2] for check in graph.asset_check_keys if check.name not in (CONTROL_SUMS, DATA_VOLUME)
    }
    assert "linh_vuc" in checked, "its control sums are still compared"
    assert "linh_vuc" not in rules
    assert len(checked) == 11


# -- retries and held batches ------------------------------------------------------------------------


class FinishedRun:
    """One ``dx run`` of a small project whose datasets fail in different ways, as Dagster recorded it."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        (self.run,) = instance.get_runs()
        self.records = instance.all_logs(self.run.run_id)

    def count(self, kind: DagsterEventType, step: str) -> int:
        return sum(
            1
            for record in self.records
            if record.dagster_event is not None
            and record.dagster_event.event_type == kind
            and record.dagster_event.step_key == step
        )

    def checks(self, dataset: str) -> dict[str, dg.AssetCheckEvaluation]:
        found = (
            record.dagster_event.asset_check_evaluation_data
            for record in self.records
            if record.dagster_event and record.dagster_event.event_type == DagsterEventType.ASSET_CHECK_EVALUATION
        )
        return {check.check_name: check for check in found if check.asset_key.path[-1] == dataset}


@pytest.fixture(scope="module")
def finished_run(
    make_installation: Callable[[], Installation], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FinishedRun]:
    project = SmallProject(tmp_path_factory.mktemp("orchestration") / "small")
    project.add_csv("register", "good", GOOD_ROWS)
    project.add_csv("register", "drifted", "Ma,Ten\nA1,Một\n")
    project.add_csv("register", "held", HEADER + "A1,Một,100\nA2,Hai,nhiều\nA3,Ba,không rõ\n", cap=0.2)
    project.add_table("gone", "unreachable", "so_cai")
    installation = make_installation()
    installation.environment |= {
        "DX_EXTRA_PROJECTS": str(project.root),
        "DX_CONNECTION_REGISTER": project.files.as_uri(),
        "DX_CONNECTION_GONE": "postgresql://reader:geheim@127.0.0.1:1/so",
    }
    done = installation.dx("run", "register", "gone", check=False)
    assert done.returncode == 1
    home = installation.home / "dagster"
    before = os.environ.get("DAGSTER_HOME")
    os.environ["DAGSTER_HOME"] = str(home)
    try:
        with dg.DagsterInstance.from_config(str(home)) as instance:
            yield FinishedRun(instance)
    finally:
        if before is None:
            del os.environ["DAGSTER_HOME"]
        else:
            os.environ["DAGSTER_HOME"] = before


def test_what_can_heal_is_retried(finished_run: FinishedRun) -> None:
    step = "landing__gone__unreachable"
    assert finished_run.count(DagsterEventType.STEP_UP_FOR_RETRY, step) == 2
    assert finished_run.count(DagsterEventType.STEP_RESTARTED, step) == 2
    assert finished_run.count(DagsterEventType.STEP_FAILURE, step) == 1


@pytest.mark.parametrize("step", ["landing__register__drifted", "stage__register__held"])
def test_what_cannot_heal_is_not_retried(finished_run: FinishedRun, step: str) -> None:
    assert finished_run.count(DagsterEventType.STEP_UP_FOR_RETRY, step) == 0
    assert finished_run.count(DagsterEventType.STEP_FAILURE, step) == 1


def test_failures_of_others_do_not_stop_a_good_dataset(finished_run: FinishedRun) -> None:
    assert finished_run.run.status == DagsterRunStatus.FAILURE
    assert finished_run.count(DagsterEventType.STEP_SUCCESS, "core__register__good") == 1
    assert {check.passed for check in finished_run.checks("good").values()} == {True}
    assert sorted(finished_run.checks("good")) == ["amount_unreadable", "code_conflict", "code_missing", "control_sums"]


def test_a_held_batch_shows_which_rule_it_broke(finished_run: FinishedRun) -> None:
    checks = finished_run.checks("held")
    assert {code: check.passed for code, check in checks.items()} == {
        "code_missing": True,
        "code_conflict": True,
        "amount_unreadable": False,
        "control_sums": True,
    }
    broken = checks["amount_unreadable"]
    assert broken.severity == AssetCheckSeverity.WARN, "a row rule: its rows are quarantined, the cap held the batch"
    assert str(broken.description).startswith("2 of 3 rows quarantined: Số tiền không đọc được | ")
    assert {name: entry.value for name, entry in broken.metadata.items() if name in ("unexpected", "samples")} == {
        "unexpected": 2,
        "samples": "nhiều · không rõ",
    }


def test_no_event_tells_the_password(finished_run: FinishedRun) -> None:
    assert not [record for record in finished_run.records if "geheim" in str(record)]


# -- runs that died ----------------------------------------------------------------------------------


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """An instance as ``dx`` makes it."""
    monkeypatch.setenv("DAGSTER_HOME", "")
    prepare_dagster_home(Settings(home=tmp_path))
    with dg.DagsterInstance.get() as made:
        yield made


def started_run(instance: dg.DagsterInstance, owner: str | None) -> dg.DagsterRun:
    tags = {} if owner is None else {OWNER_TAG: owner}
    return instance.run_storage.add_run(
        dg.DagsterRun(job_name="one_stop_refresh", run_id=str(uuid4()), status=DagsterRunStatus.STARTED, tags=tags)
    )


def dead_process() -> str:
    """Tag of a process of this host that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    started = int(psutil.Process(ended.pid).create_time())
    ended.wait()
    return f"{socket.gethostname()}:{ended.pid}:{started}"


def test_a_dead_run_is_closed_and_its_slot_is_free(instance: dg.DagsterInstance, catalog: Catalog) -> None:
    apply_pool_limits(instance, catalog.systems.values())
    dead = started_run(instance, dead_process())
    storage = instance.event_log_storage
    assert storage.claim_concurrency_slot("source_one_stop", dead.run_id, "landing__one_stop__ho_so").is_claimed
    other = started_run(instance, process_tag())
    assert not storage.claim_concurrency_slot("source_one_stop", other.run_id, "landing__one_stop__ho_so").is_claimed

    assert close_dead_runs(instance) == [dead.run_id]

    closed = instance.get_run_by_id(dead.run_id)
    assert closed is not None
    assert closed.status == DagsterRunStatus.FAILURE
    assert storage.get_concurrency_info("source_one_stop").active_run_ids == set()
    assert storage.claim_concurrency_slot("source_one_stop", other.run_id, "landing__one_stop__ho_so").is_claimed
    assert close_dead_runs(instance) == []


def test_runs_that_live_or_belong_to_others_are_left_alone(instance: dg.DagsterInstance) -> None:
    mine = started_run(instance, process_tag())
    daemons = started_run(instance, None)
    elsewhere = started_run(instance, "another-host:1:1")
    assert close_dead_runs(instance) == []
    for run in (mine, daemons, elsewhere):
        found = instance.get_run_by_id(run.run_id)
        assert found is not None
        assert found.status == DagsterRunStatus.STARTED


def test_a_reused_process_number_is_another_process(instance: dg.DagsterInstance) -> None:
    host, pid, started = process_tag().rsplit(":", 2)
    earlier = started_run(instance, f"{host}:{pid}:{int(started) - 60}")
    assert close_dead_runs(instance) == [earlier.run_id]


def test_pools_get_the_limit_of_their_system(instance: dg.DagsterInstance, catalog: Catalog) -> None:
    apply_pool_limits(instance, catalog.systems.values())
    apply_pool_limits(instance, catalog.systems.values())
    limits = {pool.name: pool.limit for pool in instance.event_log_storage.get_pool_limits()}
    assert limits == {f"source_{name}": 1 for name in catalog.systems}
    assert "source_one_stop" in limits


def test_dagster_home_is_written_once(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    settings = yaml.safe_load((tmp_path / "dagster" / "dagster.yaml").read_text(encoding="utf-8"))
    assert settings["telemetry"] == {"enabled": False}
    assert instance.telemetry_enabled is False
    assert instance.nux_enabled is False
    (tmp_path / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    prepare_dagster_home(Settings(home=tmp_path))
    assert (tmp_path / "dagster" / "dagster.yaml").read_text(encoding="utf-8") == "telemetry: {enabled: false}\n"


# -- column lineage ----------------------------------------------------------------------------------


def test_column_lineage_leads_from_the_source_to_the_mart(catalog: Catalog) -> None:
    contract = catalog.contract("eid.dinh_danh_xa_thang")
    staged = staged_lineage(contract).deps_by_column
    assert staged["so_cap_muc_1"] == [
        dg.TableColumnDep(dg.AssetKey(["landing", "eid", "dinh_danh_xa_thang"]), "Đã cấp (hồ sơ) / Mức 1")
    ]
    graph = build_graph(catalog.contracts.values(), load_marts((PROJECT_ROOT,)))
    assets = assets_of_tables(catalog.contracts.values())
    core = dg.AssetKey(["core", "eid", "dinh_danh_xa_thang"])
    star = table_lineage(graph, "core.fact_eid_month", assets, itself=core).deps_by_column
    assert star["issued_level_1"] == [
        dg.TableColumnDep(dg.AssetKey(["stage", "eid", "dinh_danh_xa_thang"]), "so_cap_muc_1")
    ]
    mart = table_lineage(
        graph, "mart.eid_by_commune_month", assets, itself=dg.AssetKey(["mart", "eid_by_commune_month"])
    ).deps_by_column
    assert {dep.column_name for dep in mart["issued"]} == {"issued_level_1", "issued_level_2"}
    assert {dep.asset_key for dep in mart["issued"]} == {core}
