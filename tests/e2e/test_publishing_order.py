"""What is published first makes no difference: the star is the same when the catalogues come last.

So it is when the one-stop system is down for a day while the departments' systems are read.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from tests.conftest import Installation
from tests.e2e.test_departments_sandbox import SYSTEMS
from tests.reports import forgotten, shown_now
from tests.star import star_checksums, warehouse_url

pytestmark = pytest.mark.timeout(600)


def test_departments_and_dossiers_before_the_catalogues(make_installation: Callable[[], Installation]) -> None:
    usual, reverse = make_installation(), make_installation()
    for installation in (usual, reverse):
        installation.dx("sandbox", "build", "--dossiers", "2000")
    usual.dx("run")
    shutil.copytree(usual.home / "keys", reverse.home / "keys")  # the same pseudonyms
    reverse.dx("run", *SYSTEMS)
    reverse.dx("run", "one_stop.ho_so")
    inferred = "select count(*) from core.dim_agency where is_inferred and is_current and agency_code like '000.%'"
    assert int(reverse.value(inferred)) > 30
    before = shown_now(warehouse_url(reverse.home))
    reverse.dx("run", "one_stop")
    assert forgotten(warehouse_url(reverse.home), before) == [], "what moved to the agencies reads then as it did"
    assert reverse.value(inferred) == "0"
    wanted, found = (star_checksums(warehouse_url(one.home), hashes=False) for one in (usual, reverse))
    assert found == wanted
    told = reverse.dx("sandbox", "verify", check=False)
    assert told.returncode == 0, told.stdout
    assert "recall 1.0000, clean rows rejected 0" in told.stdout
