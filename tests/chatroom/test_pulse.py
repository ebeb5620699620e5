"""chatroom/pulse.py"""

from __future__ import annotations

from chatroom.pulse import Pulse


def test_the_age_of_a_pulse() -> None:
    """It grows until the next beat."""
    now = [5.0]
    pulse = Pulse(lambda: now[0])
    now[0] = 7.0
    assert pulse.age == 2.0
    pulse.beat()
    assert pulse.age == 0.0
