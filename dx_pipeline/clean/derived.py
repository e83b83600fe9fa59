"""Stage columns that are worked out from cleaned ones while a batch is judged, so that no SQL parses them again.

A code that carries a day gives that day: ``ma_ho_so`` (a dossier code) gives ``ma_ho_so__day``. A date that
may be known by its year only gives ``<name>__precision``: ``day``, ``month`` or ``year``. A name with the
option ``key`` gives ``<name>__key``. Personal columns give nothing: stage holds no personal data.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from dx_pipeline.clean.batch import NOTE_SUFFIX, has_key
from dx_pipeline.clean.partial_dates import MONTH_ONLY, YEAR_ONLY
from dx_pipeline.clean.registry import semantic_type
from dx_pipeline.contract.model import DAY_SUFFIX, KEY_SUFFIX, PRECISION_SUFFIX, Contract
from dx_pipeline.sql_quoting import identifier


@dataclass(frozen=True)
class DerivedColumn:
    """sql: DuckDB expression over the cleaned batch; kind: its Arrow type."""

    sql: str
    kind: pa.DataType


def derived_columns(contract: Contract) -> dict[str, DerivedColumn]:
    """The derived stage columns by name; each is null where the column it comes from is null."""
    found: dict[str, DerivedColumn] = {}
    for column in contract.columns:
        if column.is_personal:
            continue
        kind = semantic_type(contract, column)
        if kind.day_sql is not None:
            day = kind.day_sql.format(column=identifier(column.name))
            found[column.name + DAY_SUFFIX] = DerivedColumn(day, pa.date32())
        if kind.is_partial is not None and kind.is_partial(column):
            precision = _precision_sql(identifier(column.name), identifier(column.name + NOTE_SUFFIX))
            found[column.name + PRECISION_SUFFIX] = DerivedColumn(precision, pa.string())
        if has_key(contract, column):
            found[column.name + KEY_SUFFIX] = DerivedColumn(identifier(column.name + KEY_SUFFIX), pa.string())
    return found


def _precision_sql(value: str, note: str) -> str:
    return (
        f"case when {value} is null then null when contains(coalesce({note}, ''), '{YEAR_ONLY}') then 'year'"
        f" when contains(coalesce({note}, ''), '{MONTH_ONLY}') then 'month' else 'day' end"
    )
