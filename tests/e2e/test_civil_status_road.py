"""Civil status by the ``dx`` command: JSON files in, counts out, and no small count that tells of a person."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest

from dx_pipeline.sandbox.civil_status.build import build_civil_status
from tests.conftest import Installation
from tests.star import star_checksums, warehouse_url

SEED = 7
K = 5
PROTECTED = {"KT", "GH", "NCN"}

pytestmark = pytest.mark.timeout(600)


class Justice:
    """An installation with the department's folder alone, loaded once."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.folder = installation.home / "extracts"
        truth_path = installation.home / "truth"
        build_civil_status(self.folder, seed=SEED, truth_path=truth_path)
        self.truth: dict[str, Any] = json.loads((truth_path / "truth.json").read_text(encoding="utf-8"))
        self.planted = pq.read_table(truth_path / "truth.parquet").to_pylist()
        installation.environment["DX_CONNECTION_CIVIL_STATUS"] = self.folder.resolve().as_uri()
        installation.dx("run", "civil_status")
        self.url = warehouse_url(installation.home)
        self.first = star_checksums(self.url)

    def ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement, values or None).fetchall()

    def entries(self) -> list[dict[str, Any]]:
        """Every entry of every file, as it stands there."""
        found = []
        for path in sorted(self.folder.glob("*.json")):
            raw = path.read_bytes()
            found += json.loads(raw.decode(json.detect_encoding(raw)))["du_lieu"]
        return found


@pytest.fixture(scope="module")
def justice(make_installation: Callable[[], Installation]) -> Justice:
    return Justice(make_installation())


def test_ledger_is_what_the_truth_says(justice: Justice) -> None:
    wanted = justice.truth["tables"]["viec_ho_tich"]
    assert justice.ask("select source_rows, accepted, quarantined, duplicate, inserted from ops.batch") == [
        (wanted["rows"], wanted["accepted"], wanted["quarantined"], wanted["duplicate"], wanted["accepted"])
    ]
    assert (wanted["quarantined"], wanted["duplicate"]) == (103, 18)


def test_counts_are_those_of_the_files(justice: Justice) -> None:
    """Counted by hand: entries per kind, less copies and what is rejected."""
    codes = {(row["row_key"].split("#")[0], row["verdict"]) for row in justice.planted}
    rejected = {key for key, verdict in codes if verdict == "critical"}
    kept: dict[str, dict[str, Any]] = {}
    for entry in justice.entries():
        number = str(entry["so_dang_ky"]).split("/")[0]
        key = f"{entry['noi_dang_ky']['ma_xa']}|{entry['quyen_so']}|{number}"
        if key not in rejected:
            kept[key] = entry
    months = Counter((entry["loai_viec"], entry["ngay_dang_ky"][3:]) for entry in kept.values())
    late = Counter(e["loai_viec"] for e in kept.values() if e["dang_ky_qua_han"] and e["loai_viec"] in ("KS", "KT"))
    assert sum(months.values()) == justice.truth["tables"]["viec_ho_tich"]["accepted"]
    found = justice.ask(
        "select k.code, to_char(f.month, 'MM/YYYY'), sum(f.events) from core.fact_civil_status_month as f"
        " join core.dim_civil_event_kind as k on k.event_kind_sk = f.event_kind_sk group by 1, 2"
    )
    assert {(code, month): int(events) for code, month, events in found} == months
    found = justice.ask(
        "select k.code, sum(f.late_registrations), sum(f.personal_numbers_issued) from core.fact_civil_status_month as f"
        " join core.dim_civil_event_kind as k on k.event_kind_sk = f.event_kind_sk group by 1"
    )
    assert {code: int(count) for code, count, _ in found if count} == late
    births = sum(count for (code, _), count in months.items() if code == "KS")
    assert {code: int(count) for code, _, count in found if count} == {"KS": births - 60 - 10}  # none, or unreadable


def test_every_commune_is_found_and_another_tone_is_the_same_name(justice: Justice) -> None:
    assert justice.ask(
        "select min(commune_sk) > 0, count(distinct commune_code) from core.fact_civil_status_month"
    ) == [(True, 125)]
    flagged = justice.ask(
        "select encode(event_hash, 'hex') from restricted.civil_status_event where 'ten_xa_khac_ma' = any(quality_flags)"
    )
    planted = {
        hashlib.sha256(row["row_key"].encode()).hexdigest(): row["code"]
        for row in justice.planted
        if row["code"] in ("ten_xa_khac_ma", "tone_placement", "decomposed_letters")
    }
    assert Counter(planted[key] for (key,) in flagged) == {"ten_xa_khac_ma": 12}


def test_one_reason_per_planted_fault(justice: Justice) -> None:
    """A clerk is told what is wrong once: no rule fires on what another one already says."""
    reasons = Counter(
        tuple(reasons) for (reasons,) in justice.ask("select reasons from ops.quarantine where status = 'open'")
    )
    planted = Counter((row["code"],) for row in justice.planted if row["verdict"] == "critical")
    assert reasons == planted


