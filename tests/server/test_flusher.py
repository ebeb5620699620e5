"""The flusher: it sends the rest, ticks, and is the one that closes."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from unittest import mock

import pytest

from chatroom.errors import ConnectionLost
from chatroom.flow import Flow
from chatroom.outcomes import Code
from server.backlogs import Backlogs
from server.flusher import Flusher
from server.limits import GOODBYE_SECONDS
from server.stream import Phase, Stream
from server.transport import TcpTransport
from tests.server.fakes import LARGE, PlainWords, pair, read_all
from tests.support.patience import PATIENCE, eventually
from tests.support.tasks import Task


class Yard:
    """A running flusher, and streams that it watches."""

    def __init__(
        self, stack: ExitStack, dead_after: float = 45.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stack = stack
        self._clock = clock
        self.flusher = Flusher(dead_after)
        self.failed = threading.Event()
        self.task = Task(self._run)

    def _run(self) -> None:
        try:
            self.flusher.run()
        except Exception:
            self.failed.set()
            raise
        finally:
            self.flusher.finish()

    def stream(self, transport: type[TcpTransport] = TcpTransport) -> tuple[Stream, socket.socket]:
        """A new stream, and its peer's socket."""
        ours, theirs = self._stack.enter_context(pair())
        stream = Stream(
            transport(ours, "peer"), PlainWords(), self.flusher.watch, Flow(), Backlogs(), self._clock
        )
        self.flusher.watch(stream)
        return stream, theirs

    def stop(self) -> None:
        self.flusher.stop()
        self.task.result()


@pytest.fixture
def yard() -> Iterator[Yard]:
    with ExitStack() as stack:
        yard = Yard(stack)
        yield yard
        yard.stop()


def fill(stream: Stream, least: int = 1_000_000) -> int:
    """Send at least so many bytes, more than the sockets take; how many they are."""
    sent = 0
    while sent < least or not stream.buffered:
        stream.send(LARGE)
        sent += len(LARGE)
    return sent


def read(sock: socket.socket, count: int) -> None:
    while count > 0:
        data = sock.recv(65536)
        assert data
        count -= len(data)


