"""Catching up: at the member's own speed, then live, without a missing or repeated event."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection

import pytest

from chatroom.catch_up import CatchUp
from chatroom.errors import Closed, HistoryError
from chatroom.events import Event
from chatroom.flow import Flow
from chatroom.forwarder import Forwarder
from chatroom.limits import BEHIND_BYTES, CATCH_UP_BYTES, CATCH_UP_EVENTS, MAX_TEXT
from chatroom.member import Member, Session
from chatroom.packets import NO_TOKEN, Live, Say
from chatroom.queue import WaitingQueue
from chatroom.reaper import Reaper
from chatroom.requests import GoLive, Join, Lines, Reserve
from server.limits import BACKLOG_BYTES
from tests.chatroom.fakes import FakeConnection, RecordingHistory
from tests.support.events import said
from tests.support.patience import PATIENCE
from tests.support.tasks import Task


def member(connection: FakeConnection) -> Member:
    return Member("ann", frozenset({"#general"}), Session(b"", "ann", "#general", 0, 0), connection)


class Alone:
    """Catching up without a forwarder. A spawned thread runs at once, in the test's thread."""

    def __init__(self, events: list[Event]) -> None:
        self.history = RecordingHistory()
        self.history.append(events, [], [])
        self.submitted: list[GoLive] = []
        self.catch_up = CatchUp(self.history, self.submit, lambda run, _name: run())
        self.catch_up.stored(len(events))

    def submit(self, request: GoLive) -> None:
        self.submitted.append(request)

    def begin(self, connection: FakeConnection, seq: int) -> None:
        self.catch_up.begin(member(connection), connection, seq)


def test_chunks_in_order() -> None:
    """The missed events come in order and in chunks; then GoLive is submitted."""
    alone = Alone([said(seq) for seq in range(1, 2 * CATCH_UP_EVENTS + 500)])
    connection = FakeConnection(alone.history)
    alone.begin(connection, 7)
    assert connection.events() == alone.history.log[7:]
    assert len(connection.sizes) >= 3
    (request,) = alone.submitted
    assert request.seq == len(alone.history.log) and request.connection is connection


def test_long_texts_come_in_small_chunks() -> None:
    """However long the missed texts are, a chunk does not bring the send buffer over BACKLOG_BYTES."""
    alone = Alone([said(seq, text="x" * MAX_TEXT) for seq in range(1, CATCH_UP_EVENTS + 50)])
    connection = FakeConnection(alone.history)
    alone.begin(connection, 0)
    assert len(connection.events()) == CATCH_UP_EVENTS + 49
    first, *others = connection.sizes
    assert first + BEHIND_BYTES < BACKLOG_BYTES
    assert max(others) <= CATCH_UP_BYTES + 2 * MAX_TEXT


def test_other_channels_do_not_hold_it_up() -> None:
    """A member that missed nothing in its own channel is up to date with the whole log."""
    alone = Alone([said(seq, channel="#quiet") for seq in range(1, 2000)])
    connection = FakeConnection(alone.history)
    alone.begin(connection, 3)
    assert connection.packets == []
    assert alone.submitted[0].seq == 1999


def test_a_member_that_is_gone_ends_the_thread() -> None:
    """When the member disconnects, catching up stops after the chunk that was being sent."""
    alone = Alone([said(seq) for seq in range(1, 3 * CATCH_UP_EVENTS)])
    connection = FakeConnection(alone.history)
    connection.taking = False
    alone.begin(connection, 0)
    assert len(connection.events()) <= CATCH_UP_EVENTS
    assert alone.submitted == []


def test_history_that_cannot_be_read() -> None:
    """When history cannot be read, the connection of the member ends, and the member may come back."""
    alone = Alone([said(1)])

    def read(after: int, limit: int, channels: Collection[str]) -> list[Event]:
        raise HistoryError("broken")

    alone.history.read = read  # type: ignore[method-assign]
    connection = FakeConnection()
    alone.begin(connection, 0)
    assert connection.ended == ("the server cannot read its history", True)


@pytest.mark.parametrize("error", [Closed("closing"), RuntimeError("no thread")])
def test_no_thread_for_it(error: Exception) -> None:
    """When no thread can be started, the connection of the member ends and the member may come back."""

    def spawn(run: Callable[[], None], name: str) -> None:
        raise error

    connection = FakeConnection()
    CatchUp(RecordingHistory(), lambda request: None, spawn).begin(member(connection), connection, 0)
    assert connection.ended is not None and connection.ended[1] is True


def test_the_end_of_the_chatroom() -> None:
    """When the chatroom closes, catching up leaves the goodbye to the chatroom."""
    alone = Alone([said(1)])

    def closed(request: GoLive) -> None:
        raise Closed("closing")

    connection = FakeConnection()
    CatchUp(alone.history, closed, lambda run, _name: run()).begin(member(connection), connection, 0)
    assert connection.ended is None


def test_each_event_once_while_others_talk() -> None:
    """A member 5,000 events behind gets each event once and in order, while another member talks."""
    history, queue, reaper = RecordingHistory(), WaitingQueue(), Reaper("test")
    history.append([said(seq) for seq in range(1, 5001)], [], [])
    forwarder = Forwarder(queue, history, Flow(), CatchUp(history, queue.put, reaper.spawn), time.monotonic)
    forwarder.recover()
    running = Task(forwarder.run)
    talker, behind = enter(queue, "talker", 5000), FakeConnection(history)
    stop = threading.Event()

    def talk() -> int:
        id = 0
        while not stop.wait(0.0002):
            queue.put(Lines(talker, [Say(id + n, "#general", "x") for n in (1, 2, 3)]))
            id += 3
        return id

    talking = Task(talk)
    enter(queue, "behind", 1, behind)
    behind.wait_for(lambda peer: bool(peer.of(Live)))
    stop.set()
    said_in_all = talking.result()
    last = 5000 + 2 + said_in_all  # two have joined
    behind.wait_for(lambda peer: peer.events()[-1:] == [history.stored.get(last)])
    queue.close()
    running.result()
    assert reaper.close(PATIENCE) == []
    assert behind.events() == history.log[1:]
    live = behind.of(Live)[0]
    assert (
        live.seq >= 5000 and behind.packets.index(live) == live.seq
    )  # WELCOME, and all events but the first


def enter(
    queue: WaitingQueue, name: str, since: int, connection: FakeConnection | None = None
) -> FakeConnection:
    connection = connection or FakeConnection()
    request = Reserve(name, NO_TOKEN)
    queue.put(request)
    queue.put(Join(request.answer.result(PATIENCE), connection, "#general", since, 0))
    return connection
