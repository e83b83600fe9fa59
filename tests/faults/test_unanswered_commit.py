"""A batch is committed, and the session ends before the server has said so: what is in the star counts as published."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.conftest import Installation
from tests.faults.conftest import LoadedProvince, use_the_same_key
from tests.faults.runs import Run
from tests.star import star_checksums, warehouse_url

pytestmark = pytest.mark.timeout(600)

WAITING = "select pid from pg_stat_activity where wait_event = 'SyncRep'"
LAST = "select status, updated from ops.batch where dataset = 'ho_so' order by batch_id desc limit 1"


@contextmanager
def unanswered_commit(url: str, dataset: str) -> Iterator[Callable[[], bool]]:
    """The transaction that publishes the dataset waits, committed, for a standby server that does not exist.

    Yields what tells whether it waits. Then its session is ended, as by an administrator, and no other one waits.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "create function ops.wait_for_nobody() returns trigger language plpgsql as"
            " $$ begin perform set_config('synchronous_commit', 'on', true); return null; end $$"
        )
        connection.execute(
            "create trigger wait_for_nobody after update on ops.batch for each row"
            f" when (new.status = 'published' and new.dataset = '{dataset}') execute function ops.wait_for_nobody()"
        )
        connection.execute("alter system set synchronous_standby_names = 'nobody'")
        connection.execute("select pg_reload_conf()")
        try:
            yield lambda: connection.execute(WAITING).fetchone() is not None
        finally:
            connection.execute(f"select pg_terminate_backend(pid) from ({WAITING}) as waiting")
            connection.execute("alter system reset synchronous_standby_names")
            connection.execute("select pg_reload_conf()")
            connection.execute("drop function ops.wait_for_nobody() cascade")


def may_have_a_standby(installation: Installation) -> None:
    """Have the warehouse write enough for a standby server; only transactions of ``unanswered_commit`` wait for it."""
    installation.dx("up")
    with psycopg.connect(warehouse_url(installation.home), autocommit=True) as connection:
        for setting in ("wal_level = 'replica'", "max_wal_senders = 1", "synchronous_commit = 'local'"):
            connection.execute(f"alter system set {setting}")
    installation.dx("down")


def test_what_was_committed_is_published(make_installation: Callable[[], Installation], loaded: LoadedProvince) -> None:
    """Twenty dossiers have changed, nineteen of them for the star. Trying again must not say that nothing has."""
    installation = make_installation()
    use_the_same_key(installation.home, loaded.home)
    installation.environment["DX_CONNECTION_ONE_STOP"] = loaded.province.reader_url("mot_cua")
    may_have_a_standby(installation)
    installation.dx("run", "one_stop")
    url = warehouse_url(installation.home)
    assert star_checksums(url) == loaded.checksums
    changed = loaded.province.copy(
        """update ho_so set "MucDo" = case "MucDo" when '4' then '3' else '4' end,
        "NgayCapNhat" = timestamp '2024-07-01 08:00:00'
        where "Id" in (select "Id" from ho_so where "TrangThaiHoSo" = '10' order by "Id" limit 20)"""
    )
    installation.environment["DX_CONNECTION_ONE_STOP"] = loaded.province.reader_url(changed)
    with unanswered_commit(url, "ho_so") as waits:
        run = Run(installation, "run", "one_stop.ho_so")
        run.wait_until(waits, "the commit that is not answered")
    told = run.output()
    assert run.exit_code == 0, told
    assert "Traceback" not in told
    assert installation.rows(LAST) == [["published", "19"]]
    star = star_checksums(url)
    differing = {table for table in star if star[table] != loaded.checksums[table]}
    assert "core.fact_dossier" in differing
    assert "mart.online_by_commune_month" in differing

    with psycopg.connect(url) as connection:
        connection.execute("delete from ops.mart_refresh")
        connection.execute("delete from ops.mart_tally")
    installation.dx("run", "one_stop.ho_so")
    assert star_checksums(url) == star
