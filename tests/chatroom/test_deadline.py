"""The deadline: one for several steps."""

from __future__ import annotations

from chatroom.deadline import Deadline


def test_the_steps_share_it() -> None:
    """What one step has used is not there for the next; it never goes below nothing."""
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
    """Without a clock of the caller's, the deadline runs by the monotonic one."""
    assert 0 < Deadline(60).left() <= 60
    assert Deadline(0).expired