# -- suppression -------------------------------------------------------------------------------------


def shown(justice: Justice) -> list[dict[str, Any]]:
    names = ("level", "unit_code", "district_code", "month", "event_kind", "is_protected", "events",
             "late_registrations", "personal_numbers_issued", "is_suppressed")  # fmt: skip
    rows = justice.ask(f"select {', '.join(names)} from mart.civil_status_by_commune_month")
    return [dict(zip(names, row, strict=True)) for row in rows]


def test_small_counts_of_protected_kinds_are_not_shown_and_others_are(justice: Justice) -> None:
    rows = shown(justice)
    assert {row["event_kind"] for row in rows if row["is_protected"]} == PROTECTED
    assert {row["event_kind"] for row in rows if row["is_suppressed"]} == PROTECTED
    visible = [row["events"] for row in rows if row["is_protected"] and not row["is_suppressed"]]
    assert len(visible) > 5
    assert min(visible) >= K
    for row in rows:
        assert (row["events"] is None) == row["is_suppressed"]
        is_told = row["level"] == "district" and not row["is_suppressed"] and row["events"] >= K
        assert (row["late_registrations"] is not None) == is_told
        assert (row["personal_numbers_issued"] is not None) == is_told
    assert sum(row["late_registrations"] is not None for row in rows if row["event_kind"] == "KS") > 100


def test_no_suppressed_count_can_be_computed(justice: Justice) -> None:
    """Of what the shown rows leave of a district each hidden commune may have 1, or 5 more."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in shown(justice):
        groups[row["district_code"], row["month"], row["event_kind"]].append(row)
    attacked = 0
    for rows in groups.values():
        (district,) = [row for row in rows if row["level"] == "district"]
        communes = [row for row in rows if row["level"] == "commune"]
        hidden = [row for row in communes if row["is_suppressed"]]
        if district["is_suppressed"]:
            assert len(hidden) == len(communes)
            continue
        left = district["events"] - sum(row["events"] for row in communes if not row["is_suppressed"])
        assert (left == 0) == (not hidden)
        if hidden:
            attacked += 1
            assert len(hidden) >= 2
            assert left - len(hidden) >= K
    assert attacked > 5


# -- personal data -----------------------------------------------------------------------------------


def test_no_personal_number_in_the_warehouse_and_none_in_columns(justice: Justice) -> None:
    columns = justice.ask(
        "select table_name, column_name from information_schema.columns where table_schema in ('core', 'mart', 'restricted')"
        " and column_name ~ '(event_hash|so_dinh_danh|quyen_so|so_dang_ky|pseudonym)' and table_name ~ 'civil'"
    )
    assert columns == [("civil_status_event", "event_hash")]


@pytest.mark.parametrize(
    ("role", "table", "allowed"),
    [
        ("dx_loader", "restricted.civil_status_event", True),
        ("dx_engineer", "restricted.civil_status_event", False),
        ("dx_analyst", "restricted.civil_status_event", False),
        ("dx_engineer", "core.fact_civil_status_month", True),
        ("dx_analyst", "core.fact_civil_status_month", False),
        ("dx_bi", "core.fact_civil_status_month", False),
        ("dx_analyst", "mart.civil_status_by_commune_month", True),
        ("dx_bi", "mart.civil_status_by_commune_month", True),
    ],
)
def test_who_reads_what(justice: Justice, role: str, table: str, allowed: bool) -> None:
    assert justice.ask("select has_table_privilege(%s, %s, 'select')", role, table) == [(allowed,)]


# -- later runs --------------------------------------------------------------------------------------


def test_the_second_run_changes_nothing(justice: Justice) -> None:
    justice.installation.dx("run", "civil_status")
    assert justice.ask("select inserted, updated from ops.batch order by batch_id desc limit 1") == [(0, 0)]
    assert star_checksums(justice.url) == justice.first


def test_an_entry_that_is_struck_off_leaves_the_count_and_may_come_back(justice: Justice) -> None:
    path: Path = justice.folder / "ho_tich_2023-01.json"
    whole = path.read_bytes()
    document = json.loads(whole)
    total = "select sum(events) from core.fact_civil_status_month"
    ((before,),) = justice.ask(total)
    planted = {row["row_key"].split("#")[0] for row in justice.planted}
    clean = next(
        entry
        for entry in document["du_lieu"]
        if f"{entry['noi_dang_ky']['ma_xa']}|{entry['quyen_so']}|{entry['so_dang_ky']}" not in planted
        and "/" not in str(entry["so_dang_ky"])
    )
    document["du_lieu"].remove(clean)
    path.write_text(json.dumps(document), encoding="utf-8")
    justice.installation.dx("run", "civil_status")
    assert justice.ask(total) == [(before - 1,)]
    assert justice.ask("select count(*) from restricted.civil_status_event where closed_on is not null") == [(1,)]

    path.write_bytes(whole)
    justice.installation.dx("run", "civil_status")
    assert star_checksums(justice.url) == justice.first
