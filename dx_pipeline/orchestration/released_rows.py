"""Rows of a landed batch that a person has decided to accept in spite of the rules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import LoadFileError
from dx_pipeline.judge.record_hash import record_hash_sql
from dx_pipeline.landing.manifest import Manifest
from dx_pipeline.sql_quoting import identifier, literal, parquet_files
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.quarantine_decision import Decision, released_decisions


def find_released_rows(
    contract: Contract, manifest: Manifest, cleaned: Sequence[Path], warehouse: Warehouse
) -> dict[int, frozenset[str]]:
    """Per ``_row`` the reason codes that were overruled for it.

    A row counts only if it is, key and record, the one that was decided about; a key that cannot be read is none.
    """
    with warehouse.loader() as connection:
        decisions = released_decisions(connection, contract)
    return rows_of_decisions(contract, manifest, cleaned, decisions) if decisions else {}


def rows_of_decisions(
    contract: Contract, manifest: Manifest, cleaned: Sequence[Path], decisions: list[Decision]
) -> dict[int, frozenset[str]]:
    """As ``find_released_rows``, for these decisions; only rows with one of their keys are hashed."""
    decided = pa.table(
        {
            "row_key": [decision.row_key for decision in decisions],
            "record_hash": [decision.record_hash for decision in decisions],
            "reasons": [decision.reasons for decision in decisions],
        }
    )
    names = [column.source_name for column in contract.columns]
    listed = ", ".join(identifier(name) for name in names)
    parts, offset = [], 0
    for file in manifest.files:
        path = literal(str(manifest.directory / file.name))
        parts.append(
            f"select file_row_number + {offset} as dx_row, {listed} from read_parquet({path}, file_row_number = true)"
        )
        offset += file.rows
    if not parts:
        return {}
    identity = [identifier(name) for name in contract.row_identity]
    key = f"concat_ws('|', {', '.join(f'{name}::varchar' for name in identity)})"
    readable = " and ".join(f"{name} is not null" for name in identity)
    sql = (
        f"with keyed as (select c._row, d.record_hash, d.reasons from {parquet_files(cleaned)} as c"
        f" join decided as d on d.row_key = {key} where {readable})"
        f" select k._row, k.reasons from keyed as k join ({' union all '.join(parts)}) as l on l.dx_row = k._row"
        f" where {record_hash_sql(names, 'l')} = k.record_hash"
    )
    with duckdb.connect() as connection:
        connection.register("decided", decided)
        return {row: frozenset(reasons) for row, reasons in connection.execute(sql).fetchall()}


def name_released_rows(error: LoadFileError, contract: Contract, warehouse: Warehouse) -> LoadFileError:
    """The error with a hint at the rows that are in the batch only because a person decided so, if there are any."""
    with warehouse.loader() as connection:
        decisions = released_decisions(connection, contract)
    if not decisions:
        return error
    numbers = " ".join(str(decision.quarantine_id) for decision in decisions[:20])
    return LoadFileError(
        error.what,
        next_step=f"{error.next_step}; if it is a row released by hand, take the decision back:"
        f" `dx quarantine reopen {numbers} --reason … --by …`",
    )
