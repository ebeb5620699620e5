"""The block at the bottom of the screen: own lines that are not stored yet, the status, the input line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from views.item import Theme, format_pending
from views.limits import PENDING_SHOWN
from views.sanitize import one_line
from views.text import Cell, Row, Span, Style, cells, clip, input_cell, row_of, width_of


class Block(NamedTuple):
    """The rows below the transcript.

    row, column: position of the cursor, counted from the block's first row and column (0, 0)
    at_end:      the cursor is at the end of the input
    """

    rows: tuple[Row, ...]
    row: int
    column: int
    at_end: bool


_PROMPT = "> "


def layout_input(
    name: Span,
    clusters: Sequence[str],
    cursor: int,
    columns: int,
    most_rows: int,
    above: Sequence[Row] = (),
) -> Block:
    """The input line in at most `most_rows` rows of `columns - 1`, scrolled so that the cursor is visible.

    name:  the user's name, shown before the prompt and clipped so that half of the row is left
    above: rows of the block above the input
    """
    room = max(1, columns - 1)
    # Of a very long line only what is near the cursor is laid out, from a start that stays while one types.
    most = most_rows * room  # clusters that fill the rows
    start = max(0, cursor // most - 1) * most
    part = clusters[start : cursor + most + 1]
    head = [*clip([name], room // 2 - len(_PROMPT)), *cells(Span(_PROMPT, name.style))]
    rows: list[list[Cell]] = [[] if start else head]
    column = 0 if start else width_of(head)
    row, at = 0, column
    for number, cluster in enumerate(part, start):
        cell = input_cell(cluster)
        if column and column + cell.width > room:
            rows.append([])
            column = 0
        if number == cursor:
            row, at = len(rows) - 1, column
        rows[-1].append(cell)
        column += cell.width
    if cursor >= len(clusters):
        if column >= room:  # Terminals disagree on where a cursor behind a full row is, so start a new one.
            rows.append([])
            column = 0
        row, at = len(rows) - 1, column
    first = max(0, min(row - most_rows // 2, len(rows) - most_rows))
    shown = [row_of(row_cells) for row_cells in rows[first : first + most_rows]]
    at_end = cursor >= len(clusters)
    return Block((*above, *shown), len(above) + row - first, min(at, room), at_end)


def pending_rows(name: str, texts: Sequence[str], columns: int, lines: int, theme: Theme) -> list[Row]:
    """Rows for own lines that are not stored yet; `texts` are these lines in order.

    The rows take at most a quarter of the screen's `lines`, and at most PENDING_SHOWN. If that is not enough
    for all, the last row says how many lines are hidden.
    """
    most = min(PENDING_SHOWN, lines // 4)
    if not texts or not most:
        return []
    room = 2 * most * columns  # characters that surely fill the rows: the work is bounded, as for each frame
    shown = texts[:most]
    rows = [row for text in shown for row in format_pending(name, text[:room], columns, theme)]
    hidden = len(texts) - most
    if hidden <= 0 and len(rows) <= most and all(len(text) <= room for text in shown):
        return rows
    rest = f"{hidden:,} more lines wait" if hidden > 0 else "\u2026"
    return [*rows[: most - 1], _dim_row(rest, columns, theme)]


def status_rows(status: str, columns: int, lines: int, theme: Theme) -> list[Row]:
    """The row for the status. Empty without a status, and on a screen of fewer than four lines."""
    if not status or lines < 4:
        return []
    return [_dim_row(f"-- {one_line(status)}", columns, theme)]


def _dim_row(text: str, columns: int, theme: Theme) -> Row:
    return row_of(clip([Span(text, theme.style(Style.DIM))], columns - 1))
