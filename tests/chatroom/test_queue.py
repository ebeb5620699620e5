"""The waiting queue: first come, first served, and bounded."""

from __future__ import annotations

import threading

import pytest

from chatroom.errors import Closed
from chatroom.packets import Say
from chatroom.queue import WaitingQueue
from chatroom.requests import Leave, Lines, Request
from tests.chatroom.fakes import PATIENCE, FakeConnection, Line, Task, WatchedCondition

PEER = FakeConnection()


def burst(count: int, text: str = "x") -> Lines:
    return Lines(PEER, [Say(id, "#general", text) for id in range(1, count + 1)])


def watched(queue: WaitingQueue) -> Line:
    """Let the test know when somebody has come to wait in line."""
    queue._line = line = Line()
    return line


def waiter(queue: WaitingQueue, line: Line, request: Lines) -> Task:
    """A producer that stands in line when this returns."""
    task = Task(lambda: queue.put(request))
    assert line.grown.acquire(timeout=PATIENCE)
    return task


def test_what_comes_first_is_taken_first() -> None:
    """Requests are taken in the order in which they were put, all at once."""
    queue = WaitingQueue()
    requests: list[Request] = [burst(1), Leave(PEER, ""), burst(3)]
    for request in requests:
        queue.put(request)
    assert len(queue) == 5
    assert queue.take_all() == requests
    assert len(queue) == 0


def test_first_come_first_served_among_those_who_wait() -> None:
    """Producers that find the queue full get in by the order in which they came, one for each place."""
    queue = WaitingQueue(max_count=1)
    line = watched(queue)
    requests = [burst(1) for _ in range(6)]
    queue.put(requests[0])
    tasks = [waiter(queue, line, request) for request in requests[1:]]
    taken: list[Request] = []
    while len(taken) < 6:
        batch = queue.take_all()
        assert batch is not None and len(batch) == 1
        taken += batch
    assert taken == requests
    for task in tasks:
        task.result()


def test_a_producer_that_gives_up_lets_the_next_one_in() -> None:
    """A producer whose time is over gets TimeoutError, and the one behind it moves up."""
    queue = WaitingQueue(max_count=1)
    queue.put(burst(1))
    with pytest.raises(TimeoutError):
        queue.put(burst(1), timeout=0.01)
    line = watched(queue)
    impatient = Task(lambda: queue.put(burst(1), timeout=0.05))
    assert line.grown.acquire(timeout=PATIENCE)
    patient = waiter(queue, line, burst(1))
    with pytest.raises(TimeoutError):
        impatient.result()
    assert patient.is_alive()
    queue.take_all()
    patient.result()
    assert len(queue) == 1


def test_a_newcomer_does_not_overtake() -> None:
    """Who comes when there is room again still stands behind those who have waited for it."""
    queue = WaitingQueue(max_count=2)
    line = watched(queue)
    queue.put(burst(2))
    early, late = burst(1), burst(1)
    call_next, queue._call_next = queue._call_next, lambda: None  # type: ignore[method-assign]  # nobody wakes
    first = waiter(queue, line, early)
    queue.take_all()
    second = waiter(queue, line, late)  # there is room, and it waits all the same
    queue._call_next = call_next  # type: ignore[method-assign]
    with queue._lock:
        queue._call_next()
    first.result()
    second.result()
    assert queue.take_all() == [early, late]


def test_a_full_queue_blocks() -> None:
    """A producer that finds the queue full returns only after something was taken."""
    queue = WaitingQueue(max_count=3)
    line = watched(queue)
    queue.put(burst(3))
    task = waiter(queue, line, burst(1))
    assert task.is_alive() and len(queue) == 3
    queue.take_all()
    task.result()
    assert len(queue) == 1


def test_long_texts_fill_it_too() -> None:
    """The queue is bounded in characters as well as in requests."""
    queue = WaitingQueue(max_count=1000, max_bytes=100)
    line = watched(queue)
    queue.put(burst(2, "x" * 50))
    task = waiter(queue, line, burst(1))
    queue.take_all()
    task.result()


def test_a_burst_goes_in_whole() -> None:
    """What one client sent in one piece is not cut by the limit, so nobody else's line comes between."""
    queue = WaitingQueue(max_count=3)
    large = burst(50)
    queue.put(burst(2))
    queue.put(large)
    assert len(queue) == 52
    assert queue.take_all()[-1] is large  # type: ignore[index]


def test_taking_waits_for_the_first() -> None:
    """The consumer of an empty queue sleeps until something comes."""
    queue = WaitingQueue()
    queue._filled = condition = WatchedCondition(queue._lock)
    task = Task(queue.take_all)
    assert condition.waiting.wait(PATIENCE)
    request = burst(1)
    queue.put(request)
    assert task.result() == [request]


def test_close_wakes_who_waits_in_line() -> None:
    """Producers that wait when the queue is closed are told so, and what they brought is not taken."""
    queue = WaitingQueue(max_count=1)
    line = watched(queue)
    accepted = burst(1)
    queue.put(accepted)
    tasks = [waiter(queue, line, burst(1)) for _ in range(3)]
    queue.close()
    for task in tasks:
        with pytest.raises(Closed):
            task.result()
    assert queue.take_all() == [accepted]
    assert queue.take_all() is None


def test_close_keeps_what_was_accepted() -> None:
    """What was accepted before close() can be taken after it; nothing more is accepted."""
    queue = WaitingQueue()
    request = burst(2)
    queue.put(request)
    queue.close()
    with pytest.raises(Closed):
        queue.put(burst(1))
    assert queue.take_all() == [request]
    assert queue.take_all() is None


def test_close_wakes_the_consumer() -> None:
    """A consumer that sleeps at an empty queue learns that nothing will come any more."""
    queue = WaitingQueue()
    queue._filled = condition = WatchedCondition(queue._lock)
    task = Task(queue.take_all)
    assert condition.waiting.wait(PATIENCE)
    queue.close()
    assert task.result() is None


def test_many_producers_keep_their_own_order() -> None:
    """However the producers' threads meet at a small queue, nothing is lost and each one's order is kept."""
    queue = WaitingQueue(max_count=4)
    producers = 8
    start = threading.Barrier(producers)

    def produce(connection: FakeConnection) -> None:
        start.wait(PATIENCE)
        for id in range(100):
            queue.put(Lines(connection, [Say(id, "#general", "x")]))

    connections = [FakeConnection(peer=str(number)) for number in range(producers)]
    tasks = [Task(lambda c=connection: produce(c)) for connection in connections]  # type: ignore[misc]
    taken: dict[str, list[int]] = {connection.peer: [] for connection in connections}
    while sum(map(len, taken.values())) < 100 * producers:
        batch = queue.take_all()
        assert batch is not None and len(batch) <= 4
        for request in batch:
            assert isinstance(request, Lines)
            taken[request.connection.peer].append(request.says[0].id)
    for task in tasks:
        task.result()
    assert all(ids == list(range(100)) for ids in taken.values())
