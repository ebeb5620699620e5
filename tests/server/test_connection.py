"""A member's connection: what comes in, what is answered, and who counts as dead."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import pytest

from chatroom.errors import ConnectionLost, ProtocolError
from chatroom.flow import Flow
from chatroom.packets import Bye, Command, Decoder, Live, Notice, Packet, Ping, Pong, Say, Welcome, encode
from server.connection import NativeConnection
from server.limits import GOODBYE_SECONDS
from tests.server.fakes import FakeWatcher, pair
from tests.support.events import said
from tests.support.peer import Peer
from tests.support.tasks import Task

ONE, TWO = Say(1, "#general", "one"), Say(2, "#general", "two")


class Line:
    """A connection with a peer of the test's at the other end."""

    def __init__(self, connection: NativeConnection, peer: Peer, forgotten: list[NativeConnection]) -> None:
        self.connection = connection
        self.peer = peer
        self.forgotten = forgotten


@pytest.fixture
def line() -> Iterator[Line]:
    with pair(small=False) as (ours, theirs):
        forgotten: list[NativeConnection] = []
        connection = NativeConnection(ours, "peer", Decoder(), [], FakeWatcher(), Flow(), forgotten.append)
        yield Line(connection, Peer(theirs), forgotten)


def test_a_burst_is_what_came_together(line: Line) -> None:
    """All lines of one segment come as one burst, in order; the next segment is the next burst."""
    line.peer.send(ONE, TWO)
    assert line.connection.receive() == [ONE, TWO]
    line.peer.send(Command(3, "#general", "/who"), Bye(False, "so long"))
    assert line.connection.receive() == [Command(3, "#general", "/who"), Bye(False, "so long")]
    line.peer.socket.close()
    assert not line.connection.receive()


def test_cut_in_the_middle_of_a_packet(line: Line) -> None:
    """A packet that comes in two segments is one packet."""
    data = encode(ONE)
    line.peer.socket.sendall(data[:7])
    task = Task(line.connection.receive)
    line.peer.socket.sendall(data[7:])
    assert task.result() == [ONE]


def test_a_ping_is_answered(line: Line) -> None:
    """A ping gets a pong with its id, and the chatroom never hears of either."""
    line.peer.send(ONE, Ping(7), Pong(8), TWO)
    assert line.connection.receive() == [ONE, TWO]
    assert line.peer.receive() == Pong(7)


def test_what_came_with_the_handshake() -> None:
    """Lines that were sent right behind the admission count, whole packets and half ones."""
    decoder, half = Decoder(), encode(TWO)
    decoder.feed(half[:9])
    with pair(small=False) as (ours, theirs):
        early: Sequence[Packet] = [ONE]
        connection = NativeConnection(ours, "peer", decoder, early, FakeWatcher(), Flow(), lambda _: None)
        theirs.sendall(half[9:])
        assert connection.receive() == [ONE]
        assert connection.receive() == [TWO]


@pytest.mark.parametrize(
    "wrong",
    [b"GET / HTTP/1.1\r\n\r\n", encode(Live(5)), encode(Welcome("a", "#b", bytes(16), 0, 0))],
    ids=["not ours", "LIVE", "WELCOME"],
)
def test_good_packets_before_a_wrong_one_count(line: Line, wrong: bytes) -> None:
    """What was said before the protocol was broken counts, though it came in the same segment."""
    line.peer.socket.sendall(encode(ONE) + encode(Ping(1)) + encode(TWO) + wrong + encode(ONE))
    assert line.connection.receive() == [ONE, TWO]
    for _ in range(2):
        with pytest.raises(ProtocolError):
            line.connection.receive()


def test_what_may_not_come_from_a_member(line: Line) -> None:
    """A packet that only a server sends ends the connection, with a reason that names it."""
    line.peer.send(Live(5))
    with pytest.raises(ProtocolError, match="LIVE"):
        line.connection.receive()


def test_sending(line: Line) -> None:
    """What is sent and told arrives in order, and an end is a goodbye as the last packet."""
    line.connection.tell(Notice(1, "note"))
    line.connection.send(line.connection.door.encode(said(1)))
    line.connection.end("so long", again=True)
    line.connection.tell(Notice(2, "too late"))
    assert line.peer.rest() == [Notice(1, "note"), said(1), Bye(True, "so long")]
    assert line.connection.wait_until_taken(0) is False


