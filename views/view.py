"""The view of one client: events and typed bytes go in, text for the terminal comes out.

Pure: no terminal, no thread, no clock. Times are passed in, in seconds of a monotonic clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial

from chatroom.events import Event, EventKind
from chatroom.moments import LocalTime, local_time
from views.actions import Action
from views.backlog import Backlog
from views.completer import Completer
from views.cut_texts import CutTexts
from views.describe import is_said
from views.draft import Draft
from views.editor import LineEditor
from views.excerpt import parts
from views.folding import Folding
from views.foot import Foot
from views.formatting import Theme, answer_columns, page_columns
from views.item import Item, item_of
from views.keyboard import FULL, Keyboard
from views.keys import Input, Key, Paste
from views.layout import Block, Status
from views.limits import FRAMES_PER_SECOND
from views.painter import Painter, Repaint, usable
from views.palette import Depth, Ground
from views.sanitize import one_line
from views.schedule import FrameClock
from views.secret_input import SecretInput
from views.transcript import Transcript


class View:
    """Transcript, own lines that are not stored yet, status and input line of one client on one screen.

    columns, lines: the size of the screen
    keywords:  words that call the user, beside the name
    person:    number of the user's person, 0: not known
    cut_texts: the long texts that came
    """

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
        self.keywords: Sequence[str] = ()
        self.person = 0
        self._time_of = time_of
        self.columns, self.lines = usable(columns, lines)
        theme = Theme(ground, depth)
        self.completer = Completer(commands)
        self.editor = LineEditor(self.completer)
        self._keyboard = Keyboard(self.editor, private, lambda: self.system(FULL))
        self._foot = Foot(name, self._keyboard, theme)
        self._painter = Painter(self.lines, Transcript(self.columns, theme, today), repaint)
        self._clock = FrameClock(frames_per_second)
        self._backlog = Backlog(self.columns, self.lines)
        self._folding = Folding(time_of)
        self.cut_texts = CutTexts()
        self._late: list[Action] = []
        self._clock.request(at_once=True)

    @property
    def table_columns(self) -> int | None:
        """How wide the table of an answer may be."""
        return answer_columns(self.columns)

    @property
    def page_columns(self) -> int | None:
        """How wide a page of explanations may be: its rows may begin farther to the left."""
        return page_columns(self.columns)

    # --- events ------------------------------------------------------------------------------------------

    def event(self, event: Event, about: Event | None = None, under: str = "", number: int = 0) -> None:
        """Show an event of the chatroom.

        about:  the line that it edits, deletes, reacts to or answers, if that is known
        under:  the channel to name, for one that is not the channel on the screen
        number: of the event in a list, to be shown with it; 0: none
        """
        if event.kind is EventKind.ERASED:
            self._erase(event.target)
        run = self._folding.take(event, self._foot.name) if not under else None
        if run is not None:
            self._backlog.add_run(run)
            self._clock.request()
        else:
            author = event.author if is_said(event) else ""
            text, more = self.cut_texts.cut(event.text, event.person, author)
            short = event if text is event.text else event._replace(text=text)
            call = self._foot.name, self._time_of, about, self.keywords, self.person
            under = "" if is_said(event) and event.channel.startswith("@") else under  # the names tell it
            under = f"{number}. {under}".rstrip() if number else under
            self._add(text, lambda: item_of(short, *call)._replace(more=more, under=one_line(under)))
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
        text, more = self.cut_texts.cut(text)
        self._add(text, partial(Item, moment, "", text, more=more, command=command))

    def show(self, number: int | None, name: str = "") -> None:
        """Show the whole of a text that was cut: that with this number, or the latest.

        name: show the latest text of several lines of whoever is called so
        """
        cut = self.cut_texts.wanted(number, name)
        if isinstance(cut, str):
            self.system(cut)
            return
        self._folding.end()
        self._backlog.print_parts(parts(cut.text), cut.person)
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
        if list(texts) != list(self._foot.pending):
            self._foot.pending = list(texts)
            self._clock.request()

    def status(self, status: Status) -> None:
        """Set the status, shown in a row above the input until it changes; empty: no such row."""
        if status != self._foot.status:
            self._foot.status = status
            self._clock.request()

    def identity(self, name: str) -> None:
        """Set the user's present name."""
        if name != self._foot.name:
            self._foot.name = name
            self._clock.request()

    def clear(self) -> None:
        """Empty the screen. The rows that it showed stay in the terminal's scrollback."""
        self._clear("")

    def turn_over(self, now: float) -> None:
        """Empty the screen for another channel. What was not painted yet goes to the scrollback first."""
        self._backlog.shorten()
        self._clear(self._paint_all(now))

    def exchange(self, draft: Draft) -> Draft:
        """Put the half-typed line away for another place, and take up the one of that place."""
        self._clock.request(at_once=True)
        return self.editor.exchange(draft)

    def _clear(self, before: str) -> None:
        """before: output to write first"""
        self._painter.clear(before)
        self._folding.end()
        self._backlog.clear()
        self._clock.request(at_once=True)

    def _erase(self, person: int) -> None:
        """Show nothing any more of what this person has said. The terminal's scrollback keeps what it has."""
        if person:
            self._folding.erase(person)
            self.cut_texts.erase(person)
            self._backlog.erase(person)
            self._painter.erase(person)

    def _add(self, text: str, make: Callable[[], Item]) -> None:
        self._folding.end()
        self._backlog.add(text, make)
        self._clock.request()

    # --- input -------------------------------------------------------------------------------------------

    def ask(self, question: str) -> None:
        """Ask for a secret: the next line is not shown, and is the action Secret, or Cancelled.

        The half-typed line comes back afterwards.
        """
        self._keyboard.question = SecretInput(one_line(question))
        self._clock.request(at_once=True)

    def keys(self, data: bytes, now: float) -> Iterator[Action]:
        """Apply bytes from the keyboard; gives the actions that the client must carry out.

        It gives each one before it applies the next key: who types on after `/passwd` and Enter may be asked
        for the password meanwhile, so that it is not said.
        """
        return self._press_all(self._keyboard.decoder.feed(data, now))

    def late(self) -> list[Action]:
        """The actions of keys that a `tick` has completed since this was asked last."""
        late, self._late = self._late, []
        return late

    def _press_all(self, inputs: Sequence[Input]) -> Iterator[Action]:
        for given in inputs:
            action = self._press(given)
            self._clock.request(at_once=True)
            if action is not None:
                yield action

    def _press(self, given: Input) -> Action | None:
        if given is Key.REDRAW:
            self._painter.redraw = True
            return None
        if given is Key.CANCEL and self._keyboard.edits and self._backlog.stop_parts():
            return None
        return self._keyboard.press(given)

    # --- screen ------------------------------------------------------------------------------------------

    def resize(self, columns: int, lines: int) -> None:
        """Use a new screen size and paint all rows again: each terminal moves old rows in its own way."""
        size = usable(columns, lines)
        if size != (self.columns, self.lines):
            self.columns, self.lines = size
            self._backlog.columns, self._backlog.lines = size
            self._painter.resize(*size)
            self._clock.request()

    def release(self) -> str:
        """Output that erases the input line, to write before another program gets the terminal."""
        self._clock.request(at_once=True)
        return self._painter.release()

    def leave(self, now: float) -> str:
        """The last output: all unpainted items. A half-typed line stays on the screen, to be copied.

        When so many items wait that the user would notice, only the latest are shown.
        """
        if self._painter.drawn is None and not self._backlog:
            return ""
        self._keyboard.question = None
        self.editor.stop()
        self._foot.pending, self._foot.status = (), Status(to=self._foot.status.to)
        self._backlog.shorten()
        out = self._paint(now) + self._paint_all(now)
        return out + self._painter.end(keep=bool(self.editor.clusters))

    def wait(self, now: float) -> float | None:
        """Seconds until `tick` has something to do; None if it has nothing to do."""
        waits = (self._clock.wait(now), self._keyboard.decoder.wait(now))
        return min((wait for wait in waits if wait is not None), default=None)

    def tick(self, now: float) -> str:
        """The output for now, for one write. Empty if nothing has changed or the next frame is not due.

        Keys that only a timeout completes (a lone Esc, a paste without an end) edit the line; `late` has the
        actions of others.
        """
        inputs = self._keyboard.decoder.timeout(now)
        self._late += self._press_all(inputs)
        if any(isinstance(given, Paste) for given in inputs):
            self.system(
                "the end of this paste has not come: Enter makes a line end until it comes; Ctrl-C ends it"
            )
        return self._paint(now) if self._clock.due(now) else ""

    def _paint(self, now: float) -> str:
        """One frame. When more items wait than it can format, the next one follows when keys were read."""
        self._clock.painted(now)
        block = self._block()
        out = self._painter.echo(block, bool(self._backlog))
        is_echo = out is not None
        if out is None:
            out = self._painter.paint(self._backlog.take(now), block, typing=bool(self.editor.clusters))
        if self._backlog:
            self._clock.request(at_once=is_echo or self._backlog.is_begun)
        return out

    def _paint_all(self, now: float) -> str:
        """Frames until no item waits."""
        out = ""
        while self._backlog:
            out += self._paint(now)
        return out

    def _block(self) -> Block:
        return self._foot.block(self.columns, self.lines)
