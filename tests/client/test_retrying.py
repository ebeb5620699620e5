"""client/retrying.py"""

from __future__ import annotations

from client.limits import RETRY_FIRST, RETRY_LONGEST, RETRY_STEADY
from client.retrying import Pauses


def test_pauses_grow_to_a_bound_and_the_first_try_is_made_at_once() -> None:
    """0, then twice the pause before, never more than the longest, however often it fails."""
    pauses = Pauses(chance=lambda: 1.0)
    lengths = [pauses.next() for _ in range(2000)]
    assert lengths[:4] == [0.0, RETRY_FIRST, 2 * RETRY_FIRST, 4 * RETRY_FIRST]
    assert max(lengths) == lengths[-1] == RETRY_LONGEST


def test_pauses_are_jittered() -> None:
    """Clients of one server that comes back are spread over half of the pause."""
    shortest, longest = Pauses(chance=lambda: 0.0), Pauses(chance=lambda: 1.0)
    assert [shortest.next(), shortest.next()] == [0.0, RETRY_FIRST / 2]
    assert [longest.next(), longest.next()] == [0.0, RETRY_FIRST]


def test_a_connection_that_breaks_at_once_does_not_make_the_pauses_short_again() -> None:
    """Only one that lasted does: a server that hangs up on everybody is not stormed."""
    pauses = Pauses(chance=lambda: 1.0)
    for _ in range(3):
        pauses.next()
    pauses.lasted(RETRY_STEADY / 2)
    assert pauses.next() == 4 * RETRY_FIRST
    pauses.lasted(RETRY_STEADY)
    assert pauses.next() == 0.0
