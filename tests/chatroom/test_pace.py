"""The pace: how much may wait follows from what rounds cost."""

from __future__ import annotations

import pytest

from chatroom.limits import FIXED_COSTS, LINE_WEIGHT, MAX_ROOM, MIN_ROOM, ROUND_SECONDS
from chatroom.pace import Pace

LINE = LINE_WEIGHT + 44


def after(fixed: float, each: float, rounds: int = 100) -> Pace:
    """The pace of a forwarder whose rounds cost `fixed` seconds, and `each` for a line of 44 bytes."""
    pace = Pace()
    for _ in range(rounds):
        pace.note(LINE, fixed + each, fixed + each)
        count = max(9, pace.room // LINE)
        pace.note(count * LINE, 0.0, fixed + count * each)
    return pace


def test_a_full_room_is_a_round_of_the_wanted_time() -> None:
    """With what may wait, a round takes ROUND_SECONDS."""
    pace = after(0.001, 10e-6)
    assert pace.room / LINE * 10e-6 + 0.001 == pytest.approx(ROUND_SECONDS, rel=0.05)


def test_many_members_need_longer_rounds() -> None:
    """When sending to all costs much, a round takes FIXED_COSTS times as much."""
    pace = after(0.01, 20e-6)
    assert pace.room / LINE * 20e-6 + 0.01 == pytest.approx(FIXED_COSTS * 0.01, rel=0.05)


def test_the_room_has_bounds() -> None:
    """Neither a very slow nor a very fast machine leaves the bounds."""
    assert after(1.0, 1.0).room == MIN_ROOM
    assert after(0.0, 1e-9).room == MAX_ROOM


def test_one_odd_round_changes_little() -> None:
    """A round in which the disk was full for a minute does not stop the talkers."""
    pace = after(0.001, 10e-6)
    before = pace.room
    pace.note(before, 60.0, ROUND_SECONDS)
    pace.note(0, 60.0, 0.001)
    assert before / 2 < pace.room < before * 2


def test_one_dear_round_is_not_believed() -> None:
    """However much processor time a single round took, the next one has half of its lines at least."""
    pace = after(0.001, 10e-6)
    before = pace.room
    pace.note(before, 60.0, 60.0)
    assert pace.room >= before // 2


def test_dearer_rounds_count_at_once() -> None:
    """When lines cost twenty times as much as those before, four rounds are enough to take fewer of them."""
    pace = after(0.001, 10e-6)
    for _ in range(4):
        count = pace.room // LINE
        pace.note(count * LINE, 0.0, count * 200e-6)
    assert pace.room // LINE * 200e-6 < 2 * ROUND_SECONDS
