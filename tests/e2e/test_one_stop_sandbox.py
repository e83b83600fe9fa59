"""The one-stop sandbox from its first load over changes and mended rows to replays, by the ``dx`` command.

The tests follow one installation through its life, in the order of this file. Every expected number comes from the
truth the sandbox wrote, or is counted in the source itself.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import psycopg
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from dotenv import dotenv_values

from benchmarks import snapshot
from dx_pipeline.contract.catalog import load_catalog
from dx_pipeline.sandbox.province import SandboxProvince
from dx_pipeline.settings import Settings
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.marts import compute_mart
from tests.conftest import ROOT, Installation
from tests.property.test_kept_tallies import MARTS, mart_content
from tests.star import star_checksums, warehouse_url

DOSSIERS = 3_000
DATASETS = sorted(name for name, one in load_catalog([ROOT]).contracts.items() if one.system == "one_stop")
TABLES = [dataset.partition(".")[2] for dataset in DATASETS]
CHANGED_BY_THE_SANDBOX = {"ho_so": "Id", "qua_trinh_xu_ly": "Id", "giay_to_ket_qua": "Id", "dong_bo_dvcqg": "Id"}

pytestmark = pytest.mark.timeout(600)

Row = tuple[Any, ...]


@dataclass
class Province:
    """The installation, its truth, and everything ``dx`` has printed."""

    installation: Installation
    printed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.home = self.installation.home
        self.dx("sandbox", "build", "--dossiers", str(DOSSIERS))
        sandbox = SandboxProvince(Settings(home=self.home))
        self.source_url = sa.make_url(sandbox.admin_url()).set(drivername="postgresql")
        self.truth = json.loads((sandbox.truth_path / "truth.json").read_text(encoding="utf-8"))
        self.planted = pq.read_table(sandbox.truth_path / "one_stop_truth.parquet").to_pylist()
        self.dx("run")
        self.url = warehouse_url(self.home)
        self.first = star_checksums(self.url)

    def dx(self, *arguments: str, check: bool = True) -> str:
        done = self.installation.dx(*arguments, check=check)
        self.printed += [done.stdout, done.stderr]
        return done.stdout + done.stderr

    def ask(self, statement: str, *values: object) -> list[Row]:
        """Ask the warehouse as its owner."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement, values or None).fetchall()

    def source(self, statement: str) -> list[Row]:
        """Ask or change the one-stop database as its owner."""
        with psycopg.connect(self.source_url.render_as_string(hide_password=False)) as connection:
            connection.execute("set search_path = motcua")
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def last_run(self) -> dict[str, dict[str, Any]]:
        """Ledger rows of the newest run, by table."""
        found = self.ask("select to_jsonb(b) from ops.batch as b where run_id = (select run_id from ops.batch"
                         " order by batch_id desc limit 1) and system = 'one_stop' order by batch_id")  # fmt: skip
        return {batch["dataset"]: batch for (batch,) in found}

    def published_batch(self, table: str) -> int:
        """The first published batch of a table."""
        first = "select min(batch_id) from ops.batch where dataset = %s and status = 'published'"
        return int(self.ask(first, table)[0][0])

    def ledger(self) -> list[Row]:
        return self.ask("select b::text from ops.batch as b order by batch_id")


@pytest.fixture(scope="module")
def province(make_installation: Callable[[], Installation]) -> Province:
    return Province(make_installation())


# -- the first load ----------------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES)
def test_first_batch_balances_as_the_truth_says(province: Province, table: str) -> None:
    wanted = province.truth["tables"][table]
    ((batch,),) = province.ask("select to_jsonb(b) from ops.batch as b where dataset = %s", table)
    assert batch["status"] == "published"
    told = {name: batch[name] for name in ("source_rows", "extracted", "accepted", "quarantined", "duplicate")}
    assert told == {
        "source_rows": wanted["rows"],
        "extracted": wanted["rows"],
        "accepted": wanted["accepted"],
        "quarantined": wanted["quarantined"],
        "duplicate": wanted["duplicate"],
    }
    # Agencies that another system named before the catalogue came were inferred members, completed now.
    completed = batch["updated"] if table == "groups" else 0
    counts = (batch["inserted"] + completed, batch["updated"] - completed, batch["unchanged"])
    assert counts == (wanted["accepted"], 0, 0)


