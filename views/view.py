"""The view of one client: events and typed bytes go in, text for the terminal comes out.

Pure: no terminal, no thread, no clock. Times are passed in, in seconds of a monotonic clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial
from typing import Final, Literal, NamedTuple

from chatroom.events import Event, EventKind
from chatroom.moments import LocalTime, local_time
from chatroom.printable import TAB
from views import render
from views.completer import Completer
from views.editor import LineEditor
from views.excerpt import excerpt, parts
from views.folding import Folding, Run
from views.formatting import Theme, answer_columns
from views.item import Item, item_of
from views.keys import Input, Jump, Key, KeyDecoder, Paste, Text
from views.layout import Block, Status, layout_input, layout_question, pending_rows, status_rows
from views.limits import (
    BACKLOG_WORK,
    CUT_TEXTS,
    FLOOD_FRAMES,
    FLOOD_SCREENS,
    FRAME_WORK,
    FRAMES_PER_SECOND,
    ITEM_WORK,
    LEAVE_WORK,
    QUIET_LINES,
)
from views.palette import Depth, Ground
from views.quiet_row import quiet_row
from views.sanitize import one_line
from views.schedule import FrameClock
from views.secret_input import SecretInput
from views.text import Row, Span
from views.transcript import Transcript


class Submitted(NamedTuple):
    """The user pressed Enter on a line with this text, which is never blank."""

    text: str


class Secret(NamedTuple):
    """The user has answered the question of `View.ask`. The text may be empty."""

    text: str

    def __repr__(self) -> str:
        return "<Secret>"


class Cancelled(NamedTuple):
    """The user does not want to answer the question of `View.ask`."""


class Leave(NamedTuple):
    """The user wants to leave the chatroom."""


class Suspend(NamedTuple):
    """The user wants to suspend the program and use the shell."""


Action = Submitted | Secret | Cancelled | Leave | Suspend | Jump
Repaint = Literal["around", "inline"]
"""How new rows come while the user types: "around" prints the visible transcript again, "inline" does not."""

_SMALLEST: Final = (4, 2)  # columns and lines; a smaller screen is painted as if it had this size


class _Waiting(NamedTuple):
    """An item that is not painted yet. `make` costs `work` (see FRAME_WORK), formatting included."""

    work: int
    make: Callable[[], Item]


class _Cut(NamedTuple):
    """A text that was cut, in UTF-8. person: who said it, 0: the program or the server"""

    person: int
    text: bytes


class View:
    """Transcript, own lines that are not stored yet, status and input line of one client on one screen."""

    def __init__(
        self,
        columns: int,
        lines: int,
        *,
        name: str = "",
        ground: Ground = Ground.EITHER,
        depth: Depth = Depth.MANY,
        repaint: Repaint = "around",
        commands: Sequence[str] = (),
        private: Callable[[str], bool] = lambda line: False,
        today: date | None = None,
        time_of: LocalTime = local_time,
        frames_per_second: float = FRAMES_PER_SECOND,
    ) -> None:
        """columns, lines: size of the screen; commands: words with a slash that Tab completes.

        private: whether a line holds a secret, so that no key may bring it back once it was sent.
        today: items of this day need no day separator above them.
        """
        self._theme = Theme(ground, depth)
        self._name = name
        self._repaint = repaint
        self._time_of = time_of
        self._columns, self._lines = max(columns, _SMALLEST[0]), max(lines, _SMALLEST[1])
        self._transcript = Transcript(self._columns, self._theme, today)
        self.completer = Completer(commands)
        self.editor = LineEditor(self.completer)
        self._private = private
        self._asked: SecretInput | None = None  # what is typed answers a question, and is not shown
        self._keys = KeyDecoder()
        self._clock = FrameClock(frames_per_second)
        self._arrived: list[_Waiting] = []
        self._arrived_work = 0
        self._left_out = 0  # items that had no room among these
        self._batch: deque[_Waiting] = deque()  # what had arrived at a frame; it may take several frames
        self._parts: deque[_Waiting] = deque()  # of a long text that the user wants to see
        self._floods = 0  # batches in a row that had too many items to read
        self._folding = Folding(time_of)
        self._waiting_run: Run | None = None  # its item is not made yet, so it has all that comes until then
        self._cut: dict[int, _Cut] = {}  # the latest texts that were cut, by number
        self._last_cut = 0
        self._pending: Sequence[str] = ()
        self._status = Status()
        self._before = ""  # output to write before the next frame
        self._drawn: render.Drawn | None = None
        self._covered = 0  # rows of the transcript that may not be in the scrollback, when `_drawn` is None
        self._redraw = False  # the next frame is a whole one, for the rows that are on the screen
        self._foreign = True  # the screen shows another program's output, which goes to the scrollback
        self._clock.request(at_once=True)

    @property
    def columns(self) -> int:
        """The columns of the screen."""
        return self._columns

    @property
    def lines(self) -> int:
        """The lines of the screen."""
        return self._lines

    @property
    def table_columns(self) -> int | None:
        """How wide the table of an answer may be."""
        return answer_columns(self._columns)

    # --- events ------------------------------------------------------------------------------------------

    def event(self, event: Event, about: Event | None = None, under: str = "") -> None:
        """Show an event of the chatroom.

        about: the line that it edits, deletes, reacts to or answers, if that is known
        under: the channel to name, for one that is not the channel on the screen
        """
        if event.kind is EventKind.ERASED:
            self._erase(event.target)
        run = self._folding.take(event, self._name) if not under else None
        if run is not None:
            self._add_run(run)
        else:
            text, more = self._shorten(event.text, event.person)
            short = event if text is event.text else event._replace(text=text)
            self._add(text, partial(_item_of, short, more, self._name, self._time_of, about, under))
        self.unseen(event)

    def unseen(self, event: Event) -> None:
        """Take an event that is not shown: the Tab key knows who is where."""
        self.completer.happened(event)

    def members(self, place: int, names: Sequence[str]) -> None:
        """Set all members of a channel, for the Tab key."""
        self.completer.listed(place, names)

    def system(self, text: str, milliseconds: int | None = None, command: str = "") -> None:
        """Show a message of the program or the server; `milliseconds`: its time since 1970, if it has one.

        command: that it answers, as `/who`; empty: none
        """
        moment = None if milliseconds is None else self._time_of(milliseconds)
        text, more = self._shorten(text)
        self._add(text, partial(Item, moment, "", text, more=more, command=command))

    def show(self, number: int | None) -> None:
        """Show the whole of a text that was cut: that with this number, or the latest."""
        cut = self._cut.get(self._last_cut if number is None else number)
        if cut is None:
            self.system("there is no such text any more" if number else "no text was cut")
            return
        whole = list(parts(cut.text.decode("utf-8", "surrogatepass")))
        self._folding.end()
        self._parts = deque(
            _waiting(part, partial(Item, None, "", part, part=True, person=cut.person)) for part in whole
        )
        self._clock.request()

    def missed(self, gap: bool = False) -> None:
        """Show the divider above the events that happened while the connection was lost.

        gap: some of the older ones are gone
        """
        self.rule(f"missed while you were away{'; older lines are gone' if gap else ''}")

    def rule(self, text: str) -> None:
        """Show a line across the screen, with words that must not be missed."""
        self._add(text, partial(Item, None, "", one_line(text), rule=True, notice=True))

    def pending(self, texts: Sequence[str]) -> None:
        """Set the user's own lines that are not stored yet, in order."""
        if list(texts) != list(self._pending):
            self._pending = list(texts)
            self._clock.request()

    def status(self, status: Status) -> None:
        """Set the status, shown in a row above the input until it changes; empty: no such row."""
        if status != self._status:
            self._status = status
            self._clock.request()

    def identity(self, name: str) -> None:
        """Set the user's present name."""
        if name != self._name:
            self._name = name
            self._clock.request()

    def clear(self) -> None:
        """Empty the screen. The rows that it showed stay in the terminal's scrollback."""
        self._before += self._uncover()
        if self._drawn is not None:
            self._before += render.scroll_transcript_away(self._drawn)
        self._transcript.clear()
        self._folding.end()
        self._batch.clear()
        self._parts.clear()
        self._take_arrived()
        self._drawn = None
        self._clock.request(at_once=True)

    def turn_over(self, now: float) -> None:
        """Empty the screen for another channel. What was not painted yet goes to the scrollback first."""
        self._parts.clear()
        if sum(waiting.work for waiting in [*self._batch, *self._arrived]) > LEAVE_WORK:
            self._arrived = [*self._batch, *self._arrived]
            self._batch.clear()
            self._leave_out()
        out = ""
        while self._unpainted:
            out += self._paint(now)
        self._before = out + self._before
        self.clear()

    def _shorten(self, text: str, person: int = 0) -> tuple[str, str]:
        """What is shown of a text, and a note about the rest, which `show` prints; empty for none.

        person: who said it
        """
        short, more = excerpt(text)
        if not more:
            return text, ""
        self._last_cut += 1
        self._cut[self._last_cut] = _Cut(person, text.encode("utf-8", "surrogatepass"))
        self._cut.pop(self._last_cut - CUT_TEXTS, None)
        return short, f"{more}: /show {self._last_cut}"

    def _add_run(self, run: Run) -> None:
        """Show a run of joins and leaves: its row grows."""
        if self._waiting_run is not run:
            self._waiting_run = run
            self._enqueue(_waiting(run.text, partial(self._make_run, run)))

    def _make_run(self, run: Run) -> Item:
        self._waiting_run = None
        return run.item()

    def _erase(self, person: int) -> None:
        """Show nothing any more of what this person has said. The terminal's scrollback keeps what it has."""
        if not person:
            return
        self._folding.erase(person)
        if self._waiting_run is not None:
            self._waiting_run.erase(person)
        self._cut = {number: cut for number, cut in self._cut.items() if cut.person != person}
        self._arrived = [_without(waiting, person) for waiting in self._arrived]
        self._batch = deque(_without(waiting, person) for waiting in self._batch)
        self._parts = deque(_without(waiting, person) for waiting in self._parts)
        self._transcript.erase(person)
        self._drawn = None  # the rows on the screen are others now

    def _add(self, text: str, make: Callable[[], Item]) -> None:
        self._folding.end()
        self._enqueue(_waiting(text, make))

    def _enqueue(self, waiting: _Waiting) -> None:
        self._arrived.append(waiting)
        self._arrived_work += waiting.work
        if self._arrived_work > BACKLOG_WORK:
            self._leave_out()
        self._clock.request()

    # --- input -------------------------------------------------------------------------------------------

    def ask(self, question: str) -> None:
        """Ask for a secret: the next line is not shown, and is the action Secret, or Cancelled.

        The half-typed line comes back afterwards.
        """
        self._asked = SecretInput(one_line(question))
        self._clock.request(at_once=True)

    def keys(self, data: bytes, now: float) -> Iterator[Action]:
        """Apply bytes from the keyboard; gives the actions that the client must carry out.

        It gives each one before it applies the next key: who types on after `/passwd` and Enter may be asked
        for the password meanwhile, so that it is not said.
        """
        return self._apply_all(self._keys.feed(data, now))

    def _apply_all(self, inputs: Sequence[Input]) -> Iterator[Action]:
        for given in inputs:
            action = self._apply(given) if self._asked is None else self._answer(self._asked, given)
            self._clock.request(at_once=True)
            if action is not None:
                yield action

    def _answer(self, asked: SecretInput, given: Input) -> Action | None:
        """Apply a key while a question waits for its answer."""
        if isinstance(given, (Text, Paste)):
            asked.insert(given.text)
        elif given in (Key.ENTER, Key.CANCEL, Key.DELETE_OR_LEAVE):
            self._asked = None
            return Secret(asked.take()) if given is Key.ENTER else Cancelled()
        elif given is Key.SUSPEND:
            return Suspend()
        elif given is Key.REDRAW:
            self._redraw = True
        elif not isinstance(given, Jump):
            asked.apply(given)
        return None

    def _apply(self, given: Input) -> Action | None:
        if self.editor.searches(given):
            return None
        if isinstance(given, (Text, Paste)):
            if not self.editor.take_in(given):
                self.system("the line is full: a message has at most 64 KiB")
            return None
        if isinstance(given, Jump):
            return given
        if given is Key.CANCEL and self._parts:
            self._parts.clear()
            return None
        line = self.editor.text
        if given is Key.ENTER:
            if line.strip():
                return Submitted(self.editor.take(private=self._private(line)))
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
            if self._drawn is not None and self._drawn.hidden:
                self._covered = self._drawn.hidden + self._drawn.transcript_rows
            self._drawn = None
            self._clock.request()

    def release(self) -> str:
        """Output that erases the input line, to write before another program gets the terminal."""
        out = self._before + self._uncover()
        out += render.erase_block(self._drawn) if self._drawn else ""
        self._before, self._drawn, self._foreign = "", None, True
        self._clock.request(at_once=True)
        return out

    def leave(self, now: float) -> str:
        """The last output: all unpainted items. A half-typed line stays on the screen, to be copied.

        When so many items wait that the user would notice, only the latest are shown.
        """
        if self._drawn is None and not self._unpainted:
            return ""
        self._asked = None
        self.editor.stop()
        self._pending, self._status = (), Status()
        self._parts.clear()
        self._arrived = [*self._batch, *self._arrived]
        self._batch.clear()
        if sum(waiting.work for waiting in self._arrived) > LEAVE_WORK:
            self._leave_out()
        out = self._paint(now)
        while self._unpainted:
            out += self._paint(now)
        out += self._uncover()
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
        for _ in self._apply_all(inputs):
            pass
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
        before += self._take_screen()
        old = self._transcript.tail(self._known_rows(block))
        new, over = self._append(self._next_items())
        rows = [*old[: max(0, len(old) - over)], *new]
        redraw, self._redraw = self._redraw, False
        gone, hidden = render.place(rows, block, self._lines)
        if drawn is not None and not redraw and self._may_append(hidden, bool(new or over or gone), over):
            out, self._drawn = render.append(drawn, new, block, over)
        else:
            first = render.apart(rows[:gone]) if hidden else rows[:gone]
            out, self._drawn = render.reprint(first, rows[gone + hidden :], block, self._lines)
        self._drawn = self._drawn._replace(hidden=hidden)
        return before + out

    def _take_screen(self) -> str:
        """What moves another program's output into the scrollback, before the first frame."""
        if self._drawn is not None or not self._foreign:
            return ""
        self._foreign = False
        return render.scroll_away(self._lines)

    def _known_rows(self, block: Block) -> int:
        """How many rows of the transcript this frame may show: those on the screen, and what is hidden."""
        if self._drawn is not None:
            return self._drawn.hidden + self._drawn.transcript_rows
        known, self._covered = max(render.room_for(block, self._lines), self._covered), 0
        return known

    def _may_append(self, hidden: int, changes: bool, over: int) -> bool:
        """Whether new rows can be written behind those on the screen, which then stay as they are.

        hidden: rows that the input will cover
        """
        drawn = self._drawn
        assert drawn is not None
        quiet = self._repaint == "inline" or not self.editor.clusters or not changes
        steady = hidden == drawn.hidden and not (hidden and changes)
        return quiet and steady and over <= drawn.transcript_rows

    def _uncover(self) -> str:
        """Output that moves the hidden rows of the transcript into the scrollback, where they belong."""
        drawn = self._drawn
        if drawn is None or not drawn.hidden:
            return ""
        rows = self._transcript.tail(drawn.hidden + drawn.transcript_rows)
        out, self._drawn = render.reprint(rows, (), drawn.block, drawn.lines)
        return out

    def _append(self, items: list[Item]) -> tuple[list[Row], int]:
        """Add items to the transcript: their rows, and how many of its latest rows they stand for, too.

        A run that has grown takes the place of what was shown of it.
        """
        new: list[Row] = []
        over = 0
        for item in items:
            taken = self._transcript.take_back(item.run)
            over += max(0, taken - len(new))
            del new[max(0, len(new) - taken) :]
            new += self._transcript.append(item)
        return new, over

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
        self._waiting_run = None  # perhaps it is left out: what comes next of it is shown again
        self._left_out += len(self._arrived) - len(latest)
        self._arrived = latest
        self._arrived_work = sum(waiting.work for waiting in latest)

    def _take_arrived(self) -> list[_Waiting]:
        arrived, self._arrived = self._arrived, []
        self._arrived_work = self._left_out = 0
        return arrived

    def _block(self) -> Block:
        pending = pending_rows(self._pending, self._columns, self._lines, self._theme)
        status = status_rows(self._status, self._columns, self._lines, self._theme)
        most_rows = max(1, self._lines // 2)
        if self._asked is not None:
            question = Span(self._asked.question, self._theme.palette.own)
            return layout_question(question, self._columns, most_rows, [*pending, *status])
        above = [*pending, *status[:-1], *(self._quiet_rows() or status[-1:])]
        name = Span(one_line(self._name), self._theme.palette.own)
        clusters, cursor = self.editor.clusters, self.editor.cursor
        block = layout_input(name, clusters, cursor, self._columns, most_rows, above)
        return block._replace(spare=block.spare + len(above) - len(pending) - len(status))

    def _quiet_rows(self) -> list[Row]:
        """The row above the prompt that is there for a key only, in place of the status."""
        if self._lines < QUIET_LINES:
            return []
        palette = self._theme.palette
        row = quiet_row(self.editor, self._columns, palette.quiet, palette.own)
        return [] if row is None else [row]


def _waiting(text: str, make: Callable[[], Item]) -> _Waiting:
    size = len(text) + (len(TAB) - 1) * text.count("\t")
    work = ITEM_WORK * (1 + text.count("\n")) + size * (1 if text.isascii() else 3)
    return _Waiting(work, make)


def _without(waiting: _Waiting, person: int) -> _Waiting:
    """An item that is not made yet, without what this person has said."""
    return waiting._replace(make=lambda: waiting.make().erased(person))


def _item_of(event: Event, more: str, name: str, time_of: LocalTime, about: Event | None, under: str) -> Item:
    """The item of an event whose text was shortened by so much."""
    return item_of(event, name, time_of, about)._replace(more=more, under=one_line(under))
