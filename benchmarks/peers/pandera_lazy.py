"""pandera on polars, its faster backend: all rules in one lazy validation. FILE SUITE"""

from __future__ import annotations

from pathlib import Path

import pandera.polars as pa
import polars as pl
from order import read_validation_order, timed
from rules_in_polars import rules_of


def main() -> None:
    file, suite = read_validation_order()
    checks = [pa.Check(_check(broken), name=code) for code, broken in rules_of(Path(suite)).items()]
    schema = pa.DataFrameSchema(checks=checks)

    def work() -> dict[str, object]:
        frame = pl.read_parquet(file)
        broken: dict[str, int] = {}
        try:
            schema.validate(frame, lazy=True)
        except pa.errors.SchemaErrors as errors:
            # Counts by the rows that each check gives out.
            for error in errors.schema_errors:
                broken[error.check.name] = len(error.failure_cases)
        return {"rows": len(frame), "broken": broken}

    timed(work)


def _check(broken: pl.Expr) -> object:
    return lambda data: data.lazyframe.select(~broken)


if __name__ == "__main__":
    main()
