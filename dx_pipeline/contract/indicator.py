"""Indicators: a figure declared once, as a numerator and a denominator over a mart, in ``assets/indicators/<id>.yaml``.

No indicator is known here by name. What a declaration may hold is below; its SQL fragments are expressions over the
columns of one mart, never whole statements.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dx_pipeline.errors import ContractError
from dx_pipeline.yaml_document import parse_yaml

FOLDER = "indicators"
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]  # of the Rust regex: the very end


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TwoLanguages(_Part):
    """A text in both languages."""

    vi: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]


class Dimension(_Part):
    """A way to break the indicator down: the columns of the mart that name a part, by key and for people."""

    key: Name
    label: Name | None = None


class TimeColumn(_Part):
    """The column of the mart that tells the period, and whether periods may be added up.

    A stock (how many there are) is never added up over time: ``over_time: latest`` takes the last period asked for.
    """

    column: Name
    unit: Literal["month", "year"]
    over_time: Literal["sum", "latest"]


class Origin(_Part):
    """Where the definition comes from: a legal text or something else."""

    kind: Literal["legal", "other"]
    text: TwoLanguages


class Indicator(_Part):
    """One indicator.

    Attributes:
        numerator: aggregate over columns of the mart.
        denominator: the same; without one the indicator is the numerator itself. A denominator of 0 is not applicable.
        factor: what the quotient is multiplied by: 100 for per cent.
        condition: which rows of the mart count.
        by: how it may be broken down.
        time: None for a mart that shows only the present.
        target: value to reach in the indicator's unit; None if none is set.
    """

    id: Name
    name: TwoLanguages
    formula: TwoLanguages
    mart: Name
    numerator: str
    denominator: str | None = None
    factor: Annotated[float, Field(gt=0)] = 1
    condition: str | None = None
    grain: TwoLanguages
    by: dict[Name, Dimension] = Field(default_factory=dict)
    time: TimeColumn | None = None
    unit: TwoLanguages
    decimals: Annotated[int, Field(ge=0, le=6)] = 2
    direction: Literal["higher_is_better", "lower_is_better", "neutral"]
    target: float | None
    source: Origin

    @model_validator(mode="after")
    def _fragments_are_expressions(self) -> Indicator:
        for where, fragment, aggregated in (
            ("numerator", self.numerator, True),
            ("denominator", self.denominator, True),
            ("condition", self.condition, False),
        ):
            if fragment is not None:
                check_fragment(where, fragment, aggregated=aggregated)
        if self.time is not None and self.time.unit in self.by:
            raise ValueError(f"by: {self.time.unit} is the time already")
        return self

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Everything the indicator can be broken down by, the period last."""
        return (*self.by, *([self.time.unit] if self.time else []))


def load_indicators(roots: Sequence[Path]) -> list[Indicator]:
    """All indicators of the given project folders, by id.

    Raises:
        ContractError: a file is broken, is not named after its indicator, or an id is used twice.
    """
    found: dict[str, tuple[Indicator, Path]] = {}
    for root in roots:
        for path in sorted((root / "assets" / FOLDER).glob("*.yaml")):
            indicator = _load(path)
            if indicator.id in found:
                raise ContractError(f"indicator {indicator.id} is declared by {found[indicator.id][1]} and {path}")
            found[indicator.id] = (indicator, path)
    return [found[name][0] for name in sorted(found)]


def _load(path: Path) -> Indicator:
    try:
        document: Any = parse_yaml(path.read_text(encoding="utf-8"))
        indicator = Indicator.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        told = first["msg"].removeprefix("Value error, ")
        raise ContractError(
            f"indicator {path}: {place + ': ' if place else ''}{told}",
            next_step="docs/for-bi.md tells what a declaration holds",
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ContractError(f"indicator {path}: {error}") from None
    if path.stem != indicator.id:
        raise ContractError(f"indicator {path}: its id is {indicator.id!r}, so the file must be {indicator.id}.yaml")
    return indicator


def check_fragment(where: str, fragment: str, *, aggregated: bool) -> None:
    """One expression over columns: no statement, no sub-select, no other table."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        parsed = sqlglot.parse(f"select {fragment}", dialect="postgres")
    except SqlglotError as error:
        raise ValueError(f"{where} {fragment!r} is no SQL expression: {str(error).splitlines()[0]}") from None
    query = parsed[0]
    if (
        len(parsed) != 1
        or not isinstance(query, exp.Select)
        or {name for name, value in query.args.items() if value} != {"expressions"}
        or len(query.expressions) != 1
        or isinstance(query.expressions[0], exp.Alias)
        or query.comments
        or len(list(query.find_all(exp.Select))) != 1
    ):
        raise ValueError(f"{where} {fragment!r} must be one expression over columns of the mart")
    if bool(query.find(exp.AggFunc)) != aggregated:
        needed = "must aggregate rows, e.g. sum(received)" if aggregated else "is about single rows: no sum, no count"
        raise ValueError(f"{where} {fragment!r} {needed}")
