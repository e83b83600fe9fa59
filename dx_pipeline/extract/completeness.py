"""Was everything read, and was there anything to read?"""

from __future__ import annotations

from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import EmptySource, IncompleteExtract
from dx_pipeline.extract.source import SourceReader


def check_complete(contract: Contract, source_rows: int, landed_rows: int) -> None:
    """Refuse a batch whose landed rows are not the rows the source counted in the same snapshot.

    Raises:
        IncompleteExtract: the two numbers differ.
    """
    if source_rows != landed_rows:
        raise IncompleteExtract(
            f"{contract.id}: the source counted {source_rows} rows in {contract.source.label}, {landed_rows} arrived",
            next_step="run it again; if it stays so, the source changes while it is read (a table engine without "
            "snapshots, a file still being copied) or quotes its fields in a way that two readers see differently",
        )


def check_source_rows(contract: Contract, reader: SourceReader) -> None:
    """Refuse a source relation that, as a whole, holds fewer rows than the contract promises.

    An increment may well be empty; a whole table that is empty is a broken export.

    Raises:
        EmptySource: fewer than ``minSourceRows`` rows.
    """
    if contract.min_source_rows and not reader.holds_at_least(contract.min_source_rows):
        held = "no row at all" if reader.is_empty() else f"fewer than {contract.min_source_rows} rows"
        raise EmptySource(
            f"{contract.id}: {contract.source.label} holds {held}; the contract promises at least "
            f"{contract.min_source_rows}",
            next_step="ask the owner whether the export broke or the table was emptied; if it is right so, "
            f"lower minSourceRows in {contract.path}",
        )
