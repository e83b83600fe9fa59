"""The dictionary and the quality board, built from a loaded sandbox: complete, offline, linked, quiet in a browser."""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, unquote

import psycopg
import pytest

from tests.conftest import Installation
from tests.star import warehouse_url

pytestmark = pytest.mark.timeout(600)
LANGUAGES = ("vi", "en")


class Page(HTMLParser):
    """Links, loaded addresses, ids and visible text of one page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.ids: set[str] = set()
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            if name in ("href", "xlink:href") and value:
                (self.links if tag == "a" else self.loaded).append(value)
            if name in ("src", "srcset", "data", "action", "poster") and value:
                self.loaded.append(value)

    def handle_data(self, data: str) -> None:
        self.text += data


class Site:
    """A site built once from a sandbox with electronic identities and the digital infrastructure."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        installation.dx("sandbox", "build", "--dossiers", "300")
        installation.dx("run", "eid", "poor_households")
        installation.dx("docs", "build")
        self.root = installation.home / "site"
        self.pages = {path: Page(path) for path in sorted(self.root.rglob("*.html"))}
        self.url = warehouse_url(installation.home)


@pytest.fixture(scope="module")
def site(make_installation: Callable[[], Installation]) -> Site:
    return Site(make_installation())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_table_and_column_stands_there_with_its_comment(site: Site, language: str) -> None:
    with psycopg.connect(site.url) as connection:
        rows = connection.execute(
            f"select schema_name || '.' || table_name, column_name, comment_{language} from ops.data_dictionary"
            " where schema_name in ('core', 'mart')"
        ).fetchall()
    assert len(rows) > 500
    for table, column, comment in rows:
        page = site.pages[site.root / language / "table" / f"{table}.html"]
        assert comment, (table, column)
        assert " ".join(comment.split()) in page.text, (table, column)
        assert column is None or column in page.ids


def test_nothing_is_loaded_from_elsewhere(site: Site) -> None:
    for path, page in site.pages.items():
        for address in page.loaded:
            assert not re.match(r"(?:[a-z]+:)?//", address, re.I), (path, address)
    for path in [*site.root.rglob("*.css"), *site.root.rglob("*.js")]:
        if path.name != "search-index.js":  # data that is shown as text only
            assert not re.search(r"url\(|@import|https?:|fetch\(|import\(", path.read_text(encoding="utf-8")), path


def test_every_link_leads_somewhere(site: Site) -> None:
    checked = 0
    for path, page in site.pages.items():
        for address in [*page.links, *(one for one in page.loaded if not one.startswith("data:"))]:
            assert not re.match(r"[a-z]+:", address), (path, address)
            file, _, anchor = address.partition("#")
            target = (path.parent / unquote(file)).resolve() if file else path
            assert target.is_file(), (path, address)
            if anchor:
                assert anchor in site.pages[target].ids, (path, address)
            checked += 1
    assert checked > 2000


def test_the_board_shows_the_counts_of_the_ledger(site: Site) -> None:
    """1,532 rows of electronic identities are in the files; what waits stands under the department that must mend it."""
    with psycopg.connect(site.url) as connection:
        row = connection.execute(
            "select extracted, quarantined, owner_agency from ops.batch as b join ops.quarantine as q using (dataset)"
            " where b.dataset = 'dinh_danh_xa_thang' and b.status = 'published' limit 1"
        ).fetchone()
    assert row is not None
    page = site.pages[site.root / "en" / "quality.html"]
    assert f"{row[0]:,}".replace(",", " ") in page.text  # the narrow space is one like any other here
    assert f"{100 * row[1] / row[0]:.2f} %" in page.text
    counts = (site.root / "vi" / "download" / f"can-sua-{row[2]}.csv").read_text(encoding="utf-8-sig")
    assert "eid.dinh_danh_xa_thang" in counts


def test_no_raw_row_is_in_the_site(site: Site) -> None:
    """The keys of poor households' rejected rows and their records' names are nowhere in it."""
    with psycopg.connect(site.url) as connection:
        secrets = [
            str(value)
            for (value,) in connection.execute(
                "select v.value from ops.quarantine as q cross join lateral jsonb_each_text(q.raw_record) as v(key, value)"
                " where q.dataset = 'ho_ngheo' and length(v.value) >= 9 and v.key ilike any(array['%ten%', '%cccd%', '%cmnd%'])"
            )
        ]
    assert secrets
    everything = "\n".join(
        path.read_text(encoding="utf-8") for path in site.root.rglob("*") if path.suffix in (".html", ".js", ".csv")
    )
    assert not [one for one in secrets if one in everything or html.escape(one) in everything]


def test_a_strange_folder_is_left_alone(site: Site, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    done = site.installation.dx("docs", "build", str(tmp_path), check=False)
    assert done.returncode != 0
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    site.installation.dx("docs", "build")  # over its own site: again, without a word
    assert (site.root / "vi" / "index.html").is_file()


def browse(site: Site, address: str, profile: Path, width: int = 1280) -> tuple[str, list[str]]:
    """The page after its scripts ran, and what the console said."""
    browser = shutil.which("chromium")
    if browser is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is missing; .ci/run installs it")
        pytest.skip("chromium is not installed")
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", f"--user-data-dir={profile}",
         f"--window-size={width},900", "--dump-dom", f"file://{site.root}/{address}"],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (f"vi/index.html?q={quote('định danh')}", "mart.eid_by_commune_month"),
        (f"vi/quality.html?q={quote('dinh danh')}", "mart.eid_by_commune_month"),
        ("en/index.html?q=activation", "mart.eid_by_commune_month"),
        ("en/table/core.fact_eid_month.html?q=activation", "mart.eid_by_commune_month"),
        ("vi/dataset/eid.dinh_danh_xa_thang.html?q=kich%20hoat", "eid.dinh_danh_xa_thang"),
        ("en/star.html?q=%3Cb%3E", "Nothing found"),
    ],
)
def test_search_finds_and_the_console_is_silent(site: Site, tmp_path: Path, address: str, expected: str) -> None:
    dom, console = browse(site, address, tmp_path)
    hits = re.search(r'<section id="hits".*?</section>', dom, re.DOTALL)
    assert hits is not None
    assert expected in hits[0]
    assert " hidden" not in hits[0].split(">", 1)[0]
    assert console == []
