"""The staff register (Sở Nội vụ) as a system of the sandbox: a database on its PostgreSQL server."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final
from urllib.parse import quote

from dx_pipeline.sandbox.department import Department, Site, flags_of, on_the_server

_KEY: Final = "(encode(t.staff_hash, 'hex') || '|' || t.year)"


def _build(site: Site) -> str:
    from dx_pipeline.sandbox.staff.build import build_staff

    database, reader, password = "ho_so_can_bo", "ho_so_can_bo_doc", secrets.token_urlsafe(24)
    address = site.server.start()
    site.server.create_database(database)
    build_staff(
        address.url(database),
        seed=site.seed,
        truth_path=site.truth_path("staff"),
        reader=reader,
        password=password,
    )
    return f"postgresql://{reader}:{quote(password, safe='')}@{address.host}:{address.port}/{database}"


def _hashed(row_key: str) -> str:
    number, rest = row_key.split("|", 1)
    return f"{hashlib.sha256(number.encode()).hexdigest()}|{rest}"


STAFF: Final = Department(
    "staff",
    _build,
    on_the_server,
    flagged={
        # An agency that is not in the catalogue is told by the mart: the register alone cannot know it.
        "can_bo": flags_of("restricted.staff_member", key=_KEY)
        + f" union all select {_KEY}, 'don_vi_khong_con' from restricted.staff_member as t"
        " join mart.staff_by_agency_year as m on m.agency_code = t.agency_code and m.year = t.year"
        " where not m.is_in_catalogue and t.closed_on is null"
    },
    hidden_keys={"can_bo": _hashed},
)
