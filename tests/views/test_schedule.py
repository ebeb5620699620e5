"""Tests of the schedule of frames."""

from views.schedule import FrameClock


def test_leading_and_trailing_edge() -> None:
    """The first change of a burst is due at once, the others together a pause later, then nothing is due."""
    clock = FrameClock(10)
    assert clock.wait(0.0) is None
    assert not clock.due(0.0)
    clock.request()
    assert clock.due(5.0)
    clock.painted(5.0)
    for _ in range(3):
        clock.request()
    assert not clock.due(5.05)
    assert abs((clock.wait(5.05) or 0) - 0.05) < 1e-9
    assert clock.due(5.1)
    clock.painted(5.1)
    assert clock.wait(99.0) is None


def test_keys_do_not_wait() -> None:
    """A change by a key is due at once, even right after a frame."""
    clock = FrameClock(10)
    clock.request()
    clock.painted(5.0)
    clock.request(at_once=True)
    assert clock.due(5.001)
