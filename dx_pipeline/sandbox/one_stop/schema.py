"""Tables of the one-stop database ``mot_cua``, its indexes and its read-only account.

Column names are those of the national dossier exchange, quoted exactly. Times are naive local
(UTC+7); most of them are text ``yyyyMMddHHmmss``, as the exchange writes them.
"""

from __future__ import annotations

from typing import Final

import psycopg
import pyarrow as pa
from psycopg import sql
from sqlalchemy.engine import make_url

SCHEMA: Final = "motcua"
READER_ROLE: Final = "mot_cua_doc"

TIMESTAMP: Final = pa.timestamp("us")

#: table -> ((column, PostgreSQL type), ...) in the order of the file and of COPY.
TABLES: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "linh_vuc": (("MaLinhVuc", "varchar(50)"), ("TenLinhVuc", "varchar(150)")),
    "ngay_nghi": (("Ngay", "date"), ("MoTa", "varchar(200)")),
    "groups": (
        ("GroupCode", "varchar(50)"),
        ("GroupName", "varchar(250)"),
        ("OfGroupCode", "varchar(50)"),
        ("MaDinhDanh", "varchar(35)"),
        ("MaDinhDanhCu", "varchar(35)"),
        ("Catalog", "varchar(20)"),
        ("MaTinh", "varchar(5)"),
        ("MaHuyen", "varchar(5)"),
        ("MaXa", "varchar(10)"),
        ("HieuLucTu", "date"),
        ("NgayCapNhat", "timestamp not null"),
    ),
    "thu_tuc": (
        ("MaTTHC", "varchar(50)"),
        ("TenTTHC", "varchar(2000)"),
        ("MaLinhVuc", "varchar(50)"),
        ("CapThucHien", "varchar(20)"),
        ("ThoiGianGiaiQuyet", "integer"),
        ("TrangThaiPhiLePhi", "smallint"),
        ("MucDo", "varchar(20)"),
        ("QuyetDinhCongBo", "varchar(100)"),
        ("NgayCapNhat", "timestamp not null"),
    ),
    "thay_doi_muc_do_thu_tuc": (
        ("Id", "bigint"),
        ("MaTTHC", "varchar(50)"),
        ("ThoiGian", "timestamp"),
        ("MucDoCu", "varchar(20)"),
        ("MucDoMoi", "varchar(20)"),
        ("NgayCapNhat", "timestamp not null"),
    ),
    "ho_so": (
        ("Id", "bigint"),
        ("MaHoSo", "varchar(50)"),
        ("MaHoSoKhac", "varchar(50)"),
        ("MaTTHC", "varchar(50)"),
        ("TenTTHC", "varchar(2000)"),
        ("MaLinhVuc", "varchar(50)"),
        ("TenLinhVuc", "varchar(150)"),
        ("KenhThucHien", "varchar(2)"),
        ("MucDo", "varchar(20)"),
        ("LoaiDoiTuong", "varchar(50)"),
        ("ChuHoSo", "varchar(150)"),
        ("SoGiayToChuHoSo", "varchar(20)"),
        ("LoaiGiayToChuHoSo", "varchar(2)"),
        ("NgaySinhChuHoSo", "varchar(20)"),
        ("SoDienThoaiChuHoSo", "varchar(20)"),
        ("EmailChuHoSo", "varchar(100)"),
        ("DiaChiChuHoSo", "varchar(500)"),
        ("XaPhuong", "varchar(10)"),
        ("MaDinhDanh", "varchar(35)"),
        ("DonViXuLy", "varchar(250)"),
        ("NgayNopHoSo", "timestamp"),
        ("HanTiepNhan", "timestamp"),
        ("NgayTiepNhan", "varchar(19)"),
        ("NgayHenTra", "varchar(19)"),
        ("NgayYeuCauBoSung", "varchar(19)"),
        ("NgayCongDanBoSung", "varchar(19)"),
        ("ThoiHanBoSung", "integer"),
        ("NgayKetThucXuLy", "varchar(19)"),
        ("NgayTra", "varchar(19)"),
        ("NgayTuChoi", "varchar(19)"),
        ("LyDoTuChoi", "varchar(500)"),
        ("TrangThaiHoSo", "varchar(4)"),
        ("HinhThucTra", "varchar(2)"),
        ("NoiNopHoSo", "varchar(2)"),
        ("HoSoCoThanhPhanSoHoa", "smallint"),
        ("TaiKhoanDuocXacThucVoiVNeID", "smallint"),
        ("DuocThanhToanTrucTuyen", "varchar(2)"),
        ("DeletedOn", "timestamp"),
        ("DeletedBy", "varchar(50)"),
        ("NgayCapNhat", "timestamp not null"),
    ),
    "qua_trinh_xu_ly": (
        ("Id", "bigint"),
        ("MaHoSo", "varchar(50)"),
        ("NguoiXuLy", "varchar(150)"),
        ("ChucDanh", "varchar(100)"),
        ("PhongBanXuLy", "varchar(250)"),
        ("NoiDungXuLy", "varchar(500)"),
        ("TrangThai", "varchar(4)"),
        ("NgayBatDau", "varchar(19)"),
        ("NgayKetThucTheoQuyDinh", "varchar(19)"),
        ("ThoiDiemXuLy", "timestamp"),
        ("NgayCapNhat", "timestamp not null"),
    ),
    "ho_so_bo_sung": (
        ("Id", "bigint"),
        ("MaHoSo", "varchar(50)"),
        ("NgayBoSung", "varchar(19)"),
        ("NgayTiepNhanBoSung", "varchar(19)"),
        ("TrangThaiBoSung", "boolean"),
        ("NgayHenTraTruoc", "varchar(19)"),
        ("NgayHenTraMoi", "varchar(19)"),
        ("NgayCapNhat", "timestamp not null"),
    ),
    "yeu_cau_thanh_toan": (
        ("Id", "bigint"),
        ("Ma", "varchar(50)"),
        ("MaHoSo", "varchar(50)"),
        ("SoTien", "varchar(30)"),
        ("Phi", "integer"),
        ("LePhi", "integer"),
        ("TrangThai", "varchar(50)"),
        ("HinhThucThanhToan", "varchar(20)"),
        ("HinhThucThu", "varchar(50)"),
        ("NgayThuPhi", "varchar(19)"),
        ("NgayHoanPhi", "varchar(19)"),
        ("MaGiaoDich", "varchar(50)"),
        ("NgayCapNhat", "timestamp not null"),
    ),
    "giay_to_ket_qua": (
        ("Id", "bigint"),
        ("MaHoSo", "varchar(50)"),
        ("TenGiayTo", "varchar(250)"),
        ("MaGiayToKetQua", "varchar(50)"),
        ("DuongDanTepTinKetQua", "varchar(500)"),
        ("NgayCapNhat", "timestamp not null"),
    ),
    "dong_bo_dvcqg": (
        ("Id", "bigint"),
        ("MaHoSo", "varchar(50)"),
        ("TrangThaiGui", "varchar(4)"),
        ("ThoiGianGui", "timestamp"),
        ("NgayCapNhat", "timestamp not null"),
    ),
}

