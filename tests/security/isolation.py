"""What one login can really do in each schema: every statement is carried out and rolled back, none is read off a catalogue."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import psycopg

from dx_pipeline.warehouse.connection import Warehouse
from tests.security.logins import as_owner

SCHEMAS = ("core", "core_partition", "mart", "ops", "restricted", "stage")
RIGHTS = ("select", "insert", "update", "delete", "truncate")
LETTERS = {"select": "S", "insert": "I", "update": "U", "delete": "D", "truncate": "T", "create": "C"}

# A column that may be written; one whose values are always generated may not, whoever asks.
_RELATIONS = """
select n.nspname, format('%%I.%%I', n.nspname, c.relname), c.relkind in ('r', 'p'), (
    select format('%%I', a.attname) from pg_attribute as a
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attidentity = '' and a.attgenerated = ''
    order by a.attnum limit 1
)
from pg_class as c
inner join pg_namespace as n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm') and n.nspname = any(%s)
order by 2
"""
_TRY_EACH = """
do $body$
declare
    one record;
    done jsonb := '[]';
begin
    for one in
        select s.key, s.value from jsonb_each_text(current_setting('dx.statements')::jsonb) as s
    loop
        begin
            execute one.value;
            raise exception using errcode = 'DXOK1';
        exception
            when insufficient_privilege then null;
            when sqlstate 'DXOK1' then done := done || to_jsonb(one.key);
        end;
    end loop;
    perform set_config('dx.done', done::text, false);
end
$body$
"""


def relations(warehouse: Warehouse) -> list[tuple[str, str, bool, str]]:
    """Schema, quoted name, whether it is a table, and a column, of every table and view."""
    return [(row[0], row[1], row[2], row[3]) for row in as_owner(warehouse, _RELATIONS, [list(SCHEMAS)])]


def what_may_be_done(url: str, found: Sequence[tuple[str, str, bool, str]]) -> dict[str, str]:
    """Schema → letters of what the login of this URL can do there: capital on every table, small on some, or on some columns."""
    statements: dict[str, str] = {}
    for schema, name, is_table, column in found:
        statements[f"count {schema} {name}"] = f"select count(*) from {name}"
        statements[f"select {schema} {name}"] = f"select * from {name} limit 1"
        if is_table:
            statements[f"insert {schema} {name}"] = f"insert into {name} ({column}) select null where false"
            statements[f"update {schema} {name}"] = f"update {name} set {column} = {column} where false"
            statements[f"delete {schema} {name}"] = f"delete from {name} where false"
            statements[f"truncate {schema} {name}"] = f"truncate {name} cascade"
    for schema in SCHEMAS:
        statements[f"create {schema} -"] = f"create table {schema}.made_by_the_matrix ()"
    done = _carried_out(url, statements)
    return {schema: _letters(schema, statements, done) for schema in SCHEMAS}


def _carried_out(url: str, statements: Mapping[str, str]) -> set[str]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("select set_config('dx.statements', %s, false)", [json.dumps(statements)])
        connection.execute(_TRY_EACH)
        row = connection.execute("select current_setting('dx.done')").fetchone()
    assert row is not None
    return set(json.loads(row[0]))


def _letters(schema: str, statements: Mapping[str, str], done: set[str]) -> str:
    told = ""
    for right in (*RIGHTS, "create"):
        asked = {key for key in statements if key.startswith(f"{right} {schema} ")}
        allowed = asked & done
        partly = {key for key in done if right == "select" and key.startswith(f"count {schema} ")}
        if asked and allowed == asked:
            told += LETTERS[right]
        elif allowed or partly:
            told += LETTERS[right].lower()
    return told or "–"
