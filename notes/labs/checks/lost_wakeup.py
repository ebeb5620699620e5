"""Lab 10: a thread that waits for a message gets it, and sleeps as long as there is none."""

from __future__ import annotations

import threading
import time
from typing import Any

from notes.labs.stage import Actor, Scene, asleep, at_every_step
from notes.labs.subject import NotYet, Subject

LOOK_SECONDS = 0.25
"""A thread that polls wakes up at least once in this time."""


def check(subject: Subject) -> None:
    """Raise NotYet unless the file is right."""
    _in_order(subject)
    at_every_step(subject, lambda: _one_each(subject, take_first=True))
    at_every_step(subject, lambda: _one_each(subject, take_first=False))
    at_every_step(subject, lambda: _two_puts(subject))
    at_every_step(subject, lambda: _two_takes(subject))
    _woken_for_nothing(subject)


def _queue(subject: Subject) -> Any:
    return subject.load("WaitingQueue").WaitingQueue()


def _in_order(subject: Subject) -> None:
    queue = _queue(subject)
    for message in ("a", "b", "c"):
        queue.put(message)
    for message in ("a", "b", "c"):
        taker = Actor("take()", queue.take, subject)
        taker.start()
        if taker.end() != message:
            raise NotYet("messages are not taken in the order in which they were put")


def _one_each(subject: Subject, take_first: bool) -> Scene:
    """One thread takes, one puts."""
    queue = _queue(subject)
    take, put = ("take()", queue.take), ("put()", lambda: queue.put("a"))

    def judge(*results: object) -> None:
        if "a" not in results:
            raise NotYet(f"take() returns {results[not take_first]!r} instead of the message")

    return Scene(take, put, judge) if take_first else Scene(put, take, judge)


def _two_puts(subject: Subject) -> Scene:
    """Two threads wait; two messages are put at the same time."""
    queue = _queue(subject)
    takers = [
        Actor(f"the {which} of two threads in take()", queue.take, subject) for which in ("first", "second")
    ]
    for taker in takers:
        taker.start()

    def judge(*_: object) -> None:
        taken = [taker.end() for taker in takers]
        if sorted(map(str, taken)) != ["a", "b"]:
            raise NotYet(f"a and b are put, and these are taken: {taken}")

    return Scene(("put() of a", lambda: queue.put("a")), ("put() of b", lambda: queue.put("b")), judge)


def _two_takes(subject: Subject) -> Scene:
    """Two threads take; one message is there, and another one comes."""
    queue = _queue(subject)
    queue.put("a")

    def judge(*taken: object) -> None:
        if sorted(map(str, taken)) != ["a", "b"]:
            raise NotYet(f"a and b are put, and these are taken: {taken}")

    return Scene(
        ("the first take()", queue.take),
        ("the second take()", queue.take),
        judge,
        lambda first, second: _put_later(queue, first, second),
    )


def _put_later(queue: Any, *takers: Actor) -> None:
    """Put the second message when both have done what they can."""
    for taker in takers:
        taker.rest()
    queue.put("b")


def _woken_for_nothing(subject: Subject) -> None:
    """A condition may wake a thread that nobody has notified; and without a message a thread sleeps."""
    queue = _queue(subject)
    taker = Actor("take(), woken up although nothing was put,", queue.take, subject)
    taker.start()
    for value in vars(queue).values():
        if isinstance(value, threading.Condition):
            with value:
                value.notify_all()
    if not taker.waits:
        taker.end()
        raise NotYet(f"{taker.name} returns {taker.result!r}")
    before = asleep(taker.thread.native_id)
    time.sleep(LOOK_SECONDS)
    if asleep(taker.thread.native_id) != before:
        raise NotYet("take() wakes up again and again although nothing was put: it polls")
    queue.put("a")
    taker.end()
