"""The waiting queue: first come, first served, and bounded."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from chatroom.errors import Closed
from chatroom.events import memory_of
from chatroom.limits import TICK_SECONDS
from chatroom.order import Entry, Taken
from chatroom.packets import Say
from chatroom.proposals import Leave, Lines, Proposal, ProposalKind
from chatroom.queue import WaitingQueue
from tests.support.events import NOON
from tests.support.patience import PATIENCE, eventually
from tests.support.tasks import Task

LEAVE = Proposal(1, 0, ProposalKind.LEAVE, Leave(True, ""))


class Clock:
    """Seconds that only the test moves, so that no tick comes by itself."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def still(max_count: int = 8192, max_bytes: int = 1_000_000) -> WaitingQueue:
    """A queue in which no time passes."""
    return WaitingQueue(max_count, max_bytes, Clock(), lambda: NOON)


def burst(count: int, text: str = "x", origin: int = 1) -> Proposal:
    says = [Say(id, "#general", text) for id in range(1, count + 1)]
    return Proposal(origin, 0, ProposalKind.LINES, Lines(says))


@pytest.fixture
def no_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """No tick wakes a consumer that nobody else wakes."""
    monkeypatch.setattr("chatroom.queue.TICK_SECONDS", 3600.0)


def waiter(queue: WaitingQueue, proposal: Proposal, timeout: float | None = None) -> Task[None]:
    """A producer that waits in line when this returns."""
    before = queue.blocked
    task = Task(lambda: queue.put(proposal, timeout))
    eventually(lambda: queue.blocked == before + 1, "the producer does not wait in line")
    return task


def consumer(queue: WaitingQueue) -> Task[Taken | None]:
    """A consumer that waits for the first proposal when this returns."""
    assert not queue.idle
    task = Task(queue.take)
    eventually(lambda: queue.idle, "the consumer does not wait")
    return task


def proposals(taken: Taken | None) -> list[Proposal]:
    """The proposals of all entries; a tick has none."""
    assert taken is not None
    return [proposal for entry in taken.entries for proposal in entry.proposals]


def test_proposals_are_taken_in_their_order() -> None:
    """Proposals are taken in the order in which they were put, all as one entry."""
    queue = still()
    wanted = [burst(1), LEAVE, burst(3)]
    for proposal in wanted:
        queue.put(proposal)
    assert len(queue) == 5
    assert queue.take() == Taken([Entry(b"", NOON, "", 0, wanted)], [])
    assert len(queue) == 0


def test_first_come_first_served_in_line() -> None:
    """Producers that find the queue full get in by the order in which they arrived, one for each place."""
    queue = still(max_count=1)
    wanted = [burst(1, origin=origin) for origin in range(6)]
    queue.put(wanted[0])
    tasks = [waiter(queue, proposal) for proposal in wanted[1:]]
    for proposal in wanted:
        assert proposals(queue.take()) == [proposal]
    for task in tasks:
        task.result()


def test_a_producer_gives_up_in_time() -> None:
    """A producer that finds the queue full for all of its time gets TimeoutError; its proposal is dropped."""
    queue = WaitingQueue(max_count=1)
    accepted = burst(1)
    queue.put(accepted)
    with pytest.raises(TimeoutError):
        queue.put(burst(1), timeout=0.01)
    assert queue.blocked == 0
    assert proposals(queue.take()) == [accepted]


def test_a_producer_that_gives_up_lets_the_next_one_in() -> None:
    """Behind a producer that has given up, the next one moves up and gets in when there is room."""
    clock = Clock()
    queue = WaitingQueue(max_count=1, clock=clock)
    queue.put(burst(1))
    impatient = waiter(queue, burst(1), timeout=0.02)
    proposal = burst(1)
    patient = waiter(queue, proposal)
    clock.now = 0.5
    with pytest.raises(TimeoutError):
        impatient.result()
    assert patient.is_alive() and queue.blocked == 1
    queue.take()
    patient.result()
    assert proposals(queue.take()) == [proposal]