def test_the_rest_is_sent(yard: Yard) -> None:
    """What a socket did not take at first arrives, whole and in order, as the peer reads."""
    stream, theirs = yard.stream()
    sent = fill(stream)
    stream.part(Code.STOPPING, "bye")
    data = read_all(theirs)
    assert len(data) <= sent + 7 and data.endswith(b"goodbye")
    whole = data[:-7]
    assert whole == LARGE * (len(whole) // len(LARGE))


def test_a_peer_that_does_not_read_delays_nobody(yard: Yard) -> None:
    """While one peer reads nothing, all the others get everything."""
    fill(yard.stream()[0])
    for _ in range(5):
        stream, theirs = yard.stream()
        read(theirs, fill(stream))
        eventually(lambda: stream.buffered == 0, "bytes are left")  # noqa: B023  asked for at once


def test_a_new_stream_can_wait_for_the_next_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream without bytes does not wake the thread; one that is ending does."""
    rings = []

    class Bell:
        def __init__(self, sock: socket.socket) -> None:
            self.sock = sock

        def send(self, data: bytes) -> int:
            rings.append(data)
            return self.sock.send(data)

        def close(self) -> None:
            self.sock.close()

    ours, theirs = socket.socketpair()
    monkeypatch.setattr("server.flusher.socket.socketpair", lambda: (Bell(ours), theirs))
    flusher = Flusher(45.0)
    with pair() as (sock, _peer):
        stream = Stream(TcpTransport(sock, "peer"), PlainWords(), flusher.watch, Flow(), Backlogs())
        flusher.watch(stream)
        assert rings == []
        stream.part(Code.STOPPING, "bye")
        assert rings == [b"!"]
        flusher.close()


def test_a_released_stream_is_closed(yard: Yard) -> None:
    """The flusher closes the descriptor of a stream that its handler has released, backlog or not."""
    for backlog in (False, True):
        stream, theirs = yard.stream()
        if backlog:
            fill(stream)
        stream.release()
        eventually(lambda: stream.fileno() == -1, "the descriptor is open")  # noqa: B023  asked for at once
        theirs.close()


def test_a_stream_posted_once_more_after_its_end_does_no_harm(yard: Yard) -> None:
    """A thread that posts a stream while another one releases it does no harm: it is closed only once."""
    closed = []

    class Transport(TcpTransport):
        def close(self) -> None:
            closed.append(self.fileno())
            super().close()

    stream, _ = yard.stream(Transport)
    stream.release()
    eventually(lambda: stream.fileno() == -1, "the descriptor is open")
    yard.flusher.watch(stream)
    other, theirs = yard.stream()
    read(theirs, fill(other))
    yard.stop()
    assert len(closed) == 1  # by then its number may be that of another connection


def test_a_stream_falls_behind_again_and_again(yard: Yard) -> None:
    """A peer that has caught up is looked after as before when it falls behind once more."""
    stream, theirs = yard.stream()
    for _ in range(3):
        read(theirs, fill(stream))
        eventually(lambda: stream.buffered == 0, "bytes are left")


def test_deadlines_are_noticed(yard: Yard) -> None:
    """A peer that does not close after the goodbye is cut although nothing else happens."""
    stream, _theirs = yard.stream()
    began = time.monotonic()
    stream.part(Code.STOPPING, "bye")
    with pytest.raises(ConnectionLost, match="bye"):
        stream.receive(10)
    assert stream.phase is Phase.CUT
    assert time.monotonic() - began >= GOODBYE_SECONDS


def test_every_stream_is_pinged_and_the_silent_ones_cut() -> None:
    """Every stream is ticked several times within dead_after: pings go out, silent peers are cut."""
    with ExitStack() as stack:
        yard = Yard(stack, dead_after=0.12)
        quiet, lively = yard.stream(), yard.stream()
        with pytest.raises(ConnectionLost, match=r"silent for 0\.12 s"):
            while True:
                assert lively[1].recv(4) == b"ping"
                lively[1].sendall(b"pong")
                assert lively[0].receive(10) == b"pong"
                if quiet[0].phase is Phase.CUT:
                    quiet[0].receive(10)
        assert lively[0].phase is Phase.OPEN
        yard.stop()


# --- the end --------------------------------------------------------------------------------------------


def test_an_idle_flusher_ends_at_once(yard: Yard) -> None:
    """A flusher that sleeps ends when it is told to, and not at its next round."""
    began = time.monotonic()
    yard.stop()
    assert time.monotonic() - began < PATIENCE / 2


def test_at_the_end_readers_get_their_goodbye(yard: Yard) -> None:
    """A peer that reads gets its goodbye although the flusher is told to stop right after it."""
    stream, theirs = yard.stream()
    fill(stream)
    stream.part(Code.STOPPING, "bye")
    yard.flusher.stop()
    assert read_all(theirs).endswith(b"goodbye")
    theirs.close()
    stream.release()
    yard.task.result()
    assert stream.fileno() == -1


def test_at_the_end_the_others_are_cut(yard: Yard) -> None:
    """After GOODBYE_SECONDS all others are cut; their descriptors are closed when they are released."""
    stream, _theirs = yard.stream()
    fill(stream)
    task = Task(lambda: stream.receive(10))
    yard.stop()
    with pytest.raises(ConnectionLost):
        task.result()
    assert stream.phase is Phase.CUT and stream.fileno() >= 0
    stream.release()
    assert stream.fileno() == -1


def test_a_stream_that_comes_after_the_end_is_cut(yard: Yard) -> None:
    """A connection that is made while the server ends is cut, so that its handler does not wait for ever."""
    yard.stop()
    stream, _theirs = yard.stream()
    with pytest.raises(ConnectionLost, match="shutting down"):
        stream.receive(10)
    stream.release()
    assert stream.fileno() == -1


def test_stopping_in_the_middle_of_everything() -> None:
    """Whatever is sent and released while the flusher stops, nothing hangs and no descriptor stays open."""
    with ExitStack() as stack:
        yard = Yard(stack)
        streams = [yard.stream()[0] for _ in range(8)]

        def use(stream: Stream) -> None:
            for _ in range(20):
                stream.send(LARGE)
            stream.part(Code.STOPPING, "bye")
            stream.release()

        tasks = [Task(lambda each=stream: use(each)) for stream in streams]  # type: ignore[misc]
        yard.stop()
        for task in tasks:
            task.result()
        assert [stream.fileno() for stream in streams] == [-1] * 8


def test_after_a_failure_goodbyes_have_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flusher that has failed cuts its streams when the others have said goodbye, not before."""
    monkeypatch.setattr("server.flusher.GOODBYE_SECONDS", 0.05)
    with ExitStack() as stack:
        yard = Yard(stack, dead_after=0.3)
        stream, theirs = yard.stream()
        with monkeypatch.context() as patch:
            patch.setattr(Stream, "flush", mock.Mock(side_effect=KeyError("a bug")))
            yard.flusher.watch(stream)
            assert yard.failed.wait(PATIENCE)
        before = stream.phase
        stream.part(Code.STOPPING)
        with pytest.raises(KeyError):
            yard.stop()
        assert theirs.recv(100).startswith(b"goodbye")
        assert (before, stream.phase) == (Phase.OPEN, Phase.CUT)
        stream.release()
        assert stream.fileno() == -1


def test_a_stopped_process_takes_nobody_for_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the flusher comes much later than it wanted, what waits in the sockets is read first."""
    leap = [0.0]

    def clock() -> float:
        return time.monotonic() + leap[0]

    monkeypatch.setattr("server.flusher.monotonic", clock)
    with ExitStack() as stack:
        yard = Yard(stack, dead_after=0.6, clock=clock)
        quick, theirs = yard.stream()
        silent, _ = yard.stream()
        leap[0] = 1000.0
        eventually(lambda: theirs.recv(4) == b"ping", "no ping after the pause")
        theirs.send(b"alive")
        assert quick.receive(5) == b"alive"
        with pytest.raises(ConnectionLost, match="silent"):
            silent.receive(5)
        assert silent.phase is Phase.CUT
        yard.stop()
