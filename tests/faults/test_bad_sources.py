"""A source that is down or has changed its shape: one clear message per dataset, the others go on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from dx_pipeline.warehouse.embedded import EmbeddedServer
from tests.conftest import Installation
from tests.faults.conftest import LoadedProvince, NewWarehouse
from tests.faults.messages import messages_of, the_message
from tests.faults.runs import value
from tests.star import star_checksums, warehouse_url

pytestmark = pytest.mark.timeout(600)

DRIFT = (
    'alter table giay_to_ket_qua drop column "MaGiayToKetQua"',
    'alter table ho_so_bo_sung rename column "NgayTiepNhanBoSung" to "NgayTiepNhan_BoSung"',
    'alter table qua_trinh_xu_ly alter column "PhongBanXuLy" type text',
    'alter table yeu_cau_thanh_toan alter column "Phi" type bigint',
    "drop table ngay_nghi",
    'alter table dong_bo_dvcqg alter column "ThoiGianGui" type varchar(30)',
    'alter table groups add column "GhiChuMoi" text',
    "delete from thay_doi_muc_do_thu_tuc",
)
HOSTILE = {
    "quotes": "Phòng O'Brien \"ngoặc\" ''kép''",
    "injection": "'; drop table core.fact_dossier_event; --",
    "format": ":batch_id %(id)s {0} %s $1 $$;$$",
    "emoji": "Phòng 📄👩‍⚕️ một cửa",
    "right_to_left": "שלום \u202eמעוות\u202c",
    "backslashes": r"C:\new\table\x00 \u0000 \N \.",
}
HOSTILE_CODE = "X'; drop table ops.batch; --"


class Drifted:
    """One run over a copy of the source in which nearly every table changed its shape."""

    def __init__(self, loaded: LoadedProvince) -> None:
        self.loaded = loaded
        self.done = loaded.reading(loaded.province.copy(*DRIFT)).dx("run", "one_stop", check=False)

    def last_batch(self, dataset: str) -> tuple[str, str | None]:
        """Status and message of a dataset's newest batch."""
        with psycopg.connect(warehouse_url(self.loaded.home)) as connection:
            row = connection.execute(
                "select status, message from ops.batch where dataset = %s order by batch_id desc limit 1", [dataset]
            ).fetchone()
        assert row is not None
        return row


@pytest.fixture(scope="module")
def drifted(loaded: LoadedProvince) -> Drifted:
    return Drifted(loaded)


@pytest.mark.parametrize(
    ("dataset", "what", "next_step"),
    [
        ("giay_to_ket_qua", "column MaGiayToKetQua is missing", "take it out of the contract"),
        (
            "ho_so_bo_sung",
            "column NgayTiepNhanBoSung is missing (renamed to NgayTiepNhan_BoSung?)",
            "if renamed (NgayTiepNhanBoSung → NgayTiepNhan_BoSung), set physicalName to the new name",
        ),
        ("qua_trinh_xu_ly", "column PhongBanXuLy widened from varchar(250) to text", "set physicalType to it"),
        ("yeu_cau_thanh_toan", "column Phi widened from integer to bigint", "set physicalType to it"),
        ("dong_bo_dvcqg", "column ThoiGianGui changed from timestamp to varchar(30)", "set physicalType to it"),
        ("ngay_nghi", "motcua.ngay_nghi does not exist in the source", "whether it was renamed or dropped"),
        ("thay_doi_muc_do_thu_tuc", "holds no row at all; the contract promises at least 1", "lower minSourceRows"),
    ],
)
def test_one_clear_message_per_drifted_dataset(drifted: Drifted, dataset: str, what: str, next_step: str) -> None:
    message = the_message(drifted.done, f"one_stop.{dataset}")
    assert f"one_stop.{dataset}: " in message.what
    assert what in message.what
    assert next_step in message.next_step
    assert f"{dataset}.odcs.yaml" in message.next_step
    status, reason = drifted.last_batch(dataset)
    assert status == "held"
    assert reason == message.what


def test_the_run_fails_with_nothing_but_these_messages(drifted: Drifted) -> None:
    assert drifted.done.returncode == 1
    assert len(messages_of(drifted.done)) == 7


def test_datasets_that_did_not_drift_are_published(drifted: Drifted) -> None:
    told = {name: drifted.last_batch(name)[0] for name in ("groups", "linh_vuc", "thu_tuc", "ho_so")}
    assert told == {"groups": "published", "linh_vuc": "published", "thu_tuc": "published", "ho_so": "published"}


def test_a_new_column_is_warned_of_and_loaded_around(drifted: Drifted) -> None:
    warnings = value(
        warehouse_url(drifted.loaded.home),
        "select warnings::text from ops.batch where dataset = 'groups' order by batch_id desc limit 1",
    )
    assert "column GhiChuMoi is new" in str(warnings)
    assert "GhiChuMoi" in drifted.done.stdout + drifted.done.stderr


def test_drifted_sources_leave_the_star_as_it_was(drifted: Drifted) -> None:
    assert star_checksums(warehouse_url(drifted.loaded.home)) == drifted.loaded.checksums


def test_an_emptied_table_empties_nothing(loaded: LoadedProvince) -> None:
    """The dossiers are held; what belongs to them is brought all the same, and the figures stay as they are."""
    done = loaded.reading(loaded.province.copy("delete from ho_so")).dx(
        "run", "one_stop.ho_so", "one_stop.giay_to_ket_qua", check=False
    )
    url = warehouse_url(loaded.home)
    assert done.returncode == 1
    assert "motcua.ho_so holds no row at all" in the_message(done, "one_stop.ho_so").what
    results = "select status from ops.batch where dataset = 'giay_to_ket_qua' order by batch_id desc limit 1"
    assert value(url, results) == "published"
    assert star_checksums(url) == loaded.checksums


def test_a_new_column_alone_is_no_failure(loaded: LoadedProvince) -> None:
    copy = loaded.province.copy('alter table linh_vuc add column "ThuTu" integer')
    done = loaded.reading(copy).dx("run", "one_stop.linh_vuc")
    assert "column ThuTu is new" in done.stdout + done.stderr
    assert star_checksums(warehouse_url(loaded.home)) == loaded.checksums


def test_a_source_that_is_down_is_told_once_and_does_not_hang(loaded: LoadedProvince) -> None:
    """Three attempts per dataset, some seconds apart; then one message for the whole system."""
    loaded.province.stop()
    started = time.monotonic()
    try:
        done = loaded.dx("run", "one_stop", check=False)
    finally:
        loaded.province.start()
    assert time.monotonic() - started < 120
    assert done.returncode == 1
    (message,) = messages_of(done)
    assert len(message.assets) == 11
    assert "the source of system one_stop cannot be reached" in message.what
    assert "check that the server runs" in message.next_step
    attempts = value(
        warehouse_url(loaded.home), "select count(*) from ops.batch where dataset = 'ho_so' and status = 'failed'"
    )
    assert attempts == 3
    assert star_checksums(warehouse_url(loaded.home)) == loaded.checksums


def test_a_wrong_password_is_told_without_the_password(loaded: LoadedProvince) -> None:
    refused = loaded.reading("mot_cua")
    refused.environment["DX_CONNECTION_ONE_STOP"] = loaded.province.reader_url("mot_cua", password="geheim-1982")
    done = refused.dx("run", "one_stop.linh_vuc", check=False)
    message = the_message(done, "one_stop.linh_vuc")
    assert done.returncode == 1
    assert 'password authentication failed for user "mot_cua_doc"' in message.what
    assert "user, password, database" in message.next_step
    assert "geheim-1982" not in done.stdout + done.stderr
    attempts = "select count(*) from ops.batch where dataset = 'linh_vuc' and message like '%password%'"
    assert value(warehouse_url(loaded.home), attempts) == 1, "it cannot heal, so it is not tried again"


# -- rows that nobody expected -----------------------------------------------------------------------


@dataclass(frozen=True)
class Strange:
    """A first load of a copy with dossiers of the year 20024 and hostile texts; ids of the rows by what is odd."""

    warehouse: NewWarehouse
    copy: str
    ids: dict[str, int]

    def ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.warehouse.url) as connection:
            return connection.execute(statement, values or None).fetchall()

    def quarantined(self, what: str) -> tuple[list[str], str]:
        """Reasons and status of an odd row."""
        (found,) = self.ask(
            "select reasons, status from ops.quarantine where dataset = 'ho_so' and row_key = %s", str(self.ids[what])
        )
        return found


