"""Schools (Sở Giáo dục và Đào tạo) as a system of the sandbox: a folder of yearly exports."""

from __future__ import annotations

from typing import Final

from dx_pipeline.sandbox.department import Department, Site, flags_of


def _build(site: Site) -> str:
    from dx_pipeline.sandbox.education.build import build_education

    folder = (site.folder / "education").resolve()
    build_education(folder, seed=site.seed, truth_path=site.truth_path("education"))
    return folder.as_uri()


EDUCATION: Final = Department(
    "education",
    _build,
    flagged={"truong_hoc": flags_of("core.fact_school_year", key="concat_ws('|', t.school_code, t.school_year)")},
)
