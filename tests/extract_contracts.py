"""Contracts for the tests of extract and landing, written in one line each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from dx_pipeline.contract.model import (
    Column,
    Contract,
    DriftPolicy,
    LoadMode,
    LoadPolicy,
    PeriodPolicy,
    SourceKind,
    SourceRelation,
)


def make_contract(
    columns: Sequence[str],
    *,
    kind: SourceKind = "table",
    mode: LoadMode = "snapshot",
    cursor: str | None = None,
    lookback: timedelta = timedelta(0),
    period: str | None = None,
    on_new_column: DriftPolicy = "warn",
    on_widened_type: DriftPolicy = "hold",
    min_source_rows: int = 1,
    timezone: str | None = None,
    left_out: tuple[str, ...] = (),
    **source: Any,
) -> Contract:
    """A contract whose columns are written ``SourceName[:physical type]``; canonical name = lower case."""
    made = []
    for text in columns:
        name, _, physical_type = text.partition(":")
        bounds = name in (cursor, period)
        logical = "string"
        if bounds:
            logical = "integer" if "int" in physical_type else "date" if physical_type == "date" else "timestamp"
        made.append(
            Column(
                name=name.lower(),
                source_name=name,
                semantic_type="text",
                logical_type=logical,
                physical_type=physical_type or None,
                options={"timezone": timezone} if timezone and bounds else {},
            )
        )
    return Contract(
        id="one_stop.ho_so",
        version="1.0.0",
        system="one_stop",
        dataset="ho_so",
        purpose_vi="Hồ sơ",
        purpose_en="Dossiers",
        owner_agency="H50.00",
        source=SourceRelation(kind=kind, **source),
        load=LoadPolicy(
            mode=mode,
            cursor=cursor.lower() if cursor else None,
            lookback=lookback,
            period=PeriodPolicy(column=period.lower(), start=date(2023, 1, 1)) if period else None,
        ),
        columns=tuple(made),
        row_identity=(made[0].name,),
        rejected_share_cap=0.2,
        min_source_rows=min_source_rows,
        on_new_column=on_new_column,
        on_widened_type=on_widened_type,
        freshness=None,
        depends_on=(),
        left_out=left_out,
        path=Path("assets/one_stop/ho_so.odcs.yaml"),
        root=Path(),
    )
