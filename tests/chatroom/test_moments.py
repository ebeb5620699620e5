"""chatroom/moments.py"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chatroom.moments import local_time, seconds_in_words, until_in_words
from tests.support.events import NOON


def utc(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (600, "10 minutes"),
        (5400, "1 hour 30 minutes"),
        (7200, "2 hours"),
        (90061, "1 day 1 hour"),
    ],
)
def test_durations(seconds: int, words: str) -> None:
    """A duration has its two largest units."""
    assert seconds_in_words(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (600, "for 10 minutes"),
        (0.2, "for 1 second"),
        (-5, "for 0 seconds"),
        (86400, "for 1 day"),
        (7 * 86400, "until 2023-11-21 22:13"),
    ],
)
def test_until(seconds: float, words: str) -> None:
    """What ends within a day says for how long it counts; later, the reader's time."""
    assert until_in_words(NOON, NOON + int(1000 * seconds), utc) == words


def test_a_time_that_no_calendar_has() -> None:
    """A server may send any number."""
    assert until_in_words(0, 2**63, local_time).startswith("until 9999")
    assert local_time(2**63) > local_time(NOON) > local_time(-(2**63))  # they can be compared
