"""All rules by number, and the two that look at more than one statement (R6) or at Python (R13)."""

from __future__ import annotations

import ast as python
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pglast import ast

from dx_pipeline.warehouse.distribution import SEQUENTIAL
from tests.citus import rules_reading as reading
from tests.citus import rules_writing as writing
from tests.citus.catalog import Catalog
from tests.citus.tree import found, table_name

Rule = Callable[[ast.Node, Catalog], Iterator[str]]

RULES: dict[str, Rule] = {
    "R1": writing.r1_dossier_code_in_every_key,
    "R2": writing.r2_no_identity_on_facts,
    "R3": writing.r3_one_constraint_per_alter,
    "R4": writing.r4_one_partition_level,
    "R5": writing.r5_no_trigger_no_inherits,
    "R7": writing.r7_upsert_sets_only_excluded,
    "R8": writing.r8_no_merge,
    "R9": writing.r9_no_volatile_no_subquery_in_writes,
    "R10": writing.r10_no_dimension_written_from_local_rows,
    "R11": writing.r11_no_infinity,
    "R12": reading.r12_reads_that_shards_can_answer,
    "R13": reading.r13_no_statistics_for_counts,
    "R13b": reading.r13b_time_zone_is_explicit,
    "R14": reading.r14_views_are_not_the_only_right,
    "R15": reading.r15_row_policies_read_no_table,
    "R16": reading.r16_partitions_are_out_of_reach,
}


def r6_sequential_first_dimensions_before_facts(
    texts: Sequence[str], trees: Sequence[ast.Node], catalog: Catalog
) -> Iterator[str]:
    """R6: ``cannot modify table "dim_tthc" because there was a parallel operation on a distributed table``.

    Over all statements of one transaction: the first one makes it sequential, and no dimension is written after a fact.
    """
    if not texts or texts[0] != SEQUENTIAL:
        yield f"does not start with {SEQUENTIAL}"
    fact = None
    for tree in trees:
        for write in (*found(tree, ast.InsertStmt), *found(tree, ast.UpdateStmt), *found(tree, ast.DeleteStmt)):
            place = catalog.place(table_name(write.relation))
            if place == "distributed":
                fact = table_name(write.relation)
            elif place == "reference" and fact is not None:
                yield f"{table_name(write.relation)} is written after {fact}"


def r13_row_counts_of_the_driver(path: Path) -> Iterator[str]:
    """R13 in Python: ``rowcount`` of an upsert that changes nothing is the number of rows on Citus and 0 on plain
    PostgreSQL; numbers are counted in SQL, over RETURNING.

    Yields the function that reads ``rowcount``.
    """
    for node in python.walk(python.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, python.FunctionDef) and any(
            isinstance(part, python.Attribute) and part.attr == "rowcount" for part in python.walk(node)
        ):
            yield node.name
