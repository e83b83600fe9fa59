"""Rules R1-R10 and R11: keys, DDL, transactions, writes.

Each rule takes a statement and the catalogue and yields what is wrong. Its docstring gives the message of Citus that
the rule avoids, and says what it cannot see in the text of a statement.
"""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast
from pglast.enums import AlterTableType, ConstrType, OnConflictAction

from dx_pipeline.warehouse.distribution import DISTRIBUTION_COLUMN
from tests.citus.catalog import Catalog
from tests.citus.tree import (
    column_names,
    found,
    function_name,
    level_aliases,
    level_joins,
    level_relations,
    selects,
    table_name,
)

VOLATILE = {"clock_timestamp", "gen_random_uuid", "nextval", "random", "setval", "timeofday", "uuidv4", "uuidv7"}
NOT_IMMUTABLE = VOLATILE | {
    "now",
    "statement_timestamp",
    "transaction_timestamp",
    "to_char",
    "date_trunc",
    "current_setting",
}
UNIQUE = (ConstrType.CONSTR_PRIMARY, ConstrType.CONSTR_UNIQUE)


def r1_dossier_code_in_every_key(tree: ast.Node, catalog: Catalog) -> Iterator[str]:
    """R1: ``creating unique indexes on non-partition columns is currently unsupported``; the value never changes."""
    if isinstance(tree, ast.CreateStmt) and catalog.place(table_name(tree.relation)) == "distributed":
        for constraint in found(tree, ast.Constraint):
            keys = [part.sval for part in constraint.keys or ()]
            if constraint.contype in UNIQUE and DISTRIBUTION_COLUMN not in keys:
                yield f"key ({', '.join(keys)}) without {DISTRIBUTION_COLUMN}"
    if (
        isinstance(tree, ast.IndexStmt)
        and tree.unique
        and catalog.place(table_name(tree.relation)) == "distributed"
        and DISTRIBUTION_COLUMN not in {str(part.name) for part in tree.indexParams}
    ):
        yield f"unique index {tree.idxname} without {DISTRIBUTION_COLUMN}"
    if isinstance(tree, ast.AlterTableStmt) and catalog.place(table_name(tree.relation)) == "distributed":
        for command in tree.cmds:
            if command.subtype == AlterTableType.AT_AlterColumnType and command.name == DISTRIBUTION_COLUMN:
                yield f"type of {DISTRIBUTION_COLUMN} is changed"
            definition = command.def_
            if (
                isinstance(definition, ast.Constraint)
                and definition.contype in UNIQUE
                and DISTRIBUTION_COLUMN not in [part.sval for part in definition.keys or ()]
            ):
                yield f"constraint {definition.conname} without {DISTRIBUTION_COLUMN}"
    for update in found(tree, ast.UpdateStmt):
        if catalog.place(table_name(update.relation)) == "distributed" and DISTRIBUTION_COLUMN in {
            target.name for target in update.targetList
        }:
            yield f"{DISTRIBUTION_COLUMN} is updated"


def r2_no_identity_on_facts(tree: ast.Node, catalog: Catalog) -> Iterator[str]:
    """R2: ``cannot complete operation on a table with identity column``."""
    if isinstance(tree, ast.CreateStmt) and catalog.place(table_name(tree.relation)) == "distributed":
        for column in found(tree, ast.ColumnDef):
            kinds = {part.contype for part in column.constraints or ()}
            type_name = column.typeName.names[-1].sval if column.typeName else ""
            drawn = any(function_name(call) == "nextval" for call in found(column, ast.FuncCall))
            if ConstrType.CONSTR_IDENTITY in kinds or type_name.endswith("serial") or drawn:
                yield f"column {column.colname} numbers itself"


def r3_one_constraint_per_alter(tree: ast.Node, catalog: Catalog) -> Iterator[str]:
    """R3: ``cannot execute ADD CONSTRAINT command with other subcommands``; CHECKs of a fact have a name."""
    if isinstance(tree, ast.AlterTableStmt):
        adds = [command for command in tree.cmds if command.subtype == AlterTableType.AT_AddConstraint]
        if adds and len(tree.cmds) > 1:
            yield "add constraint beside other changes"
    if isinstance(tree, ast.CreateStmt) and catalog.place(table_name(tree.relation)) == "distributed":
        for constraint in found(tree, ast.Constraint):
            if constraint.contype == ConstrType.CONSTR_CHECK and not constraint.conname:
                yield "a check without a name"


