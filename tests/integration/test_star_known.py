"""Late and corrected data: what the warehouse knew at an instant stays what it was, to the last digit.

One story on one warehouse: the dossiers of May and June 2024 are loaded, the report is taken, and then each kind of
lateness comes, one batch after the other. After each, the report as known before is compared with what was taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dx_pipeline.warehouse.as_known import exact_cells, recompute_as_known
from dx_pipeline.warehouse.connection import Warehouse
from dx_pipeline.warehouse.delivery import Delivery
from dx_pipeline.warehouse.marts import Mart, load_marts
from dx_pipeline.warehouse.merge import MergeCounts
from tests.integration.star_warehouse import PROJECT, ask, fill_stage, load, migrated_warehouse, refresh, running_server

DOSSIER = {
    "ma_ho_so": "text", "ma_ho_so_khac": "text", "ma_ho_so_khac_first": "boolean", "ma_dinh_danh": "text",
    "ma_tthc": "text", "ma_linh_vuc": "text", "ma_xa": "text", "kenh_thuc_hien": "text", "trang_thai": "text",
    "loai_doi_tuong": "text", "muc_do": "text", "hinh_thuc_tra": "text", "noi_nop_ho_so": "text",
    "duoc_thanh_toan_truc_tuyen": "text", "thoi_han_bo_sung": "text", "ngay_nop": "timestamptz",
    "han_tiep_nhan": "timestamptz", "ngay_tiep_nhan": "timestamptz", "ngay_hen_tra": "timestamptz",
    "ngay_yeu_cau_bo_sung": "timestamptz", "ngay_cong_dan_bo_sung": "timestamptz",
    "ngay_ket_thuc_xu_ly": "timestamptz", "ngay_tra": "timestamptz", "ngay_tu_choi": "timestamptz",
    "deleted_on": "timestamptz", "ngay_cap_nhat": "timestamptz", "co_thanh_phan_so_hoa": "boolean",
    "tai_khoan_xac_thuc_vneid": "boolean", "so_giay_to_chu_ho_so_pseudonym": "bytea",
    "so_dien_thoai_chu_ho_so_pseudonym": "bytea",
}  # fmt: skip
AGENCY = {
    "group_code": "text", "group_name": "text", "ma_dinh_danh": "text", "ma_dinh_danh_cu": "text", "catalog": "text",
    "of_group_code": "text", "ma_tinh": "text", "ma_huyen": "text", "ma_xa": "text", "hieu_luc_tu": "date",
}  # fmt: skip
PROCEDURE = {
    "ma_tthc": "text", "ten_tthc": "text", "ma_linh_vuc": "text", "cap_thuc_hien": "text",
    "thoi_gian_giai_quyet": "text", "co_phi_le_phi": "boolean", "muc_do": "text", "quyet_dinh_cong_bo": "text",
}  # fmt: skip
LEVEL_CHANGE = {
    "id": "bigint", "ma_tthc": "text", "thoi_gian": "timestamptz", "muc_do_cu": "text", "muc_do_moi": "text",
}  # fmt: skip
SUPPLEMENT = {
    "id": "bigint", "ma_ho_so": "text", "ngay_bo_sung": "timestamptz", "ngay_tiep_nhan_bo_sung": "timestamptz",
    "ngay_hen_tra_moi": "timestamptz", "ngay_hen_tra_truoc": "timestamptz", "trang_thai_bo_sung": "boolean",
    "ngay_cap_nhat": "timestamptz",
}  # fmt: skip
HOLIDAY = {"ngay": "date", "mo_ta": "text"}
FIELD = {"ma_linh_vuc": "text", "ten_linh_vuc": "text"}

FIRST = datetime(2024, 7, 1, 1, 0, tzinfo=UTC)


def at(step: int) -> datetime:
    """The instant at which the batch of that number is published: one a day."""
    return FIRST + timedelta(days=step)


def dossier(number: int, received: str, **changes: Any) -> dict[str, Any]:
    """An accepted dossier of the agency H50.14, due ten days after its acceptance at 17:00."""
    day = datetime.fromisoformat(received)
    return {
        "ma_ho_so": f"H50.14-{day:%y%m%d}-{number:04}", "ma_dinh_danh": "H50.14", "ma_tthc": "1.000001",
        "trang_thai": "4", "kenh_thuc_hien": "1", "loai_doi_tuong": "1", "ngay_tiep_nhan": f"{received} 08:00+07",
        "ngay_hen_tra": f"{day + timedelta(days=10):%Y-%m-%d} 17:00+07", "ngay_cap_nhat": "2024-06-30 17:00+07",
        **changes,
    }  # fmt: skip


FINISHED = {"trang_thai": "9", "ngay_ket_thuc_xu_ly": "2024-06-07 09:00+07"}
JUNE = [
    dossier(1, "2024-06-03", **FINISHED),  # early
    dossier(2, "2024-06-03"),  # open, overdue on the 13th
    dossier(3, "2024-06-05", **FINISHED),
    dossier(4, "2024-06-25"),  # open, due in July
    dossier(5, "2024-06-04", ngay_hen_tra=None, trang_thai="9", ngay_ket_thuc_xu_ly="2024-06-11 23:00+07"),
]
MAY = [dossier(6, "2024-05-20", trang_thai="9", ngay_ket_thuc_xu_ly="2024-05-29 09:00+07"), dossier(7, "2024-05-21")]


class Story:
    """One warehouse, its batches in order, and the report as it was taken after each of them."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse, self.step, self.taken = warehouse, 0, {}
        self.mart: Mart = next(mart for mart in load_marts([PROJECT]) if mart.name == "dossier_on_time")

    def batch(
        self,
        dataset: str,
        types: dict[str, str],
        rows: list[dict[str, Any]],
        *,
        delivery: Delivery | None = None,
        rejected: Sequence[tuple[str, str | None]] = (),
    ) -> MergeCounts:
        self.step += 1
        fill_stage(self.warehouse, dataset, types, rows, rejected=rejected)
        counts = load(self.warehouse, dataset, self.step, at(self.step), delivery=delivery)
        refresh(self.warehouse, "dossier_on_time")
        self.taken[self.step] = self.report()
        return counts

    def report(self) -> list[dict[str, Any]]:
        rows = ask(
            self.warehouse,
            "select (to_jsonb(m) - 'refreshed_at')::text from mart.dossier_on_time as m order by m.agency_code, m.month",
        )
        return sorted((exact_cells(row[0]) for row in rows), key=str)

    def as_known(self, step: int) -> list[dict[str, Any]]:
        found = recompute_as_known(self.warehouse, self.mart, at(step) + timedelta(hours=1))
        assert found.read_as_now == ()
        rows = [{name: value for name, value in row.items() if name != "refreshed_at"} for row in found.rows]
        return sorted(rows, key=str)

    def june(self, step: int | None = None) -> dict[str, Any]:
        (row,) = [row for row in self.taken[step or self.step] if row["month"] == "2024-06-01"]
        return row


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    with running_server() as server, migrated_warehouse(server) as warehouse:
        told = Story(warehouse)
        told.batch("ho_so", DOSSIER, [*MAY, *JUNE])
        yield told


