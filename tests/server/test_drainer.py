"""The drainer: it sends what sockets did not take at first, and ends with whatever is left."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from chatroom.flow import Flow
from server.drainer import Drainer
from server.outbox import Outbox
from tests.server.fakes import pair, read_all
from tests.support.patience import PATIENCE
from tests.support.tasks import Task

LARGE = b"x" * 500_000


class Yard:
    """A running drainer and any number of outboxes over small sockets."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack
        self.drainer = Drainer()
        self.running = Task(self.drainer.run)
        self.overflows: list[str] = []

    def outbox(self) -> tuple[Outbox, socket.socket, socket.socket]:
        ours, theirs = self.stack.enter_context(pair())
        return Outbox(ours, self.drainer, Flow(), self.overflows.append), ours, theirs

    def stop(self) -> None:
        self.drainer.stop()
        self.running.result()


@pytest.fixture
def yard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Yard]:
    monkeypatch.setattr("server.drainer.GOODBYE_SECONDS", 0.05)
    with ExitStack() as stack:
        yard = Yard(stack)
        yield yard
        if yard.running.is_alive():
            yard.stop()


def read(sock: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        data = sock.recv(65536)
        assert data
        found += data
    return found


def test_what_is_kept_is_sent(yard: Yard) -> None:
    """What a socket did not take at first arrives, whole and in order, as the peer reads."""
    outbox, _, theirs = yard.outbox()
    datas = [bytes([number]) * 100_000 for number in range(10)]
    for data in datas:
        outbox.send(data)
    assert read(theirs, 1_000_000) == b"".join(datas)
    outbox.send(LARGE)  # and again, after it had let go
    assert read(theirs, len(LARGE)) == LARGE


def test_one_that_does_not_read_holds_up_nobody(yard: Yard) -> None:
    """While one peer reads nothing, all the others get everything."""
    stopped, _, _ = yard.outbox()
    stopped.send(LARGE)
    others = [yard.outbox() for _ in range(5)]
    for outbox, _, _ in others:
        outbox.send(LARGE)
    for _, _, theirs in others:
        assert read(theirs, len(LARGE)) == LARGE


def test_closing_while_it_drains(yard: Yard) -> None:
    """A connection that is closed with something kept is given back, descriptor and all."""
    outbox, ours, theirs = yard.outbox()
    outbox.send(LARGE)
    outbox.close()
    assert LARGE.startswith(read_all(theirs))
    again, _, theirs = yard.outbox()  # the drainer has had its turn when this one is served
    again.send(LARGE)
    read(theirs, len(LARGE))
    assert ours.fileno() == -1


def test_a_stalled_peer_is_found(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that takes nothing for long is reported although nothing else happens."""
    found = threading.Event()
    monkeypatch.setattr("server.outbox.STALL_SECONDS", 0.0)
    monkeypatch.setattr("server.drainer._CHECK_SECONDS", 0.001)
    outbox, _, _ = yard.outbox()
    outbox._on_overflow = lambda why: found.set()
    outbox.send(LARGE)
    assert found.wait(PATIENCE)


def test_stop_with_nothing_to_do(yard: Yard) -> None:
    """A drainer that sleeps ends at once when it is told to."""
    yard.stop()


def test_the_goodbye_of_a_reader_still_arrives(yard: Yard) -> None:
    """A peer that reads gets its goodbye although the drainer is told to stop right after it."""
    outbox, _, theirs = yard.outbox()
    outbox.send(LARGE)
    reading = Task(lambda: read_all(theirs))
    outbox.finish(b"goodbye")
    yard.drainer.stop()
    assert reading.result() == LARGE + b"goodbye"
    outbox.close()
    yard.running.result()


def test_who_never_reads_is_cut_at_the_end(yard: Yard) -> None:
    """At the end, a peer that does not read is cut, its waiters are told, its descriptor is the handler's."""
    outbox, ours, _ = yard.outbox()
    outbox.send(LARGE)
    waiting = Task(lambda: outbox.wait_until_taken(0))
    yard.stop()
    assert waiting.result() is False
    assert ours.fileno() != -1
    outbox.close()
    assert ours.fileno() == -1


def test_what_comes_after_the_end_is_dropped(yard: Yard) -> None:
    """Something that is to be sent when the drainer has ended is cut off instead of kept for ever."""
    yard.stop()
    outbox, ours, _ = yard.outbox()
    outbox.send(LARGE)
    outbox.finish(b"goodbye")
    outbox.close()
    assert ours.fileno() == -1


def test_stopping_in_the_middle_of_everything(yard: Yard) -> None:
    """Whatever is sent and closed while the drainer stops, nothing hangs and nothing stays open."""
    desks = [yard.outbox() for _ in range(20)]
    start = threading.Barrier(3)

    def work(mine: list[tuple[Outbox, socket.socket, socket.socket]]) -> None:
        start.wait(PATIENCE)
        for outbox, _, _ in mine:
            outbox.send(LARGE)
            outbox.finish(b"goodbye")
            outbox.close()

    tasks = [Task(lambda m=mine: work(m)) for mine in (desks[:10], desks[10:])]  # type: ignore[misc]
    start.wait(PATIENCE)
    yard.stop()
    for task in tasks:
        task.result()
    assert all(ours.fileno() == -1 for _, ours, _ in desks)
