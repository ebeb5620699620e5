"""Charts as SVG text, made by hand: a few rectangles and lines need no library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import log10
from typing import NamedTuple

COLOURS = ("#d1495b", "#00798c", "#edae49", "#66a182", "#8d96a3", "#2e4057")
WIDTH, LABEL, BAR, GAP, TOP = 860, 230, 16, 14, 64


def bars(
    title: str,
    groups: Mapping[str, Mapping[str, float]],
    unit: str,
    series: Sequence[str],
    logarithmic: bool = False,
) -> str:
    """A picture of horizontal bars.

    groups: for each group (a workload) the value of each series (a peer); missing ones are left out
    series: all names, in the order of their colours
    """
    values = [value for group in groups.values() for value in group.values() if value > 0]
    scale = _Scale(values or [1.0], logarithmic)
    body, y = [], TOP
    for group, found in groups.items():
        body.append(_text(LABEL - 12, y + BAR * len(found) / 2 + 4, group, "end", bold=True))
        for name in series:
            if name in found:
                colour = COLOURS[series.index(name) % len(COLOURS)]
                width = scale.width(found[name])
                body.append(
                    f'<rect x="{LABEL}" y="{y}" width="{width:.1f}" height="{BAR - 2}" fill="{colour}"/>'
                )
                body.append(_text(LABEL + width + 6, y + BAR - 5, f"{name} {_short(found[name])}", "start"))
                y += BAR
        y += GAP
    subtitle = unit + (" (logarithmic)" if logarithmic else "")
    head = [_text(16, 26, title, "start", size=17, bold=True), _text(16, 46, subtitle, "start")]
    size = f'width="{WIDTH}" height="{y + 10}"'
    begin = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif">'
    return "\n".join((begin, '<rect width="100%" height="100%" fill="white"/>', *head, *body, "</svg>\n"))


class Panel(NamedTuple):
    """One chart of several, with a scale of its own from 0. lines: by name, a value for each point"""

    title: str
    lines: Mapping[str, Sequence[float]]


PANEL, PANEL_GAP, LEFT, RIGHT = 110, 40, 60, 150


def curves(title: str, unit: str, points: Sequence[float], panels: Sequence[Panel]) -> str:
    """A picture of charts, one below the other, that have the same points.

    unit:   of the points
    points: rising, the same for all lines
    """
    body, y = [], TOP
    for panel in panels:
        body += _panel(panel, points, y)
        y += PANEL + PANEL_GAP
    first, last = (f"{point:.3g}" for point in (points[0], points[-1]))
    body.append(_text(LEFT, y - PANEL_GAP + 18, f"{first} {unit}", "start"))
    body.append(_text(WIDTH - RIGHT, y - PANEL_GAP + 18, f"{last} {unit}", "end"))
    size = f'width="{WIDTH}" height="{y}"'
    begin = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif">'
    head = _text(16, 26, title, "start", size=17, bold=True)
    return "\n".join((begin, '<rect width="100%" height="100%" fill="white"/>', head, *body, "</svg>\n"))


def _panel(panel: Panel, points: Sequence[float], y: int) -> list[str]:
    """Its title, its frame, its lines, and their names with their last values."""
    top = max((max(values) for values in panel.lines.values()), default=0.0) or 1.0
    width, begin, length = WIDTH - LEFT - RIGHT, points[0], points[-1] - points[0] or 1.0
    found = [
        _text(LEFT, y - 6, panel.title, "start", bold=True),
        f'<rect x="{LEFT}" y="{y}" width="{width}" height="{PANEL}" fill="none" stroke="#cccccc"/>',
        _text(LEFT - 6, y + 10, _short(top), "end"),
        _text(LEFT - 6, y + PANEL, "0", "end"),
    ]
    for number, (name, values) in enumerate(panel.lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        places = [
            f"{LEFT + width * (point - begin) / length:.1f},{y + PANEL - PANEL * max(0.0, value) / top:.1f}"
            for point, value in zip(points, values, strict=True)
        ]
        found.append(
            f'<polyline points="{" ".join(places)}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        )
        row = y + 14 + 18 * number
        found.append(f'<rect x="{WIDTH - RIGHT + 8}" y="{row - 9}" width="10" height="10" fill="{colour}"/>')
        found.append(_text(WIDTH - RIGHT + 24, row, f"{name} {_short(values[-1])}", "start"))
    return found


class _Scale:
    """Values to pixels; a logarithmic one begins a decade below the smallest value."""

    def __init__(self, values: Sequence[float], logarithmic: bool) -> None:
        self._room = WIDTH - LABEL - 130
        self._logarithmic = logarithmic
        self._low = log10(min(values)) - 1
        self._high = max(values)

    def width(self, value: float) -> float:
        if value <= 0:
            return 0.0
        if self._logarithmic:
            return self._room * (log10(value) - self._low) / (log10(self._high) - self._low)
        return self._room * value / self._high


def _short(value: float) -> str:
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.3g}"


def _text(x: float, y: float, text: str, anchor: str, size: int = 12, bold: bool = False) -> str:
    look = f'font-size="{size}" text-anchor="{anchor}"' + (' font-weight="bold"' if bold else "")
    return f'<text x="{x:.0f}" y="{y:.0f}" {look}>{escape(text)}</text>'