def test_a_first_load_copies_nothing(story: Story) -> None:
    assert ask(story.warehouse, "select count(*) from core.fact_dossier_history") == [(0,)]
    assert story.june()["received"] == 5
    assert story.june()["carried_over"] == 1
    assert story.as_known(1) == story.taken[1]


def changed(old: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**old, "ngay_cap_nhat": "2024-06-30 18:00+07", **changes}


LATENESS: list[tuple[str, str, dict[str, str], list[dict[str, Any]], dict[str, int]]] = [
    # what came, dataset, columns, rows, and what it makes of the June report (received, finished, overdue_766 ...)
    ("late facts", "ho_so", DOSSIER, [dossier(8, "2024-06-10"), dossier(9, "2024-05-15")],
     {"received": 6, "carried_over": 2}),
    ("the inferred agency is completed", "groups", AGENCY,
     [{"group_code": "14", "group_name": "Sở Tư pháp", "ma_dinh_danh": "H50.14", "catalog": "so-ban-nganh"}],
     {"received": 6}),
    ("an old period is corrected", "ho_so", DOSSIER,
     [changed(JUNE[0], ngay_ket_thuc_xu_ly="2024-06-20 09:00+07")], {"overdue_local": 5}),
    ("the source deletes a dossier", "ho_so", DOSSIER,
     [changed(JUNE[2], deleted_on="2024-06-30 18:00+07")], {"received": 5}),
    ("a dossier is opened again", "ho_so", DOSSIER,
     [changed(JUNE[0], ngay_cap_nhat="2024-06-30 19:00+07", trang_thai="4", ngay_ket_thuc_xu_ly=None)],
     {"finished": 1}),
    ("a supplement comes late", "ho_so_bo_sung", SUPPLEMENT,
     [{"id": 1, "ma_ho_so": JUNE[1]["ma_ho_so"], "ngay_bo_sung": "2024-06-10 09:00+07",
       "ngay_cap_nhat": "2024-06-30 17:00+07"}], {"paused": 1}),
    ("the supplement is corrected", "ho_so_bo_sung", SUPPLEMENT,
     [{"id": 1, "ma_ho_so": JUNE[1]["ma_ho_so"], "ngay_bo_sung": "2024-06-10 09:00+07",
       "ngay_tiep_nhan_bo_sung": "2024-06-12 09:00+07", "ngay_cap_nhat": "2024-06-30 18:00+07"}], {"paused": 0}),
    ("the inferred procedure gets its time limit", "thu_tuc", PROCEDURE,
     [{"ma_tthc": "1.000001", "ten_tthc": "Khai sinh", "thoi_gian_giai_quyet": "5", "muc_do": "3"}],
     {"not_applicable": 0}),
    ("holidays come late", "ngay_nghi", HOLIDAY, [{"ngay": "2024-06-10", "mo_ta": "Nghỉ bù"}], {"received": 5}),
    ("the level change of a procedure comes late", "thay_doi_muc_do_thu_tuc", LEVEL_CHANGE,
     [{"id": 1, "ma_tthc": "1.000001", "thoi_gian": "2024-06-04 00:00+07", "muc_do_cu": "3", "muc_do_moi": "4"}],
     {"received": 5}),
    ("a dossier is known under a second code", "ho_so", DOSSIER,
     [changed(JUNE[3], ma_ho_so_khac="H50.14-240610-0008", ma_ho_so_khac_first=False)], {"received": 4}),
    ("the whole of May is delivered again", "ho_so", DOSSIER,
     [changed(MAY[0], ngay_ket_thuc_xu_ly="2024-06-03 09:00+07"), MAY[1], dossier(9, "2024-05-15"),
      dossier(10, "2024-05-27")], {"carried_over": 4}),
]  # fmt: skip


