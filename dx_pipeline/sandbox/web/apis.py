"""The HTTP systems that the one server answers for. A new one is a line here and a function in its own folder."""

from __future__ import annotations

from typing import Final

from dx_pipeline.sandbox.field_reports.api import answer_field_reports
from dx_pipeline.sandbox.service_centre.api import answer_service_centre
from dx_pipeline.sandbox.socio_economic.api import answer_socio_economic
from dx_pipeline.sandbox.web.answer import Answers

APIS: Final[dict[str, Answers]] = {
    "field_reports": answer_field_reports,
    "service_centre": answer_service_centre,
    "socio_economic": answer_socio_economic,
}


def base_path(system: str) -> str:
    """The path under which a system is served: ``/field-reports``."""
    return "/" + system.replace("_", "-")
