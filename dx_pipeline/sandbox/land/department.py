"""The land database (Sở TN&MT) as a system of the sandbox: a folder of FoxPro tables."""

from __future__ import annotations

from typing import Final

from dx_pipeline.sandbox.department import Department, Site, flags_of


def _build(site: Site) -> str:
    from dx_pipeline.sandbox.land.build import build_land

    folder = (site.folder / "land").resolve()
    build_land(folder, seed=site.seed, truth_path=site.truth_path("land"))
    return folder.as_uri()


LAND: Final = Department("land", _build, flagged={"thua_dat": flags_of("restricted.land_parcel", key="t.parcel_id")})
