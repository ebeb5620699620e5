"""The view of one client: events and typed bytes go in, text for the terminal comes out.

Pure: no terminal, no thread, no clock. Times are passed in, in seconds of a monotonic clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final, Literal, NamedTuple

from chatroom.events import Event, EventKind
from views import render
from views.completer import Completer
from views.editor import LineEditor
from views.item import Item, LocalTime, Theme, item_of, local_time
from views.keys import Input, Key, KeyDecoder, Paste, Text
from views.layout import Block, layout_input, pending_rows, status_rows
from views.limits import FLOOD_FRAMES, FLOOD_SCREENS, FRAMES_PER_SECOND
from views.sanitize import one_line
from views.schedule import FrameClock
from views.text import Span
from views.transcript import Transcript


class Submitted(NamedTuple):
    """The user pressed Enter on a line with this text, which is never blank."""

    text: str


class Leave(NamedTuple):
    """The user wants to leave the chatroom."""


class Suspend(NamedTuple):
    """The user wants to suspend the program and use the shell."""


Action = Submitted | Leave | Suspend
Repaint = Literal["around", "inline"]
"""How new rows come while the user types: "around" prints the visible transcript again, "inline" does not."""

_SMALLEST: Final = (4, 2)  # columns and lines; a smaller screen is painted as if it had this size


class View:
    """Transcript, own lines that are not stored yet, status and input line of one client on one screen."""

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
        """columns, lines: size of the screen; commands: words with a slash that Tab completes.

        today: items of this day need no day separator above them.
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
        self._unpainted: list[Item] = []
        self._floods = 0  # frames in a row that had too many new items to read
        self._pending: Sequence[str] = ()
        self._status = ""
        self._before = ""  # output to write before the next frame
        self._drawn: render.Drawn | None = None
        self._redraw = False  # the next frame is a whole one, for the rows that are on the screen
        self._foreign = True  # the screen shows another program's output, which goes to the scrollback
        self._clock.request(at_once=True)

    # --- events ------------------------------------------------------------------------------------------

    def event(self, event: Event) -> None:
        """Show an event of the chatroom."""
        self._add(item_of(event, self._name, self._time_of))
        if event.kind is EventKind.LEFT:
            self.completer.left(event.author, event.place)
        elif event.kind is EventKind.QUIT:
            self.completer.forget(event.author)
        elif event.kind is EventKind.RENAMED:
            self.completer.renamed(event.author, event.text)
        elif event.author:
            self.completer.saw(event.author, event.place)

    def members(self, place: int, names: Sequence[str]) -> None:
        """Set all members of a channel, for the Tab key."""
        self.completer.listed(place, names)

    def system(self, text: str, milliseconds: int | None = None) -> None:
        """Show a message of the program or the server; `milliseconds`: its time since 1970, if it has one."""
        self._add(Item(None if milliseconds is None else self._time_of(milliseconds), "", text))

    def missed(self, gap: bool = False) -> None:
        """Show the divider above the events that happened while the connection was lost.

        gap: some of the older ones are gone
        """
        self.system(f"---- missed while you were away{'; older lines are gone' if gap else ''} ----")

    def pending(self, texts: Sequence[str]) -> None:
        """Set the user's own lines that are not stored yet, in order."""
        if list(texts) != list(self._pending):
            self._pending = list(texts)
            self._clock.request()

    def status(self, text: str) -> None:
        """Set the status, shown in a row above the input until it changes; empty: no such row."""
        if text != self._status:
            self._status = text
            self._clock.request()

    def identity(self, name: str) -> None:
        """Set the user's present name."""
        if name != self._name:
            self._name = name
            self._clock.request()

    def clear(self) -> None:
        """Empty the screen. The rows that it showed stay in the terminal's scrollback."""
        if self._drawn is not None:
            self._before += render.scroll_transcript_away(self._drawn)
        self._transcript.clear()
        self._unpainted.clear()
        self._drawn = None
        self._clock.request(at_once=True)

    def _add(self, item: Item) -> None:
        self._unpainted.append(item)
        self._clock.request()

    # --- input -------------------------------------------------------------------------------------------

    def keys(self, data: bytes, now: float) -> list[Action]:
        """Apply bytes from the keyboard; returns the actions that the client must carry out."""
        return self._apply_all(self._keys.feed(data, now))

    def _apply_all(self, inputs: Sequence[Input]) -> list[Action]:
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
            self._redraw = True
        else:
            self.editor.apply(given)
        return None

    # --- screen ------------------------------------------------------------------------------------------

    def resize(self, columns: int, lines: int) -> None:
        """Use a new screen size and paint all rows again: each terminal moves old rows in its own way."""
        size = max(columns, _SMALLEST[0]), max(lines, _SMALLEST[1])
        if size != (self._columns, self._lines):
            self._columns, self._lines = size
            self._transcript.resize(self._columns)
            self._drawn = None
            self._clock.request()

    def release(self) -> str:
        """Output that erases the input line, to write before another program gets the terminal."""
        out = self._before + (render.erase_block(self._drawn) if self._drawn else "")
        self._before, self._drawn, self._foreign = "", None, True
        self._clock.request(at_once=True)
        return out

    def leave(self, now: float) -> str:
        """The last output: all unpainted items. A half-typed line stays on the screen, to be copied."""
        if self._drawn is None and not self._unpainted:
            return ""
        self._pending, self._status = (), ""
        out = self._paint(now)
        drawn = self._drawn
        assert drawn is not None
        return out + (render.move_below_block(drawn) if self.editor.clusters else render.erase_block(drawn))

    def wait(self, now: float) -> float | None:
        """Seconds until `tick` has something to do; None if it has nothing to do."""
        waits = [wait for wait in (self._clock.wait(now), self._keys.wait(now)) if wait is not None]
        return min(waits, default=None)

    def tick(self, now: float) -> str:
        """The output for now, for one write. Empty if nothing has changed or the next frame is not due.

        Keys that only a timeout completes (a lone Esc, a paste without an end) edit the line and never
        return an action.
        """
        self._apply_all(self._keys.timeout(now))
        return self._paint(now) if self._clock.due(now) else ""

    def _paint(self, now: float) -> str:
        self._clock.painted(now)
        before, self._before = self._before, ""
        block = self._block()
        drawn = self._drawn
        if drawn is not None and not self._unpainted and not self._redraw:
            short = render.shortcut(drawn, block)
            if short is not None:
                self._drawn = drawn._replace(block=block)
                return before + short
        if drawn is None and self._foreign:
            before += render.scroll_away(self._lines)
            self._foreign = False
        visible = self._lines - len(block.rows) if drawn is None else drawn.transcript_rows
        old = self._transcript.tail(visible)
        new = [row for item in self._take_unpainted() for row in self._transcript.append(item)]
        redraw, self._redraw = self._redraw, False
        if drawn is not None and not redraw and (self._repaint == "inline" or not self.editor.clusters):
            out, self._drawn = render.append(drawn, new, block)
        else:
            out, self._drawn = render.reprint(old, new, block, self._lines)
        return before + out

    def _take_unpainted(self) -> list[Item]:
        """The items for this frame: all of them, or only the latest if FLOOD_FRAMES in a row had too many."""
        items, self._unpainted = self._unpainted, []
        flood = len(items) > FLOOD_SCREENS * self._lines
        self._floods = self._floods + 1 if flood else 0
        if self._floods < FLOOD_FRAMES:
            return items
        skipped = len(items) - self._lines
        return [Item(None, "", f"{skipped:,} lines not shown"), *items[skipped:]]

    def _block(self) -> Block:
        above = [
            *pending_rows(self._name, self._pending, self._columns, self._lines, self._theme),
            *status_rows(self._status, self._columns, self._lines, self._theme),
        ]
        name = Span(one_line(self._name), self._theme.name(self._name))
        clusters, cursor = self.editor.clusters, self.editor.cursor
        return layout_input(name, clusters, cursor, self._columns, max(1, self._lines // 2), above)
