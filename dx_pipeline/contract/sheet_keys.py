"""The parts of ``source`` that only workbooks have: captions above the table, and the file's own total."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dx_pipeline.contract.model import CAPTION_SIGN, Column, SourceRelation
from dx_pipeline.contract.place import Place

SHEET_KEYS = frozenset({"captions", "controlTotal"})


def parse_sheet_keys(value: Mapping[str, Any], place: Place) -> tuple[dict[str, tuple[str, ...]], str | None]:
    """``captions`` (name → how its cell begins) and ``controlTotal`` (one of ``totalRows``)."""
    for key in sorted(SHEET_KEYS & set(value)):
        if value.get("kind") != "xlsx":
            place.at(key).refuse(f"belongs to kind xlsx, not to {value.get('kind')}")
    captions: dict[str, tuple[str, ...]] = {}
    given = value.get("captions") or {}
    if not isinstance(given, Mapping):
        place.at("captions").refuse('must map names to texts, e.g. {unit: ["ĐVT", "Đơn vị tính"]}')
    for name, texts in given.items():
        if not isinstance(texts, list) or not texts or not all(isinstance(t, str) and t.strip() for t in texts):
            place.at(f"captions.{name}").refuse('must be a list of texts, e.g. ["ĐVT", "Đơn vị tính"]')
        captions[str(name)] = tuple(texts)
    total = value.get("controlTotal")
    if total is not None and total not in (value.get("totalRows") or ()):
        place.at("controlTotal").refuse(f"{total!r} is not one of totalRows")
    return captions, total


def unread_captions(source: SourceRelation, columns: Sequence[Column]) -> str | None:
    """What is wrong between captions and the columns that read them (``physicalName: "^name"``); None if nothing."""
    read = {c.source_name.removeprefix(CAPTION_SIGN) for c in columns if c.source_name.startswith(CAPTION_SIGN)}
    if source.kind == "xlsx" and read != set(source.captions):
        odd = ", ".join(sorted(read ^ set(source.captions)))
        return f'every caption needs a column with physicalName "^name", and every such column its caption: {odd}'
    return None
