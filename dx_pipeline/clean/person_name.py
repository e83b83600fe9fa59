"""Names of persons: prose; option ``key: true`` puts the comparison key beside the name as it is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa

from dx_pipeline.clean.comparison_key import person_keys
from dx_pipeline.clean.semantic_type import SemanticType
from dx_pipeline.clean.text import TEXT, check_prose
from dx_pipeline.contract.model import Column
from dx_pipeline.errors import ContractError


def keyed_name(name: str, description: str, keys: Callable[[pa.Array], pa.Array]) -> SemanticType:
    """A type of prose that has a comparison key."""
    return replace(
        TEXT,
        name=name,
        description=description,
        options={**TEXT.options, "key": "true: <name>__key holds what all writings of the name have in common"},
        check=_check,
        keys=keys,
    )


def _check(column: Column) -> None:
    check_prose(column)
    wanted = column.options.get("key", False)
    if not isinstance(wanted, bool):
        raise ContractError(
            f"column {column.name}, option key: {wanted!r} is neither true nor false", next_step="write true or false"
        )


PERSON_NAME = keyed_name("person_name", "họ tên người | name of a person", person_keys)
