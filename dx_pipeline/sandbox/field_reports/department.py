"""Field reports (Trung tâm Điều hành thông minh) as a system of the sandbox: an HTTP API."""

from __future__ import annotations

from typing import Final

from dx_pipeline.sandbox.department import Department, Site, flags_of
from dx_pipeline.sandbox.web.department import located_on_the_web, stop_web, token_of, web_of


def _build(site: Site) -> str:
    from dx_pipeline.sandbox.field_reports.build import build_field_reports

    web = web_of(site)
    web.publish("field_reports", build_field_reports(seed=site.seed, truth_path=site.truth_path("field_reports")))
    return web.url("field_reports")


FIELD_REPORTS: Final = Department(
    "field_reports",
    _build,
    located=located_on_the_web("field_reports"),
    flagged={"phan_anh_hien_truong": flags_of("core.fact_field_report", key="t.report_code")},
    stop=stop_web,
    token=token_of("field_reports"),
)
