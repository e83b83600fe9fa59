"""What may be published as open data: an allow list, one file per dataset in ``assets/open_data``, and who publishes it.

Nothing is open by default: a mart without a file here, or one whose file does not say ``classification: open``, stays inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dx_pipeline.contract.indicator import Name, TwoLanguages
from dx_pipeline.errors import ContractError
from dx_pipeline.yaml_document import parse_yaml

FOLDER = "open_data"
PUBLISHER_FILE = "publisher.yaml"
Iri = Annotated[str, Field(pattern=r"^(https?|mailto|urn):\S+$")]

Model = TypeVar("Model", bound=BaseModel)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Place(_Part):
    """The area that the data is about, by the code of the General Statistics Office."""

    code: str
    name: TwoLanguages


class Publisher(_Part):
    """Who publishes, under which licence, for which area."""

    name: TwoLanguages
    catalogue: TwoLanguages
    description: TwoLanguages
    homepage: Iri | None = None
    contact: Iri | None = None
    licence: Iri
    spatial: Place


class OpenDataset(_Part):
    """One mart that may be published.

    Attributes:
        classification: only ``open`` is published; the other words keep the reason of a refusal on record.
        decision: who classified it so, and by what.
        keys: columns that tell one row from another.
        labels: columns that name a key, shown as they are.
        counts: counts of people or cases, the first one the whole of a row; a small one hides its row.
        parts: the whole of each count that is a part; the rest is judged as well.
        derived: columns computed from the counts; hidden with them.
        plain: columns that say nothing of persons, shown as they are.
        totals: keys that each published total keeps, each list within the one before.
        time: the key that tells the period.
    """

    mart: Name
    title: TwoLanguages
    description: TwoLanguages
    classification: Literal["open", "shared", "internal"]
    decision: TwoLanguages
    theme: Iri
    keywords: dict[Literal["vi", "en"], tuple[str, ...]] = Field(default_factory=dict)
    frequency: Literal["MONTHLY", "QUARTERLY", "ANNUAL", "IRREG"]
    keys: Annotated[tuple[Name, ...], Field(min_length=1)]
    labels: tuple[Name, ...] = ()
    counts: tuple[Name, ...] = ()
    parts: dict[Name, Name] = Field(default_factory=dict)
    derived: tuple[Name, ...] = ()
    plain: tuple[Name, ...] = ()
    totals: tuple[tuple[Name, ...], ...] = ()
    time: Name | None = None

    @model_validator(mode="after")
    def _parts_fit(self) -> OpenDataset:
        columns = self.columns
        if len(set(columns)) != len(columns):
            raise ValueError("a column stands in two lists")
        for name in (*self.parts, *self.parts.values()):
            if name not in self.counts:
                raise ValueError(f"parts: {name} is none of the counts")
        before = self.keys
        for kept in self.totals:
            if not set(kept) < set(before):
                raise ValueError(f"totals: {list(kept)} must be fewer of {list(before)}, so that totals are nested")
            before = kept
        if self.totals and not self.counts:
            raise ValueError("totals: there are no counts to add up")
        if self.counts and self.plain:
            raise ValueError(
                "plain: a row with counts is hidden as a whole; name its other columns in derived or labels"
            )
        if self.time is not None and self.time not in self.keys:
            raise ValueError(f"time: {self.time} is none of the keys")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that leave the warehouse."""
        return (*self.keys, *self.labels, *self.counts, *self.derived, *self.plain)


def load_open_data(roots: Sequence[Path]) -> tuple[Publisher | None, list[OpenDataset]]:
    """The publisher (of the first project that names one) and all datasets by name.

    Raises:
        ContractError: a file is broken, is not named after its mart, or a mart is listed twice.
    """
    publisher: Publisher | None = None
    found: dict[str, OpenDataset] = {}
    for root in roots:
        for path in sorted((root / "assets" / FOLDER).glob("*.yaml")):
            if path.name == PUBLISHER_FILE:
                publisher = publisher or _load(path, Publisher)
                continue
            dataset = _load(path, OpenDataset)
            if path.stem != dataset.mart:
                raise ContractError(f"{path}: it is about mart {dataset.mart}, so its name must be {dataset.mart}.yaml")
            if dataset.mart in found:
                raise ContractError(f"{path}: mart {dataset.mart} is listed twice; its totals would add up to more")
            found[dataset.mart] = dataset
    return publisher, [found[name] for name in sorted(found)]


def _load(path: Path, kind: type[Model]) -> Model:
    try:
        document: Any = parse_yaml(path.read_text(encoding="utf-8"))
        return kind.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        told = first["msg"].removeprefix("Value error, ")
        raise ContractError(
            f"{path}: {place + ': ' if place else ''}{told}", next_step="docs/for-open-data.md tells what a file holds"
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ContractError(f"{path}: {error}") from None