@pytest.mark.parametrize("position", range(len(LATENESS)), ids=[one[0] for one in LATENESS])
def test_lateness(story: Story, position: int) -> None:
    """Each in turn: the present report has it, and every earlier report is still what it was."""
    _, dataset, types, rows, expected = LATENESS[position]
    story.batch(dataset, types, rows)
    assert {name: story.june()[name] for name in expected} == expected
    for earlier in range(1, story.step + 1):
        assert story.as_known(earlier) == story.taken[earlier], f"after batch {earlier}"


def month_read_again(read: datetime, rejected: bool = True) -> Delivery:
    """June by its days of submission, read from the source beginning at that instant."""
    return Delivery(
        extent="period",
        key=("ma_ho_so",),
        window=("2024-06-01T00:00:00", "2024-07-01T00:00:00", "Asia/Ho_Chi_Minh"),
        read_from=read,
        rejected="one_stop__ho_so__rejected" if rejected else None,
    )


GONE = [dossier(number, "2024-06-17", ngay_nop="2024-06-17 07:00+07") for number in (41, 42, 43, 44)]


def test_a_dossier_that_a_month_read_again_no_longer_holds_was_deleted(story: Story) -> None:
    """One is there, one is in quarantine, one came while the month was being read, one is gone without a mark."""
    story.batch("ho_so", DOSSIER, GONE[:3])
    reading = at(story.step) + timedelta(hours=1)
    story.batch("ho_so", DOSSIER, GONE[3:])
    code = GONE[1]["ma_ho_so"]
    counts = story.batch(
        "ho_so", DOSSIER, GONE[:1], delivery=month_read_again(reading), rejected=[("2", code)]
    )  # fmt: skip
    assert (counts.unchanged, counts.closed, counts.kept) == (1, 1, 1)
    found = ask(
        story.warehouse,
        "select right(dossier_code, 2), deleted_at, quality_flags from core.fact_dossier where dossier_code like"
        " '%-240617-004_' order by 1",
    )
    assert found == [("41", None, None), ("42", None, None), ("43", at(story.step), ["khong_con_o_nguon"]),
                     ("44", None, None)]  # fmt: skip
    assert story.june()["received"] == story.june(story.step - 1)["received"] - 1
    for earlier in range(1, story.step + 1):
        assert story.as_known(earlier) == story.taken[earlier], f"after batch {earlier}"


