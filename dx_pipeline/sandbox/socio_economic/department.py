"""Socio-economic indicators (Văn phòng UBND tỉnh, Cục Thống kê) as a system of the sandbox: an HTTP API."""

from __future__ import annotations

from typing import Final

from dx_pipeline.sandbox.department import Department, Site, flags_of
from dx_pipeline.sandbox.web.department import located_on_the_web, stop_web, token_of, web_of


def _build(site: Site) -> str:
    from dx_pipeline.sandbox.socio_economic.build import build_socio_economic

    web = web_of(site)
    web.publish("socio_economic", build_socio_economic(seed=site.seed, truth_path=site.truth_path("socio_economic")))
    return web.url("socio_economic")


_KEY: Final = "concat_ws('|', t.office_code, t.indicator_code, t.data_type_id, t.period_id, t.year)"

SOCIO_ECONOMIC: Final = Department(
    "socio_economic",
    _build,
    located=located_on_the_web("socio_economic"),
    flagged={
        "gia_tri_chi_tieu": flags_of("core.fact_indicator_reported", key=_KEY),
        "chi_tieu_co_du_lieu": flags_of("core.fact_indicator_listed", key=_KEY),
    },
    stop=stop_web,
    token=token_of("socio_economic"),
)