def test_a_newcomer_does_not_overtake() -> None:
    """A producer that arrives when there is room again still stands behind those that have waited for it."""
    for _ in range(20):
        queue = still(max_count=2)
        queue.put(burst(2))
        early, late = burst(1, origin=1), burst(1, origin=2)
        first = waiter(queue, early)
        queue.take()
        queue.put(late, PATIENCE)  # there is room, and the woken thread has hardly run yet
        first.result()
        assert proposals(queue.take()) == [early, late]


def test_a_full_queue_blocks() -> None:
    """A producer that finds the queue full returns only after the consumer has taken proposals."""
    queue = still(max_count=3)
    queue.put(burst(3))
    task = waiter(queue, burst(1))
    assert task.is_alive() and len(queue) == 3
    queue.take()
    task.result()
    assert len(queue) == 1


@pytest.mark.parametrize("character", ["x", "\N{GRINNING FACE}"])
def test_long_texts_fill_it_too(character: str) -> None:
    """The queue is bounded in the memory of texts, whatever their characters, as well as in proposals."""
    text = character * 33
    queue = still(max_count=1000, max_bytes=3 * memory_of(text) + 1)
    queue.put(burst(3, text))
    queue.put(burst(1), timeout=0.01)  # there is room for one byte more
    task = waiter(queue, burst(1))
    queue.take()
    task.result()


def test_proposals_without_text_need_no_bytes() -> None:
    """A proposal other than lines counts as one, and takes no room from the texts."""
    queue = WaitingQueue(max_count=3, max_bytes=1)
    for _ in range(3):
        queue.put(LEAVE, timeout=0.01)
    assert len(queue) == 3
    with pytest.raises(TimeoutError):
        queue.put(LEAVE, timeout=0.01)


def test_a_burst_goes_in_whole() -> None:
    """The limit does not cut the burst of a client, so that no other client's line comes between."""
    queue = still(max_count=3)
    large = burst(50)
    queue.put(burst(2))
    queue.put(large)
    assert len(queue) == 52
    assert proposals(queue.take())[-1] is large


def test_taking_waits_for_the_first(no_ticks: None) -> None:
    """The consumer of an empty queue waits until the first proposal arrives."""
    queue = still()
    task = consumer(queue)
    proposal = burst(1)
    queue.put(proposal)
    assert proposals(task.result()) == [proposal]
    assert not queue.idle


def test_close_wakes_producers_in_line() -> None:
    """Producers that wait when the queue is closed get Closed, and their proposals are not taken."""
    queue = still(max_count=1)
    accepted = burst(1)
    queue.put(accepted)
    tasks = [waiter(queue, burst(1)) for _ in range(3)]
    queue.close()
    for task in tasks:
        with pytest.raises(Closed):
            task.result()
    assert proposals(queue.take()) == [accepted]
    assert queue.take() is None


def test_close_keeps_accepted_proposals() -> None:
    """Proposals accepted before close() can be taken after it; no more are accepted."""
    queue = still()
    proposal = burst(2)
    queue.put(proposal)
    queue.close()
    with pytest.raises(Closed):
        queue.put(burst(1))
    assert proposals(queue.take()) == [proposal]
    assert queue.take() is None


def test_close_wakes_the_consumer(no_ticks: None) -> None:
    """A consumer that waits at an empty queue gets None when the queue is closed."""
    queue = still()
    task = consumer(queue)
    queue.close()
    assert task.result() is None


