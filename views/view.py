"""The view of one client: what happened and what is typed go in, what is written to the terminal comes out.

Pure: no terminal, no thread, no clock. Time is passed in, in seconds of a steady clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final, Literal, NamedTuple

from chatroom.events import Event, EventKind
from views import render
from views.completer import Completer
from views.editor import LineEditor
from views.harmless import one_line
from views.keys import Input, Key, KeyDecoder, Paste, Text
from views.layout import Block, layout_input
from views.limits import FLOOD_FRAMES, FLOOD_SCREENS, FRAMES_PER_SECOND, PENDING_SHOWN
from views.schedule import FrameClock
from views.text import Piece, Row, Style, clip, paint
from views.transcript import Entry, LocalTime, Theme, Transcript, entry_of, format_pending, local_time


class Submitted(NamedTuple):
    """Enter was pressed; the line is this text (never empty)."""

    text: str


class Leave(NamedTuple):
    """The user wants to go."""


class Suspend(NamedTuple):
    """The user wants the shell back for a while."""


Action = Submitted | Leave | Suspend
Repaint = Literal["around", "inline"]
"""How new lines come while something is typed: the history printed again around it, or just above it."""

_SMALLEST: Final = (4, 2)  # columns and lines; smaller screens are treated like this


class View:
    """History, own lines on their way, status and input line of one client on one screen."""

    def __init__(
        self,
        columns: int,
        lines: int,
        *,
        name: str = "",
        colour: bool = True,
        repaint: Repaint = "around",
        commands: Sequence[str] = (),
        today: date | None = None,
        time_of: LocalTime = local_time,
        frames_per_second: float = FRAMES_PER_SECOND,
    ) -> None:
        """columns, lines: the size of the screen; commands: what Tab completes behind a slash.

        today: what is of another day stands below its date.
        """
        self._theme = Theme(colour)
        self._name = name
        self._repaint = repaint
        self._time_of = time_of
        self._columns, self._lines = max(columns, _SMALLEST[0]), max(lines, _SMALLEST[1])
        self._transcript = Transcript(self._columns, self._theme, today)
        self.completer = Completer(commands)
        self.editor = LineEditor(self.completer)
        self._keys = KeyDecoder()
        self._clock = FrameClock(frames_per_second)
        self._waiting: list[Entry] = []
        self._floods = 0
        self._pending: Sequence[str] = ()
        self._status = ""
        self._before = ""  # to be written before the next frame
        self._drawn: render.Drawn | None = None
        self._foreign = True  # the screen holds what is not ours, and what shall be kept
        self._clock.request(at_once=True)

    # --- what happened -----------------------------------------------------------------------------------

    def event(self, event: Event) -> None:
        """Something happened in the chatroom."""
        self._add(entry_of(event, self._name, self._time_of))
        gone = event.kind in (EventKind.LEFT, EventKind.RENAMED)
        (self.completer.forget if gone else self.completer.saw)(event.author)
        if event.kind is EventKind.RENAMED:
            self.completer.saw(event.text)

    def system(self, text: str, milliseconds: int | None = None) -> None:
        """The program or the server says something to this user alone."""
        self._add(Entry(None if milliseconds is None else self._time_of(milliseconds), "", text))

    def missed(self, count: int, more: bool = False) -> None:
        """The divider above what was said while the connection was lost."""
        self.system(f"---- {count:,}{' or more' if more else ''} missed ----")

    def pending(self, texts: Sequence[str]) -> None:
        """Own lines that are not stored yet, in order."""
        if list(texts) != list(self._pending):
            self._pending = list(texts)
            self._clock.request()

    def status(self, text: str) -> None:
        """A state that lasts, in a row of its own above the input; empty when there is none."""
        if text != self._status:
            self._status = text
            self._clock.request()

    def identity(self, name: str) -> None:
        """The name under which this user is known now."""
        if name != self._name:
            self._name = name
            self._clock.request()

    def clear(self) -> None:
        """Empty the screen; what was on it is in the terminal's scrollback."""
        if self._drawn is not None:
            self._before += render.scroll_history_away(self._drawn)
        self._transcript.clear()
        self._waiting.clear()
        self._forget_screen()

    def _add(self, entry: Entry) -> None:
        self._waiting.append(entry)
        self._clock.request()

    # --- what is typed -----------------------------------------------------------------------------------

    def keys(self, data: bytes, now: float) -> list[Action]:
        """Bytes came from the keyboard."""
        return self._do(self._keys.feed(data, now))

    def _do(self, inputs: Sequence[Input]) -> list[Action]:
        actions: list[Action] = []
        for given in inputs:
            action = self._apply(given)
            if action is not None:
                actions.append(action)
            self._clock.request(at_once=True)
        return actions

    def _apply(self, given: Input) -> Action | None:
        if isinstance(given, (Text, Paste)):
            if not self.editor.insert(given.text, typing=isinstance(given, Text)):
                self.system("the line is full: a message has at most 64 KiB")
            return None
        line = self.editor.text
        if given is Key.ENTER:
            if line.strip():
                return Submitted(self.editor.take())
            self.editor.clear()
            return None
        if given is Key.CANCEL and line:
            self.editor.clear()
            return None
        if given is Key.CANCEL or (given is Key.DELETE_OR_LEAVE and not line):
            return Leave()
        if given is Key.SUSPEND:
            return Suspend()
        if given is Key.REDRAW:
            self._drawn = None
        else:
            self.editor.apply(given)
        return None

    # --- the screen --------------------------------------------------------------------------------------

    def resize(self, columns: int, lines: int) -> None:
        """The screen has another size; where the terminal put what it showed cannot be known."""
        size = max(columns, _SMALLEST[0]), max(lines, _SMALLEST[1])
        if size != (self._columns, self._lines):
            self._columns, self._lines = size
            self._transcript.resize(self._columns)
            self._drawn = None
            self._clock.request()

    def release(self) -> str:
        """What to write before the terminal is given to somebody else: the input line goes away."""
        out = self._before + (render.take_away(self._drawn) if self._drawn else "")
        self._before, self._drawn, self._foreign = "", None, True
        self._clock.request(at_once=True)
        return out

    def leave(self, now: float) -> str:
        """What to write at the end: everything that waits; a half-typed line is left to be copied."""
        if self._drawn is None and not self._waiting:
            return ""
        self._pending, self._status = (), ""
        out = self._paint(now)
        drawn = self._drawn
        assert drawn is not None
        return out + (render.leave_below(drawn) if self.editor.clusters else render.take_away(drawn))

    def wait(self, now: float) -> float | None:
        """Seconds until `tick` has something to do; None when it has nothing."""
        waits = [wait for wait in (self._clock.wait(now), self._keys.wait(now)) if wait is not None]
        return min(waits, default=None)

    def tick(self, now: float) -> str:
        """What to write now, in one write; nothing when nothing has changed or it is too early.

        Keys that only time completes (a lone Esc, a paste without an end) are lines to edit, never actions.
        """
        self._do(self._keys.timeout(now))
        return self._paint(now) if self._clock.due(now) else ""

    def _paint(self, now: float) -> str:
        self._clock.painted(now)
        before, self._before = self._before, ""
        block = self._block()
        drawn = self._drawn
        if drawn is not None and not self._waiting:
            short = render.shortcut(drawn, block)
            if short is not None:
                self._drawn = drawn._replace(block=block)
                return before + short
        if drawn is None and self._foreign:
            before += render.scroll_away(self._lines)
            self._foreign = False
        history = self._transcript.tail(self._lines - len(block.rows) if drawn is None else drawn.history)
        new = [row for entry in self._take_waiting() for row in self._transcript.append(entry)]
        if drawn is not None and (self._repaint == "inline" or not self.editor.clusters):
            out, self._drawn = render.frame(drawn, new, block)
        else:
            out, self._drawn = render.reprint(history, new, block, self._lines)
        return before + out

    def _take_waiting(self) -> list[Entry]:
        """The entries for this frame: all, unless more come for some time than anybody can read."""
        waiting, self._waiting = self._waiting, []
        flood = len(waiting) > FLOOD_SCREENS * self._lines
        self._floods = self._floods + 1 if flood else 0
        if self._floods < FLOOD_FRAMES:
            return waiting
        skipped = len(waiting) - self._lines
        return [Entry(None, "", f"{skipped:,} lines not shown"), *waiting[skipped:]]

    def _forget_screen(self) -> None:
        self._drawn = None
        self._clock.request(at_once=True)

    def _block(self) -> Block:
        above = [*self._pending_rows(), *self._status_rows()]
        name = Piece(one_line(self._name), self._theme.name(self._name))
        clusters, cursor = self.editor.clusters, self.editor.cursor
        return layout_input(name, clusters, cursor, self._columns, max(1, self._lines // 2), above)

    def _pending_rows(self) -> list[Row]:
        most = min(PENDING_SHOWN, self._lines // 4)
        if not self._pending or not most:
            return []
        rows = [
            row
            for text in self._pending[:most]
            for row in format_pending(self._name, text, self._columns, self._theme)
        ]
        hidden = len(self._pending) - most
        if hidden <= 0 and len(rows) <= most:
            return rows
        rest = f"{hidden:,} more lines wait" if hidden > 0 else "\u2026"
        return [*rows[: most - 1], self._dim_row(rest)]

    def _status_rows(self) -> list[Row]:
        if not self._status or self._lines < 4:
            return []
        return [self._dim_row(f"-- {one_line(self._status)}")]

    def _dim_row(self, text: str) -> Row:
        return paint(clip([Piece(text, self._theme.style(Style.DIM))], self._columns - 1))
