"""client/signals.py"""

from __future__ import annotations

import os
import signal

import pytest

from client.signals import Terminated, terminable
from tests.support.tasks import Task


def test_sigterm_unwinds_and_says_so() -> None:
    """In the block SIGTERM is an exception with the exit code that shells know; later it is as before."""
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Terminated, match=r"^ended by SIGTERM$") as ended, terminable():
        os.kill(os.getpid(), signal.SIGTERM)
    assert ended.value.code == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before


def test_threads_get_no_signals() -> None:
    """In a thread the block changes nothing."""

    def inside() -> object:
        with terminable():
            return signal.getsignal(signal.SIGTERM)

    assert Task(inside).result() is signal.getsignal(signal.SIGTERM)
