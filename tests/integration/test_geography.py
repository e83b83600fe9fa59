"""A commune is found by code or name and day, or not at all; figures on another map add up, with what does not fit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dx_pipeline.warehouse.connection import Warehouse
from tests.integration.star_warehouse import ask, ask_as, migrated_warehouse, running_server

MAPS = {141: "2019-12-31", 125: "2024-06-30", 119: "2025-04-01", 78: "2025-07-01"}
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


# -- maps ------------------------------------------------------------------------------------------


def test_the_maps_have_the_units_they_are_called_by(warehouse: Warehouse) -> None:
    rows = ask(
        warehouse,
        "select m.map, m.as_of::text, m.province_code, count(*) filter (where u.is_commune),"
        " count(*) filter (where not u.is_commune), count(*) filter (where u.old_province_code = '45' and u.is_commune)"
        " from core.admin_map as m join core.admin_map_unit as u using (map) group by 1, 2, 3 order by 2",
    )
    assert rows == [
        (141, "2019-12-31", "45", 141, 1, 141),
        (125, "2024-06-30", "45", 125, 1, 125),
        (119, "2025-04-01", "45", 119, 1, 119),
        (78, "2025-07-01", "44", 78, 0, 37),
    ]


def test_every_unit_day_and_map_has_shares_of_one(warehouse: Warehouse) -> None:
    """Each day falls into exactly one stretch, and the shares of a stretch add up to 1."""
    rows = ask(
        warehouse,
        "select count(*), count(*) filter (where shares = 1) from (select u.admin_unit_sk, m.map, d.day,"
        " sum(b.share) as shares from core.dim_admin_unit as u cross join core.admin_map as m"
        " cross join (values (date '1990-01-01'), ('2019-12-31'), ('2020-01-01'), ('2024-12-31'), ('2025-01-01'),"
        " ('2025-06-30'), ('2025-07-01'), ('2030-01-01')) as d (day)"
        " left join core.bridge_admin_map as b on b.from_sk = u.admin_unit_sk and b.map = m.map"
        " and d.day >= b.valid_from and d.day < b.valid_to group by 1, 2, 3) as q",
    )
    units = ask(warehouse, "select count(*) from core.dim_admin_unit")[0][0]
    assert rows == [(units * 4 * 8, units * 4 * 8)]


def test_on_the_map_of_today_no_day_is_needed(warehouse: Warehouse) -> None:
    rows = ask(warehouse, "select count(*), count(distinct from_sk) from core.bridge_admin_map where map = 78")
    assert rows[0][0] == rows[0][1]


@pytest.mark.parametrize("onto", MAPS)
def test_a_figure_on_its_own_map_stays_where_it_is(warehouse: Warehouse, onto: int) -> None:
    rows = ask(
        warehouse,
        "select count(*), count(*) filter (where b.to_sk = u.admin_unit_sk and b.share = 1)"
        " from core.admin_map_unit as u join core.admin_map as m using (map) left join core.bridge_admin_map as b"
        " on b.from_sk = u.admin_unit_sk and b.map = m.map and m.as_of >= b.valid_from and m.as_of < b.valid_to"
        " where m.map = :onto",
        onto=onto,
    )
    assert rows[0][0] == rows[0][1] == onto + (onto != 78)


def answers(warehouse: Warehouse, code: str, day: str, onto: int) -> list[tuple[object, ...]]:
    return ask(
        warehouse,
        "select t.code, b.share, b.reason, b.possible_units from core.dim_admin_unit as u"
        " join core.bridge_admin_map as b on b.from_sk = u.admin_unit_sk and b.map = :onto"
        " and cast(:day as date) >= b.valid_from and cast(:day as date) < b.valid_to"
        " join core.dim_admin_unit as t on t.admin_unit_sk = b.to_sk"
        " where u.code = :code and cast(:day as date) >= u.valid_from and cast(:day as date) < u.valid_to order by 1",
        code=code,
        day=day,
        onto=onto,
    )


@pytest.mark.parametrize(
    ("code", "day", "onto", "to"),
    [
        ("19525", "2024-06-30", 119, "19495"),  # Gio Châu went into the town of Gio Linh
        ("19630", "2019-06-30", 119, "19627"),  # Triệu Vân is Triệu Tân since 2025
        ("19381", "2019-06-30", 125, "19384"),  # Vĩnh Kim is Kim Thạch since 2020
        ("19381", "2019-06-30", 78, "19414"),  # and Cửa Tùng since July 2025
        ("471", "2024-06-30", 78, "19742"),
        ("19742", "2025-07-01", 125, "471"),  # back again: Cồn Cỏ has one predecessor
        ("19330", "2024-06-30", 141, "19330"),
        ("19528", "2019-06-30", 78, "19496"),  # Gio Thành was split, but both parts lie in Cửa Việt
    ],
)
def test_a_figure_moves_to_the_unit_that_holds_it(
    warehouse: Warehouse, code: str, day: str, onto: int, to: str
) -> None:
    assert answers(warehouse, code, day, onto) == [(to, Decimal(1), None, None)]


def test_a_split_with_unknown_shares_is_not_apportioned(warehouse: Warehouse) -> None:
    for onto in (125, 119):
        assert answers(warehouse, "19528", "2019-06-30", onto) == [
            ("-1", Decimal(1), "split_share_unknown", "Xã Gio Hải; Xã Gio Mai")
        ]


def test_a_unit_that_grew_under_its_own_code_is_not_taken_for_its_smaller_self(warehouse: Warehouse) -> None:
    assert answers(warehouse, "19519", "2019-06-30", 141) == [("19519", Decimal(1), None, None)]
    assert answers(warehouse, "19519", "2024-06-30", 141) == [
        ("-1", Decimal(1), "merged_from_several", "Xã Gio Hải; Xã Gio Thành")
    ]


@pytest.mark.parametrize(
    ("code", "day", "onto", "reason"),
    [
        ("18919", "2025-04-01", 125, "outside_map"),  # Tân Thành of Minh Hóa, old Quảng Bình
        ("461", "2024-06-30", 78, "not_a_commune"),
        ("45", "2024-06-30", 125, "not_a_commune"),
        ("-1", "2024-06-30", 125, "unit_unknown"),
        ("-2", "2024-06-30", 125, "not_applicable"),
    ],
)
def test_what_lies_on_no_unit_of_the_map_says_why(
    warehouse: Warehouse, code: str, day: str, onto: int, reason: str
) -> None:
    assert answers(warehouse, code, day, onto) == [("-1", Decimal(1), reason, None)]


def test_forward_everything_of_old_quang_tri_fits_on_the_78_units(warehouse: Warehouse) -> None:
    """One per unit of 2024 (125 and the island): 37 sums, nothing left over."""
    rows = ask(
        warehouse,
        "select count(*), sum(r.amount), count(*) filter (where r.to_sk < 0) from core.restate("
        " array(select admin_unit_sk from core.admin_map_unit where map = 125),"
        " array(select date '2024-06-30' from core.admin_map_unit where map = 125),"
        " array(select 1 from core.admin_map_unit where map = 125), 78) as r",
    )
    assert rows == [(37, Decimal(126), 0)]


def test_back_to_125_units_shows_what_is_not_known(warehouse: Warehouse) -> None:
    """Of the 78 units of today 41 lie outside; of the 37 only Cồn Cỏ has one predecessor."""
    rows = ask(
        warehouse,
        "select r.to_sk > 0, r.reason, r.amount from core.restate("
        " array(select admin_unit_sk from core.admin_map_unit where map = 78),"
        " array(select date '2025-07-01' from core.admin_map_unit where map = 78),"
        " array(select 1 from core.admin_map_unit where map = 78), 125) as r order by 2",
    )
    assert rows == [(False, "merged_from_several", 36), (False, "outside_map", 41), (True, None, 1)]


def test_an_unknown_key_is_shown_too(warehouse: Warehouse) -> None:
    assert ask(
        warehouse,
        "select * from core.restate(array[999999, null], array[date '2024-01-01', '2024-01-01'], array[2, 3], 78)",
    ) == [(-1, Decimal(5), "unit_unknown")]


@given(data=st.data(), onto=st.sampled_from(sorted(MAPS)))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_what_goes_in_comes_out(warehouse: Warehouse, data: st.DataObject, onto: int) -> None:
    """Sum in = sum on the map + what could not be apportioned, whatever the units, days and amounts."""
    keys = [row[0] for row in ask(warehouse, "select admin_unit_sk from core.dim_admin_unit order by 1")]
    rows = data.draw(
        st.lists(
            st.tuples(
                st.sampled_from(keys),
                st.integers(0, 4_000).map(lambda days: date(2016, 1, 1) + timedelta(days)),
                st.decimals(-1_000_000, 1_000_000, places=2),
            ),
            max_size=40,
        )
    )
    out = ask(
        warehouse,
        "select to_sk, amount, reason from core.restate(cast(:units as integer[]), cast(:days as date[]),"
        " cast(:amounts as numeric[]), :onto)",
        units=[row[0] for row in rows],
        days=[row[1] for row in rows],
        amounts=[row[2] for row in rows],
        onto=onto,
    )
    assert sum((amount for _, amount, _ in out), Decimal(0)) == sum((row[2] for row in rows), Decimal(0))
    assert all((to > 0) == (reason is None) for to, _, reason in out)
    on_map = {row[0] for row in ask(warehouse, "select admin_unit_sk from core.admin_map_unit where map = :m", m=onto)}
    assert {to for to, _, _ in out} <= on_map | {-1}
