"""Electronic identities (Công an tỉnh) as a system of the sandbox: a folder of monthly workbooks."""

from __future__ import annotations

from typing import Final

from dx_pipeline.sandbox.department import Department, Site, flags_of

_KEY: Final = "concat_ws('|', t.month::text, t.district_name, t.commune_name)"


def _build(site: Site) -> str:
    from dx_pipeline.sandbox.eid.build import build_eid

    folder = (site.folder / "eid").resolve()
    build_eid(folder, seed=site.seed, truth_path=site.truth_path("eid"))
    return folder.as_uri()


EID: Final = Department(
    "eid",
    _build,
    flagged={
        # A fall against the month before is told by the mart: no single row shows it.
        "dinh_danh_xa_thang": flags_of("core.fact_eid_month", key=_KEY)
        + f" union all select {_KEY}, 'luy_ke_giam' from core.fact_eid_month as t"
        " join mart.eid_by_commune_month as m on m.month = t.month and m.commune_sk = t.commune_sk where m.is_drop"
    },
)
