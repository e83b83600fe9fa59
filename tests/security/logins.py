"""Real logins on a real server: each asks with its own password over SCRAM-SHA-256."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from dx_pipeline.warehouse.connection import Warehouse


class Login:
    """One person or service: a role that can log in, a member of the given roles."""

    def __init__(self, warehouse: Warehouse, *groups: str, prefix: str = "t") -> None:
        self.name = f"{prefix}_{uuid4().hex[:10]}"
        self._password = secrets.token_urlsafe(16)
        with psycopg.connect(owner_url(warehouse)) as connection:
            connection.execute(
                sql.SQL("create role {} login password {}").format(
                    sql.Identifier(self.name), sql.Literal(self._password)
                )
            )
            for group in groups:
                connection.execute(sql.SQL("grant {} to {}").format(sql.Identifier(group), sql.Identifier(self.name)))
        url = make_url(owner_url(warehouse)).set(username=self.name, password=self._password)
        self.url = url.render_as_string(hide_password=False)

    def connect(self, *, autocommit: bool = True) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url, autocommit=autocommit)

    def ask(self, statement: str, values: Sequence[object] | None = None) -> list[tuple[Any, ...]]:
        """Rows of a statement in a connection of its own."""
        with self.connect() as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def refused(self, statement: str, values: Sequence[object] | None = None) -> str:
        """The server's refusal; fails if the statement is carried out."""
        try:
            found = self.ask(statement, values)
        except psycopg.errors.InsufficientPrivilege as error:
            return str(error)
        raise AssertionError(f"{self.name} was not refused: {statement!r} gave {found[:3]}")


def owner_url(warehouse: Warehouse) -> str:
    """libpq URL of the owner."""
    return warehouse.url.set(drivername="postgresql").render_as_string(hide_password=False)


def as_owner(warehouse: Warehouse, statement: str, values: Sequence[object] | None = None) -> list[tuple[Any, ...]]:
    """Rows of a statement of the owner."""
    with psycopg.connect(owner_url(warehouse)) as connection:
        cursor = connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []
