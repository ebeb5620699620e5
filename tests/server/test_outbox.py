"""The outbox: nothing waits, nothing is copied, nothing is mixed, and the descriptor is closed last."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.flow import Flow
from chatroom.limits import BEHIND_BYTES
from server.limits import STALL_SECONDS
from server.outbox import Outbox
from tests.chatroom.fakes import WatchedCondition
from tests.server.fakes import FakeWatcher, pair, read_all
from tests.support.patience import PATIENCE
from tests.support.tasks import Task

LARGE = b"x" * 200_000


class Desk:
    """An outbox over a small socket, with everything around it in the test's hands."""

    def __init__(self, ours: socket.socket, theirs: socket.socket) -> None:
        self.ours, self.theirs = ours, theirs
        self.watcher, self.flow = FakeWatcher(), Flow()
        self.overflows: list[str] = []
        self.outbox = Outbox(ours, self.watcher, self.flow, self.overflows.append)

    def kept(self) -> list[bytes | memoryview]:
        return list(self.outbox._kept or ())

    def drain(self) -> bytes:
        return self.watcher.drain(self.outbox, self.theirs)

    @property
    def is_open(self) -> bool:
        return self.ours.fileno() != -1


@pytest.fixture
def desk() -> Iterator[Desk]:
    with pair() as (ours, theirs):
        yield Desk(ours, theirs)


def test_what_is_taken_is_not_kept(desk: Desk) -> None:
    """What the socket takes at once is on its way, and the drainer is not bothered."""
    desk.outbox.send(b"hello")
    assert desk.theirs.recv(100) == b"hello"
    assert desk.kept() == [] and desk.watcher.watched == []


def test_what_is_kept_is_not_copied(desk: Desk) -> None:
    """What the socket does not take stays the very object that all members share."""
    first, second = LARGE, b"y" * 1000
    desk.outbox.send(first)
    desk.outbox.send(second)
    rest, other = desk.kept()
    assert isinstance(rest, memoryview) and rest.obj is first
    assert other is second
    assert desk.watcher.watched == [desk.outbox]


@given(
    sizes=st.lists(st.one_of(st.integers(1, 50), st.integers(1, 60_000)), min_size=1, max_size=20),
    reads=st.lists(st.integers(0, 40_000), max_size=20),
)
def test_bytes_arrive_complete_and_in_order(sizes: list[int], reads: list[int]) -> None:
    """Whatever is taken when, all bytes arrive once and in order, with the goodbye as the last."""
    datas = [bytes([number % 251]) * size for number, size in enumerate(sizes)]
    with pair() as (ours, theirs):
        desk = Desk(ours, theirs)
        theirs.setblocking(False)
        found, pauses = b"", iter(reads)
        for data in datas:
            desk.outbox.send(data)
            if size := next(pauses, 0):
                try:
                    found += theirs.recv(size)
                except BlockingIOError:
                    pass
                desk.outbox.flush()
        found += desk.drain()
        assert found == b"".join(datas)
        assert desk.outbox.let_go()
        desk.outbox.finish(b"goodbye")
        assert read_all(theirs) == b"goodbye"
        desk.outbox.close()
        assert desk.flow.behind == 0


def test_more_buffers_than_one_call_takes(desk: Desk) -> None:
    """However many batches are kept, they go out in order."""
    datas = [LARGE, *(f"{number};".encode() for number in range(1000))]
    for data in datas:
        desk.outbox.send(data)
    assert desk.drain() == b"".join(datas)


