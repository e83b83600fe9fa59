"""Build the site: one folder per language, plain files that open without a server or a network."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dx_pipeline.contract.catalog import Catalog
from dx_pipeline.contract.model import Contract
from dx_pipeline.contract.timeliness import in_words
from dx_pipeline.docs_site import drawings
from dx_pipeline.docs_site.catalogue import Table, read_tables, referencing
from dx_pipeline.docs_site.flow import Flow, Origin, read_flow, read_grains, read_origins, read_questions
from dx_pipeline.docs_site.quality import Board, read_board
from dx_pipeline.docs_site.words import LANGUAGES, words
from dx_pipeline.errors import DxError, SettingsError
from dx_pipeline.judge.rule_spec import RuleSpec
from dx_pipeline.judge.suite import load_suite
from dx_pipeline.lineage.column_ref import ColumnRef
from dx_pipeline.lineage.graph import LineageGraph
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.load_file import parse_load_file
from dx_pipeline.warehouse.marts import Mart

MARK = ".dx-site"
"""File that tells a folder is a site of ours and may be written anew."""
_MAX_REFERENCING = 12
_SEARCH_ORDER = ("tables", "dataset", "column", "rule", "source_column")  # equally good hits, as they are listed
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class SiteFacts:
    """Everything the pages are made of, read once for both languages."""

    tables: dict[str, Table]
    contracts: dict[str, Contract]
    catalog: Catalog
    rules: dict[str, tuple[RuleSpec, ...]]
    loads: dict[str, tuple[str, ...]]
    flow: Flow
    origins: dict[ColumnRef, list[Origin]]
    grains: dict[str, str]
    questions: list[tuple[str, str]]
    board: Board


def read_facts(
    warehouse: Warehouse, catalog: Catalog, marts: Sequence[Mart], graph: LineageGraph, roots: Sequence[Path]
) -> SiteFacts:
    """Read catalogue, contracts, suites, lineage and ledger."""
    contracts = dict(sorted(catalog.contracts.items()))
    rules: dict[str, tuple[RuleSpec, ...]] = {}
    loads: dict[str, tuple[str, ...]] = {}
    for contract in contracts.values():
        try:
            rules[contract.id] = load_suite(contract).rules
            loads[contract.id] = parse_load_file(contract.load_path).targets
        except DxError:  # the run of that dataset tells; the site shows what can be read
            rules.setdefault(contract.id, ())
            loads.setdefault(contract.id, ())
    owners = {name: one.owner_agency for name, one in contracts.items()}
    snapshots = {name for name, one in contracts.items() if one.load.mode == "snapshot"}
    with warehouse.loader() as connection:
        tables = read_tables(connection)
        board = read_board(connection, owners, snapshots)
    return SiteFacts(
        tables,
        contracts,
        catalog,
        rules,
        loads,
        read_flow(list(contracts.values()), marts, graph),
        read_origins(list(contracts.values()), graph),
        read_grains(roots, marts),
        read_questions(roots),
        board,
    )


def build_site(facts: SiteFacts, out: Path) -> int:
    """Write the site; returns the number of pages.

    Raises:
        SettingsError: the folder holds something that is no site of ours.
    """
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / MARK).exists())):
        raise SettingsError(
            f"{out}: holds something that is no site of `dx docs build`", next_step="name an empty or a new folder"
        )
    if out.exists():
        for part in (*LANGUAGES, "static", "index.html"):
            path = out / part
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    (out / MARK).write_text("dx docs build\n", encoding="utf-8")
    shutil.copytree(Path(__file__).parent / "static", out / "static")
    environment = Environment(
        loader=PackageLoader("dx_pipeline.docs_site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = lambda value: "–" if value is None else f"{value:,}".replace(",", "\u202f")
    environment.filters["percent"] = lambda value: "–" if value is None else f"{100 * value:.2f} %"
    environment.filters["moment"] = lambda value: "–" if value is None else f"{value:%Y-%m-%d %H:%M}"
    environment.filters["span"] = lambda value: in_words(value) if isinstance(value, timedelta) else "–"
    (out / "index.html").write_text(environment.get_template("choose.html.j2").render(), encoding="utf-8")
    return 1 + sum(_Pages(facts, out / language, language, environment).write() for language in LANGUAGES)


class _Pages:
    """All pages of one language."""

    def __init__(self, facts: SiteFacts, out: Path, language: str, environment: Environment) -> None:
        self._facts = facts
        self._out = out
        self._language = language
        self._environment = environment
        self._words = words(language)
        self._pointing = referencing(facts.tables)
        self._index: list[dict[str, str | int]] = []
        self._count = 0

    def write(self) -> int:
        for folder in ("table", "dataset", "download"):
            (self._out / folder).mkdir(parents=True)
        for table in self._facts.tables.values():
            self._table(table)
        for contract in self._facts.contracts.values():
            self._dataset(contract)
        self._star()
        self._quality()
        self._page("index.html", "index.html.j2", self._words["dictionary"], schemas=self._by_schema())
        text = json.dumps(self._index, ensure_ascii=False).replace("<", "\\u003c").replace("\u2028", "\\u2028")
        (self._out / "search-index.js").write_text(f"window.DX_INDEX = {text};\n", encoding="utf-8")
        return self._count

    def _say(self, thing: Any, name: str) -> str:
        return str(getattr(thing, f"{name}_{self._language}"))

    def _page(self, path: str, template: str, title: str, **values: Any) -> None:
        self._count += 1
        root = "../" * path.count("/")
        html = self._environment.get_template(template).render(
            w=self._words,
            language=self._language,
            other="en" if self._language == "vi" else "vi",
            root=root,
            path=path,
            title=title,
            facts=self._facts,
            board=self._facts.board,
            say=self._say,
            agency=self._agency,
            quality=self._facts.board.datasets,
            plot=self._plot,
            **values,
        )
        (self._out / path).write_text(html, encoding="utf-8")

    def _by_schema(self) -> dict[str, list[Table]]:
        schemas: dict[str, list[Table]] = {"mart": [], "core": [], "ops": []}
        for table in self._facts.tables.values():
            schemas[table.schema].append(table)
        return schemas

    def _agency(self, code: str) -> str:
        name = self._facts.board.agency_names.get(code)
        return f"{code} {name}" if name else code or self._words["unknown_agency"]

    def _plot(self, dataset_id: str) -> Markup:
        readings = self._facts.board.datasets[dataset_id].readings
        return drawings.trend([one.rejected_share for one in readings], f"{self._words['trend_label']}: {dataset_id}")

    def _index_page(self, title: str, url: str, kind: str, text: str) -> None:
        self._index.append({"t": title, "u": url, "k": self._words[kind], "x": text, "r": _SEARCH_ORDER.index(kind)})

    def _table(self, table: Table) -> None:
        facts = self._facts
        url = f"table/{table.id}.html"
        self._index_page(table.id, url, "tables", self._say(table, "comment"))
        for column in table.columns:
            self._index_page(
                f"{table.id}.{column.name}", f"{url}#{column.name}", "column", self._say(column, "comment")
            )
        datasets = [facts.contracts[n] for n in facts.flow.datasets_of(table.id) if n in facts.contracts]
        mentioned = re.compile(rf"\b{re.escape(table.id)}\b")
        self._page(
            url,
            "table.html.j2",
            table.id,
            table=table,
            grain=facts.grains.get(table.id),
            datasets=datasets,
            written_by=_written_by(table),
            owners=sorted({self._agency(one.owner_agency) for one in datasets}),
            origins={c.name: facts.origins.get(ColumnRef(table.id, c.name), []) for c in table.columns},
            er=self._er(table),
            lineage=self._lineage(table.id),
            sample=_sample(table),
            questions=[(text, sql) for text, sql in facts.questions if mentioned.search(sql)][:3],
            more=max(len({key.table for key in self._pointing[table.id]}) - _MAX_REFERENCING, 0),
        )

    def _dataset(self, contract: Contract) -> None:
        facts = self._facts
        url = f"dataset/{contract.id}.html"
        system = facts.catalog.systems[contract.system]
        self._index_page(contract.id, url, "dataset", f"{self._say(contract, 'purpose')} {self._say(system, 'title')}")
        for rule in facts.rules[contract.id]:
            self._index_page(rule.code, f"{url}#rule-{rule.code}", "rule", self._say(rule, "message"))
        for column in contract.columns:
            self._index_page(
                f"{contract.id}.{column.name}",
                f"{url}#{column.name}",
                "source_column",
                f"{column.source_name} {self._say(column, 'description')}",
            )
        self._page(
            url,
            "dataset.html.j2",
            contract.id,
            contract=contract,
            system=system,
            schedule=facts.catalog.schedule_of(contract),
            rules=facts.rules[contract.id],
            q=facts.board.datasets[contract.id],
            loads=[name for name in facts.loads[contract.id] if name in facts.tables],
            lineage=self._lineage(f"dataset:{contract.id}"),
            bar=self._bar(contract),
        )

    def _bar(self, contract: Contract) -> Markup:
        share = self._facts.board.datasets[contract.id].rejected_share
        if share is None:
            return Markup("–")
        return drawings.share_bar(
            share,
            contract.rejected_share_cap,
            f"{self._words['share']} {100 * share:.2f} %, {self._words['cap']} {100 * contract.rejected_share_cap:.0f} %",
        )

    def _href(self, node: str, root: str) -> str | None:
        if node.startswith("dataset:"):
            return f"{root}dataset/{node.removeprefix('dataset:')}.html"
        return f"{root}table/{node}.html" if node in self._facts.tables else None

    def _er_box(self, table: Table, root: str) -> drawings.Box:
        lines = [f"PK {', '.join(table.primary_key)}"] if table.primary_key else []
        lines += [f"FK {', '.join(key.columns)}" for key in table.foreign_keys]
        return drawings.Box(table.id, table.id, tuple(lines), self._href(table.id, root), table.schema)

    def _er(self, table: Table) -> Markup | None:
        tables = self._facts.tables
        to = list(dict.fromkeys(key.referenced for key in table.foreign_keys if key.referenced != table.id))
        of = sorted({key.table for key in self._pointing[table.id]} - {table.id, *to})
        if not to and not of:
            return None
        of_boxes = [drawings.Box(name, name, (), self._href(name, "../")) for name in of[:_MAX_REFERENCING]]
        to_boxes = [drawings.Box(n, n, (f"PK {', '.join(tables[n].primary_key)}",), self._href(n, "../")) for n in to]
        edges = [(name, table.id) for name in of] + [(table.id, name) for name in to]
        return drawings.layered(
            [of_boxes, [self._er_box(table, "../")], to_boxes], edges, f"{self._words['er_label']} {table.id}"
        )

    def _lineage(self, node: str) -> Markup | None:
        flow = self._facts.flow
        distance = drawings.layers_of(node, flow.above, flow.below)
        distance = {
            name: depth
            for name, depth in distance.items()
            if name.startswith(("dataset:", "restricted.")) or name in self._facts.tables
        }
        if len(distance) < 2:
            return None
        layers = [
            [
                drawings.Box(
                    name,
                    name.removeprefix("dataset:"),
                    (),
                    self._href(name, "../"),
                    "source" if name.startswith("dataset:") else name.partition(".")[0],
                )
                for name in sorted(distance)
                if distance[name] == depth
            ]
            for depth in sorted(set(distance.values()))
        ]
        edges = [(source, target) for target in distance for source in sorted(flow.above.get(target, ()))]
        return drawings.layered(layers, edges, f"{self._words['lineage_label']} {node.removeprefix('dataset:')}")

    def _star(self) -> None:
        tables = self._facts.tables
        subjects = []
        for name, system in sorted(self._facts.catalog.systems.items()):
            facts_of = sorted(
                table
                for table in tables
                if table.startswith("core.fact_")
                and any(one.partition(".")[0] == name for one in self._facts.flow.loaded_by.get(table, ()))
            )
            if not facts_of:
                continue
            keys = [key for fact in facts_of for key in tables[fact].foreign_keys]
            dimensions = [n for n in dict.fromkeys(key.referenced for key in keys) if n not in facts_of]
            drawing = drawings.layered(
                [[self._er_box(tables[n], "") for n in facts_of], [self._er_box(tables[n], "") for n in dimensions]],
                [(key.table, key.referenced) for key in keys],
                f"{self._words['er_label']} {self._say(system, 'title')}",
            )
            subjects.append((name, system, drawing))
        self._page("star.html", "star.html.j2", self._words["star"], subjects=subjects)

    def _quality(self) -> None:
        departments: dict[str, list[Any]] = {}
        for row in self._facts.board.summary:
            departments.setdefault(row.owner_agency, []).append(row)
        files = {code: f"download/can-sua-{_UNSAFE.sub('_', code) or 'khong-ro'}.csv" for code in departments}
        for code, rows in departments.items():
            self._counts(self._out / files[code], rows)
        self._page(
            "quality.html",
            "quality.html.j2",
            self._words["board"],
            departments=departments,
            files=files,
            bars={name: self._bar(one) for name, one in self._facts.contracts.items()},
            read_by=self._read_by_department(),
        )

    def _read_by_department(self) -> dict[str, tuple[int, int]]:
        """Department → rows read and rejected over the batches shown."""
        found: dict[str, tuple[int, int]] = {}
        for name, contract in self._facts.contracts.items():
            quality = self._facts.board.datasets[name]
            read, rejected = found.get(contract.owner_agency, (0, 0))
            found[contract.owner_agency] = (read + quality.extracted, rejected + quality.quarantined)
        return found

    def _counts(self, path: Path, rows: Sequence[Any]) -> None:
        with path.open("w", encoding="utf-8-sig", newline="") as stream:  # with a byte order mark, for Excel
            writer = csv.writer(stream)
            writer.writerow([self._words[key] for key in ("dataset", "rule", "reason", "open", "oldest")])
            for row in rows:
                oldest = row.oldest.date().isoformat() if isinstance(row.oldest, datetime) else ""
                message = self._say(row, "message")
                writer.writerow([row.dataset_id, row.code, _no_formula(message), row.open_rows, oldest])


def _written_by(table: Table) -> str:
    """Key of the words for a table that no dataset fills."""
    if table.kind == "view":
        return "by_view"
    return "by_warehouse" if table.schema == "ops" else "by_reference"


def _no_formula(text: str) -> str:
    return f"'{text}" if text[:1] in "=+-@\t\r" else text


def _sample(table: Table) -> str:
    names = [column.name for column in table.columns if not column.name.endswith(("_batch_id", "row_hash"))][:8]
    return "select\n    " + ",\n    ".join(names) + f"\nfrom {table.id}\nlimit 10"
