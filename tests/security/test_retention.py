"""What is old enough goes; what an open batch, the latest published one or a department still needs stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
import sqlalchemy as sa

from dx_pipeline.landing.store import LandingStore
from dx_pipeline.orchestration.retention import RetentionPlan, carry_out, make_plan
from dx_pipeline.settings import Settings
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.embedded import EmbeddedServer
from tests.integration.star_warehouse import migrated_warehouse

DAYS_LATER = 200


class Kept:
    """A warehouse and a landing zone with batches in every state, seen 200 days later."""

    def __init__(self, warehouse: Warehouse, home: Path) -> None:
        self.warehouse = warehouse
        self.settings = Settings(home=home)
        self.landing = LandingStore(self.settings.landing_root)
        self.numbers: dict[str, int] = {}
        for name, dataset, status, month in (
            ("old", "ho_so", "published", None),
            ("superseded", "ho_so", "superseded", None),
            ("latest", "ho_so", "published", None),
            ("held", "ho_so", "held", None),
            ("failed", "ho_so", "failed", None),
            ("month", "ho_so", "published", "2024-03-01"),
            ("month again", "ho_so", "published", "2024-03-01"),
            ("only snapshot", "thu_tuc", "published", None),
            ("replayed", "linh_vuc", "published", None),
        ):
            self.numbers[name] = self._batch(dataset, status, month)
        self._batch("linh_vuc", "staged", None, replay_of=self.numbers["replayed"])
        self._batch("linh_vuc", "published", None)
        for household, closed in (("aa", "null"), ("bb", "current_date")):
            self.rows(
                "insert into restricted.poor_household (household_hash, year, commune_code, commune_sk, household_kind,"
                " members, closed_on, row_hash, first_batch_id, last_batch_id, loaded_at)"
                f" values ('\\x{household}', 2023, '1', -1, 'poor', 3, {closed}, 1, 1, 1, now())"
            )
        for status, released in (("open", "null"), ("released", "now()"), ("gone", "now()"), ("discarded", "null")):
            self.rows(
                "insert into ops.quarantine (system, dataset, row_key, reasons, raw_record, first_batch_id, last_batch_id,"
                f" first_seen, last_seen, status, released_at) values ('one_stop', 'ho_so', '{status}', '{{x}}',"
                f" jsonb_build_object('HoTen', 'An'), 1, 1, now(), now(), '{status}', {released})"
            )
        self.rows("select ops.request_read('ops.quarantine', 'thử lưu giữ nhật ký')")
        self.settings.work_root.mkdir()
        for name in (str(self.numbers["held"]), "999"):
            (self.settings.work_root / name).mkdir()
        self.now = datetime.now(UTC) + timedelta(days=DAYS_LATER)

    def _batch(self, dataset: str, status: str, month: str | None, *, replay_of: int | None = None) -> int:
        with self.warehouse.owner() as connection:
            number = connection.execute(
                sa.text(
                    "insert into ops.batch (system, dataset, contract_version, kind, status, period_month, replay_of,"
                    " source_rows, extracted, accepted, quarantined, duplicate, inserted, updated, unchanged, landed_at,"
                    " published_at) values ('one_stop', :dataset, '1', 'full', :status, cast(:month as date), :replay_of,"
                    " 1, 1, 1, 0, 0, 1, 0, 0, now(), now()) returning batch_id"
                ),
                {"dataset": dataset, "status": status, "month": month, "replay_of": replay_of},
            ).scalar_one()
            path = f"one_stop/{dataset}/{replay_of or number}"
            connection.execute(
                sa.text("update ops.batch set landing_path = :path where batch_id = :number"),
                {"path": path, "number": number},
            )
        if replay_of is None:
            schema = pa.schema([("Ma", pa.string())])
            rows = [pa.record_batch([["A1"]], schema=schema)]
            self.landing.write(
                system="one_stop", dataset=dataset, batch_id=number, schema=schema, batches=rows, facts={}
            )
        return int(number)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self.warehouse.owner() as connection:
            result = connection.exec_driver_sql(statement)
            return [tuple(row) for row in result] if result.returns_rows else []

    def landed(self) -> set[str]:
        names = {number: name for name, number in self.numbers.items()}
        return {names[int(path.name)] for path in self.settings.landing_root.glob("*/*/*") if int(path.name) in names}

    def plan(self, **changes: int) -> RetentionPlan:
        return make_plan(self.warehouse, self.settings.model_copy(update=changes), self.landing, now=self.now)

    def carry_out(self) -> dict[str, int]:
        done = carry_out(self.warehouse, self.settings, self.landing, self.plan())
        return {line.what: line.number for line in done.lines}


@pytest.fixture
def kept_for_200_days(source_server: EmbeddedServer, tmp_path: Path) -> Iterator[Kept]:
    with migrated_warehouse(source_server) as warehouse:
        yield Kept(warehouse, tmp_path / "home")


def test_the_plan_removes_nothing(kept_for_200_days: Kept) -> None:
    before = kept_for_200_days.landed()
    plan = kept_for_200_days.plan()
    assert {line.what: line.number for line in plan.lines if line.number} == {
        "landing": 3, "work": 2, "ops.quarantine.raw_record": 3,
    }  # fmt: skip
    assert next(line.kept for line in plan.lines if line.what == "landing") == 7
    assert kept_for_200_days.landed() == before
    assert kept_for_200_days.rows("select count(*) from ops.quarantine where raw_record = '{}'") == [(0,)]


def test_what_is_needed_stays_and_the_rest_goes(kept_for_200_days: Kept) -> None:
    done = kept_for_200_days.carry_out()
    assert done["landing"] == 3
    assert kept_for_200_days.landed() == {"latest", "held", "failed", "month again", "only snapshot", "replayed"}
    raw = kept_for_200_days.rows("select status, raw_record ->> 'HoTen' from ops.quarantine order by 1")
    assert raw == [("discarded", None), ("gone", None), ("open", "An"), ("released", None)]
    assert kept_for_200_days.rows("select count(*) from restricted.poor_household") == [(2,)]
    assert kept_for_200_days.rows("select count(*) from ops.read_audit") == [(1,)]
    assert list(kept_for_200_days.settings.work_root.iterdir()) == []
    assert set(kept_for_200_days.carry_out().values()) == {0}
    ((details,),) = kept_for_200_days.rows(
        "select details from ops.operation where kind = 'retention' order by operation_id limit 1"
    )
    assert details["landing"] == {"days": 90, "removed": 3, "kept": 7}


def test_closed_rows_of_restricted_and_the_record_of_reads_go_later(kept_for_200_days: Kept) -> None:
    kept_for_200_days.now += timedelta(days=1_800)
    done = kept_for_200_days.carry_out()
    assert (done["restricted.poor_household"], done["ops.read_audit"]) == (1, 1)
    assert kept_for_200_days.rows("select household_hash from restricted.poor_household") == [(b"\xaa",)]


def test_nothing_goes_before_its_time_and_zero_is_for_good(kept_for_200_days: Kept) -> None:
    nothing = {name: 0 for name in Settings.model_fields if name.startswith("retention_")}
    assert len(nothing) == 5
    assert {line.number for line in kept_for_200_days.plan(**nothing).lines} == {0}
    kept_for_200_days.now -= timedelta(days=DAYS_LATER)
    assert {line.number for line in kept_for_200_days.plan().lines} == {0}


def test_a_dataset_that_is_being_worked_on_waits(kept_for_200_days: Kept) -> None:
    with kept_for_200_days.warehouse.dataset_lock("one_stop.ho_so", timeout_seconds=5):
        assert kept_for_200_days.carry_out()["landing"] == 0
    assert kept_for_200_days.carry_out()["landing"] == 3


def test_dagster_has_the_schedule_and_its_job_runs(kept_for_200_days: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    from dx_pipeline.orchestration import retention_job

    class _Road:
        warehouse, settings, landing = (
            kept_for_200_days.warehouse,
            kept_for_200_days.settings,
            kept_for_200_days.landing,
        )

    monkeypatch.setattr(retention_job, "get_road", _Road)
    from dx_pipeline.orchestration.definitions import defs

    schedule = defs.get_schedule_def("retention_schedule")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 2 * * *", "Asia/Ho_Chi_Minh")
    with dg.DagsterInstance.ephemeral() as instance:
        assert defs.get_job_def("retention").execute_in_process(instance=instance).success
    ((kind,),) = kept_for_200_days.rows("select kind from ops.operation order by operation_id desc limit 1")
    assert kind == "retention"
