"""What a source holds: its tables with their declared keys, or the files of its folder."""

from __future__ import annotations

import contextlib
import csv
import glob
import itertools
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.base import PGInspector
from sqlalchemy.engine import Connection
from sqlalchemy.engine.reflection import Inspector

from dx_pipeline.contract.model import SourceRelation
from dx_pipeline.errors import DxError, SettingsError, SourceUnavailable, UnreadableSource
from dx_pipeline.extract.encoding import SAMPLE_BYTES, likely_encoding
from dx_pipeline.extract.folder import header_name
from dx_pipeline.extract.source_errors import redact
from dx_pipeline.onboarding.file_formats import dbf_fields, xml_record
from dx_pipeline.onboarding.json_layout import json_layout

_DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "sqlite": "sqlite",
}
KINDS = {"postgres": "postgres", "postgresql": "postgres", "mysql": "mysql", "mariadb": "mysql", "sqlite": "sqlite"}
_OWN_SCHEMAS = frozenset("information_schema mysql performance_schema sys".split())
_FILES = (".csv", ".xlsx", ".xls", ".dbf", ".xml", ".json", ".ndjson", ".jsonl", ".parquet")
_DELIMITERS = ",;\t|"
_HEADER_ROWS = 20  # of a sheet, in which its header is looked for
_LONGEST_LINE = csv.field_size_limit()  # of a text file, as far as its delimiter is looked for


class OnboardingError(DxError):
    """A source cannot be drafted as it is; says why and what a person has to decide."""


@dataclass(frozen=True)
class ForeignKey:
    """Columns of this relation that name rows of another one."""

    columns: tuple[str, ...]
    other: str


@dataclass(frozen=True)
class Relation:
    """One table or file and what is declared about it; ``comments`` by column name."""

    label: str
    source: SourceRelation
    primary_key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    comments: tuple[tuple[str, str], ...] = ()
    header: tuple[str, ...] = ()  # of a file; a database tells its columns itself


def scheme_of(url: str) -> str:
    """``postgresql``, ``sqlite``, ``file`` ... of a connection URL."""
    return url.split(":", 1)[0].split("+", 1)[0].lower()


def is_folder(url: str) -> bool:
    """True for a folder of files."""
    return scheme_of(url) == "file"


def default_system(url: str) -> str:
    """The name of the database, file or folder: what the system is called if nobody says otherwise."""
    if is_folder(url):
        return folder_of(url).name
    database = sa.make_url(url).database or "source"
    return Path(database).stem if scheme_of(url) == "sqlite" else database


def folder_of(url: str) -> Path:
    return Path(unquote(urlsplit(url).path))


def find_relations(url: str, names: Sequence[str], *, everything: bool) -> tuple[list[Relation], list[DxError]]:
    """The named tables or files, or all of them, in a fixed order; and why files are not among them that cannot be read.

    Args:
        names: ``table`` or ``schema.table``; in a folder a file, a pattern (``*.csv``), ``book.xlsx#Sheet``
            or ``answer.json#data.items``.

    Raises:
        SettingsError: the URL is of an unknown kind.
        SourceUnavailable: the source cannot be reached.
        OnboardingError: a name is not there; the message lists what is.
    """
    if is_folder(url):
        return _files(folder_of(url), names, everything=everything)
    driver = _DRIVERS.get(scheme_of(url))
    if driver is None:
        raise SettingsError(
            f"tables of a {scheme_of(url)[:20]} connection cannot be listed",
            next_step="use postgresql://, mysql://, mariadb://, sqlite:///path or file:///folder, or write the contract "
            "by hand (docs/onboard-a-source.md)",
        )
    given = sa.make_url(url)
    if driver == "sqlite":
        if not given.database or not Path(given.database).is_file():
            raise SourceUnavailable(
                "the SQLite file is not there", next_step="give sqlite:////absolute/path/file.sqlite"
            )
        given = sa.make_url(f"sqlite:///file:{Path(given.database).absolute()}?mode=ro&uri=true")
    engine = sa.create_engine(given.set(drivername=driver), poolclass=sa.NullPool)
    try:
        with engine.connect() as connection, warnings.catch_warnings():
            # Of types that it does not know, which the draft leaves out.
            warnings.simplefilter("ignore", sa.exc.SAWarning)
            inspector = sa.inspect(connection)
            held = _tables(inspector)
            if everything:
                parts = _partitions(inspector, connection)
                chosen = [entry for entry in held if entry not in parts]
            else:
                chosen = [_table(name, held) for name in dict.fromkeys(names)]
            return [_described(inspector, schema, table) for schema, table in chosen], []
    except sa.exc.SQLAlchemyError as error:
        reason = redact(str(getattr(error, "orig", None) or error), given.password)
        raise SourceUnavailable(
            f"the source cannot be looked at: {reason}",
            next_step="check the URL (user, password, database), and that the account may read the catalogue",
        ) from None
    finally:
        engine.dispose()


