"""A JSON API and an XML file through the whole road, with the ``dx`` command; the token is found nowhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Installation
from tests.faults.messages import the_message
from tests.faults.small_project import SmallProject
from tests.http_server import Reply, Request, json_reply, serving

TOKEN = "Khong-Lo-T0ken-7f3a"
API = (
    "{kind: http_json, path: /petitions, records: data.items, total: total,"
    " paging: {style: page, parameter: page, sizeParameter: size, size: 2}, error: {code: error.code}}"
)
XML = '{kind: xml, path: "*.xml", record: DoanhNghiep}'
ITEMS = [{"Ma": f"P{n}", "noi": {"Ten": f"Xã {n}"}, "SoTien": amount} for n, amount in enumerate([100, "2x", 300], 1)]
REGISTER = (
    "<DS>"
    + "".join(f'<DoanhNghiep Ma="D{n}"><Ten>DN {n}</Ten><SoTien>{n}00</SoTien></DoanhNghiep>' for n in (1, 2))
    + "</DS>"
)

pytestmark = pytest.mark.timeout(600)


def answer(request: Request) -> Reply:
    if request.headers.get("Authorization") != f"Bearer {TOKEN}":
        return Reply(status=401)
    page = int(request.query["page"])
    return json_reply({"data": {"items": ITEMS[2 * page - 2 : 2 * page]}, "error": {"code": 0}, "total": 3})


def test_api_and_xml_reach_the_star(make_installation: Callable[[], Installation], tmp_path: Path) -> None:
    installation = make_installation()
    project = SmallProject(tmp_path / "project")
    project._add("petitions", "petition", API, 0.9, "small")
    project._add("register", "company", XML, 0.2, "small")
    project.replace(project.contract("petitions", "petition"), "physicalName: Ten", "physicalName: noi.Ten")
    project.replace(project.contract("register", "company"), "physicalName: Ma\n", 'physicalName: "@Ma"\n')
    (project.files / "a.xml").write_text(REGISTER, encoding="utf-8")
    installation.environment["DX_CONNECTION_REGISTER"] = project.files.as_uri()
    run = ("run", "--project", str(project.root), "petitions", "register")
    with serving(answer) as server:
        installation.environment["DX_CONNECTION_PETITIONS"] = server.url
        refused = installation.dx(*run, check=False)
        told = the_message(refused, "petition")
        assert "the API of connection PETITIONS wants a token, none is set (HTTP 401)" in told.what
        assert "DX_CONNECTION_PETITIONS_TOKEN" in told.next_step
        assert installation.rows("select code, title, amount from small.company order by 1") == [
            ["D1", "DN 1", "100"],
            ["D2", "DN 2", "200"],
        ]
        installation.environment["DX_CONNECTION_PETITIONS_TOKEN"] = TOKEN
        plan = installation.dx("run", "--plan", "--project", str(project.root), "petitions")
        assert "/petitions" in plan.stdout
        done = installation.dx(*run)
    assert installation.rows("select code, title, amount from small.petition order by 1") == [
        ["P1", "Xã 1", "100"],
        ["P3", "Xã 3", "300"],
    ]
    assert (
        installation.value("select source_rows from ops.batch where dataset = 'petition' and status = 'published'")
        == "3"
    )
    assert TOKEN not in refused.stdout + refused.stderr + plan.stdout + done.stdout + done.stderr
    for path in installation.home.rglob("*"):
        if path.is_file():
            assert TOKEN.encode() not in path.read_bytes(), path
