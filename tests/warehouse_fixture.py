"""A migrated warehouse in its own database, for integration tests."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy.engine import make_url

from dx_pipeline.settings import PROJECT_ROOT
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.embedded import EmbeddedServer
from dx_pipeline.warehouse.migrate import migrate


@pytest.fixture
def warehouse(source_server: EmbeddedServer) -> Iterator[Warehouse]:
    """An empty, migrated warehouse."""
    name = f"w_{uuid4().hex[:12]}"
    source_server.create_database(name)
    opened = Warehouse(make_url(source_server.start().url(name)))
    migrate(opened, (PROJECT_ROOT,))
    yield opened
    opened.close()