def test_the_reason_of_an_end_is_kept(line: Line) -> None:
    """The handler learns why the connection was ended, the first reason that was given."""
    line.connection.end("taken over", again=False)
    line.connection.end("another", again=True)
    line.peer.socket.close()
    with pytest.raises(ConnectionLost, match="taken over"):
        line.connection.receive()


def test_an_end_wakes_the_handler(line: Line) -> None:
    """A handler that waits for bytes is woken when the peer that was told goodbye has gone, or by force."""
    task = Task(line.connection.receive)
    line.connection.end("taken over", again=False)
    line.connection.keep_alive(time.monotonic() + GOODBYE_SECONDS + 0.1, 10)
    with pytest.raises(ConnectionLost, match="taken over"):
        task.result()


def test_what_comes_after_the_goodbye_does_not_count(line: Line) -> None:
    """A line that was on its way when the connection was ended is not taken; the handler hears of the end."""
    line.connection.end("the end", again=True)
    line.peer.socket.sendall(encode(ONE))
    with pytest.raises(ConnectionLost, match="the end"):
        line.connection.receive()


def test_closing_gives_everything_back(line: Line) -> None:
    """A closed connection is looked after no more, and the peer sees its end."""
    line.connection.close()
    assert line.forgotten == [line.connection]
    line.peer.expect_end()
    with pytest.raises(ConnectionLost):
        line.connection.receive()


# --- alive or dead --------------------------------------------------------------------------------------


def test_a_silent_peer_is_pinged(line: Line) -> None:
    """A ping goes out after a third of the time, once for each third, and a quiet peer stays."""
    now = time.monotonic()
    line.connection.keep_alive(now + 2, 10)
    line.connection.keep_alive(now + 4, 10)
    line.connection.keep_alive(now + 5, 10)
    line.connection.keep_alive(now + 8, 10)
    line.connection.end("the end", again=False)
    assert line.peer.rest() == [Ping(0), Ping(0), Bye(False, "the end")]


def test_a_dead_peer_is_cut(line: Line) -> None:
    """A peer that was silent for too long is cut, and the handler is told why."""
    task = Task(line.connection.receive)
    line.connection.keep_alive(time.monotonic() + 10.5, 10)
    with pytest.raises(ConnectionLost, match="silent for 10 s"):
        task.result()


def test_whatever_comes_is_a_sign_of_life(line: Line) -> None:
    """A peer from which anything came, even half a packet or a pong, is alive."""
    start = time.monotonic()
    for data in (encode(Pong(0)), encode(ONE)[:5]):
        line.connection._heard = start - 100
        line.peer.socket.sendall(data)
        packets = line.connection._read()
        assert packets is not None
        line.connection.keep_alive(time.monotonic(), 10)
        assert line.connection.wait_until_taken(0) is True


def test_a_busy_handler_is_not_a_dead_peer(line: Line) -> None:
    """While the handler waits at the full queue nobody reads, and the peer's silence is not its fault."""
    now = time.monotonic()
    line.connection.submitting(True)
    line.connection.keep_alive(now + 1000, 10)
    assert line.connection.wait_until_taken(0) is True
    line.connection.submitting(False)
    line.connection.keep_alive(time.monotonic() + 9, 10)
    assert line.connection.wait_until_taken(0) is True
    line.connection.keep_alive(time.monotonic() + 11, 10)
    assert line.connection.wait_until_taken(0) is False


def test_who_is_too_far_behind_may_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that does not read is sent away with an invitation to get the rest from history."""
    monkeypatch.setattr("server.outbox.BACKLOG_BYTES", 100_000)
    watcher = FakeWatcher()
    with pair() as (ours, theirs):
        connection = NativeConnection(ours, "peer", Decoder(), [], watcher, Flow(), lambda _: None)
        batch = b"".join(connection.door.encode(said(seq, text="x" * 1000)) for seq in range(1, 101))
        connection.send(batch)
        connection.send(batch)
        data = watcher.drain(connection._outbox, theirs)
        packets = Decoder().feed(data)
        assert isinstance(packets[-1], Bye) and packets[-1].again
        assert len(packets) == 101
        with pytest.raises(ConnectionLost, match="too far behind"):
            connection.receive()
        connection.close()
