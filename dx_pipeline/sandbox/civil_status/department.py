"""Civil status (Sở Tư pháp) as a system of the sandbox: a folder of monthly JSON files."""

from __future__ import annotations

import hashlib
from typing import Final

from dx_pipeline.sandbox.department import Department, Site, flags_of


def _build(site: Site) -> str:
    from dx_pipeline.sandbox.civil_status.build import build_civil_status

    folder = (site.folder / "civil_status").resolve()
    build_civil_status(folder, seed=site.seed, truth_path=site.truth_path("civil_status"))
    return folder.as_uri()


def _hashed(row_key: str) -> str:
    return hashlib.sha256(row_key.encode()).hexdigest()


CIVIL_STATUS: Final = Department(
    "civil_status",
    _build,
    flagged={"viec_ho_tich": flags_of("restricted.civil_status_event", key="encode(t.event_hash, 'hex')")},
    hidden_keys={"viec_ho_tich": _hashed},
)
