"""Control sums that a database takes of the rows it is about to give, in the statement that counts them.

Rows, distinct keys, sums of money columns, first and last value of the cursor: the same measures are taken again of what
landed (``landing/control_sums.py``) and compared. Files and APIs give their number of rows only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from dx_pipeline.contract.model import Column, Contract
from dx_pipeline.extract.relation import cursor_column, source_column
from dx_pipeline.extract.window import Window

MOST_DISTINCT_ROWS = 200_000
"""Expected rows of a full read up to which the source counts its distinct keys; it sorts them for that."""
_NUMERIC = re.compile(r"^(int|integer|bigint|smallint|tinyint|mediumint|int2|int4|int8|numeric|decimal|dec|number)\b")
_PREFIX = "control_"


def control_elements(
    contract: Contract,
    window: Window,
    types: Mapping[str, str],
    *,
    text_type: sa.types.TypeEngine[Any],
    exact_key: Callable[[ColumnElement[Any]], ColumnElement[Any]] | None,
) -> list[ColumnElement[Any]]:
    """Select items, labelled so that ``control_facts`` finds them.

    Args:
        types: declared type of each source column, normalised; a column without one is left out.
        text_type: what the server casts to text by.
        exact_key: how a key is compared byte by byte; None where the server cannot, then keys are not counted.
    """
    chosen: list[ColumnElement[Any]] = []
    key = [contract.column(name).source_name for name in contract.key_columns]
    if exact_key is not None and len(key) == 1 and key[0] in types and _may_count_keys(contract, window):
        chosen.append(sa.func.count(sa.distinct(exact_key(source_column(key[0])))).label(f"{_PREFIX}keys"))
    for number, column in enumerate(contract.columns):
        if is_control_column(column) and _NUMERIC.match(types.get(column.source_name, "")):
            total = sa.func.sum(source_column(column.source_name))
            chosen.append(sa.cast(total, text_type).label(f"{_PREFIX}sum_{number}"))
    cursor = cursor_column(contract, window)
    if cursor is not None and cursor.source_name in types:
        value = source_column(cursor.source_name)
        chosen.append(sa.cast(sa.func.min(value), text_type).label(f"{_PREFIX}min"))
        chosen.append(sa.cast(sa.func.max(value), text_type).label(f"{_PREFIX}max"))
    return chosen


def control_facts(contract: Contract, window: Window, facts: Mapping[str, Any], rows: int) -> dict[str, str | None]:
    """The measures among the facts that the counting statement gave: measure → value as text."""
    found: dict[str, str | None] = {"rows": str(rows)}
    if f"{_PREFIX}keys" in facts:
        found["distinct_keys"] = _text(facts[f"{_PREFIX}keys"])
    for number, column in enumerate(contract.columns):
        if f"{_PREFIX}sum_{number}" in facts:
            found[f"sum({column.name})"] = _text(facts[f"{_PREFIX}sum_{number}"] or 0)
    cursor = cursor_column(contract, window)
    if cursor is not None and f"{_PREFIX}min" in facts:
        found[f"min({cursor.name})"] = _text(facts[f"{_PREFIX}min"])
        found[f"max({cursor.name})"] = _text(facts[f"{_PREFIX}max"])
    return found


def is_control_column(column: Column) -> bool:
    """True for a column whose sum is followed through the gates: money."""
    return column.semantic_type == "money_vnd" and not column.is_personal


def _may_count_keys(contract: Contract, window: Window) -> bool:
    known_small = 0 < contract.expected_rows <= MOST_DISTINCT_ROWS
    return window.kind != "full" or known_small or contract.load.mode == "snapshot"


def _text(value: object) -> str | None:
    return None if value is None else str(value)
