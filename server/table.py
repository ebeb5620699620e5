"""Tables for people: columns that stand below each other on a terminal, also with wide letters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from chatroom.names import columns

MARGIN: Final = "  "
_GAP: Final = "  "

TABLE_COLUMNS: Final = 56
"""Columns that a table should not exceed: so many has a terminal of 80 beside time and name. Nobody tells the
server how wide a screen is."""


def padded(text: str, width: int) -> str:
    """The text with blanks behind it, up to `width` columns."""
    return text + " " * (width - columns(text))


def clipped(text: str, width: int) -> str:
    """The text; of one that is wider the beginning, and an ellipsis."""
    if columns(text) <= width:
        return text
    while text and columns(text) >= width:
        text = text[: max(0, min(width, len(text) - 1))]
    return f"{text}…"


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines; all have the same number of cells. A column that is empty in all is left out."""
    shown = [column for column in zip(*rows, strict=True) if any(column)]
    widths = [max(map(columns, column)) for column in shown]
    return [MARGIN + _GAP.join(map(padded, cells, widths)).rstrip() for cells in zip(*shown, strict=True)]


def grid(texts: Sequence[str]) -> Iterator[tuple[str, int]]:
    """The texts side by side, in as many columns as TABLE_COLUMNS has room for; how many are in each line."""
    width = max(map(columns, texts), default=0)
    number = max(1, (TABLE_COLUMNS - len(MARGIN) + len(_GAP)) // (width + len(_GAP)))
    for at in range(0, len(texts), number):
        row = texts[at : at + number]
        yield f"{MARGIN}{_GAP.join(padded(text, width) for text in row)}".rstrip(), len(row)
