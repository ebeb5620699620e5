"""The waiting queue: first come, first served, and bounded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.errors import Closed
from chatroom.limits import APART_WEIGHT, LINE_WEIGHT, TICK_SECONDS
from chatroom.order import Entry, Taken
from chatroom.pace import Pace
from chatroom.packets import Burst, Form
from chatroom.proposals import Amend, Leave, Proposal, ProposalKind
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


class Room(Pace):
    """A pace that has always room for so many lines of one letter."""

    def __init__(self, lines: float) -> None:
        super().__init__()
        self._lines = lines

    @property
    def room(self) -> int:
        return int(self._lines * (LINE_WEIGHT + 1))


def still(lines: float = 8192, max_count: int = 8192) -> WaitingQueue:
    """A queue in which no time passes, with room for so many lines of one letter."""
    return WaitingQueue(max_count, Room(lines), Clock(), lambda: NOON)


def burst(count: int, text: str = "x", origin: int = 1, first: int = 1) -> Proposal:
    lines = Burst("#general", range(first, first + count), [text.encode()] * count)
    return Proposal(origin, 0, ProposalKind.LINES, lines)


@pytest.fixture
def no_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """No tick wakes a consumer that nobody else wakes."""
    monkeypatch.setattr("chatroom.queue.TICK_SECONDS", 3600.0)


def leave(origin: int) -> Proposal:
    return LEAVE._replace(origin=origin)


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
    """Producers that find no room get in by the order in which they arrived."""
    for queue, wanted in (
        (still(lines=1), [burst(1, origin=origin) for origin in range(6)]),
        (still(max_count=1), [leave(origin) for origin in range(6)]),
    ):
        queue.put(wanted[0])
        tasks = [waiter(queue, proposal) for proposal in wanted[1:]]
        for proposal in wanted:
            assert proposals(queue.take()) == [proposal]
        for task in tasks:
            task.result()


def test_a_producer_gives_up_in_time() -> None:
    """A producer that finds no room for all of its time gets TimeoutError; its proposal is dropped."""
    queue = WaitingQueue(max_count=1)
    queue.put(LEAVE)
    with pytest.raises(TimeoutError):
        queue.put(LEAVE, timeout=0.01)
    assert queue.blocked == 0
    assert proposals(queue.take()) == [LEAVE]


def test_a_producer_that_gives_up_lets_the_next_one_in() -> None:
    """Behind a producer that has given up, the next one moves up and gets in when there is room."""
    clock = Clock()
    queue = WaitingQueue(max_count=1, clock=clock)
    queue.put(LEAVE)
    impatient = waiter(queue, LEAVE, timeout=0.02)
    proposal = leave(7)
    patient = waiter(queue, proposal)
    clock.now = 0.5
    with pytest.raises(TimeoutError):
        impatient.result()
    assert patient.is_alive() and queue.blocked == 1
    queue.take()
    patient.result()
    assert proposals(queue.take()) == [proposal]


def test_a_newcomer_does_not_overtake() -> None:
    """A producer that arrives when there is room again stands behind those that have waited for it."""
    for _ in range(20):
        queue = still(max_count=2)
        early, late = leave(1), leave(2)
        queue.put(LEAVE)
        queue.put(LEAVE)
        first = waiter(queue, early)
        queue.take()
        queue.put(late, PATIENCE)  # there is room, and the woken thread has hardly run yet
        first.result()
        assert proposals(queue.take()) == [early, late]


# --- shares ---------------------------------------------------------------------------------------------


def ids(taken: Taken | None, origin: int) -> list[int]:
    """The ids of the lines of one connection."""
    return [
        id
        for proposal in proposals(taken)
        if isinstance(proposal.body, Burst) and proposal.origin == origin
        for id in proposal.body.ids
    ]


def test_a_burst_larger_than_the_room_goes_in_pieces() -> None:
    """The rest of a burst waits outside, and follows in order when the lines before it are taken."""
    queue = still(lines=10)
    task = waiter(queue, burst(25))
    for wanted in (range(1, 11), range(11, 21), range(21, 26)):
        assert len(queue) == len(wanted)
        assert ids(queue.take(), 1) == list(wanted)
    task.result()
    assert len(queue) == 0


LINES = st.lists(st.integers(0, 3 * LINE_WEIGHT), min_size=1, max_size=12)


@given(LINES, st.integers(1, 6 * LINE_WEIGHT), st.sampled_from([Form.SAY, Form.ACT]))
def test_a_burst_is_cut_by_weight(sizes: list[int], room: int, form: Form) -> None:
    """Each piece has as many lines as fit, at least one, with their own ids and texts, form and channel."""
    texts = [b"x" * size for size in sizes]
    whole = Burst("#a", [3 * number for number in range(1, len(sizes) + 1)], texts, form)
    room *= each(whole) // LINE_WEIGHT
    queue = still(lines=(room + 0.5) / (LINE_WEIGHT + 1))
    task = Task(lambda: queue.put(Proposal(1, 9, ProposalKind.LINES, whole)))
    pieces: list[Burst] = []
    while sum(len(piece.ids) for piece in pieces) < len(sizes):
        eventually(lambda: len(queue) > 0, "no piece is let in")
        for proposal in proposals(queue.take()):
            assert proposal._replace(body=None) == Proposal(1, 9, ProposalKind.LINES, None)
            assert isinstance(proposal.body, Burst)
            pieces.append(proposal.body)
    task.result()
    assert [id for piece in pieces for id in piece.ids] == whole.ids
    assert [text for piece in pieces for text in piece.texts] == texts
    assert {(piece.channel, piece.form) for piece in pieces} == {("#a", form)}
    for piece, following in zip(pieces, [*pieces[1:], None], strict=True):
        assert len(piece.ids) == 1 or weight(piece) <= room
        if following is not None:  # one more line would not have fitted
            assert weight(piece) + weight(following.part(0, 1)) > room


def each(burst: Burst) -> int:
    """What one line weighs beside its bytes."""
    return LINE_WEIGHT if burst.form == Form.SAY and not burst.extra else APART_WEIGHT


def weight(burst: Burst) -> int:
    return burst.size + each(burst) * len(burst.ids)


def test_a_burst_that_fits_is_not_copied() -> None:
    """A burst for which there is room is put into the queue as it is."""
    queue, proposal = still(), burst(5)
    queue.put(proposal)
    (taken,) = proposals(queue.take())
    assert taken.body is proposal.body


def test_a_line_of_another_waits_for_one_round() -> None:
    """Whoever talks how much, the line of one that talks little gets in at once and is taken next."""
    queue = still(lines=10)
    flood = waiter(queue, burst(1000))
    for id in range(3):
        queue.put(burst(1, origin=2, first=id), timeout=0.01)
        assert ids(queue.take(), 2) == [id]
    assert flood.is_alive()
    queue.close()


def test_a_line_that_is_dear_waits_for_few_rounds() -> None:
    """Also one that has no room in a share, while others paste long lines that have none either."""
    queue = still(lines=400)
    floods = [waiter(queue, burst(30, "x" * 1500, origin)) for origin in range(1, 41)]
    queue.take()
    lines = Burst("@ann", [1], [b"x"], extra=b"receiver")
    direct = Proposal(99, 0, ProposalKind.LINES, lines)
    task = waiter(queue, direct)
    rounds = [ids(queue.take(), 99) for _ in range(3)]
    assert [1] in rounds
    task.result()
    queue.close()
    for flood in floods:
        with pytest.raises(Closed):
            flood.result()


def test_talkers_share_the_room() -> None:
    """Several that talk much get equal parts of each round, and no round has more than the room."""
    queue = still(lines=40)
    floods = [waiter(queue, burst(200, origin=origin)) for origin in range(1, 5)]
    queue.take()
    for _ in range(3):
        taken = queue.take()
        assert [len(ids(taken, origin)) for origin in range(1, 5)] == [10] * 4
    queue.close()
    for task in floods:
        with pytest.raises(Closed):
            task.result()


def test_what_waits_is_bounded_when_ever_more_talk() -> None:
    """Each new talker gets less room than the one before: together they cannot fill the memory."""
    queue, talkers = still(lines=100), 200
    floods = [waiter(queue, burst(200, origin=origin)) for origin in range(talkers)]
    assert len(queue) < 100 * 6  # 1 + 1/2 + 1/3 + …
    queue.take()
    assert len(queue) <= 100
    queue.close()
    for task in floods:
        with pytest.raises(Closed):
            task.result()


def test_bytes_count() -> None:
    """A long text takes the room of many lines, its UTF-8 bytes and not its characters."""
    for text, lines in (("x" * LINE_WEIGHT, 20), ("😀" * LINE_WEIGHT, 8)):
        queue = still(lines=40)
        waiter(queue, burst(100, text))
        assert lines - 1 <= len(queue) <= lines
        queue.close()


def test_a_line_larger_than_a_share_gets_in_alone() -> None:
    """A line is never cut: one that is larger than the room goes in when there is room for anything."""
    queue = still(lines=2)
    large = burst(1, "x" * 60_000, origin=1)
    queue.put(large)
    other = burst(1, "x" * 60_000, origin=2)
    task = waiter(queue, other)
    assert proposals(queue.take()) == [large]
    task.result()
    assert proposals(queue.take()) == [other]


def test_what_is_no_line_is_not_held_by_lines() -> None:
    """Names, commands and leaves get in at once, behind the lines that have come before."""
    queue = still(lines=2)
    flood = waiter(queue, burst(10))
    queue.put(LEAVE, timeout=0.01)
    taken = proposals(queue.take())
    assert taken[-1] is LEAVE and len(taken) == 2
    assert flood.is_alive()
    queue.close()


def test_the_pace_sets_the_room() -> None:
    """When rounds cost more, less may wait, and the weight of the round is what was taken."""
    noted: list[tuple[int, float, float]] = []

    class Recorded(Room):
        def note(self, weight: int, sent: float, worked: float) -> None:
            noted.append((weight, sent, worked))
            self._lines = 1

    queue = WaitingQueue(pace=Recorded(3), clock=Clock())
    waiter(queue, burst(9))
    assert len(ids(queue.take(), 1)) == 3
    queue.done(0.5, 0.25)
    assert [len(ids(queue.take(), 1)) for _ in range(3)] == [3, 1, 1]
    assert noted == [(3 * (LINE_WEIGHT + 1), 0.5, 0.25)]
    queue.close()


def test_taking_waits_for_the_first(no_ticks: None) -> None:
    """The consumer of an empty queue waits until the first proposal arrives."""
    queue = still()
    task = consumer(queue)
    proposal = burst(1)
    queue.put(proposal)
    assert proposals(task.result()) == [proposal]
    assert not queue.idle


@pytest.mark.parametrize("come", [lambda queue: queue.put(burst(1)), lambda queue: queue.post(print)])
def test_idle_only_until_something_comes(come: Callable[[WaitingQueue], None]) -> None:
    """The order is not idle any more as soon as something has come, although the consumer still sleeps."""
    queue = still()
    task = consumer(queue)
    with mock.patch.object(queue._filled, "notify"):  # the consumer has no turn yet
        come(queue)
        assert not queue.idle
    queue.close()
    task.result()


def test_close_wakes_producers_in_line() -> None:
    """Producers that wait when the queue is closed get Closed, and their proposals are not taken."""
    queue = still(lines=1)
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
    queue = still(lines=4)
    producers = 8
    start = threading.Barrier(producers)

    def produce(origin: int) -> None:
        start.wait(PATIENCE)
        for id in range(100):
            queue.put(burst(1, origin=origin, first=id))

    tasks = [Task(partial(produce, origin)) for origin in range(producers)]
    taken: dict[int, list[int]] = {origin: [] for origin in range(producers)}
    while sum(map(len, taken.values())) < 100 * producers:
        batch = proposals(queue.take())
        assert len(batch) <= 12  # 4 lines, and less for each talker that was not there before
        for proposal in batch:
            assert isinstance(proposal.body, Burst)
            taken[proposal.origin].append(proposal.body.ids[0])
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


def test_an_amendment_weighs_like_a_line() -> None:
    """It waits for room as a line of its length does, and comes in its turn and whole."""
    queue = still(lines=2)
    flood = burst(2)
    queue.put(flood)
    amend = Proposal(2, 0, ProposalKind.AMEND, Amend(3, "#general", 3, None, b"x" * 5000))
    task = waiter(queue, amend)
    assert queue.blocked == 1 and proposals(queue.take()) == [flood]
    task.result()
    assert proposals(queue.take()) == [amend]
