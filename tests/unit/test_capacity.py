"""``dx capacity``: products a person can check with a pencil, and the point where one server no longer does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dx_pipeline.capacity.model import coefficients, estimate
from dx_pipeline.cli.main import app
from dx_pipeline.errors import SettingsError
from dx_pipeline.settings import PROJECT_ROOT

GUIDE = (PROJECT_ROOT / "docs" / "capacity.md").read_text(encoding="utf-8")
ROUND = {
    "star_bytes_per_dossier": 2_000,
    "landing_bytes_per_dossier": 200,
    "landing_retention_days": 73,
    "events_per_dossier": 4,
    "updates_per_dossier": 5,
    "upsert_rows_per_second": 10_000,
    "road_rows_per_second": 10_000,
    "scan_rows_per_second_core": 500_000,
    "parallel_efficiency": 0.5,
    "slowest_mart_seconds_per_million": 6,
    "hot_months": 24,
    "bloat": 1.5,
    "restore_megabytes_per_second": 100,
    "restore_hours_limit": 3,
}


def test_products_of_round_coefficients() -> None:
    real = coefficients()
    assert set(real) == set(ROUND)
    by = {name: replace(real[name], value=value) for name, value in ROUND.items()}
    found = estimate(3_650_000, 2, provinces=1, cores=4, memory_gb=10, by=by)
    assert (found.dossiers, found.rows) == (7_300_000, 36_500_000)
    assert found.star_bytes == 14_600_000_000
    assert found.landing_bytes == (7_300_000 + 3_650_000 * 5 * 73 / 365) * 200
    assert found.daily_load_seconds == 10_000 * (1 + 5 + 4) / 10_000
    assert found.first_load_hours == pytest.approx(36_500_000 / 10_000 / 3600)
    assert found.scan_year_seconds == 3_650_000 / 500_000 / 2
    assert found.slowest_mart_seconds == pytest.approx(43.8)
    assert found.restore_hours == pytest.approx(219 / 3600)
    assert found.hot_bytes == 14_600_000_000
    assert found.years_until_memory == pytest.approx(10 / 7.3)
    assert found.years_until_restore == pytest.approx(3 * 3600 * 0.1 / (7.3 * 1.5))
    assert len(found.advice) == 1
    assert found.advice[0].startswith("from about year 1.4 on the months people ask about no longer fit into memory")


def test_one_province_needs_one_server_and_the_whole_country_does_not_fit() -> None:
    province = estimate(2_000_000, 10, provinces=1, cores=8, memory_gb=64, by=coefficients())
    assert province.advice == ("one server is enough for all these years: neither Citus nor Spark is needed",)
    assert province.years_until_memory is None
    country = estimate(3_000_000, 10, provinces=34, cores=32, memory_gb=256, by=coefficients())
    assert country.scan_year_seconds == pytest.approx(11.8, abs=0.1)
    assert len(country.advice) == 2


def test_every_coefficient_is_named_in_the_guide_with_its_value() -> None:
    for name, number in coefficients().items():
        assert f"| `{name}` | {number.value:,g} {number.unit} | {number.kind} |" in GUIDE


def test_an_incomplete_coefficient_is_named(tmp_path: Path) -> None:
    file = tmp_path / "coefficients.yaml"
    file.write_text("bloat: {value: 1.5, unit: factor, kind: assumed, source: x}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="bloat is incomplete"):
        coefficients(file)


def test_the_command_tells_sizes_and_advice() -> None:
    done = CliRunner().invoke(app, ["capacity", "--dossiers-per-year", "1500000", "--years", "10", "--sources"])
    assert done.exit_code == 0
    assert "15,000,000" in done.stdout
    assert "30.0 GB" in done.stdout
    assert "one server is enough" in done.stdout
    assert "17,700" in done.stdout
    wrong = CliRunner().invoke(app, ["capacity", "--dossiers-per-year", "0", "--years", "10"])
    assert wrong.exit_code == 2