def test_every_planted_fault_is_found_and_nobody_else_accused(province: Province) -> None:
    told = province.installation.dx("sandbox", "verify", check=False)
    assert told.returncode == 0, told.stdout
    assert "recall 1.0000, clean rows rejected 0" in told.stdout


def test_service_level_on_a_day_and_today(province: Province) -> None:
    """647 partial and 1,081 full on 30 June 2024; later changes of level give another answer for today."""
    known = dict(province.truth["procedures_in_force_2024_06_30"].items())
    question = "select partial_count, full_count, info_count from mart.service_level_on({})"
    on_the_day = province.installation.rows(question.format("date '2024-06-30'"))
    assert on_the_day == [["647", "1081", "150"]]
    assert on_the_day == [[str(known[level]) for level in ("3", "4", "2")]]
    assert province.installation.rows(question.format("current_date")) != on_the_day


def test_last_and_first_seconds_of_a_month_count_in_the_right_month(province: Province) -> None:
    tricky = {row["ma_ho_so"]: row["expected_month"] for row in province.planted if row["expected_month"]}
    assert {row["code"] for row in province.planted if row["expected_month"]} >= {
        "month_end_second",
        "month_first_second",
    }
    found = province.ask(
        "select dossier_code, to_char(received_on, 'YYYY-MM') from core.fact_dossier where dossier_code = any(%s)",
        list(tricky),
    )
    assert dict(found) == tricky


# -- personal data, rights, secrets ------------------------------------------------------------------


def text_columns(province: Province, *schemas: str) -> list[tuple[str, str]]:
    """Table and column of everything that can hold a text."""
    return province.ask(
        "select format('%%I.%%I', n.nspname, c.relname), a.attname from pg_class as c"
        " join pg_namespace as n on n.oid = c.relnamespace"
        " join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped"
        " join pg_type as t on t.oid = a.atttypid where n.nspname = any(%s) and c.relkind in ('r', 'p', 'v', 'm')"
        " and not c.relispartition and t.typname in ('text', '_text', 'varchar', 'json', 'jsonb', 'bpchar')",
        list(schemas),
    )


def people(province: Province) -> dict[str, list[str]]:
    """Names, identity numbers and phones of applicants, as the source writes them."""
    rows = province.source(
        'select "ChuHoSo", "SoGiayToChuHoSo", "SoDienThoaiChuHoSo" from ho_so'
        ' where "SoGiayToChuHoSo" ~ \'^[0-9]{12}$\' and "SoDienThoaiChuHoSo" ~ \'^0[0-9]{9}$\' order by "Id" limit 40'
    )
    assert len(rows) == 40
    names, numbers, phones = (list(map(str, column)) for column in zip(*rows, strict=True))
    return {"names": names, "numbers": numbers, "phones": phones}


def test_no_column_of_the_star_is_a_personal_one(province: Province) -> None:
    personal = {
        name
        for contract in load_catalog([ROOT]).contracts.values()
        for column in contract.columns
        if column.is_personal
        for name in (column.name, column.source_name, f"{column.name}_pseudonym")
    }
    assert "chu_ho_so" in personal
    columns = province.ask(
        "select a.attname from pg_attribute as a join pg_class as c on c.oid = a.attrelid where a.attnum > 0"
        " and c.relnamespace in ('core'::regnamespace, 'core_partition'::regnamespace, 'mart'::regnamespace)"
    )
    assert len(columns) > 200
    assert {name for (name,) in columns} & personal == set()


@pytest.mark.parametrize("kind", ["names", "numbers", "phones"])
def test_no_applicant_is_in_the_star_or_in_rule_results(province: Province, kind: str) -> None:
    known = [f"%{text}%" for text in people(province)[kind]]
    columns = [*text_columns(province, "core", "mart"), ("ops.rule_result", "gx_result"), ("ops.batch", "message")]
    assert len(columns) > 60
    found = [
        f"{table}.{column}"
        for table, column in columns
        if province.ask(f'select exists (select from {table} where "{column}"::text like any(%s))', known) != [(False,)]
    ]
    assert found == []


def test_quarantine_is_read_by_engineers_only(province: Province) -> None:
    question = "select count(*) from ops.quarantine where system = 'one_stop' and 'kenh_unknown' = any(reasons)"
    assert province.installation.dx("sql", "-f", "csv", "--role", "dx_engineer", question).stdout.split() == [
        "count",
        "3",
    ]
    for role in ("dx_analyst", "dx_bi"):
        refused = province.installation.dx("sql", "--role", role, question, check=False)
        assert refused.returncode == 1
        assert "permission denied" in refused.stderr