def r4_one_partition_level(tree: ast.Node, catalog: Catalog) -> Iterator[str]:
    """R4: ``distributing multi-level partitioned tables is not supported``; no DETACH CONCURRENTLY.

    Partitions that a function makes with EXECUTE are text at run time: this rule does not see them.
    """
    if isinstance(tree, ast.CreateStmt) and tree.partbound and tree.partspec:
        yield f"partition {tree.relation.relname} is partitioned again"
    for command in found(tree, ast.PartitionCmd):
        if command.concurrent:
            yield "detach concurrently"


def r5_no_trigger_no_inherits(tree: ast.Node, catalog: Catalog) -> Iterator[str]:
    """R5: ``triggers are not supported on distributed tables``, nor writable views, nor INHERITS."""
    if isinstance(tree, ast.CreateTrigStmt):
        yield f"trigger {tree.trigname}"
    if isinstance(tree, ast.CreateStmt) and tree.inhRelations and not tree.partbound:
        yield "inherits"
    for write in (*found(tree, ast.InsertStmt), *found(tree, ast.UpdateStmt), *found(tree, ast.DeleteStmt)):
        if table_name(write.relation) in catalog.views:
            yield f"writes to the view {table_name(write.relation)}"


def r7_upsert_sets_only_excluded(tree: ast.Node, catalog: Catalog) -> Iterator[str]:
    """R7: ``functions used in the DO UPDATE SET clause ... must be marked IMMUTABLE``: now() belongs in the SELECT."""
    for insert in found(tree, ast.InsertStmt):
        clause = insert.onConflictClause
        place = catalog.place(table_name(insert.relation))
        if (
            place not in ("distributed", "reference")
            or clause is None
            or clause.action != OnConflictAction.ONCONFLICT_UPDATE
        ):
            continue
        for part in (*clause.targetList, clause.whereClause):
            calls = [function_name(call) for call in found(part, ast.FuncCall)]
            for name in sorted({name for name in calls if name in NOT_IMMUTABLE or "." in name}):
                yield f"{name}() in do update"
            if found(part, ast.SQLValueFunction):
                yield "current_timestamp or its like in do update"
        if place == "distributed" and clause.infer is None:
            yield "on conflict without a key"


def r8_no_merge(tree: ast.Node, catalog: Catalog) -> Iterator[str]:
    """R8: ``MERGE INTO an distributed table from Postgres table is not yet supported`` and six more like it."""
    if found(tree, ast.MergeStmt):
        yield "merge"


def r9_no_volatile_no_subquery_in_writes(tree: ast.Node, catalog: Catalog) -> Iterator[str]:
    """R9: ``functions used in UPDATE queries on distributed tables must not be VOLATILE`` and its neighbours.

    Only volatile functions of PostgreSQL are known by name; one of our own is not looked into.
    """
    for update in found(tree, ast.UpdateStmt):
        if catalog.place(table_name(update.relation)) in ("distributed", "reference"):
            for name in sorted({function_name(call) for call in found(update, ast.FuncCall)} & VOLATILE):
                yield f"{name}() in update"
    for insert in found(tree, ast.InsertStmt):
        select = insert.selectStmt
        if (
            catalog.place(table_name(insert.relation)) == "distributed"
            and isinstance(select, ast.SelectStmt)
            and select.valuesLists
            and any(found(value, ast.SubLink) for row in select.valuesLists for value in row)
        ):
            yield "a subquery in values"
    for delete in found(tree, ast.DeleteStmt):
        if catalog.place(table_name(delete.relation)) == "distributed":
            for link in found(delete.whereClause, ast.SubLink):
                if any(catalog.place(table_name(part)) == "local" for part in found(link, ast.RangeVar)):
                    yield "delete by a subquery over a local table"
    for select in selects(tree):
        places = {catalog.place(table_name(relation)) for relation in level_relations(select).values()}
        locks = any(str(clause.strength.name).startswith("LCS_FORUPDATE") for clause in select.lockingClause or ())
        if locks and "distributed" in places and not _is_of_one_dossier(select):
            yield "for update of more than one dossier"


