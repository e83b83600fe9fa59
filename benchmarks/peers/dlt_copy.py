"""dlt: ``sql_table`` with the pyarrow backend (its fastest) into PostgreSQL. A bare copy: no rule, no star."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any

import dlt
import sqlalchemy as sa
from dlt.sources.sql_database import sql_table
from order import CopyOrder, timed

CHUNK_ROWS = 100_000
KEY, CURSOR, PERIOD = "Id", "NgayCapNhat", "NgayNopHoSo"


def main() -> None:
    order = CopyOrder.read()
    if order.tuned:
        os.environ["DATA_WRITER__DISABLE_COMPRESSION"] = "true"
    timed(lambda: _run(order))


def _run(order: CopyOrder) -> dict[str, object]:
    # Increments start where the first load ended: with dlt, both go through one resource with a cursor.
    pipeline = dlt.pipeline(
        f"bench_{order.schema}",
        destination=dlt.destinations.postgres(order.target),
        dataset_name=order.schema,
        pipelines_dir=order.state,
    )
    options: dict[str, Any] = {"chunk_size": CHUNK_ROWS} if order.tuned else {}
    if order.case == "month":
        low, high = (datetime.fromisoformat(day) for day in order.month_bounds)
        options["query_adapter_callback"] = lambda query, table: query.where(
            sa.and_(table.c[PERIOD] >= low, table.c[PERIOD] < high)
        )
    elif len(order.tables) == 1:
        options["incremental"] = dlt.sources.incremental(CURSOR)
    if len(order.tables) == 1:
        options |= {"primary_key": KEY}
    tables = [
        sql_table(
            credentials=order.with_driver(order.source, "psycopg2"),
            schema="motcua",
            table=name,
            backend="pyarrow",
            **options,
        )
        for name in order.tables
    ]
    disposition = "replace" if order.case == "first" else "merge"
    pipeline.run(tables, write_disposition=disposition)
    counts = pipeline.last_trace.last_normalize_info.row_counts
    return {"rows": sum(rows for name, rows in counts.items() if not name.startswith("_dlt"))}


if __name__ == "__main__":
    main()
