"""The Dagster instance of this installation, and what a killed run left in it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from pathlib import Path

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter

from dx_pipeline.contract.model import System
from dx_pipeline.orchestration.process_tag import is_alive
from dx_pipeline.settings import Settings, get_settings

OWNER_TAG = "dx/process"
_DAGSTER_YAML = """\
# Written by dx on first use; edit freely, it is not written again.
telemetry:
  enabled: false          # nothing is sent to Dagster's makers
nux:
  enabled: false          # nor is a mail address asked for
event_log_storage:        # SQLite under DAGSTER_HOME, its files kept open
  module: dx_pipeline.orchestration.event_log
  class: KeptOpenSqliteEventLogStorage
concurrency:
  pools:
    default_limit: 1      # one step at a time reads a source; poolLimit in its system.yaml says otherwise
    granularity: op
  runs:
    max_concurrent_runs: 4
run_monitoring:
  enabled: true
  max_runtime_seconds: 14400
  free_slots_after_run_end_seconds: 60
retention:
  schedule:
    purge_after_days: 90
"""


def prepare_dagster_home(settings: Settings) -> Path:
    """Make ``DAGSTER_HOME`` with its ``dagster.yaml`` and point this process at it."""
    home = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    config = home / "dagster.yaml"
    if not config.exists():
        config.write_text(_DAGSTER_YAML, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(home)
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
    return home


def apply_pool_limits(instance: dg.DagsterInstance, systems: Iterable[System]) -> None:
    """Give each source's pool the limit of its ``system.yaml``; what is right already is left alone."""
    limits = {info.name: info.limit for info in instance.event_log_storage.get_pool_limits()}
    for system in systems:
        if limits.get(system.pool) != system.pool_limit:
            instance.event_log_storage.set_concurrency_slots(system.pool, system.pool_limit)


def open_instance() -> dg.DagsterInstance:
    """Dagster's instance. Of two processes that open a new one at once, the second waits until its tables are made."""
    with (get_settings().dagster_home / "dagster.yaml").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # given back when the file is closed, or the process ends
        instance = dg.DagsterInstance.get()
        instance.get_runs(limit=1)
        instance.event_log_storage.get_concurrency_keys()
        return instance


def close_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark runs as failed whose process died without saying so, and free the slots they held.

    Only runs started by ``dx run`` on this host are looked at; those of the daemon have run monitoring.
    """
    closed: list[str] = []
    unfinished = [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING, DagsterRunStatus.STARTED]
    for run in instance.get_runs(RunsFilter(statuses=unfinished)):
        owner = run.tags.get(OWNER_TAG)
        if owner is None or is_alive(owner):
            continue
        instance.report_run_failed(run, message="The process of this run died (killed or machine restarted).")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        closed.append(run.run_id)
    return closed
