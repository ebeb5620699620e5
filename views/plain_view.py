"""The view for a terminal that is read as lines, as by a screen reader: nothing is painted again.

No escape sequence is written, and nothing twice. What comes while a line is half-typed waits until that is
sent, or empty again; so no message parts what the user types. Pure, as `View`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from chatroom.events import Event, EventKind
from chatroom.moments import LocalTime, local_time
from views.actions import Action, Cancelled, Leave, LookBack, Secret, StepFound, Submitted, Suspend
from views.completer import Completer
from views.cut_texts import CutTexts
from views.describe import is_said
from views.draft import Draft, Snapshot
from views.folding import Folding, Run
from views.item import Item, item_of
from views.keyboard import FULL
from views.keys import Input, Jump, Key, KeyDecoder, Paste, Text
from views.layout import Status, Waiting
from views.limits import HELD_LINES, OLD_SECONDS, PLAIN_COLUMNS, PLAIN_LINES, RUN_MOMENT, RUN_MOST
from views.sanitize import one_line, sanitize
from views.secret_input import SecretInput
from views.spoken import spoken_item, spoken_lines, spoken_time
from views.text import clusters
from views.typed_line import TypedLine

_DELETING: Final = (Key.BACKSPACE, Key.KILL_TO_START, Key.KILL_WORD_LEFT, Key.KILL_SUBWORD_LEFT)


class _Spoken(NamedTuple):
    """An event that waits to be printed: meanwhile somebody may be erased whom it quotes or names.

    first, last: stand before and behind it
    """

    item: Item
    under: str
    first: str
    last: str

    @property
    def text(self) -> str:
        return f"{self.first}{spoken_item(self.item, self.under)}{self.last}"

    def erased(self, person: int) -> _Spoken:
        """The same without what this person has said, and without the name."""
        return self._replace(item=self.item.erased(person))


class PlainView:
    """See `views.surface.Surface`.

    echoes: the terminal does not show what is typed, so the view does
    clock:  gives milliseconds since 1970
    """

    def __init__(
        self,
        *,
        name: str = "",
        echoes: bool = True,
        commands: Sequence[str] = (),
        clock: Callable[[], int],
        time_of: LocalTime = local_time,
    ) -> None:
        self.completer = Completer(commands)
        self.editor = TypedLine(echoes)
        self.cut_texts = CutTexts()
        self.keywords: Sequence[str] = ()
        self.person = 0
        self._name = name
        self._echoes = echoes
        self._clock = clock
        self._time_of = time_of
        self._keys = KeyDecoder()
        self._asked: SecretInput | None = None  # what is typed answers a question, and is not shown
        self._draft = ""  # a half-typed line to be printed behind what is held
        self._out = ""  # for what is typed: it cannot wait
        self._held: deque[tuple[int, str | Run | _Spoken]] = (
            deque()
        )  # lines to be printed, each with its person
        self._left_out = 0  # lines that had no room among these
        self._folding = Folding(time_of)
        self._run: Run | None = None  # not printed yet: it may grow
        self._run_until: float | None = None  # None: it has grown since the last `tick`
        self._run_began: float | None = None  # None: no `tick` has seen it
        self._status = Status()
        self._late: list[Action] = []

    columns: Final = PLAIN_COLUMNS
    lines: Final = PLAIN_LINES
    table_columns: Final = None
    page_columns: Final = None

    # --- what comes --------------------------------------------------------------------------------------

    def event(self, event: Event, about: Event | None = None, under: str = "", number: int = 0) -> None:
        """Print an event; joins and leaves in a row become one line. The others: as in `View.event`"""
        if event.kind is EventKind.ERASED:
            self._erase(event.target)
        run = self._folding.take(event, self._name) if not under else None
        if run is not self._run:
            self._print_run()
        if run is not None:
            self._run, self._run_until = run, None
        else:
            author = event.author if is_said(event) else ""
            text, more = self.cut_texts.cut(event.text, event.person, author)
            call = self._name, self._time_of, about, self.keywords, self.person
            item = item_of(event._replace(text=text), *call)
            first, last = f"{number}. " if number else "", f" \u2026 {more}" if more else ""
            self._hold(_Spoken(item, under, first, last + self._past(event.time)), event.person)
        self.unseen(event)

    def unseen(self, event: Event) -> None:
        """Take an event that is not shown: the Tab key knows who is where."""
        self.completer.happened(event)

    def members(self, place: int, names: Sequence[str]) -> None:
        """Set all members of a channel, for the Tab key."""
        self.completer.listed(place, names)

    def system(self, text: str, milliseconds: int | None = None, command: str = "") -> None:
        """Print a message of the program or the server. command: that it answers; empty: none"""
        self._end_run()
        for line in spoken_lines(text, command):
            self._hold(line)

    def show(self, number: int | None, name: str = "") -> None:
        """Print the whole of a text that was cut. number, name: as in `View.show`"""
        cut = self.cut_texts.wanted(number, name)
        if isinstance(cut, str):
            self.system(cut)
        elif cut.person:
            self._end_run()
            lines = sanitize(cut.text).removesuffix("\n").split("\n")
            # One of the lines that wait, however long it is. No other one begins with blanks.
            self._hold("\n".join(f"  {line}".rstrip() for line in lines), cut.person)
        else:
            self._end_run()
            self._hold("\n".join(spoken_lines(cut.text)))

    def missed(self, gap: bool = False) -> None:
        """Say that what follows happened while the connection was lost. gap: some of it is gone"""
        self.rule(f"missed while you were away{'; older lines are gone' if gap else ''}")

    def rule(self, text: str) -> None:
        """Say what follows."""
        self.system(text)

    def pending(self, texts: Sequence[str]) -> None:
        """Own lines that are not stored yet stand where they were typed."""

    def status(self, status: Status) -> None:
        """Say what is new in the status: a place with unread lines or calls, and whether one may speak."""
        if status == self._status or status.trouble:
            return
        before, self._status = self._status, status
        known = {waiting.name: waiting for waiting in before.waiting}
        for waiting in status.waiting:
            is_private = waiting.name.startswith("@")  # it has a row of the client's
            if not is_private and (waiting.name not in known or waiting.calls > known[waiting.name].calls):
                self.system(_unread(waiting))
        if status.silent != before.silent:
            self.system(f"you can only read here: {status.silent}" if status.silent else "you may speak here")

    def identity(self, name: str) -> None:
        """Set the user's present name."""
        self._name = name

    def clear(self) -> None:
        """Nothing can be taken back from this terminal."""

    def turn_over(self, now: float) -> None:
        """Another channel comes: nothing of it joins what was."""
        self._end_run()

    def exchange(self, draft: Draft) -> Draft:
        """Put the half-typed line away for another place; that of the place comes again below its lines."""
        if self._draft:
            before, self._draft = self._draft, ""
        else:
            if self.editor:
                self._end_line()
            before = self.editor.take()
        self._draft = "".join(draft.line.units)
        return Draft(Snapshot(tuple(clusters(before)), 0))

    def _take_up(self) -> None:
        """Print what is held, and then the half-typed line."""
        if self._draft and self._is_free:
            self._out += self._lines()
            draft, self._draft = self._draft, ""
            self._insert(draft)

    def resize(self, columns: int, lines: int) -> None:
        """Lines are as long as they are."""

    def _past(self, milliseconds: int) -> str:
        now = self._clock()
        is_old = now - milliseconds > OLD_SECONDS * 1000
        return spoken_time(milliseconds, now, self._time_of) if is_old else ""

    def _erase(self, person: int) -> None:
        """Print nothing any more of what this person has said."""
        if person:
            self._folding.erase(person)
            for _, held_line in self._held:
                if isinstance(held_line, Run):
                    held_line.erase(person)
            self._held = deque(
                (by, line.erased(person) if isinstance(line, _Spoken) else line)
                for by, line in self._held
                if by != person
            )
            self.cut_texts.erase(person)

    def _end_run(self) -> None:
        """The run of joins and leaves grows no more."""
        self._folding.end()
        self._print_run()

    def _print_run(self) -> None:
        if self._run is not None:
            run, self._run, self._run_began = self._run, None, None
            self._hold(run)

    def _hold(self, line: str | Run | _Spoken, person: int = 0) -> None:
        self._held.append((person, line))
        if len(self._held) > HELD_LINES:
            self._held.popleft()
            self._left_out += 1

    # --- what is typed -----------------------------------------------------------------------------------

    def ask(self, question: str) -> None:
        """Ask for a secret: the next line is not shown, and is the action Secret, or Cancelled."""
        self._asked = SecretInput(one_line(question))
        self._out += f"{self._asked.question} "

    @property
    def asks(self) -> bool:
        """Whether what is typed next must not be shown."""
        return self._asked is not None

    def keys(self, data: bytes, now: float) -> Iterator[Action]:
        """Apply bytes from the keyboard, as `View.keys`."""
        return self._apply_all(self._keys.feed(data, now))

    def late(self) -> list[Action]:
        """See `View.late`."""
        late, self._late = self._late, []
        return late

    def _apply_all(self, inputs: Sequence[Input]) -> Iterator[Action]:
        for given in inputs:
            self._take_up()
            action = self._apply(given) if self._asked is None else self._answer(self._asked, given)
            if action is not None:
                yield action

    def _answer(self, asked: SecretInput, given: Input) -> Action | None:
        """Apply a key while a question waits for its answer."""
        if isinstance(given, (Text, Paste)):
            asked.insert(given.text)
        elif given in (Key.ENTER, Key.CANCEL, Key.DELETE_OR_LEAVE):
            self._asked = None
            self._out += "\n"
            return Secret(asked.take()) if given is Key.ENTER else Cancelled()
        elif given is Key.SUSPEND:
            return Suspend()
        elif not isinstance(given, Jump):
            asked.apply(given)
        return None

    def _apply(self, given: Input) -> Action | None:
        line = self.editor
        if isinstance(given, (Text, Paste)):
            self._insert(given.text)
        elif isinstance(given, Jump):
            return given
        elif given is Key.ENTER:
            self._end_line()
            text = line.take()
            return Submitted(text) if text.strip() else None
        elif given is Key.CANCEL and line:
            self._end_line()
            line.take()
        elif given is Key.CANCEL or (given is Key.DELETE_OR_LEAVE and not line):
            return Leave(sure=given is not Key.CANCEL)
        elif given is Key.SUSPEND:
            return Suspend()
        elif given is Key.PAGE_UP and not line:
            return LookBack()
        elif given in (Key.NEXT_FOUND, Key.LAST_FOUND):
            return StepFound(1 if given is Key.NEXT_FOUND else -1)
        elif given is Key.TAB:
            self._complete()
        elif given in _DELETING:
            self._out += line.erase(given)
        return None

    def _insert(self, text: str) -> None:
        shown = self.editor.insert(text)
        if shown is None:
            self.system(FULL)
        else:
            self._out += shown

    def _complete(self) -> None:
        """Add what all completions have in common: nothing that stands there can be replaced."""
        text = self.editor.text
        before, blank, word = text.rpartition(" ")
        found = self.completer(word, not blank, before + blank)
        found = [each for each in found if each.startswith(word)]
        if found:
            first, last = min(found), max(found)
            same = next(
                (n for n, pair in enumerate(zip(first, last, strict=False)) if len(set(pair)) > 1), None
            )
            self._insert(first[len(word) : same if same is not None else min(len(first), len(last))])

    def _end_line(self) -> None:
        self._out += "\n" if self._echoes else ""

    # --- what is printed ---------------------------------------------------------------------------------

    @property
    def _is_free(self) -> bool:
        """Whether the cursor stands at the beginning of a line."""
        return self._asked is None and not self.editor

    def release(self) -> str:
        """Output before another program gets the terminal. The half-typed line comes again afterwards."""
        out, self._out = self._out, ""
        if self._is_free:
            return out
        self._out = f"{self._asked.question} " if self._asked is not None else self.editor.shown
        return f"{out}\n"

    def leave(self, now: float) -> str:
        """The last output: all that was held. A half-typed line stays where it is."""
        self._end_run()
        out = self._out + ("" if self._is_free else "\n") + self._lines()
        self._out = ""
        return out

    def wait(self, now: float) -> float | None:
        """Seconds until `tick` has something to do; None if it has nothing to do."""
        if (
            self._out
            or (self._draft and self._is_free)
            or (self._held and self._is_free)
            or (self._run is not None and self._run_until is None)
        ):
            return 0.0
        waits = [wait for wait in (self._keys.wait(now), self._run_wait(now)) if wait is not None]
        return min(waits, default=None)

    def _run_wait(self, now: float) -> float | None:
        return None if self._run is None or self._run_until is None else max(0.0, self._run_until - now)

    def tick(self, now: float) -> str:
        """The output for now, for one write."""
        self._late += self._apply_all(self._keys.timeout(now))
        self._time_run(now)
        self._take_up()
        out, self._out = self._out, ""
        return out + (self._lines() if self._is_free else "")

    def _time_run(self, now: float) -> None:
        """Print the run of joins and leaves when nobody has come for a moment, or when it took long."""
        if self._run is None:
            return
        self._run_began = now if self._run_began is None else self._run_began
        if self._run_until is None:
            self._run_until = min(now + RUN_MOMENT, self._run_began + RUN_MOST)
        if self._run_until <= now:
            self._end_run()

    def _lines(self) -> str:
        """What was held."""
        lines = [f"{self._left_out:,} lines not shown"] if self._left_out else []
        lines += [self._printed(line) for _, line in self._held]
        self._held.clear()
        self._left_out = 0
        return "".join(f"{line}\n" for line in lines)

    def _printed(self, line: str | Run | _Spoken) -> str:
        if isinstance(line, Run):
            return one_line(line.text) + self._past(line.began)
        return line if isinstance(line, str) else line.text


def _unread(waiting: Waiting) -> str:
    return f"{waiting.lines:,} unread in {one_line(waiting.name)}{waiting.calls_words}"
