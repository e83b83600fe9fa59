"""pandas: ``read_sql`` in chunks over a server-side cursor, ``to_sql`` into PostgreSQL. A bare copy."""

from __future__ import annotations

import pandas as pd
import sqlalchemy as sa
from order import CopyOrder, timed

CHUNK_ROWS = 50_000


def main() -> None:
    order = CopyOrder.read()
    source = sa.create_engine(order.with_driver(order.source, "psycopg2"))
    target = sa.create_engine(order.with_driver(order.target, "psycopg2"))
    timed(lambda: {"rows": sum(_copy(source, target, order.schema, table) for table in order.tables)})


def _copy(source: sa.Engine, target: sa.Engine, schema: str, table: str) -> int:
    rows = 0
    with source.connect().execution_options(stream_results=True) as reading, target.begin() as writing:
        writing.execute(sa.text(f'create schema if not exists "{schema}"'))
        for chunk in pd.read_sql(sa.text(f'select * from motcua."{table}"'), reading, chunksize=CHUNK_ROWS):
            chunk.to_sql(table, writing, schema=schema, if_exists="append" if rows else "replace", index=False)
            rows += len(chunk)
    return rows


if __name__ == "__main__":
    main()