@pytest.mark.parametrize("role", ["dx_engineer", "dx_analyst", "dx_bi"])
@pytest.mark.parametrize(
    "question", ["select * from restricted.dossier_applicant", "select raw_record from ops.quarantine"]
)
def test_personal_records_are_read_by_nobody(province: Province, role: str, question: str) -> None:
    refused = province.installation.dx("sql", "--role", role, question, check=False)
    assert refused.returncode == 1
    assert "permission denied" in refused.stderr


@pytest.mark.parametrize(
    "statement",
    [
        "drop table core.fact_dossier",
        "delete from core.fact_dossier",
        "select 1; drop table core.fact_dossier",
        "create table core.mine as select 1 as x",
    ],
)
def test_sql_changes_nothing(province: Province, statement: str) -> None:
    refused = province.installation.dx("sql", statement, check=False)
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert star_checksums(province.url)["core.fact_dossier"] == province.first["core.fact_dossier"]


def secrets_of(home: Path) -> dict[str, bytes]:
    """Everything of an installation that only its owner may know."""
    connection = sa.make_url(str(dotenv_values(home / "connections.env")["DX_CONNECTION_ONE_STOP"]))
    key = json.loads((home / "keys" / "pseudonym.json").read_text(encoding="utf-8"))["keys"]["1"]
    found = {
        "reader password": str(connection.password).encode(),
        "warehouse password": (home / "warehouse" / "password").read_text(encoding="utf-8").strip().encode(),
        "sandbox password": (home / "sandbox_one_stop" / "password").read_text(encoding="utf-8").strip().encode(),
        "pseudonym key": key.encode(),
        "pseudonym key, raw": base64.b64decode(key),
        "pseudonym key, hex": base64.b64decode(key).hex().encode(),
    }
    assert all(len(secret) >= 16 for secret in found.values())
    return found | {
        f"{name}, unquoted": unquote(secret.decode("latin-1")).encode("latin-1") for name, secret in found.items()
    }


def test_no_secret_is_in_event_logs_manifests_or_outputs(province: Province) -> None:
    for command in (("status",), ("batches",), ("up",), ("batches", "show", "1"), ("contract", "list"), ("doctor",)):
        province.dx(*command, check=False)
    files = [path for folder in ("dagster", "landing", "sandbox") for path in (province.home / folder).rglob("*")]
    logs = {path: path.read_bytes() for path in files if path.is_file() and path.suffix != ".parquet"}
    assert sum(map(len, logs.values())) > 100_000
    printed = "\n".join(province.printed).encode()
    for name, secret in secrets_of(province.home).items():
        assert [path for path, content in logs.items() if secret in content] == [], name
        assert secret not in printed, name


@pytest.mark.parametrize("kind", ["names", "numbers"])
def test_no_applicant_is_in_the_event_logs(province: Province, kind: str) -> None:
    logs = [path.read_bytes() for path in (province.home / "dagster").rglob("*") if path.is_file()]
    known = people(province)[kind]
    for text in [*known, *(json.dumps(text)[1:-1] for text in known)]:
        assert not any(text.encode() in log for log in logs), text


# -- nothing new -------------------------------------------------------------------------------------


def test_plan_writes_nothing(province: Province) -> None:
    before = province.ledger(), sorted((province.home / "landing").rglob("*"))
    told = province.dx("run", "--plan")
    assert all(dataset in told for dataset in DATASETS)
    assert (province.ledger(), sorted((province.home / "landing").rglob("*"))) == before
    assert star_checksums(province.url) == province.first


def test_second_run_changes_nothing(province: Province) -> None:
    province.dx("run", "one_stop")
    batches = province.last_run()
    assert sorted(batches) == TABLES
    assert {(batch["status"], batch["inserted"], batch["updated"], batch["closed"]) for batch in batches.values()} == {
        ("published", 0, 0, 0)
    }
    assert star_checksums(province.url) == province.first


def test_a_month_read_again_changes_nothing(province: Province) -> None:
    ((rows,),) = province.source(
        """select count(*) from ho_so where "NgayNopHoSo" >= '2024-03-01' and "NgayNopHoSo" < '2024-04-01'"""
    )
    province.dx("run", "one_stop.ho_so", "-p", "2024-03")
    batch = province.last_run()["ho_so"]
    assert (batch["kind"], batch["period_month"], batch["status"]) == ("period", "2024-03-01", "published")
    assert (batch["extracted"], batch["inserted"], batch["updated"]) == (rows, 0, 0)
    assert rows > 50
    assert star_checksums(province.url) == province.first


