"""Lab 05: messages are prepared at the same time, and shown in the order in which they came."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

from notes.labs.stage import Actor, Planted, eventually, goes_round, must_sleep, rest, waits
from notes.labs.starts import Starts, at_every_step_of_started, held
from notes.labs.subject import NotYet, Subject

NUMBERS = ("first", "second", "third")


class Screen:
    """The stage's prepare() and show(): prepare() waits until its message is released."""

    def __init__(self, subject: Subject, *messages: str, broken: str = "") -> None:
        self.module: Any = subject.load("receive")
        self.module.prepare, self.module.show = self._prepare, self._show
        self.shown: list[str] = []
        self._prepared: list[str] = []
        self.threads: dict[str, threading.Thread] = {}
        self._released = {message: threading.Event() for message in messages}
        self._broken = broken
        self._subject = subject

    def _prepare(self, message: str) -> str:
        self.threads[message] = threading.current_thread()
        self._released[message].wait()
        if message == self._broken:
            raise Planted("this message cannot be prepared")
        self._prepared.append(message)
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
            if receiver.error is not None:
                raise
            raise NotYet(f"{problem}: it must not wait until a message is prepared") from None

    def release(self, message: str) -> None:
        """Let prepare() of this message return; wait until its thread, and those it wakes, are through."""
        eventually(
            lambda: message in self.threads,
            f"prepare() of {message!r} is not called before another message is shown",
        )
        self._released[message].set()
        for each in (message, *self.threads):  # its own first: it wakes others
            self.rest(each)

    def release_all(self) -> None:
        """Let prepare() return at once."""
        for released in self._released.values():
            released.set()

    def rest(self, message: str) -> None:
        """Wait until the thread of a message has ended, or waits. Raises NotYet: it polls."""
        thread = self.threads[message]
        if not rest(thread):
            raise NotYet(f"the thread of {message!r} {goes_round(thread, self._subject)}")

    def expect(self, *wanted: str) -> None:
        """Exactly these must be shown in the end."""
        try:
            eventually(lambda: len(self.shown) >= len(wanted), "")
        except NotYet:
            pass  # what follows says it
        for message in list(self.threads):
            self.rest(message)
        if self.shown != list(wanted):
            raise NotYet(f"these are shown: {', '.join(self.shown) or 'none'}{self._who_waits()}")

    def _who_waits(self) -> str:
        """The threads that wait in the file, and where, in words; or what has ended too early."""
        said = "".join(
            f"; the thread of {message!r} {waits(thread, self._subject)}"
            for message, thread in self.threads.items()
            if thread.is_alive() and self._where(thread.ident)
        )
        lost = [message for message in self._prepared if message not in self.shown]
        if lost and not any(map(self._where, sys._current_frames())):
            return f"; what was to show {lost[0]!r} has ended (does result() raise an error?)"
        return said

    def _where(self, thread: int | None) -> str:
        """Where in the file a thread is; empty: nowhere, as the idle one of a pool."""
        return self._subject.where(sys._current_frames().get(thread or 0))


def check(subject: Subject) -> None:
    """Raise NotYet unless the file is right."""
    _late(subject)
    _not_its_turn(subject)
    _broken(subject)
    _start_late(subject)
    _at_every_step(subject)


def _late(subject: Subject) -> None:
    """The first message takes longer than the second, whose thread sleeps until its turn has come."""
    screen = Screen(subject, "first", "second")
    screen.receive()
    screen.release("second")
    must_sleep("while it waits for its turn, the thread of 'second'", screen.threads["second"], subject)
    screen.release("first")
    _expect(screen, ["first", "second"], "the first message takes longer to prepare")


def _not_its_turn(subject: Subject) -> None:
    """A turn is passed to the second message, and the thread of the third wakes up, too."""
    screen = Screen(subject, *NUMBERS)
    screen.receive()
    for message in ("third", "first", "second"):
        screen.release(message)
    _expect(screen, list(NUMBERS), "the second message takes longer to prepare than the two others")


def _broken(subject: Subject) -> None:
    """A message cannot be prepared: the others are shown."""
    screen = Screen(subject, *NUMBERS, broken="second")
    screen.receive()
    for message in ("third", "second", "first"):
        screen.release(message)
    _expect(screen, ["first", "third"], "prepare() of the second of three messages fails")


def _start_late(subject: Subject) -> None:
    """The threads begin to run in the other order."""
    screen = Screen(subject, *NUMBERS)
    screen.release_all()
    starts = Starts(subject)
    with held(starts):
        screen.receive()
        for number in reversed(range(len(starts.threads))):
            starts.let_go(number)
    _expect(screen, list(NUMBERS), "the thread of the third message begins to run first")


def _at_every_step(subject: Subject) -> None:
    """The thread of one message stops after each of its steps, and the other one runs meanwhile."""
    messages = NUMBERS[:2]

    def play() -> Callable[[], None]:
        screen = Screen(subject, *messages)
        screen.release_all()
        screen.receive()
        return lambda: screen.expect(*messages)

    at_every_step_of_started(subject, play, [f"the thread of {message!r}" for message in messages])


def _expect(screen: Screen, wanted: list[str], what: str) -> None:
    try:
        screen.expect(*wanted)
    except NotYet as problem:
        raise NotYet(f"{what}, and {problem}") from None
