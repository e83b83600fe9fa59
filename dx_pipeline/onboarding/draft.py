"""A dataset to be drafted: what it is called and what was found of it."""

from __future__ import annotations

from dataclasses import dataclass

from dx_pipeline.onboarding.naming import canonical_name
from dx_pipeline.onboarding.profile import Profile, ProfiledColumn
from dx_pipeline.onboarding.yaml_text import TODO, both


@dataclass(frozen=True)
class DatasetDraft:
    """One dataset: its names and its profile.

    ``depends_on`` are dataset ids, parents of declared foreign keys; ``orphans`` tells of each foreign key how many rows
    name no row of the parent.
    """

    system: str
    dataset: str
    profile: Profile
    depends_on: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.system}.{self.dataset}"

    @property
    def target(self) -> str:
        """The table of the warehouse, in the system's own schema."""
        return f"{self.system}.{canonical_name(self.dataset)}"

    @property
    def label(self) -> str:
        return self.profile.relation.label


def describe(column: ProfiledColumn) -> str:
    """Description of a column: the source's own comment if it has one; the rest is for a person to write."""
    title = column.comment or column.source.name
    return both(title if column.comment else f"{TODO}: {title}", f"{TODO}: {column.source.name}")