def _tables(inspector: Inspector) -> list[tuple[str | None, str]]:
    """Tables, then views, by schema; None for the schema of a database that has only one."""
    if not isinstance(inspector, PGInspector):
        return [(None, name) for name in (*sorted(inspector.get_table_names()), *sorted(inspector.get_view_names()))]
    schemas = [s for s in inspector.get_schema_names() if s not in _OWN_SCHEMAS and not s.startswith("pg_")]
    return [
        (schema, name)
        for schema in sorted(schemas)
        for names in (
            (*inspector.get_table_names(schema), *inspector.get_foreign_table_names(schema)),
            (*inspector.get_view_names(schema), *inspector.get_materialized_view_names(schema)),
        )
        for name in sorted(names)
    ]


def _partitions(inspector: Inspector, connection: Connection) -> set[tuple[str | None, str]]:
    """Tables that are parts of another one: their rows are drafted with it."""
    if not isinstance(inspector, PGInspector):
        return set()
    found = connection.exec_driver_sql(
        "select n.nspname, c.relname from pg_catalog.pg_class as c"
        " inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid where c.relispartition"
    )
    return {(row.nspname, row.relname) for row in found}


def _table(name: str, held: Sequence[tuple[str | None, str]]) -> tuple[str | None, str]:
    found = [entry for entry in held if name in (entry[1], f"{entry[0]}.{entry[1]}")]
    found = found or [e for e in held if name.lower() in (e[1].lower(), f"{e[0]}.{e[1]}".lower())]
    if len(found) == 1:
        return found[0]
    shown = ", ".join(table if schema is None else f"{schema}.{table}" for schema, table in (found or held)[:30])
    if found:
        raise OnboardingError(f"{name!r} is in several schemas", next_step=f"write one of: {shown}")
    raise OnboardingError(f"the source has no table {name!r}", next_step=f"it has: {shown or 'none'}")


def _described(inspector: Inspector, schema: str | None, table: str) -> Relation:
    keys = [
        ForeignKey(tuple(key["constrained_columns"]), key["referred_table"])
        for key in inspector.get_foreign_keys(table, schema)
        if key["referred_schema"] in (None, schema)
    ]
    unique = [tuple(found["column_names"]) for found in inspector.get_unique_constraints(table, schema)]
    with contextlib.suppress(NotImplementedError):
        unique += [
            tuple(str(name) for name in index["column_names"])
            for index in inspector.get_indexes(table, schema)
            if index["unique"] and not index.get("dialect_options", {}).get("postgresql_where")
            and not index.get("dialect_options", {}).get("sqlite_where") and None not in index["column_names"]
        ]  # fmt: skip
    comments = [(c["name"], c["comment"]) for c in inspector.get_columns(table, schema) if c.get("comment")]
    return Relation(
        label=f"{schema}.{table}" if schema else table,
        source=SourceRelation(kind="table", schema=schema, table=table),
        primary_key=tuple(inspector.get_pk_constraint(table, schema)["constrained_columns"]),
        unique=tuple(sorted(set(unique), key=lambda names: (len(names), names))),
        foreign_keys=tuple(sorted(keys, key=lambda key: (key.columns, key.other))),
        comments=tuple((name, " ".join(str(text).split())) for name, text in comments),
    )


# -- files ---------------------------------------------------------------------------------------------------------


def _files(folder: Path, names: Sequence[str], *, everything: bool) -> tuple[list[Relation], list[DxError]]:
    if not folder.is_dir():
        raise SourceUnavailable(f"the folder {folder} is not there", next_step="give file:///absolute/folder")
    held = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.iterdir()
        if path.is_file() and path.suffix.lower() in _FILES and not path.name.startswith((".", "~$"))
    )
    found: list[Relation] = []
    refused: list[DxError] = []
    wanted = (
        [(glob.escape(name), "") for name in held]
        if everything
        else [n.partition("#")[::2] for n in dict.fromkeys(names)]
    )
    for pattern, part in wanted:
        matches = sorted(path for path in folder.glob(pattern) if path.is_file())
        if not matches:
            raise OnboardingError(
                f"no file matches {pattern!r} in the folder", next_step=f"it has: {', '.join(held[:30]) or 'no file'}"
            )
        try:
            for sheet in _sheets(matches[0]) if everything else [part or None]:
                found.append(_file(matches[0], pattern, sheet))
        except UnreadableSource as error:
            refused.append(error)
    return found, refused


