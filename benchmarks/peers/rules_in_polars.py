"""The rules of a suite file as polars expressions that are true for a row which breaks the rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import yaml

# The three rules of one_stop.ho_so that the suite writes in SQL.
_IN_SQL: dict[str, pl.Expr] = {
    "ten_legacy_encoding": pl.concat_str(
        pl.col("ten_tthc__note"), pl.col("don_vi_xu_ly__note"), ignore_nulls=True
    ).str.contains("legacy_(tcvn3|vni)"),
    "ngay_tiep_nhan_in_future": pl.col("ngay_tiep_nhan") > pl.col("ngay_cap_nhat") + pl.duration(hours=24),
    "so_giay_to_placeholder": pl.col("so_giay_to_chu_ho_so__note").str.contains("placeholder", literal=True),
}


def rules_of(suite: Path) -> dict[str, pl.Expr]:
    """Code → broken, for every rule about rows; stops at a type it does not know."""
    found: dict[str, pl.Expr] = {}
    for entry in yaml.safe_load(suite.read_text(encoding="utf-8"))["expectations"]:
        if not entry["type"].startswith("expect_table_"):
            code = entry["meta"]["code"]
            found[code] = _broken(code, entry["type"], entry["kwargs"]).fill_null(value=False)
    return found


def _broken(code: str, kind: str, kwargs: dict[str, Any]) -> pl.Expr:
    column = pl.col(kwargs["column"]) if "column" in kwargs else None
    match kind:
        case "expect_column_values_to_be_null":
            return column.is_not_null()
        case "expect_column_values_to_not_be_null":
            condition = kwargs.get("row_condition")
            return column.is_null() & (pl.col(condition["column"]["name"]).is_null() if condition else True)
        case "expect_column_values_to_be_unique":
            return column.is_duplicated() & column.is_not_null()
        case "expect_column_pair_values_a_to_be_greater_than_b":
            return pl.col(kwargs["column_A"]) < pl.col(kwargs["column_B"])
        case "expect_column_values_to_not_match_regex":
            return column.str.contains(kwargs["regex"])
        case "expect_columns_to_satisfy_sql":
            return _IN_SQL[code]
    raise NotImplementedError(f"rule {code}: {kind}")
