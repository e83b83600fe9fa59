"""What a semantic type is: the meaning of a column, and the cleaner that belongs to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from dx_pipeline.contract.model import Column


@dataclass(frozen=True)
class Cleaned:
    """One cleaned column; all arrays have the length of the source array.

    value: typed values, null where the source is empty or cannot be read.
    unreadable: the raw text where a non-empty source value could not be read, else null
        (None: every value was read).
    note: codes of what the cleaner changed, joined by ``,`` in the order of the changes, else null
        (None: nothing was changed).
    """

    value: pa.Array
    unreadable: pa.Array | None = None
    note: pa.Array | None = None


@dataclass(frozen=True)
class SemanticType:
    """A named meaning with its Arrow type, its cleaner and what the cleaner may report.

    options: names of the column options the type understands, each with what it means
    (``null_values`` is understood by all types). check: raises ContractError for a bad option.
    day_sql: DuckDB expression of the day inside a cleaned code, with ``{column}`` for the column.
    keys: what all writings of each cleaned value have in common (option ``key: true`` puts it beside the value).
    is_partial: true for a column whose dates may be known by their year or month only.
    """

    name: str
    arrow_type: Callable[[Column], pa.DataType]
    clean: Callable[[pa.Array, Column], Cleaned]
    can_fail: bool
    makes_notes: bool
    pseudonymised: bool
    description: str
    options: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[Column], None] | None = None
    day_sql: str | None = None
    keys: Callable[[pa.Array], pa.Array] | None = None
    is_partial: Callable[[Column], bool] | None = None
