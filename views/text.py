"""Text as a terminal shows it: the only module that turns strings into rows.

A `Row` is made only from text that went through `sanitize`.

Terminals disagree on the width of many characters. Three rules keep rows and cursor right on all of them:
- A disputed sequence is shown in a simpler form: a family emoji as its members, a flag as two letters.
- After a character of disputed width, an escape sequence sets the column again (a "pin").
- A row ends one column before the margin, so that no terminal wraps it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple, NewType

from wcwidth import iter_graphemes, wcswidth, wcwidth

from views.columns import RESET, SURE, columns_of, rows_without_marks
from views.limits import CLUSTER_CHARACTERS, CLUSTER_COLUMNS
from views.sanitize import has_no_marks, one_line, sanitize

Row = NewType("Row", str)
"""One row for the screen: sanitized text, colours and pins, narrower than its screen."""


WRAPPED: Final = "\x1b[?7h"
"""At the beginning of a row: from its end the terminal goes on in the next row by itself."""


class Span(NamedTuple):
    """Text in one style. The style is an SGR sequence of this program, or empty."""

    text: str
    style: str = ""


class Cell(NamedTuple):
    """One grapheme cluster on the screen: its text, its width in columns, and its style."""

    shown: str
    width: int
    style: str = ""


# --- clusters and their widths --------------------------------------------------------------------------


def clusters(text: str) -> list[str]:
    """The grapheme clusters of the text: what a person sees as one character each (Unicode Annex 29)."""
    if text.isascii() and "\r" not in text:
        return list(text)
    parts: list[str] = []
    for cluster in iter_graphemes(text):
        if len(cluster) <= CLUSTER_CHARACTERS:
            parts.append(cluster)
        else:  # Unicode lets chains of consonants or prefixes grow without bound.
            parts += (
                cluster[start : start + CLUSTER_CHARACTERS]
                for start in range(0, len(cluster), CLUSTER_CHARACTERS)
            )
    return parts


@lru_cache(maxsize=4096)
def cell_width(cluster: str) -> int:
    """Columns to reserve for one sanitized cluster.

    Some terminals measure the cluster, others the sum of its characters. The larger value may leave a gap,
    but no terminal overwrites a character.
    """
    return max(1, wcswidth(cluster), sum(max(0, wcwidth(character)) for character in cluster))


_SURE = re.compile(f"[{SURE}]\\Z")
_ALL_SURE = re.compile(f"[{SURE}]*\\Z")


@lru_cache(maxsize=4096)
def needs_pin(cluster: str) -> bool:
    """Whether a terminal may use another width than `cell_width`, so that a pin must follow the cluster."""
    return not _SURE.match(cluster)


def cells(span: Span) -> list[Cell]:
    """The span as cells, one for each cluster."""
    text, style = sanitize(span.text), span.style
    if has_no_marks(text):
        return [_cell(character, style) for character in text]
    return [_cell(part, style) for cluster in clusters(text) for part in _narrow_parts(cluster)]


@lru_cache(maxsize=8192)
def _cell(cluster: str, style: str) -> Cell:
    return Cell(cluster, cell_width(cluster), style)


@lru_cache(maxsize=4096)
def _narrow_parts(cluster: str) -> tuple[str, ...]:
    """The cluster; or its characters if it is wider than CLUSTER_COLUMNS, as chains of consonants may be."""
    if cell_width(cluster) <= CLUSTER_COLUMNS:
        return (cluster,)
    starts = [at for at, character in enumerate(cluster) if at == 0 or wcwidth(character) > 0]
    return tuple(cluster[start:end] for start, end in zip(starts, [*starts[1:], len(cluster)], strict=True))


def width_of(cells: Iterable[Cell]) -> int:
    """The width of the cells in columns."""
    return sum(cell.width for cell in cells)


def text_width(text: str) -> int:
    """The width in columns of sanitized text on one row."""
    if has_no_marks(text):
        return len(columns_of(text))
    return sum(map(cell_width, clusters(text)))


def row_of(cells: Iterable[Cell]) -> Row:
    """The cells as a row. Pins count columns from the screen's first one, so the row must start there."""
    out: list[str] = []
    column = 0
    for style, run in groupby(cells, _style_of):
        same = list(run)
        text = "".join([cell.shown for cell in same])
        if _ALL_SURE.match(text):
            column += width_of(same)
        else:
            text, column = _pinned(same, column)
        out += (style, text, RESET) if style else (text,)
    return Row("".join(out))


