"""What Great Expectations costs a process: libraries it does not need stay out, its results stay the same."""

from __future__ import annotations

import subprocess
import sys

PUT_OFF = """
import sys
from dx_pipeline.judge.verdict import prepare_to_judge
prepare_to_judge()
early = sorted({name for name in sys.modules if name.startswith(("altair.", "scipy.stats."))})
import altair as alt
from scipy import stats
print(early, alt.Chart.__name__, type(alt).__name__, stats.norm.cdf(0))
"""


def test_libraries_for_drawings_are_imported_when_they_are_used_and_not_before() -> None:
    told = subprocess.run([sys.executable, "-c", PUT_OFF], capture_output=True, text=True, check=True, timeout=120)
    assert told.stdout.split() == ["[]", "Chart", "module", "0.5"]


def test_a_configuration_is_worked_out_once_within_and_anew_outside() -> None:
    import great_expectations.expectations as gxe

    from dx_pipeline.judge.settled_configurations import settled_configurations

    rule = gxe.ExpectColumnValuesToBeBetween(column="n", min_value=1, max_value=9)
    with settled_configurations():
        settled = rule.configuration
        assert rule.configuration is settled
        with settled_configurations():
            assert rule.configuration is settled
    assert rule.configuration is not settled
    assert rule.configuration.kwargs == settled.kwargs
    rule.max_value = 5
    with settled_configurations():
        assert rule.configuration.kwargs["max_value"] == 5


def test_each_expectation_has_its_own() -> None:
    import great_expectations.expectations as gxe

    from dx_pipeline.judge.settled_configurations import settled_configurations

    with settled_configurations():
        kwargs = [gxe.ExpectColumnToExist(column=f"c{n}").configuration.kwargs["column"] for n in range(50)]
    assert kwargs == [f"c{n}" for n in range(50)]
