"""What the site tells of the warehouse itself: tables, columns, keys and who may read, from the system catalogue."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.engine import Connection

SCHEMAS = ("core", "mart", "ops")
ROLES = ("dx_bi", "dx_analyst", "dx_engineer")
_KEYS = """
select
    n.nspname || '.' || c.relname as name,
    k.contype::text as kind,
    array(
        select a.attname::text
        from unnest(k.conkey) with ordinality as u (attnum, place)
        inner join pg_catalog.pg_attribute as a on a.attrelid = k.conrelid and a.attnum = u.attnum
        order by u.place
    ) as columns,
    rn.nspname || '.' || r.relname as referenced
from pg_catalog.pg_constraint as k
inner join pg_catalog.pg_class as c on c.oid = k.conrelid
inner join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
left join pg_catalog.pg_class as r on r.oid = k.confrelid
left join pg_catalog.pg_namespace as rn on rn.oid = r.relnamespace
where k.contype in ('p', 'f') and not c.relispartition and not coalesce(r.relispartition, false)
    and n.nspname = any(:schemas)
order by 1, k.conname
"""
_READERS = """
select
    n.nspname || '.' || c.relname as name,
    array(
        select o.rolname::text
        from unnest(cast(:roles as text[])) as o (rolname)
        where has_schema_privilege(o.rolname, n.oid, 'usage') and (
            has_table_privilege(o.rolname, c.oid, 'select') or has_any_column_privilege(o.rolname, c.oid, 'select')
        )
    ) as roles
from pg_catalog.pg_class as c
inner join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
where n.nspname = any(:schemas) and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition
"""
_DICTIONARY = """
select
    schema_name,
    table_name,
    column_name,
    table_kind,
    data_type,
    comment_vi,
    comment_en
from ops.data_dictionary
where schema_name = any(:schemas)
order by array_position(cast(:schemas as text[]), schema_name), table_name, position
"""


@dataclass(frozen=True)
class TableColumn:
    """A column of the warehouse with its comment in both languages."""

    name: str
    data_type: str
    comment_vi: str
    comment_en: str


@dataclass(frozen=True)
class ForeignKey:
    """Columns of a table that point to another one."""

    table: str
    columns: tuple[str, ...]
    referenced: str


@dataclass
class Table:
    """A table or view of ``core``, ``mart`` or ``ops``."""

    schema: str
    name: str
    kind: str
    comment_vi: str
    comment_en: str
    columns: list[TableColumn] = field(default_factory=list)
    primary_key: tuple[str, ...] = ()
    foreign_keys: list[ForeignKey] = field(default_factory=list)
    readers: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.schema}.{self.name}"

    def references(self, column: str) -> str | None:
        """The table that a column points to, if any."""
        return next((key.referenced for key in self.foreign_keys if column in key.columns), None)


def read_tables(connection: Connection) -> dict[str, Table]:
    """Every table and view of the documented schemas by ``schema.table``, in the order of the dictionary."""
    tables: dict[str, Table] = {}
    listed = {"schemas": list(SCHEMAS)}
    for row in connection.execute(sa.text(_DICTIONARY), listed):
        vi = row.comment_vi or ""
        en = row.comment_en or vi
        name = f"{row.schema_name}.{row.table_name}"
        if row.column_name is None:
            tables[name] = Table(row.schema_name, row.table_name, row.table_kind, vi, en)
        else:
            tables[name].columns.append(TableColumn(row.column_name, row.data_type, vi, en))
    for row in connection.execute(sa.text(_KEYS), listed):
        if row.kind == "p":
            tables[row.name].primary_key = tuple(row.columns)
        elif row.referenced in tables:
            tables[row.name].foreign_keys.append(ForeignKey(row.name, tuple(row.columns), row.referenced))
    for row in connection.execute(sa.text(_READERS), {**listed, "roles": list(ROLES)}):
        tables[row.name].readers = tuple(row.roles)
    return tables


def referencing(tables: dict[str, Table]) -> dict[str, list[ForeignKey]]:
    """Foreign keys by the table they point to."""
    found: dict[str, list[ForeignKey]] = defaultdict(list)
    for table in tables.values():
        for key in table.foreign_keys:
            found[key.referenced].append(key)
    return found
