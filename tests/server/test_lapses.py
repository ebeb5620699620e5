"""Names that were not taken up: nobody keeps a name from the others."""

from __future__ import annotations

from chatroom.limits import STEP_SECONDS
from server.lapses import Lapses
from server.limits import LAPSE_FACTOR, LAPSE_SECONDS, MAX_LAPSES
from tests.server.fakes import Clock


def test_as_long_as_it_was_held() -> None:
    """An address waits for a name as long as it has held it in vain; others do not wait."""
    clock = Clock()
    lapses = Lapses(clock)
    lapses.note("a", "ann", 5.0)
    assert (lapses.wait("a", "ann"), lapses.wait("b", "ann"), lapses.wait("a", "bob")) == (5.0, 0.0, 0.0)
    clock.now += 5.0
    assert lapses.wait("a", "ann") == 0.0


def test_again_and_again() -> None:
    """An address that goes on so has the name for a small part of the time only; later all is forgotten."""
    clock = Clock()
    lapses = Lapses(clock)
    held = 0.0
    began = clock.now
    while clock.now < began + 600:
        clock.now += STEP_SECONDS
        held += STEP_SECONDS
        lapses.note("a", "ann", STEP_SECONDS)
        clock.now += lapses.wait("a", "ann")
    assert held / (clock.now - began) < 0.12
    assert lapses.wait("a", "ann") <= LAPSE_FACTOR * STEP_SECONDS
    clock.now += 2 * LAPSE_SECONDS
    lapses.note("a", "ann", 0.1)
    assert lapses.wait("a", "ann") < 0.11


def test_not_without_bound() -> None:
    """Not more than MAX_LAPSES are remembered; the oldest is forgotten first."""
    lapses = Lapses(Clock())
    for number in range(MAX_LAPSES + 1):
        lapses.note("a", f"name{number}", 5.0)
    assert (lapses.wait("a", "name0"), lapses.wait("a", "name1")) == (0.0, 5.0)
