"""client/inbox.py"""

from __future__ import annotations

from collections.abc import Callable

from client.inbox import Inbox
from client.updates import CaughtUp, Ended, Update
from tests.support.events import said
from tests.support.tasks import Task


def burst(*seqs: int) -> list[Update]:
    return [said(seq, str(seq)) for seq in seqs]


def full(patience: float = 5.0) -> Inbox:
    """An inbox of two bursts, full."""
    inbox = Inbox(bound=100, patience=patience)
    assert put(inbox, 1, 2)
    assert put(inbox, 3, 4)
    return inbox


def put(inbox: Inbox, *seqs: int, when_room: Callable[[], object] = lambda: None) -> bool:
    return inbox.put(burst(*seqs), 50, lambda: (when_room(), None)[1])


def test_bursts_come_out_as_single_updates_in_order() -> None:
    """One by one or all at once, in the order in which they were put."""
    inbox = full()
    assert inbox.take() == said(1, "1")
    assert inbox.poll() == burst(2, 3, 4)
    assert inbox.poll() == []
    assert inbox.take(timeout=0.001) is None


def test_a_reader_that_waits_is_woken() -> None:
    """take() returns as soon as something is put, and at the end for good."""
    inbox = Inbox()
    reading = Task(inbox.take)
    put(inbox, 1)
    assert reading.result() == said(1, "1")
    reading = Task(inbox.take)
    inbox.end(ended := Ended("closed", None))
    assert reading.result() == ended
    assert inbox.take() is None
    assert inbox.ended == ended


def test_a_full_inbox_holds_the_connection_back_until_it_is_read() -> None:
    """put() waits until the reader has made room."""
    inbox = full()
    putting = Task(lambda: put(inbox, 5))
    assert inbox.take() == said(1, "1")
    assert putting.result()
    assert inbox.poll() == burst(2, 3, 4, 5)


def test_nobody_reads() -> None:
    """After its patience a full inbox refuses a burst, and calls once when it is half empty."""
    calls: list[str] = []
    inbox = full(patience=0.01)
    assert not put(inbox, 5, when_room=lambda: calls.append("first"))
    assert not put(inbox, 5, when_room=lambda: calls.append("second"))
    inbox.tell(CaughtUp(1, False))  # does not fit either
    assert calls == []
    assert inbox.take() == said(1, "1")
    assert calls == ["second"]
    assert put(inbox, 5)
    assert inbox.poll() == burst(2, 3, 4, 5)
    assert calls == ["second"]


def test_polling_makes_room_too() -> None:
    """poll() empties the inbox and calls the connection whose burst was refused."""
    calls: list[str] = []
    inbox = full(patience=0.01)
    assert not put(inbox, 5, when_room=lambda: calls.append("room"))
    assert inbox.poll() == burst(1, 2, 3, 4)
    assert calls == ["room"]


def test_on_update_is_called_when_asked_to() -> None:
    """updated() calls on_update, and nothing where there is none."""
    calls: list[str] = []
    inbox = Inbox(lambda: calls.append("woken"))
    inbox.updated()
    inbox.on_update = None
    inbox.updated()
    assert calls == ["woken"]


def test_the_end_is_told_even_to_a_full_inbox() -> None:
    """Ended comes last and once, and wakes a thread that waits in put()."""
    inbox = full()
    putting = Task(lambda: put(inbox, 5))
    inbox.end(Ended("lost", None))
    inbox.end(Ended("closed", None))
    assert not putting.result()
    assert inbox.poll() == [*burst(1, 2, 3, 4), Ended("lost", None)]
