"""The business register (Sở KH&ĐT) as a system of the sandbox: a folder of XML files."""

from __future__ import annotations

from typing import Final

from dx_pipeline.sandbox.department import Department, Site, flags_of


def _build(site: Site) -> str:
    from dx_pipeline.sandbox.business.build import build_business

    folder = (site.folder / "business").resolve()
    build_business(folder, seed=site.seed, truth_path=site.truth_path("business"))
    return folder.as_uri()


BUSINESS: Final = Department(
    "business", _build, flagged={"doanh_nghiep": flags_of("core.fact_business", key="t.register_no")}
)
