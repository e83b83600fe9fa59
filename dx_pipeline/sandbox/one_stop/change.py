"""An hour's worth of changes in the one-stop database, for incremental loads."""

from __future__ import annotations

from typing import Final, LiteralString

import psycopg

from dx_pipeline.errors import SettingsError, SourceUnavailable
from dx_pipeline.sandbox.one_stop.schema import connection_text

# Dossiers to move on: well-formed, one row each, open or waiting for the result to be fetched
# first, finished ones (which are only touched) when these do not suffice. One second apart,
# after every change there is.
_CHOOSE: Final[LiteralString] = """
create temporary table thay_doi on commit drop as
with moment as (
    select greatest(
        (select max("NgayCapNhat") from motcua.ho_so),
        (select max("NgayCapNhat") from motcua.qua_trinh_xu_ly),
        (select max("NgayCapNhat") from motcua.giay_to_ket_qua),
        (select max("NgayCapNhat") from motcua.dong_bo_dvcqg)
    ) as latest
),

sound as (
    select
        h."Id" as id,
        h."MaHoSo" as ma_ho_so,
        h."MaTTHC" as ma_tthc,
        h."TenTTHC" as ten_tthc,
        h."TrangThaiHoSo" as trang_thai,
        h."NgayTiepNhan" as tiep_nhan,
        h."NgayHenTra" as hen_tra
    from motcua.ho_so as h
    where
        h."TrangThaiHoSo" in ('2', '4', '9', '10')
        and h."NgayTiepNhan" ~ '^20[12][0-9]{11}$'
        and h."NgayTiepNhan" !~ '^[0-9]{4}(0230|0231|0431|0631|0931|1131|13)'
        and h."MaHoSo" ~ '^[0-9A-Z.]+-[0-9]{2}(0[1-9]|1[0-2])[0-3][0-9]-[0-9]{4,6}$'
        and h."MaTTHC" ~ '^[123][.][0-9]{6}([.]000[.]00[.]00[.]H50)?$'
        and h."MaDinhDanh" ~ '^(H50([.][0-9]{2}){0,2}|000[.][0-9]{2}[.][0-9]{2}[.]H50)$'
        and coalesce(h."KenhThucHien", '1') in ('1', '2', '3')
        and h."LoaiDoiTuong" not in ('9', '0', 'KXĐ')
        and (h."TrangThaiHoSo" in ('2', '4') or h."NgayKetThucXuLy" >= h."NgayTiepNhan")
),

single as (
    select s.*
    from sound as s
    where not exists (
        select 1
        from motcua.ho_so as other
        where other."MaHoSo" = s.ma_ho_so and other."Id" <> s.id
    )
),

ordered as (
    select
        s.*,
        row_number() over (
            order by s.trang_thai = '10', md5(s.id::text || ':' || %(seed)s::text), s.id
        ) as thu_tu
    from single as s
    order by thu_tu
    limit %(rows)s
)

select
    o.*,
    date_trunc('second', m.latest) + interval '1 second' * o.thu_tu + interval '1 second' as luc,
    case when o.trang_thai in ('2', '4') then '9' else '10' end as trang_thai_moi
from ordered as o
cross join moment as m
"""

_MOVE_ON: Final[LiteralString] = """
update motcua.ho_so as h
set
    "TrangThaiHoSo" = t.trang_thai_moi,
    "NgayKetThucXuLy" = case
        when t.trang_thai in ('2', '4') then to_char(t.luc, 'YYYYMMDDHH24MISS') else h."NgayKetThucXuLy"
    end,
    "NgayTra" = case
        when t.trang_thai = '9' then to_char(t.luc, 'YYYYMMDDHH24MISS') else h."NgayTra"
    end,
    "HoSoCoThanhPhanSoHoa" = case when t.trang_thai = '10' then 1 else h."HoSoCoThanhPhanSoHoa" end,
    "NgayCapNhat" = t.luc
from thay_doi as t
where h."Id" = t.id
"""

_ADD_STEPS: Final[LiteralString] = """
insert into motcua.qua_trinh_xu_ly (
    "Id", "MaHoSo", "NguoiXuLy", "ChucDanh", "PhongBanXuLy", "NoiDungXuLy", "TrangThai",
    "NgayBatDau", "NgayKetThucTheoQuyDinh", "ThoiDiemXuLy", "NgayCapNhat"
)
select
    (select coalesce(max("Id"), 0) from motcua.qua_trinh_xu_ly) + t.thu_tu,
    t.ma_ho_so,
    'Nguyễn Văn Hải',
    'Chuyên viên',
    'Phòng chuyên môn',
    case
        when t.trang_thai in ('2', '4') then 'Phê duyệt, ký kết quả'
        when t.trang_thai = '9' then 'Trả kết quả'
        else 'Bổ sung bản số hóa'
    end,
    t.trang_thai_moi,
    t.tiep_nhan,
    t.hen_tra,
    t.luc,
    t.luc
from thay_doi as t
"""

_ADD_RESULTS: Final[LiteralString] = """
insert into motcua.giay_to_ket_qua (
    "Id", "MaHoSo", "TenGiayTo", "MaGiayToKetQua", "DuongDanTepTinKetQua", "NgayCapNhat"
)
select
    (select coalesce(max("Id"), 0) from motcua.giay_to_ket_qua) + t.thu_tu,
    t.ma_ho_so,
    'Kết quả: ' || p."TenTTHC",
    'KQ.' || p."MaTTHC",
    '/ket-qua/thay-doi/' || t.id || '.pdf',
    t.luc
from thay_doi as t
inner join motcua.thu_tuc as p on left(t.ma_tthc, 8) = p."MaTTHC"
where t.trang_thai in ('2', '4')
"""

_PUSH: Final[LiteralString] = """
update motcua.dong_bo_dvcqg as d
set
    "TrangThaiGui" = t.trang_thai_moi,
    "ThoiGianGui" = t.luc,
    "NgayCapNhat" = t.luc
from thay_doi as t
where d."MaHoSo" = t.ma_ho_so
"""


def change_one_stop(url: str, *, rows: int, seed: int) -> int:
    """Move ``rows`` dossiers on by one status and return how many were changed.

    Open dossiers are finished, finished ones handed over, handed-over ones digitised. Every changed
    row's "NgayCapNhat" lies seconds after the latest one so far; each dossier gets a step, a finished
    one a result, and its copy on the national portal follows. Rows with a planted critical fault or
    a copy are left alone, so the truth stays true. The same database and seed give the same change.

    Raises SettingsError for a negative ``rows``, SourceUnavailable if the server can't be reached.
    """
    if rows < 0:
        raise SettingsError(f"Cannot change {rows} dossiers.", next_step="Give 0 or more.")
    try:
        connection = psycopg.connect(connection_text(url))
    except psycopg.OperationalError as error:
        raise SourceUnavailable(
            "The server of the sandbox's one-stop database cannot be reached.",
            next_step="Check that it runs and that the sandbox was built.",
        ) from error
    with connection:
        connection.execute(_CHOOSE, {"rows": rows, "seed": seed})
        changed = connection.execute(_MOVE_ON).rowcount
        connection.execute(_ADD_STEPS)
        connection.execute(_ADD_RESULTS)
        connection.execute(_PUSH)
    return changed
