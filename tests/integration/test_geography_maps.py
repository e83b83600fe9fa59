"""Figures of communes on another map add up, with what could not be apportioned shown beside them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dx_pipeline.warehouse.connection import Warehouse
from tests.integration.star_warehouse import ask, migrated_warehouse, running_server

MAPS = (141, 125, 119, 78)


@pytest.fixture(scope="module", params=[16, 18])
def warehouse(request: pytest.FixtureRequest) -> Iterator[Warehouse]:
    with running_server(request.param) as server, migrated_warehouse(server) as opened:
        yield opened


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
