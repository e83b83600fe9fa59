"""Hostile names and texts, wherever they come from, stay names and texts: contracts, source tables, files, arguments."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from dx_pipeline.contract.loader import load_contract
from dx_pipeline.errors import ContractError, DxError
from dx_pipeline.extract.folder import find_files
from dx_pipeline.landing.store import LandingStore
from dx_pipeline.warehouse.embedded import EmbeddedServer
from tests.conftest import Installation
from tests.faults.small_project import GOOD_ROWS, SmallProject

SCHEMA = """mot'cua"; drop schema core cascade; --"""
TABLE = """hồ sơ"; drop table "ops"."batch"; --"""
COLUMNS = {
    "Ma": """Ma" from x; drop schema ops cascade; --""",
    "Ten": "Ten', (select 1)) --",
    "SoTien": "%(name)s :bind $1 {0}",
}
TEXTS = [
    "'; drop schema core cascade; --",
    '"); delete from ops.batch; --',
    "$$;select 1;$$ %s :x",
    "\\'; --",
    "{{ 7*7 }} ${HOME}",
]
FILE_NAMES = [
    "-rf.csv", "a'; drop schema core cascade; --.csv", 'a" or "1"="1.csv', "dòng\nmới.csv", "$(touch pwned).csv",
    "`touch pwned`.csv",
    "[a-z]?.csv", "%s %n {0} :x.csv", "[red]đỏ[bold].csv", "\u202egnp.csv", " .csv",
]  # fmt: skip


class Hostile:
    """A warehouse fed by a table and by files with hostile names, after one run."""

    def __init__(self, installation: Installation, server: EmbeddedServer, root: Path) -> None:
        self.installation = installation
        name = f"w_{uuid4().hex[:12]}"
        server.create_database(name)
        self.url = server.start().url(name, "postgresql")
        source = f"s_{uuid4().hex[:12]}"
        server.create_database(source)
        self._fill_source(server.start().url(source, "postgresql"))
        self.project = SmallProject(root)
        self._table_contract()
        self.project.add_file("files", "register", '{kind: csv, path: "*.csv", encoding: utf-8}')
        for number, file_name in enumerate(FILE_NAMES):
            path = self.project.files / file_name
            path.write_text(f"Ma,Ten,SoTien\nF{number},Một,{number}\n", encoding="utf-8")
        installation.environment |= {
            "DX_WAREHOUSE_URL": self.url,
            "DX_CONNECTION_HOSTILE": server.start().url(source, "postgresql"),
            "DX_CONNECTION_FILES": self.project.files.as_uri(),
            "DX_EXTRA_PROJECTS": str(root),
        }
        self.done = installation.dx("run", "hostile", "files", check=False)

    def _fill_source(self, url: str) -> None:
        with psycopg.connect(url) as connection:
            connection.execute(sql.SQL("create schema {}").format(sql.Identifier(SCHEMA)))
            table = sql.Identifier(SCHEMA, TABLE)
            names = [sql.Identifier(name) for name in COLUMNS.values()]
            connection.execute(sql.SQL("create table {} ({} text, {} text, {} integer)").format(table, *names))
            for number, text in enumerate(TEXTS):
                connection.execute(
                    sql.SQL("insert into {} values (%s, %s, %s)").format(table), [f"H{number}", text, number]
                )

    def _table_contract(self) -> None:
        place = json.dumps({"kind": "table", "schema": SCHEMA, "table": TABLE}, ensure_ascii=False)
        self.project.add_file("hostile", "register_of_names", place)
        contract = self.project.contract("hostile", "register_of_names")
        for plain, name in COLUMNS.items():
            self.project.replace(contract, f"physicalName: {plain}\n", f"physicalName: {json.dumps(name)}\n")

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement).fetchall()


