"""Column schemas for the UI: as the source has them, as they are staged, as the warehouse holds them."""

from __future__ import annotations

import dagster as dg
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.contract.model import Column, Contract


def landed_columns(contract: Contract) -> dg.TableSchema:
    """Columns of the landed files: names and types of the source, meaning from the contract."""
    return dg.TableSchema(
        columns=[
            _column(contract, column, name=column.source_name, type_text=column.physical_type or column.logical_type)
            for column in contract.columns
        ]
    )


def staged_columns(contract: Contract) -> dg.TableSchema:
    """Columns that leave the judge: canonical names, personal ones dropped."""
    return dg.TableSchema(
        columns=[
            _column(contract, column, name=column.name, type_text=column.logical_type)
            for column in contract.columns
            if not column.is_personal
        ]
    )


def table_columns(connection: Connection, table: str) -> dg.TableSchema:
    """Columns of a warehouse table (``schema.table``) with their comments, read from the catalogue."""
    rows = connection.execute(
        sa.text(
            "select a.attname, format_type(a.atttypid, a.atttypmod) as type_text, a.attnotnull,"
            " coalesce(col_description(a.attrelid, a.attnum), '') as description, exists ("
            "   select from pg_catalog.pg_index as i"
            "   where i.indrelid = a.attrelid and i.indisunique and i.indnatts = 1 and i.indkey[0] = a.attnum"
            " ) as is_unique from pg_catalog.pg_attribute as a"
            " where a.attrelid = to_regclass(:table) and a.attnum > 0 and not a.attisdropped order by a.attnum"
        ),
        {"table": table},
    )
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                row.attname,
                row.type_text,
                row.description,
                dg.TableColumnConstraints(nullable=not row.attnotnull, unique=row.is_unique),
            )
            for row in rows
        ]
    )


def _column(contract: Contract, column: Column, *, name: str, type_text: str) -> dg.TableColumn:
    return dg.TableColumn(
        name,
        type_text,
        f"{column.description_vi} | {column.description_en}",
        dg.TableColumnConstraints(nullable=not column.required, unique=(column.name,) == contract.key_columns),
        tags={"classification": column.classification, "semantic_type": column.semantic_type},
    )
