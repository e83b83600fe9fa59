"""The drill: back up, go on working, destroy the data folder, restore, replay what landed since: the same warehouse."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dx_pipeline.errors import SettingsError
from dx_pipeline.orchestration.restore import check_backup
from tests.conftest import Installation
from tests.star import star_checksums, warehouse_url

QUARANTINE = "select system, dataset, row_key, reasons, raw_record, status from ops.quarantine order by 1, 2, 3, 6"
WATERMARKS = (
    "select distinct on (system, dataset) system, dataset, watermark from ops.batch where status = 'published'"
    " and watermark is not null order by 1, 2, batch_id desc"
)
LEDGER = (
    "select batch_id, system, dataset, kind, status, extracted, accepted, quarantined, inserted, updated from ops.batch"
    " where status = 'published' order by 1"
)
RIGHTS = (
    "select n.nspname, c.relname, c.relacl::text, c.relrowsecurity from pg_class as c join pg_namespace as n"
    " on n.oid = c.relnamespace where n.nspname in ('core', 'core_partition', 'mart', 'ops', 'restricted', 'stage')"
    " and c.relkind in ('r', 'p', 'v') order by 1, 2"
)


def ask(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement).fetchall()


class Drill:
    """What there was before the data folder was destroyed, and what there was after the restore."""

    def __init__(self, installation: Installation, backup: Path) -> None:
        self.installation = installation
        self.backup = backup
        with psycopg.connect(warehouse_url(installation.home)) as connection:
            connection.execute("create role reader_of_the_drill login password 'x' in role dx_analyst")
            connection.execute("select ops.create_department_role('H50.14')")
        self.told = installation.dx("backup", str(backup)).stdout
        for seed, datasets in (("1", ["one_stop"]), ("2", ["one_stop.ho_so", "one_stop.qua_trinh_xu_ly"])):
            installation.dx("sandbox", "change", "--rows", "150", "--seed", seed)
            installation.dx("run", *datasets)
        self.before = self._state()
        installation.dx("down")
        shutil.rmtree(installation.home / "warehouse")
        installation.dx("sandbox", "build")  # starts the sources again, builds nothing
        self.restored = installation.dx("restore", str(backup)).stdout
        self.after = self._state()

    def _state(self) -> dict[str, Any]:
        url = warehouse_url(self.installation.home)
        asked = {"quarantine": QUARANTINE, "watermarks": WATERMARKS, "ledger": LEDGER, "rights": RIGHTS}
        return {"star": star_checksums(url), **{name: ask(url, statement) for name, statement in asked.items()}}


@pytest.fixture(scope="module")
def drill(kept: Installation, tmp_path_factory: pytest.TempPathFactory) -> Drill:
    return Drill(kept, tmp_path_factory.mktemp("backup") / "đĩa 'sao lưu'" / "2024-07-01")


def test_every_table_is_as_if_nothing_had_happened(drill: Drill) -> None:
    assert drill.before["star"]["core.fact_dossier"][0] > 1_900
    assert drill.after["star"] == drill.before["star"]


def test_the_later_landings_made_the_difference(drill: Drill) -> None:
    description = json.loads((drill.backup / "backup.json").read_text(encoding="utf-8"))
    later = [row for row in drill.before["ledger"] if row[0] > description["last_batch"]]
    assert len(later) == 13
    assert sum(row[9] for row in later) >= 150, "nothing changed after the backup: the drill proves nothing"
    assert "13 batches that landed after the backup are published again" in drill.restored


@pytest.mark.parametrize("what", ["quarantine", "watermarks", "ledger", "rights"])
def test_ledger_quarantine_and_rights_are_as_they_were(drill: Drill, what: str) -> None:
    assert drill.before[what]
    assert drill.after[what] == drill.before[what]


def test_roles_come_back_without_passwords(drill: Drill) -> None:
    found = ask(
        warehouse_url(drill.installation.home),
        "select m.rolname, g.rolname, m.rolpassword is null from pg_auth_members as a"
        " join pg_authid as m on m.oid = a.member join pg_authid as g on g.oid = a.roleid"
        " where m.rolname in ('reader_of_the_drill', 'dx_department:H50.14') order by 1",
    )
    assert found == [("dx_department:H50.14", "dx_department", True), ("reader_of_the_drill", "dx_analyst", True)]
    assert "logins without a password: reader_of_the_drill" in drill.restored


def test_the_next_run_goes_on_where_the_lost_one_had_come_to(drill: Drill) -> None:
    highest = max(row[0] for row in drill.before["ledger"])
    done = drill.installation.dx("run", "one_stop.ho_so")
    assert "succeeded" in done.stdout
    url = warehouse_url(drill.installation.home)
    assert ask(
        url, f"select min(batch_id) > {highest} from ops.batch where run_id <> 'restored' and batch_id > 12"
    ) == [(True,)]
    assert star_checksums(url) == drill.before["star"]


def test_both_are_in_the_record_of_operations(drill: Drill) -> None:
    told = drill.installation.dx("audit", "--operations", "--csv").stdout
    assert ",restore," in told
    assert '""keys"": ""present""' in told


def test_the_backup_is_private_and_holds_no_key_and_no_password(drill: Drill) -> None:
    home = drill.installation.home
    files = [path for path in drill.backup.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert {
        stat.S_IMODE(path.stat().st_mode) for path in [drill.backup, *drill.backup.rglob("*")] if path.is_dir()
    } == {0o700}
    keys = json.loads((home / "keys" / "pseudonym.json").read_text(encoding="utf-8"))["keys"].values()
    connections = (home / "connections.env").read_text(encoding="utf-8")
    passwords = [part.split("@")[0].rpartition(":")[2] for part in connections.split("://")[1:] if "@" in part]
    secrets = [
        *keys,
        *(word for word in passwords if len(word) >= 12),
        (home / "warehouse" / "password").read_text().strip(),
    ]
    assert len(secrets) >= 3
    for path in files:
        content = path.read_bytes()
        assert not any(secret.encode() in content for secret in secrets), path
    assert "keys are not in it" in drill.told


# -- refusals --------------------------------------------------------------------------------------


def refused(drill: Drill, *arguments: str) -> str:
    before = star_checksums(warehouse_url(drill.installation.home))
    done = drill.installation.dx(*arguments, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert star_checksums(warehouse_url(drill.installation.home)) == before
    return done.stderr


def test_a_warehouse_that_is_not_empty_is_not_overwritten(drill: Drill) -> None:
    assert "is not empty" in refused(drill, "restore", str(drill.backup))


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "add", "description", "no backup"])
def test_a_damaged_backup_is_refused_even_by_force(drill: Drill, tmp_path: Path, damage: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(drill.backup, copy)
    dump = copy / "warehouse.dump"
    if damage == "flip":
        content = bytearray(dump.read_bytes())
        content[len(content) // 2] ^= 1
        dump.write_bytes(content)
    elif damage == "cut":
        dump.write_bytes(dump.read_bytes()[:-1])
    elif damage == "remove":
        (copy / "roles.json").unlink()
    elif damage == "add":
        (copy / "extra.sql").write_text("drop schema core cascade;")
    elif damage == "description":
        text = (copy / "backup.json").read_text(encoding="utf-8")
        (copy / "backup.json").write_text(text.replace('"rows": ', '"rows":  ', 1), encoding="utf-8")
    else:
        shutil.rmtree(copy)
    with pytest.raises(SettingsError, match=r"not what the backup wrote|is not a backup that can be read"):
        check_backup(copy)
    if damage == "flip":
        assert "warehouse.dump is not what the backup wrote" in refused(drill, "restore", str(copy), "--force")


def test_a_dump_that_breaks_off_changes_nothing(drill: Drill, tmp_path: Path) -> None:
    """The hashes agree (somebody made them anew), but the dump is half: the transaction is rolled back."""
    import hashlib

    copy = tmp_path / "copy"
    shutil.copytree(drill.backup, copy)
    dump = copy / "warehouse.dump"
    dump.write_bytes(dump.read_bytes()[: dump.stat().st_size * 2 // 3])
    description = json.loads((copy / "backup.json").read_text(encoding="utf-8"))
    description["files"]["warehouse.dump"] = {
        "bytes": dump.stat().st_size,
        "sha256": hashlib.sha256(dump.read_bytes()).hexdigest(),
    }
    (copy / "backup.json").write_text(json.dumps(description), encoding="utf-8")
    (copy / "backup.sha256").write_text(
        hashlib.sha256((copy / "backup.json").read_bytes()).hexdigest(), encoding="ascii"
    )
    assert "could not" in refused(drill, "restore", str(copy), "--force")


def test_another_key_under_the_same_number_is_refused(drill: Drill, tmp_path: Path) -> None:
    key = drill.installation.home / "keys" / "pseudonym.json"
    shutil.move(key, tmp_path / "key")
    try:
        key.write_text('{"current": 1, "keys": {"1": "' + "A" * 43 + '="}}', encoding="utf-8")
        key.chmod(0o600)
        assert "holds another key 1" in refused(drill, "restore", str(drill.backup), "--force")
    finally:
        shutil.move(tmp_path / "key", key)


@pytest.mark.parametrize("place", ["landing/backup", "warehouse/backup"])
def test_a_backup_does_not_go_into_what_it_backs_up(drill: Drill, place: str) -> None:
    assert "lies inside what is backed up" in refused(drill, "backup", str(drill.installation.home / place))


def test_a_backup_is_never_overwritten(drill: Drill) -> None:
    assert "it is there already" in refused(drill, "backup", str(drill.backup))


# -- another place ---------------------------------------------------------------------------------


def test_a_backup_with_everything_makes_the_same_warehouse_elsewhere(
    drill: Drill, make_installation: Any, source_server: Any, tmp_path: Path
) -> None:
    """Landed rows and keys in the backup; restored into a server of one's own (``DX_WAREHOUSE_URL``)."""
    drill.installation.dx("backup", str(tmp_path / "all"), "--landing", "--with-keys")
    other = make_installation()
    source_server.create_database("restored_elsewhere")
    url = source_server.start().url("restored_elsewhere", "postgresql")
    other.environment["DX_WAREHOUSE_URL"] = url
    told = other.dx("restore", str(tmp_path / "all")).stdout
    assert "0 batches that landed after" in told
    assert star_checksums(url) == star_checksums(warehouse_url(drill.installation.home))
    key = other.home / "keys" / "pseudonym.json"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.read_text() == (drill.installation.home / "keys" / "pseudonym.json").read_text()
    newest = ask(
        url, "select max(batch_id) from ops.batch where dataset = 'ho_so' and status = 'published' and extracted > 0"
    )
    replayed = other.dx("replay", str(newest[0][0])).stdout
    assert "succeeded" in replayed
