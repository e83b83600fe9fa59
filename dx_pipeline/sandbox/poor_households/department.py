"""Poor households (Sở LĐTBXH) as a system of the sandbox: a folder of FoxPro tables."""

from __future__ import annotations

import hashlib
from typing import Final

from dx_pipeline.sandbox.department import Department, Site, flags_of


def _build(site: Site) -> str:
    from dx_pipeline.sandbox.poor_households.build import build_poor_households

    folder = (site.folder / "poor_households").resolve()
    build_poor_households(folder, seed=site.seed, truth_path=site.truth_path("poor_households"))
    return folder.as_uri()


def _hashed(row_key: str) -> str:
    code, rest = row_key.split("|", 1)
    return f"{hashlib.sha256(code.encode()).hexdigest()}|{rest}"


POOR_HOUSEHOLDS: Final = Department(
    "poor_households",
    _build,
    flagged={
        "ho_ngheo": flags_of("restricted.poor_household", key="(encode(t.household_hash, 'hex') || '|' || t.year)")
    },
    hidden_keys={"ho_ngheo": _hashed},
)
