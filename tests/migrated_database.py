"""New databases with all migrations applied: made once for each server, then copied."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from dx_pipeline.settings import PROJECT_ROOT
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.embedded import EmbeddedServer
from dx_pipeline.warehouse.migrate import migrate

TEMPLATE = "w_migrated"
_made: set[Path] = set()  # by the log of the server, of which each has its own


def new_migrated_database(server: EmbeddedServer) -> URL:
    """URL of a new database on the server, which is started if need be."""
    address = server.start()
    name = f"w_{uuid4().hex[:12]}"
    with psycopg.connect(address.url("postgres", "postgresql"), autocommit=True) as connection:
        if server.log not in _made:
            server.create_database(TEMPLATE)
            opened = Warehouse(make_url(address.url(TEMPLATE)))
            migrate(opened, (PROJECT_ROOT,))
            opened.close()
            connection.execute(sql.SQL("alter database {} allow_connections false").format(sql.Identifier(TEMPLATE)))
            _made.add(server.log)
        connection.execute(
            sql.SQL("create database {} template {} strategy file_copy").format(
                sql.Identifier(name), sql.Identifier(TEMPLATE)
            )
        )
    return make_url(address.url(name))
