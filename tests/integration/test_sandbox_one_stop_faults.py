"""Independent SQL on the sandbox: planted rows show their fault, and no other row does; children agree."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
import viparse

from dx_pipeline.sandbox.one_stop import build_one_stop
from dx_pipeline.sandbox.one_stop.agencies import build_agencies
from dx_pipeline.sandbox.one_stop.faults import FAULTS
from dx_pipeline.sandbox.one_stop.legacy_text import survives_tcvn3, to_tcvn3, to_vni
from dx_pipeline.sandbox.one_stop.procedures import build_catalogue
from dx_pipeline.sandbox.one_stop.schema import CHILD_TABLES, TABLES
from dx_pipeline.warehouse.embedded import EmbeddedServer
from tests.integration.one_stop_sandbox import (
    DOSSIERS,
    Sandbox,
    built_sandbox,
    moment,
    rows,
    value,
)


@pytest.fixture(scope="module")
def sandbox(source_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return built_sandbox(source_server, "one_stop_faults", tmp_path_factory.mktemp("truth"))


# -- faults ----------------------------------------------------------------------------------------


def test_every_fault_is_planted_and_counted(sandbox: Sandbox) -> None:
    found = Counter(row["code"] for row in sandbox.truth)
    assert set(found) == {fault.code for fault in FAULTS}
    assert dict(found) == dict(sandbox.report.planted)
    assert min(found.values()) >= 3
    assert {code: entry["rows"] for code, entry in sandbox.summary["planted"].items()} == dict(found)
    assert found["ma_ho_so_conflict"] == 6  # both rows of each pair
    for table in TABLES:
        assert sandbox.summary["tables"][table]["rows"] == value(sandbox.url, f"select count(*) from {table}")
    dossiers = sandbox.summary["tables"]["ho_so"]
    assert dossiers["rows"] == DOSSIERS + found["ma_ho_so_conflict"] // 2 + dossiers["duplicate"]
    assert dossiers["rows"] == dossiers["accepted"] + dossiers["quarantined"] + dossiers["duplicate"]


def test_no_row_carries_two_faults(sandbox: Sandbox) -> None:
    carried = Counter((row["table"], row["source_id"]) for row in sandbox.truth)
    assert max(carried.values()) == 1


def test_a_dossier_with_a_fault_has_children_without(sandbox: Sandbox) -> None:
    broken = {row["ma_ho_so"] for row in sandbox.truth if row["table"] == "ho_so" and row["verdict"] != "clean"}
    assert not broken & {row["ma_ho_so"] for row in sandbox.truth if row["table"] != "ho_so"}


FAULT_IN_SQL = {
    "ma_ho_so_unreadable": '"MaHoSo" <> \'\' and ("MaHoSo" ~ \'-2[34]0230-\' or "MaHoSo" !~ '
    "'^(000[.][0-9]{2}[.][0-9]{2}[.]H50|H50([.][0-9]{2}){0,2}|G22[.]99)"
    "-2[34](0[1-9]|1[0-2])([0-2][0-9]|3[01])-[0-9]{4,6}$')",
    "ma_ho_so_missing": "coalesce(\"MaHoSo\", '') = ''",
    "ma_tthc_unreadable": "\"MaTTHC\" !~ '^[123][.][0-9]{6}([.]000[.]00[.]00[.]H50)?$'",
    "ngay_tiep_nhan_unreadable": "\"NgayTiepNhan\" !~ '^20[0-9]{2}(0[1-9]|1[0-2])([0-2][0-9]|3[01])[0-9]{6}$'"
    " and \"NgayTiepNhan\" !~ '^[0-3][0-9]/[01][0-9]/20[0-9]{2} [0-9:]{8}$' and \"NgayTiepNhan\" <> ''"
    " or \"NgayTiepNhan\" ~ '^20240231|^31/11/'",
    "ngay_tiep_nhan_in_future": "\"NgayTiepNhan\" ~ '^2042'",
    "trang_thai_unknown": "\"TrangThaiHoSo\" !~ '^([1-9]|10)$'",
    "kenh_unknown": "\"KenhThucHien\" !~ '^[123]$'",
    "loai_doi_tuong_unknown": "\"LoaiDoiTuong\" !~ '^([1-4]|Công dân|Doanh nghiệp|Cơ quan nhà nước|Tổ chức)$'",
    "ma_dinh_danh_unreadable": "\"MaDinhDanh\" !~ '^(000[.][0-9]{2}[.][0-9]{2}[.]H50|H50([.][0-9]{2}){0,2})$'",
    "so_giay_to_placeholder": "\"SoGiayToChuHoSo\" = '000000001'",
    "so_giay_to_unreadable": 'length("SoGiayToChuHoSo") not in (9, 12)',
    "so_dien_thoai_unreadable": "\"SoDienThoaiChuHoSo\" !~ '^0[35789][0-9]{8}$'"
    " and \"SoDienThoaiChuHoSo\" !~ '^01(2[0-46-9]|6[2-9]|25)[0-9]{7}$'",
    "ngay_sinh_unreadable": "\"NgaySinhChuHoSo\" !~ '^(0[1-9]|1[0-9]|2[0-8])/(0[1-9]|1[0-2])/(19|20)[0-9]{2}$'"
    " and \"NgaySinhChuHoSo\" !~ '^(19|20)[0-9]{2}((0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8]))?$'",
    "ten_chu_ho_so_truncated": "\"ChuHoSo\" like '%...'",
    "slashed_times": "\"NgayTiepNhan\" ~ '^[0-9]{2}/[0-9]{2}/20[0-9]{2} ' and \"NgayTiepNhan\" !~ '^31/11/'",
    "procedure_suffix": "\"MaTTHC\" ~ '^[123][.][0-9]{6}[.]000'",
    "applicant_kind_text": "\"LoaiDoiTuong\" ~ '^(Công dân|Doanh nghiệp|Cơ quan nhà nước|Tổ chức)$'",
    "level_text": "\"MucDo\" !~ '^[234]$'",
    "phone_11_digits": "\"SoDienThoaiChuHoSo\" ~ '^01[0-9]{9}$'",
    "eth_for_d": "\"TenTTHC\" like '%Ð%'",
    "nfd_text": '"TenTTHC" <> normalize("TenTTHC", nfc)',
    "extra_spaces": "\"DonViXuLy\" ~ '\u00a0|  '",
    "channel_missing": '"KenhThucHien" is null',
    "portal_code": "\"MaHoSo\" like 'G22.99-%'",
    "counter_over_9999": "\"MaHoSo\" ~ '^[0-9H.]+-[0-9]{6}-[0-9]{5}$'",
    "month_end_second": "\"NgayTiepNhan\" ~ '^2[0-9]{7}235959$'",
    "month_first_second": "\"NgayTiepNhan\" ~ '^2[0-9]{5}01000000$'",
}


@pytest.mark.parametrize("code", FAULT_IN_SQL)
def test_exactly_the_planted_dossiers_show_the_fault(sandbox: Sandbox, code: str) -> None:
    """Independent SQL finds the planted rows, so no clean row looks like a fault."""
    found = {id_ for (id_,) in rows(sandbox.url, f'select "Id" from ho_so where {FAULT_IN_SQL[code]}')}
    assert found == {row["source_id"] for row in sandbox.planted(code)}


def test_dates_of_clean_dossiers_follow_each_other(sandbox: Sandbox) -> None:
    broken_start = sandbox.ids("ho_so", "critical")
    listed = ", ".join(map(str, sorted(broken_start)))
    columns = ("NgayTiepNhan", "NgayYeuCauBoSung", "NgayCongDanBoSung", "NgayKetThucXuLy", "NgayTra", "NgayTuChoi")
    accept, request, back, end, handed, refused = map(moment, columns)
    due = moment("NgayHenTra")
    life = f"""
        select *, {accept} as accept, {request} as request, {back} as back, {end} as ended,
            {handed} as handed, {refused} as refused, {due} as due, "TrangThaiHoSo"::integer as status
        from ho_so where "Id" not in ({listed})
    """
    for rule in (
        'accept >= "NgayNopHoSo"',
        "ended >= accept",
        "due > accept",
        "request > accept",
        "back > request",
        "ended > back",
        "handed >= ended",
        '"NgayCapNhat" >= greatest("NgayNopHoSo", accept, request, back, ended, handed, refused)',
        "\"NgayCapNhat\" < '2024-07-01' and \"NgayNopHoSo\" >= '2023-01-01'",
        "(accept is null) = (status = 1 or (status = 3 and ended is null))",
        "(ended is not null) = (status in (7, 8, 9, 10) or (status = 3 and accept is not null))",
        "(handed is not null) = (status = 10)",
        "(refused is not null) = (status = 3)",
        "status <> 5 or (request is not null and back is null)",
        '(request is null) = ("ThoiHanBoSung" is null)',
        "\"KenhThucHien\" <> '2' or \"MucDo\" !~ '2'",
        '("DeletedOn" is null) = ("DeletedBy" is null)',
        "extract(isodow from accept) < 6 or to_char(accept, 'HH24MISS') in ('235959', '000000')",
    ):
        assert value(sandbox.url, f"select count(*) from ({life}) as h where not ({rule})") == 0, rule
    assert value(sandbox.url, f"select count(*) from ({life}) as h where ended is not null") > DOSSIERS * 0.8


def test_early_ends_and_only_they_lie_before_acceptance(sandbox: Sandbox) -> None:
    found = rows(sandbox.url, f'select "Id" from ho_so where {moment("NgayKetThucXuLy")} < {moment("NgayTiepNhan")}')
    unreadable = {row["source_id"] for row in sandbox.planted("ngay_tiep_nhan_unreadable")}
    assert {id_ for (id_,) in found} - unreadable == {
        row["source_id"] for row in sandbox.planted("ket_thuc_truoc_tiep_nhan")
    }


def test_names_and_numbers_of_clean_applicants(sandbox: Sandbox) -> None:
    broken = ", ".join(map(str, sorted(sandbox.ids("ho_so", "critical", "warning", "repair"))))
    clean = f'select * from ho_so where "Id" not in ({broken})'
    card = """
        "SoGiayToChuHoSo" ~ '^0(45|44|46|48|40|01|79)[0-3][0-9]{8}$' and "LoaiGiayToChuHoSo" = '1'
        or "SoGiayToChuHoSo" ~ '^197[0-9]{6}$' and "LoaiGiayToChuHoSo" = '2'
    """
    assert value(sandbox.url, f"select count(*) from ({clean}) as h where not ({card})") == 0
    # Two digits of the birth year stand in the card, and its century.
    year = "substring(\"NgaySinhChuHoSo\" from '(?:19|20)[0-9]{2}')"
    year = f'case when "NgaySinhChuHoSo" like \'%/%\' then right("NgaySinhChuHoSo", 4) else {year} end'
    same = f"""
        length("SoGiayToChuHoSo") = 9 or "NgaySinhChuHoSo" is null
        or (substring("SoGiayToChuHoSo", 5, 2) = right({year}, 2)
            and (substring("SoGiayToChuHoSo", 4, 1)::integer >= 2) = ({year} >= '2000'))
    """
    assert value(sandbox.url, f"select count(*) from ({clean}) as h where not ({same})") == 0
    text = '"TenTTHC" || "DonViXuLy" || "ChuHoSo" || "DiaChiChuHoSo"'
    # No letter of a legacy font, no eth, no soft hyphen, composed, single spaces.
    strange = f"{text} ~ '[¡-¿ÄÅÆËÏÐÑÖØÜÞßäåæëïðñöøüþÿ\u00ad\u00a0]|  ' or {text} <> normalize({text}, nfc)"
    assert value(sandbox.url, f"select count(*) from ({clean}) as h where {strange}") == 0
    catalogue = f"""
        select count(*) from ({clean}) as h
        left join thu_tuc as t on t."MaTTHC" = h."MaTTHC"
        left join linh_vuc as l on l."MaLinhVuc" = h."MaLinhVuc"
        left join groups as g on h."MaDinhDanh" in (g."MaDinhDanh", g."MaDinhDanhCu")
        where t."TenTTHC" is distinct from h."TenTTHC" or t."MaLinhVuc" is distinct from h."MaLinhVuc"
            or l."TenLinhVuc" is distinct from h."TenLinhVuc" or g."GroupName" is distinct from h."DonViXuLy"
    """
    assert value(sandbox.url, catalogue) == 0


def test_copies(sandbox: Sandbox) -> None:
    content = "to_jsonb(h) - 'Id'"
    twice = """
        select code from (values {}) as c(code)
        join ho_so as h on h."MaHoSo" = c.code group by code
        having count(*) = 2 and {}
    """
    for code, condition in (
        ("exact_copy", f"count(distinct {content}) = 1"),
        ("ma_ho_so_conflict", f'count(distinct {content}) = 2 and count(distinct "NgayCapNhat") = 1'),
        (
            "older_version",
            'count(distinct "NgayCapNhat") = 2 and count(distinct date_trunc(\'month\', "NgayNopHoSo")) = 1',
        ),
    ):
        expected = {row["ma_ho_so"] for row in sandbox.planted(code)}
        listed = ", ".join(f"('{one}')" for one in sorted(expected))
        assert {one for (one,) in rows(sandbox.url, twice.format(listed, condition))} == expected, code
    more = (
        'select count(*) from (select 1 from ho_so where "MaHoSo" <> \'\' group by "MaHoSo" having count(*) > 1) as t'
    )
    codes = {
        row["ma_ho_so"]
        for code in ("exact_copy", "ma_ho_so_conflict", "older_version")
        for row in sandbox.planted(code)
    }
    assert value(sandbox.url, more) == len(codes)
    older = sandbox.column("ho_so", "TrangThaiHoSo", {row["source_id"] for row in sandbox.planted("older_version")})
    assert set(older.values()) == {"4"}


def test_repairs_tell_the_value_after_cleaning(sandbox: Sandbox) -> None:
    by_code = {
        code: sandbox.planted(code) for code in ("procedure_suffix", "phone_11_digits", "level_text", "nfd_text")
    }
    stripped = sandbox.column("ho_so", "MaTTHC", {row["source_id"] for row in by_code["procedure_suffix"]})
    for row in by_code["procedure_suffix"]:
        assert stripped[row["source_id"]] == row["expected_value"] + ".000.00.00.H50"
    phones = sandbox.column("ho_so", "SoDienThoaiChuHoSo", {row["source_id"] for row in by_code["phone_11_digits"]})
    for row in by_code["phone_11_digits"]:
        assert len(row["expected_value"]) == 10
        assert phones[row["source_id"]][-7:] == row["expected_value"][-7:]
    levels = sandbox.column("ho_so", "MucDo", {row["source_id"] for row in by_code["level_text"]})
    assert all(levels[row["source_id"]] == f"Mức độ {row['expected_value']}" for row in by_code["level_text"])
    slashed = sandbox.planted("slashed_times")
    texts = sandbox.column("ho_so", "NgayTiepNhan", {row["source_id"] for row in slashed})
    for row in slashed:
        assert datetime.strptime(texts[row["source_id"]], "%d/%m/%Y %H:%M:%S").isoformat() == row["expected_value"]


def test_legacy_text_is_what_a_wrong_font_shows(sandbox: Sandbox) -> None:
    assert to_tcvn3("Quảng Trị") == "Qu¶ng TrÞ"
    assert to_tcvn3("Hướng Hóa") == "H\u00ad\u00edng Hãa"
    assert to_vni("Quảng Trị") == "Quaûng Trò"
    assert to_vni("Hướng Hóa, Đakrông, Cửa Việt, Hải Lăng") == "Höôùng Hoùa, Ñakroâng, Cöûa Vieät, Haûi Laêng"
    assert not survives_tcvn3("Ủy ban")
    planted = sandbox.planted("ten_legacy_encoding")
    assert {row["note"] for row in planted} == {"legacy_tcvn3", "legacy_vni"}
    for row in planted:
        seen = sandbox.column("ho_so", row["source_column"], {row["source_id"]})[row["source_id"]]
        encode = to_tcvn3 if row["note"] == "legacy_tcvn3" else to_vni
        assert seen == encode(row["expected_value"]) != row["expected_value"]


def test_another_tables_decoder_reads_the_legacy_text_back() -> None:
    """viparse brings its own code tables for both fonts."""
    agencies = build_agencies(1982)
    names = [*agencies.names.to_pylist(), *build_catalogue(1982, agencies).names.to_pylist()]
    for name in names:
        assert viparse.fix(to_vni(name), encoding="vni") == name
        if survives_tcvn3(name):
            assert viparse.fix(to_tcvn3(name), encoding="tcvn3") == name


def test_months_of_tricky_rows(sandbox: Sandbox) -> None:
    for code in ("month_end_second", "month_first_second"):
        texts = sandbox.column("ho_so", "NgayTiepNhan", {row["source_id"] for row in sandbox.planted(code)})
        for row in sandbox.planted(code):
            text = texts[row["source_id"]]
            assert row["expected_month"] == f"{text[:4]}-{text[4:6]}"
    assert {row["verdict"] for row in sandbox.planted("portal_code")} == {"clean"}


def test_no_faults_with_scale_zero(source_url: str, tmp_path: Path) -> None:
    report = build_one_stop(source_url, dossiers=1_000, fault_scale=0, truth_path=tmp_path)
    clean = {fault.code for fault in FAULTS if fault.verdict == "clean"}
    assert {code for code, count in report.planted.items() if count} == clean
    assert report.rows["ho_so"] == 1_000


# -- children --------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", CHILD_TABLES)
def test_every_child_has_its_dossier(sandbox: Sandbox, table: str) -> None:
    lost = {row["ma_ho_so"] for row in sandbox.truth if row["code"] in ("ma_ho_so_unreadable", "ma_ho_so_missing")}
    found = rows(
        sandbox.url,
        f'select distinct c."MaHoSo" from {table} as c where not exists '
        '(select from ho_so as h where h."MaHoSo" = c."MaHoSo")',
    )
    assert {code for (code,) in found} <= lost
    assert value(sandbox.url, f"select count(*) from {table} where \"NgayCapNhat\" >= '2024-07-01'") == 0


def test_steps_lie_within_their_dossier(sandbox: Sandbox) -> None:
    missing = sandbox.ids("qua_trinh_xu_ly", "critical")
    found = rows(sandbox.url, 'select "Id" from qua_trinh_xu_ly where "ThoiDiemXuLy" is null')
    assert {id_ for (id_,) in found} == missing
    per_dossier = value(sandbox.url, "select count(*) from qua_trinh_xu_ly") / DOSSIERS
    assert 2.5 < per_dossier < 4
    outside = f"""
        select count(*) from qua_trinh_xu_ly as s join ho_so as h using ("MaHoSo")
        where h."Id" <= {DOSSIERS}
            and (s."ThoiDiemXuLy" < h."NgayNopHoSo" or s."ThoiDiemXuLy" > h."NgayCapNhat"
                or to_timestamp(s."NgayBatDau", 'YYYYMMDDHH24MISS')::timestamp > s."ThoiDiemXuLy")
    """
    assert value(sandbox.url, outside) == 0
    unordered = """
        select count(*) from (
            select "ThoiDiemXuLy" < lag("ThoiDiemXuLy") over (partition by "MaHoSo" order by "Id") as back
            from qua_trinh_xu_ly
        ) as t where back
    """
    assert value(sandbox.url, unordered) == 0


def test_supplements_agree_with_their_dossier(sandbox: Sandbox) -> None:
    early = f"""select "Id" from ho_so_bo_sung where {moment("NgayTiepNhanBoSung")} < {moment("NgayBoSung")}"""
    assert {id_ for (id_,) in rows(sandbox.url, early)} == sandbox.ids("ho_so_bo_sung", "critical")
    other = f"""
        select count(*) from ho_so_bo_sung as b join ho_so as h using ("MaHoSo")
        where h."Id" <= {DOSSIERS} and h."NgayYeuCauBoSung" not like '%/%'
            and (b."NgayBoSung" <> h."NgayYeuCauBoSung"
                or b."TrangThaiBoSung" <> (coalesce(h."NgayCongDanBoSung", '') <> '')
                or b."NgayHenTraMoi" <> '' and h."NgayHenTra" <> '' and b."NgayHenTraMoi" <> h."NgayHenTra")
    """
    assert value(sandbox.url, other) == 0
    share = value(sandbox.url, "select count(*) from ho_so_bo_sung") / DOSSIERS
    assert 0.04 < share < 0.09


def test_payments_add_up_and_marks_agree(sandbox: Sandbox) -> None:
    flagged = """
        select p."Id" from yeu_cau_thanh_toan as p join ho_so as h using ("MaHoSo")
        where p."HinhThucThanhToan" = 'tien-mat' and h."DuocThanhToanTrucTuyen" in ('1', '2')
    """
    assert {id_ for (id_,) in rows(sandbox.url, flagged)} == sandbox.ids("yeu_cau_thanh_toan", "warning")
    unreadable = {row["source_id"] for row in sandbox.planted("so_tien_unreadable")}
    found = rows(sandbox.url, 'select "Id" from yeu_cau_thanh_toan where "SoTien" !~ \'^-?[0-9]+$\'')
    assert {id_ for (id_,) in found} == unreadable
    negative = rows(sandbox.url, 'select "Id" from yeu_cau_thanh_toan where "SoTien" ~ \'^-\'')
    assert {id_ for (id_,) in negative} == {row["source_id"] for row in sandbox.planted("so_tien_negative")}
    states = "('Đã thanh toán', 'Chưa thanh toán', 'Chờ thanh toán', 'Đã hoàn phí', 'Hủy thanh toán')"
    unknown = rows(sandbox.url, f'select "Id" from yeu_cau_thanh_toan where "TrangThai" not in {states}')
    assert {id_ for (id_,) in unknown} == {row["source_id"] for row in sandbox.planted("trang_thai_thanh_toan_unknown")}
    broken = ", ".join(map(str, sorted(sandbox.ids("yeu_cau_thanh_toan", "critical"))))
    for rule in (
        '"SoTien"::bigint = "Phi" + "LePhi"',
        "(coalesce(\"NgayThuPhi\", '') <> '') = (\"TrangThai\" in ('Đã thanh toán', 'Đã hoàn phí'))",
        "(coalesce(\"NgayHoanPhi\", '') <> '') = (\"TrangThai\" = 'Đã hoàn phí')",
        '"NgayHoanPhi" is null or "NgayHoanPhi" = \'\' or "NgayHoanPhi" > "NgayThuPhi"',
        "\"HinhThucThanhToan\" in ('truc-tuyen', 'tien-mat', 'chuyen-khoan')",
    ):
        assert (
            value(sandbox.url, f'select count(*) from yeu_cau_thanh_toan where "Id" not in ({broken}) and not ({rule})')
            == 0
        ), rule
    share = value(sandbox.url, "select count(*) from yeu_cau_thanh_toan") / DOSSIERS
    assert 0.22 < share < 0.38


def test_portal_copies_and_results(sandbox: Sandbox) -> None:
    rewritten = """
        select c."Id" from dong_bo_dvcqg as c join ho_so as h using ("MaHoSo")
        where c."TrangThaiGui" = '9' and h."TrangThaiHoSo" in ('5', '6', '8')
    """
    assert {id_ for (id_,) in rows(sandbox.url, rewritten)} == sandbox.ids("dong_bo_dvcqg", "warning")
    unfinished = f"""
        select count(*) from giay_to_ket_qua as r join ho_so as h using ("MaHoSo")
        where h."Id" <= {DOSSIERS} and h."TrangThaiHoSo" not in ('9', '10', '11')
    """
    assert value(sandbox.url, unfinished) == 0
    finished = value(sandbox.url, "select count(*) from ho_so where \"TrangThaiHoSo\" in ('9', '10')")
    assert 0.68 < value(sandbox.url, "select count(*) from giay_to_ket_qua") / finished < 0.82
