"""Drafts from real sources of every kind: what is found, what is written, what is refused."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from dx_pipeline.contract.loader import load_contract
from dx_pipeline.contract.model import Contract
from dx_pipeline.errors import ContractError, SourceUnavailable, UnreadableSource
from dx_pipeline.onboarding.drafting import Request, Written, check_dataset, draft_source
from dx_pipeline.onboarding.relations import OnboardingError
from dx_pipeline.onboarding.todo import open_places
from dx_pipeline.warehouse.load_file import parse_load_file
from tests.dbf_files import write_dbf
from tests.latin_archive import ROWS, build_archive
from tests.mariadb import RunningMariadb, running_mariadb


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("archive") / "Archivum Vetus.sqlite"
    build_archive(path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="module")
def mariadb() -> Iterator[RunningMariadb]:
    with running_mariadb() as server:
        yield server


def draft(url: str, out: Path, *tables: str, force: bool = False, **named: str) -> Written:
    return draft_source(
        Request(url=url, tables=tables, everything=not tables, out=out, force=force, system=named.get("system"))
    )


def contract_of(written: Written, out: Path, dataset: str) -> Contract:
    return load_contract(out / "assets" / written.system / f"{dataset}.odcs.yaml", out)


def meanings(contract: Contract) -> dict[str, str]:
    return {column.name: column.semantic_type for column in contract.columns}


def content(out: Path) -> dict[str, str]:
    files = sorted(path for path in out.rglob("*") if path.is_file())
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


# -- SQLite: four related tables -----------------------------------------------------------------------------------


def test_four_related_tables(archive: str, tmp_path: Path) -> None:
    written = draft(archive, tmp_path)
    assert written.system == "archivum_vetus"
    assert {d.dataset: d.profile.total_rows for d in written.drafts} == ROWS
    pupil = contract_of(written, tmp_path, "discipulus")
    assert meanings(pupil) == {
        "disc_nr": "identifier",
        "cognomen": "person_name",
        "praenomen": "person_name",
        "dies_natalis": "birth_date",
        "e_mail": "email",
        "tessera": "phone",  # told by its values
        "schola_id": "integer",
        "gradus": "integer",
    }
    assert [c.name for c in pupil.columns if c.is_personal] == [
        "cognomen", "praenomen", "dies_natalis", "e_mail", "tessera",
    ]  # fmt: skip
    assert pupil.column("dies_natalis").source_name == "dies natalis"
    assert pupil.key_columns == ("disc_nr",)  # declared unique, not null
    exam = contract_of(written, tmp_path, "examen")
    assert exam.key_columns == ("schola_id", "disc_nr", "materia")
    assert exam.depends_on == ("archivum_vetus.discipulus", "archivum_vetus.schola")
    assert meanings(exam)["tempus"] == "datetime"
    assert meanings(exam)["pretium"] == "money_vnd"
    assert exam.column("punctum").options == {"decimal": ","}
    assert exam.column("src_order").source_name == "order"
    school = contract_of(written, tmp_path, "schola")
    assert meanings(school)["regio_codex"] == "identifier"  # a foreign key, not a closed list
    assert school.column("genus").options == {"codes": {"ludus": [], "schola grammatici": [], "schola rhetoris": []}}
    assert meanings(school)["condita"] == "date"  # though one of 60 is 31 February


def test_drafts_are_the_same_each_time(archive: str, tmp_path: Path) -> None:
    draft(archive, tmp_path / "one")
    draft(archive, tmp_path / "two")
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_no_personal_value_is_written(archive: str, tmp_path: Path) -> None:
    draft(archive, tmp_path)
    texts = "".join(path.read_text(encoding="utf-8") for path in tmp_path.rglob("*") if path.is_file())
    for value in ("Tullius", "Aurelia", "@schola", "0912"):
        assert value not in texts


def test_personal_columns_stay_out_of_the_load_sql(archive: str, tmp_path: Path) -> None:
    written = draft(archive, tmp_path, "discipulus")
    load = parse_load_file(contract_of(written, tmp_path, "discipulus").load_path)
    assert (load.ledger_step.merge, load.ledger_step.key) == ("snapshot", ("disc_nr",))
    assert "s.gradus" in load.ledger_step.sql
    assert not any(name in load.ledger_step.sql for name in ("cognomen", "e_mail", "tessera", "dies_natalis"))


def test_open_places_are_told_by_line(archive: str, tmp_path: Path) -> None:
    written = draft(archive, tmp_path, "regio")
    contract = contract_of(written, tmp_path, "regio")
    places = {place.path.name: place.lines for place in open_places(contract)}
    assert set(places) == {"system.yaml", "regio.odcs.yaml", "regio.sql"}
    lines = contract.path.read_text(encoding="utf-8").splitlines()
    assert all("TODO" in lines[number - 1] for number in places["regio.odcs.yaml"])
    assert any("ownerAgency" in lines[number - 1] for number in places["regio.odcs.yaml"])


def test_nothing_is_overwritten_without_force(archive: str, tmp_path: Path) -> None:
    written = draft(archive, tmp_path, "regio")
    contract = contract_of(written, tmp_path, "regio").path
    contract.write_text("mine", encoding="utf-8")
    before = content(tmp_path)
    with pytest.raises(OnboardingError, match="is there already; nothing was written"):
        draft(archive, tmp_path, "schola", "regio")
    assert content(tmp_path) == before
    draft(archive, tmp_path, "regio", force=True)
    check_dataset(contract)


def test_a_broken_draft_is_told_by_check(archive: str, tmp_path: Path) -> None:
    written = draft(archive, tmp_path, "regio")
    contract = contract_of(written, tmp_path, "regio").path
    contract.write_text(contract.read_text(encoding="utf-8").replace("codex", "código"), encoding="utf-8")
    with pytest.raises(ContractError, match="lower-case ASCII"):
        check_dataset(contract)


def test_unknown_table_is_refused_with_the_known_ones(archive: str, tmp_path: Path) -> None:
    with pytest.raises(OnboardingError, match="no table 'villa'") as refused:
        draft(archive, tmp_path, "villa")
    assert refused.value.next_step == "it has: discipulus, examen, regio, schola, vacuum"
    assert not list(tmp_path.iterdir())


def test_a_personal_key_is_no_key(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "p.sqlite") as connection:
        connection.executescript(
            "create table nguoi (so_cccd text primary key, trang_thai text);"
            "create table the (so_cccd text primary key, ma_the text);"
        )
        connection.executemany("insert into nguoi values (?, ?)", [(f"0450990{i:05d}", "1") for i in range(60)])
        connection.executemany("insert into the values (?, ?)", [(f"0450990{i:05d}", f"T{i}") for i in range(60)])
    connection.close()
    written = draft(f"sqlite:///{tmp_path}/p.sqlite", tmp_path / "out", system="p")
    assert "nguoi has no usable key" in written.refused[0].what
    assert contract_of(written, tmp_path / "out", "the").key_columns == ("ma_the",)


def test_names_that_no_identifier_would_have(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "q.sqlite") as connection:
        connection.execute(
            """create table "order" (id integer primary key, "group" text, "100%" real, "a:b" text, "q""uote" text,"""
            """ "it's" text, "Tên; khách | x" text, "'; drop" text)"""
        )
        connection.executemany(
            'insert into "order" values (?, ?, 1.5, ?, ?, ?, ?, ?)',
            [(i, "g", "x:y %s :batch_id", '"', "it's", "A | B", "';") for i in range(9)],
        )
    connection.close()
    written = draft(f"sqlite:///{tmp_path}/q.sqlite", tmp_path / "out", system="q")
    assert [c.name for c in contract_of(written, tmp_path / "out", "src_order").columns] == [
        "id", "src_group", "n_100", "a_b", "q_uote", "it_s", "ten_khach_x", "drop",
    ]  # fmt: skip


def test_a_missing_database_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="not there"):
        draft(f"sqlite:///{tmp_path}/none.sqlite", tmp_path)
    assert not list(tmp_path.iterdir())


# -- PostgreSQL ----------------------------------------------------------------------------------------------------

DEPARTMENT = """
create schema y_te;
create type y_te.hang as enum ('I', 'II', 'III');
create table y_te."CoSo" (
    "MaCSYT" varchar(20) primary key, "TenCSYT" text not null, "Hang" y_te.hang, "DienTich" numeric(12, 2),
    "HoatDong" boolean not null, "AnhChup" bytea, "ThongTin" jsonb, "NgayCapNhat" timestamp not null
);
comment on column y_te."CoSo"."TenCSYT" is 'Tên cơ sở y tế';
insert into y_te."CoSo" select '45' || lpad(i::text, 3, '0'), 'Trạm y tế số ' || i,
    (array['I', 'II', 'III'])[1 + i % 3]::y_te.hang, i * 10.25, i % 2 = 0, null, '{}',
    timestamp '2024-01-01' + i * interval '1 hour'
