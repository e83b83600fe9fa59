"""The session that holds a dataset for a run is cut off while the run works: another one may go ahead, none is mixed up."""

from __future__ import annotations

import psycopg
import pytest

from tests.conftest import Installation
from tests.faults.conftest import LoadedProvince, NewWarehouse
from tests.faults.runs import Run, holding, leftovers, somebody_waits_for_a_dataset, value

pytestmark = pytest.mark.timeout(600)

DATASET = "one_stop.linh_vuc"
STAGED = "select count(*) from ops.batch where dataset = 'linh_vuc' and status = 'staged'"
HOLDERS = f"""
    select l.pid from pg_locks as l inner join pg_database as d on l.database = d.oid
    where l.locktype = 'advisory' and l.granted and d.datname = current_database()
        and ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended('dx:{DATASET}', 0)
"""


def reading(warehouse: NewWarehouse, loaded: LoadedProvince, word: str) -> Installation:
    """The installation, and a source in which the name of each field of procedures ends with that word."""
    renamed = loaded.province.copy(f"""update linh_vuc set "TenLinhVuc" = "TenLinhVuc" || ' {word}'""")
    return warehouse.reading(renamed)


def test_the_run_that_was_overtaken_publishes_nothing(new_warehouse: NewWarehouse, loaded: LoadedProvince) -> None:
    """It is about to publish when its hold is lost; the second one stages its own rows and waits behind it."""
    url = new_warehouse.url
    new_warehouse.dx("run", DATASET)
    early, late = reading(new_warehouse, loaded, "cũ"), reading(new_warehouse, loaded, "mới")
    with holding(url, "select pg_advisory_xact_lock(hashtextextended('dx:known_time', 0))") as gate:
        first = Run(early, "run", DATASET)
        first.wait_until(lambda: somebody_waits_for_a_dataset(url), "the first run about to publish")
        with psycopg.connect(url, autocommit=True) as connection:
            cut = connection.execute(f"select pg_terminate_backend(h.pid) from ({HOLDERS}) as h").fetchall()
        assert cut == [(True,)]
        second = Run(late, "run", DATASET)
        second.wait_until(lambda: value(url, STAGED) == 2, "the second run staged")
        gate.rollback()
        told = [first.output(), second.output()]
    assert second.exit_code == 0, told
    assert "Traceback" not in told[0]
    found = new_warehouse.rows("select status from ops.batch where dataset = 'linh_vuc' order by batch_id")
    assert found == [["published"], ["superseded"], ["published"]]
    names = (
        "select count(*) filter (where name like '% cũ'), count(*) filter (where name like '% mới') from core.dim_field"
    )
    ((old, new),) = new_warehouse.rows(names)
    assert (int(old), int(new)) == (0, 35)
    left = leftovers(new_warehouse, url)
    assert {what: marks for what, marks in left.items() if marks} == {}
