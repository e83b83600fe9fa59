"""Where each table of the warehouse lives when it runs on Citus, and the statements that put it there.

Three places, told from the schema, the name and the primary key of a table alone, so that a new table needs no entry here:

* **distributed**: keyed by the dossier code. These grow with the number of dossiers; rows of one dossier share a node.
* **reference**: the other tables of ``core`` that are not facts. Every node has a copy, so that facts can be joined to them.
* **local**: all the rest (counts of the departments, ledger, stage, marts, personal registers) stays on the coordinator.

On plain PostgreSQL nothing of this happens: the same SQL runs, and every table is an ordinary one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.errors import WarehouseError
from dx_pipeline.sql_quoting import identifier, literal

Placement = Literal["distributed", "reference", "local"]

DISTRIBUTION_COLUMN = "dossier_code"
ANCHOR = "core.fact_dossier"
"""The other distributed tables are co-located with this one."""

SEQUENTIAL = "set local citus.multi_shard_modify_mode to 'sequential'"
"""First statement of every transaction that loads or changes tables; a placeholder that plain PostgreSQL ignores."""

_TABLES = sa.text(
    "select n.nspname as schema, c.relname as name, coalesce(array_agg(a.attname::text) filter (where a.attname is not"
    " null), '{}') as key_columns"
    " from pg_catalog.pg_class as c join pg_catalog.pg_namespace as n on n.oid = c.relnamespace"
    " left join pg_catalog.pg_constraint as k on k.conrelid = c.oid and k.contype = 'p'"
    " left join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attnum = any(k.conkey)"
    " where c.relkind in ('r', 'p') and not c.relispartition and n.nspname in ('core', 'restricted')"
    " group by n.nspname, c.relname order by n.nspname, c.relname"
)
_FOREIGN_KEYS = sa.text(
    "select n.nspname as schema, c.relname as name, k.conname as constraint_name,"
    " pg_catalog.pg_get_constraintdef(k.oid) as definition, rn.nspname as to_schema, r.relname as to_name"
    " from pg_catalog.pg_constraint as k join pg_catalog.pg_class as c on c.oid = k.conrelid"
    " join pg_catalog.pg_namespace as n on n.oid = c.relnamespace"
    " join pg_catalog.pg_class as r on r.oid = k.confrelid join pg_catalog.pg_namespace as rn on rn.oid = r.relnamespace"
    " where k.contype = 'f' and k.conparentid = 0 and n.nspname in ('core', 'restricted') order by 1, 2, 3"
)


@dataclass(frozen=True)
class DistributionPlan:
    """What ``dx warehouse distribute`` does, in order; ``done`` are tables that Citus holds already."""

    distributed: tuple[str, ...]
    reference: tuple[str, ...]
    local: tuple[str, ...]
    done: tuple[str, ...]
    statements: tuple[str, ...]


def placement(schema: str, name: str, key_columns: Collection[str]) -> Placement:
    """Where a table lives on Citus.

    Args:
        key_columns: of its primary key.
    """
    if schema in ("core", "restricted") and DISTRIBUTION_COLUMN in key_columns:
        return "distributed"
    if schema == "core" and not name.startswith("fact_"):
        return "reference"
    return "local"


def citus_version(connection: Connection) -> str | None:
    """Version of the extension citus in this database; None on plain PostgreSQL."""
    found = connection.execute(
        sa.text("select extversion from pg_catalog.pg_extension where extname = 'citus'")
    ).scalar()
    return None if found is None else str(found)


def plan_distribution(connection: Connection) -> DistributionPlan:
    """The statements that would move the tables of this warehouse to their places.

    Foreign keys of the tables that move, and those that point to them, are dropped first and made again one by one: with
    them in place Citus refuses to distribute a filled fact, or takes tables along that were not meant.
    """
    places: dict[Placement, list[tuple[str, str]]] = {"distributed": [], "reference": [], "local": []}
    for row in connection.execute(_TABLES):
        places[placement(row.schema, row.name, row.key_columns)].append((row.schema, row.name))
    done = _known_to_citus(connection)
    moving = {*places["distributed"], *places["reference"]} - done
    keys = [
        row
        for row in connection.execute(_FOREIGN_KEYS)
        if (row.schema, row.name) in moving or (row.to_schema, row.to_name) in moving
    ]
    anchor = tuple(ANCHOR.split("."))
    facts = sorted(places["distributed"], key=lambda table: table != anchor)
    return DistributionPlan(
        distributed=_names(facts),
        reference=_names(places["reference"]),
        local=_names(places["local"]),
        done=_names(sorted(done & {table for tables in places.values() for table in tables})),
        statements=(
            *(f"alter table {_quoted(k.schema, k.name)} drop constraint {identifier(k.constraint_name)}" for k in keys),
            *(
                f"select create_reference_table({_literal(table)})"
                for table in places["reference"]
                if table not in done
            ),
            *(_distribute(table, anchor) for table in facts if table not in done),
            *(
                f"alter table {_quoted(k.schema, k.name)} add constraint {identifier(k.constraint_name)} {k.definition}"
                for k in keys
            ),
        ),
    )


def distribute(connection: Connection, plan: DistributionPlan) -> None:
    """Run the plan in the caller's transaction: all tables move, or none.

    Raises:
        WarehouseError: the extension citus is not installed, or a statement was refused.
    """
    if citus_version(connection) is None:
        raise WarehouseError(
            "the extension citus is not installed in this warehouse: nothing was distributed",
            next_step="docs/scale.md tells how to prepare a Citus cluster; plain PostgreSQL needs no such step",
        )
    connection.exec_driver_sql(SEQUENTIAL)
    for statement in plan.statements:
        try:
            connection.exec_driver_sql(statement)
        except sa.exc.DBAPIError as error:
            raise WarehouseError(
                f"{statement}: {str(error.orig).strip().splitlines()[0]}",
                next_step="nothing was changed; docs/scale.md lists what Citus refuses and why",
            ) from error


def _known_to_citus(connection: Connection) -> set[tuple[str, str]]:
    if citus_version(connection) is None:
        return set()
    rows = connection.execute(
        sa.text(
            "select n.nspname, c.relname from pg_dist_partition as d"
            " join pg_catalog.pg_class as c on c.oid = d.logicalrelid"
            " join pg_catalog.pg_namespace as n on n.oid = c.relnamespace where d.partmethod = 'h' or d.repmodel = 't'"
        )
    )
    return {(row.nspname, row.relname) for row in rows}


def _distribute(table: tuple[str, str], anchor: tuple[str, ...]) -> str:
    beside = "" if table == anchor else f", colocate_with => '{'.'.join(anchor)}'"
    return f"select create_distributed_table({_literal(table)}, '{DISTRIBUTION_COLUMN}'{beside})"


def _literal(table: tuple[str, str]) -> str:
    return literal(_quoted(*table))


def _quoted(schema: str, name: str) -> str:
    return f"{identifier(schema)}.{identifier(name)}"


def _names(tables: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(".".join(table) for table in tables)
