"""Lab 10: the forwarder sleeps although a message waits.

python3 notes/labs/10_lost_wakeup/lost_wakeup.py
"""

from __future__ import annotations

import threading


class WaitingQueue:
    """Messages on their way from the handlers to the forwarder. Any number of threads put and take."""

    def __init__(self) -> None:
        self.filled = threading.Condition()
        self.messages: list[str] = []

    def put(self, message: str) -> None:
        """Add a message, and wake a thread that waits for one."""
        self.messages.append(message)
        with self.filled:
            self.filled.notify()

    def take(self) -> str:
        """The next message; waits for it."""
        if not self.messages:
            moment()
            with self.filled:
                self.filled.wait()
        return self.messages.pop(0)


# --- The stage, which makes the bug certain. Leave it as it is. ---------------------------------------------

waiting = WaitingQueue()
forwarder_has_looked, message_is_put = threading.Event(), threading.Event()
forwarded: list[str] = []
one_is_forwarded = threading.Event()


def moment() -> None:
    """The forwarder stops here until the handler has put its message. (Two seconds, if that has to wait.)"""
    if not forwarder_has_looked.is_set():
        forwarder_has_looked.set()
        message_is_put.wait(2)


def forward() -> None:
    """The forwarder, for two messages."""
    for _ in range(2):
        forwarded.append(waiting.take())
        one_is_forwarded.set()


def main() -> None:
    """Ann says something, and is not heard until she says something else."""
    forwarder = threading.Thread(target=forward)
    forwarder.start()
    forwarder_has_looked.wait(2)
    waiting.put("ann: is anybody here?")
    message_is_put.set()
    awake = one_is_forwarded.wait(0.5)
    print(f"half a second after the first message, the forwarder has {len(forwarded)} messages")
    waiting.put("ann: hello?")
    forwarder.join()
    print(f"after the second one it has {len(forwarded)} messages")
    if awake:
        print("fine: the first message was forwarded at once")
    else:
        print("bug: the first message has waited, and the forwarder slept until the second one came")


if __name__ == "__main__":
    main()
