"""A migrated warehouse in its own database, for integration tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.embedded import EmbeddedServer
from tests.migrated_database import new_migrated_database


@pytest.fixture
def warehouse(source_server: EmbeddedServer) -> Iterator[Warehouse]:
    """An empty, migrated warehouse."""
    opened = Warehouse(new_migrated_database(source_server))
    yield opened
    opened.close()
