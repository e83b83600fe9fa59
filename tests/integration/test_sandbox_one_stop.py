"""The sandbox's one-stop system: same bytes twice, true catalogues, realistic shares, changes."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
import pytest

from dx_pipeline.errors import SettingsError
from dx_pipeline.sandbox.one_stop import build_one_stop, change_one_stop
from dx_pipeline.sandbox.one_stop.schema import CHILD_TABLES, READER_ROLE, TABLES, connection_text
from dx_pipeline.sandbox.one_stop.timeline import calendar_for, plan_period
from dx_pipeline.sandbox.one_stop.working_days import day_number, holidays
from dx_pipeline.warehouse.embedded import EmbeddedServer
from tests.integration.one_stop_sandbox import (
    DOSSIERS,
    PASSWORD,
    Sandbox,
    built_sandbox,
    checksums,
    moment,
    rows,
    value,
)


@pytest.fixture(scope="module")
def sandbox(source_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return built_sandbox(source_server, "one_stop_system", tmp_path_factory.mktemp("truth"))


# -- determinism -----------------------------------------------------------------------------------


def test_same_arguments_give_the_same_bytes(sandbox: Sandbox, source_url: str, tmp_path: Path) -> None:
    again = build_one_stop(source_url, dossiers=DOSSIERS, truth_path=tmp_path)

    assert checksums(source_url) == checksums(sandbox.url)
    assert again.truth_file.read_bytes() == sandbox.report.truth_file.read_bytes()
    assert again.summary_file.read_bytes() == sandbox.report.summary_file.read_bytes()


def test_another_seed_gives_another_province_and_rebuilding_replaces_the_old(source_url: str, tmp_path: Path) -> None:
    build_one_stop(source_url, dossiers=300, seed=1, truth_path=tmp_path)
    first = checksums(source_url)
    build_one_stop(source_url, dossiers=300, seed=2, truth_path=tmp_path)
    second = checksums(source_url)

    assert first["ngay_nghi"] == second["ngay_nghi"]
    assert {table for table in TABLES if first[table] == second[table]} == {"ngay_nghi", "linh_vuc", "groups"}


def test_chunks_do_not_change_the_totals(monkeypatch: pytest.MonkeyPatch, source_url: str, tmp_path: Path) -> None:
    monkeypatch.setattr("dx_pipeline.sandbox.one_stop.build.CHUNK_ROWS", 400)
    seen: Counter[str] = Counter()
    report = build_one_stop(
        source_url, dossiers=3_000, truth_path=tmp_path, progress=lambda table, count: seen.update({table: count})
    )

    assert seen == Counter(report.rows)
    assert min(report.planted.values()) >= 3
    assert value(source_url, 'select count(*) - count(distinct "Id") from ho_so') == 0
    codes = 'select "MaHoSo" from ho_so where "MaHoSo" <> \'\' and "Id" <= 3000'
    assert value(source_url, f'select count(*) - count(distinct "MaHoSo") from ({codes}) as t') == 0


def test_senseless_arguments_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="0 dossiers"):
        build_one_stop("postgresql://nobody@127.0.0.1:1/x", dossiers=0, truth_path=tmp_path)


def test_a_failed_build_leaves_the_old_sandbox(sandbox: Sandbox, tmp_path: Path) -> None:
    before = checksums(sandbox.url)

    def fail(table: str, count: int) -> None:
        if table == "ho_so":
            raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="the disk is full"):
        build_one_stop(sandbox.url, dossiers=500, truth_path=tmp_path, progress=fail)
    assert checksums(sandbox.url) == before
    assert list(tmp_path.iterdir()) == []


# -- catalogues ------------------------------------------------------------------------------------

LEVEL_ON = """
with word(text, level) as (
    values ('4', 4), ('3', 3), ('2', 2), ('Mức độ 4', 4), ('Mức độ 3', 3), ('Mức độ 2', 2),
           ('toàn trình', 4), ('một phần', 3)
)
select coalesce(last_change.level, next_change.level, current.level) as level, count(*)
from thu_tuc as t
join word as current on current.text = t."MucDo"
left join lateral (
    select w.level from thay_doi_muc_do_thu_tuc as c join word as w on w.text = c."MucDoMoi"
    where c."MaTTHC" = t."MaTTHC" and c."ThoiGian" < timestamp '{day}' + interval '1 day'
    order by c."ThoiGian" desc limit 1
) as last_change on true
left join lateral (
    select w.level from thay_doi_muc_do_thu_tuc as c join word as w on w.text = c."MucDoCu"
    where c."MaTTHC" = t."MaTTHC" order by c."ThoiGian" limit 1
) as next_change on true
group by 1
"""


def test_published_numbers_of_services_hold_on_that_day_only(sandbox: Sandbox) -> None:
    assert dict(rows(sandbox.url, LEVEL_ON.format(day="2024-06-30"))) == {3: 647, 4: 1_081, 2: 150}
    # One change falls on the last second of that day, one on the first of the next.
    assert dict(rows(sandbox.url, LEVEL_ON.format(day="2024-06-29"))) != {3: 647, 4: 1_081, 2: 150}
    assert dict(rows(sandbox.url, LEVEL_ON.format(day="2024-07-01"))) != {3: 647, 4: 1_081, 2: 150}
    today = dict(rows(sandbox.url, LEVEL_ON.format(day="2025-12-31")))
    assert (today[3], today[4]) != (647, 1_081)
    assert sum(today.values()) == 1_878


def test_history_of_levels_is_a_chain_that_ends_in_the_catalogue(sandbox: Sandbox) -> None:
    level = "case when {0} ~ '4|toàn' then 4 when {0} ~ '3|một' then 3 else 2 end"
    old, new, current = (level.format(name) for name in ('c."MucDoCu"', 'c."MucDoMoi"', 't."MucDo"'))
    broken = f"""
        select count(*) from (
            select {old} as old, {new} as new, {current} as current,
                lag({new}) over one as before, lead(c."Id") over one as following
            from thay_doi_muc_do_thu_tuc as c join thu_tuc as t using ("MaTTHC")
            window one as (partition by c."MaTTHC" order by c."ThoiGian")
        ) as chain
        where old = new or before <> old or (following is null and new <> current)
    """
    assert value(sandbox.url, broken) == 0
    after = "select count(*) from thay_doi_muc_do_thu_tuc where \"ThoiGian\" >= '2024-07-01'"
    assert value(sandbox.url, after) > 50
    legacy = "select count(*) from {} where \"{}\" !~ '^[234]$'"
    assert value(sandbox.url, legacy.format("thu_tuc", "MucDo")) >= 10
    assert value(sandbox.url, legacy.format("thay_doi_muc_do_thu_tuc", "MucDoMoi")) >= 10


def test_agencies_are_those_of_mid_2024(sandbox: Sandbox) -> None:
    found = dict(rows(sandbox.url, 'select "Catalog", count(*) from groups group by 1'))
    assert found == {"so-ban-nganh": 22, "quan-huyen": 10, "xa-phuong": 125, "cnvpdk": 9}
    assert rows(
        sandbox.url, 'select "GroupCode", "GroupName", "MaDinhDanhCu" from groups where "MaDinhDanh" = \'H50\''
    ) == [("UBND", "UBND tỉnh Quảng Trị", "000.00.00.H50")]
    assert value(sandbox.url, 'select "GroupName" from groups where "MaXa" = \'19705\'') == "UBND xã Hải Lệ"
    assert value(sandbox.url, 'select "MaHuyen" from groups where "MaXa" = \'19705\'') == "462"
    for column in ("MaDinhDanh", "MaDinhDanhCu", "GroupName"):
        assert value(sandbox.url, f'select count(distinct "{column}") from groups') == 166
    orphans = 'select count(*) from groups as g where "OfGroupCode" is not null and not exists '
    orphans += '(select from groups as p where p."GroupCode" = g."OfGroupCode")'
    assert value(sandbox.url, orphans) == 0


def test_holidays_and_the_plan_of_days() -> None:
    days = dict(holidays())
    assert days[date(2024, 2, 10)] == "Tết Nguyên đán Giáp Thìn"
    assert {date(2023, 5, 3), date(2024, 4, 18), date(2025, 4, 7), date(2024, 9, 3)} <= days.keys()
    calendar = calendar_for(date(2024, 6, 30), 18)
    period = plan_period(10_000, 18, date(2024, 6, 30), calendar)
    assert period.first == date(2023, 1, 1)
    assert period.per_day.sum() == 10_000
    tet, monday = (day_number(day) - day_number(period.first) for day in (date(2024, 2, 12), date(2024, 2, 19)))
    assert period.per_day[tet] * 5 < period.per_day[monday]


# -- shares, account, changes ----------------------------------------------------------------------


def test_shares_are_those_of_a_province(source_url: str, tmp_path: Path) -> None:
    build_one_stop(source_url, dossiers=20_000, truth_path=tmp_path, with_children=False)
    assert value(source_url, "select count(*) from qua_trinh_xu_ly") == 0

    def share(condition: str, among: str = "true") -> float:
        return float(value(source_url, f"select avg(({condition})::integer) from ho_so where {among}"))

    assert 0.40 < share("\"KenhThucHien\" is not distinct from '2'") < 0.65
    accepted = "\"NgayTiepNhan\" <> ''"
    assert 0.01 < share("coalesce(\"NgayHenTra\", '') = ''", accepted) < 0.03
    assert 0.05 < share("coalesce(\"NgayYeuCauBoSung\", '') <> ''", accepted) < 0.08
    assert 0.01 < share("\"TrangThaiHoSo\" = '7'") < 0.02
    assert 0.01 < share("\"TrangThaiHoSo\" = '3'") < 0.02
    ended = "\"NgayKetThucXuLy\" ~ '^[0-9]{14}$' and \"NgayHenTra\" ~ '^[0-9]{14}$'"
    assert 0.01 < share('"NgayKetThucXuLy" > "NgayHenTra"', ended) < 0.04
    assert 0.01 < share("\"TrangThaiHoSo\" in ('1', '2', '4', '5', '6')") < 0.05
    by_catalog = dict(
        rows(
            source_url,
            'select g."Catalog", count(*) / 20000.0 from ho_so as h join groups as g '
            'on h."MaDinhDanh" in (g."MaDinhDanh", g."MaDinhDanhCu") group by 1',
        )
    )
    assert float(by_catalog["xa-phuong"]) == pytest.approx(0.55, abs=0.02)
    assert float(by_catalog["quan-huyen"] + by_catalog["cnvpdk"]) == pytest.approx(0.25, abs=0.02)
    assert float(by_catalog["so-ban-nganh"]) == pytest.approx(0.20, abs=0.02)
    assert 0.2 < share("\"MaHoSo\" like 'H50%'") < 0.8  # both generations of codes
    months = rows(source_url, "select date_trunc('month', \"NgayCapNhat\"), count(*) from ho_so group by 1")
    assert len(months) == 18
    assert min(count for _, count in months) > 200


def test_the_reader_reads_and_nothing_else(sandbox: Sandbox) -> None:
    with psycopg.connect(connection_text(sandbox.url), user=READER_ROLE, password=PASSWORD) as reader:
        found = reader.execute("select count(*) from motcua.ho_so").fetchone()
        assert found == (sandbox.report.rows["ho_so"],)
        assert reader.execute("show statement_timeout").fetchone() == ("30min",)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            reader.execute("delete from motcua.ho_so")
        reader.rollback()
        reader.execute("set transaction read write")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("delete from motcua.ho_so")


def test_cursor_columns_are_indexed(sandbox: Sandbox) -> None:
    found = rows(
        sandbox.url,
        "select tablename from pg_indexes where schemaname = 'motcua' and indexdef like '%(\"NgayCapNhat\")'",
    )
    assert {table for (table,) in found} == {"ho_so", *CHILD_TABLES}


def test_an_hour_of_changes(source_url: str, tmp_path: Path) -> None:
    report = build_one_stop(source_url, dossiers=DOSSIERS, truth_path=tmp_path)
    before = value(source_url, 'select max("NgayCapNhat") from ho_so')
    steps = value(source_url, "select count(*) from qua_trinh_xu_ly")
    sums = checksums(source_url)

    assert change_one_stop(source_url, rows=120, seed=7) == 120

    changed = rows(
        source_url,
        'select "Id", "MaHoSo", "TrangThaiHoSo", "NgayCapNhat" from ho_so '
        f'where "NgayCapNhat" > \'{before}\' order by "NgayCapNhat"',
    )
    assert len(changed) == 120
    assert len({moment_ for *_, moment_ in changed}) == 120
    assert (changed[-1][3] - before).total_seconds() < 3_600
    assert {status for _, _, status, _ in changed} <= {"9", "10"}
    assert value(source_url, "select count(*) from qua_trinh_xu_ly") == steps + 120
    assert value(source_url, "select count(*) from ho_so") == report.rows["ho_so"]
    late = f"select count(*) from ho_so where {moment('NgayKetThucXuLy')} < {moment('NgayTiepNhan')}"
    assert (
        value(source_url, late)
        <= report.planted["ket_thuc_truoc_tiep_nhan"] + report.planted["ngay_tiep_nhan_unreadable"]
    )
    truth = pq.read_table(report.truth_file).to_pylist()
    bad = {row["source_id"] for row in truth if row["table"] == "ho_so" and row["verdict"] in ("critical", "duplicate")}
    assert not bad & {id_ for id_, *_ in changed}
    untouched = {"linh_vuc", "ngay_nghi", "groups", "thu_tuc", "thay_doi_muc_do_thu_tuc", "ho_so_bo_sung"}
    after = checksums(source_url)
    assert {table for table in TABLES if sums[table] == after[table]} == untouched | {"yeu_cau_thanh_toan"}

    assert change_one_stop(source_url, rows=30, seed=8) == 30
    assert change_one_stop(source_url, rows=0, seed=9) == 0