def test_replay_of_a_published_batch_changes_nothing(province: Province) -> None:
    quarantine = "select dataset, row_key, reasons, raw_record, status from ops.quarantine order by 1, 2, 5"
    before = province.ask(quarantine)
    province.dx("replay", str(province.published_batch("ho_so")))
    batch = province.last_run()["ho_so"]
    assert (batch["kind"], batch["status"], batch["inserted"], batch["updated"]) == ("replay", "published", 0, 0)
    assert batch["unchanged"] == province.truth["tables"]["ho_so"]["accepted"]
    assert star_checksums(province.url) == province.first
    assert province.ask(quarantine) == before


# -- something new -----------------------------------------------------------------------------------


def content(province: Province, table: str) -> dict[Any, str]:
    """Rows of a source table by id, without the time of their last touch."""
    key = CHANGED_BY_THE_SANDBOX[table]
    return dict(province.source(f"""select "{key}", (to_jsonb(t) - 'NgayCapNhat')::text from {table} as t"""))


@dataclass
class Looked:
    """What a reader saw who looked at the warehouse all the time."""

    torn: list[str] = field(default_factory=list)
    states: set[str] = field(default_factory=set)


@contextmanager
def looking_for_torn_snapshots(url: str) -> Iterator[Looked]:
    """The checks of ``benchmarks/snapshot.py``, one after the other, for as long as the block runs."""
    looked, stop = Looked(), threading.Event()

    def look() -> None:
        with psycopg.connect(url) as connection:
            while not stop.wait(0.1):
                looked.states.add(snapshot.state(connection))
                looked.torn += snapshot.torn(connection)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield looked
    finally:
        stop.set()
        thread.join()


def test_exactly_what_changed_is_brought_and_then_nothing(province: Province) -> None:
    before = {table: content(province, table) for table in CHANGED_BY_THE_SANDBOX}
    province.dx("sandbox", "change", "--rows", "50")
    wanted = dict.fromkeys(TABLES, (0, 0))
    for table, old in before.items():
        new = content(province, table)
        changed = [key for key in old if new[key] != old[key]]
        wanted[table] = (len(new.keys() - old.keys()), len(changed))
    assert wanted["ho_so"] == (0, 50)
    assert wanted["qua_trinh_xu_ly"] == (50, 0)
    assert wanted["giay_to_ket_qua"][0] > 0
    assert wanted["dong_bo_dvcqg"][1] > 0
    with looking_for_torn_snapshots(province.url) as looked:
        province.dx("run", "one_stop")
    assert looked.torn == []
    assert len(looked.states) > 1, "something was published between two looks"
    assert {table: (b["inserted"], b["updated"]) for table, b in province.last_run().items()} == wanted
    changed_star = star_checksums(province.url)
    assert changed_star["core.fact_dossier"] != province.first["core.fact_dossier"]
    province.dx("run", "one_stop")
    assert {(b["inserted"], b["updated"]) for b in province.last_run().values()} == {(0, 0)}
    assert star_checksums(province.url) == changed_star


MENDED = "dataset = 'ho_so' and row_key = %s"


@pytest.fixture(scope="module")
def mended(province: Province) -> tuple[int, str]:
    """Id and code of a dossier whose channel was wrong and is mended at the source."""
    row = next(row for row in province.planted if row["code"] == "kenh_unknown")
    assert province.ask(f"select status from ops.quarantine where {MENDED}", str(row["source_id"])) == [("open",)]
    province.source(
        f"""update ho_so set "KenhThucHien" = '2', "NgayCapNhat" = (select max("NgayCapNhat") from ho_so)
        + interval '1 minute' where "Id" = {row["source_id"]}"""
    )
    province.dx("run", "one_stop.ho_so")
    return row["source_id"], row["ma_ho_so"]


def test_mended_row_leaves_quarantine_and_is_in_the_star(province: Province, mended: tuple[int, str]) -> None:
    source_id, code = mended
    batch = province.last_run()["ho_so"]
    assert (batch["inserted"], batch["updated"]) == (1, 0)
    found = province.ask(f"select status, released_by_batch from ops.quarantine where {MENDED}", str(source_id))
    assert found == [("released", batch["batch_id"])]
    assert province.ask("select channel_sk from core.fact_dossier where dossier_code = %s", code) == [(2,)]


