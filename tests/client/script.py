"""A user at a terminal that is no terminal: a script of keys, and of what must be on the screen then."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

from chatroom.deadline import Deadline
from client import Client
from client.conversation import Conversation
from client.local_commands import WORDS
from client.updates import Ended
from tests.support.patience import PATIENCE
from tests.views.screen import Screen
from views import Depth, View


class Absent(NamedTuple):
    """A text that must not be on the screen."""

    text: str


class Gone(NamedTuple):
    """A text that must leave the screen."""

    text: str


class Last(NamedTuple):
    """Texts that the lowest rows of the screen must have, from above."""

    texts: tuple[str, ...]


Step = str | bytes | Gone | Absent | Last | Callable[[], bool]
"""A text that must come; keys; a text that must go, or is not there; the lowest rows; or a function, until it
is True."""


class Script:
    """Plays the steps in order, each when the one before is done, and leaves then."""

    def __init__(self, steps: tuple[Step, ...], lines: int = 24) -> None:
        self.gone = False
        self.screen = Screen(100, lines)
        self._steps = deque(steps)
        self._typed = b""
        self._woken = threading.Event()
        self._deadline = Deadline(PATIENCE)

    # --- what the conversation calls ---------------------------------------------------------------------

    def wait(self, seconds: float | None, for_room: bool = False) -> tuple[bool, bool, bool]:
        """The next keys, when what the steps before wanted is on the screen."""
        while self._steps and seconds != 0.0:
            step = self._steps[0]
            if isinstance(step, Absent):
                assert not self.shows(step.text), self.screen.rows()
            elif isinstance(step, bytes):
                self._typed = step
            elif isinstance(step, Gone):
                if self.shows(step.text):
                    break
            elif isinstance(step, Last):
                if not self.ends_with(step.texts):
                    break
            elif not (self.shows(step) if isinstance(step, str) else step()):
                break
            self._steps.popleft()
            self._deadline = Deadline(PATIENCE)
            if isinstance(step, bytes):
                return True, False, True
        self.gone = not self._steps
        assert not self._deadline.expired, f"{self._steps[0]!r} is not on the screen: {self.screen.rows()}"
        if seconds != 0.0 and not self.gone:
            self._woken.wait(0.01 if seconds is None else min(seconds, 0.01))
            self._woken.clear()
        return False, False, True

    def wake(self) -> None:
        """Updates have come. Any thread."""
        self._woken.set()

    def read(self) -> bytes:
        """The keys that were typed."""
        return self._typed

    def signals(self) -> set[int]:
        """None come."""
        return set()

    def has_room(self) -> bool:
        """Whether the terminal takes output."""
        return True

    def write(self, text: str) -> None:
        """Output."""
        self.screen.feed(text)

    # --- what the test calls -------------------------------------------------------------------------------

    def shows(self, text: str) -> bool:
        """Whether a row of the screen has this text, in which several blanks count as one."""
        return any(text in " ".join(row.split()) for row in self.screen.rows())

    def ends_with(self, texts: tuple[str, ...]) -> bool:
        """Whether the lowest rows that are not empty have these texts."""
        rows = [row for row in (" ".join(each.split()) for each in self.screen.rows()) if row]
        last = rows[-len(texts) :]
        return len(last) == len(texts) and all(text in row for text, row in zip(texts, last, strict=True))


def play(client: Client, *steps: Step, notices: Sequence[str] = (), is_new: bool = False) -> Ended | None:
    """A user of this client at a terminal; how the client ended, None: the script did.

    notices, is_new: see `Conversation`
    """
    script = Script(steps)
    view = View(100, 24, name=client.name, depth=Depth.NONE, today=date(2023, 11, 14))
    view.completer.learn(list(WORDS))
    client.on_update = script.wake
    try:
        return Conversation(client, script, view, notices=notices, is_new=is_new).run()  # type: ignore[arg-type]
    finally:
        client.on_update = None