_style_of = attrgetter("style")


def _pinned(cells: Iterable[Cell], column: int) -> tuple[str, int]:
    """The text of the cells that begin at `column`, with pins where they are needed; the column behind it."""
    out: list[str] = []
    for shown, width, _ in cells:
        out.append(shown)
        column += width
        if not shown.isascii() and needs_pin(shown):
            out.append(f"\r\x1b[{column}C")
    return "".join(out), column


# --- rows -----------------------------------------------------------------------------------------------


def wrap(spans: Sequence[Span], columns: int, indent: int = 0) -> list[Row]:
    """The spans as rows for a screen of `columns`, wrapped between words; later rows are indented.

    Rows take at most `columns - 1`: a terminal wraps a row that fills its last column.
    """
    room = max(1, columns - 1)
    indent = min(indent, room // 2) if room > 4 else 0  # a wide character must fit beside the indent
    rows = rows_without_marks(spans, room, indent)
    return _rows_of_cells(spans, room, indent) if rows is None else [Row(row) for row in rows]


def _rows_of_cells(spans: Iterable[Span], room: int, indent: int) -> list[Row]:
    margin = [Cell(" ", 1)] * indent
    rows: list[Row] = []
    for line in _lines([cell for span in spans for cell in cells(span)]):
        first, blanks = (room - indent, _blanks(line)) if rows else (room, _blanks(line) - indent)
        hang = max(0, min(blanks, (room - indent) // 2))  # code that is wrapped keeps its indent
        before = margin if rows else []
        for part in _wrapped(line, first, room - indent - hang):
            rows.append(row_of(before + part))
            before = margin + [Cell(" ", 1)] * hang
    return rows


def _blanks(line: Sequence[Cell]) -> int:
    """How many blanks the line begins with."""
    return next((number for number, cell in enumerate(line) if cell.shown != " "), len(line))


def link_rows(link: str, columns: int) -> list[Row]:
    """A link of printable ASCII as rows from the first column on.

    Those that begin with WRAPPED fill the screen's width, and the terminal itself goes on in the next row: so
    it knows that they are one line.
    """
    if len(link) < columns:
        return [Row(link)]
    parts = [link[at : at + columns] for at in range(0, len(link), columns)]
    return [Row(WRAPPED + part) for part in parts[:-1]] + [Row(parts[-1])]


def clip(spans: Sequence[Span], columns: int) -> list[Cell]:
    """The cells of the spans that fit `columns`. If some do not fit, the last cell is an ellipsis."""
    all_cells = [cell for span in spans for cell in cells(span) if cell.shown != "\n"]
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
    """Split the cells at line ends."""
    start = 0
    for position, cell in enumerate(cells):
        if cell.shown == "\n":
            yield cells[start:position]
            start = position + 1
    yield cells[start:]


def _wrapped(line: list[Cell], first: int, later: int) -> Iterator[list[Cell]]:
    """Split a line into rows: one of `first` columns, then rows of `later` columns.

    A row ends after a space or next to a wide character if it can, else at the last cell that fits. It does
    not end after the blanks that it begins with: what is indented stays so.
    """
    start, column, room, chance, begun = 0, 0, first, 0, False
    position = 0
    while position < len(line):
        cell = line[position]
        if cell.width == 2 and begun:
            chance = position
        if column and column + cell.width > room:
            end = position if cell.shown == " " or chance <= start else chance
            yield line[start:end]
            start = end + 1 if line[end].shown == " " else end
            position, column, room, chance, begun = start, 0, later, start, False
            continue
        column += cell.width
        position += 1
        begun = begun or cell.shown != " "
        if begun and (cell.shown == " " or cell.width == 2):
            chance = position
    if start < len(line) or not line:
        yield line[start:]


# --- input ----------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def input_cell(cluster: str) -> Cell:
    """The cell for a cluster of the input line. A line end is U+23CE, an invisible cluster U+FFFD."""
    if cluster == "\n":
        return Cell("\u23ce", 1)
    shown, width = "", 0
    for part in clusters(one_line(cluster) or "\ufffd"):
        if width + cell_width(part) > 2 * CLUSTER_COLUMNS:  # room for the four members of a family emoji
            break
        shown, width = shown + part, width + cell_width(part)
    return Cell(shown, width)
