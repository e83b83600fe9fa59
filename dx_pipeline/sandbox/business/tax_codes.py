"""Tax codes that pass their check, for the records of the register."""

from __future__ import annotations

from dx_pipeline.clean.tax_code import check_digit


def tax_codes(prefix: str, count: int, first: int) -> list[str]:
    """Codes of ten digits with their check digit, counted up from ``first``."""
    found: list[str] = []
    number = first
    while len(found) < count:
        nine = f"{prefix}{number:07d}"
        if (digit := check_digit(nine)) is not None:
            found.append(f"{nine}{digit}")
        number += 1
    return found