from generate_series(1, 300) as i;
create table y_te.kham (
    id bigint primary key, "MaCSYT" varchar(20) references y_te."CoSo", so_cccd bigint, so_tien varchar(30),
    ngay_kham varchar(19), "NgayCapNhat" timestamptz not null
);
insert into y_te.kham select i, '45' || lpad((1 + i % 300)::text, 3, '0'), 45099000000 + i, (i % 900 + 100) || '.000',
    to_char(timestamp '2024-01-01' + i * interval '5 minutes', 'YYYYMMDDHH24MISS'),
    timestamptz '2024-01-01 00:00+07' + i * interval '1 minute'
from generate_series(1, 60000) as i;
create table y_te.khong_khoa (ghi_chu text, so_do double precision);
insert into y_te.khong_khoa select 'như nhau', 1.5 from generate_series(1, 3);
insert into y_te.khong_khoa values ('như nhau', 2.5);
"""


def execute(url: str, script: str) -> None:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute(script)


def test_postgresql(source_url: str, tmp_path: Path) -> None:
    execute(source_url, DEPARTMENT)
    written = draft(source_url, tmp_path, system="y_te")
    assert [d.dataset for d in written.drafts] == ["co_so", "kham"]
    (refusal,) = written.refused  # a table without any key does not hold the others
    assert "y_te.khong_khoa has no usable key" in refusal.what
    place = contract_of(written, tmp_path, "co_so")
    assert meanings(place) == {
        "ma_csyt": "identifier",
        "ten_csyt": "text",
        "hang": "code_list",
        "dien_tich": "number",
        "hoat_dong": "flag",
        "ngay_cap_nhat": "datetime",
    }
    assert place.left_out == ("AnhChup", "ThongTin")
    assert (place.source.schema, place.source.table) == ("y_te", "CoSo")
    assert place.column("dien_tich").options == {"scale": 2}
    assert place.column("ten_csyt").description_vi == "Tên cơ sở y tế"  # the source's own comment
    assert [c.name for c in place.columns if c.required] == ["ma_csyt", "ten_csyt", "hoat_dong", "ngay_cap_nhat"]
    assert place.load.mode == "snapshot"
    visit = contract_of(written, tmp_path, "kham")
    assert (visit.load.mode, visit.load.cursor) == ("incremental", "ngay_cap_nhat")
    assert visit.depends_on == ("y_te.co_so",)
    assert meanings(visit)["so_cccd"] == "citizen_id"
    assert visit.column("so_cccd").is_personal
    assert meanings(visit)["so_tien"] == "money_vnd"
    assert meanings(visit)["ngay_kham"] == "datetime"
    step = parse_load_file(visit.load_path).ledger_step
    assert (step.merge, step.version) == ("upsert", "ngay_cap_nhat")
    assert "so_cccd" not in step.sql


def test_all_of_postgresql_is_each_row_once(source_url: str, tmp_path: Path) -> None:
    """Parts of a table come with it, and a materialized view is read like any other."""
    execute(
        source_url,
        "create table luot_kham (ma int, ngay date, primary key (ma, ngay)) partition by range (ngay);"
        " create table luot_kham_2024 partition of luot_kham for values from ('2024-01-01') to ('2025-01-01');"
        " insert into luot_kham select n, date '2024-01-01' + n from generate_series(1, 300) as n;"
        " create materialized view theo_thang as select date_trunc('month', ngay)::date as thang, count(*) as luot"
        " from luot_kham group by 1;"
        " create unique index on theo_thang (thang)",
    )
    written = draft(source_url, tmp_path, system="y_te")
    assert {d.dataset: d.profile.total_rows for d in written.drafts} == {"luot_kham": 300, "theo_thang": 10}
    months = contract_of(written, tmp_path, "theo_thang")
    assert (months.key_columns, meanings(months)) == (("thang",), {"thang": "date", "luot": "integer"})
    assert [d.dataset for d in draft(source_url, tmp_path / "part", "luot_kham_2024", system="y_te").drafts] == [
        "luot_kham_2024"
    ]


def test_a_large_table_is_sampled_at_both_ends(source_url: str, tmp_path: Path) -> None:
    execute(
        source_url,
        "create table dai (id bigint primary key, dau text);"
        " insert into dai select i, case when i > 29000 then 'moi' else 'cu' end from generate_series(1, 30000) as i",
    )
    request = Request(source_url, ("dai",), False, tmp_path, system="dai", sample_rows=1000)
    (found,) = draft_source(request).drafts
    assert (found.profile.sampled_rows, found.profile.total_rows) == (1000, 30000)
    assert found.profile.column("dau").meaning.options == {"codes": {"cu": [], "moi": []}}


def test_wrong_password_is_told_without_the_password(source_url: str, tmp_path: Path) -> None:
    url = sa.make_url(source_url).set(username="nobody_here", password="hush-hush")
    with pytest.raises(SourceUnavailable) as refused:
        draft(url.render_as_string(hide_password=False), tmp_path)
    assert "hush" not in str(refused.value)


# -- MariaDB -------------------------------------------------------------------------------------------------------


def test_mariadb(mariadb: RunningMariadb, tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    name, url = mariadb.create_database()
    with mariadb.connect(name) as connection, connection.cursor() as cursor:
        cursor.execute(
            "create table ho_khau (ma_ho varchar(20) primary key, chu_ho varchar(100), so_nguoi int,"
            " loai tinyint(1), ngay_lap date, lan_cuoi datetime, anh blob,"
            " vi_tri point)"
        )
        cursor.executemany(
            "insert into ho_khau values (%s, 'Nguyễn Văn An', %s, %s, '2024-01-31', '2024-01-31 08:00:00', null, null)",
            [(f"HK{i:04d}", 1 + i % 7, i % 2) for i in range(200)],
        )
    written = draft(url, tmp_path, "ho_khau", system="dan_cu")
    contract = contract_of(written, tmp_path, "ho_khau")
    assert meanings(contract) == {
        "ma_ho": "identifier",
        "chu_ho": "person_name",
        "so_nguoi": "integer",
        "loai": "flag",
        "ngay_lap": "date",
        "lan_cuoi": "datetime",
    }
    assert contract.left_out == ("anh", "vi_tri")
    assert not recwarn.list, "a type that SQLAlchemy does not know is left out, and no warning of its own is shown"
    assert contract.column("chu_ho").is_personal


# -- folder of files -----------------------------------------------------------------------------------------------

HEADER = "Mã hồ sơ;Họ và tên;Ngày tiếp nhận;Lệ phí;Trạng thái\n"


def test_folder_of_csv_and_excel(tmp_path: Path) -> None:
    folder, out = tmp_path / "drop", tmp_path / "project"
    folder.mkdir()
    rows = [
        f"H50.14-240823-{i:04d};Trần Thị Bình;{1 + i % 28:02d}/08/2024 08:{i % 60:02d};{i % 9 + 1}5.000;"
        f"{'Đã trả' if i % 3 else 'Đang xử lý'}\n"
        for i in range(60)
    ]
    (folder / "Hồ sơ 2024.csv").write_text(HEADER + "".join(rows) + rows[0], encoding="utf-8-sig")
    book = openpyxl.Workbook()
    book.active.title = "Danh sách"
    for cells in ([["SỞ Y TẾ"], [], ["Mã CSYT", "Số giường", "Ghi chú"]]) + [[f"45{i:03d}", i, ""] for i in range(30)]:
        book.active.append(cells)
    book.save(folder / "co_so.xlsx")
    (folder / "readme.txt").write_text("no data")
    written = draft(f"file://{folder}", out, system="so_lieu")
    assert [d.dataset for d in written.drafts] == ["ho_so_2024", "co_so"]
    dossier = contract_of(written, out, "ho_so_2024")
    assert (dossier.source.delimiter, dossier.source.path) == (";", "Hồ sơ 2024.csv")
    assert dossier.key_columns == ("ma_ho_so",)  # the copied row does not hide the key
    assert meanings(dossier) == {
        "ma_ho_so": "dossier_code",
        "ho_va_ten": "person_name",
        "ngay_tiep_nhan": "datetime",
        "le_phi": "money_vnd",
        "trang_thai": "code_list",
    }
    place = contract_of(written, out, "co_so")
    assert place.source.header_row == 3
    assert meanings(place) == {"ma_csyt": "identifier", "so_giuong": "integer", "ghi_chu": "text"}
    assert place.load.mode == "snapshot"


def test_a_pattern_is_one_dataset(tmp_path: Path) -> None:
    for month in (1, 2):
        (tmp_path / f"hs_{month}.csv").write_text(f"id,n\n{month}1,a\n{month}2,b\n", encoding="utf-8")
    request = Request(f"file://{tmp_path}", ("hs_*.csv",), False, tmp_path / "out", system="hs", dataset="ho_so")
    (found,) = draft_source(request).drafts
    assert (found.id, found.profile.total_rows) == ("hs.ho_so", 4)
    assert found.profile.relation.source.path == "hs_*.csv"


def test_what_cannot_be_read_holds_no_other_file(tmp_path: Path) -> None:
    folder, out = tmp_path / "drop", tmp_path / "project"
    folder.mkdir()
    rows = "".join(f"M{i:04d};Tên {i};{i}\n" for i in range(60))
    (folder / "bao_cao [2024] #1.csv").write_text("Mã;Tên;Số\n" + rows, encoding="utf-8")
    (folder / "dai.csv").write_text("Mã;Tên;Số\nM9999;" + "x" * 200_000 + ";0\n" + rows, encoding="utf-8")
    (folder / "ngoac.csv").write_text('Mã;Tên;Số\nM9999;"chưa đóng;0\n' + rows, encoding="utf-8")
    (folder / "rong.csv").write_bytes(b"")
    (folder / "rong.xlsx").write_bytes(b"")
    (folder / "rong_cot.csv").write_text(
        "\n".join(";".join(f"c{i}" if row == 0 else str(row * i) for i in range(801)) for row in range(9))
    )
    written = draft(f"file://{folder}", out, system="so_lieu")
    assert {d.dataset: d.profile.total_rows for d in written.drafts} == {"bao_cao_2024_1": 60, "dai": 61}
    refused = {
        "rong.csv": "is empty",
        "rong.xlsx": "is not a readable Excel file",
        "ngoac.csv": "line 2: unexpected end of data",
        "rong_cot.csv": "has 801 columns, a table of the warehouse has at most 800",
    }
    for refusal, (name, reason) in zip(written.refused, refused.items(), strict=True):
        assert f"{name} {reason}" in refusal.what
    with pytest.raises(UnreadableSource, match="rong.csv is empty"):
        draft(f"file://{folder}", tmp_path / "nothing", "rong.csv", system="so_lieu")


def test_legacy_encoding_is_found(tmp_path: Path) -> None:
    (tmp_path / "cu.csv").write_bytes("ma,ten\n1,Đường\n2,Đơn\n".encode("cp1258", errors="ignore"))
    written = draft(f"file://{tmp_path}", tmp_path / "out", "cu.csv", system="cu")
    assert contract_of(written, tmp_path / "out", "cu").source.encoding == "cp1258"


def test_json_and_parquet_files(tmp_path: Path) -> None:
    folder, out = tmp_path / "drop", tmp_path / "project"
    folder.mkdir()
    rows = [{"ma": f"A{n}", "noi": {"xa": "19330"}, "ngay": f"{n % 28 + 1:02d}/06/2024", "so": n} for n in range(60)]
    document = {"ky": [1], "tra_loi": {"loi": None, "du_lieu": rows}, "khac": [{"x": 1}]}
    (folder / "o_cho.json").write_text(json.dumps(document), encoding="utf-16")
    (folder / "dong.ndjson").write_text("\n".join(json.dumps({**row, "tep": [{"x": 1}]}) for row in rows))
    (folder / "danh_sach.json").write_text(json.dumps(rows))
    pq.write_table(pa.Table.from_pylist(rows), folder / "cot.parquet")
    written = draft(f"file://{folder}", out, system="so_lieu")
    assert not written.refused
    found = {d.dataset: contract_of(written, out, d.dataset).source for d in written.drafts}
    assert {name: (source.kind, source.records) for name, source in found.items()} == {
        "cot": ("parquet", None),
        "danh_sach": ("json", None),
        "dong": ("json", None),
        "o_cho": ("json", "tra_loi.du_lieu"),
    }
    for name in found:
        kinds = meanings(contract_of(written, out, name))
        kinds.pop("tep", None)
        assert kinds == {"ma": "identifier", "noi_xa": "commune_code", "ngay": "date", "so": "integer"}, name
        check_dataset(out / "assets" / "so_lieu" / f"{name}.odcs.yaml")
    other = draft(f"file://{folder}", tmp_path / "other", "o_cho.json#khac", system="khac")
    assert contract_of(other, tmp_path / "other", other.drafts[0].dataset).source.records == "khac"
    (folder / "hong.json").write_text('{"a": [')
    with pytest.raises(UnreadableSource, match=r"hong.json cannot be read as JSON: line 1, column 8: .* cut off"):
        draft(f"file://{folder}", tmp_path / "broken", "hong.json", system="hong")


COMPANIES = "".join(
    f"""<dn:DoanhNghiep ma_so="{3200000000 + i}"><dn:TenDN>Công ty số {i}</dn:TenDN><dn:VonDieuLe>{i * 1_000_000}</dn:VonDieuLe>
    <dn:NganhNghe ma="4711"/><dn:NganhNghe ma="4719"/><dn:NgayCap>{1 + i % 28:02d}/0{1 + i % 9}/2023</dn:NgayCap>
    </dn:DoanhNghiep>"""
    for i in range(60)
)


def test_folder_of_foxpro_and_xml(tmp_path: Path) -> None:
    """The row of an XML file is the outermost element that comes again, not the one that comes most often."""
    folder = tmp_path / "drop"
    folder.mkdir()
    (folder / "doanh_nghiep.xml").write_text(
        f'<?xml version="1.0"?><dn:DanhSach xmlns:dn="urn:dkkd">{COMPANIES}</dn:DanhSach>', encoding="utf-8"
    )
    records = [[f"H{i:04d}", f"{i % 7 + 1:2d}", "T" if i % 2 else "F", f"202401{1 + i % 28:02d}"] for i in range(60)]
    fields = [("MAHO", "C", 12, 0), ("SONK", "N", 2, 0), ("INTERNET", "L", 1, 0), ("NGAY", "D", 8, 0)]
    write_dbf(folder / "ho.dbf", fields, [[cell.encode() for cell in record] for record in records])
    written = draft(f"file://{folder}", tmp_path / "out", system="drop")
    assert [d.dataset for d in written.drafts] == ["doanh_nghiep", "ho"]
    company = contract_of(written, tmp_path / "out", "doanh_nghiep")
    assert (company.source.kind, company.source.record) == ("xml", "DoanhNghiep")
    assert company.key_columns == ("ma_so",)
    assert meanings(company)["ngay_cap"] == "date"
    household = contract_of(written, tmp_path / "out", "ho")
    assert (household.source.kind, household.key_columns) == ("dbf", ("maho",))
    assert (meanings(household)["sonk"], meanings(household)["internet"]) == ("integer", "flag")
    assert meanings(household)["ngay"] == "date"
