"""What ``dx doctor`` looks at: settings, disk, keys, warehouse, contracts, connections."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dx_pipeline.contract.catalog import Catalog, load_catalog
from dx_pipeline.errors import DxError
from dx_pipeline.settings import Settings

if TYPE_CHECKING:
    from dx_pipeline.warehouse.connection import Warehouse

LEAST_FREE_BYTES = 2 * 1024**3


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    level: Literal["ok", "warning", "error"]
    what: str
    next_step: str = ""


def diagnose(settings: Settings) -> list[Finding]:
    """Look at everything; never raises for what it finds wrong."""
    findings = [_python(), *_home(settings), *_keys(settings)]
    catalog = load_catalog(settings.project_roots, strict=False)
    findings += list(_warehouse(settings))
    findings += list(_contracts(catalog))
    findings += list(_connections(settings, catalog))
    return findings


def _python() -> Finding:
    return Finding("python", "ok", ".".join(str(part) for part in sys.version_info[:3]))


def _home(settings: Settings) -> Iterator[Finding]:
    home = settings.home
    try:
        home.mkdir(parents=True, exist_ok=True)
        probe = home / f".probe-{os.getpid()}"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        yield Finding(
            "DX_HOME", "error", f"{home} cannot be written: {error.strerror}", "set DX_HOME to another folder"
        )
        return
    free = shutil.disk_usage(home).free
    if free < LEAST_FREE_BYTES:
        yield Finding("DX_HOME", "warning", f"{home} has only {free / 1024**3:.1f} GiB free", "free some disk space")
    else:
        yield Finding("DX_HOME", "ok", f"{home}, {free / 1024**3:.0f} GiB free")


def _keys(settings: Settings) -> Iterator[Finding]:
    path = settings.keys_path
    if not path.exists():
        yield Finding("pseudonym keys", "ok", "none yet; made by the first run")
    elif stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield Finding("pseudonym keys", "error", f"{path} can be read by others", f"chmod 600 {path}")
    else:
        yield Finding("pseudonym keys", "ok", f"{path}, mode 0600")


def _warehouse(settings: Settings) -> Iterator[Finding]:
    from dx_pipeline.warehouse.connection import Warehouse
    from dx_pipeline.warehouse.migrate import migrate

    try:
        warehouse = Warehouse.open(settings)
        version = warehouse.check_version()
        where = "embedded" if warehouse.embedded else "external"
        yield Finding("warehouse", "ok", f"{where} PostgreSQL {version} at {warehouse.url.host}:{warehouse.url.port}")
        ran = migrate(warehouse, settings.project_roots)
        ran_text = f"{len(ran)} applied now" if ran else "all applied"
        yield Finding("migrations", "ok", ran_text)
        yield from _keys_of(warehouse, settings)
        yield from _last_backup(warehouse)
        yield from _alert_channels(warehouse, settings)
        with warehouse.loader() as connection:
            connection.exec_driver_sql("select 1")
        warehouse.close()
    except DxError as error:
        yield Finding("warehouse", "error", error.what, error.next_step)


def _keys_of(warehouse: Warehouse, settings: Settings) -> Iterator[Finding]:
    """The key file against what the warehouse was filled with."""
    from dx_pipeline.orchestration.keys import key_states

    states = [state for state in key_states(warehouse, settings) if not state.deleted]
    for state in states:
        if state.in_file and not state.matches:
            yield Finding(
                "pseudonym keys",
                "error",
                f"version {state.version} is another key than the warehouse was filled with",
                f"put the right {settings.keys_path} back from its own backup",
            )
        elif state.rows and not state.in_file:
            yield Finding(
                "pseudonym keys",
                "error",
                f"{sum(state.rows.values()):,} rows carry version {state.version}, which is not in the key file",
                f"put the right {settings.keys_path} back from its own backup",
            )
    if len([state for state in states if state.rows]) > 1:
        yield Finding(
            "pseudonym keys",
            "warning",
            "rows of several key versions: pseudonyms can be compared within one version only",
            "`dx keys rekey` brings them to the current one",
        )


def _last_backup(warehouse: Warehouse) -> Iterator[Finding]:
    with warehouse.owner() as connection:
        days, published = connection.exec_driver_sql(
            "select (select extract(day from now() - max(o.at)) from ops.operation as o where o.kind = 'backup'),"
            " (select count(*) from ops.batch as b where b.status = 'published')"
        ).one()
    if days is not None and days <= 7:
        yield Finding("backup", "ok", f"the last one is {int(days)} days old")
    elif published:
        told = "there is none" if days is None else f"the last one is {int(days)} days old"
        yield Finding("backup", "warning", told, "`dx backup DIRECTORY`, best every night and on another disk")


def _alert_channels(warehouse: Warehouse, settings: Settings) -> Iterator[Finding]:
    from dx_pipeline.alerts.channels import notifiers
    from dx_pipeline.alerts.wording import moment
    from dx_pipeline.warehouse.alert_register import channel_states

    names = [notifier.name for notifier in notifiers(settings)]
    with warehouse.loader() as connection:
        states = channel_states(connection)
    failing = [states[name] for name in names if name in states and states[name].failing_since is not None]
    for state in failing:
        since = moment(state.failing_since) if state.failing_since else ""
        yield Finding(
            f"alerts by {state.channel}",
            "warning",
            f"failing since {since}: {state.last_error}",
            f"mend DX_ALERT_…, then `dx alerts test --channel {state.channel}`",
        )
    if not failing:
        nobody = (
            ""
            if {"smtp", "webhook"}.intersection(names)
            else "; no person is told: set DX_ALERT_SMTP_HOST or …WEBHOOK_URL"
        )
        yield Finding("alerts", "ok", f"by {', '.join(names) or 'nothing'}{nobody}")


def _contracts(catalog: Catalog) -> Iterator[Finding]:
    from dx_pipeline.judge.suite import load_suite
    from dx_pipeline.warehouse.load_file import parse_load_file

    wrong: list[DxError] = [*catalog.broken]
    for contract in catalog.contracts.values():
        try:
            load_suite(contract)
            parse_load_file(contract.load_path)
        except DxError as error:
            wrong.append(error)
    for problem in wrong:
        yield Finding("contracts", "error", problem.what, problem.next_step)
    if not wrong:
        yield Finding("contracts", "ok", f"{len(catalog.contracts)} datasets of {len(catalog.systems)} systems")


def _connections(settings: Settings, catalog: Catalog) -> Iterator[Finding]:
    from dx_pipeline.extract.source import open_source

    for system in catalog.systems.values():
        first = next((c for c in catalog.contracts.values() if c.system == system.name), None)
        if first is None:
            yield Finding(
                f"source {system.name}", "warning", "has no dataset", f"add a contract to assets/{system.name}/"
            )
            continue
        try:
            with open_source(first, settings.connection_url(system.connection)) as reader:
                reader.describe()
            yield Finding(f"source {system.name}", "ok", "can be read")
        except DxError as error:
            yield Finding(f"source {system.name}", "error", error.what, error.next_step)
