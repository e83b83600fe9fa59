"""Transactions by day, agency and channel, and what is wrong with some."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from dx_pipeline.sandbox.one_stop.working_days import holidays
from dx_pipeline.sandbox.planted import TruthBook
from dx_pipeline.sandbox.service_centre.kinds import TRANSACTIONS

Record = dict[str, Any]
FIRST: Final = date(2024, 4, 1)
LAST: Final = date(2024, 6, 28)
AGENCIES: Final = tuple(f"H50.{number:02d}" for number in (2, 3, 5, 9, 10, 16, 21, 22, 23, 24, 25, 26))
_DAYS_OFF: Final = frozenset(day for day, _ in holidays())


def transactions(seed: int, truth: TruthBook) -> list[Record]:
    """All lines, clean and planted."""
    rng = np.random.default_rng([seed, 342])
    rows = list(_clean(rng))
    free: list[int] = rng.permutation(len(rows)).tolist()

    def take(code: str) -> list[Record]:
        return [rows[free.pop()] for _ in range(truth.rows_wanted(TRANSACTIONS, code))]

    def note(code: str, row: Record, expected: str | None = None) -> None:
        day = f"{row['Ngay'][:4]}-{row['Ngay'][4:6]}-{row['Ngay'][6:]}"
        truth.add(TRANSACTIONS, code, 0, row_key=f"{day}|{row['MaDinhDanh']}|{row['Kenh']}", expected=expected)

    for row in take("thanh_toan_vuot_luot"):
        row["SoLuotThanhToan"] = row["SoLuot"] + 4
        note("thanh_toan_vuot_luot", row)
    for row in take("so_am"):
        row["SoTien"] = -50_000
        note("so_am", row)
    for at, row in enumerate(take("kenh_unknown")):
        row["Kenh"] = f"{7 + at}"
        note("kenh_unknown", row)
    for row in take("tien_khong_luot"):
        row["SoLuotThanhToan"], row["SoTien"] = 0, 120_000
        note("tien_khong_luot", row)
    for row in take("so_co_dau_cham"):
        row["SoLuotThanhToan"] = max(row["SoLuotThanhToan"], 1)
        amount = 1_250_000 + 1000 * row["SoLuot"]
        row["SoTien"] = f"{amount:,}".replace(",", ".")
        note("so_co_dau_cham", row, str(amount))
    for row in take("exact_copy"):
        rows.append(dict(row))
        note("exact_copy", row)
    return rows


def _clean(rng: np.random.Generator) -> Iterator[Record]:
    day = FIRST
    while day <= LAST:
        if day.weekday() < 5 and day not in _DAYS_OFF:
            for agency in AGENCIES:
                for channel, size in (("1", 12), ("2", 20), ("3", 2)):
                    count = int(rng.poisson(size)) + 1
                    paid = int(rng.binomial(count, 0.4))
                    yield {
                        "Ngay": f"{day:%Y%m%d}",
                        "MaDinhDanh": agency,
                        "Kenh": channel,
                        "SoLuot": count,
                        "SoLuotThanhToan": paid,
                        "SoTien": paid * 5_000 * int(rng.integers(2, 30)),
                    }
        day += timedelta(days=1)