def test_it_comes_back_from_a_later_reading_and_from_no_older_one(story: Story) -> None:
    found_gone = at(story.step)
    question = "select deleted_at, quality_flags from core.fact_dossier where dossier_code like '%-240617-0043'"
    story.batch(
        "ho_so", DOSSIER, GONE[2:3], delivery=Delivery(extent="part", read_from=found_gone - timedelta(hours=5))
    )
    assert ask(story.warehouse, question) == [(found_gone, ["khong_con_o_nguon"])], "a replay of what was read before"
    story.batch(
        "ho_so", DOSSIER, GONE[2:3], delivery=Delivery(extent="part", read_from=found_gone + timedelta(hours=1))
    )
    assert ask(story.warehouse, question) == [(None, None)]
    for earlier in range(1, story.step + 1):
        assert story.as_known(earlier) == story.taken[earlier], f"after batch {earlier}"


def test_members_completed_late_keep_the_keys_of_their_dossiers(story: Story) -> None:
    """Agency, procedure and field were met in a dossier before their catalogues; an unknown commune stays unknown."""
    late = dossier(61, "2024-06-18", ma_dinh_danh="H50.61", ma_tthc="1.000061", ma_linh_vuc="LV61", ma_xa="99999")
    story.batch("ho_so", DOSSIER, [late])
    question = (
        "select f.agency_sk, f.procedure_sk, f.field_sk, f.commune_sk, a.is_inferred, p.is_inferred, d.is_inferred"
        " from core.fact_dossier as f inner join core.dim_agency as a on f.agency_sk = a.agency_sk"
        " inner join core.dim_procedure as p on f.procedure_sk = p.procedure_sk"
        " inner join core.dim_field as d on f.field_sk = d.field_sk where f.dossier_code = '" + late["ma_ho_so"] + "'"
    )
    (before,) = ask(story.warehouse, question)
    assert before[3:] == (-1, True, True, True)
    known = {"group_code": "14", "group_name": "Sở Tư pháp", "ma_dinh_danh": "H50.14", "catalog": "so-ban-nganh"}
    new = {"group_code": "61", "group_name": "Sở Mới", "ma_dinh_danh": "H50.61", "catalog": "so-ban-nganh"}
    story.batch("groups", AGENCY, [known, new])
    story.batch(
        "thu_tuc", PROCEDURE,
        [{"ma_tthc": "1.000001", "ten_tthc": "Khai sinh", "thoi_gian_giai_quyet": "5", "muc_do": "4"},
         {"ma_tthc": "1.000061", "ten_tthc": "Thủ tục mới", "thoi_gian_giai_quyet": "7", "muc_do": "4"}],
    )  # fmt: skip
    story.batch("linh_vuc", FIELD, [{"ma_linh_vuc": "LV61", "ten_linh_vuc": "Lĩnh vực mới"}])
    (after,) = ask(story.warehouse, question)
    assert after == (*before[:4], False, False, False)
    names = (
        "select a.name, p.name, d.name from core.fact_dossier as f inner join core.dim_agency as a using (agency_sk)"
        " inner join core.dim_procedure as p using (procedure_sk) inner join core.dim_field as d using (field_sk)"
        " where f.dossier_code = '" + late["ma_ho_so"] + "'"
    )
    assert ask(story.warehouse, names) == [("Sở Mới", "Thủ tục mới", "Lĩnh vực mới")]
    for earlier in range(1, story.step + 1):
        assert story.as_known(earlier) == story.taken[earlier], f"after batch {earlier}"
