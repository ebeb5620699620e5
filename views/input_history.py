"""The history of the input line: sent lines that the arrow keys recall."""

from __future__ import annotations

from collections import deque

from views.limits import HELD_FIRST, INPUT_HISTORY
from views.pasted import Pieces


class InputHistory:
    """The latest INPUT_HISTORY sent lines, and the draft: the half-typed line while the user browses them."""

    def __init__(self) -> None:
        self._lines: deque[Pieces] = deque(maxlen=INPUT_HISTORY)
        self._at: int | None = None
        self._draft: Pieces = ()
        self._held: Pieces = ()  # was taken as sent, but waits to be said again
        self._held_for = 0  # so many lines may be sent until it is as the others

    def add(self, line: Pieces) -> None:
        """Remember a sent line, but not a repetition of the one before, and stop browsing."""
        if line and (not self._lines or self._lines[-1] != line):
            self._lines.append(line)
        self._keep_held_first(line)
        self.stop()

    def hold(self) -> None:
        """The latest line was not sent: it stays the latest for a while, whatever else is sent."""
        if self._lines:
            self._held, self._held_for = self._lines[-1], HELD_FIRST

    def _keep_held_first(self, line: Pieces) -> None:
        """Another line was added."""
        if not self._held or line == self._held or not self._held_for:
            self._held = ()
            return
        self._held_for -= 1
        if self._held in self._lines:
            self._lines.remove(self._held)
        self._lines.append(self._held)

    def latest(self) -> list[Pieces]:
        """All lines, the latest first."""
        return list(reversed(self._lines))

    def stop(self) -> None:
        """Stop browsing and forget the draft."""
        self._at, self._draft = None, ()

    def older(self, current: Pieces) -> Pieces | None:
        """The previous line; None at the oldest one. Browsing starts with `current` as the draft."""
        at = len(self._lines) if self._at is None else self._at
        if not at:
            return None
        if self._at is None:
            self._draft = current
        self._at = at - 1
        return self._lines[self._at]

    def newer(self) -> Pieces | None:
        """The next line; the draft after the latest one; None if the user is not browsing."""
        if self._at is None:
            return None
        if self._at + 1 < len(self._lines):
            self._at += 1
            return self._lines[self._at]
        draft = self._draft
        self.stop()
        return draft
