"""Monthly partitions made by a role that owns nothing, and the fast way into new months."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.warehouse.connection import Warehouse
from tests.integration.star_warehouse import ask, migrated_warehouse, running_server

DOSSIER = (
    "insert into {table} (dossier_code, registered_on, agency_sk, procedure_sk, field_sk, commune_sk,"
    " received_date_key, channel_sk, status_sk, applicant_kind_sk, source_updated_at, loaded_at, row_hash,"
    " first_batch_id, last_batch_id)"
    " values (:code, :day, :agency, -1, -1, -1, -1, 1, 4, 1, now(), now(), 1, 1, 1)"
)


@pytest.fixture(scope="module", params=[16, 18])
def warehouse(request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    with running_server(request.param) as server, migrated_warehouse(server) as opened:
        yield opened


def _insert(connection: Connection, table: str, code: str, day: str, agency: int = -1) -> None:
    connection.execute(sa.text(DOSSIER.format(table=table)), {"code": code, "day": day, "agency": agency})


def _begin(connection: Connection, months: list[str], parent: str = "core.fact_dossier") -> str | None:
    return connection.execute(
        sa.text("select ops.begin_fresh_partitions(cast(:parent as regclass), cast(:months as date[]))::text"),
        {"parent": parent, "months": months},
    ).scalar_one()


def _attach(connection: Connection, parent: str = "core.fact_dossier") -> int:
    return int(
        connection.execute(
            sa.text("select ops.attach_fresh_partitions(cast(:parent as regclass))"), {"parent": parent}
        ).scalar_one()
    )


def test_a_month_is_made_once_and_takes_its_rows(warehouse: Warehouse) -> None:
    make = "select ops.create_monthly_partition('core.fact_dossier', '2022-02-28')"
    with warehouse.loader() as connection:
        assert connection.exec_driver_sql(make).scalar_one() is True
        assert connection.exec_driver_sql(make).scalar_one() is False
        _insert(connection, "core.fact_dossier", "H50.1-220201-0001", "2022-02-01")
        _insert(connection, "core.fact_dossier", "H50.1-220228-0002", "2022-02-28")
    assert ask(warehouse, "select count(*) from core_partition.fact_dossier_2022_02") == [(2,)]


def test_a_month_without_partition_takes_no_row(warehouse: Warehouse) -> None:
    with pytest.raises(sa.exc.IntegrityError, match="no partition"), warehouse.loader() as connection:
        _insert(connection, "core.fact_dossier", "H50.1-220301-0001", "2022-03-01")


@pytest.mark.parametrize("parent", ["ops.batch", "core.dim_agency", "pg_catalog.pg_class", "core.dossier_alias"])
def test_only_monthly_facts_can_be_given_partitions(warehouse: Warehouse, parent: str) -> None:
    for call in (
        "ops.create_monthly_partition(cast(:parent as regclass), '2022-01-01')",
        "ops.begin_fresh_partitions(cast(:parent as regclass), array[date '2022-01-01'])",
        "ops.attach_fresh_partitions(cast(:parent as regclass))",
    ):
        with pytest.raises(sa.exc.DBAPIError, match="partitioned by month"), warehouse.loader() as connection:
            connection.execute(sa.text(f"select {call}"), {"parent": parent})


@pytest.mark.parametrize("role", ["dx_bi", "dx_analyst", "dx_engineer"])
def test_readers_cannot_make_partitions(warehouse: Warehouse, role: str) -> None:
    with (
        pytest.raises(sa.exc.ProgrammingError, match="permission denied"),
        warehouse.owner() as connection,
    ):
        connection.exec_driver_sql(f"set local role {role}")
        connection.exec_driver_sql("select ops.create_monthly_partition('core.fact_dossier', '2022-01-01')")


def test_fresh_months_are_filled_apart_and_read_through_the_parent(warehouse: Warehouse) -> None:
    with warehouse.loader() as connection:
        shell = _begin(connection, ["2023-05-17", "2023-06-01", "2023-05-02"])
        assert shell == "stage.fresh__fact_dossier"
        _insert(connection, shell, "H50.1-230517-0001", "2023-05-17")
        _insert(connection, shell, "H50.1-230531-0002", "2023-05-31")
        _insert(connection, shell, "H50.1-230601-0003", "2023-06-01")
        assert connection.exec_driver_sql(
            "select count(*) from pg_indexes where schemaname = 'core_partition' and tablename ~ '_2023_05$'"
        ).scalar_one() == 0  # fmt: skip
        assert _attach(connection) == 2
    assert ask(
        warehouse, "select dossier_code from core.fact_dossier where registered_on >= '2023-05-01' order by 1"
    ) == [("H50.1-230517-0001",), ("H50.1-230531-0002",), ("H50.1-230601-0003",)]
    assert ask(warehouse, "select to_regclass('stage.fresh__fact_dossier')") == [(None,)]
    assert ask(
        warehouse,
        "select count(*) from pg_constraint where conname = 'fresh_month_bounds'",
    ) == [(0,)]


def test_an_attached_month_has_the_keys_and_indexes_of_one_made_empty(warehouse: Warehouse) -> None:
    with warehouse.loader() as connection:
        connection.exec_driver_sql("select ops.create_monthly_partition('core.fact_dossier', '2023-08-01')")
        shell = _begin(connection, ["2023-09-01"])
        assert shell is not None
        _insert(connection, shell, "H50.1-230901-0001", "2023-09-01")
        _attach(connection)
    described = (
        "select replace(indexdef, '{name}', 'x'), null from pg_indexes where tablename = '{name}'"
        " union all select contype::text || pg_get_constraintdef(oid), confrelid::regclass::text from pg_constraint"
        " where conrelid = 'core_partition.{name}'::regclass order by 1"
    )
    made_empty = ask(warehouse, described.format(name="fact_dossier_2023_08"))
    attached = ask(warehouse, described.format(name="fact_dossier_2023_09"))
    assert len([row for row in attached if row[0].startswith("f")]) == 8
    assert attached == made_empty
    # Every index of the partition hangs under one of the parent.
    assert ask(
        warehouse,
        "select count(*) filter (where c.relispartition), count(*) from pg_index as i"
        " join pg_class as c on c.oid = i.indexrelid"
        " where i.indrelid = 'core_partition.fact_dossier_2023_09'::regclass",
    ) == [(3, 3)]


def test_attaching_does_not_read_the_rows_again(warehouse: Warehouse) -> None:
    notices: list[str] = []
    with warehouse.loader() as connection:
        driver: psycopg.Connection[tuple[object, ...]] = connection.connection.driver_connection  # type: ignore[assignment]
        driver.add_notice_handler(lambda diagnostic: notices.append(diagnostic.message_primary or ""))
        shell = _begin(connection, ["2023-10-01"])
        assert shell is not None
        _insert(connection, shell, "H50.1-231001-0001", "2023-10-01")
        connection.exec_driver_sql("set local client_min_messages = debug1")
        _attach(connection)
        connection.exec_driver_sql("set local client_min_messages = notice")
    implied = 'partition constraint for table "fact_dossier_2023_10" is implied by existing constraints'
    assert implied in notices


def test_months_that_exist_are_left_to_the_upsert(warehouse: Warehouse) -> None:
    with warehouse.loader() as connection:
        connection.exec_driver_sql("select ops.create_monthly_partition('core.fact_dossier', '2023-11-01')")
        assert _begin(connection, ["2023-11-11"]) is None
        shell = _begin(connection, ["2023-11-11", "2023-12-01"])
        assert shell is not None
        with pytest.raises(sa.exc.IntegrityError, match="no partition"), connection.begin_nested():
            _insert(connection, shell, "H50.1-231111-0001", "2023-11-11")
        assert _attach(connection) == 1


def test_a_row_of_an_unknown_member_is_refused_when_the_month_is_attached(warehouse: Warehouse) -> None:
    with pytest.raises(sa.exc.IntegrityError, match="fact_dossier_agency_fkey"), warehouse.loader() as connection:
        shell = _begin(connection, ["2021-01-01"])
        assert shell is not None
        _insert(connection, shell, "H50.1-210101-0001", "2021-01-01", agency=999_999)
        _attach(connection)
    assert ask(warehouse, "select to_regclass('core_partition.fact_dossier_2021_01')") == [(None,)]


def test_a_dossier_twice_is_refused_when_the_month_is_attached(warehouse: Warehouse) -> None:
    with pytest.raises(sa.exc.IntegrityError, match="unique index"), warehouse.loader() as connection:
        shell = _begin(connection, ["2021-02-01"])
        assert shell is not None
        _insert(connection, shell, "H50.1-210201-0001", "2021-02-01")
        _insert(connection, shell, "H50.1-210201-0001", "2021-02-01")
        _attach(connection)


def test_attaching_without_a_beginning_is_refused(warehouse: Warehouse) -> None:
    with pytest.raises(sa.exc.DBAPIError, match="no fresh partitions"), warehouse.loader() as connection:
        _attach(connection)


def test_the_restricted_fact_takes_fresh_months_too(warehouse: Warehouse) -> None:
    parent = "restricted.dossier_applicant"
    with warehouse.loader() as connection:
        assert _begin(connection, ["2023-01-01", "2023-02-01"], parent) is not None
        assert _attach(connection, parent) == 2
    assert ask(warehouse, f"select count(*) from pg_inherits where inhparent = '{parent}'::regclass") == [(2,)]


def test_each_kind_of_event_has_months_of_its_own(warehouse: Warehouse) -> None:
    parent = "core.fact_dossier_event"
    event = (
        "insert into {table} (dossier_code, registered_on, event_kind_sk, event_id, status_sk, sent_status_sk,"
        " source_updated_at, loaded_at, row_hash, first_batch_id, last_batch_id)"
        " values ('H50.1-230117-0001', '2023-01-17', {kind}, 1, -2, -2, now(), now(), 1, 1, 1)"
    )
    with warehouse.loader() as connection:
        for kind in (2, 3):
            shell = connection.exec_driver_sql(
                f"select ops.begin_fresh_partitions('{parent}', array[date '2023-01-17'], {kind}::smallint)::text"
            ).scalar_one()
            connection.exec_driver_sql(event.format(table=shell, kind=kind))
            assert _attach(connection, parent) == 1
        made = f"select ops.create_monthly_partition('{parent}', '2023-01-01', {{}}::smallint)"
        answers = [connection.exec_driver_sql(made.format(kind)).scalar_one() for kind in (2, 3, 4)]
        assert answers == [False, False, True]
    rows = (
        "select c.relname::text from pg_inherits join pg_class as c on c.oid = inhrelid"
        " where inhparent = '{}'::regclass"
    )
    assert [name for (name,) in sorted(ask(warehouse, rows.format(parent)))] == [
        "fact_dossier_event_k2_2023_01",
        "fact_dossier_event_k3_2023_01",
        "fact_dossier_event_k4_2023_01",
    ]
    assert ask(warehouse, f"select count(*) from {parent} where event_kind_sk = 3") == [(1,)]


@pytest.mark.parametrize(
    "call",
    [
        "ops.create_monthly_partition('core.fact_dossier_event', '2023-01-01')",
        "ops.create_monthly_partition('core.fact_dossier', '2023-01-01', 2::smallint)",
        "ops.begin_fresh_partitions('core.fact_dossier_event', array[date '2023-01-01'])",
    ],
)
def test_a_kind_is_given_where_the_table_has_kinds(warehouse: Warehouse, call: str) -> None:
    with pytest.raises(sa.exc.DBAPIError, match="a kind belongs to"), warehouse.loader() as connection:
        connection.exec_driver_sql(f"select {call}")


def test_statistics_can_be_refreshed_by_the_loader(warehouse: Warehouse) -> None:
    with warehouse.loader() as connection:
        connection.exec_driver_sql("select ops.analyze_table('core.fact_dossier')")
    with pytest.raises(sa.exc.DBAPIError, match="not a table of core"), warehouse.loader() as connection:
        connection.exec_driver_sql("select ops.analyze_table('ops.batch')")
