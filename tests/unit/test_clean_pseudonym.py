"""Pseudonyms: the SQL expression is HMAC-SHA256, and the key file is guarded."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from dx_pipeline.clean.pseudonym import PseudonymKeys, pseudonym, pseudonym_columns
from dx_pipeline.contract.model import Column
from dx_pipeline.errors import SettingsError
from tests.unit.test_clean_batch import contract

KEYS = PseudonymKeys(1, {1: bytes(range(32))})


def personal(name: str, kind: str) -> Column:
    return Column(name, name, kind, "string", classification="personal")


def test_expression_equals_python_hmac() -> None:
    people = contract(personal("so_giay_to", "citizen_id"), personal('dien"thoai', "phone"))
    expressions, parameters = pseudonym_columns(people, KEYS)
    rows = pa.table({"so_giay_to": ["045099001234", None, ""], 'dien"thoai': ["0912345678", "số lạ", None]})
    connection = duckdb.connect()
    connection.register("cleaned", rows)
    select = ", ".join(f'{sql} as "{name.replace(chr(34), chr(34) * 2)}"' for name, sql in expressions.items())
    found = connection.execute(f"select {select} from cleaned", parameters).fetchall()
    assert found == [
        (pseudonym("045099001234", "citizen_id", KEYS), pseudonym("0912345678", "phone", KEYS)),
        (None, pseudonym("số lạ", "phone", KEYS)),
        (pseudonym("", "citizen_id", KEYS), None),
    ]
    assert all(len(v) == 32 for row in found for v in row if v is not None)


def test_reference_is_rfc_2104() -> None:
    domain_key = hmac.new(bytes(range(32)), b"pseudonym/phone", hashlib.sha256).digest()
    assert KEYS.domain_key("phone") == domain_key
    assert pseudonym("0912345678", "phone", KEYS) == hmac.new(domain_key, b"0912345678", hashlib.sha256).digest()


def test_domains_and_keys_do_not_meet() -> None:
    other = PseudonymKeys(2, {1: bytes(32), 2: bytes(range(1, 33))})
    made = {pseudonym("045099001234", d, k) for d in ("citizen_id", "phone") for k in (KEYS, other)}
    assert len(made) == 4


def test_only_personal_columns_of_pseudonymised_types() -> None:
    people = contract(
        personal("cccd", "citizen_id"),
        personal("ten", "person_name"),
        replace(personal("duong_day_nong", "phone"), classification="public"),
        replace(personal("lien_he", "phone"), classification="sensitive"),
    )
    expressions, parameters = pseudonym_columns(people, KEYS)
    assert sorted(expressions) == ["cccd_pseudonym", "lien_he_pseudonym"]
    assert all(f"${name}" in "".join(expressions.values()) for name in parameters)
    assert pseudonym_columns(contract(personal("ten", "person_name")), KEYS) == ({}, {})


def test_no_key_in_statement_or_repr() -> None:
    expressions, parameters = pseudonym_columns(contract(personal("cccd", "citizen_id")), KEYS)
    shown = repr(KEYS) + str(expressions)
    for secret in (*KEYS.keys.values(), *parameters.values()):
        assert secret.hex() not in shown
        assert base64.b64encode(secret).decode() not in shown
    assert "keys" not in repr(KEYS).removeprefix("PseudonymKeys")


def test_first_use_makes_a_private_file_and_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "pseudonym.json"
    first = PseudonymKeys.load(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(json.loads(path.read_text())) == ["current", "keys"]
    assert len(first.keys[1]) == 32
    assert PseudonymKeys.load(path) == first
    assert [p.name for p in path.parent.iterdir()] == ["pseudonym.json"]


def test_first_use_by_many_at_once_gives_one_key(tmp_path: Path) -> None:
    path = tmp_path / "pseudonym.json"
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: PseudonymKeys.load(path), range(16)))
    assert len({k.keys[1] for k in keys}) == 1


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602, 0o620])
def test_a_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "pseudonym.json"
    PseudonymKeys.load(path)
    path.chmod(mode)
    with pytest.raises(SettingsError, match="open to other users") as caught:
        PseudonymKeys.load(path)
    assert "chmod 600" in caught.value.next_step


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"current": 1}',
        '{"current": 2, "keys": {"1": "' + base64.b64encode(bytes(32)).decode() + '"}}',
        '{"current": 1, "keys": {"1": "c2hvcnQ="}}',
        '{"current": 1, "keys": {"1": "no base64!"}}',
    ],
)
def test_a_malformed_file_is_refused_and_kept(tmp_path: Path, content: str) -> None:
    path = tmp_path / "pseudonym.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(SettingsError, match="pseudonym key file") as caught:
        PseudonymKeys.load(path)
    assert "c2hvcnQ" not in str(caught.value)
    assert path.read_text() == content
