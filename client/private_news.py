"""A row for each conversation in which somebody has begun to write while it is not on the screen.

The status counts what is unread, and is easily overlooked: who writes to one person only waits for an answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from client.limits import PRIVATE_NEWS
from views import Waiting, one_line


class PrivateNews:
    """Remembers which conversations wait, so that each is told once until the reader has been there."""

    def __init__(self) -> None:
        self._waiting: frozenset[str] = frozenset()

    def told(self, name: str) -> None:
        """The reader knows in another way that this conversation waits: an invitation is shown at once."""
        self._waiting |= {name}

    def rows(self, waiting: Sequence[Waiting]) -> list[str]:
        """What is to be told. waiting: the places with something unread, as the status has them"""
        private = [each.name for each in waiting if each.name.startswith("@")]
        new = [one_line(name[1:]) for name in private if name not in self._waiting]
        self._waiting = frozenset(private)
        if len(new) > PRIVATE_NEWS:
            return [f"{len(new):,} wrote to you alone: Alt-A, or /unread"]
        return [f"{name} wrote to you alone: Alt-A or /go @{name}" for name in new]
