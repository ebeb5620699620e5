"""Tables for people: columns that stand below each other on a terminal, also with wide letters.

For whoever listens to them, each row is a line of words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from chatroom.names import columns as width_of

MARGIN: Final = "  "
_GAP: Final = "  "
_BELOW: Final = "    "
"""Stands before what has no room beside the other cells."""

TABLE_COLUMNS: Final = 56
"""Columns of a table where nobody knows the screen: so many has a terminal of 80 beside time and name."""

_LEAST: Final = 16
"""Columns in which a text is read well when it goes on below itself; with less it has a line of its own."""


def padded(text: str, width: int) -> str:
    """The text with blanks behind it, up to `width` columns."""
    return text + " " * (width - width_of(text))


def clipped(text: str, width: int) -> str:
    """The text; of one that is wider the beginning, and an ellipsis."""
    if width_of(text) <= width:
        return text
    while text and width_of(text) >= width:
        text = text[: max(0, min(width, len(text) - 1))]
    return f"{text}…"


def wrapped(text: str, width: int) -> list[str]:
    """The text as lines of at most `width` columns (at least 2), parted at blanks if that can be."""
    width = max(2, width)
    lines, line = list[str](), ""
    for word in text.split(" "):
        if line and _fits(f"{line} {word}", width):
            line += f" {word}"
            continue
        if line:
            lines.append(line)
        start = 0
        while (end := _fitting(word, start, width)) < len(word):
            lines.append(word[start:end])
            start = end
        line = word[start:]
    return [*lines, line]


def _fits(text: str, width: int) -> bool:
    return _fitting(text, 0, width) == len(text)


def _fitting(word: str, start: int, width: int) -> int:
    """Up to which character the word, from `start` on, fits `width` columns, with marks on the last one."""
    used = 0
    for at in range(start, len(word)):
        used += width_of(word[at])
        if used > width:
            return at
    return len(word)


def table(rows: Sequence[Sequence[str]], columns: int | None = TABLE_COLUMNS) -> list[str]:
    """The rows as lines; all have the same number of cells. A column that is empty in all is left out.

    The last cell may be a longer text: it goes on below itself. Cells that have no room beside the others
    stand below them.

    columns: of the screen; None: each row as words, with commas between its cells
    """
    if columns is None:
        return [", ".join(filter(None, (cell.strip() for cell in cells))) for cells in rows]
    shown = [column for column in zip(*rows, strict=True) if any(column)]
    widths = [max(map(width_of, column)) for column in shown]
    room = columns - len(MARGIN)
    beside = _beside(widths, room)
    return [
        MARGIN + line
        for cells in zip(*shown, strict=True)
        for line in _lines(list(map(padded, cells[: beside - 1], widths)), cells[beside - 1 :], room)
    ]


def _beside(widths: Sequence[int], room: int) -> int:
    """How many columns stand beside each other; the last of all may be wrapped."""
    for number in range(len(widths), 1, -1):
        before = sum(widths[: number - 1]) + len(_GAP) * (number - 1)
        is_last = number == len(widths)
        if before + (min(widths[-1], _LEAST) if is_last else widths[number - 1]) <= room:
            return number
    return 1


def _lines(before: list[str], rest: Sequence[str], room: int) -> Iterator[str]:
    """A row. before: the cells with columns; rest: the last of those beside each other, and what is below"""
    last, *below = rest
    start = _GAP.join([*before, ""])
    first, *more = wrapped(last, room - width_of(start))
    yield (start + first).rstrip()
    yield from (" " * width_of(start) + line for line in more)
    text = ", ".join(filter(None, (cell.strip() for cell in below)))
    yield from (_BELOW + line for line in (wrapped(text, room - len(_BELOW)) if text else ()))
