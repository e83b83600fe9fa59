"""Values of a declared code list that the list does not know, counted in the landed rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import pyarrow as pa
import sqlalchemy as sa

from dx_pipeline.clean.batch import with_null_values
from dx_pipeline.clean.registry import semantic_type
from dx_pipeline.contract.model import Column, Contract
from dx_pipeline.errors import LandingError
from dx_pipeline.judge.rule_spec import UNREADABLE_SUFFIX, Suite
from dx_pipeline.landing.manifest import Manifest
from dx_pipeline.landing.store import LandingStore
from dx_pipeline.warehouse.connection import Warehouse

_CODE_LIST = "code_list"
HIDDEN = "…"
"""Stands for a value of a column that holds personal data."""


@dataclass(frozen=True)
class UnknownCode:
    """A value that is in no code list: in how many rows of which batch, and what becomes of those rows."""

    column: Column
    value: str
    rows: int
    batch_id: int
    is_new: bool | None
    rule: str
    rejects: bool


def unknown_codes(contract: Contract, suite: Suite, landing: LandingStore, warehouse: Warehouse) -> list[UnknownCode]:
    """Unknown codes of the newest landed batch, most frequent first.

    ``is_new``: the last batch published before it did not have the value; None if there was no such batch.
    """
    columns = [column for column in contract.columns if column.semantic_type == _CODE_LIST]
    manifests = _newest_and_published(contract, landing, warehouse) if columns else []
    if not manifests:
        return []
    newest, *published = manifests
    now = _counted(columns, landing, newest)
    before = _counted(columns, landing, published[0]) if published else {}
    found = []
    for column in columns:
        rule, rejects = _rule_of(suite, column)
        for value in _unknown(contract, column, list(now[column.name])):
            found.append(
                UnknownCode(
                    column=column,
                    value=HIDDEN if column.is_personal else value,
                    rows=now[column.name][value],
                    batch_id=newest.batch_id,
                    is_new=value not in before[column.name] if before else None,
                    rule=rule,
                    rejects=rejects,
                )
            )
    return sorted(found, key=lambda code: (-code.rows, code.column.name, code.value))


def _newest_and_published(contract: Contract, landing: LandingStore, warehouse: Warehouse) -> list[Manifest]:
    """What the newest batch landed, and the last one published before it; fewer if the files are gone."""
    with warehouse.loader() as connection:
        rows = connection.execute(
            sa.text(
                "select batch_id, status from ops.batch where system = :system and dataset = :dataset"
                " and landing_path is not null and replay_of is null and status <> 'superseded'"
                " and extracted > 0 order by batch_id desc"
            ),
            {"system": contract.system, "dataset": contract.dataset},
        ).all()
    chosen = [rows[0].batch_id, *(row.batch_id for row in rows[1:] if row.status == "published")][:2] if rows else []
    manifests = []
    for batch_id in chosen:
        try:
            manifests.append(landing.load_manifest(contract.system, contract.dataset, batch_id))
        except LandingError:
            break
    return manifests


def _counted(columns: list[Column], landing: LandingStore, manifest: Manifest) -> dict[str, Counter[str]]:
    """Rows per value and column; a column the batch does not have counts nothing."""
    counts: dict[str, Counter[str]] = {column.name: Counter() for column in columns}
    for batch in landing.read(manifest):
        for column in columns:
            if column.source_name in batch.schema.names:
                texts = batch.column(column.source_name).cast(pa.string())
                for item in texts.drop_null().value_counts().to_pylist():
                    counts[column.name][item["values"]] += item["counts"]
    return counts


def _unknown(contract: Contract, column: Column, values: list[str]) -> list[str]:
    """Those of the values that the cleaner cannot read as a code."""
    if not values:
        return []
    asked = with_null_values(replace(column, options={**column.options}), contract)
    cleaned = semantic_type(contract, column).clean(pa.array(values, pa.string()), asked)
    if cleaned.unreadable is None:
        return []
    return [value for value, bad in zip(values, cleaned.unreadable.to_pylist(), strict=True) if bad is not None]


def _rule_of(suite: Suite, column: Column) -> tuple[str, bool]:
    """Code of the rule that speaks of an unknown value, and whether it rejects the row."""
    for rule in suite.rules:
        if column.name + UNREADABLE_SUFFIX in rule.columns and rule.type == "expect_column_values_to_be_null":
            return rule.code, rule.quarantines
    return "", False
