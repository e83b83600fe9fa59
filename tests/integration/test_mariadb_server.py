"""The sandbox's MariaDB server: closed to others, found and stopped by any process, made anew when its folder is gone."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pymysql
import pytest
import sqlalchemy as sa

from dx_pipeline.errors import SettingsError
from dx_pipeline.sandbox import mariadb_server, mariadb_store
from dx_pipeline.sandbox.department import Site
from dx_pipeline.sandbox.departments import DEPARTMENTS
from dx_pipeline.sandbox.mariadb_server import MariadbServer
from dx_pipeline.settings import Settings
from dx_pipeline.warehouse.embedded import EmbeddedServer
from tests.conftest import ROOT
from tests.mariadb import require_mariadb

IN_MARIADB = {"task_tracking": 71, "health": 1641}


@pytest.fixture
def home() -> Iterator[Path]:
    """A short path outside pytest's own folders, which the server's user may pass."""
    require_mariadb()
    folder = Path(tempfile.mkdtemp(prefix="dx-mariadb-"))
    yield folder
    MariadbServer(folder).stop()
    shutil.rmtree(folder, ignore_errors=True)


def count(server: MariadbServer, statement: str) -> int:
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return int((cursor.fetchone() or (0,))[0])


def test_it_outlives_the_caller_and_keeps_what_it_holds(home: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from dx_pipeline.sandbox.mariadb_server import MariadbServer;"
        " MariadbServer(Path(sys.argv[1])).start()"
    )
    subprocess.run([sys.executable, "-c", program, str(home)], cwd=ROOT, check=True, timeout=120)
    server = MariadbServer(home)
    address = server.address()
    assert address is not None
    assert address.host == "127.0.0.1"
    assert address.password not in repr(address)
    server.create_database("ho_so", reader="doc")
    with closing(server.connect("ho_so")) as connection, connection.cursor() as cursor:
        cursor.execute("create table t (a integer)")
        cursor.execute("insert into t values (7)")
    assert server.stop()
    assert server.address() is None
    assert not server.stop()
    assert server.start().port == address.port
    assert count(server, "select a from ho_so.t") == 7


def test_nobody_gets_in_without_a_password_and_a_reader_only_reads_its_own(home: Path) -> None:
    server = MariadbServer(home)
    address = server.start()
    for name in ("password", "port"):
        assert stat.S_IMODE((home / "mariadb" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((home / "mariadb" / "data").stat().st_mode) == 0o700
    assert not (home / "mariadb" / "accounts.sql").exists()
    for user in ("root", "", address.user):
        with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
            pymysql.connect(host="127.0.0.1", port=address.port, user=user, password="")
    pid = mariadb_process(home)
    assert address.password.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
    assert os.geteuid() != 0 or Path(f"/proc/{pid}").stat().st_uid != 0
    server.create_database("of_others", reader="others")
    reader = pymysql.connect(**parts(server.create_database("own", reader="own_doc")))
    with closing(reader), reader.cursor() as cursor:
        for statement in ("create table own.t (a integer)", "use of_others"):
            with pytest.raises(pymysql.err.OperationalError, match="denied"):
                cursor.execute(statement)


def parts(url: str) -> dict[str, object]:
    found = sa.make_url(url)
    return {"host": found.host, "port": found.port, "user": found.username, "password": found.password}


def mariadb_process(home: Path) -> int:
    return int((home / "mariadb" / "data" / "server.pid").read_text())


def test_a_server_whose_folder_was_removed_gives_way_to_a_new_one(home: Path) -> None:
    server = MariadbServer(home)
    server.start()
    former = mariadb_process(home)
    shutil.rmtree(home / "mariadb")
    server.start()
    assert not Path(f"/proc/{former}/exe").exists()
    assert count(server, "select 1") == 1


@pytest.fixture
def site(home: Path) -> Site:
    """A site whose PostgreSQL server is never needed here."""
    return Site(home, EmbeddedServer(home, name="unused"), 1982)


@pytest.mark.parametrize("system", sorted(IN_MARIADB))
def test_departments_are_built_in_mariadb_and_found_again_on_another_port(site: Site, system: str) -> None:
    (department,) = (one for one in DEPARTMENTS if one.system == system)
    url = department.build(site)
    assert department.is_built(site)
    server = mariadb_store.server_of(site)
    assert mariadb_store.in_words(site, {system: url}).startswith(f"{system} in MariaDB at 127.0.0.1:")
    assert count(server, f"select count(*) from {system}.{'nhiem_vu' if system == 'task_tracking' else 'co_so_kcb'}")
    assert department.stop is not None
    assert department.stop(site)
    (site.folder / "mariadb" / "port").write_text("1\n")  # no port to use again: the next start draws one
    moved = department.located(site, url)
    address = server.address()
    assert address is not None
    assert f":{address.port}/" in moved
    pymysql.connect(**parts(moved)).close()


@pytest.mark.parametrize("system", sorted(IN_MARIADB))
def test_without_mariadb_the_same_tables_stand_in_sqlite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    monkeypatch.setattr(mariadb_server, "_program", lambda names: None)
    site = Site(tmp_path, EmbeddedServer(tmp_path, name="unused"), Settings(home=tmp_path).sandbox_seed)
    (department,) = (one for one in DEPARTMENTS if one.system == system)
    url = department.build(site)
    assert url == f"sqlite:///{tmp_path}/{system}.db"
    assert department.located(site, url) == url
    assert department.stop is not None
    assert not department.stop(site)
    assert mariadb_store.in_words(site, {system: url}) == f"{system} in SQLite, because MariaDB was not installed"
    with closing(sqlite3.connect(tmp_path / f"{system}.db")) as file:
        (table,) = (row[0] for row in file.execute("select name from sqlite_master where type = 'table'"))
        assert file.execute(f"select count(*) from {table}").fetchone() == (IN_MARIADB[system],)
    with pytest.raises(SettingsError, match="MariaDB is not installed"):
        MariadbServer(tmp_path).start()
