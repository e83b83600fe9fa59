"""Columns that are worked out from cleaned ones while a batch is judged, so that no SQL parses them again.

A code that carries a day gives that day beside it: ``ma_ho_so`` (a dossier code) gives ``ma_ho_so__day``.
"""

from __future__ import annotations

from dx_pipeline.clean.registry import semantic_type
from dx_pipeline.contract.model import DAY_SUFFIX, Contract


def day_columns(contract: Contract) -> dict[str, str]:
    """DuckDB expressions (DATE, null where the code is null) by column name, over the cleaned batch."""
    expressions: dict[str, str] = {}
    for column in contract.columns:
        day_sql = semantic_type(contract, column).day_sql
        if day_sql is not None and not column.is_personal:
            quoted = '"' + column.name.replace('"', '""') + '"'
            expressions[column.name + DAY_SUFFIX] = day_sql.format(column=quoted)
    return expressions
