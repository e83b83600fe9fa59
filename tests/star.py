"""The published star as checksums, whatever keys and batch numbers it was given while it was loaded."""

from __future__ import annotations

from pathlib import Path

import psycopg

from dx_pipeline.warehouse.embedded import EmbeddedServer

SCHEMAS = ("core", "restricted", "mart")
BOOKKEEPING = ("first_batch_id", "last_batch_id", "loaded_at", "refreshed_at")
# Keys handed out by a sequence: shown as what they stand for.
SURROGATES = {
    "agency_sk": ("core.dim_agency", "agency_code"),
    "procedure_sk": ("core.dim_procedure", "procedure_code"),
    "field_sk": ("core.dim_field", "field_code"),
}


def warehouse_url(home: Path) -> str:
    """libpq URL of an installation's embedded warehouse, as its owner."""
    return EmbeddedServer(home, name="warehouse").start().url("dx_warehouse", "postgresql")


def star_checksums(url: str) -> dict[str, tuple[int, str]]:
    """Table → (rows, MD5 of all rows as text), for every table of core, restricted and mart but the histories.

    These tell when the warehouse came to know what, which no two loads share.
    """
    with psycopg.connect(url) as connection:
        return {table: _checksum(connection, table, columns) for table, columns in _tables(connection).items()}


def _tables(connection: psycopg.Connection) -> dict[str, list[str]]:
    found = connection.execute(
        "select format('%%I.%%I', n.nspname, c.relname), array_agg(a.attname::text order by a.attnum)"
        " from pg_class as c join pg_namespace as n on n.oid = c.relnamespace"
        " join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped"
        " where n.nspname = any(%s) and c.relname not like '%%\\_history' and c.relkind in ('r', 'p')"
        " and not c.relispartition group by 1 order by 1",
        [list(SCHEMAS)],
    ).fetchall()
    assert any(table == "core.fact_dossier" for table, _ in found)
    return dict(found)


def _checksum(connection: psycopg.Connection, table: str, columns: list[str]) -> tuple[int, str]:
    shown = []
    for column in columns:
        dimension, code = SURROGATES.get(column, ("", ""))
        if dimension == table or column in BOOKKEEPING:
            continue
        if dimension:
            shown.append(f"(select m.{code} || m.valid_from from {dimension} as m where m.{column} = t.{column})")
        else:
            shown.append(f't."{column}"')
    statement = (
        f"select count(*), coalesce(md5(string_agg(r.line, E'\\n' order by r.line collate \"C\")), '')"
        f" from (select row({', '.join(shown)})::text as line from {table} as t) as r"
    )
    rows, digest = connection.execute(statement).fetchone()  # type: ignore[misc]
    return int(rows), str(digest)
