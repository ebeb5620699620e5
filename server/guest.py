"""A peer in the middle of the handshake."""

from __future__ import annotations

from chatroom.deadline import Deadline
from chatroom.errors import ConnectionLost
from chatroom.exchange import Exchange
from chatroom.limits import MAX_REASON
from chatroom.packets import Code, Status, encode
from server.limits import RECEIVE_SMALL
from server.transport import TcpTransport


class Guest:
    """A transport, and the packets that go over it until the deadline of the handshake."""

    def __init__(self, transport: TcpTransport, deadline: Deadline) -> None:
        self.transport = transport
        self.exchange = Exchange(self, deadline)

    def receive(self, seconds: float) -> bytes:
        """See `chatroom.exchange.ByteLink`."""
        data = self.transport.receive(RECEIVE_SMALL, seconds)
        if not data:
            raise ConnectionLost("closed in the middle of the handshake")
        return data

    def send(self, data: bytes, seconds: float) -> None:
        """See `chatroom.exchange.ByteLink`. Never waits: the socket of a peer that reads has room."""
        if self.transport.send(data) < len(data):
            raise ConnectionLost("the peer does not read")

    def continue_at(self, other: Guest) -> None:
        """Go on with the connection of `other`: the newcomer has come to its admission port."""
        self.transport, self.exchange = other.transport, other.exchange

    def refuse(self, reason: str) -> None:
        """Say STATUS FAIL with the reason, if the peer still listens, and close."""
        try:
            self.transport.send(encode(Status(Code.FAIL, reason[: MAX_REASON // 4])))
        except ConnectionLost:
            pass  # the peer is gone; the log has the reason
        self.transport.close()
