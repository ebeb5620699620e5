"""Rows and a block to what is written to the terminal: one string for one frame.

The state of the screen is a value: `Drawn`. The top row of the screen is the first visible row of the
history; below the history stands the block; everything below the block is empty. Whoever does not know
what is on the screen has None, and paints anew.

In a frame, each row is cleared before it is written: clearing afterwards would leave what a terminal with
other ideas of width put beyond the end. The terminal's own wrapping is off meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from views.layout import Block
from views.text import Row

_WRAP_OFF, _WRAP_ON = "\x1b[?7l", "\x1b[?7h"
_CLEAR_ROW, _CLEAR_BELOW = "\x1b[K", "\x1b[J"
_HOME = "\x1b[H"


class Drawn(NamedTuple):
    """What is on the screen: so many rows of history, then the block."""

    history: int
    block: Block
    lines: int


def frame(drawn: Drawn, new: Sequence[Row], block: Block) -> tuple[str, Drawn]:
    """Put new rows where the block is, and the block below them. The screen scrolls as it must."""
    out = [_WRAP_OFF, _to_block(drawn)]
    return _finish(out, drawn.history, new, block, drawn.lines)


def reprint(history: Sequence[Row], new: Sequence[Row], block: Block, lines: int) -> tuple[str, Drawn]:
    """The same, with the visible history written again: it heals what something else wrote on the screen.

    history: the rows that are on the screen now. Written from the top again, followed by the new ones, so
    that the oldest move into the terminal's scrollback exactly as they do in `frame`.
    """
    return _finish([_WRAP_OFF, _HOME], 0, [*history, *new], block, lines)


def scroll_away(lines: int) -> str:
    """Move whatever is on the screen into the scrollback; the cursor may be anywhere."""
    return "\r" + "\r\n" * (lines - 1)


def scroll_history_away(drawn: Drawn) -> str:
    """Move our history into the scrollback, without the block."""
    return f"{_to_block(drawn)}{_CLEAR_BELOW}\x1b[{drawn.lines}H" + "\r\n" * drawn.history


def take_away(drawn: Drawn) -> str:
    """Remove the block; the cursor is where it began: what a shell writes next goes on from there."""
    return _to_block(drawn) + _CLEAR_BELOW


def leave_below(drawn: Drawn) -> str:
    """Leave the block where it is and go to a new row below it."""
    down = len(drawn.block.rows) - 1 - drawn.block.row
    return "\r" + (f"\x1b[{down}B" if down else "") + "\r\n"


def shortcut(drawn: Drawn, block: Block) -> str | None:
    """How to get to `block` when only the cursor moved or plain characters were added at its end.

    None when it takes a frame.
    """
    old = drawn.block
    if old.rows == block.rows:
        return _move(old, block)
    if not (old.at_end and block.at_end and old.row == block.row and old.rows[:-1] == block.rows[:-1]):
        return None
    added = block.rows[-1][len(old.rows[-1]) :]
    plain = added.isascii() and added.isprintable() and len(added) == block.column - old.column
    return added if plain and block.rows[-1].startswith(old.rows[-1]) else None


def _move(old: Block, new: Block) -> str:
    if old.row == new.row and old.column == new.column:
        return ""
    rows = new.row - old.row
    vertical = f"\x1b[{rows}B" if rows > 0 else f"\x1b[{-rows}A" if rows else ""
    return vertical + "\r" + _right(new.column)


def _to_block(drawn: Drawn) -> str:
    """To the first column of the block's first row."""
    up = drawn.block.row
    return "\r" + (f"\x1b[{up}A" if up else "")


def _right(columns: int) -> str:
    return f"\x1b[{columns}C" if columns else ""


def _finish(out: list[str], above: int, new: Sequence[Row], block: Block, lines: int) -> tuple[str, Drawn]:
    """Write rows and block from here on down, and put the cursor into its place."""
    for row in new:
        out += (_CLEAR_ROW, row, "\r\n")
    out.append("\r\n".join(_CLEAR_ROW + row for row in block.rows))
    out.append(_CLEAR_BELOW)
    up = len(block.rows) - 1 - block.row
    if up:
        out.append(f"\x1b[{up}A")
    out += ("\r", _right(block.column), _WRAP_ON)
    history = max(0, min(above + len(new), lines - len(block.rows)))
    return "".join(out), Drawn(history, block, lines)
