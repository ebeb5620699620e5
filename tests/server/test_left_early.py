"""server/left_early.py"""

from __future__ import annotations

from server.left_early import LeftEarly
from server.limits import LEFT_EARLY, LEFT_EARLY_SECONDS


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_only_many_are_told() -> None:
    """At LEFT_EARLY of them, and whenever their number has doubled."""
    left = LeftEarly(Clock())
    told = [number for _ in range(5 * LEFT_EARLY) if (number := left.note())]
    assert told == [LEFT_EARLY, 2 * LEFT_EARLY, 4 * LEFT_EARLY]


def test_counting_begins_anew() -> None:
    """A few each minute never become many."""
    clock = Clock()
    left = LeftEarly(clock)
    for _ in range(3):
        assert not any(left.note() for _ in range(LEFT_EARLY - 1))
        clock.now += LEFT_EARLY_SECONDS
    assert [left.note() for _ in range(LEFT_EARLY)][-1] == LEFT_EARLY
