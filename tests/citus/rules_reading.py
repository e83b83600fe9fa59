"""Rules R12-R16: reading, statistics, time zone, rights. As in ``rules_writing``."""

from __future__ import annotations

from collections.abc import Iterator

from pglast import ast

from dx_pipeline.warehouse.distribution import DISTRIBUTION_COLUMN
from tests.citus.catalog import Catalog
from tests.citus.tree import (
    column_names,
    equal_columns,
    found,
    function_name,
    level_aliases,
    level_joins,
    level_relations,
    selects,
    table_name,
)

SIZES = {"pg_total_relation_size", "pg_relation_size", "pg_table_size", "pg_indexes_size"}
READERS_OF_SHARDS = "core_partition"


def r12_reads_that_shards_can_answer(tree: ast.Node, catalog: Catalog) -> Iterator[str]:
    """R12: GROUPING SETS over an aggregated subquery only; no recursion over a fact; no correlated subquery or LATERAL to
    a fact; facts joined by the dossier code only (``complex joins are only supported when all distributed tables are
    co-located and joined on their distribution columns``).

    A function that reads a fact and is called for each row of another query is not seen.
    """
    for clause in found(tree, ast.WithClause):
        if clause.recursive and any(_is_fact(part, catalog) for part in found(clause, ast.RangeVar)):
            yield "recursive CTE over a fact"
    for select in selects(tree):
        relations = level_relations(select)
        facts = {alias for alias, relation in relations.items() if _is_fact(relation, catalog)}
        if facts and any(found(item, ast.GroupingSet) for item in select.groupClause or ()):
            yield "grouping sets right over a fact"
        yield from _facts_not_joined_by_code(select, facts)
        yield from _correlated_facts(select, catalog)


def _is_fact(relation: ast.RangeVar, catalog: Catalog) -> bool:
    return catalog.place(table_name(relation)) == "distributed"


def _facts_not_joined_by_code(select: ast.SelectStmt, facts: set[str]) -> Iterator[str]:
    if len(facts) < 2:
        return
    conditions = [join.quals for join in level_joins(select)] + [select.whereClause]
    using = [part.sval for join in level_joins(select) for part in join.usingClause or ()]
    if DISTRIBUTION_COLUMN in using:
        return
    groups = {alias: {alias} for alias in facts}
    for condition in conditions:
        for left, right in equal_columns(condition):
            is_code = left[-1] == DISTRIBUTION_COLUMN and right[-1] == DISTRIBUTION_COLUMN
            if is_code and left[0] in groups and right[0] in groups:
                together = groups[left[0]] | groups[right[0]]
                for alias in together:
                    groups[alias] = together
    if any(group != facts for group in groups.values()):
        yield f"facts {', '.join(sorted(facts))} are not joined to each other by {DISTRIBUTION_COLUMN}"


def _correlated_facts(select: ast.SelectStmt, catalog: Catalog) -> Iterator[str]:
    outer = level_aliases(select)
    inner_selects = [
        part.subquery
        for part in found(ast.SelectStmt(fromClause=select.fromClause), ast.RangeSubselect)
        if part.lateral
    ]
    clauses = (*(select.targetList or ()), *([select.whereClause] if select.whereClause else []))
    inner_selects += [link.subselect for clause in clauses for link in found(clause, ast.SubLink)]
    for inner in inner_selects:
        if not any(_is_fact(part, catalog) for part in found(inner, ast.RangeVar)):
            continue
        own = {alias for level in selects(inner) for alias in level_aliases(level)}
        used = {column_names(part)[0] for part in found(inner, ast.ColumnRef) if len(column_names(part)) > 1}
        if used & (outer - own):
            yield "a subquery over a fact that depends on each row outside it"


def r13_no_statistics_for_counts(tree: ast.Node, catalog: Catalog) -> Iterator[str]:
    """R13: pg_class.reltuples and relation sizes are 0 on the coordinator."""
    if any(column_names(part)[-1:] == ("reltuples",) for part in found(tree, ast.ColumnRef)):
        yield "reltuples"
    for name in sorted({function_name(call) for call in found(tree, ast.FuncCall)} & SIZES):
        yield f"{name}()"


def r13b_time_zone_is_explicit(tree: ast.Node, catalog: Catalog) -> Iterator[str]:
    """R13b: a session's time zone does not reach the workers: AT TIME ZONE, and ``date::timestamp`` before date_trunc.

    The syntax tree has no types: columns are known by their names, ``_at`` for an instant and ``_on`` for a day.
    """
    for setting in found(tree, ast.VariableSetStmt):
        if str(setting.name).lower() == "timezone":
            yield "set timezone"
    for call in found(tree, ast.FuncCall):
        if (
            function_name(call) == "date_trunc"
            and len(call.args) == 2
            and isinstance(call.args[1], ast.ColumnRef)
            and column_names(call.args[1])[-1].endswith(("_at", "_on"))
        ):
            yield f"date_trunc of {column_names(call.args[1])[-1]} without a zone"
    for cast in found(tree, ast.TypeCast):
        if (
            isinstance(cast.arg, ast.ColumnRef)
            and cast.typeName.names[-1].sval == "date"
            and column_names(cast.arg)[-1:]
            and column_names(cast.arg)[-1].endswith("_at")
        ):
            yield f"{column_names(cast.arg)[-1]}::date without a zone"


def r14_views_are_not_the_only_right(tree: ast.Node, catalog: Catalog) -> Iterator[str]:
    """R14: ``permission denied for table fact_102635``: shards are read as the calling user, a view gives no right."""
    if not isinstance(tree, ast.GrantStmt) or not tree.is_grant or tree.objtype.name != "OBJECT_TABLE":
        return
    for relation in tree.objects or ():
        name = table_name(relation) if isinstance(relation, ast.RangeVar) else ""
        for base in sorted(catalog.views.get(name, ())):
            if catalog.place(base) not in ("distributed", "reference"):
                continue
            for role in tree.grantees:
                if role.rolename and role.rolename not in catalog.grants.get(base, set()):
                    yield f"{role.rolename} may read the view {name} but not its table {base}"


def r15_row_policies_read_no_table(tree: ast.Node, catalog: Catalog) -> Iterator[str]:
    """R15: ``Policy expressions do not contain subqueries``; a setting may be changed by whoever has SQL."""
    if not isinstance(tree, ast.CreatePolicyStmt):
        return
    for part in (tree.qual, tree.with_check):
        if found(part, ast.SubLink):
            yield f"policy {tree.policy_name} has a subquery"
        for call in found(part, ast.FuncCall):
            name = function_name(call)
            if "." in name or name == "current_setting":
                yield f"policy {tree.policy_name} calls {name}()"


def r16_partitions_are_out_of_reach(tree: ast.Node, catalog: Catalog) -> Iterator[str]:
    """R16: a partition read by its own name skips the policy of its parent: grants name tables, partitions have a schema
    that nobody may use."""
    if isinstance(tree, ast.GrantStmt) and tree.is_grant:
        if tree.targtype.name == "ACL_TARGET_ALL_IN_SCHEMA" and tree.objtype.name == "OBJECT_TABLE":
            yield "grant on all tables in a schema"
        if tree.objtype.name == "OBJECT_SCHEMA" and any(
            getattr(part, "sval", "") == READERS_OF_SHARDS for part in tree.objects
        ):
            yield f"usage of {READERS_OF_SHARDS}"
    if isinstance(tree, ast.CreateStmt) and tree.partbound and tree.relation.schemaname != READERS_OF_SHARDS:
        yield f"partition {tree.relation.relname} outside {READERS_OF_SHARDS}"
