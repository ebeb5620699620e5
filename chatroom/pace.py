"""The pace of the forwarder: from what its rounds cost follows how much may wait in the queue."""

from __future__ import annotations

from chatroom.limits import (
    FIXED_COSTS,
    LINE_WEIGHT,
    MAX_ROOM,
    MAX_ROUND_SECONDS,
    MIN_ROOM,
    ROUND_SECONDS,
    SMALL_ROUND,
)

_STEADY = 4  # a new round counts for a quarter, unless it was much dearer than the others


class Pace:
    """Measures rounds. It has no clock and no lock.

    A round has a fixed cost (a commit, a send to each member), which small rounds show, and costs something
    for its weight. The fixed cost is time that passes, because a commit waits for the disk. The rest is time
    of the processor: on a busy machine, smaller rounds would only make more work. When lines become much
    dearer, the next round is half as large at once: until then all would wait.
    """

    def __init__(self) -> None:
        self._fixed = 0.0005
        self._each = 4 * ROUND_SECONDS / MAX_ROOM  # seconds for one unit of weight; a careful guess at first

    @property
    def room(self) -> int:
        """The weight that may wait: what is done in ROUND_SECONDS, or in FIXED_COSTS times the fixed cost."""
        seconds = min(max(ROUND_SECONDS, FIXED_COSTS * self._fixed), MAX_ROUND_SECONDS)
        return min(max(MIN_ROOM, int(seconds / self._each)), MAX_ROOM)

    def note(self, weight: int, sent: float, worked: float) -> None:
        """The latest round had so much weight.

        sent:   seconds that passed up to the last send
        worked: seconds of processor time of all
        """
        if weight <= SMALL_ROUND * LINE_WEIGHT:
            self._fixed = _towards(self._fixed, sent)
        else:
            each = worked / weight
            self._each = 2 * self._each if each > 2 * self._each else _towards(self._each, each)


def _towards(value: float, sample: float) -> float:
    """A little nearer to the sample. A round in which the disk was full says nothing: so it has a bound."""
    return value + (min(max(sample, value / 2), value * 2) - value) / _STEADY
