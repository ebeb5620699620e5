"""Events, keys and resizes in any order, for the view on a model of a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from random import Random
from typing import Any, Final

from wcwidth import wcwidth

from chatroom.events import Event, EventKind
from chatroom.limits import MAX_REASON, MAX_TEXT, MAX_TIME, NAME_BYTES
from tests.fuzz.inputs import TEXTS, Choices
from tests.fuzz.keyboard import SEQUENCES
from tests.fuzz.loop import Target
from tests.views.screen import Screen
from views import (
    Cancelled,
    Depth,
    Ground,
    Jump,
    Leave,
    LookBack,
    Secret,
    Status,
    StepFound,
    Submitted,
    Suspend,
    View,
)

PAINTED: Final = 8
"""One input of so many is painted on the model of a terminal, which takes most of the time."""

REPEATS: Final = (*[1] * 29, 2, 40, 300)
KEYS_AT_ONCE: Final = 100
"""Bytes that are typed, not pasted, in one step: in a full line, each key takes some milliseconds."""

WIDEST: Final = 12
"""More than the columns of a family, which a terminal may draw as four people: it has to have room."""

TIMES_SAID: Final = (*[1] * 13, 2, 5, 60)
TIMES: Final = (0, 1, 86_400_000, 1_700_000_000_000, MAX_TIME)
PAUSES: Final = (0.0, 0.0, 0.001, 0.02, 0.05, 1.0, 10.0)


def _local(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


class Framed(Screen):
    """A terminal that notes when a row goes on behind its last column: only a link may, in a frame."""

    def __init__(self, columns: int, lines: int) -> None:
        self._full = False  # the last column was just written
        self._may_go_on = False  # this frame has turned the wrapping on
        super().__init__(columns, lines)

    def feed(self, text: str) -> None:
        self._may_go_on = False  # a key that is echoed finds it on, too
        super().feed(text)

    def set_mode(self, *numbers: int, **kwargs: Any) -> None:
        self._may_go_on = True
        super().set_mode(*numbers, **kwargs)

    def reset_mode(self, *numbers: int, **kwargs: Any) -> None:
        self._may_go_on = False
        super().reset_mode(*numbers, **kwargs)

    def draw(self, data: str) -> None:
        for character in data:
            width = max(0, wcwidth(character))
            too_long = width and (self._full or self.cursor.x + width > self.columns)
            if too_long and not (self._may_go_on and "!" <= character <= "~"):
                self.obeyed.append("a row that is too long")
            self._full = self.cursor.x + width == self.columns if width else self._full
            super().draw(character)

    def carriage_return(self) -> None:
        self._full = False
        super().carriage_return()

    def cursor_position(self, line: int | None = None, column: int | None = None) -> None:
        self._full = False
        super().cursor_position(line, column)


class Player:
    """Plays an input to a view. Without a screen nothing is painted."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        painted = choices.number(PAINTED) == 0
        columns, lines = choices.number(90), choices.number(40)
        if painted:
            columns = max(columns, WIDEST)
        self.view = View(
            columns,
            lines,
            name="ann",
            ground=[*Ground][choices.number(3)],
            depth=[*Depth][choices.number(3)],
            repaint="inline" if choices.number(2) else "around",
            commands=["/help", "/who"],
            today=date(1970, 1, 1),
            time_of=_local,
        )
        self.view.keywords = [self.name() for _ in range(choices.number(3))]
        # The view paints a smaller screen as if it had this size.
        self.screen = Framed(columns, max(lines, 2)) if painted else None
        self.now = 0.0
        self.longest = MAX_TEXT  # bytes of the line: only what could not be sent is put back in any case

    def text(self, size: int = MAX_TEXT) -> str:
        """A text that somebody chose, of at most so many bytes: the decoder lets no longer one pass."""
        number = self.choices.number(256)
        if number < 2:
            return self.choices.take(self.choices.number(64)).decode("utf-8", "replace")[: size // 4]
        text = TEXTS[number % len(TEXTS)] * REPEATS[number % len(REPEATS)]
        return text.encode()[:size].decode(errors="ignore")

    def name(self) -> str:
        """A name that a server gave to somebody."""
        return self.text(NAME_BYTES)

    def play(self) -> str:
        """Every step, and the end."""
        steps = 0
        while self.choices.more and steps < 200:
            _STEPS[self.choices.number(len(_STEPS))](self)
            steps += 1
            self.check()
        self.paint(self.view.leave(self.now))
        return "painted" if self.screen is not None else "played"

    def check(self) -> None:
        """What always holds."""
        editor = self.view.editor
        assert 0 <= editor.cursor <= len(editor.clusters)
        assert len(editor.text.encode()) <= self.longest
        wait = self.view.wait(self.now)
        assert wait is None or wait >= 0.0
        if self.screen is not None:
            assert self.screen.obeyed == [], self.screen.obeyed

    def paint(self, out: str) -> None:
        """Write it on the screen, if there is one."""
        if self.screen is not None:
            self.screen.feed(out)

    # --- steps ---------------------------------------------------------------------------------------

    def event(self) -> None:
        kind = list(EventKind)[self.choices.number(len(EventKind))]
        time, place = TIMES[self.choices.number(len(TIMES))], self.choices.number(4)
        event = Event(1, time, kind, self.name(), self.name(), self.text(), 0, self.choices.number(9), place)
        for _ in range(TIMES_SAID[self.choices.number(len(TIMES_SAID))]):
            self.view.event(event)

    def system(self) -> None:
        self.view.system(self.text(), TIMES[self.choices.number(len(TIMES))])

    def keys(self) -> None:
        data = b"".join(
            SEQUENCES[self.choices.number(256) % len(SEQUENCES)] for _ in range(self.choices.number(12))
        )
        self.press(data)

    def typed(self) -> None:
        self.press(self.text(KEYS_AT_ONCE).encode("utf-8", "replace"))

    def raw(self) -> None:
        self.press(self.choices.take(self.choices.number(40)))

    def pasted(self) -> None:
        times = 20 if self.choices.number(16) == 0 else 1
        self.press(b"\x1b[200~" + self.text().encode("utf-8", "replace") * times + b"\x1b[201~")

    def press(self, data: bytes) -> None:
        for action in self.view.keys(data, self.now):
            assert isinstance(
                action, Submitted | Secret | Cancelled | Leave | Suspend | Jump | LookBack | StepFound
            )
            if isinstance(action, Submitted):
                assert action.text.strip()
            elif isinstance(action, Suspend):
                self.release()

    def ask(self) -> None:
        self.view.ask(self.name())

    def resize(self) -> None:
        columns, lines = self.choices.number(90), self.choices.number(40)
        if self.screen is not None:
            columns = max(columns, WIDEST)
        self.view.resize(columns, lines)
        if self.screen is not None:
            self.screen.resize(max(lines, 2), columns)
            self.screen.obeyed.clear()  # pyte resets its margins in a resize

    def tick(self) -> None:
        self.now += PAUSES[self.choices.number(len(PAUSES))]
        self.paint(self.view.tick(self.now))

    def release(self) -> None:
        self.paint(self.view.release())

    def clear(self) -> None:
        self.view.clear()

    def pending(self) -> None:
        self.view.pending([self.text() for _ in range(self.choices.number(7))])

    def status(self) -> None:
        self.view.status(Status(self.text(MAX_REASON), self.text(MAX_REASON), self.choices.number(2) == 1))

    def identity(self) -> None:
        self.view.identity(self.name())

    def members(self) -> None:
        self.view.members(self.choices.number(4), [self.name() for _ in range(self.choices.number(9))])

    def show(self) -> None:
        self.view.show(self.choices.number(3) or None)

    def missed(self) -> None:
        self.view.missed(self.choices.number(2) == 1)

    def learn(self) -> None:
        self.view.completer.learn([self.name() for _ in range(self.choices.number(5))])

    def restore(self) -> None:
        self.view.editor.restore(self.text())
        self.longest = max(self.longest, len(self.view.editor.text.encode()))


_STEPS: Final[tuple[Callable[[Player], None], ...]] = (
    Player.event,
    Player.event,
    Player.system,
    Player.keys,
    Player.keys,
    Player.typed,
    Player.raw,
    Player.pasted,
    Player.resize,
    Player.tick,
    Player.tick,
    Player.tick,
    Player.tick,
    Player.release,
    Player.ask,
    Player.clear,
    Player.pending,
    Player.status,
    Player.identity,
    Player.members,
    Player.show,
    Player.missed,
    Player.learn,
    Player.restore,
)


def _run(data: bytes) -> str:
    return Player(Choices(data)).play()


@contextmanager
def views() -> Iterator[Target]:
    """What a user sees and types."""

    def make(random: Random) -> bytes:
        return random.randbytes(random.choice((10, 20, 40, 40, 120)))

    yield Target(make, _run)
