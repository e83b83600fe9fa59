"""Equal values of control sums, the star column of a stage column, and the promise about volume."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dx_pipeline.contract.volume import VolumePromise, parse_volume
from dx_pipeline.warehouse.control_sums import same_value, star_column


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("600", "600.000000"),
        ("0.30000000000000004", "0.3"),
        ("2024-06-30 20:18:54.56693", "2024-06-30T20:18:54.566930"),
        ("2024-06-30 20:18:54+07", "2024-06-30 13:18:54"),
        (None, None),
        ("abc", "abc"),
    ],
)
def test_the_same_value_written_in_two_ways(one: str | None, other: str | None) -> None:
    assert same_value(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("600", "601"), ("1000000000", "1000000002"), ("2024-06-30", "2024-07-01"), ("0", None), ("a", "b")],
)
def test_other_values(one: str | None, other: str | None) -> None:
    assert not same_value(one, other)


@pytest.mark.parametrize(
    ("sql", "column"),
    [
        ("select\n    s.so_tien as amount_vnd,\n    s.phi as fee", "amount_vnd"),
        ("select\n    s.so_tien::numeric(18, 0) as amount_vnd", "amount_vnd"),
        ("select\n    s.so_tien,\n    s.x", "so_tien"),
        ("select\n    s.so_tien * 1000 as amount_vnd", None),
        ("select\n    coalesce(s.so_tien, 0) as amount_vnd", None),
        ("select\n    s.so_tien_khac as other", None),
    ],
)
def test_only_a_column_that_is_passed_on_as_it_is_can_be_compared(sql: str, column: str | None) -> None:
    assert star_column(sql, "so_tien") == column


def test_a_promise_about_volume() -> None:
    def refuse(reason: str) -> object:
        raise ValueError(reason)

    assert parse_volume(None, refuse) == VolumePromise()  # type: ignore[arg-type]
    assert parse_volume({"newWithinHours": 48, "band": 0.5, "outside": "hold"}, refuse) == VolumePromise(  # type: ignore[arg-type]
        timedelta(hours=48), 0.5, "hold"
    )
    for wrong in ({"band": -1}, {"band": True}, {"newWithinHours": "2"}, {"outside": "stop"}, {"other": 1}, [1]):
        with pytest.raises(ValueError):
            parse_volume(wrong, refuse)  # type: ignore[arg-type]
