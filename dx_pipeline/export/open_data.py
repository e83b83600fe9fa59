"""A release of open data: the marts that are declared open, small cells hidden, with a DCAT-AP catalogue.

``out/public`` may be put on a web server as it is. ``out/suppression-report.json`` stays inside: it tells which hidden rows are
small and which are company, and that would narrow what a hidden count may be.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dx_pipeline.contract.open_data import OpenDataset, Publisher
from dx_pipeline.docs_site.catalogue import TableColumn
from dx_pipeline.errors import ContractError, SettingsError, WarehouseError
from dx_pipeline.export.dcat import Distribution, Published, catalogue
from dx_pipeline.export.dictionary import MartDictionary
from dx_pipeline.export.mart import mart_rows, write_json
from dx_pipeline.export.suppression import Key, Measures, Suppressed, suppress
from dx_pipeline.export.table_writer import Format, write_table
from dx_pipeline.settings import write_private_file
from dx_pipeline.warehouse.connection import Warehouse

MARK = ".dx-open-data"
REPORT = "suppression-report.json"
_FORMATS: tuple[Format, ...] = ("csv", "parquet")
_MEDIA = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
_KIND = TableColumn("row_kind", "text", "Dòng (row) hay dòng tổng (total)", "A row, or a total over rows")
_HIDDEN = TableColumn("is_suppressed", "boolean", "Số được ẩn vì quá nhỏ hoặc để bảo vệ số nhỏ", "Counts hidden, for being small or to protect a small one")  # fmt: skip  # noqa: E501


@dataclass(frozen=True)
class Release:
    """What was published of one dataset: rows and totals by what became of them."""

    mart: str
    rows: int
    shown: int
    small: int
    company: int


def release(
    warehouse: Warehouse,
    datasets: Sequence[tuple[OpenDataset, MartDictionary]],
    publisher: Publisher,
    *,
    out: Path,
    k: int,
    now: datetime,
    base_url: str = "",
) -> list[Release]:
    """Write the release anew.

    Raises:
        SettingsError: the folder holds something else.
        ContractError: a declaration does not fit its mart.
    """
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / MARK).exists())):
        raise SettingsError(
            f"{out}: holds something that is no release of open data", next_step="name an empty or a new folder"
        )
    fresh = out / ".public.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    (out / MARK).write_text("dx export open-data\n", encoding="utf-8")
    releases, published, report = [], [], []
    for dataset, about in datasets:
        columns = _columns(dataset, about)
        with mart_rows(warehouse, about, "dx_bi", columns) as blocks:
            rows = [dict(zip(dataset.columns, row, strict=True)) for block in blocks for row in block]
        keyed = _by_key(dataset, rows)
        judged = _judge(dataset, keyed, k)
        lines = _lines(dataset, keyed, judged)
        one, told = _write(fresh, dataset, about, (_KIND, *columns, _HIDDEN), lines)
        releases.append(_count(dataset, judged, len(lines)))
        report.append({**_hidden_cells(dataset, judged), "rows": len(lines)})
        published.append(one)
        write_json(fresh / f"{dataset.mart}.dictionary.json", told)
    write_json(fresh / "catalog.jsonld", catalogue(publisher, published, now, base_url))
    document = {"k": k, "made_at": now.isoformat(timespec="seconds"), "datasets": report}
    write_private_file(out / REPORT, json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    shutil.rmtree(out / "public", ignore_errors=True)
    fresh.rename(out / "public")
    return releases


def _columns(dataset: OpenDataset, about: MartDictionary) -> list[TableColumn]:
    known = {one.name: one for one in about.columns}
    missing = [name for name in dataset.columns if name not in known]
    if missing:
        raise ContractError(
            f"open data {dataset.mart}: the mart has no column {missing[0]!r}",
            next_step=f"known: {', '.join(known)}",
        )
    return [known[name] for name in dataset.columns]


def _by_key(dataset: OpenDataset, rows: Sequence[dict[str, Any]]) -> dict[Key, dict[str, Any]]:
    keyed: dict[Key, dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[name] for name in dataset.keys)
        if None in key or key in keyed:
            told = "is empty in a row" if None in key else "stands in two rows"
            raise ContractError(
                f"open data {dataset.mart}: the key ({', '.join(dataset.keys)}) {told}",
                next_step="name the columns that tell one row from another in `keys`",
            )
        keyed[key] = row
    return keyed


def _judge(dataset: OpenDataset, keyed: Mapping[Key, dict[str, Any]], k: int) -> Suppressed | None:
    if not dataset.counts:
        return None
    counts: dict[Key, dict[str, int]] = {}
    for key, row in keyed.items():
        values = {name: row[name] for name in dataset.counts}
        bad = next((name for name, value in values.items() if value is None or value < 0 or value != int(value)), None)
        broken = next((part for part, whole in dataset.parts.items() if not bad and values[part] > values[whole]), None)
        if bad or broken:
            told = f"{bad} is no count" if bad else f"{broken} is more than {dataset.parts[str(broken)]}"
            raise WarehouseError(
                f"open data {dataset.mart}: {told} in row {', '.join(map(str, key))}",
                next_step="nothing was published; mend the mart, or what its file in assets/open_data says of it",
            )
        counts[key] = {name: int(value) for name, value in values.items()}
    totals = [[dataset.keys.index(name) for name in kept] for kept in dataset.totals]
    return suppress(counts, Measures(dataset.counts, dataset.parts), totals=totals, k=k)


def _lines(dataset: OpenDataset, keyed: Mapping[Key, dict[str, Any]], judged: Suppressed | None) -> list[list[Any]]:
    """Rows as they are published, then the totals, each level after the one it adds up."""
    secret = {*dataset.counts, *dataset.derived}
    lines = []
    for key, row in keyed.items():
        hidden = judged is not None and judged.levels[0][key].hidden is not None
        values = [None if hidden and name in secret else row[name] for name in dataset.columns]
        lines.append(["row", *values, hidden])
    for number, kept in enumerate(dataset.totals, start=1):
        assert judged is not None
        for key, cell in judged.levels[number].items():
            known = dict(zip(kept, key, strict=True))
            if cell.hidden is None:
                known |= dict(zip(dataset.counts, cell.vector, strict=False))
            lines.append(["total", *(known.get(name) for name in dataset.columns), cell.hidden is not None])
    return lines


def _write(
    folder: Path,
    dataset: OpenDataset,
    about: MartDictionary,
    columns: Sequence[TableColumn],
    lines: Sequence[Sequence[Any]],
) -> tuple[Published, dict[str, Any]]:
    distributions = []
    for kind in _FORMATS:
        path = folder / f"{dataset.mart}.{kind}"
        write_table(path, kind, columns, [lines] if lines else [], about)
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        distributions.append(Distribution(path.name, _MEDIA[kind], path.stat().st_size, digest))
    periods = (
        sorted(line[1 + dataset.columns.index(dataset.time)] for line in lines if line[0] == "row")
        if dataset.time
        else []
    )
    told = about.document()
    told["columns"] = [
        {"name": one.name, "type": one.data_type, "meaning": {"vi": one.comment_vi, "en": one.comment_en}}
        for one in columns
    ]
    told |= {"primary_key": ["row_kind", *dataset.keys], "rows": len(lines)}
    period = (periods[0], periods[-1]) if periods else None
    return Published(dataset, tuple(distributions), period, about.refreshed_at), told


def _count(dataset: OpenDataset, judged: Suppressed | None, rows: int) -> Release:
    if judged is None:
        return Release(dataset.mart, rows, rows, 0, 0)
    counted = [judged.counts(level) for level in range(len(judged.levels))]
    return Release(dataset.mart, rows, *(sum(one[name] for one in counted) for name in ("shown", "small", "company")))


def _hidden_cells(dataset: OpenDataset, judged: Suppressed | None) -> dict[str, Any]:
    """The part of the report about one dataset: every hidden cell, and why."""
    levels = []
    if judged is not None:
        for number, kept in enumerate([dataset.keys, *dataset.totals]):
            hidden = judged.hidden(number)
            counted = judged.counts(number)
            levels.append(
                {
                    "keys": list(kept),
                    **{name: counted[name] for name in ("shown", "small", "company")},
                    "hidden": [
                        {"key": [str(part) for part in key], "why": why} for key, why in sorted(hidden.items(), key=str)
                    ],
                }
            )
    return {"mart": dataset.mart, "judged": list(dataset.counts), "levels": levels}
