"""client/inbox.py"""

from __future__ import annotations

from client.inbox import Inbox
from client.updates import CaughtUp, Ended, Update
from tests.support.events import said
from tests.support.tasks import Task


def burst(*seqs: int) -> list[Update]:
    return [said(seq, str(seq)) for seq in seqs]


def full(patience: float = 5.0, drained: list[bool] | None = None) -> Inbox:
    """An inbox of two bursts, full."""
    calls = [] if drained is None else drained
    inbox = Inbox(lambda: calls.append(True), bound=100, patience=patience)
    assert inbox.put(burst(1, 2), 50)
    assert inbox.put(burst(3, 4), 50)
    return inbox


def test_bursts_come_out_as_single_updates_in_order() -> None:
    """One by one or all at once, in the order in which they were put."""
    inbox = full()
    assert inbox.take() == said(1, "1")
    assert inbox.poll() == burst(2, 3, 4)
    assert inbox.poll() == []
    assert inbox.take(timeout=0.001) is None


def test_a_reader_that_waits_is_woken() -> None:
    """take() returns as soon as something is put, and at the end for good."""
    inbox = Inbox(lambda: None)
    reading = Task(inbox.take)
    inbox.put(burst(1), 10)
    assert reading.result() == said(1, "1")
    reading = Task(inbox.take)
    inbox.end(ended := Ended("closed", None))
    assert reading.result() == ended
    assert inbox.take() is None
    assert inbox.ended == ended


def test_a_full_inbox_holds_the_connection_back_until_it_is_read() -> None:
    """put() waits for the reader, and then nothing has been left out."""
    inbox = full()
    putting = Task(lambda: inbox.put(burst(5), 50))
    assert inbox.take() == said(1, "1")
    assert putting.result()
    assert inbox.poll() == burst(2, 3, 4, 5)
    assert not inbox.behind


def test_nobody_reads() -> None:
    """After some patience bursts are left out, at once from then on: lines can go on being confirmed."""
    drained: list[bool] = []
    inbox = full(patience=0.01, drained=drained)
    assert not inbox.put(burst(5), 50)
    assert inbox.behind
    inbox._patience = 1e9
    assert not inbox.put(burst(6), 50)
    inbox.tell(CaughtUp(1, 0, False))
    assert inbox.take() == said(1, "1")
    assert drained == [True]  # half empty: the rest may be fetched
    assert not inbox.behind
    assert inbox.put(burst(5), 50)
    assert inbox.poll() == burst(2, 3, 4, 5)


def test_the_end_is_told_even_to_a_full_inbox() -> None:
    """Ended comes last, once, and wakes whoever waits to put."""
    inbox = full()
    putting = Task(lambda: inbox.put(burst(5), 50))
    inbox.end(Ended("lost", None))
    inbox.end(Ended("closed", None))
    assert not putting.result()
    assert inbox.poll() == [*burst(1, 2, 3, 4), Ended("lost", None)]
