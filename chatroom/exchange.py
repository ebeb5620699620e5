"""One packet after the other over one connection, under one deadline: as in a handshake."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from chatroom.deadline import Deadline
from chatroom.errors import ConnectionLost
from chatroom.packets import Decoder, Packet, encode


class ByteLink(Protocol):
    """A connection during a handshake. Both methods raise ConnectionLost when the connection has ended."""

    def receive(self, seconds: float) -> bytes:
        """Wait for bytes. After `seconds` without one, give b"" or raise ConnectionLost."""

    def send(self, data: bytes, seconds: float) -> None:
        """Send all of `data`. Raises ConnectionLost after `seconds`."""


class Exchange:
    """Sends packets and receives them one by one, until the deadline.

    After the handshake, `decoder` may hold the beginning of a packet, and `waiting` the packets that came
    together with the last one.

    events: see `Decoder`
    """

    def __init__(self, link: ByteLink, deadline: Deadline, *, events: bool = True) -> None:
        self.decoder = Decoder(events=events)
        self.waiting: deque[Packet] = deque()  # decoded, and not asked for yet
        self._link = link
        self._deadline = deadline

    def receive(self) -> Packet:
        """The next packet. Raises ProtocolError, or ConnectionLost (end of the connection, or too slow)."""
        while not self.waiting:
            self._read()
        return self.waiting.popleft()

    def feed(self, data: bytes) -> Packet | None:
        """Take bytes that have come; the next packet if it is complete. Raises ProtocolError at once."""
        self.decoder.check()
        self.waiting.extend(self.decoder.feed(data))
        return self.waiting.popleft() if self.waiting else None

    def send(self, *packets: Packet) -> None:
        """Send all packets in one segment. Raises ConnectionLost."""
        self._link.send(b"".join(map(encode, packets)), self._left())

    def _read(self) -> None:
        self.decoder.check()
        self.waiting.extend(self.decoder.feed(self._link.receive(self._left())))

    def _left(self) -> float:
        left = self._deadline.left()
        if not left:
            raise ConnectionLost("the handshake took too long")
        return left
