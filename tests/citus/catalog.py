"""What the statements create: tables with their keys, views, functions; and where each table lives on Citus."""

from __future__ import annotations

from dataclasses import dataclass, field

from pglast import ast
from pglast.enums import ConstrType

from dx_pipeline.warehouse.distribution import placement
from tests.citus.tree import found, function_name, table_name


@dataclass
class Table:
    """A table as its CREATE TABLE describes it."""

    name: str
    columns: list[str]
    key: tuple[str, ...]
    cut_by: tuple[str, ...]

    @property
    def place(self) -> str:
        schema, _, name = self.name.rpartition(".")
        return placement(schema, name, self.key)


@dataclass
class Catalog:
    """Tables, views (with the relations they read) and who may read what."""

    tables: dict[str, Table] = field(default_factory=dict)
    views: dict[str, set[str]] = field(default_factory=dict)
    grants: dict[str, set[str]] = field(default_factory=dict)
    """Readers (roles) by table or view."""

    def learn(self, tree: ast.Node) -> None:
        """Remember what a statement creates or grants."""
        if isinstance(tree, ast.CreateStmt):
            self._table(tree)
        elif isinstance(tree, ast.ViewStmt):
            self.views[table_name(tree.view)] = {table_name(relation) for relation in found(tree.query, ast.RangeVar)}
        elif isinstance(tree, ast.SelectStmt):
            for call in found(tree, ast.FuncCall):
                if function_name(call) == "ops.keep_history" and isinstance(call.args[0], ast.A_Const):
                    self._history(self.tables[call.args[0].val.sval])
        elif isinstance(tree, ast.AlterTableStmt):
            known = self.tables.get(table_name(tree.relation))
            for command in tree.cmds:
                if known and isinstance(command.def_, ast.ColumnDef) and command.subtype.name == "AT_AddColumn":
                    known.columns.append(str(command.def_.colname))
        elif isinstance(tree, ast.GrantStmt) and tree.is_grant and tree.objtype.name == "OBJECT_TABLE":
            if tree.privileges and not any(right.priv_name == "select" for right in tree.privileges):
                return
            for relation in tree.objects or ():
                if isinstance(relation, ast.RangeVar):
                    readers = self.grants.setdefault(table_name(relation), set())
                    readers.update(str(role.rolename) for role in tree.grantees if role.rolename)

    def _history(self, kept: Table) -> None:
        """What ``ops.keep_history`` makes with EXECUTE."""
        name, columns = f"{kept.name}_history", [*kept.columns, "known_from", "known_to"]
        self.tables.setdefault(name, Table(name, columns, (*kept.key, "known_from"), ()))

    def _table(self, tree: ast.CreateStmt) -> None:
        name, columns, key = table_name(tree.relation), [], ()
        for element in tree.tableElts or ():
            if isinstance(element, ast.ColumnDef):
                columns.append(str(element.colname))
                if any(part.contype == ConstrType.CONSTR_PRIMARY for part in element.constraints or ()):
                    key = (str(element.colname),)
            elif isinstance(element, ast.TableLikeClause):
                like = self.tables.get(table_name(element.relation))
                columns += like.columns if like else []
            elif isinstance(element, ast.Constraint) and element.contype == ConstrType.CONSTR_PRIMARY:
                key = tuple(part.sval for part in element.keys)
        cut_by = tuple(str(part.name) for part in tree.partspec.partParams) if tree.partspec else ()
        self.tables.setdefault(name, Table(name, columns, key, cut_by))

    def place(self, name: str) -> str | None:
        """``distributed``, ``reference`` or ``local``; a view over a distributed table counts as distributed; None for
        what is neither table nor view (a CTE, a temporary table)."""
        if name in self.tables:
            return self.tables[name].place
        if name in self.views:
            places = {self.place(base) for base in self.views[name]}
            return next((place for place in ("distributed", "local", "reference") if place in places), "local")
        if name.startswith(("stage.", "mart.", "ops.")):
            return "local"
        return None
