"""Lab 04: one member does not read, and the whole room stands still.

python3 notes/labs/04_slow_reader/slow_reader.py
"""

from __future__ import annotations

import socket
import threading

MOST_WAITING = 1 << 20
"""Bytes that may wait for one client. A client for which more wait is disconnected."""

# Guards outboxes.
lock = threading.Lock()
outboxes: dict[socket.socket, Outbox] = {}


class Outbox:
    """What waits for one client, and the thread that sends it. So broadcast() waits for nobody."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        # Guards _waiting, _size and _ended.
        self._filled = threading.Condition()
        self._waiting: list[bytes] = []
        self._size = 0
        self._ended = False
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def put(self, line: bytes) -> None:
        """Let the thread send a line. Never waits."""
        with self._filled:
            self._waiting.append(line)
            self._size += len(line)
            too_much = self._size > MOST_WAITING
            self._filled.notify()
        if too_much:
            self.end()

    def end(self) -> None:
        """Disconnect the client: shutdown() also wakes the thread when it waits in sendall()."""
        with self._filled:
            self._ended = True
            self._waiting.clear()
            self._size = 0
            self._filled.notify()
        try:
            self._client.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the peer is gone already

    def close(self) -> None:
        """Disconnect the client, wait for the thread, and close the socket."""
        self.end()
        self._thread.join()
        self._client.close()

    def _send(self) -> None:
        try:
            while lines := self._take():
                self._client.sendall(b"".join(lines))
        except OSError:
            pass  # the peer is gone; its handler notices it, too

    def _take(self) -> list[bytes]:
        with self._filled:
            while not self._waiting and not self._ended:
                self._filled.wait()
            lines, self._waiting = self._waiting, []
            self._size = 0
            return [] if self._ended else lines


def join(client: socket.socket) -> None:
    """Add a client."""
    with lock:
        outboxes[client] = Outbox(client)


def leave(client: socket.socket) -> None:
    """Remove a client, and close its connection."""
    with lock:
        outbox = outboxes.pop(client, None)
    if outbox is not None:
        outbox.close()


def broadcast(line: bytes) -> None:
    """Send a line to everybody: put it into all outboxes. That is short, so the lock may be held."""
    with lock:
        for outbox in outboxes.values():
            outbox.put(line)
