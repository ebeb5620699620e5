"""Fetching: turns, the rest after each, and the answer."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from threading import Event as Flag
from typing import Any, cast

import pytest

from chatroom import fetching as fetching_module
from chatroom.command import Fetch, SlashCommand
from chatroom.commands import Permitted
from chatroom.desk import Asker, Fetched, Library
from chatroom.errors import Closed, HistoryError, ProtocolError
from chatroom.fetching import Fetching, HandlerLibrary
from chatroom.finding import Wanted
from chatroom.forwarder import Forwarder
from chatroom.history import MemoryHistory
from chatroom.limits import MAX_NUMBER, SEARCH_BREATH, SEARCH_BREATH_AFTER, SEARCHES_AT_ONCE
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Answer, Replay, encode_event
from chatroom.places import Reach
from tests.chatroom.fakes import FakeConnection
from tests.server.histories import said, store
from tests.support.tasks import Task

LINE = said(1)
FOUND = Fetched(Outcome(Code.OK, ({"more": False},)), encode_event(LINE))


class FakeForwarder:
    """A state that is a word."""

    def look(self, look: Callable[[Any], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(look("state"))
        return future


def task(fetch: Fetch, is_search: bool = True) -> Permitted:
    command = SlashCommand("/find", "", "find", fetch=fetch, is_search=is_search)
    return Permitted(command, Asker(1, "#general"), "rest")


@pytest.fixture
def fetching() -> Fetching:
    return Fetching(cast(Forwarder, FakeForwarder()), MemoryHistory())


def test_a_bracket(fetching: Fetching) -> None:
    """What was fetched is answered with the request's id; the command gets who asks, and the rest."""
    asked: list[Any] = []

    def find(library: Library, asker: Asker, rest: str) -> Fetched:
        asked.append((library.read(lambda state: state), asker, rest))
        return FOUND

    connection = FakeConnection()
    assert fetching.run(connection, 7, task(find)) is None
    begin, line, answer = connection.packets
    assert (begin, line) == (Replay(7), LINE)
    assert isinstance(answer, Answer) and (answer.id, answer.code) == (7, Code.OK)
    assert asked == [("state", Asker(1, "#general"), "rest")]


@pytest.mark.parametrize("error", [HistoryError("the disk is gone"), ProtocolError("a block is cut short")])
def test_refusals(fetching: Fetching, error: Exception) -> None:
    """A refusal is the handler's to send; a history that cannot be read, or is damaged, is one.

    ProtocolError would end the connection, and tell its peer that its program was wrong.
    """
    connection = FakeConnection()
    refused = Outcome(Code.BAD_ARGUMENTS)
    assert fetching.run(connection, 7, task(lambda *_: refused)) == refused

    def broken(*_: object) -> Fetched:
        raise error

    assert fetching.run(connection, 7, task(broken)) == Outcome(Code.UNAVAILABLE)
    assert connection.packets == []


def test_so_many_at_once(fetching: Fetching, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more than SEARCHES_AT_ONCE waits for its turn, and is told to slow down when none comes."""
    monkeypatch.setattr(fetching_module, "SEARCH_WAIT", 0.01)
    begun, go_on = [Flag() for _ in range(SEARCHES_AT_ONCE)], Flag()

    def slow(number: int) -> Fetch:
        def fetch(*_: object) -> Fetched:
            begun[number].set()
            assert go_on.wait(10)
            return FOUND

        return fetch

    tasks = [
        Task(partial(fetching.run, FakeConnection(), number, task(slow(number))))
        for number in range(len(begun))
    ]
    assert all(flag.wait(10) for flag in begun)
    assert fetching.run(FakeConnection(), 9, task(lambda *_: FOUND)) == Outcome(Code.SLOW_DOWN, (0,))
    page = task(lambda *_: FOUND, is_search=False)
    assert fetching.run(FakeConnection(), 9, page) is None, "a page waits for no search"
    go_on.set()
    for one in tasks:
        one.result()
    assert fetching.run(FakeConnection(), 9, task(lambda *_: FOUND)) is None


def test_a_turn_rests(fetching: Fetching, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the answer the turn rests for as long as the search took; close() ends the rest."""
    clock = iter([0.0, 1000.0])
    monkeypatch.setattr(fetching_module, "monotonic", lambda: next(clock))
    connection = FakeConnection()
    resting = Task(partial(fetching.run, connection, 7, task(lambda *_: FOUND)))
    connection.wait_for(lambda one: len(one.packets) == 3)
    assert resting.is_alive()
    fetching.close()
    resting.result()
    with pytest.raises(Closed):
        fetching.run(connection, 8, task(lambda *_: FOUND))


def test_a_library_reads_slice_after_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    """following() goes on behind the end of a slice, until there are enough lines or nothing is left."""
    monkeypatch.setattr(fetching_module, "CATCH_UP_BYTES", 1)
    history = MemoryHistory()
    for seq in range(1, 9):
        store(history, [said(seq)])
    library = HandlerLibrary(cast(Forwarder, FakeForwarder()), history)
    wanted = Wanted(Reach({1: [(0, MAX_NUMBER)]}), after=2, until=7)
    lines, more = library.following(wanted, 3, 10**6)
    assert ([line.seq for line in lines], more) == ([3, 4, 5], True)
    lines, more = library.following(wanted, 9, 10**6)
    assert ([line.seq for line in lines], more) == ([3, 4, 5, 6, 7], False)
    assert [line.seq for line in library.find(wanted, 2, 10**6).lines] == [6, 7]


def test_a_search_lets_others_go_on(fetching: Fetching, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time that it is asked after SEARCH_BREATH_AFTER of its own processor time, it pauses."""
    worked, paused = [0.0], list[float]()
    monkeypatch.setattr(fetching_module, "thread_time", lambda: worked[0])
    monkeypatch.setattr(fetching_module, "sleep", paused.append)
    library = HandlerLibrary(cast(Forwarder, FakeForwarder()), MemoryHistory())
    library._is_over()
    assert paused == []
    for _ in range(3):
        worked[0] += 2 * SEARCH_BREATH_AFTER
        library._is_over()
        library._is_over()
    assert paused == [SEARCH_BREATH] * 3
