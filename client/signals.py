"""SIGTERM as an exception, so that a client that is told to end cleans up and says why it ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Terminated(SystemExit):
    """A signal asks the program to end. The handler raises it in the main thread, whatever that is doing."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.number = number

    def __str__(self) -> str:
        return ended_by(self.number)


def ended_by(number: int) -> str:
    """Why the program ends, for a person."""
    return f"ended by {signal.Signals(number).name}"


def terminate(number: int, _frame: FrameType | None) -> None:
    """A signal handler that raises Terminated."""
    raise Terminated(number)


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM raises Terminated in the block. Without effect in threads, which get no signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
