"""One small province, loaded once, for the tests of keys, backups and retention. Each leaves it loaded and whole."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Installation
from tests.star import warehouse_url

DOSSIERS = 2_000


@pytest.fixture(scope="session")
def kept(make_installation: Callable[[], Installation]) -> Installation:
    """An installation whose one-stop and poverty systems were loaded once."""
    installation = make_installation()
    installation.dx("sandbox", "build", "--dossiers", str(DOSSIERS))
    installation.dx("run", "one_stop", "poor_households")
    return installation


@pytest.fixture
def kept_url(kept: Installation) -> str:
    """libpq URL of its warehouse, as the owner."""
    return warehouse_url(kept.home)
