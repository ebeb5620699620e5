"""The keeper: a thread that pings every member now and then, and ends the connections of dead peers."""

from __future__ import annotations

import threading
import time

from server.connection import NativeConnection

_ROUNDS = 6  # walks through all connections within dead_after: a dead peer is noticed at most 1/6 late


class Keeper:
    """Knows every member's connection. Walks through them rarely: that costs microseconds a member.

    dead_after: seconds of silence after which a peer is dead
    """

    def __init__(self, dead_after: float) -> None:
        self.dead_after = dead_after
        # Guards _connections.
        self._lock = threading.Lock()
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

    def run(self) -> None:
        """The thread."""
        while not self._stopping.wait(self.dead_after / _ROUNDS):
            now = time.monotonic()
            with self._lock:
                connections = list(self._connections)
            for connection in connections:
                connection.keep_alive(now, self.dead_after)

    def stop(self) -> None:
        """End run()."""
        self._stopping.set()