#: Tables that hang on a dossier by "MaHoSo".
CHILD_TABLES: Final = (
    "qua_trinh_xu_ly",
    "ho_so_bo_sung",
    "yeu_cau_thanh_toan",
    "giay_to_ket_qua",
    "dong_bo_dvcqg",
)
#: Tables read incrementally by "NgayCapNhat"; they are indexed on it.
INCREMENTAL_TABLES: Final = ("ho_so", *CHILD_TABLES)

_PRIMARY_KEYS: Final[dict[str, str]] = {
    "linh_vuc": "MaLinhVuc",
    "ngay_nghi": "Ngay",
    "groups": "GroupCode",
    "thu_tuc": "MaTTHC",
}

_ARROW_TYPES: Final[dict[str, pa.DataType]] = {
    "bigint": pa.int64(),
    "integer": pa.int32(),
    "smallint": pa.int16(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": TIMESTAMP,
}


def columns_of(table: str) -> tuple[str, ...]:
    """Column names of ``table`` in COPY order."""
    return tuple(name for name, _ in TABLES[table])


def arrow_schema(table: str) -> pa.Schema:
    """Arrow schema whose CSV form PostgreSQL's COPY reads into ``table``."""
    return pa.schema([(name, _ARROW_TYPES.get(declared.split()[0], pa.string())) for name, declared in TABLES[table]])


def connection_text(url: str) -> str:
    """libpq URL of a SQLAlchemy or libpq URL (the driver part is dropped)."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def create_tables(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Drop schema ``motcua`` and create it anew, without keys: they are added after the load."""
    connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(SCHEMA)))
    connection.execute(sql.SQL("create schema {}").format(sql.Identifier(SCHEMA)))
    for table, columns in TABLES.items():
        declared = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in columns
        )
        connection.execute(sql.SQL("create table {} ({})").format(sql.Identifier(SCHEMA, table), declared))


def create_keys(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Primary keys, the cursor indexes, and fresh statistics."""
    for table in TABLES:
        connection.execute(
            sql.SQL("alter table {} add primary key ({})").format(
                sql.Identifier(SCHEMA, table), sql.Identifier(_PRIMARY_KEYS.get(table, "Id"))
            )
        )
    for table in INCREMENTAL_TABLES:
        connection.execute(
            sql.SQL('create index {} on {} ("NgayCapNhat")').format(
                sql.Identifier(f"{table}_ngay_cap_nhat"), sql.Identifier(SCHEMA, table)
            )
        )
    for table in TABLES:
        connection.execute(sql.SQL("analyze {}").format(sql.Identifier(SCHEMA, table)))


def grant_reader(connection: psycopg.Connection[tuple[object, ...]], password: str) -> None:
    """Role ``mot_cua_doc``: may log in and read schema ``motcua``, nothing else.

    Read-only by default, with a statement timeout, so a pipeline can neither change the
    department's system nor hold it up. The role is shared by all databases of one server.
    """
    role = sql.Identifier(READER_ROLE)
    exists = connection.execute("select 1 from pg_roles where rolname = %s", (READER_ROLE,)).fetchone()
    verb = sql.SQL("alter role") if exists else sql.SQL("create role")
    connection.execute(sql.SQL("{} {} with login password {}").format(verb, role, sql.Literal(password)))
    connection.execute(sql.SQL("alter role {} set statement_timeout = '30min'").format(role))
    connection.execute(sql.SQL("alter role {} set default_transaction_read_only = on").format(role))
    found = connection.execute("select current_database()").fetchone()
    assert found is not None
    connection.execute(sql.SQL("grant connect on database {} to {}").format(sql.Identifier(str(found[0])), role))
    connection.execute(sql.SQL("grant usage on schema {} to {}").format(sql.Identifier(SCHEMA), role))
    connection.execute(sql.SQL("grant select on all tables in schema {} to {}").format(sql.Identifier(SCHEMA), role))
