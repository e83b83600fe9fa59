"""Task tracking (Văn phòng UBND tỉnh) as a system of the sandbox: a table in MariaDB, or in SQLite instead."""

from __future__ import annotations

from typing import Final

from dx_pipeline.sandbox import mariadb_store
from dx_pipeline.sandbox.department import Department, Site, flags_of


def _build(site: Site) -> str:
    from dx_pipeline.sandbox.task_tracking.build import TABLE, planned_rows

    rows, truth = planned_rows(site.seed)
    url = mariadb_store.build_table(site, "task_tracking", TABLE, rows)
    truth.write(site.truth_path("task_tracking"), {TABLE.name: len(rows)})
    return url


TASK_TRACKING: Final = Department(
    "task_tracking",
    _build,
    located=mariadb_store.located,
    flagged={"nhiem_vu": flags_of("core.fact_task_status", key="t.source_row_id")},
    stop=mariadb_store.stop,
)
