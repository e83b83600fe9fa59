"""A commune is found by its code or name and the day, or the answer says why not."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from dx_pipeline.warehouse.connection import Warehouse
from tests.integration.star_warehouse import PROJECT, ask, ask_as, migrated_warehouse, running_server

SEED_DAY = "2024-06-30"  # the map with 10 districts and 125 communes


@pytest.fixture(scope="module", params=[16, 18])
def warehouse(request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    with running_server(request.param) as server, migrated_warehouse(server) as opened:
        yield opened


def by_code(warehouse: Warehouse, code: str | None, day: str | None) -> tuple[str | None, str | None]:
    """(name of the unit, reason)."""
    (row,) = ask(
        warehouse,
        "select u.name, r.reason from core.resolve_commune(cast(:code as text), cast(:day as date)) as r"
        " left join core.dim_admin_unit as u using (admin_unit_sk)",
        code=code,
        day=day,
    )
    return row  # type: ignore[return-value]


def by_name(
    warehouse: Warehouse,
    name: str | None,
    day: str | None = SEED_DAY,
    district: str | None = None,
    province: str | None = None,
) -> tuple[str | None, str | None]:
    """(code of the unit, reason)."""
    (row,) = ask(
        warehouse,
        "select u.code, r.reason from core.resolve_commune(:name, :district, cast(:day as date), :province) as r"
        " left join core.dim_admin_unit as u using (admin_unit_sk)",
        name=name,
        district=district,
        day=day,
        province=province,
    )
    return row  # type: ignore[return-value]


# -- by code and day -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "day", "name"),
    [
        ("19333", "2025-06-30", "Phường 1"),
        ("19333", "2025-07-01", "Phường Đông Hà"),
        ("19384", "2019-12-31", "Xã Vĩnh Thạch"),
        ("19384", "2020-01-01", "Xã Kim Thạch"),
        ("19489", "2019-12-31", "Xã A Túc"),
        ("19489", "2024-06-30", "Xã Lìa"),
        ("19567", "2024-06-30", "Xã Triệu Nguyên"),
        ("19567", "2025-07-01", "Xã Ba Lòng"),
        ("19570", "2024-06-30", "Xã Ba Lòng"),
        # Codes of the list of February 2020, which the statistics office changed afterwards.
        ("19381", "2019-12-31", "Xã Vĩnh Kim"),
        ("19381", "2020-03-01", "Xã Kim Thạch"),
        ("19486", "2020-03-01", "Xã Lìa"),
        ("19723", "2020-03-01", "Xã Hải Phong"),
    ],
)
def test_a_code_means_the_unit_of_its_day(warehouse: Warehouse, code: str, day: str, name: str) -> None:
    assert by_code(warehouse, code, day) == (name, None)


@pytest.mark.parametrize(
    ("code", "day", "reason"),
    [
        ("99999", SEED_DAY, "unknown_code"),
        ("45", SEED_DAY, "unknown_code"),
        ("19528", "2020-01-01", "not_in_force_that_day"),
        ("19742", SEED_DAY, "not_in_force_that_day"),
        ("19381", "2025-07-01", "not_in_force_that_day"),
        (" ", SEED_DAY, "code_missing"),
        (None, SEED_DAY, "code_missing"),
        ("19333", None, "day_missing"),
    ],
)
def test_a_code_that_means_nothing_says_why(
    warehouse: Warehouse, code: str | None, day: str | None, reason: str
) -> None:
    assert by_code(warehouse, code, day) == (None, reason)


def test_every_code_is_found_on_both_ends_of_its_validity(warehouse: Warehouse) -> None:
    rows = ask(
        warehouse,
        "select count(*), count(*) filter (where f.admin_unit_sk = u.admin_unit_sk and f.reason is null),"
        " count(*) filter (where l.admin_unit_sk = u.admin_unit_sk and l.reason is null) from core.dim_admin_unit as u"
        " cross join lateral core.resolve_commune(u.code, u.valid_from) as f"
        " cross join lateral core.resolve_commune(u.code, u.valid_to - 1) as l where u.level = 'commune'",
    )
    assert rows == [(402, 402, 402)]


def test_codes_used_again_are_as_many_as_the_catalogues_show(warehouse: Warehouse) -> None:
    """81 codes of the two old provinces name something else later."""
    assert ask(
        warehouse,
        "select count(*) from (select code from core.dim_admin_unit where level = 'commune'"
        " group by code having count(distinct name) > 1) as q",
    ) == [(81,)]


def test_a_table_is_joined_without_losing_or_doubling_a_row(warehouse: Warehouse) -> None:
    rows = ask(
        warehouse,
        "with report (code, day) as (values ('19333', date '2024-06-30'), ('19333', date '2025-07-01'),"
        " ('19528', date '2024-06-30'), ('99999', date '2024-06-30'))"
        " select r.code, u.name, coalesce(c.reasons[width_bucket(r.day, c.starts)],"
        " case when c.code is null then 'unknown_code' end) from report as r"
        " left join core.commune_by_code as c on c.code = r.code"
        " left join core.dim_admin_unit as u on u.admin_unit_sk = c.admin_unit_sks[width_bucket(r.day, c.starts)]"
        " order by r.code, r.day",
    )
    assert rows == [
        ("19333", "Phường 1", None),
        ("19333", "Phường Đông Hà", None),
        ("19528", None, "not_in_force_that_day"),
        ("99999", None, "unknown_code"),
    ]


# -- by name, district and day ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "district", "day", "code"),
    [
        ("Phường 1", "Đông Hà", SEED_DAY, "19333"),
        ("Phường 1", "Thị xã Quảng Trị", SEED_DAY, "19357"),
        ("P.01", "TP. Đông Hà", SEED_DAY, "19333"),
        ("phường 3", "462", SEED_DAY, "19361"),
        ("Phường Đông Hà", None, "2025-07-01", "19333"),
        # A code range is not a district: Hải Lệ lies in the town of Quảng Trị.
        ("Xã Hải Lệ", "Thị xã Quảng Trị", SEED_DAY, "19705"),
        # Accents count.
        ("Xã Quảng Tiên", None, SEED_DAY, "19069"),
        ("Xã Quảng Tiến", None, SEED_DAY, "19039"),
        # How it is written does not.
        ("XÃ  A\u00a0DƠI", None, SEED_DAY, "19483"),
        ("Xa\u0303 Trie\u0323\u0302u Hoa\u0300", "TRIỆU PHONG", SEED_DAY, "19648"),
        ("Triệu Hoà", "Triệu Phong", SEED_DAY, "19648"),
        ("Vĩnh Thuỷ", None, SEED_DAY, "19402"),
        ("TT Khe Sanh", "Hướng Hoá", SEED_DAY, "19429"),
        ("Xã Đakrông", "Huyện Đa Krông", SEED_DAY, "19564"),
        ("Xã Ðakrông", "Đakrông", SEED_DAY, "19564"),
        ("Thị trấn Nông trường Việt Trung", None, SEED_DAY, "19114"),
        # Districts that became communes.
        ("Xã Cam Lộ", None, "2025-07-01", "19597"),
        ("Thị trấn Cam Lộ", "Cam Lộ", "2025-06-30", "19597"),
        # The same name, another unit: Tân Thành of Hướng Hóa alone until the end of 2024.
        ("Tân Thành", None, SEED_DAY, "19456"),
        ("Tân Thành", "Minh Hóa", "2025-02-01", "18919"),
        ("Đặc khu Cồn Cỏ", None, "2025-07-01", "19742"),
    ],
)
def test_a_name_means_one_unit(warehouse: Warehouse, name: str, district: str | None, day: str, code: str) -> None:
    assert by_name(warehouse, name, day, district) == (code, None)


@pytest.mark.parametrize(
    ("name", "district", "day", "reason"),
    [
        ("Phường 1", None, SEED_DAY, "district_needed"),
        ("Phường 2", None, SEED_DAY, "district_needed"),
        ("3", "", SEED_DAY, "district_needed"),
        ("Phường 1", None, "2025-07-01", "not_in_force_that_day"),
        ("Phường 1", "Đông Hà", "2025-07-01", "not_in_force_that_day"),
        ("Tân Thành", None, "2025-02-01", "district_needed"),
        ("Cam Thủy", None, SEED_DAY, "district_needed"),
        ("Quang Tien", None, SEED_DAY, "unknown_name"),
        ("Xã Không Có", None, SEED_DAY, "unknown_name"),
        ("Phường Quảng Trị", None, SEED_DAY, "not_in_force_that_day"),
        ("Xã Gio Linh", None, SEED_DAY, "not_in_force_that_day"),
        ("Huyện Cam Lộ", None, SEED_DAY, "not_a_commune"),
        ("Tỉnh Quảng Trị", None, SEED_DAY, "not_a_commune"),
        ("Phường Hải Lệ", None, SEED_DAY, "kind_differs"),
        ("Xã Hải Lệ", "Hải Lăng", SEED_DAY, "not_in_that_district"),
        ("Xã Hải Lệ", "Hải Lăm", SEED_DAY, "unknown_district"),
        ("", None, SEED_DAY, "name_missing"),
        (None, None, SEED_DAY, "name_missing"),
        ("Xã Hải Lệ", None, None, "day_missing"),
    ],
)
def test_a_name_that_is_not_certain_says_why(
    warehouse: Warehouse, name: str | None, district: str | None, day: str | None, reason: str
) -> None:
    assert by_name(warehouse, name, day, district) == (None, reason)


def test_the_province_helps_where_two_provinces_have_the_name(warehouse: Warehouse) -> None:
    assert by_name(warehouse, "Xã Cam Thủy", province="45") == ("19606", None)
    assert by_name(warehouse, "Xã Cam Thủy", province="44") == ("19270", None)
    assert by_name(warehouse, "Xã Cam Thủy", province="46") == (None, "unknown_province")
    # 44 was Quảng Bình; of today's Quảng Trị it names communes of both.
    assert by_name(warehouse, "Khe Sanh", province="44") == (None, "not_in_force_that_day")
    assert by_name(warehouse, "Khe Sanh", "2025-07-01", province="44") == ("19429", None)
    assert by_name(warehouse, "Khe Sanh", "2025-07-01", province="45") == (None, "not_in_force_that_day")


def test_con_co_had_no_commune(warehouse: Warehouse) -> None:
    """The figures of the island stay with the district, and the reason says so."""
    assert by_name(warehouse, "Cồn Cỏ") == ("471", "district_without_communes")
    assert by_name(warehouse, "Huyện đảo Cồn Cỏ") == ("471", "district_without_communes")
    assert by_code(warehouse, "471", SEED_DAY) == ("Huyện Cồn Cỏ", "district_without_communes")
    assert by_code(warehouse, "471", "2025-07-01") == (None, "not_in_force_that_day")


def test_every_name_of_a_map_is_found_with_its_district(warehouse: Warehouse) -> None:
    for day, communes in (("2019-12-31", 300), (SEED_DAY, 276), ("2025-04-01", 264), ("2025-07-01", 78)):
        rows = ask(
            warehouse,
            "select count(*), count(*) filter (where r.admin_unit_sk = u.admin_unit_sk and r.reason is null)"
            " from core.dim_admin_unit as u"
            " left join core.dim_admin_unit as d on d.admin_unit_sk = u.parent_sk and d.level = 'district'"
            " cross join lateral core.resolve_commune(u.name, d.name, cast(:day as date)) as r"
            " where u.level = 'commune' and cast(:day as date) >= u.valid_from and cast(:day as date) < u.valid_to",
            day=day,
        )
        assert rows == [(communes, communes)], day


def test_the_key_of_a_name(warehouse: Warehouse) -> None:
    names = (
        "THỊ TRẤN Hồ Xá",
        "Hướng Hóa",
        "hướng hoá",
        "Thuỷ",
        "Thủy",
        "Hoàn Lão",
        "Quỳ",
        "Xã Xy",
        "P. 2",
        "ĐK Cồn Cỏ",
    )
    keys = [ask(warehouse, "select core.admin_name_key(:name)", name=name)[0][0] for name in names]
    assert keys == ["hồ xá", "hướng hoá", "hướng hoá", "thuỷ", "thuỷ", "hoàn lão", "quỳ", "xy", "2", "cồn cỏ"]


@pytest.mark.parametrize("role", ["dx_loader", "dx_engineer", "dx_analyst"])
def test_readers_may_ask(warehouse: Warehouse, role: str) -> None:
    assert ask_as(warehouse, role, "select reason from core.resolve_commune('19333', date '2024-06-30')") == [(None,)]
    assert ask_as(warehouse, role, "select reason from core.resolve_commune('Hải Phú', null, date '2024-06-30')") == [
        ("district_needed",)
    ]
    assert ask_as(warehouse, role, "select amount from core.restate('{1}', '{2024-01-01}', '{5}', 78)") == [(5,)]
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        ask_as(warehouse, role, "select core.refresh_admin_maps()")


def test_the_join_of_the_onboarding_guide(warehouse: Warehouse) -> None:
    """One row comes out per row of the list, whether its commune is certain or not."""
    guide = (PROJECT / "docs" / "onboard-a-source.md").read_text(encoding="utf-8")
    (statement,) = [
        block for block in re.findall(r"```sql\n(.*?)```", guide, re.DOTALL) if "stage.clinics__bed" in block
    ]
    rows = [
        ("Phường 1", "TP Đông Hà", "2024-06-30", "19333", None),
        ("Phường 1", "", "2024-06-30", "-1", "district_needed"),
        ("Phường 1", None, "2025-07-01", "-1", "not_found"),
        ("Cam Thuỷ", None, "2024-06-30", "19606", None),
        ("Phường Đông Hà", None, "2025-07-01", "19333", None),
        ("Thị trấn Cam Lộ", None, "2024-06-30", "19597", None),
        ("Xã Gio Thành", "Gio Linh", "2020-01-01", "-1", "not_in_force_that_day"),
        ("Không có", None, "2024-06-30", "-1", "not_found"),
        ("Cồn Cỏ", None, "2024-06-30", "471", "district_without_communes"),
    ]
    with warehouse.loader() as connection:
        connection.exec_driver_sql("drop table if exists stage.clinics__bed")
        connection.exec_driver_sql(
            "create unlogged table stage.clinics__bed"
            " (row_id integer, commune_name text, district_name text, report_day date)"
        )
        for number, (name, district, day, _, _) in enumerate(rows):
            connection.execute(
                sa.text("insert into stage.clinics__bed values (:n, :name, :district, cast(:day as date))"),
                {"n": number, "name": name, "district": district, "day": day},
            )
        found = connection.exec_driver_sql(
            f"select u.code, q.commune_reason from ({statement}) as q"
            " join core.dim_admin_unit as u on u.admin_unit_sk = q.commune_sk order by q.row_id"
        ).all()
    assert [tuple(row) for row in found] == [(code, reason) for *_, code, reason in rows]
