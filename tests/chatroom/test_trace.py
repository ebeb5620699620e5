"""The steps of one line: who has it, who is named, and that a wait for it ends."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest

from chatroom.limits import TRACE_NAMED, TRACE_WATCHED
from chatroom.trace import Step, Trace
from tests.support.patience import PATIENCE
from tests.support.tasks import Task


class Reader:
    """A connection whose socket takes what it is sent when the test says so."""

    def __init__(self, waiting: int = 0) -> None:
        self.waiting = waiting
        self.takes: list[Callable[[bool], None]] = []

    def when_passed(self, call: Callable[[bool], None]) -> int:
        if not self.waiting:
            call(True)
        else:
            self.takes.append(call)
        return self.waiting

    def take(self, is_open: bool = True) -> None:
        self.takes.pop()(is_open)


class Clock:
    """now: seconds; each look takes a microsecond"""

    now = 5.0

    def __call__(self) -> float:
        self.now += 1e-6
        return self.now


@pytest.fixture
def trace() -> Trace:
    return Trace(1, 7, 5.0, Clock())


def send(trace: Trace, name: str, reader: Reader) -> Reader:
    (number,) = trace.receivers([name])
    trace.sent(number, reader)
    return reader


def steps(trace: Trace) -> list[Any]:
    """The rows without times and threads."""
    return [(step, *rest) for _, _, step, *rest in trace.rows()]


def test_steps_are_in_order_of_time(trace: Trace) -> None:
    """Each step has its thread, and its time since the reading, whenever it was noted."""
    trace.queue()
    trace.note(Step.APPLIED, 3)
    trace.note(Step.READ, at=5.0)
    trace.take(1, 5.0 + 4e-6)
    rows = trace.rows()
    assert [row[:1] + row[2:] for row in rows] == [
        (0, "read"),
        (1, "queued"),
        (2, "applied", 3),
        (4, "taken", 3, 1),
    ]
    assert {row[1] for row in rows} == {"MainThread"}


def test_everybody_has_it(trace: Trace) -> None:
    """The wait is over at once when all sockets have taken the line, and nobody else gets it."""
    send(trace, "ann", Reader())
    send(trace, "bob", Reader())
    trace.complete()
    assert trace.wait(PATIENCE)
    assert steps(trace) == [("sent", ["ann"], 1), ("sent", ["bob"], 1)]


def test_the_last_one_wakes_who_waits(trace: Trace) -> None:
    """A socket that takes the rest later ends the wait, in the thread that has sent it."""
    bob = send(trace, "bob", Reader(500))
    trace.complete()
    waiting = Task(lambda: trace.wait(PATIENCE))
    bob.take()
    assert waiting.result()
    assert steps(trace) == [("waits", ["bob"], 1, 500), ("rest", ["bob"], 1)]


def test_who_does_not_read_is_named_in_the_end(trace: Trace) -> None:
    """The wait ends after its time; what the socket takes later is not noted any more."""
    send(trace, "ann", Reader())
    bob = send(trace, "bob", Reader(500))
    trace.complete()
    assert trace.wait(0.0)
    bob.take()
    trace.note(Step.APPLIED, 3)
    late = [("sent", ["ann"], 1), ("waits", ["bob"], 1, 500), ("unsent", ["bob"], 1)]
    assert steps(trace) == late


def test_a_connection_that_ends(trace: Trace) -> None:
    """Whose connection ends before it has the line is lost, and nobody waits for it."""
    bob = send(trace, "bob", Reader(500))
    trace.complete()
    bob.take(is_open=False)
    assert trace.wait(PATIENCE)
    assert steps(trace)[-1] == ("lost", ["bob"], 1)


def test_a_line_in_several_pieces(trace: Trace) -> None:
    """Somebody has the line when the socket has taken all pieces of the batch."""
    (number,) = trace.receivers(["bob"])
    reader = Reader(500)
    trace.sent(number, reader)
    trace.sent(number, reader)
    trace.complete()
    reader.take()
    assert not trace._is_over()
    reader.take()
    assert trace.wait(PATIENCE)
    assert steps(trace) == [("waits", ["bob"], 1, 500), ("rest", ["bob"], 1)]


def test_many_are_counted(trace: Trace) -> None:
    """The first and the slowest are named, in whichever way they got it; the others are counted together."""
    readers = [send(trace, f"m{number}", Reader(number == 3)) for number in range(100)]
    trace.complete()
    readers[3].take()
    assert trace.wait(PATIENCE)
    found = steps(trace)
    named = [rest[0] for _, *rest in found if len(rest[0]) == 1]
    assert named == [["m0"], ["m3"], *([f"m{number}"] for number in range(94, 100)), ["m3"]]
    assert ("sent", [], 100 - TRACE_NAMED) in found and len(found) == TRACE_NAMED + 2


def test_who_must_not_be_named_is_counted(trace: Trace) -> None:
    """Connections without a name are told together: how many, and the most that waits."""
    send(trace, "", Reader()), send(trace, "", Reader())
    send(trace, "", Reader(30)), send(trace, "", Reader(500))
    trace.complete()
    assert trace.wait(0.0)
    assert steps(trace) == [("sent", [], 2), ("waits", [], 2, 500), ("unsent", [], 2)]


def test_a_thread_tells_no_name(trace: Trace) -> None:
    """Any thread may end a connection that is behind: its name has a name or an address in it."""
    reader = send(trace, "", Reader(5000))
    ending = Thread(target=reader.take, args=(False,), name="connection 192.0.2.7:5")
    ending.start()
    ending.join(PATIENCE)
    trace.complete()
    assert [(thread, step) for _, thread, step, *_ in trace.rows()][-1] == ("connection", "lost")


def test_no_thread_names_who_must_not_be_named(trace: Trace) -> None:
    """The handler of a member that goes is called like the member: of it only the kind is told."""
    readers = [send(trace, name, Reader(9)) for name in ("", "", "ann")]
    for name, reader in zip(("eve", "bob", "ann"), readers, strict=True):
        thread = Thread(target=reader.take, args=(False,), name=f"handler {name}", daemon=True)
        thread.start()
        thread.join(PATIENCE)
    assert [row[1:] for row in trace.rows() if row[2] == "lost"] == [
        ("handler", "lost", [], 2),
        ("handler", "lost", ["ann"], 1),
    ]


def test_so_many_are_watched(trace: Trace) -> None:
    """Beyond a number of connections a trace only counts them: the forwarder has more to do."""
    assert trace.receivers(["x"] * 4) == range(4)
    assert trace.receivers(["x"] * (TRACE_WATCHED + 2)) == range(4, TRACE_WATCHED)
    assert trace.receivers(["x"] * 3) == range(TRACE_WATCHED, TRACE_WATCHED)
    trace.complete()
    assert trace.wait(PATIENCE)
    assert steps(trace) == [("given", 9)]


def test_a_refused_line(trace: Trace) -> None:
    """A line that is not said ends the wait."""
    trace.refuse()
    assert not trace.wait(PATIENCE)


def test_a_line_that_is_not_through(trace: Trace) -> None:
    """When the wait is over before all were sent the line, as while the disk is full, the end says so."""
    trace.note(Step.APPLIED, 3)
    assert trace.wait(0.0)
    assert steps(trace) == [("applied", 3), ("unfinished",)]


def test_the_end_of_the_chatroom(trace: Trace) -> None:
    """Whoever waits goes on at once, and has what is known."""
    send(trace, "bob", Reader(500))
    waiting = Task(lambda: trace.wait(PATIENCE))
    trace.stop()
    assert waiting.result()
    assert steps(trace) == [("waits", ["bob"], 1, 500), ("unsent", ["bob"], 1), ("unfinished",)]