@pytest.fixture(scope="module")
def hostile(
    make_installation: Callable[[], Installation],
    source_server: EmbeddedServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Hostile:
    return Hostile(make_installation(), source_server, tmp_path_factory.mktemp("hostile") / "project")


def test_a_table_with_hostile_names_and_texts_is_read_as_it_is(hostile: Hostile) -> None:
    assert hostile.done.returncode == 0, hostile.done.stdout + hostile.done.stderr
    found = hostile.ask("select code, title, amount from small.register_of_names order by code")
    assert found == [(f"H{number}", text, number) for number, text in enumerate(TEXTS)]


def test_files_with_hostile_names_are_read_and_nothing_is_run(hostile: Hostile) -> None:
    found = hostile.ask("select code, amount from small.register order by amount")
    assert found == [(f"F{number}", number) for number in range(len(FILE_NAMES))]
    assert not list(Path.cwd().glob("pwned")) + list(hostile.project.files.glob("pwned"))
    (manifest,) = (hostile.installation.home / "landing" / "files" / "register").glob("*/manifest.json")
    names = {file["name"] for file in json.loads(manifest.read_text(encoding="utf-8"))["facts"]["position"]["files"]}
    assert names == set(FILE_NAMES)


def test_every_schema_survived(hostile: Hostile) -> None:
    present = {name for (name,) in hostile.ask("select nspname from pg_namespace")}
    assert {"core", "mart", "ops", "stage", "restricted", "small"} <= present
    assert hostile.ask("select count(*) from ops.batch where status = 'published'") == [(2,)]


# One process for all of them: it is the commands that are tried, not the start of Python.
_RUN_ALL = """
import json, sys
from typer.testing import CliRunner
from dx_pipeline.cli.main import app
for arguments in json.load(sys.stdin):
    done = CliRunner().invoke(app, arguments)
    crash = done.exception if not isinstance(done.exception, SystemExit) else None
    print("\\x1e" + json.dumps([done.exit_code, done.output, repr(crash) if crash else None]))
"""
BREAK_OUT = "select set_config('role', 'none', true), * from ts_stat('select to_tsvector(raw_record::text) from ops.quarantine')"
ARGUMENTS: list[tuple[list[str], int]] = [
    (["run", "x'; drop schema core cascade; --"], 1),
    (["run", "../../etc"], 1),
    (["run", "[bold red]one_stop[/]"], 1),
    (["run", "--partition", "2024-03'; --"], 1),
    (["run", "--project", "/etc", "x"], 1),
    (["replay", "--", "-1"], 1),
    (["replay", "1; drop"], 2),
    (["replay", "99999999999999999999"], 1),
    (["batches", "-d", "x' or '1'='1"], 0),
    (["batches", "-s", "held' or true --"], 1),
    (["batches", "show", "9223372036854775807"], 1),
    (["quarantine", "list", "-r", "x' or '1'='1", "-a", '"; --'], 0),
    (["quarantine", "show", "1", "--purpose", "'); delete from ops.read_audit; --"], 1),
    (["quarantine", "list", "-n", "-1"], 2),
    (["audit", "--who", "x' or '1'='1"], 0),
    (["audit", "--table", "ops.batch; drop table ops.batch"], 0),
    (["sql", "--role", 'dx_bi"; reset role; --', "select 1"], 1),
    (["sql", "--role", "dx_admin", "select 1"], 1),
    (["sql", BREAK_OUT], 1),
    (["sql", "select set_config('session_authorization', 'postgres', true)"], 1),
    (["sql", "select 1; reset role; select * from restricted.dossier_applicant"], 1),
    (["sql", "copy ops.batch to '/tmp/x'"], 1),
    (["sql", "select pg_read_file('/etc/passwd')"], 1),
    (["restore", "/etc"], 1),
    (["restore", "/proc/self"], 1),
    (["backup", "/proc/x/y"], 1),
    (["keys", "forget", "--", "-1"], 1),
]  # fmt: skip


@pytest.fixture(scope="module")
def answers(hostile: Hostile) -> list[tuple[int, str, str | None]]:
    done = subprocess.run(
        [sys.executable, "-c", _RUN_ALL],
        input=json.dumps([arguments for arguments, _ in ARGUMENTS]),
        env=hostile.installation.environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return [json.loads(part.splitlines()[0]) for part in done.stdout.split("\x1e")[1:]]


@pytest.mark.parametrize("number", range(len(ARGUMENTS)), ids=[" ".join(words)[:60] for words, _ in ARGUMENTS])
def test_arguments_are_values(hostile: Hostile, answers: list[tuple[int, str, str | None]], number: int) -> None:
    code, output, crash = answers[number]
    assert (code, crash) == (ARGUMENTS[number][1], None), output
    assert "raw_record" not in output
    assert hostile.ask("select count(*) from small.register") == [(len(FILE_NAMES),)]


# -- contracts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ['x"; drop table y; --', "x;", "X", "x y", "-x", "x\n", "../x", "x'", "ưu_tiên", "x" * 64, "pg_x\0"]
)
@pytest.mark.parametrize("where", ["system", "dataset", "column"])
def test_names_in_contracts_are_plain_words(tmp_path: Path, where: str, name: str) -> None:
    project = SmallProject(tmp_path / "p")
    project.add_csv("files", "register", GOOD_ROWS)
    path = project.contract("files", "register")
    text = path.read_text(encoding="utf-8")
    written = json.dumps(name)
    old, new = {
        "system": ("{property: system, value: files}", f"{{property: system, value: {written}}}"),
        "dataset": ("schema:\n  - name: register\n", f"schema:\n  - name: {written}\n"),
        "column": ("- name: title\n", f"- name: {written}\n"),
    }[where]
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    if (where, name) == ("column", "x\n"):  # blanks around a text are no part of it
        assert load_contract(path, project.root).columns[1].name == "x"
        return
    with pytest.raises(ContractError):
        load_contract(path, project.root)


@pytest.mark.parametrize(
    "tag", ["!!python/object/apply:os.system ['touch pwned']", "!!python/name:os.system", "&a [*a]"]
)
def test_a_contract_in_yaml_makes_no_object(tmp_path: Path, tag: str) -> None:
    project = SmallProject(tmp_path / "p")
    project.add_csv("files", "register", GOOD_ROWS)
    path = project.contract("files", "register")
    project.replace(path, "status: active", f"status: {tag}")
    with pytest.raises(DxError):
        load_contract(path, project.root)
    assert not Path("pwned").exists()


@pytest.mark.parametrize(
    "path",
    [
        "../secret.csv",
        "/etc/passwd",
        "a/../../secret.csv",
        "..",
        "*/../../secret.csv",
        "..\\secret.csv",
        "sub/../../*.csv",
    ],
)
def test_the_path_of_a_contract_stays_in_its_folder(tmp_path: Path, path: str) -> None:
    (tmp_path / "secret.csv").write_text(GOOD_ROWS, encoding="utf-8")
    project = SmallProject(tmp_path / "p")
    (project.files / "a").mkdir()
    project.add_file("files", "register", json.dumps({"kind": "csv", "path": path}))
    contract = load_contract(project.contract("files", "register"), project.root)
    with pytest.raises(DxError, match="leaves the folder"):
        find_files(contract, project.files.as_uri())


@pytest.mark.parametrize("kind", ["file", "folder", "chain", "pipe", "device", "dangling"])
def test_links_and_devices_in_a_drop_folder_lead_nowhere(tmp_path: Path, kind: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.csv").write_text(GOOD_ROWS, encoding="utf-8")
    project = SmallProject(tmp_path / "p")
    project.add_file("files", "register", '{kind: csv, path: "**/*.csv"}')
    (project.files / "good.csv").write_text(GOOD_ROWS, encoding="utf-8")
    link = project.files / "link.csv"
    if kind == "file":
        link.symlink_to(outside / "secret.csv")
    elif kind == "folder":
        (project.files / "sub").symlink_to(outside)
        project.replace(project.contract("files", "register"), "**/*.csv", "*/*.csv")
    elif kind == "chain":
        (project.files / "first").symlink_to(outside)
        link.symlink_to(project.files / "first" / "secret.csv")
    elif kind == "pipe":
        os.mkfifo(link)
    elif kind == "device":
        link.symlink_to("/dev/zero")
    else:
        link.symlink_to(outside / "nothing.csv")
    contract = load_contract(project.contract("files", "register"), project.root)
    if kind in ("file", "folder", "chain"):
        with pytest.raises(DxError, match="leads out of the source folder"):
            find_files(contract, project.files.as_uri())
    else:
        assert [file.name for file in find_files(contract, project.files.as_uri())] == ["good.csv"]


@pytest.mark.parametrize("name", ["..", "a/b", "a\n", "A", "a;b", "", "-a", "a" * 64])
def test_names_of_landed_batches_are_plain_words(tmp_path: Path, name: str) -> None:
    for names in ((name, "x"), ("x", name)):
        with pytest.raises(DxError, match="not a name for a landed batch"):
            LandingStore(tmp_path).batch_dir(*names, 1)


def test_the_exported_csv_of_hostile_rows_runs_nothing_in_a_spreadsheet(hostile: Hostile, tmp_path: Path) -> None:
    hostile.project.write_csv("formula", "Ma,Ten,SoTien\nF99,\"=cmd|' /C calc'!A0\",không\n")
    hostile.installation.dx("run", "files", check=False)
    target = tmp_path / "-x; touch pwned.csv"
    hostile.installation.dx("quarantine", "export", str(target), "-d", "files.register")
    text = target.read_text(encoding="utf-8-sig")
    assert "'=cmd|" in text
    assert ",=cmd" not in text
    assert (
        subprocess.run(["stat", "-c", "%a", str(target)], capture_output=True, text=True, check=True).stdout == "600\n"
    )
