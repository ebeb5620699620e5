"""The keeper: a thread that pings every member, and ends connections of the dead and of who does not go."""

from __future__ import annotations

import threading
import time

from chatroom.deadline import Deadline
from server.connection import NativeConnection
from server.limits import GOODBYE_SECONDS

_ROUNDS = 6  # walks through all connections within dead_after: a dead peer is noticed at most 1/6 late


class Keeper:
    """Knows every member's connection. Walks through them rarely: that costs microseconds a member.

    dead_after: seconds of silence after which a peer is dead
    """

    def __init__(self, dead_after: float) -> None:
        self.dead_after = dead_after
        # Guards _connections.
        self._lock = threading.Lock()
        self._gone = threading.Condition(self._lock)  # there are no connections
        self._connections: set[NativeConnection] = set()
        self._stopping = threading.Event()

    def watch(self, connection: NativeConnection) -> None:
        """Look after `connection` until forget()."""
        with self._lock:
            self._connections.add(connection)

    def forget(self, connection: NativeConnection) -> None:
        """The connection has ended."""
        with self._lock:
            self._connections.discard(connection)
            if not self._connections:
                self._gone.notify_all()

    def run(self) -> None:
        """The thread."""
        while not self._stopping.wait(self.dead_after / _ROUNDS):
            now = time.monotonic()
            with self._lock:
                connections = list(self._connections)
            for connection in connections:
                connection.keep_alive(now, self.dead_after)
        self._see_off()

    def _see_off(self) -> None:
        """All have been told goodbye: give them GOODBYE_SECONDS to go, and cut off those who do not."""
        deadline = Deadline(GOODBYE_SECONDS)
        with self._lock:
            while self._connections and not deadline.expired:
                self._gone.wait(deadline.left())
            stubborn = list(self._connections)
        for connection in stubborn:
            connection.cut("the end")

    def stop(self) -> None:
        """End run(), once those who are told goodbye have gone or had their time."""
        self._stopping.set()
