"""Fakes that tests of the server share: small sockets, and a drainer that the test plays."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from server.outbox import Outbox
from tests.support.patience import PATIENCE


@contextmanager
def pair(small: bool = True) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected sockets; `small`: the first one's buffer takes only some kilobytes."""
    ours, theirs = socket.socketpair()
    if small:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    theirs.settimeout(PATIENCE)
    try:
        yield ours, theirs
    finally:
        ours.close()
        theirs.close()


def read_all(sock: socket.socket) -> bytes:
    """Everything until the end of the stream."""
    found = []
    while data := sock.recv(65536):
        found.append(data)
    return b"".join(found)


class FakeWatcher:
    """The drainer, played by the test."""

    def __init__(self) -> None:
        self.watched: list[Outbox] = []

    def watch(self, outbox: Outbox) -> None:
        self.watched.append(outbox)

    def drain(self, outbox: Outbox, theirs: socket.socket) -> bytes:
        """Flush until nothing is kept, reading at the other end; what was read."""
        theirs.setblocking(False)
        found = []
        more = True
        while more:
            more = outbox.flush()
            try:
                while data := theirs.recv(65536):
                    found.append(data)
            except BlockingIOError:
                pass
        theirs.settimeout(PATIENCE)
        return b"".join(found)
