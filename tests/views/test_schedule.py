"""When to paint."""

from views.schedule import FrameClock


def test_leading_and_trailing_edge() -> None:
    """The first of a burst is due at once, the rest together after a pause, and then nothing more."""
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
    """What a key has changed is due at once, whatever was painted just before."""
    clock = FrameClock(10)
    clock.request()
    clock.painted(5.0)
    clock.request(at_once=True)
    assert clock.due(5.001)