def _is_of_one_dossier(select: ast.SelectStmt) -> bool:
    return any(
        isinstance(part.lexpr, ast.ColumnRef)
        and column_names(part.lexpr)[-1:] == (DISTRIBUTION_COLUMN,)
        and not isinstance(part.rexpr, ast.ColumnRef)
        and part.name[-1].sval == "="
        for part in found(select.whereClause, ast.A_Expr)
    )


def r10_no_dimension_written_from_local_rows(tree: ast.Node, catalog: Catalog) -> Iterator[str]:
    """R10: ``relation ... is not distributed`` (UPDATE of a dimension from a local table or a CTE over one), and
    ``correlated subqueries are not supported when the FROM clause contains a reference table`` (NOT EXISTS),
    ``direct joins between distributed and local tables are not supported`` (anti-join without a materialized CTE).

    A temporary table without a schema cannot be told from a CTE by name; both count as local in an UPDATE.
    """
    for update in found(tree, ast.UpdateStmt):
        target = table_name(update.relation)
        if catalog.place(target) != "reference":
            continue
        read = [table_name(part) for node in update.fromClause or () for part in found(node, ast.RangeVar)]
        read += [table_name(part) for part in found(update.whereClause, ast.RangeVar)]
        local = sorted({name for name in read if _is_local(name, tree, catalog)})
        if local:
            yield f"update of {target} from {', '.join(local)}"
    for insert in found(tree, ast.InsertStmt):
        if catalog.place(table_name(insert.relation)) not in ("reference", "distributed"):
            continue
        for select in selects(insert):
            yield from _anti_join_faults(select, catalog)


def _is_local(name: str, statement: ast.Node, catalog: Catalog) -> bool:
    """Whether rows of a relation are on the coordinator only; a CTE is as local as what it reads."""
    for clause in found(statement, ast.WithClause):
        for cte in clause.ctes:
            if cte.ctename == name:
                inner = [table_name(part) for part in found(cte.ctequery, ast.RangeVar)]
                return any(_is_local(part, statement, catalog) for part in inner if part != name)
    return catalog.place(name) in ("local", None)


def _anti_join_faults(select: ast.SelectStmt, catalog: Catalog) -> Iterator[str]:
    relations = level_relations(select)
    places = {alias: catalog.place(table_name(relation)) for alias, relation in relations.items()}
    for link in found(select.whereClause, ast.SubLink):
        inner = link.subselect
        outer = level_aliases(select) - level_aliases(inner)
        used = {column_names(part)[0] for part in found(inner, ast.ColumnRef) if len(column_names(part)) > 1}
        read = {catalog.place(table_name(part)) for part in found(inner, ast.RangeVar)}
        if outer & used and "local" in places.values() and read & {"reference", "distributed"}:
            yield "a correlated subquery over a table of Citus beside local rows"
    for join in level_joins(select):
        right = join.rarg
        if join.jointype.name != "JOIN_LEFT" or not isinstance(right, ast.RangeVar):
            continue
        alias = right.alias.aliasname if right.alias else str(right.relname)
        is_anti = any(
            test.nulltesttype.name == "IS_NULL"
            and isinstance(test.arg, ast.ColumnRef)
            and column_names(test.arg)[0] == alias
            for test in found(select.whereClause, ast.NullTest)
        )
        if is_anti and places.get(alias) in ("reference", "distributed") and "local" in places.values():
            yield f"anti-join of local rows with {table_name(right)} outside a materialized CTE"


def r11_no_infinity(tree: ast.Node, catalog: Catalog) -> Iterator[str]:
    """R11: ``timestamp too large (after year 10K)`` in the driver: the end of time is 9999-12-31."""
    for constant in found(tree, ast.String):
        if constant.sval.lower() in ("infinity", "-infinity"):
            yield constant.sval
