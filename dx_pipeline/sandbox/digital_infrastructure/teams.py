"""Rows of the two registers of community digital technology teams.

The register of decisions holds, once cleaned, 100 commune teams and 715 village teams with 4,327 members on 30 June
2024. The districts' reports hold the same villages and 115 commune teams: 15 communes report a team that no decision
has set up yet. Both tell of 4,327 members.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final

import numpy as np

from dx_pipeline.sandbox.communes import Commune
from dx_pipeline.sandbox.digital_infrastructure.apportion import apportion
from dx_pipeline.sandbox.planted import TruthBook

REGISTER: Final = "to_cong_nghe_so"
REPORTS: Final = "to_cong_nghe_so_bao_cao"
COMMUNE_TEAMS, COMMUNE_TEAMS_REPORTED, VILLAGE_TEAMS, MEMBERS = 100, 115, 715, 4_327
COMMUNE_MEMBERS: Final = 690  # of the members in all
_VILLAGE_NAMES: Final = (
    "Trung Kiên", "An Lợi", "Hà Thanh", "Tân Hòa", "Phú Hưng", "Đông Hà", "Nam Sơn", "Bắc Bình", "Xuân Lâm",
    "Thượng Xá", "Đại Hào", "Lập Thạch", "Phương Lang", "Trà Lộc", "Hội Yên", "Mai Đàn", "Tân Tiến", "Vĩnh An",
)  # fmt: skip

Row = dict[str, Any]


def team_rows(communes: list[Commune], seed: int, truth: TruthBook) -> tuple[list[Row], list[Row]]:
    """Rows of the register of decisions and of the districts' reports, clean and planted."""
    rng = np.random.default_rng([seed, 12])
    present = [one for one in communes if one.ceased_on is None]
    order = [present[int(at)] for at in rng.permutation(len(present))]
    reported = order[:COMMUNE_TEAMS_REPORTED]
    villages = _villages(order[: len(order) - 4], rng)
    teams = _register(reported[:COMMUNE_TEAMS], villages, rng)
    reports = _reports(reported, [(row["ma_xa"], row["ten_thon"], row["so_thanh_vien"]) for row in teams
                                  if row["cap"] == "Thôn"], rng)  # fmt: skip
    _TeamPlanter(REGISTER, teams, communes, truth, rng).plant_register()
    _TeamPlanter(REPORTS, reports, communes, truth, rng).plant()
    return teams, reports


def _villages(communes: list[Commune], rng: np.random.Generator) -> list[tuple[str, str]]:
    """(commune code, village) of the 715 villages; names are unique in a commune and repeated over the province."""
    counts = apportion(VILLAGE_TEAMS, rng.uniform(0.6, 1.4, len(communes)))
    found = []
    for commune, count in zip(communes, counts.tolist(), strict=True):
        kind = "Thôn" if commune.kind == "Xã" else "Khu phố"
        names = [f"{kind} {_VILLAGE_NAMES[int(at)]}" for at in rng.permutation(len(_VILLAGE_NAMES))]
        names += [f"{kind} {number}" for number in range(1, count)]
        found += [(commune.code, name) for name in names[:count]]
    return found


def _register(commune_teams: list[Commune], villages: list[tuple[str, str]], rng: np.random.Generator) -> list[Row]:
    of_communes = apportion(COMMUNE_MEMBERS, rng.uniform(0.8, 1.2, len(commune_teams)))
    of_villages = apportion(MEMBERS - COMMUNE_MEMBERS, rng.uniform(0.6, 1.4, len(villages)))
    listed: list[tuple[str, str, str | None, int]] = [
        (one.code, "Xã", None, count) for one, count in zip(commune_teams, of_communes.tolist(), strict=True)
    ]
    listed += [
        (code, "Thôn", village, count) for (code, village), count in zip(villages, of_villages.tolist(), strict=True)
    ]
    rows = []
    for number, (code, level, village, members) in enumerate(listed, start=1):
        day = date(2022, 3, 1) + timedelta(days=int(rng.integers(0, 800)))
        rows.append(
            {
                "id": number,
                "ma_to": f"TCN-{code}-{number:04d}",
                "cap": level,
                "ma_xa": code,
                "ten_thon": village,
                "so_thanh_vien": str(members),
                "qd_thanh_lap": f"{int(rng.integers(10, 900))}/QĐ-UBND",
                "ngay_thanh_lap": f"{day:%Y%m%d}",
                "ngay_giai_the": None,
                "ngay_cap_nhat": datetime(2024, 6, 20, 9, 0) + timedelta(seconds=17 * number),
            }
        )
    return rows


def _reports(commune_teams: list[Commune], villages: list[tuple[str, str, str]], rng: np.random.Generator) -> list[Row]:
    of_communes = apportion(COMMUNE_MEMBERS, rng.uniform(0.8, 1.2, len(commune_teams)))
    listed: list[tuple[str, str, str | None, str]] = [
        (one.code, "Xã", None, str(count)) for one, count in zip(commune_teams, of_communes.tolist(), strict=True)
    ]
    listed += [(code, "Thôn", village, members) for code, village, members in villages]
    return [
        {
            "id": number,
            "ma_dong": f"BC-{number:04d}",
            "cap": level,
            "ma_xa": code,
            "ten_thon": village,
            "so_thanh_vien": members,
            "ngay_bao_cao": date(2024, 6, 14),
            "ngay_cap_nhat": datetime(2024, 6, 17, 14, 0) + timedelta(seconds=11 * number),
        }
        for number, (code, level, village, members) in enumerate(listed, start=1)
    ]


