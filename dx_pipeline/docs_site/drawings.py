"""Drawings as inline SVG: boxes in layers joined by lines, and a trend. Everything that comes from data is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

_CHAR = 7.3  # width of a letter of the monospaced 12 px font, with some room
_LINE = 17
_PAD = 9
_GAP_X = 64
_GAP_Y = 14


@dataclass(frozen=True)
class Box:
    """One box of a drawing: a title, lines below it, and where a click leads."""

    id: str
    title: str
    lines: tuple[str, ...] = ()
    href: str | None = None
    kind: str = "core"

    @property
    def width(self) -> float:
        return max(len(text) for text in (self.title, *self.lines)) * _CHAR + 2 * _PAD

    @property
    def height(self) -> float:
        return (1 + len(self.lines)) * _LINE + 2 * _PAD - 4


@dataclass(frozen=True)
class _Place:
    x: float
    y: float
    width: float
    box: Box

    @property
    def middle(self) -> float:
        return self.y + self.box.height / 2


def layered(layers: Sequence[Sequence[Box]], edges: Iterable[tuple[str, str]], label: str) -> Markup:
    """Boxes in columns from left to right, each column centred, with a curve for each edge."""
    columns = [layer for layer in layers if layer]
    heights = [sum(box.height for box in layer) + _GAP_Y * (len(layer) - 1) for layer in columns]
    total = max(heights, default=0) + 2
    place: dict[str, _Place] = {}
    x = 1.0
    for layer, height in zip(columns, heights, strict=True):
        y = (total - height) / 2
        widest = max(box.width for box in layer)  # all alike, so that no line runs through a wider neighbour
        for box in layer:
            place[box.id] = _Place(x, y, widest, box)
            y += box.height + _GAP_Y
        x += widest + _GAP_X
    width = max(x - _GAP_X + 1, 1)
    parts = [Markup("").join(_curve(place, one, other) for one, other in dict.fromkeys(edges))]
    parts += [_box(one) for one in place.values()]
    return _svg(width, total, label, Markup("").join(parts), "drawing")


def layers_of(start: str, above: Mapping[str, set[str]], below: Mapping[str, set[str]]) -> dict[str, int]:
    """Signed distance of everything that leads to ``start`` (negative) and that comes from it (positive)."""
    found = {start: 0}
    for direction, neighbours in ((-1, above), (1, below)):
        wave, depth = {start}, 0
        while wave:
            depth += direction
            wave = {other for one in wave for other in neighbours.get(one, ()) if other not in found}
            found.update(dict.fromkeys(wave, depth))
    return found


def trend(values: Sequence[float], label: str, *, width: int = 220, height: int = 44) -> Markup:
    """A line over the batches in their order, from 0 to the largest value; a single batch is a dot."""
    if not values:
        return Markup("")
    top = max(*values, 0.01) if len(values) > 1 else max(values[0], 0.01)
    step = (width - 12) / max(len(values) - 1, 1)
    points = [(6 + i * step, height - 5 - (height - 12) * value / top) for i, value in enumerate(values)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    base = Markup('<line class="base" x1="0" x2="{}" y1="{}" y2="{}"/>').format(width, height - 5, height - 5)
    drawn = Markup('<polyline class="trend-line" points="{}"/>').format(line)
    x, y = points[-1]
    dot = Markup('<circle class="trend-dot" cx="{}" cy="{}" r="3"/>').format(f"{x:.1f}", f"{y:.1f}")
    return _svg(width, height, label, base + drawn + dot, "trend")


def share_bar(share: float, cap: float, label: str) -> Markup:
    """A bar of the rejected share with a mark at the cap of the contract."""
    scale = max(share, cap, 0.01)
    inner = Markup(
        '<rect class="bar-back" width="120" height="10" y="2" rx="2"/><rect class="bar{}" width="{}" height="10" y="2" rx="2"/>'
        '<line class="bar-cap" x1="{}" x2="{}" y1="0" y2="14"/>'
    ).format(
        " over" if share > cap else "",
        f"{120 * share / scale:.1f}",
        f"{min(119.0, 120 * cap / scale):.1f}",
        f"{min(119.0, 120 * cap / scale):.1f}",
    )
    return _svg(120, 14, label, inner, "share")


def _svg(width: float, height: float, label: str, inner: Markup, kind: str) -> Markup:
    # A drawing with links is a group: role "img" would hide them from a screen reader.
    return Markup(
        '<svg class="{}" role="{}" aria-label="{}" width="{}" height="{}" viewBox="0 0 {} {}">{}</svg>'
    ).format(
        kind,
        "group" if kind == "drawing" else "img",
        label,
        f"{width:.0f}",
        f"{height:.0f}",
        f"{width:.0f}",
        f"{height:.0f}",
        inner,
    )


def _box(place: _Place) -> Markup:
    x, y, box = place.x, place.y, place.box
    parts = [
        Markup('<rect x="{}" y="{}" width="{}" height="{}" rx="4"/>').format(
            f"{x:.1f}", f"{y:.1f}", f"{place.width:.1f}", f"{box.height:.1f}"
        ),
        _text(x, y, 0, box.title, "title"),
    ]
    parts += [_text(x, y, i, line, "line") for i, line in enumerate(box.lines, start=1)]
    drawn = Markup('<g class="box {}">{}</g>').format(box.kind, Markup("").join(parts))
    return Markup('<a href="{}">{}</a>').format(box.href, drawn) if box.href else drawn


def _text(x: float, y: float, row: int, text: str, kind: str) -> Markup:
    return Markup('<text class="{}" x="{}" y="{}">{}</text>').format(
        kind, f"{x + _PAD:.1f}", f"{y + _PAD + 9 + row * _LINE:.1f}", escape(text)
    )


def _curve(places: Mapping[str, _Place], one: str, other: str) -> Markup:
    if one not in places or other not in places or one == other:
        return Markup("")
    left, right = sorted((places[one], places[other]), key=lambda place: place.x)
    x1, y1, y2 = left.x + left.width, left.middle, right.middle
    if left.x == right.x:  # two of one column: an arc beside it
        x2, bend1, bend2 = x1, x1 + 36, x1 + 36
    else:
        x2 = right.x
        bend = max((x2 - x1) / 2, 20)
        bend1, bend2 = x1 + bend, x2 - bend
    path = f"M{x1:.1f},{y1:.1f} C{bend1:.1f},{y1:.1f} {bend2:.1f},{y2:.1f} {x2:.1f},{y2:.1f}"
    return Markup('<path class="edge" d="{}"/>').format(path)
