"""The transports: the one place where the server's sockets are used, and where their errors become ours.

Each test is for TCP and for TLS over it.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator

import pytest

from chatroom.errors import ConnectionLost
from server.tls import TlsTransport
from server.transport import TcpTransport
from tests.server.fakes import LARGE, TlsPeer, pair, read_all, tls_pair
from tests.support.certificates import Certificates
from tests.support.patience import PATIENCE
from tests.support.tasks import Task

Ends = tuple[TcpTransport | TlsTransport, socket.socket | TlsPeer]


@pytest.fixture(params=["TCP", "TLSv1_3", "TLSv1_2"])
def ends(request: pytest.FixtureRequest, certificates: Certificates) -> Iterator[Ends]:
    if request.param == "TCP":
        with pair() as (ours, theirs):
            yield TcpTransport(ours, "peer"), theirs
    else:
        with tls_pair(certificates.good, ssl.TLSVersion[request.param]) as (transport, peer):
            yield transport, peer


def test_bytes_go_both_ways(ends: Ends) -> None:
    """What one end sends, the other receives; the end of the stream is b""."""
    transport, theirs = ends
    assert transport.send(b"hello") == 5
    assert theirs.recv(10) == b"hello"
    theirs.sendall(b"hi")
    assert transport.receive(10) == b"hi"
    say_goodbye(theirs)
    assert transport.receive(10) == b""


def say_goodbye(theirs: socket.socket | TlsPeer) -> None:
    """The peer ends its direction, as it should."""
    if isinstance(theirs, TlsPeer):
        theirs.goodbye()
    else:
        theirs.shutdown(socket.SHUT_WR)


def test_sending_never_waits(ends: Ends) -> None:
    """send() takes what goes without waiting, down to nothing, and says how much that was."""
    transport, theirs = ends
    taken = 0
    while sent := transport.send(memoryview(LARGE)):
        taken += sent
    transport.finish()
    reading = Task(lambda: read_all(theirs))
    while reading.is_alive():
        if transport.pending:
            transport.send(b"")
    assert len(reading.result()) == taken


def test_at_hand(ends: Ends) -> None:
    """receive_now() gives what has come, and None while nothing has; the end as receive() does."""
    transport, theirs = ends
    assert transport.receive_now(10) is None
    theirs.sendall(b"hello, world")
    found = [transport.receive(5)]
    while sum(map(len, found)) < 12:
        found.append(transport.receive_now(5) or b"")
    assert b"".join(found) == b"hello, world"
    assert transport.receive_now(5) is None
    say_goodbye(theirs)
    assert transport.receive(5) == b"" == transport.receive_now(5)


def test_nothing_to_begin_any_more(ends: Ends) -> None:
    """begin() is over at once when there is nothing left to do; only TLS is encrypted."""
    transport, _theirs = ends
    transport.begin(0.0)
    assert transport.encrypted is isinstance(transport, TlsTransport)


def test_receiving_waits_no_longer_than_it_is_told(ends: Ends) -> None:
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


def test_finish_ends_one_direction(ends: Ends) -> None:
    """After finish() the peer sees the end, and may go on sending."""
    transport, theirs = ends
    transport.finish()
    assert theirs.recv(10) == b""
    theirs.sendall(b"still here")
    assert transport.receive(20) == b"still here"


def test_abort_wakes_who_receives(ends: Ends) -> None:
    """abort() ends a receive() that waits in another thread; the descriptor stays open until close()."""
    transport, _theirs = ends
    encrypted = transport.encrypted  # before the end: afterwards OpenSSL does not say
    task = Task(lambda: transport.receive(10))
    transport.abort()
    if encrypted:  # an end without a goodbye
        with pytest.raises(ConnectionLost):
            task.result()
    else:
        assert task.result() == b""
    transport.abort()  # the second time is as good as the first
    assert transport.fileno() >= 0
    transport.close()
    assert transport.fileno() == -1


def test_errors_are_ours(ends: Ends) -> None:
    """An error of the system is a ConnectionLost, whichever way the bytes go."""
    transport, theirs = ends
    theirs.sendall(b"x")
    transport.send(b"unread")
    theirs.close()  # with something unread: a reset
    with pytest.raises(ConnectionLost) as lost:
        while True:
            transport.send(b"x")
    assert lost.value.plain == "connection lost" != lost.value.reason  # for persons
    transport.close()
    for act in (lambda: transport.receive(10), lambda: transport.send(b"x")):
        with pytest.raises(ConnectionLost):
            act()
    transport.finish()
    transport.abort()


def test_where_the_peer_has_found_us(ends: Ends) -> None:
    """`host` is the family and the address at which an admission port must listen."""
    assert ends[0].host == (socket.AF_INET, ("127.0.0.1", ends[0].host[1][1]))
