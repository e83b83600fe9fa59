"""The sources of the runs: one province, in the states that the faults need, and changes to it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from threading import Lock

import openpyxl
import psycopg
import sqlalchemy as sa
from dotenv import dotenv_values

from dx_pipeline.sandbox.province import SERVER
from dx_pipeline.warehouse.embedded import EmbeddedServer
from tests.conftest import Installation
from tests.faults.conftest import DOSSIERS, Province

ADMIN = "mot_cua_admin"
# An hour of work: what changed carries a later time, what was never seen before comes in, some are deleted softly.
_HOUR = """update ho_so set "TenTTHC" = 'Tên đã đổi {at}', "NgayCapNhat" = timestamp '{at}'
    where "Id" in (select "Id" from ho_so where "TrangThaiHoSo" = '10' order by "Id" {descending} limit 60)"""
_SOFTLY = """update ho_so set "DeletedOn" = timestamp '{at}', "NgayCapNhat" = timestamp '{at}'
    where "Id" in (select "Id" from ho_so where "TrangThaiHoSo" = '10' order by md5("Id"::text || '{at}') limit 15)"""
_NEW = """create temporary table moi on commit drop as select * from ho_so
    where "TrangThaiHoSo" = '10' order by md5("Id"::text || 'new {at}') limit 15;
    update moi set "Id" = "Id" + {step}, "MaHoSo" = overlay("MaHoSo" placing '{mark}' from length("MaHoSo") - 1),
    "NgayCapNhat" = timestamp '{at}'; insert into ho_so select * from moi"""


def _hour(at: str, *, descending: str, step: int, mark: str) -> tuple[str, ...]:
    return tuple(text.format(at=at, descending=descending, step=step, mark=mark) for text in (_HOUR, _SOFTLY, _NEW))


NEXT_HOUR = _hour("2024-07-01 08:00:00", descending="", step=10_000_000, mark="91")
LATER_HOUR = _hour("2024-07-01 09:30:00", descending="desc", step=20_000_000, mark="92")


def copy_folder(given: Path, copy: Path) -> None:
    """A copy with its owners and modes; ``copy`` must not exist."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", "--reflink=auto", str(given), str(copy)], check=True, timeout=120)


class Source:
    """What one run reads: a database on a server, and folders of files."""

    def __init__(self, server: EmbeddedServer, database: str, reader_url: str, folder: Path) -> None:
        self.server = server
        self.database = database
        self.folder = folder
        self._reader_url = reader_url

    def port(self) -> int:
        """Where the server listens now; a port nobody listens on while it is down."""
        address = self.server.address()
        return address.port if address else 1

    def environment(self, port: int) -> dict[str, str]:
        """Connections of a run that reaches the database through a port of its own."""
        url = sa.make_url(self._reader_url).set(database=self.database, port=port)
        return {
            "DX_CONNECTION_ONE_STOP": url.render_as_string(hide_password=False),
            "DX_CONNECTION_EID": f"file://{self.folder / 'eid'}",
            "DX_CONNECTION_POOR_HOUSEHOLDS": f"file://{self.folder / 'poor_households'}",
        }

    def change_database(self, statements: tuple[str, ...] = LATER_HOUR) -> None:
        """Rows are changed, added and deleted, in one transaction."""
        address = self.server.start()
        with psycopg.connect(address.url(self.database, "postgresql")) as connection:
            connection.execute("set search_path = motcua")
            for statement in statements:
                connection.execute(statement)

    def change_files(self, *, in_place: bool = False, later: bool = True) -> None:
        """Other figures in a workbook, other and deleted records in a table; written in place, or renamed into it."""
        change_households(self.folder / "poor_households" / "HONGHEO_2024.DBF", later, in_place)
        if later:
            change_workbook(self.folder / "eid" / "dinh_danh_2024-05.xlsx", in_place)


def change_households(path: Path, later: bool, in_place: bool) -> None:
    """``later``: ten households are struck off the list; before that, the size of thirty others is written anew."""
    data = bytearray(path.read_bytes())
    head, width = int.from_bytes(data[8:10], "little"), int.from_bytes(data[10:12], "little")
    offset = 1
    for place in range(32, head - 1, 32):
        if data[place : place + 11].rstrip(b"\0") == b"SONK":
            break
        offset += data[place + 16]
    for number in range(40, 50) if later else range(30):
        record = head + number * width
        if later:
            data[record] = ord("*")
        else:
            size = data[record + offset : record + offset + 2]
            data[record + offset : record + offset + 2] = b" 3" if bytes(size) != b" 3" else b" 4"
    _write(path, lambda target: target.write_bytes(data), in_place)


def change_workbook(path: Path, in_place: bool) -> None:
    """Ten communes report one more account of an organisation in one month."""
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    changed = 0
    for row in sheet.iter_rows(min_row=7, max_row=30):
        numbers = [cell for cell in row if isinstance(cell.value, int)]
        if len(numbers) >= 6 and changed < 10:
            numbers[-1].value += 1
            changed += 1
    assert changed
    _write(path, book.save, in_place)


def _write(path: Path, write: Callable[[Path], object], in_place: bool) -> None:
    if in_place:
        write(path)
        return
    new = path.with_name(f".{path.name}.new")
    write(new)
    new.replace(path)


class Sources:
    """One province; the states ``first`` and ``next`` of it, shared by all runs that leave the source as it is."""

    def __init__(self, installation: Installation, folder: Path) -> None:
        installation.dx("sandbox", "build", "--dossiers", str(DOSSIERS))
        self._home = installation.home
        self._folder = folder
        self._province = Province(installation.home)
        self._reader_url = str(dotenv_values(installation.home / "connections.env")["DX_CONNECTION_ONE_STOP"])
        self._server = EmbeddedServer(installation.home, name=SERVER, admin=ADMIN)
        self._guard = Lock()
        self._shared: dict[tuple[str, bool], Source] = {}
        self._made = 0
        for prepared in ("first", "next"):
            self.shared(prepared)
        # A copy of the stopped server, for runs whose source is stopped.
        self._server.stop()
        copy_folder(installation.home / SERVER, folder / "stopped")
        self._server.start()

    def shared(self, prepared: str, *, changed: bool = False) -> Source:
        """A source that nobody changes."""
        with self._guard:
            key = (prepared, changed)
            if key not in self._shared:
                self._shared[key] = self._new(prepared)
                if changed:
                    self._shared[key].change_database()
                    self._shared[key].change_files()
            return self._shared[key]

    def own(self, prepared: str) -> Source:
        """A source that the caller may change."""
        with self._guard:
            return self._new(prepared)

    def own_server(self, prepared: str, home: Path) -> Source:
        """A source on a server that the caller may stop."""
        shared = self.shared(prepared)
        copy_folder(self._folder / "stopped", home / SERVER)
        (home / SERVER / "port").unlink()
        server = EmbeddedServer(home, name=SERVER, admin=ADMIN)
        server.start()
        return Source(server, shared.database, self._reader_url, shared.folder)

    def _new(self, prepared: str) -> Source:
        self._made += 1
        folder = self._folder / f"files_{self._made}"
        for system in ("eid", "poor_households"):
            copy_folder(self._home / "sandbox" / system, folder / system)
        database = self._province.copy(*(NEXT_HOUR if prepared == "next" else ()))
        source = Source(self._server, database, self._reader_url, folder)
        if prepared == "first":
            (folder / "eid" / "dinh_danh_2024-06.xlsx").rename(folder / "eid" / ".dinh_danh_2024-06.xlsx")
        else:
            source.change_files(later=False)
        return source
