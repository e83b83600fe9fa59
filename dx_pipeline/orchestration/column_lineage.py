"""Column lineage as Dagster shows it: between the assets of the landing, stage, core and mart layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import dagster as dg

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import DxError
from dx_pipeline.lineage.column_ref import ColumnRef
from dx_pipeline.lineage.graph import LineageGraph
from dx_pipeline.warehouse.load_file import parse_load_file

METADATA = "dagster/column_lineage"


def assets_of_tables(contracts: Iterable[Contract]) -> dict[str, list[dg.AssetKey]]:
    """Table → the assets whose materialization fills it."""
    found: dict[str, list[dg.AssetKey]] = {}
    for contract in contracts:
        found[f"stage.{contract.stage_table}"] = [dg.AssetKey(["stage", contract.system, contract.dataset])]
        try:
            filled = parse_load_file(contract.load_path).filled
        except DxError:  # the publishing step tells what is wrong with it
            continue
        for table in filled:
            found.setdefault(table, []).append(dg.AssetKey(["core", contract.system, contract.dataset]))
    return found


def staged_lineage(contract: Contract) -> dg.TableColumnLineage:
    """Each stage column from the landed column it is cleaned from."""
    landing = dg.AssetKey(["landing", contract.system, contract.dataset])
    return dg.TableColumnLineage(
        {
            column.name: [dg.TableColumnDep(landing, column.source_name)]
            for column in contract.columns
            if not column.is_personal
        }
    )


def table_lineage(
    graph: LineageGraph, table: str, assets: Mapping[str, list[dg.AssetKey]], *, itself: dg.AssetKey
) -> dg.TableColumnLineage:
    """Each column of a table from the columns of other assets it is computed from."""
    found: dict[str, list[dg.TableColumnDep]] = {}
    for column in graph.columns(table):
        deps = [
            dg.TableColumnDep(key, source.column)
            for source in graph.sources(ColumnRef(table, column))
            for key in assets.get(source.table, ())
            if key != itself and (not source.table.startswith("stage.") or key.path[1:] == itself.path[1:])
        ]
        if deps:
            found[column] = deps
    return dg.TableColumnLineage(found)
