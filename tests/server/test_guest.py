"""A peer in the handshake: what it is told when it is refused, and how it may end by itself."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import pytest

from chatroom.deadline import Deadline
from chatroom.errors import ChatroomError, ConnectionLost, NameRefused, OldVersion, ProtocolError, Refused
from chatroom.limits import MAX_REASON, MAX_SOFTWARE
from chatroom.outcomes import Code
from chatroom.packets import Hello, Ping, Status, Verdict
from server.guest import Guest, code_of, is_gone, software_of
from server.transport import TcpTransport
from tests.server.fakes import LARGE, pair
from tests.support.patience import PATIENCE
from tests.support.peer import PacketSocket

Both = tuple[Guest, PacketSocket]


@pytest.fixture
def both() -> Iterator[Both]:
    """A guest, and the peer at the other end."""
    with pair() as (ours, theirs):
        yield Guest(TcpTransport(ours, "peer"), Deadline(PATIENCE)), PacketSocket(theirs)


def test_a_refusal_is_the_last_word(both: Both) -> None:
    """A refused peer gets the code and the reason, then the end of the stream."""
    guest, peer = both
    guest.refuse(Code.UNAVAILABLE, "not now")
    assert peer.rest() == [Status(Verdict.FAIL, Code.UNAVAILABLE, "not now")]


def test_a_long_reason_is_shortened(both: Both) -> None:
    """A reason that is longer than STATUS may carry is told as far as it fits."""
    guest, peer = both
    guest.refuse(Code.UNAVAILABLE, "é" * MAX_REASON)
    (status,) = peer.rest()
    assert isinstance(status, Status) and status.reason.strip("é") == "…"
    assert MAX_REASON - 4 < len(status.reason.encode()) <= MAX_REASON


def test_a_peer_that_is_gone_cannot_be_refused(both: Both) -> None:
    """Refusing a peer that has reset its connection raises nothing, and closes the descriptor."""
    guest, peer = both
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    guest.refuse(Code.UNAVAILABLE, "not now")
    assert guest.transport.fileno() == -1


def test_the_end_in_the_middle(both: Both) -> None:
    """A peer that closes in the middle of the handshake is a lost connection."""
    guest, peer = both
    peer.close()
    with pytest.raises(ConnectionLost, match="middle of the handshake") as lost:
        guest.exchange.receive()
    assert is_gone(lost.value)


def test_a_reset_in_the_middle(both: Both) -> None:
    """It is as good as a close: a scan of ports does so. Who is slow, or refused, is still there."""
    guest, peer = both
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    with pytest.raises(ConnectionLost) as lost:
        guest.exchange.receive()
    assert is_gone(lost.value)
    assert not any(map(is_gone, (ConnectionLost("too slow"), Refused("no", Code.BANNED), OSError())))


def test_a_peer_that_does_not_read(both: Both) -> None:
    """Nobody waits for a peer that takes no bytes: its connection counts as lost."""
    guest, _ = both
    with pytest.raises(ConnectionLost, match="does not read"):
        for _ in range(1000):
            guest._link.send(LARGE, PATIENCE)


def test_going_on_with_another_connection(both: Both) -> None:
    """A newcomer that has come to its new port is heard there, with what it has said already."""
    guest, _ = both
    with pair() as (ours, theirs):
        other = Guest(TcpTransport(ours, "other"), Deadline(PATIENCE))
        peer = PacketSocket(theirs)
        peer.send(Hello(2, "x"), Ping(1))
        assert other.exchange.receive() == Hello(2, "x")
        guest.continue_at(other)
        assert guest.exchange.receive() == Ping(1)
        guest.refuse(Code.UNAVAILABLE, "enough")
        assert len(peer.rest()) == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NameRefused("taken", Code.NAME_TAKEN), Code.NAME_TAKEN),
        (Refused("wrong ticket", Code.EXPIRED), Code.EXPIRED),
        (ProtocolError("malformed"), Code.PROTOCOL_ERROR),
        (OldVersion("version 1"), Code.PROTOCOL_ERROR),
        (ConnectionLost("too slow"), Code.SILENT),
    ],
)
def test_codes_of_refusals(error: ChatroomError, code: Code) -> None:
    """Each way in which a handshake fails has its code."""
    assert code_of(error) is code


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("test 1.0", "test 1.0"),
        ("", ""),
        ("two\nlines", "two lines"),
        ("\x1b[31mred", "␛[31mred"),
        ("\u202etset", "tset"),
        ("x" * 200, "x" * (MAX_SOFTWARE - 3) + "…"),
    ],
)
def test_what_a_client_says_of_itself(sent: str, shown: str) -> None:
    """Others see it: it is printable, on one line, and not too long."""
    assert software_of(Hello(2, sent)) == shown
