"""Budget for digital transformation (Sở Tài chính) as a system of the sandbox: a folder of yearly workbooks."""

from __future__ import annotations

from typing import Final

from dx_pipeline.sandbox.department import Department, Site, flags_of

_KEY: Final = "concat_ws('|', t.year::text, t.unit_code, t.task_code, t.source_code)"


def _build(site: Site) -> str:
    from dx_pipeline.sandbox.dx_budget.build import build_dx_budget

    folder = (site.folder / "dx_budget").resolve()
    build_dx_budget(folder, seed=site.seed, truth_path=site.truth_path("dx_budget"))
    return folder.as_uri()


DX_BUDGET: Final = Department(
    "dx_budget",
    _build,
    flagged={
        # Whether a task exists is told by the tasks, which another office keeps.
        "kinh_phi": flags_of("core.fact_budget", key=_KEY)
        + f" union all select {_KEY}, 'nhiem_vu_khong_co' from core.fact_budget as t"
        " left join core.dim_task as k on k.task_code = t.task_code"
        " where k.task_code is null and t.closed_on is null"
    },
)