def test_replay_of_an_old_batch_brings_nothing_old_back(province: Province, mended: tuple[int, str]) -> None:
    """The first batch holds the 50 dossiers as they were, and the row that was mended since."""
    before = star_checksums(province.url)
    province.dx("replay", str(province.published_batch("ho_so")))
    batch = province.last_run()["ho_so"]
    assert (batch["status"], batch["inserted"], batch["updated"]) == ("published", 0, 0)
    assert star_checksums(province.url) == before
    assert province.ask(f"select status from ops.quarantine where {MENDED}", str(mended[0])) == [("released",)]


def test_replay_of_an_old_catalogue_is_refused(province: Province) -> None:
    told = province.dx("replay", str(province.published_batch("thu_tuc")), check=False)
    assert "is older than what is published" in told
    assert "dx run one_stop.thu_tuc" in told


# -- something deleted at the source -----------------------------------------------------------------

STEPS = "one_stop.qua_trinh_xu_ly"


def test_deleted_steps_are_closed_by_a_whole_re_read_never_too_many_unasked(province: Province) -> None:
    """Half of the steps vanish: held. All but three come back: three are closed. These come back, too: they are open."""
    open_steps = "select count(*) from core.fact_dossier_event where event_kind_sk = 1 and closed_on is null"
    ((before,),) = province.ask(open_steps)
    gone = province.ask(
        "select event_id from core.fact_dossier_event where event_kind_sk = 1 and event_id % 2 = 0 order by 1 desc limit 3"
    )
    ids = [event for (event,) in gone]
    province.source('create table kept_steps as select * from qua_trinh_xu_ly where "Id" % 2 = 0')
    province.source('delete from qua_trinh_xu_ly where "Id" % 2 = 0')
    told = province.dx("run", "--whole", STEPS, check=False)
    assert "the contract lets 10 % vanish" in told
    assert f"dx vanished accept {STEPS}" in told
    assert province.last_run()["qua_trinh_xu_ly"]["status"] == "held"
    assert province.ask(open_steps) == [(before,)]

    province.source(f'insert into qua_trinh_xu_ly select * from kept_steps where "Id" not in {tuple(ids)}')
    province.dx("run", "--whole", STEPS)
    batch = province.last_run()["qua_trinh_xu_ly"]
    assert (batch["kind"], batch["inserted"], batch["updated"], batch["closed"]) == ("full", 0, 0, 3)
    closed = "select event_id from core.fact_dossier_event where event_kind_sk = 1 and closed_on is not null"
    assert sorted(province.ask(closed)) == sorted(gone)
    former = "select event_id from core.fact_dossier_event_history where event_kind_sk = 1 and event_id = any(%s)"
    assert sorted(province.ask(f"{former} and closed_on is null and last_batch_id <> {batch['batch_id']}", ids)) == (
        sorted(gone)
    )

    province.source('delete from qua_trinh_xu_ly where "Id" % 2 = 1')
    province.source(f'insert into qua_trinh_xu_ly select * from kept_steps where "Id" in {tuple(ids)}')
    province.dx("vanished", "accept", STEPS, "--by", "Trần Văn B", "--reason", "Công văn 12/STP")
    batch = province.last_run()["qua_trinh_xu_ly"]
    assert (batch["inserted"], batch["updated"]) == (0, 3), "the three are open again"
    assert batch["closed"] > before / 3
    assert province.ask(open_steps) == [(before - batch["closed"],)]
    assert province.ask("select decided_by, part, carried_out_by, rows_closed from ops.vanishing_decision") == [
        ("Trần Văn B", None, batch["batch_id"], batch["closed"])
    ]


# -- marts that kept their counts through all this ----------------------------------------------------


@pytest.mark.parametrize("mart", sorted(MARTS))
def test_a_mart_that_kept_its_counts_is_the_mart_from_nothing(province: Province, mart: str) -> None:
    assert province.ask("select batches is not null from ops.mart_tally where mart = %s", mart) == [(True,)]
    warehouse = Warehouse(sa.make_url(province.url).set(drivername="postgresql+psycopg"))
    try:
        with warehouse.loader() as connection:
            kept = mart_content(connection, MARTS[mart])
            compute_mart(connection, MARTS[mart])
            assert kept == mart_content(connection, MARTS[mart])
            connection.rollback()
    finally:
        warehouse.close()
    assert kept
