"""Rows and a block become what is written to the terminal: one string for one frame.

`Drawn` describes the screen: the visible rows of the transcript at the top, then the block, then empty rows.
A block that will soon be lower lies on the transcript: the rows that have no room are hidden, and not in the
scrollback yet, so that they come back.
A caller that does not know what is on the screen uses `reprint`.

A frame clears each row before it writes the row. Clearing afterwards would leave old text at the end of the
row on a terminal that uses other widths. The terminal's autowrap is off during a frame.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from views.layout import Block
from views.text import WRAPPED, Row

_WRAP_OFF, _WRAP_ON = "\x1b[?7l", "\x1b[?7h"
_CLEAR_ROW, _CLEAR_BELOW = "\x1b[K", "\x1b[J"
_HOME = "\x1b[H"
_INDENT = re.compile(f"{re.escape(_CLEAR_ROW)} {{8,}}(?! *\r)")  # no escape sequence is in a text


class Drawn(NamedTuple):
    """A screen of `lines` lines: `transcript_rows` rows of the transcript at the top, then the block.

    hidden: rows of the transcript before these that are neither on the screen nor in the scrollback
    """

    transcript_rows: int
    block: Block
    lines: int
    hidden: int = 0


def append(drawn: Drawn, new: Sequence[Row], block: Block, over: int = 0) -> tuple[str, Drawn]:
    """Write the new rows over the old block, and `block` below them. The screen scrolls if it is full.

    over: so many of the latest rows of the transcript are written over, too; they are on the screen
    """
    out = [_WRAP_OFF, _to_block(drawn), f"\x1b[{over}A" if over else ""]
    return _finish(out, drawn.transcript_rows - over, new, block, drawn.lines)


def reprint(old: Sequence[Row], new: Sequence[Row], block: Block, lines: int) -> tuple[str, Drawn]:
    """Write the whole screen again: this repairs it if another program wrote on it.

    old: the rows of the transcript that are on the screen now. They are written from the top, and the new
    rows follow, so the oldest rows move into the terminal's scrollback exactly as in `append`.
    """
    return _finish([_WRAP_OFF, _HOME], 0, [*old, *new], block, lines)


def room_for(block: Block, lines: int) -> int:
    """The rows of the transcript that are not for the scrollback: those above the block when it is lower."""
    return lines - len(block.rows) + block.spare


def place(rows: Sequence[Row], block: Block, lines: int) -> tuple[int, int]:
    """Of rows of the transcript that are not in the scrollback: how many go there now, and how many that
    come next are hidden. The others are on the screen."""
    gone = max(0, len(rows) - room_for(block, lines))
    return gone, max(0, len(rows) - gone - (lines - len(block.rows)))


def apart(rows: Sequence[Row]) -> Sequence[Row]:
    """The rows, with an end: the terminal does not go on from the last one in what is written next."""
    return [*rows[:-1], Row(rows[-1].removeprefix(WRAPPED))] if rows else rows


def scroll_away(lines: int) -> str:
    """Move all `lines` lines of the screen into the scrollback, wherever the cursor is."""
    return "\r" + "\r\n" * (lines - 1)


def scroll_transcript_away(drawn: Drawn) -> str:
    """Move the transcript into the scrollback, but not the block."""
    return f"{_to_block(drawn)}{_CLEAR_BELOW}\x1b[{drawn.lines}H" + "\r\n" * drawn.transcript_rows


def erase_block(drawn: Drawn) -> str:
    """Erase the block and leave the cursor at its start, where a shell can go on."""
    return _to_block(drawn) + _CLEAR_BELOW


def move_below_block(drawn: Drawn) -> str:
    """Keep the block on the screen and move the cursor to a new row below it."""
    down = len(drawn.block.rows) - 1 - drawn.block.row
    return "\r" + (f"\x1b[{down}B" if down else "") + "\r\n"


def shortcut(drawn: Drawn, block: Block) -> str | None:
    """Output for the usual changes: the cursor moved, or ASCII characters were added at the end.

    Returns None if the change from the drawn block to `block` needs a whole frame.
    """
    old = drawn.block
    if old.rows == block.rows:
        return _move(old, block)
    if not (old.at_end and block.at_end and old.row == block.row and old.rows[:-1] == block.rows[:-1]):
        return None
    added = block.rows[-1][len(old.rows[-1]) :]
    simple = added.isascii() and added.isprintable() and len(added) == block.column - old.column
    return added if simple and block.rows[-1].startswith(old.rows[-1]) else None


def _move(old: Block, new: Block) -> str:
    if old.row == new.row and old.column == new.column:
        return ""
    rows = new.row - old.row
    vertical = f"\x1b[{rows}B" if rows > 0 else f"\x1b[{-rows}A" if rows else ""
    return vertical + "\r" + _right(new.column)


def _to_block(drawn: Drawn) -> str:
    """Move the cursor to the first column of the block's first row."""
    up = drawn.block.row
    return "\r" + (f"\x1b[{up}A" if up else "")


def _over_blanks(found: re.Match[str]) -> str:
    """Over the blanks at the start of a row the cursor only moves: the row was cleared."""
    return _CLEAR_ROW + _right(len(found[0]) - len(_CLEAR_ROW))


def _right(columns: int) -> str:
    return f"\x1b[{columns}C" if columns else ""


def _written(rows: Sequence[Row]) -> Iterator[str]:
    """The rows, each with its line end. Of rows that belong together the terminal makes one line."""
    if not rows:
        return
    plain = _CLEAR_ROW + f"\r\n{_CLEAR_ROW}".join(rows) + "\r\n"
    if WRAPPED not in plain:
        yield _INDENT.sub(_over_blanks, plain)
        return
    before = ""  # a row from which the terminal goes on by itself
    for row in rows:
        goes_on, text = row.startswith(WRAPPED), row.removeprefix(WRAPPED)
        yield text if before else f"{_CLEAR_ROW}{row}"
        if not goes_on:
            clear = _CLEAR_ROW if len(text) < len(before) else ""  # a full row would lose its last character
            yield f"{clear}{_WRAP_OFF}\r\n" if before else "\r\n"
        before = text if goes_on else ""


def _finish(out: list[str], above: int, new: Sequence[Row], block: Block, lines: int) -> tuple[str, Drawn]:
    """Write rows and block at the cursor and below, then move the cursor into the input line.

    above: rows of the transcript above the cursor
    """
    out += _written(new)
    out.append("\r\n".join(_CLEAR_ROW + row for row in block.rows))
    out.append(_CLEAR_BELOW)
    up = len(block.rows) - 1 - block.row
    if up:
        out.append(f"\x1b[{up}A")
    out += ("\r", _right(block.column), _WRAP_ON)
    transcript_rows = max(0, min(above + len(new), lines - len(block.rows)))
    return "".join(out), Drawn(transcript_rows, block, lines)
