"""Painting one screen: what is on it, and what must be written so that it shows something else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from views import render
from views.item import Item
from views.layout import Block
from views.text import Row
from views.transcript import Transcript

Repaint = Literal["around", "inline"]
"""How new rows come while the user types: "around" prints the visible transcript again, "inline" does not."""

_SMALLEST: Final = (4, 2)  # columns and lines; a smaller screen is painted as if it had this size


def usable(columns: int, lines: int) -> tuple[int, int]:
    """The size as which a screen of this size is painted."""
    return max(columns, _SMALLEST[0]), max(lines, _SMALLEST[1])


class Painter:
    """A screen of `lines` lines with a transcript, and the block below it.

    drawn:  what is on the screen; None: not known
    redraw: the next frame is to be a whole one, for the rows that are on the screen
    """

    def __init__(self, lines: int, transcript: Transcript, repaint: Repaint) -> None:
        self.drawn: render.Drawn | None = None
        self.redraw = False
        self._lines = lines
        self._transcript = transcript
        self._repaint = repaint
        self._before = ""  # output to write before the next frame
        self._covered = 0  # rows of the transcript that may not be in the scrollback, when `drawn` is None
        self._foreign = True  # the screen shows another program's output, which goes to the scrollback

    # --- frames -------------------------------------------------------------------------------------

    def echo(self, block: Block, waits: bool) -> str | None:
        """The frame for a key, if that is a short one; None: a whole frame is needed.

        waits: items wait, which have the next frame
        """
        drawn = self.drawn
        short = None if drawn is None or self.redraw else render.shortcut(drawn, block)
        if drawn is None or short is None or (not short and waits):
            return None
        self.drawn = drawn._replace(block=block)
        return self._take_before() + short

    def paint(self, items: Sequence[Item], block: Block, typing: bool) -> str:
        """One whole frame, with new items. typing: a line is half-typed"""
        drawn, before = self.drawn, self._take_before() + self._take_screen()
        known = self._known_rows(block)
        old = self._transcript.tail(known)
        new, over, amended = self._append(items, known)
        rows = [*old[: max(0, len(old) - over)], *new] if amended is None else self._transcript.tail(amended)
        self.redraw = self.redraw or amended is not None
        redraw, self.redraw = self.redraw, False
        gone, hidden = render.place(rows, block, self._lines)
        changes = bool(new or over or gone)
        if drawn is not None and not redraw and self._may_append(drawn, typing, hidden, changes, over):
            out, self.drawn = render.append(drawn, new, block, over)
        else:
            first = render.apart(rows[:gone]) if hidden else rows[:gone]
            out, self.drawn = render.reprint(first, rows[gone + hidden :], block, self._lines)
        self.drawn = self.drawn._replace(hidden=hidden)
        return before + out

    def _take_before(self) -> str:
        before, self._before = self._before, ""
        return before

    def _take_screen(self) -> str:
        """What moves another program's output into the scrollback, before the first frame."""
        if self.drawn is not None or not self._foreign:
            return ""
        self._foreign = False
        return render.scroll_away(self._lines)

    def _known_rows(self, block: Block) -> int:
        """How many rows of the transcript this frame may show: those on the screen, and what is hidden."""
        if self.drawn is not None:
            return self.drawn.hidden + self.drawn.transcript_rows
        known, self._covered = max(render.room_for(block, self._lines), self._covered), 0
        return known

    def _may_append(self, drawn: render.Drawn, typing: bool, hidden: int, changes: bool, over: int) -> bool:
        """Whether new rows can be written behind those on the screen, which then stay as they are.

        hidden: rows that the input will cover
        """
        quiet = self._repaint == "inline" or not typing or not changes
        steady = hidden == drawn.hidden and not (hidden and changes)
        return quiet and steady and over <= drawn.transcript_rows

    def _append(self, items: Sequence[Item], known: int) -> tuple[list[Row], int, int | None]:
        """Add items to the transcript: their rows, and how many of its latest rows they stand for, too.

        A run that has grown takes the place of what was shown of it. A line that was edited or deleted is
        changed where it stands, if that is on the screen: then the third number tells of how many rows the
        frame is made. known: of how many it would be made without these items
        """
        new: list[Row] = []
        over, room, is_amended = 0, known, False
        for item in items:
            amended = self._transcript.amend(item, room) if any(item.amends) else None
            if amended is not None:
                room, is_amended = amended.room, True
                if not amended.tells:
                    continue
            taken = self._transcript.take_back(item.run)
            over += max(0, taken - len(new))
            del new[max(0, len(new) - taken) :]
            rows = self._transcript.append(item)
            new += rows
            room = max(0, room - taken) + len(rows)
        return new, over, room if is_amended else None

    # --- changes ------------------------------------------------------------------------------------

    def clear(self, before: str = "") -> None:
        """Empty the screen. The rows that it showed stay in the terminal's scrollback.

        before: output to write first
        """
        self._before = before + self._before + self._uncover()
        if self.drawn is not None:
            self._before += render.scroll_transcript_away(self.drawn)
        self._transcript.clear()
        self.drawn = None

    def erase(self, person: int) -> None:
        """Show nothing any more of what this person has said. The terminal's scrollback keeps what it has."""
        self._transcript.erase(person)
        self.drawn = None  # the rows on the screen are others now

    def resize(self, columns: int, lines: int) -> None:
        """Use a new size and paint all rows again: each terminal moves old rows in its own way."""
        self._lines = lines
        self._transcript.resize(columns)
        if self.drawn is not None and self.drawn.hidden:
            self._covered = self.drawn.hidden + self.drawn.transcript_rows
        self.drawn = None

    def release(self) -> str:
        """Output that erases the block, to write before another program gets the terminal."""
        out = self._take_before() + self._uncover()
        out += render.erase_block(self.drawn) if self.drawn else ""
        self.drawn, self._foreign = None, True
        return out

    def end(self, keep: bool) -> str:
        """The last output, after a frame. keep: the block stays on the screen, above the cursor"""
        out = self._uncover()
        assert self.drawn is not None
        return out + (render.move_below_block(self.drawn) if keep else render.erase_block(self.drawn))

    def _uncover(self) -> str:
        """Output that moves the hidden rows of the transcript into the scrollback, where they belong."""
        drawn = self.drawn
        if drawn is None or not drawn.hidden:
            return ""
        rows = self._transcript.tail(drawn.hidden + drawn.transcript_rows)
        out, self.drawn = render.reprint(rows, (), drawn.block, drawn.lines)
        return out
