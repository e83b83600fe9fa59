"""A published report, late and corrected data after it, and what ``dx publication`` says of them, by the command line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
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
    made.dx("run", "one_stop", "eid")
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


def test_a_figure_of_a_month_delivered_again_is_explained_and_its_first_version_stays(
    installation: Installation,
) -> None:
    """One commune is corrected, one is gone from the file; the row and the batch are named, the past is exact."""
    publish = ("publication", "publish", "eid_by_commune_month", "2024-06", "--by", "Nguyễn Văn A")
    installation.dx(*publish)
    asked = "select publication_id, published_at from ops.indicator_publication where subject = 'eid_by_commune_month'"
    ((first, moment),) = ask(installation, asked)
    path = installation.home / "sandbox" / "eid" / "dinh_danh_2024-06.xlsx"
    book = openpyxl.load_workbook(path)
    sheet = book.active
    spots = [at for at in range(7, 60) if isinstance(sheet.cell(at, 9).value, int) and sheet.cell(at, 4).value]
    sheet.cell(spots[0], 9).value += 100
    sheet.delete_rows(spots[-1])
    book.save(path)
    installation.dx("run", "eid")
    ((batch, updated, closed),) = ask(
        installation, "select batch_id, updated, closed from ops.batch where system = 'eid' order by 1 desc limit 1"
    )
    assert (updated, closed) == (1, 1)
    assert re.search(r"│ closed +│ 1 ", installation.dx("batches", "show", str(batch)).stdout)

    assert "v2" in installation.dx(*publish).stdout
    ((second, _),) = ask(installation, asked + " and version = 2")
    told = installation.dx("publication", "diff", str(first), str(second)).stdout
    assert re.search(r"2024-06-01 \| \d+ +issued +[\d,]+ +[\d,]+ +\+100", told), told
    assert re.search(r"2024-06-01 \| \d+ +issued +[\d,]+ +–", told), told
    assert re.search(rf"^\s*{batch}\s+0\s+1\s+1\s+[1-9]\d*\s+eid\.dinh_danh", told, re.M), told
    assert "cells that no batch changed" not in told
    known = installation.dx("publication", "as-known", "EID_ISSUED", "2024-06", "--at", moment.isoformat()).stdout
    assert "285,394" in known


def test_a_dossier_deleted_without_a_mark_is_found_when_its_month_is_read_again(installation: Installation) -> None:
    ((code,), (other,)) = ask(
        installation,
        "select dossier_code from core.fact_dossier where deleted_at is null and other_code is null"
        " and submitted_at >= '2024-05-05' and submitted_at < '2024-05-20' and received_on < '2024-05-25'"
        " order by 1 desc limit 2",
    )
    published = installation.dx("publication", "publish", "online_by_agency_month", "2024-05", "--by", "A").stdout
    number = re.search(r"(\d+): online_by_agency_month", published)
    assert number
    assert at_the_source(installation, f"delete from ho_so where \"MaHoSo\" = '{code}'") == 1
    installation.dx("run", "one_stop.ho_so", "-p", "2024-05")
    question = "select batch_id, updated, closed from ops.batch where kind = 'period' order by 1 desc limit 2"
    (last, updated, closed), (before, _, _) = ask(installation, question)
    assert (updated, closed) == (0, 1)
    asked = "select dossier_code, deleted_at is null from core.fact_dossier where dossier_code in ('{}', '{}')"
    assert set(ask(installation, asked.format(code, other))) == {(code, False), (other, True)}
    told = installation.dx("publication", "diff", number[1]).stdout
    assert re.search(rf"^\s*{last}\s+0\s+0\s+1\s+\d+\s+one_stop\.ho_so", told, re.M), told
    refused = installation.dx("replay", str(before), check=False)
    assert refused.returncode == 1
    assert f"batch {before} is older than what is published" in refused.stderr


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

    made, told = {}, {}
    for name, options in {
        "version": ("--version", "1"),
        "known": ("--as-known-at", published_at.isoformat()),  # type: ignore[attr-defined]
        "now": (),
    }.items():
        path = tmp_path / f"{name}.json"
        told[name] = installation.dx(
            "report", "2024-05", "--no-pdf", *options, "--numbers", str(path), "-o", str(tmp_path / f"{name}.html")
        ).stdout
        made[name] = path.read_bytes()
    assert len(june.read_bytes()) > 50_000
    assert made["version"] == june.read_bytes()
    assert made["known"] == june.read_bytes()
    assert made["now"] != june.read_bytes()
    for name in ("version", "known"):
        changed = told[name].split("changed since then: ")[1].split("\n")[0].split(", ")
        assert {"late", "province", "province_total", "quality", "ranking"} <= set(changed)
        assert not {"eid", "tasks", "budget", "sets", "figures"} & set(changed)
        assert "read as now" not in told[name]
    last_page = (tmp_path / "known.html").read_text(encoding="utf-8").split("SHA-256")[1]
    assert "Từ đó số liệu đã thay đổi ở: Chất lượng phục vụ của tỉnh theo Quyết định 766; " in last_page
    assert (tmp_path / "version.html").read_text() == (tmp_path / "june.html").read_text()
