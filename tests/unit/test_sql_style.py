"""The SQL files keep the house style and use only what runs unchanged on plain PostgreSQL 16-18 and on Citus."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from dx_pipeline.settings import PROJECT_ROOT
from dx_pipeline.warehouse.load_file import parse_load_file
from dx_pipeline.warehouse.marts import load_marts

SQL = PROJECT_ROOT / "warehouse_sql"
FILES = sorted(SQL.glob("**/*.sql"))
MIGRATIONS = sorted((SQL / "migrations").glob("*.sql"))
LOADS = sorted((SQL / "load").glob("*/*.sql"))
MARTS = sorted((SQL / "marts").glob("*.sql"))

KEYWORDS = (
    "select|from|where|insert|into|update|delete|create|table|join|left|inner|on|group|order|by|case|when|then|else|end"
    "|and|or|not|null|values|returning|with|as|distinct|union|grant|comment|conflict|set|primary|key|references|check"
)
FORBIDDEN = {
    "merge statement": r"\bmerge\s+into\b",
    "trigger": r"\bcreate\s+(or\s+replace\s+)?(constraint\s+)?trigger\b",
    "infinity": r"'-?infinity'",
    "serial column": r"\b(big|small)?serial\b",
    "extension": r"\bcreate\s+extension\b",
    "inheritance": r"\binherits\b",
    "truncate": r"\btruncate\b",
    "concurrent detach": r"\bdetach\s+partition\s+\S+\s+concurrently\b",
    "estimated row count": r"\breltuples\b",
    "session time zone": r"\bset\s+(local\s+|session\s+)?time\s*zone\b|\bset\s+(local\s+)?timezone\b",
    "grant on all tables": r"\bon\s+all\s+tables\s+in\s+schema\b",
    "select everything into a table": r"insert\s+into\s+\S+\s+select\s+\*",
}


def code_of(path: Path) -> str:
    """The file without comments and without the text inside quotes."""
    text = re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8"))
    return re.sub(r"'(?:[^']|'')*'", "''", text)


def named(paths: list[Path]) -> object:
    return pytest.mark.parametrize("path", paths, ids=lambda path: str(path.relative_to(SQL)))


def test_there_are_files_of_every_kind() -> None:
    assert len(MIGRATIONS) >= 14
    assert len(LOADS) >= 11
    assert {path.stem for path in MARTS} >= {"dossier_on_time", "service_level_on_date"}


@named(FILES)
def test_the_first_line_tells_what_the_file_is(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert re.match(r"^-- [A-ZĐ]\S* \S+", first), first


@named(FILES)
def test_files_are_short_and_lines_too(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 450
    plain = [line for line in lines if not line.startswith(("comment on ", "-- dx:"))]
    assert [line for line in plain if len(line) > 120] == []
    assert [line for line in lines if line != line.rstrip() or "\t" in line] == []


@named(FILES)
def test_keywords_are_lower_case(path: Path) -> None:
    assert re.findall(rf"\b(?:{KEYWORDS.upper()})\b", code_of(path)) == []


@named(FILES)
@pytest.mark.parametrize("what", FORBIDDEN)
def test_nothing_that_breaks_elsewhere(path: Path, what: str) -> None:
    searched = re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8")) if what == "infinity" else code_of(path)
    assert re.findall(FORBIDDEN[what], searched, re.IGNORECASE) == []


@named(FILES)
def test_local_days_are_cut_with_an_explicit_zone(path: Path) -> None:
    """A cast of an instant to a date follows the session's time zone; it must name the zone."""
    text = re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8"))
    assert re.findall(r"\b\w+_at::date\b", text) == []
    assert set(re.findall(r"at time zone\s+('[^']*'|\w+)", text)) <= {"'Asia/Ho_Chi_Minh'"}


@named(FILES)
def test_no_volatile_function_in_an_upsert(path: Path) -> None:
    for assignments in re.findall(r"do\s+update\s+set(.*?)(?:;|\bwhere\b|\breturning\b)", code_of(path), re.DOTALL):
        assert re.findall(r"\b(now|clock_timestamp|random|gen_random_uuid|nextval)\s*\(", assignments) == []


@named(MIGRATIONS)
def test_facts_have_no_identity_and_one_constraint_per_alter(path: Path) -> None:
    code = code_of(path)
    for table, body in re.findall(r"create table if not exists (\S+) \((.*?)\n\)", code, re.DOTALL):
        if "fact" in table:
            assert "identity" not in body
        if "fact_dossier" in table:
            assert "dossier_code" in re.findall(r"primary key \(([^)]*)\)", body)[0]
    for statement in re.findall(r"alter table [^;]*;", code):
        assert statement.count("add constraint") <= 1


@named(MIGRATIONS)
def test_security_definer_functions_pin_their_search_path_and_are_not_public(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for name, declaration in re.findall(r"create or replace function (\S+?)\((.*?)\bas \$\$", text, re.DOTALL):
        if "security definer" in declaration:
            assert "set search_path = pg_catalog, pg_temp" in declaration, name
            assert f"revoke all on function {name}(" in text, name


@named(MIGRATIONS)
def test_comments_are_vietnamese_first_then_english(path: Path) -> None:
    for comment in re.findall(r"^comment on .* is '(.*)';$", path.read_text(encoding="utf-8"), re.MULTILINE):
        parts = comment.split(" | ")
        assert len(parts) == 2, comment
        assert all(part.strip() for part in parts), comment


@named(MIGRATIONS)
def test_every_table_made_is_granted_by_name(path: Path) -> None:
    code = code_of(path)
    for table in re.findall(r"create table if not exists (\S+)", code):
        assert re.search(rf"^grant [^;]* on {re.escape(table)} to ", code, re.MULTILINE | re.DOTALL), table


@named(LOADS)
def test_load_files_parse_and_read_their_own_stage_table(path: Path) -> None:
    load = parse_load_file(path)
    assert load.ledger_step.merge != "sql"
    assert any(re.search(rf"stage\.{path.parent.name}__{path.stem}\b", step.sql) for step in load.steps)


def test_marts_depend_on_datasets_that_exist() -> None:
    loads = {f"{path.parent.name}.{path.stem}" for path in LOADS}
    for mart in load_marts([PROJECT_ROOT]):
        assert mart.grain.startswith("Grain: one row per")
        assert set(mart.depends_on) <= loads


def test_reference_units_name_known_levels_and_days() -> None:
    with (SQL / "reference" / "admin_units.csv").open(encoding="utf-8", newline="") as file:
        units = list(csv.DictReader(file))
    assert len(units) == 423
    assert {unit["level"] for unit in units} == {"province", "district", "commune"}
    days = {unit[name] for unit in units for name in ("valid_from", "valid_to")}
    assert all(re.fullmatch(r"(\d{4}-\d{2}-\d{2})?", day) for day in days)
