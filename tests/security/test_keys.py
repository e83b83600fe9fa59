"""Pseudonym keys: outside the database, rotated with their versions, never mixed unseen, ended for good."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dx_pipeline.clean.key_file import check_value, delete_key, rotate_keys
from dx_pipeline.clean.pseudonym import PseudonymKeys, pseudonym
from dx_pipeline.cli.diagnosis import _keys_of
from dx_pipeline.contract.catalog import load_catalog
from dx_pipeline.errors import SettingsError
from dx_pipeline.orchestration.keys import forget, keys_in_use, rotate
from dx_pipeline.settings import Settings, write_private_file
from dx_pipeline.warehouse.connection import Warehouse
from tests.conftest import ROOT, Installation
from tests.star import star_checksums


@pytest.fixture
def opened(kept: Installation) -> Iterator[Warehouse]:
    """The warehouse of the installation, in this process."""
    warehouse = Warehouse.open(Settings(home=kept.home))
    yield warehouse
    warehouse.close()


VERSIONS = "select key_version, count(*) from restricted.dossier_applicant group by 1 order by 1"


def ask(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement).fetchall()


def key_file(kept: Installation) -> Path:
    return kept.home / "keys" / "pseudonym.json"


# -- the file --------------------------------------------------------------------------------------


def test_rotation_keeps_old_versions_in_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "pseudonym.json"
    first = PseudonymKeys.load(path)
    second = rotate_keys(path)
    assert (first.current, second.current) == (1, 2)
    assert second.keys[1] == first.keys[1] != second.keys[2]
    assert PseudonymKeys.load(path) == second
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert pseudonym("045190000001", "citizen_id", first) != pseudonym("045190000001", "citizen_id", second)
    assert check_value(first, 1) == check_value(second, 1) != check_value(second, 2)


def test_rotations_at_the_same_time_lose_no_version(tmp_path: Path) -> None:
    path = tmp_path / "pseudonym.json"
    PseudonymKeys.load(path)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: rotate_keys(path).current, range(16)))
    assert sorted(made) == list(range(2, 18))
    assert sorted(PseudonymKeys.load(path).keys) == list(range(1, 18))


def test_the_current_version_is_not_deleted(tmp_path: Path) -> None:
    path = tmp_path / "pseudonym.json"
    rotate_keys(path)
    with pytest.raises(SettingsError, match="key version 2 is in use"):
        delete_key(path, 2)
    assert sorted(delete_key(path, 1).keys) == [2]
    with pytest.raises(SettingsError, match="key version 1 is not in"):
        delete_key(path, 1)


# -- the warehouse ---------------------------------------------------------------------------------


def test_every_table_with_pseudonyms_says_by_which_key(kept_url: str) -> None:
    """New tables too: whoever joins pseudonyms needs the version beside them."""
    found = ask(
        kept_url,
        "select c.relname, bool_or(a.attname = 'key_version' and a.attnotnull) from pg_class as c"
        " join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped"
        " where c.relnamespace = 'restricted'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition"
        " group by c.relname having bool_or(a.attname ~ '_pseudonym$')",
    )
    assert ("dossier_applicant", True) in found
    assert all(says for _, says in found), found


def test_after_a_rotation_the_same_person_is_found_again_once_all_rows_are_rekeyed(
    kept: Installation, kept_url: str, opened: Warehouse
) -> None:
    before = star_checksums(kept_url)
    people = "select count(distinct (key_version, citizen_id_pseudonym)), count(*) from restricted.dossier_applicant"
    ((distinct, rows),) = ask(kept_url, people)
    assert distinct < rows, "no person filed twice: nothing to find again"
    ((old,),) = ask(kept_url, "select max(key_version) from restricted.dossier_applicant")
    assert rotate(opened, Settings(home=kept.home)) == old + 1
    assert ask(kept_url, VERSIONS) == [(old, rows)]
    kept.dx("sandbox", "change", "--rows", "100", "--seed", "7")
    kept.dx("run", "one_stop.ho_so")
    assert [version for version, _ in ask(kept_url, VERSIONS)] == [old, old + 1]
    assert "rows of several versions" in kept.dx("keys", "show").stdout
    told = [finding.what for finding in _keys_of(opened, Settings(home=kept.home))]
    assert [what for what in told if "several key versions" in what]
    ((split, _),) = ask(kept_url, people)
    assert split > distinct, "people seem to be more than they are, as long as versions are mixed"
    with pytest.raises(SettingsError, match=f"rows carry key version {old}"):
        forget(opened, Settings(home=kept.home), old)
    assert "all rows carry the current key version" in kept.dx("keys", "rekey").stdout
    assert ask(kept_url, VERSIONS) == [(old + 1, rows)]
    assert ask(kept_url, people)[0][0] < split
    same = {table for table, found in star_checksums(kept_url).items() if found == before[table]}
    assert "core.dim_procedure" in same
    assert forget(opened, Settings(home=kept.home), old) == 0
    assert str(old) not in json.loads(key_file(kept).read_text(encoding="utf-8"))["keys"]


def test_a_lost_key_file_is_not_made_anew_in_silence(
    kept: Installation, kept_url: str, opened: Warehouse, tmp_path: Path
) -> None:
    before = star_checksums(kept_url)["restricted.dossier_applicant"]
    settings = Settings(home=kept.home)
    contract = load_catalog([ROOT]).contracts["one_stop.ho_so"]
    safe = tmp_path / "key"
    shutil.move(key_file(kept), safe)
    try:
        gone = kept.dx("run", "one_stop.ho_so", "-p", "2024-03", check=False)
        assert gone.returncode == 1
        assert "is gone, and this warehouse holds pseudonyms made with it" in gone.stderr
        assert not key_file(kept).exists()
        current = json.loads(safe.read_text(encoding="utf-8"))["current"]
        other = {"current": current, "keys": {str(current): "A" * 43 + "="}}
        write_private_file(key_file(kept), json.dumps(other))
        with pytest.raises(SettingsError, match=f"key {current} in the key file is not the key {current}"):
            keys_in_use(opened, settings, contract)
        told = [finding for finding in _keys_of(opened, settings) if finding.level == "error"]
        assert "another key than the warehouse was filled with" in told[0].what
        with pytest.raises(SettingsError, match="dx keys rotate --lost"):
            rotate(opened, settings)
        assert rotate(opened, settings, lost=True) == current + 1
        assert sorted(PseudonymKeys.load(key_file(kept)).keys) == [current + 1]
    finally:
        shutil.move(safe, key_file(kept))
    assert rotate(opened, settings) == current + 2
    assert star_checksums(kept_url)["restricted.dossier_applicant"] == before


def test_no_key_is_in_the_database_or_its_log(kept: Installation, kept_url: str) -> None:
    keys = json.loads(key_file(kept).read_text(encoding="utf-8"))["keys"].values()
    kept.dx("down")
    kept.dx("sandbox", "build")
    for path in (kept.home / "warehouse").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(key.encode() in content for key in keys), path
