"""Which datasets are read whole by schedule, and which decisions about vanished rows are refused."""

from __future__ import annotations

from typing import cast

import pytest
from sqlalchemy.engine import Connection

from dx_pipeline.contract.catalog import load_catalog
from dx_pipeline.errors import SettingsError
from dx_pipeline.orchestration.assets import MODE_TAG, WHOLE, monthly_partitions
from dx_pipeline.orchestration.whole_reread import whole_reread
from dx_pipeline.settings import PROJECT_ROOT
from dx_pipeline.warehouse.load_file import parse_load_file
from dx_pipeline.warehouse.vanishing import decide, scope_of

CATALOG = load_catalog([PROJECT_ROOT])
INCREMENTAL = sorted(one.id for one in CATALOG.contracts.values() if one.load.mode != "snapshot")
NO_DATABASE = cast("Connection", None)  # what is refused never reaches it


def test_every_incremental_dataset_closes_what_a_whole_read_misses() -> None:
    assert len(INCREMENTAL) == 10
    for name in INCREMENTAL:
        assert any(step.close_missing for step in parse_load_file(CATALOG.contract(name).load_path).steps), name


def test_the_schedule_reads_them_whole() -> None:
    months = monthly_partitions(CATALOG)
    assert months is not None
    ((job,), (schedule,)) = whole_reread(CATALOG, [], months, "0 1 * * 0")
    assert schedule.cron_schedule == "0 1 * * 0"
    assert all(name in str(schedule.description) for name in INCREMENTAL)
    assert (job.tags or {})[MODE_TAG] == WHOLE


@pytest.mark.parametrize(
    ("dataset", "scope"),
    [
        ("poor_households.ho_ngheo", "year"), ("staff.can_bo", "year"), ("civil_status.viec_ho_tich", "month"),
        ("eid.dinh_danh_xa_thang", "month"), ("dx_budget.kinh_phi", "year"), ("education.truong_hoc", "school_year"),
        ("land.thua_dat", "commune_sk"), ("health.co_so_kcb", None), ("digital_infrastructure.to_cong_nghe_so", None),
    ],
)  # fmt: skip
def test_what_can_be_withdrawn_is_what_a_delivery_covers(dataset: str, scope: str | None) -> None:
    assert scope_of(CATALOG.contract(dataset)) == scope


@pytest.mark.parametrize(
    ("dataset", "part", "by", "message"),
    [
        ("poor_households.ho_ngheo", "nam=2022", "An", "'nam=2022' is no part of it"),
        ("poor_households.ho_ngheo", "year=", "An", "is no part of it"),
        ("poor_households.ho_ngheo", "year=2022", " ", "needs a name and a reason"),
        ("one_stop.qua_trinh_xu_ly", "year=2022", "An", "speaks for all of it"),
    ],
)
def test_a_decision_that_says_too_little_is_refused(dataset: str, part: str, by: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        decide(NO_DATABASE, CATALOG.contract(dataset), part=part, by=by, reason="Công văn 45")
