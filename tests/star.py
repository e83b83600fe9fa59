"""The published star as checksums, whatever keys and batch numbers it was given while it was loaded."""

from __future__ import annotations

from pathlib import Path

import psycopg

from dx_pipeline.warehouse.embedded import EmbeddedServer

SCHEMAS = ("core", "restricted", "mart")
BOOKKEEPING = ("first_batch_id", "last_batch_id", "loaded_at", "refreshed_at")
# Keys handed out by a sequence: shown as what they stand for.
SURROGATES = {
    "agency_sk": ("core.dim_agency", "agency_sk", "agency_code"),
    "procedure_sk": ("core.dim_procedure", "procedure_sk", "procedure_code"),
    "field_sk": ("core.dim_field", "field_sk", "field_code"),
    **dict.fromkeys(
        ("owner_agency_sk", "lead_agency_sk", "office_agency_sk", "code_agency_sk", "handler_agency_sk"),
        ("core.dim_agency", "agency_sk", "agency_code"),
    ),
}


def warehouse_url(home: Path) -> str:
    """libpq URL of an installation's embedded warehouse, as its owner."""
    return EmbeddedServer(home, name="warehouse").start().url("dx_warehouse", "postgresql")


def star_checksums(url: str, *, hashes: bool = True) -> dict[str, tuple[int, str]]:
    """Table → (rows, MD5 of all rows as text), for every table of core, restricted and mart but the histories.

    These tell when the warehouse came to know what, which no two loads share. Versions of dimensions that are valid on
    no day are left out: nothing refers to them.

    Args:
        hashes: compare ``row_hash`` too. Some hold the key of the agency, which depends on the order of loads.
    """
    left_out = BOOKKEEPING if hashes else (*BOOKKEEPING, "row_hash")
    with psycopg.connect(url) as connection:
        return {
            table: _checksum(connection, table, columns, left_out) for table, columns in _tables(connection).items()
        }


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


def _checksum(
    connection: psycopg.Connection, table: str, columns: list[str], left_out: tuple[str, ...]
) -> tuple[int, str]:
    shown = []
    for column in columns:
        dimension, key, code = SURROGATES.get(column, ("", "", ""))
        if (dimension == table and key == column) or column in left_out:
            continue
        if dimension:
            shown.append(f"(select m.{code} || m.valid_from from {dimension} as m where m.{key} = t.{column})")
        else:
            shown.append(f't."{column}"')
    valid = " where t.valid_to > t.valid_from" if {"valid_to", "is_current"} <= set(columns) else ""
    statement = (
        f"select count(*), coalesce(md5(string_agg(r.line, E'\\n' order by r.line collate \"C\")), '')"
        f" from (select row({', '.join(shown)})::text as line from {table} as t{valid}) as r"
    )
    rows, digest = connection.execute(statement).fetchone()  # type: ignore[misc]
    return int(rows), str(digest)
