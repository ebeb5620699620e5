"""Plain mode: a run of joins and leaves is one line, printed when it is over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chatroom.events import Event, EventKind
from chatroom.packets import Info
from client.folded import folded
from client.limits import RUN_MOMENT, RUN_MOST
from client.updates import Ended, Update
from views.folding import Run

JOINED, QUIT, SAID = EventKind.JOINED, EventKind.QUIT, EventKind.SAID
ENDED = Ended("bye", None)


class Script:
    """A client whose updates are given; None: nothing comes until the reader stops waiting.

    waits: for how long the reader wanted to wait at each of these
    """

    name = "me"

    def __init__(self, *updates: Update | None) -> None:
        self._left = list(updates)
        self.waits: list[float | None] = []

    def updates(self, timeout: float | None = None) -> Iterator[Update]:
        while self._left:
            update = self._left.pop(0)
            if update is None:
                self.waits.append(timeout)
                assert timeout is not None, "nobody would ever print what is held back"
                return
            yield update


def event(kind: EventKind, name: str, seconds: float = 0) -> Event:
    time = int(seconds * 1000)
    return Event(1, time, kind, "#general", name, "", 0, sum(map(ord, name)), 1)


def told(script: Script) -> list[str]:
    """What the reader is given: the texts of runs, updates as their author or kind."""
    found = []
    for one in folded(script):  # type: ignore[arg-type]
        if isinstance(one, Run):
            found.append(one.text)
        else:
            found.append(f"[{one.author}]" if isinstance(one, Event) else type(one).__name__)
    return found


def test_a_run_is_printed_when_something_else_comes() -> None:
    """A line, or what the server says, comes behind the run."""
    names = [event(JOINED, name) for name in "abcd"]
    assert told(Script(*names, event(SAID, "x"), event(QUIT, "a"), Info("news"), ENDED)) == [
        "4 joined",
        "[x]",
        "a left",
        "Info",
        "Ended",
    ]


def test_a_run_is_printed_after_a_moment() -> None:
    """When nothing comes, the run is not held back; without one, nobody is woken."""
    script = Script(event(JOINED, "a"), event(JOINED, "b"), None, event(JOINED, "c"), ENDED)
    assert told(script) == ["a, b joined", "c joined", "Ended"]
    assert script.waits == [RUN_MOMENT]


def test_a_run_without_an_end_is_printed_in_pieces() -> None:
    """In a storm the reader is told now and then."""
    storm = [event(JOINED, chr(97 + number), number) for number in range(14)]
    assert told(Script(*storm, ENDED)) == ["7 joined", "7 joined", "Ended"]
    assert RUN_MOST == 5


@pytest.mark.parametrize("end", [ENDED, None])
def test_the_end(end: Update | None) -> None:
    """At the end nothing is held back; after Ended the reader stops, and so it does when the client stops."""
    assert told(Script(event(JOINED, "a"), *([end] if end else []))) == [
        "a joined",
        *(["Ended"] if end else []),
    ]


def test_who_spoke_lately_is_not_folded() -> None:
    """As on the screen."""
    script = Script(event(SAID, "a"), event(QUIT, "b"), event(QUIT, "a"), event(QUIT, "me"), ENDED)
    assert told(script) == ["[a]", "b left", "[a]", "[me]", "Ended"]


def test_what_is_not_shown_ends_no_run() -> None:
    """Events of a channel that the program does not show are as if they had not come."""
    hidden = event(SAID, "x")
    script = Script(event(JOINED, "a"), hidden, event(JOINED, "b"), ENDED)
    found = list(folded(script, lambda update: update is not hidden))  # type: ignore[arg-type]
    assert [one.text for one in found if isinstance(one, Run)] == ["a, b joined"] and found[1:] == [ENDED]
