"""A sheet of SVG: boxes, words and arrows. The words stay text, so a diff can be read."""

from __future__ import annotations

from html import escape
from typing import Final

SMALL: Final = 11
"""Size of nearly all words, in pixels. A character is about 0.55 of it wide."""

INK: Final = "#1f2328"
GREY: Final = "#6e7781"
BLUE: Final = "#0969da"
PALE: Final = "#ddf4ff"
SAND: Final = "#fff8c5"

_HEAD: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{0}" height="{1}" '
    'font-family="sans-serif" font-size="11">\n'
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
    'orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="{2}"/></marker></defs>\n'
    '<rect width="100%" height="100%" fill="white"/>\n'
)


class Canvas:
    """Collects what is drawn. All lengths are pixels, from the left and upper edge."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._parts: list[str] = []

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        colour: str = INK,
        size: int = SMALL,
        anchor: str = "start",
        bold: bool = False,
        halo: bool = False,
    ) -> None:
        """Words on one line. y: the line on which the letters stand; anchor: start, middle or end

        halo: white around the letters, where lines run below them
        """
        weight = ' font-weight="bold"' if bold else ""
        sized = f' font-size="{size}"' if size != SMALL else ""
        place = f'x="{x:g}" y="{y:g}" fill="{colour}" text-anchor="{anchor}"'
        white = ' stroke="white" stroke-width="4" paint-order="stroke"' if halo else ""
        self._parts.append(f"<text {place}{sized}{weight}{white}>{escape(words, quote=False)}</text>")

    def box(self, x: float, y: float, width: float, height: float, fill: str = "white") -> None:
        """A rectangle with a border."""
        place = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
        self._parts.append(f'<rect {place} rx="4" fill="{fill}" stroke="{GREY}"/>')

    def line(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """A dashed line, for the life of something."""
        place = f'x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"'
        self._parts.append(f'<line {place} stroke="{GREY}" stroke-dasharray="3 4"/>')

    def arrow(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """A line with a tip at its second end."""
        place = f'x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"'
        self._parts.append(f'<line {place} stroke="{BLUE}" stroke-width="1.5" marker-end="url(#tip)"/>')

    def svg(self, height: float) -> str:
        """The whole sheet."""
        return _HEAD.format(self.width, round(height), BLUE) + "\n".join(self._parts) + "\n</svg>\n"
