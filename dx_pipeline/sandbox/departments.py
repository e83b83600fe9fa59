"""The departments' systems of the sandbox beside the one-stop system.

A new system is one line in ``DEPARTMENTS``. The truth is written last, so its presence says that the system is built.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Final

from dx_pipeline.errors import DxError
from dx_pipeline.sandbox.business.department import BUSINESS
from dx_pipeline.sandbox.civil_status.department import CIVIL_STATUS
from dx_pipeline.sandbox.department import Department, Site
from dx_pipeline.sandbox.digital_infrastructure.department import DIGITAL_INFRASTRUCTURE
from dx_pipeline.sandbox.dx_budget.department import DX_BUDGET
from dx_pipeline.sandbox.education.department import EDUCATION
from dx_pipeline.sandbox.eid.department import EID
from dx_pipeline.sandbox.field_reports.department import FIELD_REPORTS
from dx_pipeline.sandbox.health.department import HEALTH
from dx_pipeline.sandbox.land.department import LAND
from dx_pipeline.sandbox.poor_households.department import POOR_HOUSEHOLDS
from dx_pipeline.sandbox.service_centre.department import SERVICE_CENTRE
from dx_pipeline.sandbox.socio_economic.department import SOCIO_ECONOMIC
from dx_pipeline.sandbox.staff.department import STAFF
from dx_pipeline.sandbox.task_tracking.department import TASK_TRACKING

DEPARTMENTS: Final[tuple[Department, ...]] = (
    DIGITAL_INFRASTRUCTURE,
    TASK_TRACKING,
    EID,
    POOR_HOUSEHOLDS,
    CIVIL_STATUS,
    LAND,
    BUSINESS,
    HEALTH,
    EDUCATION,
    STAFF,
    DX_BUDGET,
    FIELD_REPORTS,
    SOCIO_ECONOMIC,
    SERVICE_CENTRE,
)


def build_department(department: Department, site: Site) -> dict[str, str]:
    """Build one system anew; returns its connection variables (they hold passwords: never log them)."""
    (site.truth_path(department.system) / "truth.json").unlink(missing_ok=True)
    connections = {department.connection: department.build(site)}
    if department.token is not None:
        connections[f"{department.connection}_TOKEN"] = department.token(site)
    return connections


def locate_departments(
    site: Site, known: Mapping[str, str | None], failed: MutableMapping[str, DxError]
) -> dict[str, str]:
    """Connection variable → URL of every built system, with the ports the servers have now.

    A system whose own server does not start keeps its former URL and is told of in ``failed``: it holds no other.
    """
    urls = {}
    for one in DEPARTMENTS:
        former = known.get(one.connection)
        if former and one.is_built(site):
            try:
                urls[one.connection] = one.located(site, former)
            except DxError as error:
                failed[one.system] = error
    return urls


def stop_departments(site: Site) -> list[str]:
    """Stop the servers that systems brought themselves, also after a build that failed; returns who had one running."""
    return [one.system for one in DEPARTMENTS if one.stop is not None and one.stop(site)]
