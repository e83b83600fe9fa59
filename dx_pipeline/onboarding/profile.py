"""What a sample shows of a whole relation: its columns, its business key and how it can be read again."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import duckdb
import pyarrow as pa

from dx_pipeline.extract.source import SourceColumn
from dx_pipeline.onboarding.column_facts import ColumnFacts
from dx_pipeline.onboarding.meaning import Meaning, find_meaning
from dx_pipeline.onboarding.naming import canonical_columns
from dx_pipeline.onboarding.relations import OnboardingError, Relation
from dx_pipeline.onboarding.sample import Sample
from dx_pipeline.sql_quoting import identifier

INCREMENTAL_FROM = 50_000  # rows; a smaller table is read whole, so that what left the source is noticed
_ALMOST_UNIQUE = 0.98
_MOST_KEY_PARTS = 12  # columns of which pairs are tried
_UPDATED = (
    "cap nhat",
    "updat",
    "modif",
    "last change",
    "changed",
    "sua doi",
    "ngay sua",
    "thay doi",
    "mutat",
    "renovat",
)
_KEY_WORDS = frozenset("id ma code key codex no number so uuid guid ref".split())


@dataclass(frozen=True)
class ProfiledColumn:
    """One column: its name here and there, what the sample shows and what it means."""

    name: str
    source: SourceColumn
    facts: ColumnFacts
    meaning: Meaning
    comment: str = ""

    @property
    def is_required(self) -> bool:
        """True if the source promises a value and the sample keeps the promise in every row."""
        complete = self.facts.filled == self.facts.rows and self.meaning.readable == 1
        return not self.source.nullable and complete and not self.facts.is_file


@dataclass(frozen=True)
class Key:
    """The business key by canonical names, and where it comes from; never personal, because the star needs it.

    ``conflicts``: distinct rows of the sample that share their key with another row.
    """

    columns: tuple[str, ...]
    why: str
    conflicts: int = 0


@dataclass(frozen=True)
class Profile:
    """A relation as its sample shows it."""

    relation: Relation
    columns: tuple[ProfiledColumn, ...]
    left_out: tuple[str, ...]
    key: Key
    sampled_rows: int
    total_rows: int
    cursor: str | None  # canonical name of the column that tells when a row was last changed
    mode: Literal["snapshot", "incremental"]

    def column(self, name: str) -> ProfiledColumn:
        return next(column for column in self.columns if column.name == name)


def profile_relation(relation: Relation, sample: Sample) -> Profile:
    """Profile one sample.

    Raises:
        OnboardingError: no key can be found, so that no row could be followed from one run to the next.
    """
    names = canonical_columns([column.name for column in sample.columns])
    comments = dict(relation.comments)
    by_name = {column.name: column for column in sample.columns}
    parents = {name: key.other for key in relation.foreign_keys for name in key.columns}
    columns: list[ProfiledColumn] = []
    for source_name, array in zip(sample.table.column_names, sample.table.columns, strict=True):
        source = by_name[source_name]
        facts = ColumnFacts.of(source, _one_array(array), is_file=relation.source.is_file)
        meaning = find_meaning(facts, names_row_of=parents.get(source_name))
        columns.append(ProfiledColumn(names[source_name], source, facts, meaning, comments.get(source_name, "")))
    key = _find_key(relation, columns)
    columns = [_as_key(column) if column.name in key.columns else column for column in columns]
    cursor = None if relation.source.is_file else _find_cursor(columns)
    return Profile(
        relation=relation,
        columns=tuple(columns),
        left_out=sample.left_out,
        key=key,
        sampled_rows=sample.table.num_rows,
        total_rows=sample.total_rows,
        cursor=cursor,
        mode="incremental" if cursor and sample.total_rows >= INCREMENTAL_FROM else "snapshot",
    )


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _as_key(column: ProfiledColumn) -> ProfiledColumn:
    """A key column keeps its values apart: no code list, no yes and no, no prose."""
    meaning = column.meaning
    if meaning.semantic_type in ("code_list", "flag", "text", "number"):
        meaning = replace(
            meaning,
            semantic_type="identifier",
            options={},
            readable=1.0,
            why=f"khóa, giữ nguyên · key, kept as it is ({meaning.why})",
        )
    return replace(column, meaning=meaning)


# -- key -----------------------------------------------------------------------------------------------------------


def _find_key(relation: Relation, columns: Sequence[ProfiledColumn]) -> Key:
    by_source = {column.source.name: column for column in columns}
    declared = [("khóa chính khai báo · declared primary key", relation.primary_key)]
    declared += [("khai báo duy nhất · declared unique", names) for names in relation.unique]
    for why, source_names in declared:
        if source_names and all(name in by_source for name in source_names):
            chosen = [by_source[name] for name in source_names]
            full = all(column.facts.null_share == 0 for column in chosen)
            if full and not any(column.meaning.is_personal for column in chosen):
                return Key(tuple(column.name for column in chosen), why)
    if not columns[0].facts.rows:
        raise _no_key(relation, "it is empty and declares none")
    return _profiled_key(relation, columns)


def _profiled_key(relation: Relation, columns: Sequence[ProfiledColumn]) -> Key:
    """The first unique column or pair of the sample, copies of a row counted once."""
    table = pa.table({column.name: column.facts.text for column in columns})
    candidates = sorted((c for c in columns if _may_be_key(c)), key=_key_order)
    with duckdb.connect() as engine:
        engine.execute("set threads = 2")
        engine.register("sample", table)
        engine.execute("create temp table distinct_rows as select distinct * from sample")
        rows = _one(engine, "select count(*) from distinct_rows")
        almost: tuple[int, ProfiledColumn] | None = None
        for column in candidates:
            held = _one(engine, f"select count(distinct {identifier(column.name)}) from distinct_rows")
            if held == rows:
                return Key((column.name,), "duy nhất trong mẫu · unique in the sample")
            if held >= _ALMOST_UNIQUE * rows and (almost is None or held > almost[0]):
                almost = (held, column)
        for first, second in itertools.combinations(candidates[:_MOST_KEY_PARTS], 2):
            if first.facts.distinct * second.facts.distinct < rows:
                continue
            both = f"{identifier(first.name)}, {identifier(second.name)}"
            if _one(engine, f"select count(*) from (select distinct {both} from distinct_rows)") == rows:
                why = "cặp cột duy nhất trong mẫu · this pair is unique in the sample"
                ordered = sorted((first, second), key=columns.index)
                return Key(tuple(column.name for column in ordered), why)
    if almost is not None:
        held, column = almost
        return Key((column.name,), "gần như duy nhất trong mẫu · almost unique in the sample", rows - held)
    raise _no_key(relation, "no column and no pair of columns that is not personal is unique and always filled")


def _may_be_key(column: ProfiledColumn) -> bool:
    facts = column.facts
    if facts.null_share or facts.null_texts or facts.declared == "float" or column.meaning.is_personal:
        return False
    countable = column.meaning.semantic_type not in ("number", "flag", "money_vnd")
    return facts.rows == 1 or (countable and facts.distinct > 1)


def _key_order(column: ProfiledColumn) -> tuple[int, int, int]:
    """Named like a key first, then codes and numbers, then other texts, then times."""
    words = set(column.facts.words)
    order = {"dossier_code": 0, "identifier": 0, "integer": 0, "text": 2, "code_list": 2}
    rank = order.get(column.meaning.semantic_type, 3)
    return (0 if words & _KEY_WORDS and rank == 0 else 1, rank, -column.facts.distinct)


def _no_key(relation: Relation, reason: str) -> OnboardingError:
    return OnboardingError(
        f"{relation.label} has no usable key: {reason}",
        next_step="ask its owner what makes a row one row, then write the contract by hand with those columns as "
        "primaryKey (docs/onboard-a-source.md), or read it through source.kind: query that makes a key",
    )


def _one(engine: duckdb.DuckDBPyConnection, statement: str) -> int:
    found = engine.execute(statement).fetchone()
    return int(found[0]) if found else 0


# -- cursor --------------------------------------------------------------------------------------------------------


def _find_cursor(columns: Sequence[ProfiledColumn]) -> str | None:
    """The column of the time of last change: named so, a time in the source, never empty, not always the same."""
    for column in columns:
        facts = column.facts
        if (
            column.meaning.semantic_type in ("datetime", "date")
            and column.meaning.readable == 1
            and facts.declared in ("time", "day")
            and facts.null_share == 0
            and facts.distinct > 1
            and any(word in " ".join(facts.words) for word in _UPDATED)
        ):
            return column.name
    return None
