"""The bucket: so many at once, then a steady rate."""

from __future__ import annotations

import pytest

from server.bucket import Bucket
from tests.server.fakes import Clock


def test_so_many_at_once_then_a_steady_rate() -> None:
    """A full bucket gives its size; an empty one gives what has come back, and says when the next comes."""
    clock = Clock()
    bucket = Bucket(10.0, 3.0, clock)
    assert [bucket.take() for _ in range(4)] == [1, 1, 1, 0]
    assert bucket.wait() == pytest.approx(0.1)
    clock.now += 0.25
    assert [bucket.take() for _ in range(3)] == [1, 1, 0]


def test_it_never_holds_more_than_its_size() -> None:
    """Who was silent for long has saved up a bucket and not more."""
    clock = Clock()
    bucket = Bucket(10.0, 3.0, clock)
    clock.now += 1000
    assert [bucket.take() for _ in range(4)] == [1, 1, 1, 0]


def test_debts_are_waited_for() -> None:
    """Tokens may be charged that are not there: they must come back first."""
    clock = Clock()
    bucket = Bucket(10.0, 3.0, clock)
    assert bucket.wait() == 0.0
    bucket.charge(12)
    assert bucket.wait() == pytest.approx(1.0)
    clock.now += 0.95
    assert not bucket.take()
    clock.now += 0.06
    assert bucket.take()


def test_many_at_once() -> None:
    """Who asks for many tokens gets the whole ones that are there, and not one more; a debt gives none."""
    clock = Clock()
    bucket = Bucket(10.0, 8.0, clock)
    assert [bucket.take(5), bucket.take(5), bucket.take(5)] == [5, 3, 0]
    clock.now += 0.25
    assert [bucket.take(0), bucket.take(9), bucket.take(9)] == [0, 2, 0]
    clock.now += 0.06  # the half token that was left counts
    assert bucket.take(9) == 1
    bucket.charge(4)
    assert bucket.take(9) == 0 and bucket.wait() == pytest.approx(0.49)
