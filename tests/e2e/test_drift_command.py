"""``dx drift`` against real sources: PostgreSQL, SQLite, CSV and Excel; what it shows, and what accepting writes."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import psycopg
import pytest

from dx_pipeline.contract.loader import load_contract
from dx_pipeline.errors import SourceDrift
from dx_pipeline.warehouse.embedded import EmbeddedServer
from tests.faults.small_project import HEADER, SmallProject
from tests.in_process import InProcess, in_process

pytestmark = pytest.mark.timeout(600)

ROWS = [(f"A{number}", f"Tên {number}", number * 10) for number in range(1, 13)]
CODES = """\
          - {property: semanticType, value: code_list}
          - property: options
            value:
              codes:
                cao: [Cao]  # as the owner writes it
                thap: [Thấp]
"""
CODE_RULE = """\
  - type: expect_column_values_to_be_null
    kwargs: {column: title__unreadable}
    meta: {code: title_unknown, vi: "Mức không có trong danh mục", en: "the level is not in the list"}
"""


class Sources:
    """Five registers at five kinds of source, each loaded once."""

    def __init__(self, project: SmallProject, installation: InProcess, source: str, sqlite_file: Path) -> None:
        self.project = project
        self.installation = installation
        self.source = source
        self.sqlite_file = sqlite_file

    def change(self, *statements: str) -> None:
        with psycopg.connect(self.source) as connection:
            for statement in statements:
                connection.execute(statement)

    def contract(self, system: str, dataset: str):  # type: ignore[no-untyped-def]
        return load_contract(self.project.contract(system, dataset), self.project.root)

    def line(self, output: str, column: str) -> str:
        """The table row of a column, in one line."""
        lines = output.splitlines()
        start = next(at for at, line in enumerate(lines) if line.startswith(column))
        return lines[start]

    def workbook(self, *header: str) -> None:
        book = openpyxl.Workbook()
        book.active.append(header)
        for code, title, amount in ROWS:
            book.active.append([code, title, amount, *("x" for _ in header[3:])])
        book.save(self.project.files / "book.xlsx")


@pytest.fixture(scope="module")
def sources(source_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sources]:
    root = tmp_path_factory.mktemp("drift")
    project = SmallProject(root)
    project.add_table("dpg", "renamed", "renamed")
    project.add_table("dpg", "typed", "typed")
    for dataset in ("renamed", "typed"):
        contract = project.contract("dpg", dataset)
        project.replace(contract, "physicalName: Ma\n", "physicalName: Ma\n        physicalType: varchar(10)\n")
        project.replace(contract, "physicalName: Ten\n", "physicalName: Ten\n        physicalType: varchar(50)\n")
        project.replace(contract, "physicalName: SoTien\n", "physicalName: SoTien\n        physicalType: integer\n")
    project.add_file("dlite", "lite", "{kind: table, table: lite}")
    project.add_csv("dcsv", "levels", HEADER + "A1,Cao,1\nA2,thấp,2\n", cap=0.9)
    project.replace(
        project.contract("dcsv", "levels"), "          - {property: semanticType, value: text}\n", CODES
    )  # fmt: skip
    suite = project.suite("dcsv", "levels")
    suite.write_text(suite.read_text() + CODE_RULE)
    project.add_file("dbook", "book", '{kind: xlsx, path: "book.xlsx"}')
    project.replace(
        project.contract("dbook", "book"),
        "  - {property: minSourceRows, value: 1}\n",
        "  - {property: minSourceRows, value: 1}\n  - {property: drift, value: {newColumn: hold}}\n",
    )
    source_server.create_database("drift_source")
    address = source_server.start()
    sqlite_file = root / "lite.db"
    connections = {
        "dpg": address.url("drift_source", "postgresql"),
        "dlite": f"sqlite:///{sqlite_file}",
        "dcsv": project.files.as_uri(),
        "dbook": project.files.as_uri(),
    }
    with in_process(source_server, root, connections) as installation:
        made = Sources(project, installation, connections["dpg"], sqlite_file)
        made.change("create schema motcua")
        for table in ("renamed", "typed"):
            made.change(
                f'create table motcua.{table} ("Ma" varchar(10) primary key, "Ten" varchar(50) not null,'
                ' "SoTien" integer)'
            )
            with psycopg.connect(made.source) as connection, connection.cursor() as cursor:
                cursor.executemany(f"insert into motcua.{table} values (%s, %s, %s)", ROWS)
        with sqlite3.connect(sqlite_file) as lite:
            lite.execute("create table lite (Ma text primary key, Ten text not null, SoTien integer)")
            lite.executemany("insert into lite values (?, ?, ?)", ROWS)
        made.workbook("Ma", "Ten", "SoTien")
        for dataset in ("dpg.renamed", "dpg.typed", "dlite.lite", "dcsv.levels", "dbook.book"):
            installation.run(dataset)
        yield made


def test_a_source_as_promised_differs_in_nothing(sources: Sources) -> None:
    shown = sources.installation.dx("drift", "dpg", "dlite", "dcsv", "dbook").output
    assert "5 as promised, 0 differ, 0 would be held, 0 not read" in shown


def test_each_batch_notes_the_columns_of_its_source(sources: Sources) -> None:
    ((columns, fingerprint),) = sources.installation.ask(
        "select source_columns, schema_fingerprint from ops.batch where dataset = 'renamed'"
    )
    assert columns == [
        {"name": "Ma", "type": "varchar(10)", "nullable": False, "key": 1},
        {"name": "Ten", "type": "varchar(50)", "nullable": False, "key": 0},
        {"name": "SoTien", "type": "integer", "nullable": True, "key": 0},
    ]
    assert re.fullmatch("[0-9a-f]{64}", fingerprint)


def test_a_rename_is_proposed_from_the_values_and_accepted(sources: Sources) -> None:
    """ "Ten" and "DonViNop" have nothing in common but what stands in the rows."""
    before = sources.project.contract("dpg", "renamed").read_text()
    sources.change('alter table motcua.renamed rename column "Ten" to "DonViNop"')
    sources.change('alter table motcua.renamed add column "GhiChu" text')
    with pytest.raises(SourceDrift, match="column Ten is missing"):
        sources.installation.run("dpg.renamed")
    assert sources.installation.ask("select count(*) from small.renamed") == [(12,)], "nothing half-loaded"
    shown = sources.installation.dx("drift", "dpg.renamed", code=1).output
    line = sources.line(shown, "Ten")
    assert "probably renamed" in line
    assert "DonViNop (100% of 12 rows have the same value)" in shown.replace("\n", " ") or "DonViNop" in line
    assert "held" in line
    assert "loaded as before" in sources.line(shown, "GhiChu")
    assert "--by is empty" in sources.installation.dx("drift", "dpg.renamed", "--accept", code=1).stderr
    done = sources.installation.dx("drift", "dpg.renamed", "--accept", "--by", "Lê Thị C").output
    assert "1.0.0 → 2.0.0" in done
    contract = sources.contract("dpg", "renamed")
    assert contract.column("title").source_name == "DonViNop"
    assert contract.left_out == ("GhiChu",)
    text = sources.project.contract("dpg", "renamed").read_text()
    assert "Lê Thị C" in next(line for line in text.splitlines() if line.startswith("# 2.0.0"))
    assert len(set(text.splitlines()) - set(before.splitlines())) == 4, "comment, version, name, leftOut; no more"
    sources.installation.forget()
    batch = sources.installation.run("dpg.renamed")
    assert (batch.contract_version, batch.unchanged) == ("2.0.0", 12)
    assert "1 as promised" in sources.installation.dx("drift", "dpg.renamed").output


def test_the_history_shows_when_the_structure_changed(sources: Sources) -> None:
    shown = sources.installation.dx("drift", "dpg.renamed", "--history").output
    rows = [line for line in shown.splitlines() if re.match(r"\d+ ", line.strip())]
    assert "3 columns, primary key (Ma)" in shown
    assert "+ DonViNop varchar(50)" in shown
    assert "- Ten varchar(50)" in shown
    assert "superseded" in shown, "the batch that met it first was held, and replaced by the one that could be read"
    assert len(rows) >= 2


def test_wider_and_narrower_types_and_what_the_source_no_longer_guards(sources: Sources) -> None:
    sources.change(
        'alter table motcua.typed alter column "Ten" type varchar(80), alter column "Ten" drop not null',
        'alter table motcua.typed alter column "SoTien" type smallint',
        "alter table motcua.typed drop constraint typed_pkey",
    )
    shown = sources.installation.dx("drift", "dpg.typed", code=1).output
    for part in ("widened", "narrowed", "may be empty now", "key not unique any more", "varchar(80)", "smallint"):
        assert part in shown, part
    done = sources.installation.dx("drift", "dpg.typed", "--accept", "--by", "Lê Thị C").output
    assert "1.0.0 → 2.0.0" in done
    contract = sources.contract("dpg", "typed")
    assert contract.column("title").physical_type == "varchar(80)"
    assert contract.column("amount").physical_type == "smallint"
    sources.installation.forget()
    batch = sources.installation.run("dpg.typed")
    assert batch.status == "published"
    assert any("may be empty now" in warning for warning in batch.warnings or ())
    assert any("no longer keeps the contract's key unique" in warning for warning in batch.warnings or ())


def test_another_type_is_accepted_only_by_name(sources: Sources) -> None:
    sources.change('alter table motcua.typed alter column "SoTien" type text using "SoTien"::text')
    refused = sources.installation.dx("drift", "dpg.typed", "--accept", "--by", "Lê Thị C", code=1)
    assert "--retype SoTien" in refused.stderr
    assert sources.contract("dpg", "typed").version == "2.0.0", "nothing was written"
    sources.installation.dx("drift", "dpg.typed", "--retype", "SoTien", "--accept", "--by", "Lê Thị C")
    sources.installation.forget()
    assert sources.installation.run("dpg.typed").unchanged == 12


def test_a_missing_column_is_for_a_person(sources: Sources) -> None:
    with sqlite3.connect(sources.sqlite_file) as lite:
        lite.execute("alter table lite drop column Ten")
    shown = sources.installation.dx("drift", "dlite", code=1).output
    assert "missing" in sources.line(shown, "Ten")
    refused = sources.installation.dx("drift", "dlite.lite", "--accept", "--by", "C", code=1)
    assert "a person has to decide first: Ten missing" in refused.stderr
    with sqlite3.connect(sources.sqlite_file) as lite:
        lite.execute("alter table lite add column NguoiNop text")
    refused = sources.installation.dx("drift", "dlite.lite", "--rename", "Ten=Nix", code=1)
    assert "new: NguoiNop" in refused.stderr
    sources.installation.dx("drift", "dlite.lite", "--rename", "Ten=NguoiNop", "--accept", "--by", "C")
    assert sources.contract("dlite", "lite").column("title").source_name == "NguoiNop"


def test_another_primary_key_is_told(sources: Sources) -> None:
    with sqlite3.connect(sources.sqlite_file) as lite:
        lite.execute("create table other (Ma text not null, NguoiNop text, SoTien integer primary key)")
        lite.execute("drop table lite")
        lite.execute("alter table other rename to lite")
    sources.installation.forget()
    shown = sources.installation.dx("drift", "dlite").output
    line = sources.line(shown, "(primary key)")
    assert "key not unique any more" in line
    assert "loaded as before" in line


def test_a_new_column_of_a_workbook_holds_where_the_contract_says_so(sources: Sources) -> None:
    sources.workbook("Ma", "Ten", "SoTien", "Số CCCD")
    shown = sources.installation.dx("drift", "dbook", code=1).output
    assert "held" in sources.line(shown, "Số CCCD")
    sources.installation.dx("drift", "dbook.book", "--accept", "--by", "C")
    contract = sources.contract("dbook", "book")
    assert (contract.version, contract.left_out) == ("1.1.0", ("Số CCCD",))
    sources.installation.forget()
    assert sources.installation.run("dbook.book").unchanged == 12


def test_new_values_of_a_code_list_are_counted_and_can_be_added(sources: Sources) -> None:
    sources.project.write_csv("levels", HEADER + "A1,Cao,1\nA2,thấp,2\nA3,Vừa,3\nA4,Vừa,4\nA5,?,5\n")
    batch = sources.installation.run("dcsv.levels")
    assert (batch.accepted, batch.quarantined) == (2, 3)
    shown = sources.installation.dx("drift", "dcsv").output
    line = sources.line(shown, "Ten")
    assert line.split()[:5] == ["Ten", "title", "Vừa", "2", "new"]
    assert "rejected (title_unknown)" in line
    assert "0 would be held" in shown
    refused = sources.installation.dx("drift", "dcsv.levels", "--code", "title=Rất cao", "--by", "C", code=1)
    assert "no unknown value" in refused.stderr
    done = sources.installation.dx("drift", "dcsv.levels", "--code", "title=Vừa", "--by", "C").output
    assert "1.0.0 → 1.1.0" in done
    text = sources.project.contract("dcsv", "levels").read_text()
    assert "# as the owner writes it" in text
    sources.installation.forget()
    batch = sources.installation.run("dcsv.levels")
    assert (batch.accepted, batch.quarantined) == (4, 1)
    assert sources.installation.ask(
        "select count(*) from ops.quarantine where dataset = 'levels' and status = 'released'"
    ) == [(2,)]
    shown = sources.installation.dx("drift", "dcsv").output
    assert sources.line(shown, "Ten").split()[:5] == ["Ten", "title", "?", "1", "before"]


def test_one_dataset_is_asked_for_where_one_is_meant(sources: Sources) -> None:
    assert "about one dataset" in sources.installation.dx("drift", "dpg", "--history", code=1).stderr


def test_a_source_that_cannot_be_read_does_not_hide_the_others(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DX_CONNECTION_DBOOK", (sources.project.root / "nowhere").as_uri())
    sources.installation.forget()
    shown = sources.installation.dx("drift", "dbook", "dpg.renamed", code=1)
    assert "1 as promised, 0 differ, 0 would be held, 1 not read" in shown.output
