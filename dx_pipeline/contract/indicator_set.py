"""Sets of indicators: components with maxima and targets, and from when to when they hold.

One file per set and version, ``assets/indicator_sets/<code>.yaml``, or any file an operator loads. Weights are data: no
code and no SQL names one. How a component is measured is named, not written, here: ``measure`` is one the score mart
computes for every unit and period, ``indicator`` one of ``assets/indicators``, which is followed without points.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dx_pipeline.contract.indicator import Name, Origin, TwoLanguages
from dx_pipeline.errors import ContractError
from dx_pipeline.yaml_document import parse_yaml

FOLDER = "indicator_sets"
SetCode = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
ComponentCode = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.]{0,79}$")]
Points = Annotated[Decimal, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Component(_Part):
    """One component.

    Attributes:
        code: as the legal text or the national portal names it.
        number: its place in the legal text, e.g. 2.1.
        max_points: None for a component whose points are not known, or that is only followed.
        target: share from which full points are given; 1 where the text names none.
        measure: the measure of the score mart; None when the warehouse has no data for it.
        indicator: an indicator of ``assets/indicators`` that tells its value, without points.
        only: scopes it is scored for; empty is all of them.
        why: why there is no measure, or what the measure leaves out.
    """

    code: ComponentCode
    number: str | None = None
    name: TwoLanguages
    max_points: Points | None = None
    target: Annotated[Decimal, Field(gt=0, le=1)] = Decimal(1)
    measure: Name | None = None
    indicator: Name | None = None
    only: tuple[Literal["province", "district", "agency", "commune"], ...] = ()
    why: TwoLanguages | None = None

    @model_validator(mode="after")
    def _is_measured_once_or_says_why(self) -> Component:
        if self.measure and self.indicator:
            raise ValueError(f"component {self.code}: name a measure or an indicator, not both")
        if self.max_points is not None and self.max_points > 0 and self.measure is None and self.why is None:
            raise ValueError(f"component {self.code}: no measure, so say why")
        return self


class Group(_Part):
    """Components under one heading."""

    code: ComponentCode
    name: TwoLanguages
    max_points: Points | None = None
    components: tuple[Component, ...] = ()


class IndicatorSet(_Part):
    """One version of a set.

    Attributes:
        code: names set and version, e.g. ``922-2022``.
        valid_to: first day it no longer holds; None while it does.
        total: points of the whole set; None for a set that is only followed.
        ranked_from_share: a unit is ranked when at least this share of the measured points applies to it.
        state: ``complete``: every component is here; ``partial``: some of them, as far as they are known;
            ``placeholder``: the text exists, its components are to be loaded.
        assessed: components are scored by people (self-assessment and verification), not by the warehouse.
    """

    code: SetCode
    name: TwoLanguages
    source: Origin
    valid_from: date
    valid_to: date | None = None
    total: Points | None = None
    ranked_from_share: Annotated[Decimal, Field(ge=0, le=1)] = Decimal(0)
    state: Literal["complete", "partial", "placeholder"]
    assessed: bool = False
    note: TwoLanguages | None = None
    groups: tuple[Group, ...] = ()

    @model_validator(mode="after")
    def _points_add_up(self) -> IndicatorSet:
        codes = [component.code for component in self.components]
        repeated = {code for code in codes if codes.count(code) > 1}
        if repeated:
            raise ValueError(f"component {min(repeated)} stands there twice")
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError("valid_to must be after valid_from")
        if self.state == "placeholder" and codes:
            raise ValueError("a placeholder has no components; state: partial or complete")
        for group in self.groups:
            points = [component.max_points for component in group.components]
            if self.state == "complete" and group.max_points is not None:
                _same(sum((p for p in points if p is not None), Decimal()), group.max_points, f"group {group.code}")
        known = [group.max_points for group in self.groups if group.max_points is not None]
        if self.total is not None and known and self.state != "placeholder":
            _same(sum(known, Decimal()), self.total, "the set")
        return self

    @property
    def components(self) -> tuple[Component, ...]:
        return tuple(component for group in self.groups for component in group.components)


def load_indicator_sets(roots: Sequence[Path]) -> list[IndicatorSet]:
    """All sets of the given project folders, by code.

    Raises:
        ContractError: a file is broken, is not named after its set, or a code is used twice.
    """
    found: dict[str, tuple[IndicatorSet, Path]] = {}
    for root in roots:
        for path in sorted((root / "assets" / FOLDER).glob("*.yaml")):
            one = read_indicator_set(path)
            if path.stem != one.code:
                raise ContractError(
                    f"indicator set {path}: its code is {one.code!r}, so the file must be {one.code}.yaml"
                )
            if one.code in found:
                raise ContractError(f"indicator set {one.code} is declared by {found[one.code][1]} and {path}")
            found[one.code] = (one, path)
    return [found[code][0] for code in sorted(found)]


def read_indicator_set(path: Path) -> IndicatorSet:
    """One set from a file.

    Raises:
        ContractError: the file cannot be read or is no set; names the place in it.
    """
    try:
        document: Any = parse_yaml(path.read_text(encoding="utf-8"))
        return IndicatorSet.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ContractError(
            f"indicator set {path}: {place + ': ' if place else ''}{first['msg'].removeprefix('Value error, ')}",
            next_step="docs/scores.md tells what a set holds",
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ContractError(f"indicator set {path}: {error}") from None


def _same(found: Decimal, stated: Decimal, what: str) -> None:
    if found != stated:
        raise ValueError(f"{what}: the points of its parts add up to {found}, stated are {stated}")
