"""The service centre (Trung tâm Phục vụ hành chính công) as a system of the sandbox: an HTTP API."""

from __future__ import annotations

from typing import Final

from dx_pipeline.sandbox.department import Department, Site, flags_of
from dx_pipeline.sandbox.web.department import located_on_the_web, stop_web, token_of, web_of

_DOSSIERS: Final = "mot_cua"  # database of the one-stop system on the sandbox's server


def _build(site: Site) -> str:
    from dx_pipeline.sandbox.service_centre.build import MOST_RATED, build_service_centre
    from dx_pipeline.sandbox.service_centre.dossiers import ended_dossiers

    truth_file = site.truth_path("one_stop") / "one_stop_truth.parquet"
    dossiers = ended_dossiers(site.server.start().url(_DOSSIERS, "postgresql"), truth_file, MOST_RATED)
    lists = build_service_centre(dossiers, seed=site.seed, truth_path=site.truth_path("service_centre"))
    web = web_of(site)
    web.publish("service_centre", lists)
    return web.url("service_centre")


SERVICE_CENTRE: Final = Department(
    "service_centre",
    _build,
    located=located_on_the_web("service_centre"),
    flagged={
        "danh_gia_hai_long": flags_of("core.satisfaction_checked", key="(t.dossier_code || '|' || t.rating_kind_code)"),
        "phan_anh_kien_nghi": flags_of("core.petition_deadline", key="t.petition_code"),
        "luot_giao_dich": flags_of(
            "core.fact_service_transaction_day", key="concat_ws('|', t.day, t.agency_code, t.channel_sk)"
        ),
    },
    stop=stop_web,
    token=token_of("service_centre"),
)
