"""Task tracking (Văn phòng UBND tỉnh) as a system of the sandbox: an SQLite file."""

from __future__ import annotations

from typing import Final

from dx_pipeline.sandbox.department import Department, Site, flags_of


def _build(site: Site) -> str:
    from dx_pipeline.sandbox.task_tracking.build import build_task_tracking

    file = site.folder / "task_tracking.db"
    build_task_tracking(file, seed=site.seed, truth_path=site.truth_path("task_tracking"))
    return f"sqlite:///{file}"


TASK_TRACKING: Final = Department(
    "task_tracking",
    _build,
    flagged={"nhiem_vu": flags_of("core.fact_task_status", key="t.source_row_id")},
)
