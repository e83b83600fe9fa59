"""A department never seen before goes from its database to a balanced ledger without a line edited."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Installation
from tests.latin_archive import ROWS, build_archive

pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True)
class Archive:
    """The department's database, the project folder drafted from it, and the installation that reads it."""

    installation: Installation
    database: Path
    project: Path
    told: str  # what `dx contract init` printed

    def run(self) -> None:
        self.installation.dx("run", "--project", str(self.project), "archivum")


@pytest.fixture(scope="module")
def archive(make_installation: Callable[[], Installation], tmp_path_factory: pytest.TempPathFactory) -> Archive:
    folder = tmp_path_factory.mktemp("archive")
    database, project = folder / "archivum.sqlite", folder / "project"
    build_archive(database)
    installation = make_installation()
    installation.environment["DX_CONNECTION_ARCHIVUM"] = f"sqlite:///{database}"
    drafted = installation.dx("contract", "init", "ARCHIVUM", "--all", "--out", str(project))
    found = Archive(installation, database, project, drafted.stdout + drafted.stderr)
    found.run()
    return found


def test_check_passes_and_lists_what_a_person_must_fill_in(archive: Archive) -> None:
    contracts = sorted(map(str, archive.project.glob("assets/archivum/*.odcs.yaml")))
    checked = archive.installation.dx("contract", "check", *contracts)
    assert "5 right, 0 broken, 5 with open TODOs" in checked.stdout
    assert re.search(r"schola\.odcs\.yaml: \d+ × TODO, line \d+", checked.stdout)


def test_init_tells_what_was_found_and_no_personal_value(archive: Archive) -> None:
    assert "archivum.examen  ←  examen, 1,600 dòng · rows" in archive.told
    assert "DX_CONNECTION_ARCHIVUM" in archive.told
    assert "phone personal" in archive.told
    for value in ("Tullius", "@schola", "0912", str(archive.database)):
        assert value not in archive.told


def test_every_row_is_accounted_for(archive: Archive) -> None:
    counts = archive.installation.rows(
        "select dataset, source_rows, extracted, accepted, quarantined, duplicate, inserted, status from ops.batch"
        " where system = 'archivum' order by batch_id, dataset"
    )
    assert {row[0]: row[1:] for row in counts} == {
        name: [str(rows), str(rows), str(rows), "0", "0", str(rows), "published"] for name, rows in ROWS.items()
    }


def test_values_arrive_typed(archive: Archive) -> None:
    rows = archive.installation.rows
    # D00007 sits its first exam on 2023-01-08; 17.000 đ would be i = 7, and 7 % 3 = 1, so there is a price.
    assert rows(
        "select to_char(tempus at time zone 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD HH24-MI'), punctum, pretium, src_order"
        " from archivum.examen where disc_nr = 'D00007' and materia = 'grammatica'"
    ) == [["2023-01-08 08-30", "4.9", "17000", "0"]]
    assert rows("select condita, warnings::text from archivum.schola where schola_id = 7") == [
        ["", "{condita_unreadable}"]
    ]
    assert rows(
        "select count(*) from information_schema.columns where table_schema = 'archivum' and table_name = 'discipulus'"
        " and column_name in ('cognomen', 'praenomen', 'dies_natalis', 'e_mail', 'tessera')"
    ) == [["0"]]


def test_second_run_changes_nothing_and_a_deleted_row_is_closed(archive: Archive) -> None:
    with sqlite3.connect(archive.database) as connection:
        connection.execute("delete from regio where codex = 'LAT-07'")
    connection.close()
    archive.run()
    counts = archive.installation.rows(
        "select distinct on (dataset) dataset, inserted, updated, unchanged, closed from ops.batch"
        " where system = 'archivum' order by dataset, batch_id desc"
    )
    assert counts == [
        ["discipulus", "0", "0", "400", "0"],
        ["examen", "0", "0", "1600", "0"],
        ["regio", "0", "0", "7", "1"],
        ["schola", "0", "0", "60", "0"],
        ["vacuum", "0", "0", "0", "0"],
    ]


def test_an_empty_table_fills_later(archive: Archive) -> None:
    with sqlite3.connect(archive.database) as connection:
        connection.execute("insert into vacuum values (1, 'primus', '2024-05-01 08:00:00')")
    connection.close()
    archive.installation.dx("run", "--project", str(archive.project), "archivum.vacuum")
    assert archive.installation.rows(
        "select vac_id, nomen, to_char(missa at time zone 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD HH24-MI') from archivum.vacuum"
    ) == [["1", "primus", "2024-05-01 08-00"]]


def test_init_refuses_to_overwrite(archive: Archive) -> None:
    refused = archive.installation.dx(
        "contract", "init", "ARCHIVUM", "regio", "--out", str(archive.project), check=False
    )
    assert refused.returncode == 1
    assert "is there already; nothing was written" in refused.stderr
