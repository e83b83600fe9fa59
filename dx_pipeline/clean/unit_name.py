"""Names of administrative units and agencies: prose whose comparison key knows the usual abbreviations."""

from __future__ import annotations

from dx_pipeline.clean.comparison_key import unit_keys
from dx_pipeline.clean.person_name import keyed_name

UNIT_NAME = keyed_name(
    "unit_name", "tên đơn vị hành chính, cơ quan | name of an administrative unit or agency", unit_keys
)