def test_too_far_behind(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer for which more than the limit is kept is reported, without a lock being held."""
    monkeypatch.setattr("server.outbox.BACKLOG_BYTES", 300_000)
    desk.outbox._on_overflow = lambda why: desk.overflows.append(f"{why} {desk.outbox._lock.locked()}")
    desk.outbox.send(LARGE)
    assert desk.overflows == []
    desk.outbox.send(LARGE)
    assert desk.overflows == ["too far behind False"]


def test_falling_behind_and_catching_up(desk: Desk) -> None:
    """A peer counts as behind from the limit on, once, until it has taken half of it."""
    desk.outbox.send(b"x" * BEHIND_BYTES)
    assert desk.flow.behind == 0
    desk.outbox.send(LARGE)
    desk.outbox.send(LARGE)
    assert desk.flow.behind == 1
    desk.drain()
    assert desk.flow.behind == 0
    desk.outbox.close()
    assert desk.flow.behind == 0


@pytest.mark.parametrize("end", ["close", "cut", "finish", "finish and cut", "stalled"])
def test_who_has_ended_is_not_behind(desk: Desk, end: str) -> None:
    """A peer that is sent away slows nobody any more, though its handler may still be waiting somewhere."""
    desk.outbox.send(b"x" * (BEHIND_BYTES + 500_000))
    assert desk.flow.behind == 1
    if "finish" in end:
        desk.outbox.finish(b"goodbye")
    if "cut" in end:
        desk.outbox.cut()
    if end == "stalled":
        desk.outbox._on_overflow = lambda why: desk.outbox.finish(b"goodbye")
        desk.outbox.check_progress(time.monotonic() + STALL_SECONDS + 1)
    if end == "close":
        desk.outbox.close()
    assert desk.flow.behind == 0
    desk.outbox.close()
    desk.outbox.flush()
    assert desk.flow.behind == 0


# --- the end --------------------------------------------------------------------------------------------


def test_goodbye_when_nothing_is_kept(desk: Desk) -> None:
    """A peer that reads gets the goodbye as its last bytes, and then the end of the stream."""
    desk.outbox.send(b"one")
    desk.outbox.finish(b"goodbye")
    desk.outbox.send(b"two")
    desk.outbox.finish(b"again")
    assert read_all(desk.theirs) == b"onegoodbye"
    desk.theirs.send(b"still talking")
    assert desk.ours.recv(20) == b"still talking"  # or closing would reset what the peer has not read


def test_goodbye_behind_a_begun_batch(desk: Desk) -> None:
    """A batch of which some is sent is sent whole; batches not begun are dropped; the goodbye is last."""
    desk.outbox.send(LARGE)
    for number in range(200):
        desk.outbox.send(f"unbegun {number};".encode())
    desk.outbox.finish(b"goodbye", hear_out=False)
    assert desk.ours.recv(10) == b""  # the handler is woken although bytes are still on their way
    assert desk.drain() == LARGE + b"goodbye"
    assert read_all(desk.theirs) == b""


def test_goodbye_when_no_batch_was_begun(desk: Desk) -> None:
    """When only whole batches are kept, the goodbye takes the place of all of them."""
    taken = 0
    with pytest.raises(BlockingIOError):
        while True:  # by somebody else: the socket takes nothing when the first batch comes
            taken += desk.ours.send(b"x", socket.MSG_DONTWAIT)
    desk.outbox.send(b"unbegun")
    desk.outbox.send(b"unbegun too")
    desk.outbox.finish(b"goodbye")
    assert desk.drain() == b"x" * taken + b"goodbye"


def test_finish_in_the_middle_of_a_flush(desk: Desk) -> None:
    """Batches that the drainer is writing when the goodbye is said stay where they are, before it."""
    batches = [LARGE, b"second", b"third"]
    for data in batches:
        desk.outbox.send(data)
    real = desk.ours

    class Interrupted:
        """The socket, but for a goodbye that comes while it writes."""

        def sendmsg(self, buffers: list[bytes], *rest: object) -> int:
            desk.outbox._socket = real
            desk.outbox.send(b"unbegun")
            desk.outbox.finish(b"goodbye")
            return real.sendmsg(buffers, *rest)  # type: ignore[arg-type]

    desk.outbox._socket = Interrupted()  # type: ignore[assignment]
    desk.outbox.flush()
    assert desk.drain() == b"".join(batches) + b"goodbye"


def test_cut_in_the_middle_of_a_flush(desk: Desk) -> None:
    """A connection that is cut while the drainer writes is over; nothing is kept, nothing breaks."""
    desk.outbox.send(LARGE)
    real = desk.ours

    class Interrupted:
        """The socket, but for an end that comes after it has written."""

        def sendmsg(self, buffers: list[bytes], *rest: object) -> int:
            desk.outbox._socket = real
            desk.theirs.recv(100_000)
            sent = real.sendmsg(buffers, *rest)  # type: ignore[arg-type]
            desk.outbox.cut()
            return sent

    desk.outbox._socket = Interrupted()  # type: ignore[assignment]
    assert desk.outbox.flush() is False
    assert desk.kept() == []


def test_a_peer_that_is_gone(desk: Desk) -> None:
    """Sending to a peer that is gone ends the connection, and raises nothing."""
    desk.theirs.close()
    for _ in range(3):
        desk.outbox.send(LARGE)
    desk.outbox.finish(b"goodbye")
    assert desk.kept() == [] and desk.ours.recv(10) == b""


def test_the_descriptor_outlives_the_drainers_use(desk: Desk) -> None:
    """While the drainer watches, close() leaves the descriptor open; the drainer closes it last."""
    desk.outbox.send(LARGE)
    desk.outbox.close()
    assert desk.is_open
    assert desk.outbox.flush() is False
    assert desk.outbox.let_go() is True
    assert not desk.is_open


@pytest.mark.parametrize("how", ["cut", "peer gone"])
def test_the_descriptor_outlives_the_handlers_use(desk: Desk, how: str) -> None:
    """A connection that has failed keeps its descriptor until its handler, which may be reading, is done."""
    desk.outbox.send(LARGE)
    if how == "cut":
        desk.outbox.cut()
    else:
        desk.theirs.close()
    assert desk.outbox.flush() is False
    assert desk.outbox.let_go() is True
    assert desk.is_open
    desk.outbox.close()
    assert not desk.is_open


def test_closed_at_once_when_nothing_is_kept(desk: Desk) -> None:
    """Without a drainer watching, close() gives the descriptor back itself."""
    desk.outbox.send(b"x")
    desk.outbox.close()
    assert not desk.is_open
    desk.outbox.send(b"y")
    desk.outbox.cut()
    desk.outbox.finish(b"z")


def test_the_goodbye_outlives_the_handler(desk: Desk) -> None:
    """What is on its way when the handler has ended still goes out, the goodbye last; then it is closed."""
    desk.outbox.send(LARGE)
    desk.outbox.finish(b"goodbye")
    desk.outbox.close()
    assert desk.drain() == LARGE + b"goodbye"
    assert desk.outbox.let_go() and not desk.is_open


def test_a_goodbye_that_outlives_the_handler_can_be_cut(desk: Desk) -> None:
    """A goodbye that nobody takes does not keep the descriptor when the drainer ends."""
    desk.outbox.send(LARGE)
    desk.outbox.finish(b"goodbye")
    desk.outbox.close()
    desk.outbox.cut()
    assert desk.outbox.let_go() and not desk.is_open


def test_what_came_while_the_drainer_let_go(desk: Desk) -> None:
    """When something is kept between the last flush and letting go, the drainer goes on."""
    desk.outbox.send(LARGE)
    desk.drain()
    desk.outbox.send(LARGE)
    assert desk.outbox.let_go() is False
    assert desk.watcher.watched == [desk.outbox]
    desk.drain()
    assert desk.outbox.let_go() is True
    desk.outbox.send(LARGE)
    assert desk.watcher.watched == [desk.outbox] * 2


# --- stalling -------------------------------------------------------------------------------------------


def test_a_stalled_peer_is_ended(desk: Desk) -> None:
    """A peer with a backlog that takes nothing for the time is reported, not before, and not if it reads."""
    desk.outbox.send(LARGE)
    now = time.monotonic()
    desk.outbox.check_progress(now + STALL_SECONDS - 1)
    assert desk.overflows == []
    desk.outbox.check_progress(now + STALL_SECONDS + 1)
    assert desk.overflows == ["not reading"]


def test_a_slow_peer_is_not_stalled(desk: Desk) -> None:
    """A peer that takes a little now and then keeps its connection."""
    desk.outbox.send(LARGE)
    desk.outbox._progress -= 2 * STALL_SECONDS
    desk.theirs.recv(50_000)
    desk.outbox.flush()
    desk.outbox.check_progress(time.monotonic())
    assert desk.overflows == []
    desk.drain()
    desk.outbox.check_progress(time.monotonic() + 2 * STALL_SECONDS)
    assert desk.overflows == []


def test_who_does_not_take_the_goodbye_is_cut(desk: Desk) -> None:
    """A peer that does not even take the goodbye behind a begun batch is not waited for."""
    desk.outbox.send(LARGE)
    desk.outbox.finish(b"goodbye")
    desk.outbox.check_progress(time.monotonic() + STALL_SECONDS + 1)
    assert desk.overflows == [] and desk.kept() == []
    assert desk.outbox.flush() is False


# --- waiting --------------------------------------------------------------------------------------------


def waiting(desk: Desk) -> Task:
    desk.outbox._changed = condition = WatchedCondition(desk.outbox._lock)
    task = Task(lambda: desk.outbox.wait_until_taken(10_000))
    assert condition.waiting.wait(PATIENCE)
    return task


def test_waiting_until_it_is_taken(desk: Desk) -> None:
    """Who waits for the peer goes on as soon as little enough is kept."""
    assert desk.outbox.wait_until_taken(0) is True
    desk.outbox.send(LARGE)
    task = waiting(desk)
    desk.outbox.flush()
    assert task.is_alive()
    desk.drain()
    assert task.result() is True


@pytest.mark.parametrize("end", ["close", "cut", "finish"])
def test_waiting_ends_with_the_connection(desk: Desk, end: str) -> None:
    """Who waits for a peer that goes away is told so."""
    desk.outbox.send(LARGE)
    task = waiting(desk)
    if end == "finish":
        desk.outbox.finish(b"goodbye")
    else:
        getattr(desk.outbox, end)()
    assert task.result() is False
    assert desk.outbox.wait_until_taken(10**9) is False


# --- many at once ---------------------------------------------------------------------------------------


def test_concurrent_senders_do_not_mix(desk: Desk) -> None:
    """Whoever sends at the same time, each send's bytes arrive in one piece, in the order of its sender."""
    senders, sends, size = 4, 50, 700
    start = threading.Barrier(senders)

    def run(number: int) -> None:
        start.wait(PATIENCE)
        for count in range(sends):
            desk.outbox.send(bytes([number, count]) * size)

    tasks = [Task(lambda n=number: run(n)) for number in range(senders)]  # type: ignore[misc]
    found = b""
    while len(found) < senders * sends * 2 * size:
        desk.outbox.flush()
        desk.theirs.setblocking(False)
        try:
            found += desk.theirs.recv(65536)
        except BlockingIOError:
            pass
    for task in tasks:
        task.result()
    seen: dict[int, list[int]] = {number: [] for number in range(senders)}
    for place in range(0, len(found), 2 * size):
        number, count = found[place], found[place + 1]
        assert found[place : place + 2 * size] == bytes([number, count]) * size
        seen[number].append(count)
    assert all(counts == list(range(sends)) for counts in seen.values())
