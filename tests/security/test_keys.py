"""Pseudonym keys: outside the database, rotated with their versions, never mixed unseen, ended for good."""

from __future__ import annotations

import json
import os
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dx_pipeline.clean.key_file import check_value, delete_key, rotate_keys
from dx_pipeline.clean.pseudonym import PseudonymKeys, pseudonym
from dx_pipeline.errors import SettingsError
from tests.conftest import Installation
from tests.star import star_checksums

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
    kept: Installation, kept_url: str
) -> None:
    before = star_checksums(kept_url)
    people = "select count(distinct (key_version, citizen_id_pseudonym)), count(*) from restricted.dossier_applicant"
    ((distinct, rows),) = ask(kept_url, people)
    assert distinct < rows, "no person filed twice: nothing to find again"
    ((old,),) = ask(kept_url, "select max(key_version) from restricted.dossier_applicant")
    kept.dx("keys", "rotate")
    assert ask(kept_url, VERSIONS) == [(old, rows)]
    kept.dx("sandbox", "change", "--rows", "100", "--seed", "7")
    kept.dx("run", "one_stop.ho_so")
    mixed = ask(kept_url, VERSIONS)
    assert [version for version, _ in mixed] == [old, old + 1]
    assert "rows of several versions" in kept.dx("keys", "show").stdout
    assert "several key versions" in kept.dx("doctor").stdout
    ((split, _),) = ask(kept_url, people)
    assert split > distinct, "people seem to be more than they are, as long as versions are mixed"
    assert "all rows carry the current key version" in kept.dx("keys", "rekey").stdout
    assert ask(kept_url, VERSIONS) == [(old + 1, rows)]
    assert ask(kept_url, people)[0][0] <= split
    same = {table for table, found in star_checksums(kept_url).items() if found == before[table]}
    assert "core.dim_procedure" in same
    assert f"key version {old} is deleted; 0 rows carried it" in kept.dx("keys", "forget", str(old)).stdout
    assert str(old) not in json.loads(key_file(kept).read_text(encoding="utf-8"))["keys"]


def test_a_version_that_rows_carry_is_forgotten_only_on_purpose(kept: Installation, kept_url: str) -> None:
    ((version,),) = ask(kept_url, "select max(key_version) from restricted.dossier_applicant")
    kept.dx("keys", "rotate")
    refused = kept.dx("keys", "forget", str(version), check=False)
    assert refused.returncode == 1
    assert f"rows carry key version {version}" in refused.stderr
    kept.dx("keys", "rekey")


def test_a_lost_key_file_is_not_made_anew_in_silence(kept: Installation, kept_url: str, tmp_path: Path) -> None:
    before = star_checksums(kept_url)["restricted.dossier_applicant"]
    safe = tmp_path / "key"
    shutil.move(key_file(kept), safe)
    kept.dx("sandbox", "change", "--rows", "20", "--seed", "8")
    gone = kept.dx("run", "one_stop.ho_so", check=False)
    assert gone.returncode == 1
    assert "is gone, and this warehouse holds pseudonyms made with it" in gone.stderr
    assert not key_file(kept).exists()
    current = json.loads(safe.read_text(encoding="utf-8"))["current"]
    key_file(kept).write_text(
        json.dumps({"current": current, "keys": {str(current): "A" * 43 + "="}}), encoding="utf-8"
    )
    os.chmod(key_file(kept), 0o600)
    other = kept.dx("run", "one_stop.ho_so", check=False)
    assert f"key {current} in the key file is not the key {current}" in other.stderr
    assert "another key than the warehouse was filled with" in kept.dx("doctor", check=False).stdout
    assert kept.dx("keys", "rotate", check=False).returncode == 1
    assert star_checksums(kept_url)["restricted.dossier_applicant"] == before
    shutil.move(safe, key_file(kept))
    kept.dx("run", "one_stop.ho_so")


def test_a_lost_key_is_given_up_only_on_purpose(kept: Installation, kept_url: str, tmp_path: Path) -> None:
    safe = tmp_path / "key"
    shutil.move(key_file(kept), safe)
    current = json.loads(safe.read_text(encoding="utf-8"))["current"]
    key_file(kept).write_text(
        json.dumps({"current": current, "keys": {str(current): "A" * 43 + "="}}), encoding="utf-8"
    )
    os.chmod(key_file(kept), 0o600)
    kept.dx("keys", "rotate", "--lost")
    made = json.loads(key_file(kept).read_text(encoding="utf-8"))
    assert made["current"] > current
    assert str(current) not in made["keys"]
    shutil.move(safe, key_file(kept))
    kept.dx("keys", "rotate")


def test_no_key_is_in_the_database_or_its_log(kept: Installation, kept_url: str) -> None:
    keys = json.loads(key_file(kept).read_text(encoding="utf-8"))["keys"].values()
    kept.dx("down")
    kept.dx("sandbox", "build")
    for path in (kept.home / "warehouse").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(key.encode() in content for key in keys), path
