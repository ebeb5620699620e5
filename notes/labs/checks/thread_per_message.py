"""Lab 05: messages are prepared at the same time, and shown in the order in which they came."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from notes.labs.stage import Actor, eventually, rest
from notes.labs.subject import NotYet, Subject


class Screen:
    """The stage's prepare() and show(): prepare() waits until its message is released."""

    def __init__(self, subject: Subject, *messages: str, broken: str = "") -> None:
        self.module: Any = subject.load("receive")
        self.module.prepare, self.module.show = self._prepare, self._show
        self.shown: list[str] = []
        self.threads: dict[str, threading.Thread] = {}
        self._released = {message: threading.Event() for message in messages}
        self._broken = broken
        self._subject = subject

    def _prepare(self, message: str) -> str:
        self.threads[message] = threading.current_thread()
        self._released[message].wait()
        if message == self._broken:
            raise ValueError("this message cannot be prepared")
        return message

    def _show(self, text: str) -> None:
        self.shown.append(text)

    def receive(self) -> None:
        """Give all messages to the reader's file."""

        def receive() -> None:
            for message in self._released:
                self.module.receive(message)

        receiver = Actor("receive()", receive, self._subject)
        receiver.start()
        try:
            receiver.end()
        except NotYet as problem:
            raise NotYet(f"{problem}: it must not wait until a message is prepared") from None

    def release(self, message: str) -> None:
        """Let prepare() of this message return, and wait until its thread has done what it can."""
        eventually(
            lambda: message in self.threads,
            f"prepare() of {message!r} is not called before another message is shown",
        )
        self._released[message].set()
        rest(self.threads[message])

    def release_all(self) -> None:
        """Let prepare() return at once."""
        for released in self._released.values():
            released.set()


def check(subject: Subject) -> None:
    """Raise NotYet unless the file is right."""
    _late(subject)
    _broken(subject)
    _start_late(subject)


def _late(subject: Subject) -> None:
    """The first message takes longer than the second."""
    screen = Screen(subject, "first", "second")
    screen.receive()
    screen.release("second")
    screen.release("first")
    _expect(screen, ["first", "second"], "the first message takes longer to prepare")


def _broken(subject: Subject) -> None:
    """A message cannot be prepared: the others are shown."""
    screen = Screen(subject, "first", "second", "third", broken="second")
    screen.receive()
    for message in ("third", "second", "first"):
        screen.release(message)
    _expect(screen, ["first", "third"], "prepare() of the second of three messages fails")


def _start_late(subject: Subject) -> None:
    """The threads begin to run in the other order."""
    messages = ("first", "second", "third")
    screen = Screen(subject, *messages)
    screen.release_all()
    with _backwards() as run:
        screen.receive()
        run()
    _expect(screen, list(messages), "the thread of the third message begins to run first")


def _expect(screen: Screen, wanted: list[str], what: str) -> None:
    for thread in list(screen.threads.values()):
        rest(thread)
    if screen.shown != wanted:
        raise NotYet(f"{what}, and these are shown: {', '.join(screen.shown) or 'none'}")


@contextmanager
def _backwards() -> Iterator[Callable[[], None]]:
    """Threads wait before they run; the function that it gives lets them run, the last one first."""
    gates: dict[threading.Thread, threading.Event] = {}  # in the order of the starts
    start, run = threading.Thread.start, threading.Thread.run

    def noted_start(self: threading.Thread) -> None:
        if self.name != "receive()":
            gates[self] = threading.Event()
        start(self)

    def gated_run(self: threading.Thread) -> None:
        if self in gates:
            gates[self].wait()
        run(self)

    def let_run() -> None:
        for thread, gate in reversed(list(gates.items())):
            gate.set()
            rest(thread)

    threading.Thread.start, threading.Thread.run = noted_start, gated_run  # type: ignore[method-assign]
    try:
        yield let_run
    finally:
        threading.Thread.start, threading.Thread.run = start, run  # type: ignore[method-assign]
