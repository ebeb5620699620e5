"""The order's clock: near to the wall clock, and steady."""

from __future__ import annotations

import pytest

from chatroom.limits import CLOCK_STEP_SECONDS
from chatroom.order_clock import OrderClock


class Clocks:
    """A wall clock and a steady clock that the test moves."""

    def __init__(self) -> None:
        self.wall = 1_700_000_000.0
        self.steady = 50.0
        self.clock = OrderClock(lambda: self.wall, lambda: self.steady)

    def pass_by(self, seconds: float) -> int:
        """So much time passes; the time then, in seconds since the start."""
        self.wall += seconds
        self.steady += seconds
        return self.clock.now() - 1_700_000_000_000


def test_it_goes_with_the_wall_clock() -> None:
    """Its times are milliseconds since 1970, as the wall clock has them."""
    clocks = Clocks()
    assert [clocks.pass_by(seconds) for seconds in (0.0, 1.5, 3600.0)] == [0, 1_500, 3_601_500]


@pytest.mark.parametrize("correction", [CLOCK_STEP_SECONDS, -CLOCK_STEP_SECONDS, 2.0, -0.001])
def test_a_correction_of_the_wall_clock_is_not_seen(correction: float) -> None:
    """When the wall clock is corrected by up to CLOCK_STEP_SECONDS, times go on to rise steadily."""
    clocks = Clocks()
    clocks.wall += correction
    assert [clocks.pass_by(1.0), clocks.pass_by(1.0)] == [1_000, 2_000]


@pytest.mark.parametrize("step", [CLOCK_STEP_SECONDS + 1, -CLOCK_STEP_SECONDS - 1, -1e6])
def test_a_wall_clock_that_is_set_anew(step: float) -> None:
    """A larger step of the wall clock is taken over at once, backwards, too; then times go on from there."""
    clocks = Clocks()
    clocks.wall += step
    assert clocks.pass_by(1.0) == (step + 1) * 1000
    clocks.wall += 5.0  # a correction, as before
    assert clocks.pass_by(1.0) == (step + 2) * 1000


def test_small_corrections_add_up_to_a_step() -> None:
    """Corrections that add up to more than CLOCK_STEP_SECONDS are taken over, too."""
    clocks = Clocks()
    for _ in range(2):
        clocks.wall += CLOCK_STEP_SECONDS - 1
        clocks.pass_by(0.0)
    assert clocks.pass_by(0.0) == 2 * (CLOCK_STEP_SECONDS - 1) * 1000
