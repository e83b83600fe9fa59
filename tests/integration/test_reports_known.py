"""Every report and every published figure can be asked for as known at an earlier instant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from dx_pipeline.warehouse.as_known import mart_as_known, query_as_known, tables_read
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.embedded import EmbeddedServer
from dx_pipeline.warehouse.marts import Mart, load_marts
from tests.integration.star_warehouse import PROJECT, ask, migrated_warehouse, running_server

MARTS = [mart for mart in load_marts([PROJECT]) if mart.name != "published_figure"]  # runs its queries in the server
AT = datetime(2024, 7, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with running_server() as running:
        yield running


@pytest.fixture(scope="module")
def warehouse(server: EmbeddedServer) -> Iterator[Warehouse]:
    with migrated_warehouse(server) as opened:
        yield opened


@pytest.mark.parametrize("mart", MARTS, ids=lambda mart: mart.name)
def test_no_mart_reads_a_table_without_a_past(warehouse: Warehouse, mart: Mart) -> None:
    with warehouse.loader() as connection:
        assert mart_as_known(connection, mart, AT).read_as_now == ()
        connection.rollback()


def test_no_published_figure_reads_a_table_without_a_past(warehouse: Warehouse) -> None:
    queries = [row[0] for row in ask(warehouse, "select query from ops.reference_published_figure")]
    assert len(queries) >= 25
    with warehouse.loader() as connection:
        assert {query_as_known(connection, query, AT)[1] for query in queries} == {()}


def test_a_table_that_a_batch_writes_and_nothing_keeps_is_named(warehouse: Warehouse) -> None:
    with warehouse.loader() as connection:
        query = "select count(*) from core.procedure_catalogue as p inner join core.dim_channel as c on true"
        assert query_as_known(connection, query, AT) == (0, ("core.procedure_catalogue",))


def test_what_a_view_reads_is_read_by_the_report(warehouse: Warehouse) -> None:
    with warehouse.loader() as connection:
        read = tables_read(connection, "select f.rated_on from core.satisfaction_checked as f -- core.dim_task")
    assert read == {"core.satisfaction_checked", "core.fact_satisfaction", "core.dossier_alias", "core.fact_dossier"}


def test_a_history_is_as_closed_as_its_table(warehouse: Warehouse) -> None:
    """Counts that analysts do not get are not in the history either, and nobody may change what was."""
    rights = ask(
        warehouse,
        "select has_table_privilege('dx_analyst', 'core.fact_poor_household_year_history', 'select'),"
        " has_table_privilege('dx_analyst', 'core.fact_eid_month_history', 'select'),"
        " has_table_privilege('dx_loader', 'core.fact_eid_month_history', 'update, delete'),"
        " has_function_privilege('dx_analyst', 'core.poor_household_year_as_known(timestamptz)', 'execute')",
    )
    assert rights == [(False, True, False, False)]
