"""The waiting queue: first come, first served, and bounded."""

from __future__ import annotations

import threading

import pytest

from chatroom.errors import Closed
from chatroom.packets import Say
from chatroom.queue import WaitingQueue
from chatroom.requests import Leave, Lines, Request
from tests.chatroom.fakes import FakeConnection
from tests.support.patience import PATIENCE, eventually
from tests.support.tasks import Task

PEER = FakeConnection()


def burst(count: int, text: str = "x") -> Lines:
    return Lines(PEER, [Say(id, "#general", text) for id in range(1, count + 1)])


def waiter(queue: WaitingQueue, request: Lines, timeout: float | None = None) -> Task[None]:
    """A producer that waits in line when this returns."""
    before = queue.blocked
    task = Task(lambda: queue.put(request, timeout))
    eventually(lambda: queue.blocked == before + 1, "the producer does not wait in line")
    return task


def consumer(queue: WaitingQueue) -> Task[list[Request] | None]:
    """A consumer that waits for the first request when this returns."""
    assert not queue.idle
    task = Task(queue.take_all)
    eventually(lambda: queue.idle, "the consumer does not wait")
    return task


def test_requests_are_taken_in_their_order() -> None:
    """Requests are taken in the order in which they were put, all at once."""
    queue = WaitingQueue()
    requests: list[Request] = [burst(1), Leave(PEER, ""), burst(3)]
    for request in requests:
        queue.put(request)
    assert len(queue) == 5
    assert queue.take_all() == requests
    assert len(queue) == 0


def test_first_come_first_served_in_line() -> None:
    """Producers that find the queue full get in by the order in which they arrived, one for each place."""
    queue = WaitingQueue(max_count=1)
    requests = [burst(1) for _ in range(6)]
    queue.put(requests[0])
    tasks = [waiter(queue, request) for request in requests[1:]]
    taken: list[Request] = []
    while len(taken) < 6:
        batch = queue.take_all()
        assert batch is not None and len(batch) == 1
        taken += batch
    assert taken == requests
    for task in tasks:
        task.result()


def test_a_producer_gives_up_in_time() -> None:
    """A producer that finds the queue full for all of its time gets TimeoutError; its request is dropped."""
    queue = WaitingQueue(max_count=1)
    accepted = burst(1)
    queue.put(accepted)
    with pytest.raises(TimeoutError):
        queue.put(burst(1), timeout=0.01)
    assert queue.blocked == 0
    assert queue.take_all() == [accepted]


def test_a_producer_that_gives_up_lets_the_next_one_in() -> None:
    """Behind a producer that has given up, the next one moves up and gets in when there is room."""
    now = [0.0]
    queue = WaitingQueue(max_count=1, clock=lambda: now[0])
    queue.put(burst(1))
    impatient = waiter(queue, burst(1), timeout=0.02)
    request = burst(1)
    patient = waiter(queue, request)
    now[0] = 1.0
    with pytest.raises(TimeoutError):
        impatient.result()
    assert patient.is_alive() and queue.blocked == 1
    queue.take_all()
    patient.result()
    assert queue.take_all() == [request]


def test_a_newcomer_does_not_overtake() -> None:
    """A producer that arrives when there is room again still stands behind those that have waited for it."""
    for _ in range(20):
        queue = WaitingQueue(max_count=2)
        queue.put(burst(2))
        early, late = burst(1), burst(1)
        first = waiter(queue, early)
        queue.take_all()
        queue.put(late, PATIENCE)  # there is room, and the woken thread has hardly run yet
        first.result()
        assert queue.take_all() == [early, late]


def test_a_full_queue_blocks() -> None:
    """A producer that finds the queue full returns only after the consumer has taken requests."""
    queue = WaitingQueue(max_count=3)
    queue.put(burst(3))
    task = waiter(queue, burst(1))
    assert task.is_alive() and len(queue) == 3
    queue.take_all()
    task.result()
    assert len(queue) == 1


def test_long_texts_fill_it_too() -> None:
    """The queue is bounded in characters as well as in requests."""
    queue = WaitingQueue(max_count=1000, max_bytes=100)
    queue.put(burst(3, "x" * 33))
    queue.put(burst(1), timeout=0.01)  # there is room for one character more
    task = waiter(queue, burst(1))
    queue.take_all()
    task.result()


def test_requests_without_text_need_no_bytes() -> None:
    """A request other than lines counts as one request, and takes no room from the texts."""
    queue = WaitingQueue(max_count=3, max_bytes=1)
    for _ in range(3):
        queue.put(Leave(PEER, ""), timeout=0.01)
    assert len(queue) == 3
    with pytest.raises(TimeoutError):
        queue.put(Leave(PEER, ""), timeout=0.01)


def test_a_burst_goes_in_whole() -> None:
    """The limit does not cut the burst of a client, so that no other client's line comes between."""
    queue = WaitingQueue(max_count=3)
    large = burst(50)
    queue.put(burst(2))
    queue.put(large)
    assert len(queue) == 52
    assert queue.take_all()[-1] is large  # type: ignore[index]


def test_taking_waits_for_the_first() -> None:
    """The consumer of an empty queue waits until the first request arrives."""
    queue = WaitingQueue()
    task = consumer(queue)
    request = burst(1)
    queue.put(request)
    assert task.result() == [request]
    assert not queue.idle


def test_close_wakes_producers_in_line() -> None:
    """Producers that wait when the queue is closed get Closed, and their requests are not taken."""
    queue = WaitingQueue(max_count=1)
    accepted = burst(1)
    queue.put(accepted)
    tasks = [waiter(queue, burst(1)) for _ in range(3)]
    queue.close()
    for task in tasks:
        with pytest.raises(Closed):
            task.result()
    assert queue.take_all() == [accepted]
    assert queue.take_all() is None


def test_close_keeps_accepted_requests() -> None:
    """Requests accepted before close() can be taken after it; no more are accepted."""
    queue = WaitingQueue()
    request = burst(2)
    queue.put(request)
    queue.close()
    with pytest.raises(Closed):
        queue.put(burst(1))
    assert queue.take_all() == [request]
    assert queue.take_all() is None


def test_close_wakes_the_consumer() -> None:
    """A consumer that waits at an empty queue gets None when the queue is closed."""
    queue = WaitingQueue()
    task = consumer(queue)
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
