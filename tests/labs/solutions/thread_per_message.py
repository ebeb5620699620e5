"""Lab 05: a thread for each message, and nothing says which comes first.

python3 notes/labs/05_thread_per_message/thread_per_message.py
"""

from __future__ import annotations

import socket
import threading


class Turns:
    """Turns are taken in the order in which messages come, and passed in the same order."""

    def __init__(self) -> None:
        # Guards _taken and _passed.
        self._moved = threading.Condition()
        self._taken = 0
        self._passed = 0

    def take(self) -> int:
        """The next turn."""
        with self._moved:
            self._taken += 1
            return self._taken - 1

    def wait(self, turn: int) -> None:
        """Wait until all earlier turns have been passed."""
        with self._moved:
            while self._passed != turn:
                self._moved.wait()

    def pass_on(self) -> None:
        """Let the next one go on."""
        with self._moved:
            self._passed += 1
            self._moved.notify_all()


turns = Turns()


def receive(message: str) -> None:
    """Called for each message, in the order in which they came: each gets a turn, and a thread of its own."""
    threading.Thread(target=process, args=(turns.take(), message)).start()


def process(turn: int, message: str) -> None:
    """The thread of one message. The turn is passed also when the message is broken."""
    try:
        text = prepare(message)
        turns.wait(turn)
        show(text)
    finally:
        turns.wait(turn)
        turns.pass_on()


def read(connection: socket.socket) -> None:
    """The client's receiver."""
    with connection.makefile("r") as lines:
        for line in lines:
            receive(line.rstrip("\n"))
