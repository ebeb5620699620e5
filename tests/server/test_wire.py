"""The wire: packets under one deadline, and every error one of ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chatroom.deadline import Deadline
from chatroom.errors import ConnectionLost, ProtocolError
from chatroom.packets import Hello, Ping, Pong, encode
from server.wire import Wire
from tests.server.fakes import pair
from tests.support.patience import PATIENCE
from tests.support.peer import Peer
from tests.support.tasks import Task

HELLO = Hello(1, "test")


@pytest.fixture
def ends() -> Iterator[tuple[Wire, Peer]]:
    with pair(small=False) as (ours, theirs):
        yield Wire(ours, Deadline(PATIENCE)), Peer(theirs)


def test_packets_one_by_one(ends: tuple[Wire, Peer]) -> None:
    """Packets that came together are given one by one; what was not asked for stays for who comes next."""
    wire, peer = ends
    peer.send(HELLO, Ping(1), Ping(2))
    assert wire.receive() == HELLO
    assert wire.receive() == Ping(1)
    assert list(wire.early) == [Ping(2)]


def test_half_a_packet(ends: tuple[Wire, Peer]) -> None:
    """receive_some() does not wait for the rest of a packet, receive() does."""
    wire, peer = ends
    data = encode(HELLO)
    peer.socket.sendall(data[:5])
    assert wire.receive_some() is None
    task = Task(wire.receive)
    peer.socket.sendall(data[5:])
    assert task.result() == HELLO


def test_sending_several(ends: tuple[Wire, Peer]) -> None:
    """Several packets are sent in order."""
    wire, peer = ends
    wire.send(Ping(1), Pong(2))
    assert (peer.receive(), peer.receive()) == (Ping(1), Pong(2))


def test_good_packets_before_an_error(ends: tuple[Wire, Peer]) -> None:
    """What came before the first wrong byte is given first; then the error, every time."""
    wire, peer = ends
    peer.socket.sendall(encode(HELLO) + b"GET / HTTP/1.1\r\n")
    assert wire.receive() == HELLO
    for _ in range(2):
        with pytest.raises(ProtocolError):
            wire.receive()
        with pytest.raises(ProtocolError):
            wire.receive_some()


def test_a_closed_peer(ends: tuple[Wire, Peer]) -> None:
    """A peer that goes away in the middle is a lost connection, in whichever direction it is noticed."""
    wire, peer = ends
    peer.socket.close()
    with pytest.raises(ConnectionLost, match="handshake"):
        wire.receive()
    with pytest.raises(ConnectionLost):
        wire.send(HELLO)
    wire.socket.close()
    with pytest.raises(ConnectionLost):
        wire.receive()
    with pytest.raises(ConnectionLost):
        wire.send(HELLO)


def test_silence() -> None:
    """Whoever is silent until the deadline is too slow; after it nothing is waited for at all."""
    with pair(small=False) as (ours, _):
        wire = Wire(ours, Deadline(0.01))
        for _ in range(2):
            with pytest.raises(ConnectionLost, match="too slow"):
                wire.receive()
        with pytest.raises(ConnectionLost, match="too slow"):
            wire.send(HELLO)


def test_a_peer_that_does_not_read() -> None:
    """A peer that takes nothing until the deadline is too slow as well."""
    with pair() as (ours, _):
        wire = Wire(ours, Deadline(0.05))
        with pytest.raises(ConnectionLost, match="too slow"):
            for _ in range(1000):
                wire.send(*[HELLO] * 100)