def _file(path: Path, pattern: str, part: str | None) -> Relation:
    """``part``: what stands behind ``#``, the sheet of a workbook or the path to the list of a JSON document."""
    ending = path.suffix.lower()
    if ending in (".xlsx", ".xls"):
        return _workbook(path, pattern, part)
    if ending in (".json", ".ndjson", ".jsonl"):
        return Relation(label=f"{pattern}#{part}" if part else pattern, source=json_layout(path, pattern, part))
    if ending == ".parquet":
        return Relation(label=pattern, source=SourceRelation(kind="parquet", path=pattern))
    if ending == ".dbf":
        source = SourceRelation(kind="dbf", path=pattern, encoding="cp1252")
        return Relation(label=pattern, source=source, header=dbf_fields(path))
    if ending == ".xml":
        return Relation(label=pattern, source=SourceRelation(kind="xml", path=pattern, record=xml_record(path)))
    return _delimited(path, pattern)


def _sheets(path: Path) -> list[str | None]:
    """The sheets of a workbook that hold something; None for its first one if that is all, and for any other file."""
    if path.suffix.lower() not in (".xlsx", ".xls"):
        return [None]
    with _open_workbook(path) as book:
        filled = [sheet for sheet in book.sheet_names if _header(book.get_sheet_by_name(sheet)) is not None]
    return [None] if len(filled) == 1 and filled[0] == book.sheet_names[0] else filled


def _delimited(path: Path, pattern: str) -> Relation:
    with path.open("rb") as stream:
        sample = stream.read(SAMPLE_BYTES)
    encoding = likely_encoding(sample) or "utf-8"
    text = sample.decode("utf-8-sig" if encoding == "utf-8" else encoding, errors="replace")
    lines = [line[:_LONGEST_LINE] for line in text.splitlines()[:_HEADER_ROWS] if line.strip()]
    if not lines:
        raise UnreadableSource(f"{path.name} is empty", next_step="get the file again from its owner")
    # The sign that cuts the most lines into the same number of fields, two or more.
    try:
        cuts = {sign: [len(record) for record in csv.reader(lines, delimiter=sign)] for sign in _DELIMITERS}
        delimiter = max(_DELIMITERS, key=lambda sign: (_agreement(cuts[sign]), -_DELIMITERS.index(sign)))
        header = next(csv.reader(lines, delimiter=delimiter))
    except csv.Error as error:
        raise UnreadableSource(
            f"{path.name}: its first lines cannot be cut into fields ({error})",
            next_step="look for a quotation mark that is not closed, and get the file again from its owner",
        ) from None
    source = SourceRelation(kind="csv", path=pattern, encoding=encoding, delimiter=delimiter)
    return Relation(label=pattern, source=source, header=_named(header))


def _agreement(widths: list[int]) -> int:
    return widths[0] * sum(width == widths[0] for width in widths) if widths and widths[0] > 1 else 0


def _workbook(path: Path, pattern: str, sheet: str | None) -> Relation:
    with _open_workbook(path) as book:
        if sheet is not None and sheet not in book.sheet_names:
            raise OnboardingError(
                f"{path.name} has no sheet {sheet!r}", next_step=f"it has: {', '.join(book.sheet_names)}"
            )
        found = _header(book.get_sheet_by_name(sheet or book.sheet_names[0]))
    if found is None:
        raise UnreadableSource(f"{path.name}: the sheet is blank", next_step="name another one: book.xlsx#Sheet")
    row, header = found
    label = f"{pattern}#{sheet}" if sheet else pattern
    source = SourceRelation(kind="xlsx", path=pattern, sheet=sheet, header_row=row)
    return Relation(label=label, source=source, header=_named(header))


@contextlib.contextmanager
def _open_workbook(path: Path) -> Iterator[Any]:
    import python_calamine as calamine

    try:
        yield calamine.CalamineWorkbook.from_path(str(path))
    except (calamine.CalamineError, calamine.PasswordError, ValueError, OSError) as error:
        raise UnreadableSource(
            f"{path.name} is not a readable Excel file: {' '.join(str(error).split())[:200]}",
            next_step="open it in Excel to see whether it is damaged or locked, and get it again from its owner",
        ) from None


def _header(sheet: Any) -> tuple[int, list[str]] | None:
    """Row number (from 1) and cells of the header: the first of the top rows with the most filled text cells."""
    top = list(itertools.islice(sheet.iter_rows(), _HEADER_ROWS))
    filled = [sum(isinstance(cell, str) and bool(cell.strip()) for cell in row) for row in top]
    if not filled or not max(filled):
        return None
    row = filled.index(max(filled))
    cells = [str(cell) for cell in top[row]]
    while cells and not cells[-1].strip():
        cells.pop()
    return row + 1, cells


def _named(header: Sequence[str]) -> tuple[str, ...]:
    """Cells as the readers name the columns; blank ones are called by their position."""
    return tuple(header_name(cell) or f"column_{number}" for number, cell in enumerate(header, start=1))