class _TeamPlanter:
    """Plants each kind: mended or flagged rows among the clean ones, rejected ones beside them."""

    def __init__(
        self, dataset: str, rows: list[Row], communes: list[Commune], truth: TruthBook, rng: np.random.Generator
    ) -> None:
        self._dataset = dataset
        self._rows = rows
        self._truth = truth
        self._rng = rng
        self._key = "ma_to" if dataset == REGISTER else "ma_dong"
        self._free = {row["id"] for row in rows}
        names = [one.name for one in communes]
        self._name_of = {one.code: one.name for one in communes if names.count(one.name) == 1}
        self._ceased = [one.code for one in communes if one.ceased_on is not None]
        self._villages = [row for row in rows if row["cap"] == "Thôn"]

    def _take(self, code: str, candidates: list[Row]) -> list[Row]:
        free = [row for row in candidates if row["id"] in self._free]
        wanted = self._truth.rows_wanted(self._dataset, code)
        chosen = [free[int(at)] for at in self._rng.choice(len(free), size=wanted, replace=False)]
        self._free -= {row["id"] for row in chosen}
        return chosen

    def _note(self, code: str, row: Row, expected: str | None = None) -> None:
        self._truth.add(self._dataset, code, row["id"], expected=expected)

    def _add(self, code: str, **changes: Any) -> None:
        """A further row, with a key of its own unless the changes give one."""
        number = len(self._rows) + 1
        row = {**self._villages[0], self._key: f"{'TCN-X' if self._key == 'ma_to' else 'BC'}-{number:04d}", **changes}
        row["id"] = number
        self._rows.append(row)
        self._note(code, row)

    def plant(self) -> None:
        """The kinds both registers have."""
        named = [row for row in self._rows if row["ma_xa"] in self._name_of]
        for row in self._take("xa_ghi_ten", named):
            row["ma_xa"] = self._name_of[row["ma_xa"]]
            self._note("xa_ghi_ten", row)
        copied = self._take("exact_copy", list(self._rows))
        for at in range(self._truth.rows_wanted(self._dataset, "xa_da_giai_the")):
            self._add("xa_da_giai_the", ma_xa=self._ceased[at], ten_thon=f"Thôn cũ {at + 1}")
        for name in ("Phường 1", "Phường 2", "Phường 3"):
            self._add("ma_xa_unreadable", ma_xa=name)
        for level in ("Huyện", "Tỉnh", "?"):
            self._add("cap_unknown", cap=level)
        for code in ("19429", "19432", "19624"):
            self._add("ten_thon_missing", ma_xa=code, ten_thon=None)
        for text in ("năm người", "5-7", "chưa rõ"):
            self._add("so_thanh_vien_unreadable", so_thanh_vien=text)
        for text in ("0", "500", "-3"):
            self._add("so_thanh_vien_out_of_range", so_thanh_vien=text)
        for row in copied:
            self._add("exact_copy", **row)

    def plant_register(self) -> None:
        """Also what only the register of decisions has."""
        common = {(row["ma_xa"], row["ten_thon"]) for row in self._villages}
        twice = [row for row in self._villages if sum(name == row["ten_thon"] for _, name in common) > 1]
        for row in self._take("village_name_twice", twice):
            self._note("village_name_twice", row)
        for row in self._take("qd_thanh_lap_missing", self._rows):
            row["qd_thanh_lap"] = None
            self._note("qd_thanh_lap_missing", row)
        words = ("Tổ cấp thôn", "KHU PHỐ", "bản", "cấp  thôn")
        for at, row in enumerate(self._take("level_in_words", self._villages)):
            row["cap"] = words[at % len(words)]
            self._note("level_in_words", row, "thon")
        for row in self._take("slashed_days", self._rows):
            text = row["ngay_thanh_lap"]
            row["ngay_thanh_lap"] = f"{text[6:]}/{text[4:6]}/{text[:4]}"
            self._note("slashed_days", row, f"{text[:4]}-{text[4:6]}-{text[6:]}")
        for row in self._take("extra_spaces", self._villages):
            expected = row["ten_thon"]
            row["ten_thon"] = expected.replace(" ", "  ", 1) + "\u00a0"
            self._note("extra_spaces", row, expected)
        clean = self._villages[1]
        self.plant()
        for at in range(self._truth.rows_wanted(self._dataset, "dissolved_team")):
            self._add("dissolved_team", ten_thon=f"Thôn sáp nhập {at + 1}", ma_xa=clean["ma_xa"],
                      ngay_thanh_lap="20220401", ngay_giai_the="20231215")  # fmt: skip
        for number in (9001, 9002):
            for members in ("4", "6"):
                self._add("ma_to_conflict", ma_to=f"TCN-{clean['ma_xa']}-{number}", so_thanh_vien=members)
