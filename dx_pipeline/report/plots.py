"""Plots of the report as inline SVG, drawn for paper: thin lines, few marks, the last value written out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

Say = Callable[[float], str]
"""Writes a share (0..1) for people, in their language."""


@dataclass(frozen=True)
class Line:
    """One series: a label and its values by position; None where there is none."""

    label: str
    values: Sequence[float | None]


def trend(months: Sequence[str], line: Line, say: Say, *, low: float, high: float) -> Markup:
    """A series by month on a scale that is written at its ends, the first and last month below."""
    width, height, left, right, top, bottom = 330.0, 118.0, 46.0, 62.0, 10.0, 20.0
    spread = max(high - low, 0.0001)

    def x(i: int) -> float:
        return left + i * (width - left - right) / max(len(months) - 1, 1)

    def y(value: float) -> float:
        return height - bottom - (height - bottom - top) * (value - low) / spread

    parts = []
    for share in (low, (low + high) / 2, high):
        parts.append(
            Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
                f"{left:.1f}", f"{width - right:.1f}", f"{y(share):.1f}", f"{y(share):.1f}"
            )
        )
        parts.append(_text(left - 5, y(share) + 3.5, say(share), "end"))
    known = [(i, value) for i, value in enumerate(line.values) if value is not None]
    points = " ".join(f"{x(i):.1f},{y(value):.1f}" for i, value in known)
    parts.append(Markup('<polyline class="line" points="{}"/>').format(points))
    if known:
        i, value = known[-1]
        parts.append(Markup('<circle class="dot" cx="{}" cy="{}" r="2.8"/>').format(f"{x(i):.1f}", f"{y(value):.1f}"))
        parts.append(_text(x(i) + 6, y(value) + 3.5, say(value), "start", "last"))
    if months:
        parts.append(_text(left, height - 5, months[0], "start"))
        parts.append(_text(width - right, height - 5, months[-1], "end"))
    return _svg(width, height, line.label, parts)


def spark(line: Line, peers: Sequence[Sequence[float | None]], say: Say, *, low: float, high: float) -> Markup:
    """A small multiple: one series over those of all its peers, drawn faintly, on one scale for all; ends are clipped."""
    width, height = 200.0, 62.0
    spread = max(high - low, 0.0001)

    def at(value: float) -> float:
        return height - 6 - (height - 14) * (min(max(value, low), high) - low) / spread

    def path(values: Sequence[float | None]) -> str:
        step = (width - 62) / max(len(values) - 1, 1)
        return " ".join(f"{3 + i * step:.1f},{at(v):.1f}" for i, v in enumerate(values) if v is not None)

    parts = [Markup('<polyline class="peer" points="{}"/>').format(path(values)) for values in peers]
    parts.append(Markup('<polyline class="line" points="{}"/>').format(path(line.values)))
    known = [value for value in line.values if value is not None]
    if known:
        parts.append(
            Markup('<circle class="dot" cx="{}" cy="{}" r="2.4"/>').format(f"{width - 59:.1f}", f"{at(known[-1]):.1f}")
        )
        parts.append(_text(width - 54, at(known[-1]) + 3.5, say(known[-1]), "start", "last"))
    return _svg(width, height, line.label, parts)


def bar(share: float | None, label: str, *, width: float = 96.0, mark: float | None = None) -> Markup:
    """A share as a bar, with a mark at the target."""
    if share is None:
        return Markup("")
    filled = max(0.0, min(share, 1.0)) * width
    parts = [
        Markup('<rect class="back" width="{}" height="8" y="1"/>').format(f"{width:.0f}"),
        Markup('<rect class="fill" width="{}" height="8" y="1"/>').format(f"{filled:.1f}"),
    ]
    if mark is not None and mark < 1:
        at = f"{mark * width:.1f}"
        parts.append(Markup('<line class="mark" x1="{}" x2="{}" y1="-1" y2="11"/>').format(at, at))
    return _svg(width, 10, label, parts)


def _text(x: float, y: float, text: str, anchor: str, kind: str = "axis") -> Markup:
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>').format(
        kind, f"{x:.1f}", f"{y:.1f}", anchor, text
    )


def _svg(width: float, height: float, label: str, parts: Sequence[Markup]) -> Markup:
    return Markup('<svg role="img" aria-label="{}" width="{}" height="{}" viewBox="0 0 {} {}">{}</svg>').format(
        label, f"{width:.0f}", f"{height:.0f}", f"{width:.0f}", f"{height:.0f}", Markup("").join(parts)
    )
