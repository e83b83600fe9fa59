"""A published report, late and corrected data after it, and what ``dx publication`` says of them, by the command line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from dx_pipeline.sandbox.province import SandboxProvince
from dx_pipeline.settings import Settings
from tests.conftest import Installation
from tests.star import warehouse_url

pytestmark = pytest.mark.timeout(600)

PUBLISH = ("publication", "publish", "dossier_on_time", "2024-05", "--by", "Nguyễn Văn A")
CONTENT = "select string_agg(row_key || content::text, E'\n' order by row_key) from ops.indicator_publication_row"


@pytest.fixture(scope="module")
def installation(make_installation: Callable[[], Installation]) -> Installation:
    made = make_installation()
    made.dx("sandbox", "build", "--dossiers", "1500")
    made.dx("run", "one_stop")
    return made


def ask(installation: Installation, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(warehouse_url(installation.home)) as connection:
        return connection.execute(statement).fetchall()


def at_the_source(installation: Installation, statement: str) -> int:
    url = sa.make_url(SandboxProvince(Settings(home=installation.home)).admin_url()).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        connection.execute("set search_path = motcua")
        return connection.execute(statement).rowcount


def test_a_publication_survives_what_comes_later(installation: Installation) -> None:
    assert "v1" in installation.dx(*PUBLISH, "--note", "BC 102").stdout
    first = ask(installation, CONTENT + " where publication_id = 1")
    assert "không đổi" in installation.dx(*PUBLISH).stdout
    assert "nothing differs" in installation.dx("publication", "diff", "1").stdout

    # Sound dossiers accepted in May: two are put back to work, one is deleted, one was finished a month later.
    sound = (
        "select h.ma_ho_so from (select distinct on (o.agency) o.* from (select f.dossier_code as ma_ho_so,"
        " f.agency_sk as agency from core.fact_dossier as f where f.status_sk in (9, 10) and f.deleted_at is null"
        " and f.other_code is null and f.received_on between '2024-05-02' and '2024-05-15'"
        " and f.finished_at < '2024-05-25' and f.due_at is not null) as o order by o.agency, o.ma_ho_so) as h limit 4"
    )
    codes = [str(code) for (code,) in ask(installation, sound)]
    assert len(codes) == 4
    newest = "(select max(\"NgayCapNhat\") + interval '1 second' from ho_so)"
    changes = (
        (codes[:2], '"TrangThaiHoSo" = \'4\', "NgayKetThucXuLy" = null, "NgayTra" = null'),
        (codes[2:3], f'"DeletedOn" = {newest}'),
        (codes[3:], "\"NgayKetThucXuLy\" = '20240628090000'"),
    )
    for chosen, change in changes:
        listed = ", ".join(f"'{code}'" for code in chosen)
        assert at_the_source(
            installation, f'update ho_so set {change}, "NgayCapNhat" = {newest} where "MaHoSo" in ({listed})'
        ) >= len(chosen)  # fmt: skip
    installation.dx("run", "one_stop")
    (batch,) = ask(
        installation, "select batch_id, updated from ops.batch where dataset = 'ho_so' order by 1 desc limit 1"
    )
    assert batch[1] == 4

    assert ask(installation, CONTENT + " where publication_id = 1") == first
    told = installation.dx("publication", "diff", "1").stdout
    assert "cells that no batch changed" not in told
    assert re.search(rf"^\s*{batch[0]}\s+0\s+4\s+0\s+[1-9]\d*\s+one_stop\.ho_so", told, re.M), told
    assert re.search(r"finished\s+\d+\s+\d+\s+-1", told)

    # The whole month once more changes nothing, and the second version holds what the first does not.
    installation.dx("run", "one_stop.ho_so", "-p", "2024-05")
    assert "v2" in installation.dx(*PUBLISH).stdout
    assert ask(installation, CONTENT + " where publication_id = 1") == first
    assert ask(installation, CONTENT + " where publication_id = 2") != first
    again = installation.dx("publication", "diff", "1", "2").stdout
    assert re.search(rf"^\s*{batch[0]}\s+0\s+4", again, re.M)
    listed = installation.dx("publication", "list", "dossier_on_time").stdout
    assert re.search(r"^\s*2\s+dossier_on_time\s+2024-05\s+2\s", listed, re.M)


def test_the_report_as_known_is_the_one_that_was_published(installation: Installation) -> None:
    (moment,) = ask(installation, "select published_at from ops.indicator_publication where publication_id = 1")[0]
    shown = installation.dx("publication", "show", "1").stdout
    known = installation.dx("publication", "as-known", "dossier_on_time", "2024-05", "--at", moment.isoformat()).stdout

    def rows(text: str) -> list[str]:
        return sorted(line for line in text.splitlines() if re.match(r"\S+ \| 2024-05-01: ", line))

    assert len(rows(shown)) > 5
    assert rows(known) == rows(shown)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("publication", "publish", "dossier_on_time", "2024-05", "--by", " "), "needs a name"),
        (("publication", "publish", "no_such_mart", "2024-05", "--by", "A"), "there is no mart 'no_such_mart'"),
        (("publication", "publish", "dossier_on_time", "2031-01", "--by", "A"), "has no row of 2031-01"),
        (("publication", "publish", "dossier_on_time", "May 2024", "--by", "A"), "is none"),
        (("publication", "show", "99"), "there is no publication 99"),
        (("publication", "diff", "1", "later"), "neither the number of a publication nor now"),
    ],
)
def test_mistakes_are_named(installation: Installation, arguments: tuple[str, ...], message: str) -> None:
    done = installation.dx(*arguments, check=False)
    assert done.returncode == 1
    assert message in done.stderr


@pytest.mark.parametrize(
    "verb", ["update ops.indicator_publication set note = ''", "delete from ops.indicator_publication_row"]
)
def test_nobody_may_change_a_publication(installation: Installation, verb: str) -> None:
    with psycopg.connect(warehouse_url(installation.home)) as connection:
        connection.execute("set role dx_loader")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(verb)


def test_a_report_of_june_made_again_in_september_has_the_same_bytes(
    installation: Installation, tmp_path: Path
) -> None:
    june = tmp_path / "june.json"
    installation.dx(
        "report", "2024-05", "--no-pdf", "--publish", "--by", "Văn phòng UBND tỉnh", "--numbers", str(june),
        "-o", str(tmp_path / "june.html"),
    )  # fmt: skip
    ((published_at,),) = ask(
        installation, "select published_at from ops.indicator_publication where subject_kind = 'report'"
    )
    # What comes later: dossiers of May go back to work, and one is deleted at the source.
    newest = "(select max(\"NgayCapNhat\") + interval '1 second' from ho_so)"
    codes = [
        str(code)
        for (code,) in ask(
            installation,
            "select dossier_code from core.fact_dossier where status_sk = 10 and deleted_at is null and due_at is not null"
            " and received_on between '2024-05-02' and '2024-05-15' order by 1 limit 5",
        )
    ]
    listed = ", ".join(f"'{code}'" for code in codes)
    assert at_the_source(
        installation,
        "update ho_so set \"TrangThaiHoSo\" = '4', \"NgayKetThucXuLy\" = null, \"NgayTra\" = null,"
        f' "NgayCapNhat" = {newest} where "MaHoSo" in ({listed})',
    ) >= len(codes)  # fmt: skip
    installation.dx("run", "one_stop")

    made = {}
    for name, options in {
        "version": ("--version", "1"),
        "known": ("--as-known-at", published_at.isoformat()),  # type: ignore[attr-defined]
        "now": (),
    }.items():
        path = tmp_path / f"{name}.json"
        installation.dx(
            "report", "2024-05", "--no-pdf", *options, "--numbers", str(path), "-o", str(tmp_path / f"{name}.html")
        )
        made[name] = path.read_bytes()
    assert len(june.read_bytes()) > 50_000
    assert made["version"] == june.read_bytes()
    assert made["known"] == june.read_bytes()
    assert made["now"] != june.read_bytes()
    assert (tmp_path / "version.html").read_text() == (tmp_path / "june.html").read_text()
