"""Text as a string with one character for each column: its indices are columns, its slices are parts of rows.

Most texts have no combining marks: each character is a cluster of one or two columns. HALF stands behind a
wide one. So the methods of strings find row ends and pins, where a list of cells takes a step of Python for
each cluster. Texts with marks go the longer way through the cells of `views.text`, with the same result.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from wcwidth import wcwidth

from views.limits import KNOWN_WIDTHS
from views.sanitize import has_no_marks, sanitize

HALF: Final = "\0"
"""The second column of a wide character. Sanitized text has no such character."""

RESET: Final = "\x1b[0m"
"""Ends a style."""

SURE: Final = (
    " -~\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0377\u037a-\u037f\u0384-\u0482\u048a-\u052f\u2400-\u2426"
    "\u3001-\u3029\u3041-\u3096\u309b-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff5e"
)
"""All terminals agree on the widths of these, the inside of a character class: letters of alphabets, CJK and
kana, Hangul syllables, full-width forms, pictures of controls. General punctuation is missing, because some
East Asian settings have a wide "\u2026"."""

_DISPUTED = re.compile(f"[^{SURE}{HALF}]{HALF}?")


class _Columns(dict[int, str]):
    """For `str.translate`: the columns of a character, which are looked up once."""

    def __missing__(self, code: int) -> str:
        if len(self) >= KNOWN_WIDTHS:
            self.clear()
        character = chr(code)
        columns = self[code] = character + HALF if wcwidth(character) == 2 else character
        return columns


_COLUMNS = _Columns()


def columns_of(text: str) -> str:
    """The columns of sanitized text in which each character is a cluster, see `sanitize.has_no_marks`."""
    return text if text.isascii() else text.translate(_COLUMNS)


def text_at(columns: str, column: int) -> str:
    """The text of these columns, for a row in which they begin at `column`, with the pins that it needs.

    A pin is an escape sequence that sets the column again after a character of disputed width.
    """
    if columns.isascii():
        return columns
    pinned = _DISPUTED.sub(lambda found: f"{found[0]}\r\x1b[{column + found.end()}C", columns)
    return pinned.replace(HALF, "")


def row_ends(columns: str, start: int, stop: int, room: int, later: int) -> Iterator[tuple[int, int]]:
    """The rows of the line from `start` to `stop`, as pairs of indices.

    The first row has `room` columns, the others have `later`. A row ends after a space or next to a wide
    character if it can, else at the last character that fits, but not after the blanks that it begins with.
    The space at which it ends is in no row.
    """
    first = start
    while stop - start > room:
        end = _row_end(columns, start, start + room)
        yield start, end
        start = end + columns.startswith(" ", end)
        room = later
    if start < stop or first == stop:
        yield start, stop


def _row_end(columns: str, start: int, full: int) -> int:
    """The end of the row that begins at `start`. full: the first column that does not fit"""
    if columns[full] == HALF:  # of the wide character before, of which a row has one in any case
        return full - 1 if full - 1 > start else full + 1
    if columns[full] == " " or columns.startswith(HALF, full + 1):
        return full
    begin = full - len(columns[start:full].lstrip(" "))
    chance = max(columns.rfind(" ", begin, full), columns.rfind(HALF, begin, full))
    return full if chance < 0 else chance + 1


def rows_without_marks(spans: Iterable[tuple[str, str]], room: int, indent: int) -> list[str] | None:
    """Texts with their styles as rows of `room` columns, the later ones indented; None if they have marks."""
    runs = _runs(spans)
    return None if runs is None else _rows_of_runs(runs, room, indent)


class _Run(NamedTuple):
    """Columns in one style (see `views.columns`), of which the first is the column `at` of all."""

    at: int
    columns: str
    style: str


def _runs(spans: Iterable[tuple[str, str]]) -> list[_Run] | None:
    """The spans as columns; None if they have marks."""
    runs: list[_Run] = []
    at = 0
    for text, style in spans:
        if text.isascii() and text.isprintable():  # as most heads of rows are: nothing to look for
            columns = text
        elif has_no_marks(text := sanitize(text)):
            columns = columns_of(text)
        else:
            return None
        if runs and runs[-1].style == style:
            runs[-1] = _Run(runs[-1].at, runs[-1].columns + columns, style)
        elif columns:
            runs.append(_Run(at, columns, style))
        at += len(columns)
    return runs


def _rows_of_runs(runs: Sequence[_Run], room: int, indent: int) -> list[str]:
    columns = "".join([run.columns for run in runs])
    rows: list[str] = []
    start = 0
    while start <= len(columns):
        stop = columns.find("\n", start)
        stop = len(columns) if stop < 0 else stop
        blanks = len(line := columns[start:stop]) - len(line.lstrip(" "))
        own, width = (blanks, room - indent) if rows else (blanks - indent, room)
        hang = max(0, min(own, (room - indent) // 2))  # code that is wrapped keeps its indent
        before = indent if rows else 0
        for first, last in row_ends(columns, start, stop, width, room - indent - hang):
            rows.append(_row_of_runs(runs, first, last, before))
            before = indent + hang
        start = stop + 1
    return rows


def _row_of_runs(runs: Sequence[_Run], first: int, last: int, indent: int) -> str:
    """The columns from `first` to `last`, indented."""
    out = [" " * indent]
    for at, columns, style in runs:
        if at >= last:
            break
        start = first - at if first > at else 0
        part = columns[start : last - at]
        if part:
            text = text_at(part, indent + at + start - first)
            out += (style, text, RESET) if style else (text,)
    return "".join(out)
