"""A terminal's screen as SVG. The text stays text, and each piece is pinned to its column.

A piece is a run of characters of one style that every monospaced font draws one cell wide. A wide character
(CJK, emoji) is a piece of its own, in the middle of its two cells: fonts do not agree on its width.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape, unescape
from typing import Final, NamedTuple

from pyte.screens import Char

from tests.pictures.paper import Paper
from tests.views.screen import Screen

CELL: Final = 8.4
"""Pixels of a column: 0.6 of SIZE, as nearly all monospaced fonts have it."""
ROW: Final = 18
EDGE: Final = 14
SIZE: Final = 14
_BASE: Final = 13  # from the top of a row to the line on which letters stand
_FONTS: Final = "ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace"
_WIDE_SIZE: Final = 15  # a wide character fills its two cells better so

_HEX: Final = re.compile("[0-9a-f]{6}")
# One cell in every monospaced font: Latin, Greek, Cyrillic, punctuation, arrows, blocks.
_SURE: Final = re.compile("[ -~\u00a1-\u024f\u0370-\u04ff\u2010-\u2026\u2190-\u2193\u2580-\u259f]")


class Style(NamedTuple):
    """How a piece is drawn. ground: behind it; None: the paper's"""

    colour: str
    ground: str | None = None
    bold: bool = False
    underline: bool = False
    italic: bool = False

    @property
    def is_bare(self) -> bool:
        """Whether a blank in this style cannot be seen."""
        return self.ground is None and not self.underline

    def rules(self, paper: Paper) -> str:
        """The CSS of its text."""
        found = [f"fill:{self.colour}"] if self.colour != paper.ink else []
        found += ["font-weight:bold"] if self.bold else []
        found += ["font-style:italic"] if self.italic else []
        found += ["text-decoration:underline"] if self.underline else []
        return ";".join(found)


class Piece(NamedTuple):
    """Text of one style in one row. cells: how many columns it takes"""

    row: int
    column: int
    text: str
    cells: int
    style: Style
    wide: bool = False


def svg(screen: Screen, paper: Paper, title: str) -> str:
    """The screen as a picture with its cursor. title: what it shows, for those who cannot see it"""
    found = [piece for row in range(screen.lines) for piece in pieces(screen, row, paper)]
    rules = {style: style.rules(paper) for style in dict.fromkeys(piece.style for piece in found)}
    names = {css: f"s{number}" for number, css in enumerate(dict.fromkeys(filter(None, rules.values())))}
    width, height = screen.columns * CELL + 2 * EDGE, screen.lines * ROW + 2 * EDGE
    styles = [f"text{{fill:{paper.ink}}}", f".w{{font-size:{_WIDE_SIZE}px;text-anchor:middle}}"]
    styles += [f".{name}{{{css}}}" for css, name in names.items()]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" '
            f'viewBox="0 0 {width:.0f} {height}" font-family="{_FONTS}" font-size="{SIZE}" '
            'xml:space="preserve">',
            f"<title>{escape(title)}</title>",
            f"<style>{''.join(styles)}</style>",
            f'<rect x=".5" y=".5" width="{width - 1:.0f}" height="{height - 1}" rx="6" '
            f'fill="{paper.ground}" stroke="{paper.ink}" stroke-opacity=".25"/>',
            *_grounds(found),
            *(_text(piece, names.get(rules[piece.style], "")) for piece in found if piece.text.strip()),
            "</svg>",
            "",
        ]
    )


def pieces(screen: Screen, row: int, paper: Paper) -> Iterator[Piece]:
    """The pieces of one row, from left to right; blanks at its end that cannot be seen are left out."""
    open_piece: Piece | None = None
    for column, data, style, cells in _cells(screen, row, paper):
        blank = data == " " and style.is_bare
        if cells == 1 and _SURE.fullmatch(data):
            if open_piece is not None and _continues(open_piece, style, blank):
                kept = style if not open_piece.text.strip() and open_piece.style.is_bare else open_piece.style
                open_piece = open_piece._replace(
                    text=open_piece.text + data, cells=open_piece.cells + 1, style=kept
                )
                continue
            yield from _ended(open_piece)
            open_piece = Piece(row, column, data, 1, style)
        else:
            yield from _ended(open_piece)
            open_piece = None
            yield Piece(row, column, data, cells, style, wide=cells > 1)
    if open_piece is not None and open_piece.style.is_bare:
        text = open_piece.text.rstrip()
        open_piece = open_piece._replace(text=text, cells=len(text)) if text else None
    yield from _ended(open_piece)


