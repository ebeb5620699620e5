"""The view of one client: events and typed bytes go in, text for the terminal comes out.

Pure: no terminal, no thread, no clock. Times are passed in, in seconds of a monotonic clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from typing import Final, Literal, NamedTuple

from chatroom.events import Event, EventKind
from chatroom.printable import TAB
from views import render
from views.completer import Completer
from views.editor import LineEditor
from views.excerpt import excerpt, parts
from views.item import Item, LocalTime, Theme, item_of, local_time
from views.keys import Input, Key, KeyDecoder, Paste, Text
from views.layout import Block, layout_input, pending_rows, status_rows
from views.limits import (
    BACKLOG_WORK,
    CUT_TEXTS,
    FLOOD_FRAMES,
    FLOOD_SCREENS,
    FRAME_WORK,
    FRAMES_PER_SECOND,
    ITEM_WORK,
    LEAVE_WORK,
)
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


class _Waiting(NamedTuple):
    """An item that is not painted yet. `make` costs `work` (see FRAME_WORK), formatting included."""

    work: int
    make: Callable[[], Item]


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
        self._arrived: list[_Waiting] = []
        self._arrived_work = 0
        self._left_out = 0  # items that had no room among these
        self._batch: deque[_Waiting] = deque()  # what had arrived at a frame; it may take several frames
        self._parts: deque[_Waiting] = deque()  # of a long text that the user wants to see
        self._floods = 0  # batches in a row that had too many items to read
        self._cut: dict[int, bytes] = {}  # the latest texts that were cut, by number, in UTF-8
        self._last_cut = 0
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
        text, more = self._shorten(event.text)
        short = event if text is event.text else event._replace(text=text)
        self._add(text, partial(_item_of, short, more, self._name, self._time_of))
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
        moment = None if milliseconds is None else self._time_of(milliseconds)
        text, more = self._shorten(text)
        self._add(text, partial(Item, moment, "", text, more=more))

    def show(self, number: int | None) -> None:
        """Show the whole of a text that was cut: that with this number, or the latest."""
        data = self._cut.get(self._last_cut if number is None else number)
        if data is None:
            self.system("there is no such text any more" if number else "no text was cut")
            return
        whole = list(parts(data.decode("utf-8", "surrogatepass")))
        self._parts = deque(_waiting(part, partial(Item, None, "", part, part=True)) for part in whole)
        self._clock.request()

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
        self._batch.clear()
        self._parts.clear()
        self._take_arrived()
        self._drawn = None
        self._clock.request(at_once=True)

    def _shorten(self, text: str) -> tuple[str, str]:
        """What is shown of a text, and a note about the rest, which `show` prints; empty for none."""
        short, more = excerpt(text)
        if not more:
            return text, ""
        self._last_cut += 1
        self._cut[self._last_cut] = text.encode("utf-8", "surrogatepass")
        self._cut.pop(self._last_cut - CUT_TEXTS, None)
        return short, f"{more}: /show {self._last_cut}"

    def _add(self, text: str, make: Callable[[], Item]) -> None:
        waiting = _waiting(text, make)
        self._arrived.append(waiting)
        self._arrived_work += waiting.work
        if self._arrived_work > BACKLOG_WORK:
            self._leave_out()
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
        if given is Key.CANCEL and self._parts:
            self._parts.clear()
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
        """The last output: all unpainted items. A half-typed line stays on the screen, to be copied.

        When so many items wait that the user would notice, only the latest are shown.
        """
        if self._drawn is None and not self._unpainted:
            return ""
        self._pending, self._status = (), ""
        self._parts.clear()
        self._arrived = [*self._batch, *self._arrived]
        self._batch.clear()
        if sum(waiting.work for waiting in self._arrived) > LEAVE_WORK:
            self._leave_out()
        out = self._paint(now)
        while self._unpainted:
            out += self._paint(now)
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
        inputs = self._keys.timeout(now)
        self._apply_all(inputs)
        if any(isinstance(given, Paste) for given in inputs):
            self.system(
                "the end of this paste has not come: Enter makes a line end until it comes; Ctrl-C ends it"
            )
        return self._paint(now) if self._clock.due(now) else ""

    @property
    def _unpainted(self) -> bool:
        return bool(self._parts or self._batch or self._arrived)

    def _paint(self, now: float) -> str:
        """One frame. When more items wait than it can format, the next one follows when keys were read."""
        self._clock.painted(now)
        before, self._before = self._before, ""
        block = self._block()
        drawn = self._drawn
        short = self._echo(drawn, block)
        if short is not None:
            return before + short
        if drawn is None and self._foreign:
            before += render.scroll_away(self._lines)
            self._foreign = False
        visible = self._lines - len(block.rows) if drawn is None else drawn.transcript_rows
        old = self._transcript.tail(visible)
        new = [row for item in self._next_items() for row in self._transcript.append(item)]
        redraw, self._redraw = self._redraw, False
        if drawn is not None and not redraw and (self._repaint == "inline" or not self.editor.clusters):
            out, self._drawn = render.append(drawn, new, block)
        else:
            out, self._drawn = render.reprint(old, new, block, self._lines)
        return before + out

    def _echo(self, drawn: render.Drawn | None, block: Block) -> str | None:
        """The frame for a key, if that is a short one: the items that wait have the next frame."""
        short = None if drawn is None or self._redraw else render.shortcut(drawn, block)
        if drawn is None or short is None or (not short and self._unpainted):
            return None
        self._drawn = drawn._replace(block=block)
        if self._unpainted:
            self._clock.request(at_once=True)
        return short

    def _next_items(self) -> list[Item]:
        """The items for this frame, which are FRAME_WORK together, or one."""
        if not self._batch and not self._parts:
            self._begin_batch()
        source, work = self._parts or self._batch, 0
        items: list[Item] = []
        while source and (not items or work + source[0].work <= FRAME_WORK):
            waiting = source.popleft()
            items.append(waiting.make())
            work += waiting.work
        if self._unpainted:
            self._clock.request(at_once=bool(self._batch or self._parts))
        return items

    def _begin_batch(self) -> None:
        """Take what has arrived; only the latest items if FLOOD_FRAMES batches in a row had too many."""
        flood = len(self._arrived) > FLOOD_SCREENS * self._lines
        self._floods = self._floods + 1 if flood else 0
        if self._floods >= FLOOD_FRAMES:
            self._leave_out()
        if self._left_out:
            note = f"{self._left_out:,} lines not shown"
            self._batch.append(_waiting(note, partial(Item, None, "", note)))
        self._batch += self._take_arrived()

    def _leave_out(self) -> None:
        """Forget what has arrived, but not the latest items, one for each line of the screen."""
        latest = self._arrived[-self._lines :]
        self._left_out += len(self._arrived) - len(latest)
        self._arrived = latest
        self._arrived_work = sum(waiting.work for waiting in latest)

    def _take_arrived(self) -> list[_Waiting]:
        arrived, self._arrived = self._arrived, []
        self._arrived_work = self._left_out = 0
        return arrived

    def _block(self) -> Block:
        above = [
            *pending_rows(self._name, self._pending, self._columns, self._lines, self._theme),
            *status_rows(self._status, self._columns, self._lines, self._theme),
        ]
        name = Span(one_line(self._name), self._theme.name(self._name))
        clusters, cursor = self.editor.clusters, self.editor.cursor
        return layout_input(name, clusters, cursor, self._columns, max(1, self._lines // 2), above)


def _waiting(text: str, make: Callable[[], Item]) -> _Waiting:
    size = len(text) + (len(TAB) - 1) * text.count("\t")
    work = ITEM_WORK * (1 + text.count("\n")) + size * (1 if text.isascii() else 3)
    return _Waiting(work, make)


def _item_of(event: Event, more: str, name: str, time_of: LocalTime) -> Item:
    """The item of an event whose text was shortened by so much."""
    return item_of(event, name, time_of)._replace(more=more)
