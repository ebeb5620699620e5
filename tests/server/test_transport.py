"""The transport: the one place where the server's sockets are used, and where their errors become ours."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from chatroom.errors import ConnectionLost
from server.transport import TcpTransport
from tests.server.fakes import LARGE, pair, read_all
from tests.support.patience import PATIENCE
from tests.support.tasks import Task


@pytest.fixture
def ends() -> Iterator[tuple[TcpTransport, socket.socket]]:
    with pair() as (ours, theirs):
        yield TcpTransport(ours, "peer"), theirs


def test_bytes_go_both_ways(ends: tuple[TcpTransport, socket.socket]) -> None:
    """What one end sends, the other receives; the end of the stream is b""."""
    transport, theirs = ends
    assert transport.send(b"hello") == 5
    assert theirs.recv(10) == b"hello"
    theirs.sendall(b"hi")
    assert transport.receive(10) == b"hi"
    theirs.close()
    assert transport.receive(10) == b""


def test_sending_never_waits(ends: tuple[TcpTransport, socket.socket]) -> None:
    """send() takes what goes without waiting, down to nothing, and says how much that was."""
    transport, theirs = ends
    taken = 0
    while sent := transport.send(memoryview(LARGE)):
        taken += sent
    transport.finish()
    assert len(read_all(theirs)) == taken


def test_receiving_waits_no_longer_than_it_is_told(ends: tuple[TcpTransport, socket.socket]) -> None:
    """receive() with a timeout raises ConnectionLost when nothing comes; without one it waits."""
    transport, theirs = ends
    began = time.monotonic()
    with pytest.raises(ConnectionLost, match="too slow"):
        transport.receive(10, 0.02)
    assert time.monotonic() - began >= 0.02
    task = Task(lambda: transport.receive(10))
    theirs.sendall(b"late")
    assert task.result() == b"late"
    theirs.sendall(b"in time")
    assert transport.receive(10, PATIENCE) == b"in time"


def test_finish_ends_one_direction(ends: tuple[TcpTransport, socket.socket]) -> None:
    """After finish() the peer sees the end, and may go on sending."""
    transport, theirs = ends
    transport.finish()
    assert theirs.recv(10) == b""
    theirs.sendall(b"still here")
    assert transport.receive(20) == b"still here"


def test_abort_wakes_who_receives(ends: tuple[TcpTransport, socket.socket]) -> None:
    """abort() ends a receive() that waits in another thread; the descriptor stays open until close()."""
    transport, _theirs = ends
    task = Task(lambda: transport.receive(10))
    transport.abort()
    assert task.result() == b""
    transport.abort()  # the second time is as good as the first
    assert transport.fileno() >= 0
    transport.close()
    assert transport.fileno() == -1


def test_errors_are_ours(ends: tuple[TcpTransport, socket.socket]) -> None:
    """An error of the system is a ConnectionLost, whichever way the bytes go."""
    transport, theirs = ends
    theirs.sendall(b"x")
    transport.send(b"unread")
    theirs.close()  # with something unread: a reset
    with pytest.raises(ConnectionLost):
        while True:
            transport.send(b"x")
    transport.close()
    for act in (lambda: transport.receive(10), lambda: transport.send(b"x")):
        with pytest.raises(ConnectionLost):
            act()
    transport.finish()
    transport.abort()


def test_where_the_peer_has_found_us(ends: tuple[TcpTransport, socket.socket]) -> None:
    """`host` is the family and the address at which an admission port must listen."""
    assert ends[0].host == (socket.AF_INET, ("127.0.0.1", ends[0].host[1][1]))
