"""client/processing.py"""

from __future__ import annotations

import threading

import pytest

from client.processing import Turnstile
from tests.support.patience import PATIENCE
from tests.support.tasks import Task


def test_order_is_kept_whatever_thread_finishes_first() -> None:
    """Threads that come to the turnstile in the reverse order pass it in the order of their turns."""
    turnstile, passed = Turnstile(width=8), []
    arrived = [threading.Event() for _ in range(9)]
    arrived[8].set()
    turns = [turnstile.take() for _ in range(8)]

    def work(turn: int) -> None:
        assert arrived[turn + 1].wait(PATIENCE)  # the later ones are there first
        arrived[turn].set()
        with turnstile.passing(turn):
            passed.append(turn)

    workers = [Task(lambda turn=turn: work(turn)) for turn in turns]
    for worker in workers:
        worker.result()
    turnstile.drain()
    assert passed == turns


def test_no_more_turns_than_the_width_are_out() -> None:
    """Whoever takes turns waits while as many as allowed are taken and not passed."""
    turnstile = Turnstile(width=2)
    turnstile.take()
    turnstile.take()
    third = Task(turnstile.take)
    with turnstile.passing(0):
        assert third.is_alive()
    assert third.result() == 2


def test_a_turn_that_fails_is_passed() -> None:
    """An error in one thread does not keep those behind it waiting for ever."""
    turnstile = Turnstile()
    first, second = turnstile.take(), turnstile.take()
    behind = Task(lambda: turnstile.passing(second).__enter__())
    with pytest.raises(ZeroDivisionError), turnstile.passing(first):
        raise ZeroDivisionError
    behind.result()
