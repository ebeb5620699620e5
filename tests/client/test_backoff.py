"""client/backoff.py"""

from __future__ import annotations

from client.backoff import Backoff
from client.limits import RETRY_FIRST, RETRY_LONGEST


def test_pauses_grow_to_a_bound_and_the_first_try_is_made_at_once() -> None:
    """0, then twice the pause before, never more than the longest, however often it fails."""
    backoff = Backoff(chance=lambda: 1.0)
    lengths = [backoff.next() for _ in range(2000)]
    assert lengths[:4] == [0.0, RETRY_FIRST, 2 * RETRY_FIRST, 4 * RETRY_FIRST]
    assert max(lengths) == lengths[-1] == RETRY_LONGEST


def test_pauses_are_jittered() -> None:
    """Clients of one server that comes back are spread over half of the pause."""
    shortest, longest = Backoff(chance=lambda: 0.0), Backoff(chance=lambda: 1.0)
    assert [shortest.next(), shortest.next()] == [0.0, RETRY_FIRST / 2]
    assert [longest.next(), longest.next()] == [0.0, RETRY_FIRST]


def test_reset() -> None:
    """After reset() the next try is made at once again, and the pauses grow from the first one."""
    backoff = Backoff(chance=lambda: 1.0)
    for _ in range(3):
        backoff.next()
    backoff.reset()
    assert [backoff.next(), backoff.next()] == [0.0, RETRY_FIRST]
