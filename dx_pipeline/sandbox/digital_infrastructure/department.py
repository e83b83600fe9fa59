"""Digital infrastructure (Sở TT&TT) as a system of the sandbox: a database on its PostgreSQL server."""

from __future__ import annotations

import secrets
from typing import Final
from urllib.parse import quote

from dx_pipeline.sandbox.department import Department, Site, flags_of, on_the_server

_TEAMS: Final = flags_of("core.fact_community_team", key="t.source_row_id")


def _build(site: Site) -> str:
    from dx_pipeline.sandbox.digital_infrastructure.build import build_digital_infrastructure

    database, reader, password = "ha_tang_so", "ha_tang_so_doc", secrets.token_urlsafe(24)
    address = site.server.start()
    site.server.create_database(database)
    build_digital_infrastructure(
        address.url(database),
        seed=site.seed,
        truth_path=site.truth_path("digital_infrastructure"),
        reader=reader,
        password=password,
    )
    return f"postgresql://{reader}:{quote(password, safe='')}@{address.host}:{address.port}/{database}"


DIGITAL_INFRASTRUCTURE: Final = Department(
    "digital_infrastructure",
    _build,
    on_the_server,
    flagged={
        "ha_tang_so": flags_of("core.fact_infrastructure_month", key="t.source_row_id"),
        "to_cong_nghe_so": f"{_TEAMS} where t.register_sk = 1",
        "to_cong_nghe_so_bao_cao": f"{_TEAMS} where t.register_sk = 2",
        "he_thong_thong_tin": flags_of("core.dim_information_system", key="t.system_code"),
    },
)
