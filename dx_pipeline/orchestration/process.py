"""What one process needs once: settings, catalog, warehouse connection, the road."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path

from dx_pipeline.contract.catalog import Catalog, load_catalog
from dx_pipeline.contract.indicator_set import load_indicator_sets
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import DxError, MigrationError
from dx_pipeline.lineage.graph import LineageGraph, build_graph
from dx_pipeline.lineage.open_lineage import LineageEmitter
from dx_pipeline.orchestration.look_ahead import LookAhead
from dx_pipeline.orchestration.road import Road
from dx_pipeline.orchestration.work_order import work_order
from dx_pipeline.progress import listener
from dx_pipeline.settings import Settings, get_settings
from dx_pipeline.warehouse.access import end_lapsed
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.indicator_set import sync_indicator_sets
from dx_pipeline.warehouse.marts import Mart, load_marts
from dx_pipeline.warehouse.migrate import migrate

HEAD_START_SECONDS = 6.0


@lru_cache(maxsize=1)
def get_catalog() -> Catalog:
    """All contracts that can be read; broken ones are reported, not fatal to the others."""
    return load_catalog(get_settings().project_roots, strict=False)


@lru_cache(maxsize=1)
def get_road() -> Road:
    """The road of this process: opens (and starts, if embedded) the warehouse and migrates it.

    Raises:
        WarehouseUnavailable, MigrationError: see their classes.
    """
    settings = get_settings()
    _warn_of_unknown(settings.spark_datasets)
    return open_road(settings, get_catalog())


def open_road(settings: Settings, catalog: Catalog) -> Road:
    """A road over the warehouse of these settings, which is opened (and started, if embedded) and migrated.

    Raises:
        WarehouseUnavailable, MigrationError: see their classes.
    """
    warehouse = Warehouse.open(settings)
    broken_tables: dict[Path, MigrationError] = {}
    migrate(warehouse, settings.project_roots, broken=broken_tables)
    _sync_sets(settings, warehouse)
    end_lapsed(warehouse)
    lineage = LineageEmitter(settings, warehouse.url, get_lineage, lambda message: listener().warn("lineage", message))
    return Road(settings, warehouse, catalog, broken_tables, lineage)


def _sync_sets(settings: Settings, warehouse: Warehouse) -> None:
    """Bring the project's indicator sets into the warehouse; a broken file is told and holds nothing else up."""
    try:
        sets = load_indicator_sets(settings.project_roots)
    except DxError as error:
        listener().warn("indicator sets", error.what)
        return
    with warehouse.loader() as connection:
        sync_indicator_sets(connection, sets)


def _warn_of_unknown(spark_datasets: Sequence[str]) -> None:
    for name in spark_datasets:
        if name != "*" and name not in get_catalog().contracts:
            listener().warn(name, "no contract has this name, which DX_SPARK_DATASETS lists")


@lru_cache(maxsize=1)
def get_lineage() -> LineageGraph:
    """Column lineage of this installation; what was read of the SQL is kept under ``DX_HOME``."""
    settings = get_settings()
    try:
        marts: Sequence[Mart] = load_marts(settings.project_roots)
    except DxError:
        marts = ()  # the run itself tells of the broken mart
    return build_graph(get_catalog().contracts.values(), marts, cache=settings.home / "lineage" / "columns.json")


@lru_cache(maxsize=1)
def get_look_ahead() -> LookAhead:
    """The background readers and judge of this process."""
    return LookAhead(get_road())


def read_ahead(contracts: Sequence[Contract], *, run_id: str, month: date | None, whole: bool = False) -> None:
    """Begin to work on the datasets of a run while Dagster is still being imported, in the order its steps will ask."""
    try:
        marts: Sequence[Mart] = load_marts(get_settings().project_roots)
    except DxError:
        marts = ()  # the run itself tells of the broken mart
    chosen = {contract.id: contract for contract in contracts}
    order = [chosen[name] for name in work_order(get_catalog().contracts.values(), marts) if name in chosen]
    get_look_ahead().begin(order, run_id=run_id, month=month, marts=marts, whole=whole)


def give_head_start(run_id: str) -> None:
    """Let what was begun come first: an hour's changes are published before Dagster is imported, a large load is not.

    Then Dagster's steps, which cost this process seconds, are written down while the database refreshes the marts.
    """
    get_look_ahead().await_published(run_id, seconds=HEAD_START_SECONDS)


def prepare_replay() -> None:
    """Import what judging needs while Dagster is still being imported."""
    get_look_ahead().prepare()
