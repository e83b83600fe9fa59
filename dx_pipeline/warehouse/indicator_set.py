"""Indicator sets in the warehouse: revisions are added, never changed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from dx_pipeline.contract.indicator_set import IndicatorSet

PROJECT = "project"


def sync_indicator_sets(connection: Connection, sets: Sequence[IndicatorSet]) -> list[str]:
    """Add the project's sets that the warehouse never had in this content; the codes of those added.

    What an operator loaded stays the newest revision until the project's file holds something new.
    """
    missing = [one for one in sets if _is_new(connection, one)]
    if not missing:
        return []
    connection.exec_driver_sql("select pg_advisory_xact_lock(hashtext('dx indicator sets'))")
    return [one.code for one in missing if _is_new(connection, one) and add_revision(connection, one, PROJECT)]


def add_revision(connection: Connection, one: IndicatorSet, by: str) -> int | None:
    """Make this content the newest revision of the set; its number, or None when it is the newest already."""
    newest = connection.execute(
        sa.text("select revision, content_hash from core.dim_indicator_set where set_code = :code"), {"code": one.code}
    ).one_or_none()
    if newest is not None and newest.content_hash == content_hash(one):
        return None
    revision = newest.revision + 1 if newest is not None else 1
    connection.execute(
        sa.text(
            "insert into core.indicator_set_revision (set_code, revision, name_vi, name_en, source_vi, source_en, note_vi,"
            " note_en, valid_from, valid_to, total_points, ranked_from_share, state, is_assessed, content_hash, loaded_at,"
            " loaded_by) values"
            " (:code, :revision, :name_vi, :name_en, :source_vi, :source_en, :note_vi, :note_en, :valid_from,"
            " coalesce(cast(:valid_to as date), date '9999-12-31'), :total, :ranked_from, :state, :assessed, :hash, now(), :by)"
        ),
        {
            "code": one.code,
            "revision": revision,
            "name_vi": one.name.vi,
            "name_en": one.name.en,
            "source_vi": one.source.text.vi,
            "source_en": one.source.text.en,
            "note_vi": one.note.vi if one.note else None,
            "note_en": one.note.en if one.note else None,
            "valid_from": one.valid_from,
            "valid_to": one.valid_to,
            "total": one.total,
            "ranked_from": one.ranked_from_share,
            "state": one.state,
            "assessed": one.assessed,
            "hash": content_hash(one),
            "by": by,
        },
    )
    rows = [
        {
            "code": one.code,
            "revision": revision,
            "position": position,
            "group_code": group.code,
            "group_vi": group.name.vi,
            "group_en": group.name.en,
            "group_max": group.max_points,
            "component": component.code,
            "number": component.number,
            "name_vi": component.name.vi,
            "name_en": component.name.en,
            "max_points": component.max_points,
            "target": component.target,
            "measure": component.measure,
            "indicator": component.indicator,
            "scopes": list(component.only),
            "why_vi": component.why.vi if component.why else None,
            "why_en": component.why.en if component.why else None,
        }
        for position, (group, component) in enumerate(
            ((group, component) for group in one.groups for component in group.components), start=1
        )
    ]
    if rows:
        connection.execute(
            sa.text(
                "insert into core.indicator_component_revision (set_code, revision, position, group_code, group_name_vi,"
                " group_name_en, group_max_points, component_code, component_number, name_vi, name_en, max_points, target,"
                " measure, indicator, scopes, why_vi, why_en) values (:code, :revision, :position, :group_code, :group_vi,"
                " :group_en, :group_max, :component, :number, :name_vi, :name_en, :max_points, :target, :measure,"
                " :indicator, cast(:scopes as text[]), :why_vi, :why_en)"
            ),
            rows,
        )
    return revision


def content_hash(one: IndicatorSet) -> str:
    """SHA-256 of what the set holds, whatever its file looks like."""
    return hashlib.sha256(one.model_dump_json().encode()).hexdigest()


def _is_new(connection: Connection, one: IndicatorSet) -> bool:
    found = connection.execute(
        sa.text("select 1 from core.indicator_set_revision where set_code = :code and content_hash = :hash"),
        {"code": one.code, "hash": content_hash(one)},
    )
    return found.first() is None
