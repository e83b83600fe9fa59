"""Killed at the worst moments, a run leaves nothing half done, and the next one brings the same star."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from dx_pipeline.warehouse.embedded import EmbeddedServer
from tests.conftest import Installation
from tests.faults.conftest import LoadedProvince, NewWarehouse, use_the_same_key
from tests.faults.runs import (
    Run,
    holding,
    kill_server,
    leftovers,
    somebody_waits_for,
    somebody_waits_for_a_dataset,
    value,
)
from tests.star import star_checksums, warehouse_url

pytestmark = pytest.mark.timeout(900)

STAGE = "stage.one_stop__ho_so"
SLOW_TABLE = (
    "alter table ho_so rename to ho_so_that",
    """create view ho_so as select h.* from ho_so_that as h
    cross join lateral (select pg_sleep(0.02) where h."Id" > 0)""",
    "grant select on ho_so to mot_cua_doc",
)


def made_by_loader(table: str) -> tuple[str, ...]:
    """Statements that make a table as a dead run may have left it."""
    return ("set role dx_loader", f"create table if not exists {table} (x int)", "commit")


@dataclass
class Death:
    """How one run died: what the ledger said of its dossiers, what lay in the landing zone."""

    moment: str
    batch_status: str
    stage_state: str | None
    landed: list[str] = field(default_factory=list)
    dossiers: int = 0


class Deaths:
    """Kills one run after the other in the same installation, each at a later moment."""

    def __init__(self, warehouse: NewWarehouse, loaded: LoadedProvince) -> None:
        self.warehouse = warehouse
        self.url = warehouse.url
        self.loaded = loaded
        self.seen: dict[str, Death] = {}
        self.claimed_while_reading: list[str] = []

    def note(self, moment: str) -> None:
        landing = self.warehouse.home / "landing" / "one_stop" / "ho_so"
        ours = "system = 'one_stop' and dataset = 'ho_so'"
        self.seen[moment] = Death(
            moment,
            str(value(self.url, f"select status from ops.batch where {ours} order by batch_id desc limit 1")),
            value(self.url, f"select state from ops.stage_content where {ours}"),  # type: ignore[arg-type]
            sorted(path.name for path in landing.glob("*")) if landing.exists() else [],
            int(value(self.url, "select count(*) from core.fact_dossier")),  # type: ignore[call-overload]
        )

    def while_reading(self) -> None:
        """The source is slow; the landing zone holds a half-written batch."""
        slow = self.loaded.province.copy(*SLOW_TABLE)
        installation = self.warehouse.reading(slow)
        landing = self.warehouse.home / "landing"
        run = Run(installation, "run", "one_stop.ho_so")
        run.wait_until(lambda: bool(list(landing.glob("one_stop/ho_so/.*.tmp-*"))), "a half-written landing batch")
        # The source is read before Dagster is there: wait until it has begun the run's files, then for the slot.
        run.wait_until(lambda: self._runs_known_to_dagster() > 0, "the event log of the run")
        run.wait_until(lambda: bool(leftovers(self.warehouse, self.url)["claimed slots"]), "the slot of the source")
        run.kill()
        self.claimed_while_reading = leftovers(self.warehouse, self.url)["claimed slots"]
        self.note("reading")

    def _runs_known_to_dagster(self) -> int:
        """Runs that have an event log; one that is killed before Dagster is imported has none."""
        events = self.warehouse.home / "dagster" / "history" / "runs"
        return sum(path.stem != "index" for path in events.glob("*.db"))

    def after_landing(self) -> None:
        """The batch lies in the landing zone, the ledger has not heard of it."""
        dead = int(value(self.url, "select max(batch_id) from ops.batch"))  # type: ignore[call-overload]
        landed = self.warehouse.home / "landing" / "one_stop" / "ho_so" / str(dead + 1)
        with holding(self.url, "lock table ops.control_sum in exclusive mode"):
            run = Run(self.warehouse, "run", "one_stop.ho_so")
            run.wait_until(landed.exists, "the landed batch")
            run.wait_until(lambda: somebody_waits_for(self.url, "ops.control_sum"), "the ledger being written")
            run.kill()
        self.note("landed")

    def before_copy(self) -> None:
        """Cleaned rows lie in the work folder, no row is in the stage table."""
        with holding(self.url, *made_by_loader(STAGE), f"lock table {STAGE}"):
            run = Run(self.warehouse, "run", "one_stop.ho_so")
            run.wait_until(lambda: somebody_waits_for(self.url, STAGE), "the stage table being made")
            run.kill()
        self.note("cleaned")

    def after_copy(self) -> None:
        """All rows are in the stage tables, nothing says that they are complete."""
        with holding(self.url, "lock table ops.rule_result in exclusive mode"):
            run = Run(self.warehouse, "run", "one_stop.ho_so")
            run.wait_until(lambda: somebody_waits_for(self.url, "ops.rule_result"), "the verdicts being written")
            run.kill()
        self.note("judged")

    def while_publishing(self) -> None:
        """All rows are written into the star and not committed; the quarantine comes next."""
        with holding(self.url, "lock table ops.quarantine in exclusive mode"):
            run = Run(self.warehouse, "run", "one_stop.ho_so")
            run.wait_until(lambda: somebody_waits_for(self.url, "ops.quarantine"), "the quarantine being written")
            run.kill()
        self.note("publishing")

    def after_publishing(self) -> None:
        """The star is committed; the stage tables have not been dropped, the marts not been refreshed."""
        staged = "select status from ops.batch where dataset = 'ho_so' order by batch_id desc limit 1"
        known = self._runs_known_to_dagster()
        with holding(self.url, "lock table core.fact_dossier in access exclusive mode") as star:
            run = Run(self.warehouse, "run", "one_stop")
            run.wait_until(lambda: somebody_waits_for(self.url, "core.fact_dossier"), "the star being written")
            run.wait_until(lambda: value(self.url, staged) == "staged", "the dossiers staged")
            with holding(self.url, f"lock table {STAGE} in access share mode"):
                star.rollback()
                run.wait_until(lambda: somebody_waits_for(self.url, STAGE), "the stage table being dropped")
                run.wait_until(lambda: self._runs_known_to_dagster() > known, "the run in Dagster")
                run.kill()
        self.note("published")


@pytest.fixture(scope="module")
def deaths(
    make_installation: Callable[[], Installation], loaded: LoadedProvince, source_server: EmbeddedServer
) -> Deaths:
    """Six runs killed one after the other, each later on its way than the one before."""
    warehouse = NewWarehouse(make_installation(), loaded, source_server)
    found = Deaths(warehouse, loaded)
    found.while_reading()
    found.after_landing()
    found.before_copy()
    found.after_copy()
    found.while_publishing()
    found.after_publishing()
    return found


@pytest.mark.parametrize(
    ("moment", "status", "stage"),
    [
        ("reading", "extracting", None),
        ("landed", "extracting", None),
        ("cleaned", "landed", None),
        ("judged", "landed", "loading"),
        ("publishing", "staged", "ready"),
    ],
)
def test_nothing_is_published_by_a_run_that_died_before(
    deaths: Deaths, moment: str, status: str, stage: str | None
) -> None:
    death = deaths.seen[moment]
    assert (death.batch_status, death.stage_state, death.dossiers) == (status, stage, 0)


def test_what_was_committed_stays_although_the_run_died(deaths: Deaths) -> None:
    death = deaths.seen["published"]
    assert death.batch_status == "published"
    assert death.dossiers == deaths.loaded.checksums["core.fact_dossier"][0]


def test_half_written_landing_is_not_a_batch(deaths: Deaths) -> None:
    assert [name[0] for name in deaths.seen["reading"].landed] == ["."]


def test_a_run_killed_while_reading_held_the_slot_of_its_source(deaths: Deaths) -> None:
    """So that the next test does not find it free because it was never taken."""
    assert len(deaths.claimed_while_reading) == 1
    assert deaths.claimed_while_reading[0].startswith("source_one_stop: ")


def test_the_next_run_brings_the_undisturbed_star(deaths: Deaths) -> None:
    done = deaths.warehouse.dx("run", "one_stop")
    assert "closed 1 run(s) whose process had died" in done.stdout
    assert star_checksums(deaths.url) == deaths.loaded.checksums
    found = leftovers(deaths.warehouse, deaths.url)
    assert {what: marks for what, marks in found.items() if marks} == {}


def test_runs_that_died_are_in_the_ledger_as_replaced(deaths: Deaths) -> None:
    told = deaths.warehouse.rows(
        "select status, count(*) from ops.batch where system = 'one_stop' and dataset = 'ho_so' group by 1 order by 1"
    )
    assert told == [["published", "2"], ["superseded", "5"]]


def test_killed_increment_is_read_again(deaths: Deaths, loaded: LoadedProvince) -> None:
    """After a first load an increment dies while it is published; the next one brings the same change once."""
    changed = loaded.province.copy(
        """update ho_so set "TenTTHC" = 'Tên đã đổi', "NgayCapNhat" = timestamp '2024-07-01 08:00:00'
        where "Id" in (select "Id" from ho_so where "TrangThaiHoSo" = '10' order by "Id" limit 20)""",
        """update ho_so set "MucDo" = case "MucDo" when '4' then '3' else '4' end
        where "NgayCapNhat" = timestamp '2024-07-01 08:00:00'""",
    )
    installation = deaths.warehouse.reading(changed)
    with holding(deaths.url, "lock table ops.quarantine in exclusive mode"):
        run = Run(installation, "run", "one_stop.ho_so")
        run.wait_until(lambda: somebody_waits_for(deaths.url, "ops.quarantine"), "the quarantine being written")
        run.kill()
    assert star_checksums(deaths.url)["core.fact_dossier"] == loaded.checksums["core.fact_dossier"]
    installation.dx("run", "one_stop.ho_so")
    ((updated, inserted),) = installation.rows(
        "select updated, inserted from ops.batch where dataset = 'ho_so' order by batch_id desc limit 1"
    )
    assert (int(inserted), int(updated)) == (0, 20)
    found = leftovers(deaths.warehouse, deaths.url)
    assert {what: marks for what, marks in found.items() if marks} == {}


def test_a_killed_whole_re_read_is_taken_up_by_the_next_run(deaths: Deaths, loaded: LoadedProvince) -> None:
    """Steps deleted at the source: the whole re-read dies while it closes them, a plain run closes them all the same."""
    thinned = loaded.province.copy(
        """delete from qua_trinh_xu_ly where "Id" in (select "Id" from qua_trinh_xu_ly order by "Id" limit 3)"""
    )
    installation = deaths.warehouse.reading(thinned)
    closed = "select count(*) from core.fact_dossier_event where closed_on is not null"
    with holding(deaths.url, "lock table ops.quarantine in exclusive mode"):
        run = Run(installation, "run", "--whole", "one_stop.qua_trinh_xu_ly")
        run.wait_until(lambda: somebody_waits_for(deaths.url, "ops.quarantine"), "the quarantine being written")
        run.kill()
    assert value(deaths.url, closed) == 0
    installation.dx("run", "one_stop.qua_trinh_xu_ly")
    last = "from ops.batch where dataset = 'qua_trinh_xu_ly' order by batch_id desc limit 1"
    assert installation.rows(f"select kind, status, closed {last}") == [["full", "published", "3"]]
    assert value(deaths.url, closed) == 3


def test_killed_database_server_comes_back_by_the_next_run(
    make_installation: Callable[[], Installation], loaded: LoadedProvince
) -> None:
    installation = make_installation()
    installation.environment["DX_CONNECTION_ONE_STOP"] = loaded.province.reader_url("mot_cua")
    use_the_same_key(installation.home, loaded.home)
    installation.dx("up")
    url = warehouse_url(installation.home)
    with holding(url, "lock table core.fact_dossier in access exclusive mode"):
        run = Run(installation, "run", "one_stop")
        run.wait_until(lambda: somebody_waits_for(url, "core.fact_dossier"), "the star being written")
        kill_server(installation.home / "warehouse" / "data")
        told = run.output()
    assert run.exit_code == 1
    assert "Traceback" not in told
    assert "one_stop.ho_so" in told or "core/one_stop__ho_so" in told
    assert "run again" in told
    installation.dx("run", "one_stop")
    url = warehouse_url(installation.home)
    assert star_checksums(url) == loaded.checksums
    found = leftovers(installation, url)
    assert {what: marks for what, marks in found.items() if marks} == {}


def test_two_runs_at_once_end_well(new_warehouse: NewWarehouse, loaded: LoadedProvince) -> None:
    """The second run waits for the datasets of the first; both succeed, the star is the undisturbed one."""
    new_warehouse.dx("run", "one_stop.linh_vuc")
    with holding(new_warehouse.url, "lock table core.fact_dossier in access exclusive mode") as star:
        first = Run(new_warehouse, "run", "one_stop")
        first.wait_until(lambda: somebody_waits_for(new_warehouse.url, "core.fact_dossier"), "the star being written")
        second = Run(new_warehouse, "run", "one_stop")
        second.wait_until(lambda: somebody_waits_for_a_dataset(new_warehouse.url), "the second run waiting")
        star.rollback()
        told = [first.output(), second.output()]
    assert [first.exit_code, second.exit_code] == [0, 0], "\n".join(told)
    assert star_checksums(new_warehouse.url) == loaded.checksums
    found = leftovers(new_warehouse, new_warehouse.url)
    assert {what: marks for what, marks in found.items() if marks} == {}


def test_an_overtaken_run_ends_well(new_warehouse: NewWarehouse, loaded: LoadedProvince) -> None:
    """It read first, then had to wait while a later run read and published the same dataset: nothing is left to do."""
    new_warehouse.dx("status")
    url, stage = new_warehouse.url, "stage.one_stop__linh_vuc"
    landed = "select count(*) from ops.batch where dataset = 'ngay_nghi' and status = 'landed'"
    with holding(url, *made_by_loader(stage), f"lock table {stage}") as waiting:
        slow = Run(new_warehouse, "run", "one_stop.ngay_nghi", "one_stop.linh_vuc")
        slow.wait_until(lambda: somebody_waits_for(url, stage), "the fields waiting to be staged")
        slow.wait_until(lambda: value(url, landed) == 1, "the holidays landed")
        new_warehouse.dx("run", "one_stop.ngay_nghi")
        holidays = "select array_agg(status order by batch_id) from ops.batch where dataset = 'ngay_nghi'"
        assert value(url, holidays) == ["superseded", "published"]
        waiting.close()
        told = slow.output()
    assert slow.exit_code == 0, told
    assert star_checksums(url)["core.holiday"] == loaded.checksums["core.holiday"]
    found = leftovers(new_warehouse, url)
    assert {what: marks for what, marks in found.items() if marks} == {}
