"""From a live source to drafted files: contract, suite and load SQL of each table, and one system file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow.compute as pc

from dx_pipeline.clean.batch import cleaned_schema
from dx_pipeline.contract.catalog import SYSTEM_FILE, load_system
from dx_pipeline.contract.loader import CONTRACT_SUFFIX, load_contract
from dx_pipeline.errors import DxError
from dx_pipeline.judge.suite import load_suite
from dx_pipeline.onboarding.draft import DatasetDraft
from dx_pipeline.onboarding.draft_contract import contract_text, system_text
from dx_pipeline.onboarding.draft_load_sql import load_sql
from dx_pipeline.onboarding.draft_suite import suite_text
from dx_pipeline.onboarding.naming import dataset_name, system_name, unused_name
from dx_pipeline.onboarding.profile import profile_relation
from dx_pipeline.onboarding.relations import (
    KINDS,
    OnboardingError,
    Relation,
    default_system,
    find_relations,
    is_folder,
    scheme_of,
)
from dx_pipeline.onboarding.sample import SAMPLE_ROWS, read_sample
from dx_pipeline.warehouse.load_file import parse_load_file


@dataclass(frozen=True)
class Request:
    """What a person asked for.

    ``out`` is a project folder; ``system`` and ``dataset`` None: named by the source; ``connection`` is the name under
    which the URL is set already, None: that of the system.
    """

    url: str
    tables: tuple[str, ...]
    everything: bool
    out: Path
    system: str | None = None
    dataset: str | None = None
    connection: str | None = None
    force: bool = False
    sample_rows: int = SAMPLE_ROWS


@dataclass(frozen=True)
class Written:
    """The drafts, the files written, and the tables for which no draft could be made."""

    system: str
    connection: str
    drafts: tuple[DatasetDraft, ...]
    files: tuple[Path, ...]
    refused: tuple[DxError, ...] = field(default=())


def draft_source(request: Request, on_table: Callable[[str], None] = lambda label: None) -> Written:
    """Profile the tables and write their files; a table that cannot be drafted never holds another.

    Args:
        on_table: told the name of each table before it is read.

    Raises:
        OnboardingError: a file is there already (without ``force``), a name is not there, or nothing could be drafted.
        SourceUnavailable, SettingsError: as the readers.
    """
    relations, refused = find_relations(request.url, request.tables, everything=request.everything)
    if not relations and not refused:
        raise OnboardingError("the source holds no table", next_step="check the database or folder in the URL")
    if request.dataset is not None and len(relations) > 1:
        raise OnboardingError("--dataset names one dataset", next_step="give one table, or leave --dataset out")
    system = system_name(request.system or default_system(request.url))
    datasets = _dataset_names(relations, system, request)
    for dataset in datasets.values():
        _refuse_overwriting(_paths(request.out, system, dataset), force=request.force)
    drafts: list[DatasetDraft] = []
    for relation in relations:
        on_table(relation.label)
        try:
            profile = profile_relation(relation, read_sample(relation, request.url, rows=request.sample_rows))
            drafts.append(DatasetDraft(system, datasets[relation.label], profile))
        except DxError as error:
            refused.append(error)
    if not drafts and refused:
        raise refused[0]
    drafts = _with_parents(drafts)
    system_file = request.out / "assets" / system / SYSTEM_FILE
    files: list[Path] = []
    if not system_file.exists():
        kind = _file_kind(relations) if is_folder(request.url) else KINDS[scheme_of(request.url)]
        files.append(
            _write(system_file, system_text(system, default_system(request.url), kind, request.connection or system))
        )
    for draft in drafts:
        texts = (contract_text(draft), suite_text(draft), load_sql(draft))
        paths = _paths(request.out, system, draft.dataset)
        files += [_write(path, text) for path, text in zip(paths, texts, strict=True)]
    for draft in drafts:
        check_dataset(_paths(request.out, system, draft.dataset)[0])
    return Written(
        system, load_system(system_file, request.out).connection, tuple(drafts), tuple(files), tuple(refused)
    )


def check_dataset(contract_path: Path) -> None:
    """Check contract, suite and load SQL of one dataset; no source is touched.

    Raises:
        ContractError, SuiteError, LoadFileError: what is wrong and where.
    """
    contract = load_contract(contract_path, contract_path.parent.parent.parent)
    load_suite(contract, cleaned_schema(contract).names)
    parse_load_file(contract.load_path)


def _dataset_names(relations: Sequence[Relation], system: str, request: Request) -> dict[str, str]:
    names: dict[str, str] = {}
    for relation in relations:
        found = request.dataset or _plain_name(relation)
        names[relation.label] = unused_name(dataset_name(found, system), names.values())
    return names


def _plain_name(relation: Relation) -> str:
    source = relation.source
    if source.kind == "table":
        return str(source.table)
    stem = Path(str(source.path)).name.rsplit(".", 1)[0]
    return f"{stem} {source.sheet}" if source.sheet else stem


def _with_parents(drafts: Sequence[DatasetDraft]) -> list[DatasetDraft]:
    """The drafts with the datasets their declared foreign keys lead to; a circle is left open where it would close."""
    by_table = {_place(draft.profile.relation): draft for draft in drafts}
    needs: dict[str, set[str]] = {draft.id: set() for draft in drafts}
    for draft in drafts:
        schema = draft.profile.relation.source.schema
        for key in draft.profile.relation.foreign_keys:
            parent = by_table.get((schema, key.other))
            if parent is not None and parent.id != draft.id and not _leads_to(parent.id, draft.id, needs):
                needs[draft.id].add(parent.id)
    return [
        replace(draft, depends_on=tuple(sorted(needs[draft.id])), orphans=tuple(_orphans(draft, by_table)))
        for draft in drafts
    ]


def _orphans(draft: DatasetDraft, by_table: dict[tuple[str | None, str | None], DatasetDraft]) -> Iterator[str]:
    """For each foreign key of one column: rows of the sample that name no row of the parent, if all of it is known."""
    by_source = {column.source.name: column for column in draft.profile.columns}
    for key in draft.profile.relation.foreign_keys:
        parent = by_table.get((draft.profile.relation.source.schema, key.other))
        if parent is None or len(key.columns) != 1 or parent.profile.sampled_rows < parent.profile.total_rows:
            continue
        named = [
            column for column in parent.profile.columns if (column.source.name,) == parent.profile.relation.primary_key
        ]
        if named and key.columns[0] in by_source:
            child = by_source[key.columns[0]].facts.text.drop_null()
            unknown = len(child) - pc.sum(pc.is_in(child, value_set=named[0].facts.text)).as_py() if len(child) else 0
            if unknown:
                yield f"{unknown:,} of {len(child):,} rows name no row of {key.other} in {key.columns[0]}"


def _place(relation: Relation) -> tuple[str | None, str | None]:
    return relation.source.schema, relation.source.table


def _leads_to(start: str, goal: str, needs: dict[str, set[str]]) -> bool:
    return goal in needs[start] or any(_leads_to(step, goal, needs) for step in needs[start])


def _file_kind(relations: Sequence[Relation]) -> str:
    kinds = {relation.source.kind for relation in relations}
    names: dict[str, str] = {"xlsx": "excel"}
    return names.get(kind := kinds.pop(), kind) if len(kinds) == 1 else "files"


def _paths(out: Path, system: str, dataset: str) -> tuple[Path, Path, Path]:
    return (
        out / "assets" / system / f"{dataset}{CONTRACT_SUFFIX}",
        out / "expectations" / system / f"{dataset}.yaml",
        out / "warehouse_sql" / "load" / system / f"{dataset}.sql",
    )


def _refuse_overwriting(paths: Sequence[Path], *, force: bool) -> None:
    there = [path for path in paths if path.exists()]
    if there and not force:
        raise OnboardingError(
            f"{there[0]} is there already; nothing was written",
            next_step="choose another --out, --system or --dataset, or overwrite what people may have changed: --force",
        )


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
