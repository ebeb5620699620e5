"""Packets over a socket, under a deadline: what a handshake needs."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Iterable

from chatroom.deadline import Deadline
from chatroom.errors import ConnectionLost
from chatroom.packets import Decoder, Packet, encode
from server.limits import RECEIVE_SMALL


class Wire:
    """One socket during the handshake. The one place where its OS errors become ours."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self.socket = sock
        self.decoder = Decoder()
        self.early: deque[Packet] = deque()  # received, not yet asked for
        self._deadline = deadline

    def receive(self) -> Packet:
        """The next packet. Raises ProtocolError, or ConnectionLost (closed, or the deadline has passed)."""
        while not self.early:
            self._read()
        return self.early.popleft()

    def receive_some(self) -> Packet | None:
        """Read what is there, once; the next packet if it is whole. Raises as receive()."""
        if not self.early:
            self._read()
        return self.early.popleft() if self.early else None

    def _read(self) -> None:
        """Wait for bytes; not more than RECEIVE_SMALL of them at a time."""
        self.decoder.check()
        self._arm()
        try:
            data = self.socket.recv(RECEIVE_SMALL)
        except TimeoutError:
            raise ConnectionLost("too slow") from None
        except OSError as error:
            raise ConnectionLost(error.strerror or str(error)) from None
        if not data:
            raise ConnectionLost("closed in the middle of the handshake")
        self.early.extend(self.decoder.feed(data))

    def send(self, *packets: Packet) -> None:
        """Send all in one segment. Raises ConnectionLost."""
        self._arm()
        try:
            self.socket.sendall(_bytes(packets))
        except TimeoutError:
            raise ConnectionLost("too slow") from None
        except OSError as error:
            raise ConnectionLost(error.strerror or str(error)) from None

    def _arm(self) -> None:
        left = self._deadline.left()
        if not left:
            raise ConnectionLost("too slow")
        try:
            self.socket.settimeout(left)
        except OSError as error:  # closed on this side
            raise ConnectionLost(error.strerror or str(error)) from None


def _bytes(packets: Iterable[Packet]) -> bytes:
    return b"".join(map(encode, packets))
