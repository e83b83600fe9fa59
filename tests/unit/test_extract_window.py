"""Windows: what an increment and a month read."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from dx_pipeline.errors import ContractError
from dx_pipeline.extract.window import Window, increment_window, parse_naive, period_window
from tests.extract_contracts import make_contract

TWO_HOURS = timedelta(hours=2)


def dossiers(**overrides: object) -> object:
    return make_contract(
        ["Id:bigint", "NgayCapNhat:timestamp"],
        **{"mode": "incremental", "cursor": "NgayCapNhat", "lookback": TWO_HOURS, **overrides},  # type: ignore[arg-type]
    )


def test_first_run_reads_everything() -> None:
    assert increment_window(dossiers(), None) == Window("full")


def test_lookback_is_taken_off_the_watermark() -> None:
    window = increment_window(dossiers(), "2024-03-01T01:30:00.250000")
    assert window == Window("increment", low="2024-02-29T23:30:00.250000")


def test_watermark_with_offset_becomes_local_time() -> None:
    assert increment_window(dossiers(), "2024-01-31T17:00:00Z").low == "2024-01-31T22:00:00"


def test_lookback_never_goes_before_1900() -> None:
    contract = dossiers(lookback=timedelta(days=365 * 300))
    assert increment_window(contract, "2024-01-01T00:00:00").low == "1900-01-01T00:00:00"


def test_snapshot_is_always_read_whole() -> None:
    assert increment_window(make_contract(["Ma"]), "2024-01-01T00:00:00") == Window("full")


def test_integer_cursor() -> None:
    contract = make_contract(["Id:bigint"], mode="append", cursor="Id", lookback=timedelta(seconds=100))
    assert increment_window(contract, "1234") == Window("increment", low="1134")


@pytest.mark.parametrize("watermark", ["12", "yesterday", "2024-13-01", "'; drop table x; --"])
def test_watermark_of_another_kind_is_refused(watermark: str) -> None:
    with pytest.raises(ContractError, match=r"one_stop\.ho_so: the stored watermark .* is not an ISO 8601 time"):
        increment_window(dossiers(), watermark)


@pytest.mark.parametrize(
    ("month", "low", "high"),
    [
        (date(2024, 2, 17), "2024-02-01T00:00:00", "2024-03-01T00:00:00"),
        (date(2023, 12, 1), "2023-12-01T00:00:00", "2024-01-01T00:00:00"),
        (date(2024, 1, 31), "2024-01-01T00:00:00", "2024-02-01T00:00:00"),
    ],
)
def test_period_is_a_half_open_month(month: date, low: str, high: str) -> None:
    assert period_window(dossiers(period="NgayCapNhat"), month) == Window("period", low, high)


def test_period_needs_a_declaration() -> None:
    with pytest.raises(ContractError, match="declares no load.period"):
        period_window(dossiers(), date(2024, 1, 1))


def test_unknown_time_zone_is_refused() -> None:
    contract = dossiers(timezone="Asia/Dong_Ha")
    with pytest.raises(ContractError, match="'Asia/Dong_Ha' is not a time zone"):
        increment_window(contract, "2024-01-01T00:00:00")


def test_parse_naive_refuses_what_is_no_time() -> None:
    assert parse_naive("31/12/2024") is None
    assert parse_naive("2024-12-31") is not None