@pytest.fixture(scope="module")
def strange(
    make_installation: Callable[[], Installation], loaded: LoadedProvince, source_server: EmbeddedServer
) -> Strange:
    copy = loaded.province.copy()
    good = """select array_agg("Id" order by "Id") from (select "Id" from ho_so where "TrangThaiHoSo" = '10'
        and "NgayTiepNhan" ~ '^20[12]' and "MaHoSo" ~ '^H50' order by "Id" limit 30) as h"""
    ids = loaded.province.value(copy, good)
    assert isinstance(ids, list)
    odd = {"updated in 20024": ids[10], "accepted in 20024": ids[11], "hostile code": ids[12]}
    loaded.province.change(
        copy,
        f"""update ho_so set "NgayCapNhat" = '20024-05-01 08:00:00' where "Id" = {odd["updated in 20024"]}""",
        f"""update ho_so set "NgayTiepNhan" = '200240502081500' where "Id" = {odd["accepted in 20024"]}""",
        f"""update ho_so set "MaHoSo" = '{HOSTILE_CODE.replace("'", "''")}' where "Id" = {odd["hostile code"]}""",
        *(
            f"""insert into qua_trinh_xu_ly select {900_000_000 + number}, "MaHoSo", "NguoiXuLy", "ChucDanh",
            '{text.replace("'", "''")}', "NoiDungXuLy", "TrangThai", "NgayBatDau", "NgayKetThucTheoQuyDinh",
            timestamp '2024-06-30 09:00', "NgayCapNhat" from qua_trinh_xu_ly where "TrangThai" = '10'
            order by "Id" limit 1"""
            for number, text in enumerate(HOSTILE.values())
        ),
    )
    warehouse = NewWarehouse(make_installation(), loaded, source_server)
    warehouse.environment["DX_CONNECTION_ONE_STOP"] = loaded.province.reader_url(copy)
    warehouse.dx("run", "one_stop.ho_so", "one_stop.qua_trinh_xu_ly")
    return Strange(warehouse, copy, odd)


def test_year_20024_waits_in_quarantine(strange: Strange) -> None:
    assert strange.quarantined("updated in 20024") == (["ngay_cap_nhat_unreadable"], "open")
    assert strange.quarantined("accepted in 20024") == (["ngay_tiep_nhan_unreadable"], "open")


def test_year_20024_does_not_push_the_watermark(strange: Strange, loaded: LoadedProvince) -> None:
    """The mark is at most the source's clock: the row is read again once it is mended."""
    ((mark,),) = strange.ask("select watermark from ops.batch where dataset = 'ho_so'")
    clock = loaded.province.value(strange.copy, "select to_char(now() at time zone 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD')")
    assert mark[:10] <= str(clock)
    before = strange.ask("select count(*) from core.fact_dossier")[0][0]
    loaded.province.change(
        strange.copy,
        f"""update ho_so set "NgayCapNhat" = now() at time zone 'Asia/Ho_Chi_Minh'
        where "Id" = {strange.ids["updated in 20024"]}""",
    )
    strange.warehouse.dx("run", "one_stop.ho_so")
    assert strange.ask("select count(*) from core.fact_dossier") == [(before + 1,)]
    assert strange.quarantined("updated in 20024")[1] == "released"


def test_hostile_texts_reach_the_star_as_they_are(strange: Strange) -> None:
    found = strange.ask("select unit_name from core.fact_dossier_event where event_id >= 900000000 order by event_id")
    assert [text for (text,) in found] == list(HOSTILE.values())


def test_hostile_code_waits_in_quarantine_as_it_is(strange: Strange) -> None:
    assert strange.quarantined("hostile code") == (["ma_ho_so_unreadable"], "open")
    ((raw,),) = strange.ask(
        "select raw_record ->> 'MaHoSo' from ops.quarantine where row_key = %s", str(strange.ids["hostile code"])
    )
    assert raw == HOSTILE_CODE


def test_a_single_bad_row_does_not_hold_an_increment(strange: Strange, loaded: LoadedProvince) -> None:
    """At night an hour brings one row. It is bad: it waits in quarantine, the dataset goes on."""
    loaded.province.change(
        strange.copy,
        f"""update ho_so set "TrangThaiHoSo" = '11', "NgayCapNhat" = now() at time zone 'Asia/Ho_Chi_Minh'
        where "Id" = {strange.ids["hostile code"]}""",
    )
    strange.warehouse.dx("run", "one_stop.ho_so")
    reasons, status = strange.quarantined("hostile code")
    assert (set(reasons), status) == ({"ma_ho_so_unreadable", "trang_thai_unknown"}, "open")
