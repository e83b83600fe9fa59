"""What one process needs once: settings, catalog, warehouse connection, the road."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from dx_pipeline.contract.catalog import Catalog, load_catalog
from dx_pipeline.contract.indicator_set import load_indicator_sets
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import DxError, MigrationError
from dx_pipeline.lineage.graph import LineageGraph, build_graph
from dx_pipeline.lineage.open_lineage import LineageEmitter
from dx_pipeline.orchestration.look_ahead import LookAhead
from dx_pipeline.orchestration.look_ahead_beside import LookAheadBeside
from dx_pipeline.orchestration.road import Road
from dx_pipeline.orchestration.work_order import work_order
from dx_pipeline.progress import listener
from dx_pipeline.settings import Settings, get_settings
from dx_pipeline.warehouse.access import end_lapsed
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.indicator_set import sync_indicator_sets
from dx_pipeline.warehouse.marts import Mart, load_marts
from dx_pipeline.warehouse.migrate import migrate


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
    if _Elsewhere.look_ahead is not None:
        return Road(settings, Warehouse.open(settings), get_catalog())  # the other process has migrated it
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


class _Elsewhere:
    """The process that works for this one, if there is one, and what a fork has of its connections."""

    look_ahead: LookAheadBeside | None = None
    roads: ClassVar[list[Road]] = []


@lru_cache(maxsize=1)
def own_look_ahead() -> LookAhead:
    """The background readers and judge of this process."""
    return LookAhead(get_road())


def get_look_ahead() -> LookAhead | LookAheadBeside:
    """The background readers and judge of this process, or those of the process that works for this one."""
    return _Elsewhere.look_ahead or own_look_ahead()


def work_beside(look_ahead: LookAheadBeside) -> None:
    """Make this process, a fork of one that works, ask that one; its own connections are opened anew."""
    _Elsewhere.look_ahead = look_ahead
    if get_road.cache_info().currsize:
        _Elsewhere.roads.append(get_road())  # never closed here: its connections are the other process's
    get_road.cache_clear()


def read_ahead(contracts: Sequence[Contract], *, run_id: str, month: date | None, whole: bool = False) -> None:
    """Begin to work on the datasets of a run while Dagster is still being imported, in the order its steps will ask."""
    try:
        marts: Sequence[Mart] = load_marts(get_settings().project_roots)
    except DxError:
        marts = ()  # the run itself tells of the broken mart
    chosen = {contract.id: contract for contract in contracts}
    order = [chosen[name] for name in work_order(get_catalog().contracts.values(), marts) if name in chosen]
    own_look_ahead().begin(order, run_id=run_id, month=month, marts=marts, whole=whole)


def prepare_replay() -> None:
    """Import what judging needs while Dagster is still being imported."""
    own_look_ahead().prepare()
