"""Every SQL statement the project runs on its warehouse: migrations, tables sections, load steps with the statements
that are generated around them, marts, questions; and the statements inside SQL and plpgsql functions.

Not here: statements that Python sends to the ledger (schema ``ops``), which stays on the coordinator, and SQL that a
plpgsql function puts together and runs with EXECUTE, which is text only at run time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pglast
from pglast import ast
from pglast.parser import ParseError

from dx_pipeline.settings import PROJECT_ROOT
from dx_pipeline.warehouse.load_file import parse_load_file
from dx_pipeline.warehouse.migrate import scripts_of
from tests.citus.catalog import Catalog
from tests.citus.recorder import record_load

BEFORE = re.compile(r"(?:\s|--[^\n]*\n)*")
ROW_VARIABLE = re.compile(r"^(\s+\w+) [a-z_]+\.[a-z_]+;$", re.MULTILINE)  # pglast knows no types of our schemas
BIND = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")


@dataclass(frozen=True)
class Statement:
    """One statement and where it stands: ``migrations/0009_fact_dossier.sql:57``, ``...: function core.f`` or
    ``load/one_stop/ho_so.sql: generated``."""

    source: str
    text: str
    tree: ast.Node


def parse(text: str) -> list[tuple[int, str, ast.Node]]:
    """Statements of a script: line, text and tree. Binds (``:batch_id``) become ``$1``."""
    bound, parsed = BIND.sub("$1", text), []
    for raw in pglast.parse_sql(bound):
        end = raw.stmt_location + raw.stmt_len if raw.stmt_len else len(bound)
        start = raw.stmt_location + len(BEFORE.match(bound[raw.stmt_location : end])[0])  # type: ignore[index]
        parsed.append((bound.count("\n", 0, start) + 1, bound[start:end].strip(), raw.stmt))
    return parsed


def statements_of(source: str, text: str) -> Iterator[Statement]:
    """The statements of a script, and those inside the functions it creates."""
    for line, piece, tree in parse(text):
        yield Statement(f"{source}:{line}", piece, tree)
        if isinstance(tree, ast.CreateFunctionStmt | ast.DoStmt):
            yield from _body(source, piece, tree)


def _body(source: str, piece: str, tree: ast.CreateFunctionStmt | ast.DoStmt) -> Iterator[Statement]:
    options = {
        option.defname: option.arg
        for option in (tree.options if isinstance(tree, ast.CreateFunctionStmt) else tree.args)
    }
    name = ".".join(part.sval for part in tree.funcname) if isinstance(tree, ast.CreateFunctionStmt) else "do"
    language = options["language"].sval if "language" in options else "plpgsql"
    where = f"{source}: function {name}"
    if language == "sql":
        written = tree.sql_body if isinstance(tree, ast.CreateFunctionStmt) else None
        if written is not None:
            yield Statement(where, piece, written)
            return
        body = options["as"][0].sval
        for _, text, inner in parse(body):
            yield Statement(where, text, inner)
        return
    if isinstance(tree, ast.DoStmt):
        piece = f"create function do_block() returns void language plpgsql as $do_block${options['as'].sval}$do_block$"
    for query in _queries(pglast.parse_plpgsql(ROW_VARIABLE.sub(r"\1 record;", piece))):
        for candidate in (query, f"select {query.partition(':=')[2] or query}"):
            try:
                inner = parse(candidate)
            except ParseError:
                continue
            for _, text, one in inner:
                yield Statement(where, text, one)
            break
        else:
            raise AssertionError(f"{where}: cannot be read: {query}")


def _queries(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if "query" in node and isinstance(node["query"], str):
            yield node["query"]
        for value in node.values():
            yield from _queries(value)
    elif isinstance(node, list):
        for value in node:
            yield from _queries(value)


@cache
def catalog() -> Catalog:
    """What all migrations and tables sections create."""
    learned = Catalog()
    for statement in schema_statements():
        learned.learn(statement.tree)
    return learned


@cache
def schema_statements() -> tuple[Statement, ...]:
    root = PROJECT_ROOT / "warehouse_sql"
    return tuple(
        statement
        for script in scripts_of([PROJECT_ROOT])
        for statement in statements_of(str(script.path.relative_to(root)), script.text)
        if not isinstance(statement.tree, ast.CommentStmt)
    )


@cache
def load_transactions() -> dict[str, tuple[Statement, ...]]:
    """For each load file, the statements of its publishing transaction in order, as ``run_load`` sends them."""
    transactions = {}
    for path in sorted((PROJECT_ROOT / "warehouse_sql" / "load").glob("*/*.sql")):
        source = str(path.relative_to(PROJECT_ROOT / "warehouse_sql"))
        transactions[source] = tuple(
            Statement(f"{source}: generated", text, tree)
            for sent in record_load(parse_load_file(path), catalog())
            for _, text, tree in parse(sent)
        )
    return transactions


@cache
def reading_statements() -> tuple[Statement, ...]:
    """Marts and questions."""
    paths = [
        *(PROJECT_ROOT / "warehouse_sql" / "marts").glob("*.sql"),
        *(PROJECT_ROOT / "docs" / "questions").glob("*.sql"),
    ]
    return tuple(
        statement
        for path in sorted(paths)
        for statement in statements_of(_short(path), path.read_text(encoding="utf-8"))
    )


def everything() -> tuple[Statement, ...]:
    """All statements of the project."""
    generated = tuple(statement for sent in load_transactions().values() for statement in sent)
    return (*schema_statements(), *generated, *reading_statements())


def _short(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