def test_many_producers_keep_their_own_order() -> None:
    """However the producers' threads meet at a small queue, nothing is lost and each one's order is kept."""
    queue = still(max_count=4)
    producers = 8
    start = threading.Barrier(producers)

    def produce(origin: int) -> None:
        start.wait(PATIENCE)
        for id in range(100):
            queue.put(Proposal(origin, 0, ProposalKind.LINES, Lines([Say(id, "#general", "x")])))

    tasks = [Task(partial(produce, origin)) for origin in range(producers)]
    taken: dict[int, list[int]] = {origin: [] for origin in range(producers)}
    while sum(map(len, taken.values())) < 100 * producers:
        batch = proposals(queue.take())
        assert len(batch) <= 4
        for proposal in batch:
            assert isinstance(proposal.body, Lines)
            taken[proposal.origin].append(proposal.body.says[0].id)
    for task in tasks:
        task.result()
    assert all(ids == list(range(100)) for ids in taken.values())


# --- entries, ticks, tasks ------------------------------------------------------------------------------


def test_an_entry_says_which_life_it_belongs_to() -> None:
    """After begin(), entries name the life of the server, and have the time of their taking."""
    times = iter([NOON, NOON + 5])
    queue = WaitingQueue(clock=Clock(), now=lambda: next(times))
    queue.begin(b"identity", b"", 7)
    for time in (NOON, NOON + 5):
        queue.put(LEAVE)
        assert queue.take() == Taken([Entry(b"", time, "", 7, [LEAVE])], [])


def test_a_tick_each_second() -> None:
    """Once a second an entry without proposals comes: behind what waits, and although nothing waits."""
    clock = Clock()
    queue = WaitingQueue(clock=clock, now=lambda: NOON)
    tick = Entry(b"", NOON, "", 0, [])
    clock.now += TICK_SECONDS
    assert queue.take() == Taken([tick], [])
    queue.put(LEAVE)
    assert queue.take() == Taken([tick._replace(proposals=[LEAVE])], [])
    clock.now += 3 * TICK_SECONDS
    queue.put(LEAVE)
    assert queue.take() == Taken([tick._replace(proposals=[LEAVE]), tick], [])
    queue.put(LEAVE)
    assert queue.take() == Taken([tick._replace(proposals=[LEAVE])], [])


def test_a_waiting_consumer_gets_its_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A consumer of an empty queue is woken by the tick."""
    monkeypatch.setattr("chatroom.queue.TICK_SECONDS", 0.01)
    queue = WaitingQueue(now=lambda: NOON)
    for _ in range(3):
        assert queue.take() == Taken([Entry(b"", NOON, "", 0, [])], [])


def test_a_full_queue_does_not_stop_the_ticks() -> None:
    """A tick needs no room in the queue."""
    clock = Clock()
    queue = WaitingQueue(max_count=1, clock=clock)
    queue.put(LEAVE)
    task = waiter(queue, LEAVE)
    clock.now += TICK_SECONDS
    taken = queue.take()
    assert taken is not None and [len(entry.proposals) for entry in taken.entries] == [1, 0]
    task.result()


def test_tasks_are_no_entries(no_ticks: None) -> None:
    """Tasks come in their order beside the entries, wake the consumer, and need no room."""
    queue = still(max_count=1)
    ran: list[int] = []
    first, second = partial(ran.append, 1), partial(ran.append, 2)
    task = consumer(queue)
    queue.post(first)
    assert task.result() == Taken([], [first])
    queue.put(LEAVE)
    queue.post(first)
    queue.post(second)
    assert len(queue) == 1
    taken = queue.take()
    assert taken is not None and proposals(taken) == [LEAVE] and taken.tasks == [first, second]
    assert ran == []


def test_tasks_at_the_end() -> None:
    """A task that was posted before close() can be taken; after it, post() raises Closed."""
    queue = still()
    task = partial(print)
    queue.post(task)
    queue.close()
    with pytest.raises(Closed):
        queue.post(task)
    assert queue.take() == Taken([], [task])
    assert queue.take() is None


def test_no_tick_after_the_end() -> None:
    """A queue that is closed and empty gives None, however much time has passed."""
    clock = Clock()
    queue = WaitingQueue(clock=clock)
    queue.close()
    clock.now += 10 * TICK_SECONDS
    assert queue.take() is None
