"""The rows of the input line, wrapped between words while the user types."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple

from views.pasted import Pasted
from views.text import Cell, input_cell, width_of

_HUNG: Final = Cell("", 0)
"""A space behind a full row: the end of the row stands for it."""


class InputRows(NamedTuple):
    """Rows of cells, and the cursor's row and column in them."""

    rows: list[list[Cell]]
    row: int
    column: int


def input_rows(head: Sequence[Cell], units: Sequence[str], first: int, cursor: int, room: int) -> InputRows:
    """Units of the input line in rows of `room` columns behind the cells of the prompt.

    A word that does not fit moves to the next row; one that is longer than a row goes on there.

    first:  the number of the first unit
    cursor: the number of the unit that the cursor is on; if it is none of these, the cursor is behind them
    """
    cells = list(head)
    at = None  # the cell that the cursor is on
    for number, unit in enumerate(units, first):
        if number == cursor:
            at = len(cells)
        if isinstance(unit, Pasted):
            cells += unit_cells(unit)
        else:
            cells.append(input_cell(unit))
    starts, column = _break(cells, len(head), room)
    if at is None and column >= room:
        starts.append(
            len(cells)
        )  # Terminals disagree on where a cursor behind a full row is: it has a new one.
        column = 0
    rows = [cells[start:end] for start, end in zip(starts, [*starts[1:], len(cells)], strict=True)]
    if at is None:
        return InputRows(rows, len(rows) - 1, column)
    row = bisect_right(starts, at) - 1
    return InputRows(rows, row, min(room, width_of(cells[starts[row] : at])))


def _break(cells: list[Cell], prompt: int, room: int) -> tuple[list[int], int]:
    """Where rows of the cells start, and the width of the last one. A space that hangs loses its width.

    prompt: so many cells come before the input; no row ends between them
    """
    starts, column = [0], 0
    chance = 0  # where the row may end, if it is behind its start
    for at, cell in enumerate(cells):
        shown, width, _ = cell
        while column and column + width > room:
            if shown == " ":
                cells[at] = _HUNG
                starts.append(at + 1)
                column = width = 0
                break
            starts.append(chance if chance > starts[-1] and width < 2 else at)
            column = width_of(cells[starts[-1] : at])
        column += width
        if (shown in (" ", "\u23ce") or width >= 2) and at >= prompt:
            chance = at + 1
    return starts, column


def unit_cells(unit: str) -> list[Cell]:
    """The cells of one unit: of a long paste those of its mark."""
    return [Cell(character, 1) for character in unit.mark] if isinstance(unit, Pasted) else [input_cell(unit)]
