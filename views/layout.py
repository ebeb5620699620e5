"""Where things are: the block at the bottom (own lines not stored yet, status, input) and its cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from views.text import Cell, Piece, Row, cells, clip, paint, typed_cell, width_of


class Block(NamedTuple):
    """What stands below the history. `row`, `column`: the cursor in it; `at_end`: nothing is behind it."""

    rows: tuple[Row, ...]
    row: int
    column: int
    at_end: bool


_PROMPT = "> "


def layout_input(
    name: Piece,
    clusters: Sequence[str],
    cursor: int,
    columns: int,
    most_rows: int,
    above: Sequence[Row] = (),
) -> Block:
    """The input line in at most `most_rows` rows of `columns - 1`, scrolled so that the cursor is visible.

    name:  who types, before the prompt; as much of it as leaves half of the row
    above: rows of the block that stand over the input
    """
    room = max(1, columns - 1)
    head = [*clip([name], room // 2 - len(_PROMPT)), *cells(Piece(_PROMPT, name.style))]
    rows: list[list[Cell]] = [head]
    column, row, at = width_of(head), 0, width_of(head)
    for number, cluster in enumerate(clusters):
        cell = typed_cell(cluster)
        if column and column + cell.width > room:
            rows.append([])
            column = 0
        if number == cursor:
            row, at = len(rows) - 1, column
        rows[-1].append(cell)
        column += cell.width
    if cursor >= len(clusters):
        if column >= room:  # the cursor never stands behind a full row: there terminals differ
            rows.append([])
            column = 0
        row, at = len(rows) - 1, column
    first = max(0, min(row - most_rows // 2, len(rows) - most_rows))
    shown = [paint(row_cells) for row_cells in rows[first : first + most_rows]]
    at_end = cursor >= len(clusters)
    return Block((*above, *shown), len(above) + row - first, min(at, room), at_end)
