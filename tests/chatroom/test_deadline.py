"""The deadline: one for several steps."""

from __future__ import annotations

from chatroom.deadline import Deadline


def test_the_steps_share_it() -> None:
    """The time that one step uses is missing for the next; the time left is never negative."""
    now = 100.0
    deadline = Deadline(2.0, clock=lambda: now)
    assert deadline.left() == 2.0 and not deadline.expired
    now = 101.5
    assert deadline.left() == 0.5 and not deadline.expired
    now = 102.0
    assert deadline.left() == 0.0 and deadline.expired
    now = 110.0
    assert deadline.left() == 0.0 and deadline.expired


def test_it_uses_a_clock_that_nobody_sets() -> None:
    """Without a given clock, the deadline uses the monotonic clock."""
    assert 0 < Deadline(60).left() <= 60
    assert Deadline(0).expired
