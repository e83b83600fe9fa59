"""dataframely: the rules as a schema, ``filter`` gives the good rows and why others failed. FILE SUITE"""

from __future__ import annotations

from pathlib import Path

import dataframely as dy
import polars as pl
from order import read_validation_order, timed
from rules_in_polars import rules_of


def main() -> None:
    file, suite = read_validation_order()
    rules = {code: dy.rule()(_valid(broken)) for code, broken in rules_of(Path(suite)).items()}
    names = {name: dy.Any() for name in pl.scan_parquet(file).collect_schema()}
    schema = type("Dossier", (dy.Schema,), {**names, **rules})

    def work() -> dict[str, object]:
        good, failure = schema.filter(pl.read_parquet(file))
        counts = failure.counts()
        return {"rows": len(good) + len(failure), "broken": {code: n for code, n in counts.items() if n}}

    timed(work)


def _valid(broken: pl.Expr) -> object:
    def rule(cls: object) -> pl.Expr:
        return ~broken

    return rule


if __name__ == "__main__":
    main()
