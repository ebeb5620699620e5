"""client/sequencer.py"""

from __future__ import annotations

import threading

import pytest

from client.sequencer import Sequencer
from tests.support.patience import PATIENCE
from tests.support.tasks import Task


def test_order_is_kept_whatever_thread_finishes_first() -> None:
    """Threads that wait in the reverse order pass in the order of their turns."""
    sequencer, passed = Sequencer(width=8), []
    arrived = [threading.Event() for _ in range(9)]
    arrived[8].set()
    turns = [sequencer.take() for _ in range(8)]

    def work(turn: int) -> None:
        assert arrived[turn + 1].wait(PATIENCE)  # the later ones are there first
        arrived[turn].set()
        with sequencer.passing(turn):
            sequencer.wait(turn)
            passed.append(turn)

    workers = [Task(lambda turn=turn: work(turn)) for turn in turns]
    for worker in workers:
        worker.result()
    sequencer.drain()
    assert passed == turns


def test_no_more_turns_than_the_width_are_out() -> None:
    """take() waits while as many turns as allowed are taken and not passed."""
    sequencer = Sequencer(width=2)
    sequencer.take()
    sequencer.take()
    passed = threading.Event()
    third = Task(lambda: (sequencer.take(), passed.is_set()))
    with sequencer.passing(0):
        passed.set()
    assert third.result() == (2, True)


def test_a_turn_that_fails_is_passed() -> None:
    """An error in one thread does not keep the later turns waiting for ever."""
    sequencer = Sequencer()
    first, second = sequencer.take(), sequencer.take()
    behind = Task(lambda: sequencer.wait(second))
    with pytest.raises(ZeroDivisionError), sequencer.passing(first):
        raise ZeroDivisionError
    behind.result()
