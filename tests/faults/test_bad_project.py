"""Bad files and broken rules of one department: one clear message each, and everybody else's data goes on."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dx_pipeline.warehouse.embedded import EmbeddedServer
from tests.conftest import Installation
from tests.faults.conftest import LoadedProvince, NewWarehouse
from tests.faults.messages import messages_of, the_message
from tests.faults.runs import leftovers
from tests.faults.small_project import GOOD_ROWS, HEADER, SmallProject
from tests.star import SCHEMAS

pytestmark = pytest.mark.timeout(600)

WRONG_PASSWORD = "geheim-1982"
HOSTILE = {
    "quotes": "O'Brien \"ngoặc\" ''kép''",
    "injection": "'; drop table small.hostile; --",
    "dollar": "$$;drop schema core cascade;$$ :name %(name)s {0} %s",
    "emoji": "Hồ sơ 📄👩‍⚕️ xong",
    "right_to_left": "שלום \u202eמעוות\u202c مرحبا",
    "backslashes": r"C:\new\table\x00\u0000 \N \.",
    "escaped_nul": r"mất\x00dấu \u0000",
    "megabyte": "ký tự dài " * 100_000 + "hết",
}
SYSTEMS = (
    "fine",
    "files",
    "hostile",
    "down",
    "refused",
    "typo",
    "nonsense",
    "rules",
    "wrongsql",
    "wrongddl",
    "noload",
    "capped",
)


class Department:
    """A project folder in which nearly everything is broken, run once."""

    def __init__(self, installation: NewWarehouse, loaded: LoadedProvince, root: Path) -> None:
        self.installation = installation
        self.project = SmallProject(root)
        self._write()
        for system in SYSTEMS:
            installation.environment[f"DX_CONNECTION_{system.upper()}"] = self.project.files.as_uri()
        installation.environment["DX_CONNECTION_DOWN"] = f"postgresql://reader:{WRONG_PASSWORD}@127.0.0.1:1/mot_cua"
        installation.environment["DX_CONNECTION_REFUSED"] = loaded.province.reader_url(
            "mot_cua", password=WRONG_PASSWORD
        )
        installation.environment["DX_EXTRA_PROJECTS"] = str(root)
        self.done = self.run(*(system for system in SYSTEMS))

    def run(self, *systems: str) -> subprocess.CompletedProcess[str]:
        return self.installation.dx("run", "--project", str(self.project.root), *systems, check=False)

    def published(self, dataset: str) -> list[tuple[str, str, int]]:
        """Code, name and amount of the published rows; none if the table does not exist."""
        if self.ask("select to_regclass(%s)", f"small.{dataset}") == [(None,)]:
            return []
        return self.ask(f"select code, title, amount from small.{dataset} order by code")

    def codes(self, dataset: str) -> list[str]:
        return [code for code, _, _ in self.published(dataset)]

    def last_batch(self, dataset: str) -> tuple[int, str]:
        """Number and status of the newest batch."""
        (found,) = self.ask(
            "select batch_id, status from ops.batch where dataset = %s order by batch_id desc limit 1", dataset
        )
        return found

    def quarantined(self, dataset: str) -> list[tuple[str, str]]:
        """Key and raw amount of the rows that wait to be mended."""
        return self.ask(
            "select row_key, raw_record ->> 'SoTien' from ops.quarantine where dataset = %s and status = 'open'"
            " order by row_key",
            dataset,
        )

    def ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.installation.url) as connection:
            return connection.execute(statement, values or None).fetchall()

    def _write(self) -> None:
        project = self.project
        project.add_csv("fine", "fine", GOOD_ROWS)
        project.add_csv(
            "files", "cp1258", HEADER.encode() + "A1,Đươ\u0300ng Trâ\u0300n Phu\u0301,100\n".encode("cp1258")
        )
        project.add_csv("files", "nul", HEADER + "A1,M\x00ột,100\nA2,Hai,2\x000\nA3,Ba,300\nA4,,1\nA5,,1\nA6,,1\n")
        project.add_csv("files", "ragged", HEADER + "A1,Một,100\nA2,Hai\nA3,Ba,300\n")
        project.add_csv("files", "blank", "")
        project.add_csv("files", "header_only", HEADER)
        project.add_csv("files", "web_page", "<!DOCTYPE html><html><body>Đăng nhập</body></html>")
        project.add_csv("hostile", "hostile", hostile_rows(), cap=0.9)
        project.add_table("down", "down", "linh_vuc")
        project.add_table("refused", "refused", "linh_vuc")
        project.add_csv("typo", "typo", GOOD_ROWS)
        project.replace(project.contract("typo", "typo"), "required: true", "required: perhaps")
        project.add_csv("nonsense", "nonsense", GOOD_ROWS)
        project.contract("nonsense", "nonsense").write_text("id: [nonsense", encoding="utf-8")
        project.add_csv("rules", "rules", GOOD_ROWS)
        project.replace(project.suite("rules", "rules"), "values_to_be_unique", "values_to_be_nice")
        project.add_csv("wrongsql", "wrongsql", GOOD_ROWS)
        project.replace(project.load("wrongsql", "wrongsql"), "s.title,", "s.titel as title,")
        project.add_csv("wrongddl", "wrongddl", GOOD_ROWS)
        project.replace(project.load("wrongddl", "wrongddl"), "title text,", "title txet,")
        project.add_csv("noload", "noload", GOOD_ROWS)
        project.load("noload", "noload").rename(project.root / "noload.sql")
        project.add_csv("capped", "capped", GOOD_ROWS)


def hostile_rows() -> str:
    """Each hostile text once in a good row and once in a row whose amount cannot be read."""
    lines = []
    for name, text in HOSTILE.items():
        quoted = text.replace('"', '""')
        lines += [f'{name},"{quoted}",1', f'{name}_bad,"{quoted}","{quoted}"']
    return HEADER + "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def department(
    make_installation: Callable[[], Installation],
    loaded: LoadedProvince,
    source_server: EmbeddedServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Department:
    warehouse = NewWarehouse(make_installation(), loaded, source_server)
    return Department(warehouse, loaded, tmp_path_factory.mktemp("department") / "project")


def test_the_run_fails_and_the_good_dataset_is_published(department: Department) -> None:
    assert department.done.returncode == 1
    assert department.published("fine") == [("A1", "Một", 100), ("A2", "Hai", 200), ("A3", "Ba", 300)]
    assert department.last_batch("fine")[1] == "published"


def test_no_message_is_told_twice_and_none_shows_a_password(department: Department) -> None:
    told = [message.what for message in messages_of(department.done)]
    assert len(told) == len(set(told)) == 13, "\n".join(told)
    assert WRONG_PASSWORD not in department.done.stdout + department.done.stderr


@pytest.mark.parametrize(
    ("dataset", "what", "next_step"),
    [
        ("files.cp1258", "line 2, byte 17", "source.encoding: cp1258"),
        ("files.ragged", "ragged.csv line 3: expected 3 columns, got 2", "mend the line"),
        ("files.blank", "blank.csv is empty, not a CSV file", "get the file again from the owner H50.99"),
        ("files.header_only", "holds no row at all; the contract promises at least 1", "minSourceRows"),
        ("files.web_page", "web_page.csv is a web page", "get the file again from the owner H50.99"),
        ("down.down", "the source of system down cannot be reached", "check that the server runs"),
        ("refused.refused", 'password authentication failed for user "mot_cua_doc"', "user, password, database"),
        ("rules.rules", "rule 2 (code_conflict): unknown expectation type 'expect_column_values_to_be_nice'", "mend"),
        ("wrongsql.wrongsql", "step at line 23: column s.titel does not exist", "dx replay"),
        ("wrongddl.wrongddl", 'type "txet" does not exist', "mend the file"),
        ("noload.noload", "noload.sql: cannot be read", "docs/onboard-a-source.md"),
    ],
)
def test_one_clear_message_and_nothing_published(
    department: Department, dataset: str, what: str, next_step: str
) -> None:
    message = the_message(department.done, dataset)
    name = dataset.partition(".")[2]
    assert name in message.what
    assert what in message.what
    assert next_step in message.next_step
    assert department.published(name) == []
    assert department.last_batch(name)[1] in ("held", "failed")


@pytest.mark.parametrize(
    ("name", "place"), [("typo", "schema.0.properties.0.required"), ("nonsense", "line 2, column")]
)
def test_broken_contract_names_file_path_and_reason(department: Department, name: str, place: str) -> None:
    (message,) = [found for found in messages_of(department.done) if f"{name}.odcs.yaml" in found.what]
    assert place in message.what
    assert "dx contract check" in message.next_step


def test_nul_bytes_are_replaced_not_lost(department: Department) -> None:
    assert department.published("nul")[:2] == [("A1", "M\ufffdột", 100), ("A3", "Ba", 300)]
    ((key, amount),) = department.quarantined("nul")
    assert (key, amount) == ("A2", "2␀0")


def test_hostile_texts_reach_the_star_unharmed(department: Department) -> None:
    found = {code: title for code, title, _ in department.published("hostile")}
    assert found == HOSTILE


def test_hostile_texts_reach_the_quarantine_unharmed(department: Department) -> None:
    found = dict(department.quarantined("hostile"))
    assert found == {f"{name}_bad": text for name, text in HOSTILE.items()}


def test_other_schemas_survived_the_hostile_texts(department: Department) -> None:
    present = department.ask("select nspname from pg_namespace")
    assert {*SCHEMAS, "ops", "stage", "small"} <= {name for (name,) in present}


# -- after mending -----------------------------------------------------------------------------------


def test_landed_batch_is_published_by_replay_once_the_load_sql_is_mended(department: Department) -> None:
    batch, _ = department.last_batch("wrongsql")
    department.project.write_csv("wrongsql", "the source is not read again")
    department.project.replace(department.project.load("wrongsql", "wrongsql"), "s.titel as title,", "s.title,")
    department.installation.dx("replay", str(batch))
    assert department.codes("wrongsql") == ["A1", "A2", "A3"]


def test_landed_batch_is_published_by_replay_once_the_tables_are_mended(department: Department) -> None:
    batch, _ = department.last_batch("wrongddl")
    department.project.replace(department.project.load("wrongddl", "wrongddl"), "title txet,", "title text,")
    department.installation.dx("replay", str(batch))
    assert department.codes("wrongddl") == ["A1", "A2", "A3"]


def test_batch_above_the_cap_is_held_until_the_cap_is_raised(department: Department) -> None:
    before = department.published("capped")
    assert department.codes("capped") == ["A1", "A2", "A3"]
    department.project.write_csv("capped", HEADER + "A1,Mới,101\nA2,Hai,hai trăm\nA4,Bốn,bốn trăm\n")
    done = department.run("capped")
    batch, status = department.last_batch("capped")
    message = the_message(done, "capped.capped")
    assert done.returncode == 1
    assert "2 of 3 rows rejected (66.7%), above the cap of 20.0%" in message.what
    assert f"dx replay {batch}" in message.next_step
    assert status == "held"
    assert department.published("capped") == before
    assert department.quarantined("capped") == []
    contract = department.project.contract("capped", "capped")
    department.project.replace(contract, "rejectedShareCap, value: 0.2", "rejectedShareCap, value: 0.7")
    department.installation.dx("replay", str(batch))
    assert department.published("capped")[0] == ("A1", "Mới", 101)
    assert [key for key, _ in department.quarantined("capped")] == ["A2", "A4"]


def test_mended_project_leaves_nothing_behind(department: Department) -> None:
    """Every broken file is mended; one run brings everything and clears what the broken ones left."""
    project = department.project
    for system, dataset in [("files", name) for name in ("cp1258", "ragged", "blank", "header_only", "web_page")]:
        project.add_csv(system, dataset, GOOD_ROWS)
    project.write_csv("wrongsql", GOOD_ROWS)
    project.replace(project.suite("rules", "rules"), "values_to_be_nice", "values_to_be_unique")
    project.replace(project.contract("typo", "typo"), "required: perhaps", "required: true")
    project.contract("nonsense", "nonsense").unlink()
    (project.root / "noload.sql").rename(project.load("noload", "noload"))
    for system in ("down", "refused"):
        project.contract(system, system).unlink()
    done = department.run("fine", "files", "hostile", "typo", "rules", "wrongsql", "wrongddl", "noload", "capped")
    assert done.returncode == 0, done.stderr
    for dataset in ("cp1258", "ragged", "blank", "header_only", "web_page", "typo", "rules", "wrongddl", "noload"):
        assert department.codes(dataset) == ["A1", "A2", "A3"]
    found = leftovers(department.installation, department.installation.url)
    gone = [mark for mark in found.pop("unfinished batches") if not mark.startswith(("down.", "refused."))]
    assert gone == []
    assert {what: marks for what, marks in found.items() if marks} == {}
