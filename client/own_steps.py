"""What becomes of a line that is followed, in this program: its own steps, by its own clock."""

from __future__ import annotations

from threading import Lock, current_thread
from time import monotonic
from typing import Final

TYPED: Final = "typed"
HANDED: Final = "handed"
CAME: Final = "came"
SHOWN: Final = "shown"
"""The steps, as `chatroom.trace_table` words them."""


class OwnSteps:
    """The steps of one line. Any thread.

    id:   of the command that says the line, and so of the line
    lock: of the pending lines: who sends and who confirms note their steps while they hold it
    """

    def __init__(self, id: int, lock: Lock) -> None:
        self.id = id
        self._lock = lock
        self._steps: list[tuple[float, str, str]] = []

    def note(self, step: str) -> None:
        """A step is done."""
        with self._lock:
            self.note_locked(step)

    def note_locked(self, step: str) -> None:
        """As note(). Requires holding the lock."""
        self._steps.append((monotonic(), current_thread().name, step))

    def rows(self) -> list[tuple[int, str, str]]:
        """The steps so far: microseconds since the first, the thread, the step."""
        with self._lock:
            steps = list(self._steps)
        return [(round((at - steps[0][0]) * 1_000_000), thread, step) for at, thread, step in steps]