def _continues(piece: Piece, style: Style, blank: bool) -> bool:
    """Whether a character of this style goes on with the piece; what cannot be seen has any style."""
    if piece.style == style:
        return True
    bare = piece.style.is_bare and style.is_bare
    return bare and (blank or not piece.text.strip())


def _ended(piece: Piece | None) -> Iterator[Piece]:
    if piece is not None:
        yield piece


def _cells(screen: Screen, row: int, paper: Paper) -> Iterator[tuple[int, str, Style, int]]:
    """Column, text, style and width of each character of a row."""
    line = screen.buffer[row]
    column = 0
    while column < screen.columns:
        cell = line[column]
        cells = 2 if column + 1 < screen.columns and line[column + 1].data == "" else 1
        here = row == screen.cursor.y and column <= screen.cursor.x < column + cells
        yield column, cell.data, _style(cell, paper, here), cells
        column += cells


def _style(cell: Char, paper: Paper, under_cursor: bool) -> Style:
    """The cursor is a block, in which the character has the paper's colour."""
    colour, ground = _colour(cell.fg, paper.ink), _colour(cell.bg, paper.ground)
    if cell.reverse:
        colour, ground = ground, colour
    if under_cursor:
        colour, ground = paper.ground, paper.ink
    behind = None if ground == paper.ground else ground
    return Style(colour, behind, cell.bold, cell.underscore, cell.italics)


def _colour(name: str, default: str) -> str:
    """A colour of the screen. Raises ValueError for one of the 16 that each terminal has in its own way."""
    if name == "default":
        return default
    if not _HEX.fullmatch(name):
        raise ValueError(f"{name} is a colour of the terminal's theme: a picture cannot know it")
    return f"#{name}"


def _grounds(found: Sequence[Piece]) -> list[str]:
    return [
        f'<rect x="{_x(piece.column)}" y="{EDGE + piece.row * ROW}" width="{piece.cells * CELL:.5g}" '
        f'height="{ROW}" fill="{piece.style.ground}"/>'
        for piece in found
        if piece.style.ground is not None
    ]


def _text(piece: Piece, name: str) -> str:
    y = EDGE + piece.row * ROW + _BASE
    kind = " ".join(part for part in ("w" if piece.wide else "", name) if part)
    kind = f' class="{kind}"' if kind else ""
    if piece.wide:
        return (
            f'<text x="{_x(piece.column + piece.cells / 2)}" y="{y}"{kind}>{escape(piece.text, False)}</text>'
        )
    long = f"{piece.cells * CELL:.5g}"
    return (
        f'<text x="{_x(piece.column)}" y="{y}" textLength="{long}"{kind}>{escape(piece.text, False)}</text>'
    )


def _x(column: float) -> str:
    return f"{EDGE + column * CELL:.5g}"


_DRAWN: Final = re.compile(
    r'<text x="([0-9.]+)" y="([0-9]+)"(?: textLength="([0-9.]+)")?[^>]*>([^<]*)</text>'
)


def rows_in(picture: str) -> list[str]:
    """The text of each row of a picture that `svg` made, up to the last one with text.

    A character that is no plain one is taken to be two cells wide, as CJK and emoji are.
    """
    rows: dict[int, str] = {}
    columns: dict[int, int] = {}
    for x, y, long, text in _DRAWN.findall(picture):
        row = (int(y) - EDGE - _BASE) // ROW
        cells = round(float(long) / CELL) if long else 2
        column = round((float(x) - EDGE) / CELL - (0 if long else cells / 2))
        gap = " " * (column - columns.get(row, 0))
        rows[row] = rows.get(row, "") + gap + unescape(text)
        columns[row] = column + cells
    return [rows.get(row, "").rstrip() for row in range(max(rows, default=-1) + 1)]
