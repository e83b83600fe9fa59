"""Two row-level expectations Great Expectations lacks: any SQL predicate, and a reference to another table.

Importing this module registers them, so suites may use them like built-in types.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import sqlalchemy as sa
from great_expectations.compatibility.pydantic import Field, validator
from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.expectation import ColumnMapExpectation, MulticolumnMapExpectation
from great_expectations.expectations.metrics.map_metric_provider.column_condition_partial import (
    column_condition_partial,
)
from great_expectations.expectations.metrics.map_metric_provider.column_map_metric_provider import (
    ColumnMapMetricProvider,
)
from great_expectations.expectations.metrics.map_metric_provider.multicolumn_condition_partial import (
    multicolumn_condition_partial,
)
from great_expectations.expectations.metrics.map_metric_provider.multicolumn_map_metric_provider import (
    MulticolumnMapMetricProvider,
)


class _RowSatisfiesSql(MulticolumnMapMetricProvider):
    condition_metric_name = "multicolumn_values.satisfy_sql"
    condition_domain_keys = (
        "batch_id",
        "table",
        "column_list",
        "row_condition",
        "condition_parser",
        "ignore_row_if",
    )
    condition_value_keys = ("sql",)

    @multicolumn_condition_partial(engine=SqlAlchemyExecutionEngine)  # type: ignore[untyped-decorator]
    def _sqlalchemy(cls, column_list: Any, sql: str, **kwargs: Any) -> Any:
        return sa.literal_column(f"({sql})", sa.Boolean)


class ExpectColumnsToSatisfySql(MulticolumnMapExpectation):
    """Expect each row to make ``sql`` true; null counts as true, as in a SQL check constraint."""

    @validator("column_list")
    def _validate_column_list(cls, v: list[str]) -> list[str]:
        """One column is enough here. The engine wants two, so the row number joins it."""
        if not v:
            raise ValueError("column_list must name the columns the predicate reads")
        return [*v, "_row"] if len(v) == 1 else v

    sql: str = Field(description="SQL boolean expression over the columns in column_list")
    ignore_row_if: Literal["all_values_are_missing", "any_value_is_missing", "never"] = "never"

    map_metric: ClassVar[str] = "multicolumn_values.satisfy_sql"
    success_keys: ClassVar[tuple[str, ...]] = ("sql", "mostly")
    args_keys: ClassVar[tuple[str, ...]] = ("column_list", "sql")


class _ValueInTable(ColumnMapMetricProvider):
    condition_metric_name = "column_values.in_table"
    condition_value_keys = ("table_name", "table_column")

    @column_condition_partial(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(cls, column: Any, table_name: str, table_column: str, **kwargs: Any) -> Any:
        schema, _, name = table_name.rpartition(".")
        reference = sa.table(name, sa.column(table_column), schema=schema or None)
        key = reference.c[table_column]
        return column.in_(sa.select(key).where(key.is_not(None)))


class ExpectColumnValuesToExistInTable(ColumnMapExpectation):
    """Expect each non-null value to occur in ``table_name.table_column`` of the same database."""

    table_name: str = Field(description="Table, with its schema if it has one")
    table_column: str = Field(description="Column of that table")

    map_metric: ClassVar[str] = "column_values.in_table"
    success_keys: ClassVar[tuple[str, ...]] = ("table_name", "table_column", "mostly")
    args_keys: ClassVar[tuple[str, ...]] = ("column", "table_name", "table_column")
