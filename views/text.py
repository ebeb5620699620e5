"""Text as a terminal shows it: the one place where a string becomes something that is drawn.

A `Row` can only be made from text that went through `sanitize`.

Terminals disagree on the width of much beyond plain letters. Three things keep rows and cursor right all
the same: sequences that they disagree on are shown in a simpler form (a family of emoji as its members, a
flag as two letters); behind every character that is not surely understood the column is set again (a
"pin"); rows end one column before the margin, so that a terminal never wraps by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, NewType

from wcwidth import iter_graphemes, wcswidth, wcwidth

from views.harmless import is_plain, one_line, sanitize
from views.limits import CLUSTER_CHARACTERS, CLUSTER_COLUMNS

Row = NewType("Row", str)
"""One row for the screen: harmless text, colours and pins, narrower than the screen it was made for."""


class Style:
    """The attributes that are not colours; `colour=False` leaves out these as well as the colours."""

    RESET = "\x1b[0m"
    BOLD = "\x1b[1m"
    DIM = "\x1b[2m"


class Piece(NamedTuple):
    """A stretch of text in one style, an SGR sequence of ours or nothing."""

    text: str
    style: str = ""


class Cell(NamedTuple):
    """What is drawn for one grapheme cluster, the columns that it takes, and its style."""

    shown: str
    width: int
    style: str = ""


# --- clusters and their widths --------------------------------------------------------------------------


def clusters(text: str) -> list[str]:
    """The text cut into what a person sees as one character each (Unicode Annex 29)."""
    if text.isascii() and "\r" not in text:
        return list(text)
    parts: list[str] = []
    for cluster in iter_graphemes(text):
        if len(cluster) <= CLUSTER_CHARACTERS:
            parts.append(cluster)
        else:  # chains of consonants or of prefixes may be of any length
            parts += (
                cluster[start : start + CLUSTER_CHARACTERS]
                for start in range(0, len(cluster), CLUSTER_CHARACTERS)
            )
    return parts


@lru_cache(maxsize=4096)
def cell_width(cluster: str) -> int:
    """The columns to keep for one harmless cluster: what terminals with and without clusters would take.

    With the larger of both there may be a gap, but nothing is ever overwritten.
    """
    return max(1, wcswidth(cluster), sum(max(0, wcwidth(character)) for character in cluster))


# Widths of these are the same everywhere: letters of alphabets, CJK and kana, Hangul syllables, full-width
# forms. General punctuation is not among them: "…" is wide in some East Asian settings.
_SURE = re.compile(
    "[ -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0377\u037a-\u037f\u0384-\u0482\u048a-\u052f\u3001-\u3029"
    "\u3041-\u3096\u309b-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff5e]\\Z"
)


@lru_cache(maxsize=4096)
def is_risky(cluster: str) -> bool:
    """Whether a terminal may think of another width than `cell_width`: then a pin follows it."""
    return not _SURE.match(cluster)


def cells(piece: Piece) -> list[Cell]:
    """The piece as cells, one for each cluster."""
    text, style = sanitize(piece.text), piece.style
    if text.isascii():
        return [Cell(character, 1, style) for character in text]
    return [
        Cell(part, cell_width(part), style) for cluster in clusters(text) for part in _narrow_parts(cluster)
    ]


@lru_cache(maxsize=4096)
def _narrow_parts(cluster: str) -> tuple[str, ...]:
    """The cluster, or its characters when it is so wide (chains of consonants) that it might fit no row."""
    if cell_width(cluster) <= CLUSTER_COLUMNS:
        return (cluster,)
    starts = [at for at, character in enumerate(cluster) if at == 0 or wcwidth(character) > 0]
    return tuple(cluster[start:end] for start, end in zip(starts, [*starts[1:], len(cluster)], strict=True))


def width_of(cells: Iterable[Cell]) -> int:
    """Columns that the cells take."""
    return sum(cell.width for cell in cells)


def text_width(text: str) -> int:
    """Columns that harmless text on one row takes."""
    return len(text) if text.isascii() else sum(map(cell_width, clusters(text)))


def paint(cells: Iterable[Cell]) -> Row:
    """The cells as a row that begins in the first column."""
    out: list[str] = []
    column, style = 0, ""
    for shown, width, wanted in cells:
        if wanted != style:
            out.append((Style.RESET if style else "") + wanted)
            style = wanted
        out.append(shown)
        column += width
        if not shown.isascii() and is_risky(shown):
            out.append(f"\r\x1b[{column}C")
    if style:
        out.append(Style.RESET)
    return Row("".join(out))


def _paint_plain(pieces: Sequence[Piece]) -> Row:
    """The same for pieces of plain ASCII: nothing has to be cut, measured or pinned."""
    out: list[str] = []
    style = ""
    for text, wanted in pieces:
        if wanted != style:
            out.append((Style.RESET if style else "") + wanted)
            style = wanted
        out.append(text)
    return Row("".join(out) + (Style.RESET if style else ""))


# --- rows -----------------------------------------------------------------------------------------------


def flow(pieces: Sequence[Piece], columns: int, indent: int = 0) -> list[Row]:
    """The pieces as rows for a screen of `columns`, words whole where they fit, later rows indented.

    Rows take at most `columns - 1`: with the last column free, a terminal never wraps by itself.
    """
    room = max(1, columns - 1)
    size = sum(len(piece.text) for piece in pieces)
    if size <= room and all(is_plain(piece.text) for piece in pieces):
        return [_paint_plain(pieces)]
    indent = min(indent, room // 2) if room > 4 else 0  # a wide character must fit beside it
    margin = [Cell(" ", 1)] * indent
    rows: list[Row] = []
    for line in _lines([cell for piece in pieces for cell in cells(piece)]):
        first = room if not rows else room - indent
        for part in _broken(line, first, room - indent):
            rows.append(paint(part if not rows else margin + part))
    return rows


def clip(pieces: Sequence[Piece], columns: int) -> list[Cell]:
    """The cells of the pieces that fit `columns`, the last one an ellipsis when something is missing."""
    all_cells = [cell for piece in pieces for cell in cells(piece) if cell.shown != "\n"]
    if width_of(all_cells) <= columns:
        return all_cells
    kept: list[Cell] = []
    room = columns - 1
    for cell in all_cells:
        room -= cell.width
        if room < 0:
            break
        kept.append(cell)
    return [*kept, Cell("\u2026", 1, kept[-1].style if kept else "")][: max(0, columns)]


def _lines(cells: list[Cell]) -> Iterator[list[Cell]]:
    """The cells between the line ends."""
    start = 0
    for position, cell in enumerate(cells):
        if cell.shown == "\n":
            yield cells[start:position]
            start = position + 1
    yield cells[start:]


def _broken(line: list[Cell], first: int, later: int) -> Iterator[list[Cell]]:
    """One line in rows of `first`, then `later` columns, broken behind spaces and beside wide characters."""
    start, column, room, chance = 0, 0, first, 0
    position = 0
    while position < len(line):
        cell = line[position]
        if column and column + cell.width > room:
            end = position if cell.shown == " " or chance <= start else chance
            yield line[start:end]
            start = end + 1 if line[end].shown == " " else end
            position, column, room, chance = start, 0, later, start
            continue
        if cell.width == 2:
            chance = position
        column += cell.width
        position += 1
        if cell.shown == " " or cell.width == 2:
            chance = position
    if start < len(line) or not line:
        yield line[start:]


# --- what is typed --------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def typed_cell(cluster: str) -> Cell:
    """How a cluster of the input line is shown, a line end as U+23CE, something invisible as U+FFFD."""
    if cluster == "\n":
        return Cell("\u23ce", 1)
    shown, width = "", 0
    for part in clusters(one_line(cluster) or "\ufffd"):
        if width + cell_width(part) > 2 * CLUSTER_COLUMNS:  # a family has four members
            break
        shown, width = shown + part, width + cell_width(part)
    return Cell(shown, width)
