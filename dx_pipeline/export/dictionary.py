"""What a reader of an exported mart must know: columns, grain, owners, sources and how fresh the figures are.

The words come from where the site of `dx docs build` has them: comments of the warehouse, the header of the mart's SQL, contracts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from dx_pipeline.contract.catalog import Catalog
from dx_pipeline.docs_site.catalogue import TableColumn, read_tables
from dx_pipeline.docs_site.flow import read_grains
from dx_pipeline.errors import SettingsError
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.marts import Mart

_PUBLISHED = (
    "select b.system || '.' || b.dataset as dataset_id, max(b.published_at) as published_at from ops.batch as b"
    " where b.status = 'published' and b.system || '.' || b.dataset = any(:names) group by 1"
)
_NAMES = (
    "select agency_code, name from core.dim_agency where is_current and not is_inferred and agency_code = any(:codes)"
)


@dataclass(frozen=True)
class Source:
    """A dataset behind a mart, its owner, and when a batch of it was last published."""

    dataset_id: str
    purpose_vi: str
    purpose_en: str
    owner_agency: str
    owner_name: str
    published_at: datetime | None


@dataclass(frozen=True)
class MartDictionary:
    """One mart as its readers are told of it; ``refreshed_at`` is None for a view, which is as fresh as its sources."""

    name: str
    comment_vi: str
    comment_en: str
    grain: str
    columns: tuple[TableColumn, ...]
    primary_key: tuple[str, ...]
    readers: tuple[str, ...]
    sources: tuple[Source, ...]
    refreshed_at: datetime | None

    def document(self) -> dict[str, Any]:
        """The dictionary as a JSON document."""
        return {
            "name": f"mart.{self.name}",
            "title": {"vi": self.comment_vi, "en": self.comment_en},
            "grain": self.grain,
            "primary_key": list(self.primary_key),
            "refreshed_at": _moment(self.refreshed_at),
            "sources": [
                {
                    "dataset": one.dataset_id,
                    "purpose": {"vi": one.purpose_vi, "en": one.purpose_en},
                    "owner": {"code": one.owner_agency, "name": one.owner_name},
                    "last_published_at": _moment(one.published_at),
                }
                for one in self.sources
            ],
            "columns": [
                {"name": one.name, "type": one.data_type, "meaning": {"vi": one.comment_vi, "en": one.comment_en}}
                for one in self.columns
            ],
        }


def read_dictionary(
    warehouse: Warehouse, name: str, *, catalog: Catalog, marts: Sequence[Mart], roots: Sequence[Path]
) -> MartDictionary:
    """What is known of one table or view of schema ``mart``.

    Raises:
        SettingsError: there is none of that name.
    """
    with warehouse.loader() as connection:
        tables = read_tables(connection)
        known = {one.name: one for one in tables.values() if one.schema == "mart"}
        if name not in known:
            raise SettingsError(
                f"there is no mart {name!r}",
                next_step=f"known: {', '.join(sorted(known)) or 'none; run `dx run` first'}",
            )
        table = known[name]
        depends_on = next((one.depends_on for one in marts if one.name == name), ())
        contracts = [catalog.contracts[one] for one in depends_on if one in catalog.contracts]
        published = {
            row.dataset_id: row.published_at
            for row in connection.execute(sa.text(_PUBLISHED), {"names": list(depends_on)})
        }
        codes = [one.owner_agency for one in contracts]
        names = {row.agency_code: row.name for row in connection.execute(sa.text(_NAMES), {"codes": codes})}
        refreshed_at = connection.execute(
            sa.text("select refreshed_at from ops.mart_refresh where mart = :name"), {"name": name}
        ).scalar_one_or_none()
    return MartDictionary(
        name,
        table.comment_vi,
        table.comment_en,
        read_grains(roots, marts).get(f"mart.{name}", ""),
        tuple(table.columns),
        table.primary_key,
        table.readers,
        tuple(
            Source(
                one.id,
                one.purpose_vi,
                one.purpose_en,
                one.owner_agency,
                names.get(one.owner_agency, ""),
                published.get(one.id),
            )
            for one in contracts
        ),
        refreshed_at,
    )


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat(timespec="seconds")
