"""What one process needs once: settings, catalog, warehouse connection, the road.

The road brings cleaners, judge and readers with it, half of what a command imports: most commands ask the warehouse
alone, so the road is imported when it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from dx_pipeline.contract.catalog import Catalog, load_catalog
from dx_pipeline.contract.indicator_set import load_indicator_sets
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import DxError, MigrationError
from dx_pipeline.orchestration.work_order import work_order
from dx_pipeline.progress import listener
from dx_pipeline.settings import Settings, get_settings
from dx_pipeline.warehouse.access import end_lapsed
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.indicator_set import sync_indicator_sets
from dx_pipeline.warehouse.marts import Mart, load_marts
from dx_pipeline.warehouse.migrate import migrate

if TYPE_CHECKING:
    from dx_pipeline.lineage.graph import LineageGraph
    from dx_pipeline.orchestration.look_ahead import LookAhead
    from dx_pipeline.orchestration.look_ahead_beside import LookAheadBeside
    from dx_pipeline.orchestration.road import Road


@lru_cache(maxsize=1)
def get_catalog() -> Catalog:
    """All contracts that can be read; broken ones are reported, not fatal to the others."""
    return load_catalog(get_settings().project_roots, strict=False)


@lru_cache(maxsize=1)
def _opened() -> tuple[Warehouse, Mapping[Path, MigrationError]]:
    settings = get_settings()
    if _Elsewhere.look_ahead is not None:
        return Warehouse.open(settings), {}  # the other process has migrated it
    _warn_of_unknown(settings.spark_datasets)
    return _open_warehouse(settings)


def get_warehouse() -> Warehouse:
    """The warehouse of this process, opened (and started, if embedded) and migrated.

    Raises:
        WarehouseUnavailable, MigrationError: see their classes.
    """
    return _opened()[0]


@lru_cache(maxsize=1)
def get_road() -> Road:
    """The road of this process, over its warehouse.

    Raises:
        WarehouseUnavailable, MigrationError: see their classes.
    """
    warehouse, broken_tables = _opened()
    if _Elsewhere.look_ahead is None:
        return _road(get_settings(), warehouse, get_catalog(), broken_tables)
    from dx_pipeline.orchestration.road import Road

    return Road(get_settings(), warehouse, get_catalog())


def forget_warehouse() -> Warehouse | None:
    """Open warehouse and road anew when they are asked for next; the warehouse that was open, which nobody has closed."""
    open_one = get_warehouse() if _opened.cache_info().currsize else None
    _opened.cache_clear()
    get_road.cache_clear()
    return open_one


def open_road(settings: Settings, catalog: Catalog) -> Road:
    """A road over the warehouse of these settings, which is opened (and started, if embedded) and migrated.

    Raises:
        WarehouseUnavailable, MigrationError: see their classes.
    """
    warehouse, broken_tables = _open_warehouse(settings)
    return _road(settings, warehouse, catalog, broken_tables)


def _open_warehouse(settings: Settings) -> tuple[Warehouse, Mapping[Path, MigrationError]]:
    """The warehouse, and the tables of which a migration is broken."""
    warehouse = Warehouse.open(settings)
    broken_tables: dict[Path, MigrationError] = {}
    migrate(warehouse, settings.project_roots, broken=broken_tables)
    _sync_sets(settings, warehouse)
    end_lapsed(warehouse)
    return warehouse, broken_tables


def _road(
    settings: Settings, warehouse: Warehouse, catalog: Catalog, broken_tables: Mapping[Path, MigrationError]
) -> Road:
    from dx_pipeline.lineage.open_lineage import LineageEmitter
    from dx_pipeline.orchestration.road import Road

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
    from dx_pipeline.lineage.graph import build_graph

    settings = get_settings()
    try:
        marts: Sequence[Mart] = load_marts(settings.project_roots)
    except DxError:
        marts = ()  # the run itself tells of the broken mart
    return build_graph(get_catalog().contracts.values(), marts, cache=settings.home / "lineage" / "columns.json")


class _Elsewhere:
    """The process that works for this one, if there is one, and what a fork has of its connections."""

    look_ahead: LookAheadBeside | None = None
    warehouses: ClassVar[list[Warehouse]] = []


@lru_cache(maxsize=1)
def own_look_ahead() -> LookAhead:
    """The background readers and judge of this process."""
    from dx_pipeline.orchestration.look_ahead import LookAhead

    return LookAhead(get_road())


def get_look_ahead() -> LookAhead | LookAheadBeside:
    """The background readers and judge of this process, or those of the process that works for this one."""
    return _Elsewhere.look_ahead or own_look_ahead()


def work_beside(look_ahead: LookAheadBeside) -> None:
    """Make this process, a fork of one that works, ask that one; its own connections are opened anew."""
    _Elsewhere.look_ahead = look_ahead
    if (forgotten := forget_warehouse()) is not None:
        _Elsewhere.warehouses.append(forgotten)  # never closed here: its connections are the other process's


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
