"""Whole numbers that add up to a total, in proportion and below caps."""

from __future__ import annotations

import numpy as np
import pytest

from dx_pipeline.sandbox.digital_infrastructure.apportion import apportion


def test_shares_are_in_proportion_and_add_up() -> None:
    assert apportion(10, np.array([1.0, 1.0, 3.0])).tolist() == [2, 2, 6]


def test_the_largest_remainder_gets_the_last_one() -> None:
    assert apportion(4, np.array([1.0, 1.1, 1.0])).tolist() == [1, 2, 1]


def test_what_a_cap_refuses_goes_to_the_others() -> None:
    assert apportion(10, np.array([8.0, 1.0, 1.0]), np.array([4, 9, 9])).tolist() == [4, 3, 3]


def test_caps_that_hold_too_little_are_refused() -> None:
    with pytest.raises(ValueError, match="10 cannot be shared out below caps of 9"):
        apportion(10, np.array([1.0, 1.0]), np.array([4, 5]))


@pytest.mark.parametrize("seed", range(5))
def test_any_total_is_met_exactly(seed: int) -> None:
    rng = np.random.default_rng(seed)
    total = int(rng.integers(1, 1_000_000))
    given = apportion(total, rng.uniform(0.1, 5, 125))
    assert int(given.sum()) == total
    assert (given >= 0).all()
