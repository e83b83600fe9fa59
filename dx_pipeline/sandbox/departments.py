"""The departments' systems of the sandbox beside the one-stop system.

A new system is one line in ``DEPARTMENTS``. The truth is written last, so its presence says that the system is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dx_pipeline.sandbox.business.department import BUSINESS
from dx_pipeline.sandbox.civil_status.department import CIVIL_STATUS
from dx_pipeline.sandbox.department import Department, Site
from dx_pipeline.sandbox.digital_infrastructure.department import DIGITAL_INFRASTRUCTURE
from dx_pipeline.sandbox.dx_budget.department import DX_BUDGET
from dx_pipeline.sandbox.education.department import EDUCATION
from dx_pipeline.sandbox.eid.department import EID
from dx_pipeline.sandbox.health.department import HEALTH
from dx_pipeline.sandbox.land.department import LAND
from dx_pipeline.sandbox.poor_households.department import POOR_HOUSEHOLDS
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
)


def build_department(department: Department, site: Site) -> str:
    """Build one system anew; returns the URL to read it by (it holds a password: never log it)."""
    (site.truth_path(department.system) / "truth.json").unlink(missing_ok=True)
    return department.build(site)


def locate_departments(site: Site, known: Mapping[str, str | None]) -> dict[str, str]:
    """Connection variable → URL of every built system, with the ports the servers have now."""
    return {
        one.connection: one.located(site, known[one.connection] or "")
        for one in DEPARTMENTS
        if one.is_built(site) and known.get(one.connection)
    }


def stop_departments(site: Site) -> list[str]:
    """Stop the servers that systems brought themselves, also after a build that failed; returns who had one running."""
    return [one.system for one in DEPARTMENTS if one.stop is not None and one.stop(site)]
