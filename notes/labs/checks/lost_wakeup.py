"""Lab 10: a thread that waits for a message gets it, and sleeps as long as there is none."""

from __future__ import annotations

import threading
from typing import Any

from notes.labs.stage import Actor, Scene, at_every_step, must_sleep
from notes.labs.subject import NotYet, Subject
from notes.labs.vector import in_steps


def check(subject: Subject) -> None:
    """Raise NotYet unless the file is right."""
    _in_order(subject)
    _sleeps(subject)
    at_every_step(subject, lambda: _one_each(subject, take_first=True))
    at_every_step(subject, lambda: _one_each(subject, take_first=False))
    at_every_step(subject, lambda: _one_waits(subject, take_first=True))
    at_every_step(subject, lambda: _one_waits(subject, take_first=False))
    at_every_step(subject, lambda: _two_puts(subject))
    at_every_step(subject, lambda: _two_takes(subject))
    _woken_for_nothing(subject)


def _queue(subject: Subject) -> Any:
    queue = subject.load("WaitingQueue").WaitingQueue()
    in_steps(queue)
    return queue


def _in_order(subject: Subject) -> None:
    queue = _queue(subject)
    for message in ("a", "b", "c"):
        queue.put(message)
    for message in ("a", "b", "c"):
        taker = Actor("take()", queue.take, subject)
        taker.start()
        if taker.end() != message:
            raise NotYet("messages are not taken in the order in which they were put")


def _sleeps(subject: Subject) -> None:
    """Without a message a thread sleeps."""
    queue = _queue(subject)
    taker = Actor("take()", queue.take, subject)
    taker.start()
    must_sleep("although nothing was put, take()", taker.thread, subject)
    queue.put("a")
    taker.end()


def _one_each(subject: Subject, take_first: bool) -> Scene:
    """One thread takes, one puts."""
    queue = _queue(subject)
    take, put = ("take()", queue.take), ("put()", lambda: queue.put("a"))

    def judge(*results: object) -> None:
        if "a" not in results:
            raise NotYet(f"take() returns {results[not take_first]!r} instead of the message")

    return Scene(take, put, judge) if take_first else Scene(put, take, judge)


def _one_waits(subject: Subject, take_first: bool) -> Scene:
    """One message waits already: a thread takes it while another thread puts the next."""
    queue = _queue(subject)
    queue.put("a")
    take, put = ("take()", queue.take), ("put() of b", lambda: queue.put("b"))

    def judge(*results: object) -> None:
        if (first := results[not take_first]) != "a":
            raise NotYet(f"a waits, b is put, and take() returns {first!r}")
        second = Actor("the next take(), for b,", queue.take, subject)
        second.start()
        if (then := second.end()) != "b":
            raise NotYet(f"a is taken, b was put, and the next take() returns {then!r}")

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
    """A condition may wake a thread that nobody has notified."""
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
    queue.put("a")
    taker.end()
