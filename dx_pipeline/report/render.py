"""The report as one self-contained HTML file, from its numbers alone."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dx_pipeline.report import plots
from dx_pipeline.report.numbers import Report, Section
from dx_pipeline.report.words import amount, day, period_in_words, province_in_words, words

_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
_TRENDS = (
    ("*", "t_total"),
    ("PROCESSING_ON_TIME", "t_time"),
    ("FILED_ONLINE", "t_online"),
    ("PAID_ONLINE", "t_paid"),
    ("ORIGINAL_RESULT_AVAILABLE", "t_result"),
    ("EID_ACTIVATION", "t_eid"),
)
_MULTIPLES = (("score", "m_score"), ("on_time", "m_time"), ("filed_online", "m_online"))
_PEERS = ("so-ban-nganh province", "quan-huyen district", "cnvpdk province")
_COMMUNES = "xa-phuong commune"
_ENDS_SHOWN = 10
_HEADINGS = {
    "figures": "s1", "province": "s2", "province_total": "s2", "national": "gap_title", "national_figures": "gap_title",
    "two_rules": "rules_title", "trend": "s3", "districts": "s4", "ranking": "s5", "assessment": "assessed", "late": "s6",
    "eid": "s7", "tasks": "s8", "late_tasks": "s8", "budget": "s9", "quality": "s10", "sets": "sets", "calendar": "calendar",
}  # fmt: skip
_ASSESSMENT_LATER = (
    "published_by", "note", "set_code", "tied", "not_applicable", "points_not_applicable", "exclusion_reason",
)  # fmt: skip


def render(report: Report, language: str, *, province: str, owners: Mapping[str, str]) -> str:
    """The HTML.

    Args:
        province: name of the province.
        owners: dataset → name of the department that owns it.
    """
    environment = Environment(
        loader=PackageLoader("dx_pipeline.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["n"] = lambda value, decimals=None: amount(value, language, decimals)
    environment.filters["pc"] = lambda value, decimals=2: _percent(value, language, decimals)
    environment.filters["day"] = lambda text: day(text, language)
    environment.filters["both"] = lambda text: _one_of(text, language)
    page = _Page(report, language)
    return environment.get_template("report.html.j2").render(
        w=words(language),
        language=language,
        report=report,
        s=report.sections,
        page=page,
        title_period=period_in_words(report.period, language),
        province=province_in_words(province, language),
        owners=owners,
        known=day(f"{report.known_at.astimezone(_ZONE):%Y-%m-%d %H:%M}", language),
        fingerprint=hashlib.sha256(report.numbers).hexdigest(),
        bar=plots.bar,
    )


class _Page:
    """What the template shows, arranged from the numbers."""

    def __init__(self, report: Report, language: str) -> None:
        self._s = report.sections
        self._language = language
        self._words = words(language)
        self.total = next(row for row in self._s["province_total"] if row["period"] == report.period.text)
        self.before = next((row for row in self._s["province_total"] if row["period"] == report.period.before), None)

    def name(self, row: Mapping[str, Any], key: str = "name") -> str:
        """A name in the report's language."""
        return str(row[f"{key}_{self._language}"] or "")

    def figures_differ(self) -> int:
        return sum(1 for row in self._s["figures"] if row["difference"] is None or Decimal(row["difference"]) != 0)

    def not_measured(self) -> tuple[Decimal, Decimal]:
        """Points that the warehouse does not measure, and points of the whole set."""
        points = [(row["status"], Decimal(str(row["full_points"] or 0))) for row in self._s["province"]]
        return sum((one for status, one in points if status == "no_source"), Decimal()), sum(
            (one for _, one in points), Decimal()
        )

    def calendar(self) -> list[str]:
        """A sentence per year of the period whose days off are not confirmed."""
        return [
            self._words[f"calendar_{row['standing']}"].format(year=row["year"], days=row["provisional_days"])
            for row in self._s.get("calendar", [])
        ]

    def sections(self, names: Sequence[str]) -> list[str]:
        """Headings of sections, each once."""
        in_order = sorted(names, key=lambda name: list(_HEADINGS).index(name) if name in _HEADINGS else len(_HEADINGS))
        return list(dict.fromkeys(self._words.get(_HEADINGS.get(name, name), name) for name in in_order))

    def late(self) -> int:
        return sum(int(row["overdue"]) for row in self._s["late"])

    def component_share(self, code: str) -> str | None:
        return next((row["rate"] for row in self._s["province"] if row["component_code"] == code), None)

    def eid(self) -> tuple[int, int] | None:
        """Issued and activated in the province."""
        placed = [row for row in self._s["eid"] if row["is_placed"]]
        return (_sum(placed, "issued"), _sum(placed, "activated")) if placed else None

    def trends(self) -> list[tuple[str, Markup]]:
        found = []
        for code, word in _TRENDS:
            rows = [row for row in self._s["trend"] if row["component_code"] == code]
            if not any(row["share"] for row in rows):
                continue
            values = [_float(row["share"]) for row in rows]
            low, high = _scale([value for value in values if value is not None])
            line = plots.Line(self._words[word], values)
            drawn = plots.trend([row["period"] for row in rows], line, self._say, low=low, high=high)
            found.append((self._words[word], drawn))
        return found

    def districts(self) -> list[tuple[str, list[tuple[str, Markup]]]]:
        """District → its small multiples."""
        months = sorted({row["period"] for row in self._s["districts"]})
        series: dict[str, dict[str, list[float | None]]] = {}
        names: dict[str, str] = {}
        for key, _ in _MULTIPLES:
            by_unit: dict[str, dict[str, float | None]] = defaultdict(dict)
            for row in self._s["districts"]:
                by_unit[row["unit_code"]][row["period"]] = _float(row[key])
                names[row["unit_code"]] = row["unit_name"] or row["unit_code"]
            series[key] = {unit: [cells.get(month) for month in months] for unit, cells in by_unit.items()}
        found = []
        for unit in sorted(names):
            cells = []
            for key, word in _MULTIPLES:
                known = [v for values in series[key].values() for v in values if v is not None]
                low, high = _scale(_without_extremes(known))
                peers = [values for other, values in series[key].items() if other != unit]
                line = plots.Line(f"{names[unit]}: {self._words[word]}", series[key][unit])
                cells.append((self._words[word], plots.spark(line, peers, self._say, low=low, high=high)))
            found.append((names[unit], cells))
        return found

    def peer_groups(self) -> list[tuple[str, Section]]:
        """Peer group → its agencies by place; communes are apart."""
        found: dict[str, Section] = {key: [] for key in _PEERS}
        for row in self._s["ranking"]:
            if row["scope"] == "agency":
                found.setdefault(row["peer_group"] or "other_peers", []).append(row)
        return [(self._words.get(key, key), rows) for key, rows in found.items() if rows]

    def communes(self) -> Section:
        return [row for row in self._s["ranking"] if row["scope"] == "commune" and row["place"] is not None]

    def commune_ends(self) -> list[Section]:
        rows = self.communes()
        return [rows[:_ENDS_SHOWN], rows[-_ENDS_SHOWN:]] if len(rows) > 2 * _ENDS_SHOWN else [rows]

    def unranked_communes(self) -> Section:
        return [row for row in self._s["ranking"] if row["scope"] == "commune" and row["place"] is None]

    def place(self, row: Mapping[str, Any]) -> str:
        if row["place"] is None:
            return self._words.get(row["status"], "–")
        return f"{row['place']}/{row['peers']}" + (" =" if row["tied"] and row["tied"] > 1 else "")

    def assessment(self) -> Section:
        """Rows of the published assessment; reports stored by an earlier release have fewer columns."""
        return [{**dict.fromkeys(_ASSESSMENT_LATER), **row} for row in self._s["assessment"]]

    def assessed(self) -> list[tuple[str, Section]]:
        """Set and peer group → its assessed agencies by place."""
        names = {row["set_code"]: self.name(row) for row in self._s["sets"]}
        found: dict[tuple[str, str], Section] = defaultdict(list)
        for row in self.assessment():
            found[row["set_code"] or "", row["peer_group"] or "other_peers"].append(row)
        return [
            (f"{names.get(code, code)} – {self._words.get(peer, peer)}", rows) for (code, peer), rows in found.items()
        ]

    def assessment_remark(self, row: Mapping[str, Any]) -> str:
        """What an assessed agency's line needs said: a shared place, what does not apply, why it has no place."""
        told = []
        if row["status"] in ("excluded", "incomplete"):
            reason = f": {row['exclusion_reason']}" if row["exclusion_reason"] else ""
            told.append(self._words[f"assessed_{row['status']}"] + reason)
        if row["tied"] and row["tied"] > 1:
            told.append(self._words["ties"].format(n=row["tied"]))
        if row["not_applicable"]:
            points = amount(row["points_not_applicable"], self._language)
            told.append(self._words["left_out"].format(components=row["not_applicable"], points=points))
        return "; ".join(told)

    def most_lost(self, row: Mapping[str, Any]) -> Markup:
        parts = [one.split(" ") for one in (row["most_lost"] or "").split(";") if one]
        return Markup(" ").join(
            Markup("<span>{} −{}</span>").format(number, amount(points, self._language)) for number, points in parts
        )

    def eid_districts(self) -> list[tuple[str, Section, int, int]]:
        """District → its communes, issued, activated."""
        found: dict[str, Section] = defaultdict(list)
        for row in self._s["eid"]:
            if row["is_placed"]:
                found[row["district_name"] or row["commune_name"]].append(row)
        return [(name, rows, _sum(rows, "issued"), _sum(rows, "activated")) for name, rows in sorted(found.items())]

    def eid_unplaced(self) -> int:
        return _sum([row for row in self._s["eid"] if not row["is_placed"]], "issued")

    def budget_total(self) -> dict[str, int]:
        keys = (
            "allocated_vnd",
            "adjusted_vnd",
            "disbursed_vnd",
            "tasks_led",
            "tasks_without_funding",
            "implausible_lines",
        )
        return {key: _sum(self._s["budget"], key) for key in keys}

    def quality(self, owners: Mapping[str, str]) -> list[tuple[str, dict[str, int]]]:
        """Department → counts over its datasets, the highest rejected share first."""
        found: dict[str, dict[str, int]] = {}
        for row in self._s["quality"]:
            counts = found.setdefault(owners.get(row["dataset"], row["dataset"]), defaultdict(int))
            counts["datasets"] += 1
            for key in ("extracted", "rejected", "duplicate", "flagged"):
                counts[key] += int(row[key])
        return sorted(found.items(), key=lambda one: (-one[1]["rejected"] / max(one[1]["extracted"], 1), one[0]))

    def _say(self, share: float) -> str:
        return f"{amount(share * 100, self._language, 1)} %"


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _sum(rows: Sequence[Mapping[str, Any]], key: str) -> int:
    return sum(int(Decimal(str(row[key] or 0))) for row in rows)


def _scale(values: Sequence[float]) -> tuple[float, float]:
    """Ends of a scale in steps of a tenth around the values, within 0 and what they reach."""
    if not values:
        return 0.0, 1.0
    low = int(min(values) * 20) / 20
    high = -int(-max(values) * 20 // 1) / 20
    return max(low, 0.0), max(high, low + 0.05)


def _without_extremes(values: Sequence[float]) -> list[float]:
    """The values without the outermost twentieths: a district with ten dossiers would flatten all others."""
    ordered = sorted(values)
    cut = len(ordered) // 20
    return ordered[cut : len(ordered) - cut]


def _percent(value: Any, language: str, decimals: int) -> str:
    return "–" if value is None else f"{amount(str(100 * Decimal(str(value))), language, decimals)} %"


def _one_of(text: str | None, language: str) -> str:
    """The half in the language of a text `Vietnamese | English`."""
    parts = (text or "").split(" | ")
    return parts[0] if language == "vi" or len(parts) < 2 else parts[1]
