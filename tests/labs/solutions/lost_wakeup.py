"""Lab 10: the forwarder sleeps although a message waits.

python3 notes/labs/10_lost_wakeup/lost_wakeup.py
"""

from __future__ import annotations

import threading


class WaitingQueue:
    """Messages on their way from the handlers to the forwarder. Any number of threads put and take."""

    def __init__(self) -> None:
        # Guards messages.
        self.filled = threading.Condition()
        self.messages: list[str] = []

    def put(self, message: str) -> None:
        """Add a message, and wake a thread that waits for one."""
        with self.filled:
            self.messages.append(message)
            self.filled.notify()

    def take(self) -> str:
        """The next message; waits for it."""
        with self.filled:
            while not self.messages:
                moment()
                self.filled.wait()
            return self.messages.pop(0)
