"""How long the tests wait, and for what."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from chatroom.deadline import Deadline

PATIENCE: Final = 10.0
"""Seconds a test waits for another thread or a packet. A working program needs milliseconds; only a broken
one, or a machine that stalls, needs more. It is below the watchdog's bound, so that the test fails first."""

PROGRAM_PATIENCE: Final = 20.0
"""Seconds a test waits for a child process: the interpreter has to start first, on a machine that is busy."""


def eventually(fact: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Wait until `fact` is true; fail with `what` when it is not within `seconds`."""
    deadline, pause = Deadline(seconds), threading.Event()
    while not fact():
        assert not deadline.expired, what
        pause.wait(0.002)
