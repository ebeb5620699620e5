"""A peer in the middle of the handshake."""

from __future__ import annotations

from typing import Final

from chatroom.deadline import Deadline
from chatroom.errors import ChatroomError, ConnectionLost, NameRefused, ProtocolError, Refused
from chatroom.exchange import Exchange
from chatroom.limits import MAX_REASON, MAX_SOFTWARE
from chatroom.outcomes import Code
from chatroom.packets import Hello, Packet, Status, Verdict, encode, encode_refusal_v1
from chatroom.printable import printable_line
from server import words
from server.limits import GOODBYE_SECONDS, RECEIVE_SMALL
from server.transport import CLOSED_BEFORE_TLS, RESET, GuestTransport

_CLOSED: Final = "closed in the middle of the handshake"


class _Link:
    """What the packets of a guest go over. No part of the guest itself: a guest whose exchange refers to it
    would be freed by the garbage collector only, long after its connection.

    hurry: an earlier deadline than that of the handshake, for the step that is due
    """

    def __init__(self, transport: GuestTransport, hurry: Deadline) -> None:
        self.transport, self.hurry = transport, hurry

    def receive(self, seconds: float) -> bytes:
        """See `chatroom.exchange.ByteLink`."""
        return _checked(self.transport.receive(RECEIVE_SMALL, min(seconds, self.hurry.left())))

    def send(self, data: bytes, seconds: float) -> None:
        """See `chatroom.exchange.ByteLink`. Never waits: the socket of a peer that reads has room."""
        if self.transport.send(data) < len(data) or self.transport.pending:
            raise ConnectionLost("the peer does not read")


class Guest:
    """A transport, and the packets that go over it until the deadline of the handshake."""

    def __init__(self, transport: GuestTransport, deadline: Deadline) -> None:
        self._link = _Link(transport, deadline)
        self.exchange = Exchange(self._link, deadline, events=False)

    @property
    def transport(self) -> GuestTransport:
        """Its connection; at the admission port another one."""
        return self._link.transport

    def hurry(self, deadline: Deadline) -> None:
        """From now on this deadline counts, for the step that is due."""
        self._link.hurry = deadline

    def begin(self) -> None:
        """See `GuestTransport.begin`: what comes before the first packet. Raises ConnectionLost, Refused."""
        self.transport.begin(self._link.hurry.left())

    def receive_now(self) -> Packet | None:
        """The next packet if it has come, without waiting. Raises ConnectionLost, Refused, ProtocolError."""
        packet = None
        while packet is None and (data := self.transport.receive_now(RECEIVE_SMALL)) is not None:
            packet = self.exchange.feed(_checked(data))
        return packet

    def continue_at(self, other: Guest) -> None:
        """Go on with the connection of `other`: the newcomer has come to its admission port."""
        self._link, self.exchange = other._link, other.exchange

    def refuse(self, code: Code, reason: str, linger: bool = True) -> None:
        """Say STATUS FAIL with the reason, if the peer still listens, and close.

        linger: whether to wait until the peer has read it and closed, at most GOODBYE_SECONDS
        """
        self._refuse(refusal(code, reason), linger)

    def refuse_old(self, reason: str) -> None:
        """The same for a peer that speaks version 1 of the protocol, in that version."""
        self._refuse(encode_refusal_v1(reason), True)

    def _refuse(self, status: bytes, linger: bool) -> None:
        try:
            self.transport.refuse(status)
            self.transport.finish()
            # A socket that is closed with unread bytes sends a reset, and the peer may lose the reason.
            deadline = Deadline(GOODBYE_SECONDS if linger else 0.0)
            while not deadline.expired and self.transport.receive(RECEIVE_SMALL, deadline.left()):
                pass
        except (ConnectionLost, Refused):
            pass  # the peer is gone or does not close, or begins to speak in clear; the log has the reason
        self.transport.close()


def _checked(data: bytes) -> bytes:
    if not data:
        raise ConnectionLost(_CLOSED)
    return data


def is_gone(error: Exception) -> bool:
    """Whether the peer has closed by itself, or its system has: it asked for nothing that it did not get."""
    return isinstance(error, ConnectionLost) and str(error) in (_CLOSED, CLOSED_BEFORE_TLS, RESET)


def refusal(code: Code, reason: str) -> bytes:
    """STATUS FAIL; a reason that is too long is shortened."""
    return encode(Status(Verdict.FAIL, code, words.shorten(reason, MAX_REASON)))


def software_of(hello: Hello) -> str:
    """What the client says of itself, as others may see it: printable, on one line, not too long."""
    return words.shorten(printable_line(hello.software).strip(), MAX_SOFTWARE)


def code_of(error: ChatroomError) -> Code:
    """The code of STATUS FAIL for what went wrong in a handshake."""
    if isinstance(error, Refused | NameRefused):
        return Code(error.code)
    return Code.PROTOCOL_ERROR if isinstance(error, ProtocolError) else Code.SILENT
