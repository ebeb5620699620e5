"""Lab 08: a thread has an owner from its start to its end, and not longer."""

from __future__ import annotations

import threading
from typing import Any

from notes.labs.stage import Actor, Planted, Scene, at_every_step, eventually
from notes.labs.subject import NotYet, Subject

REFUSED = "refused"


class Target:
    """What a spawned thread runs: it waits until it may end."""

    def __init__(self) -> None:
        self.started, self.may_end = threading.Event(), threading.Event()
        self.ended = False

    def __call__(self) -> None:
        """The thread."""
        self.started.set()
        self.may_end.wait()
        self.ended = True

    @property
    def runs(self) -> bool:
        """Whether it has started and not ended."""
        return self.started.is_set() and not self.ended


def check(subject: Subject) -> None:
    """Raise NotYet unless the file is right."""
    at_every_step(subject, lambda: _reap_meanwhile(subject, spawn_first=True))
    at_every_step(subject, lambda: _reap_meanwhile(subject, spawn_first=False))
    _forgotten(subject)
    _refused(subject)
    _looks_meanwhile(subject)
    at_every_step(subject, lambda: _close_meanwhile(subject))


def _act(subject: Subject, name: str, run: Any) -> None:
    actor = Actor(name, run, subject)
    actor.start()
    actor.end()


def _forgotten(subject: Subject) -> None:
    """Threads that have ended are not kept."""
    reaper = subject.load("Reaper").Reaper()
    threads: list[threading.Thread] = []
    running = Target()

    def short() -> None:
        threads.append(threading.current_thread())

    def fails() -> None:
        short()
        raise Planted("a handler has failed")

    for target in (short, fails, short, running):
        _act(subject, "spawn()", lambda target=target: reaper.spawn(target))
    eventually(
        lambda: len(threads) == 3 and running.started.is_set(), "a spawned thread does not run its target"
    )
    for thread in threads:
        thread.join()
    _act(subject, "reap()", reaper.reap)
    count = len(reaper)
    running.may_end.set()
    if count != 1:
        raise NotYet(f"of four threads, three have ended; after reap() the reaper owns {count}")
    _act(subject, "close()", reaper.close)


def _refused(subject: Subject) -> None:
    """After close() no thread starts: nobody would wait for it."""
    reaper = subject.load("Reaper").Reaper()
    _act(subject, "close()", reaper.close)
    target = Target()
    if _spawn(reaper, target) is not REFUSED:
        target.may_end.set()
        raise NotYet("after close(), spawn() does not raise RuntimeError: who would wait for that thread?")


def _looks_meanwhile(subject: Subject) -> None:
    """A thread that uses the reaper before it ends can do so, also while close() waits for it."""
    reaper = subject.load("Reaper").Reaper()
    may_look, counts = threading.Event(), []

    def look() -> None:
        may_look.wait()
        counts.append(len(reaper))

    _act(subject, "spawn()", lambda: reaper.spawn(look))
    closer = Actor(
        "a thread asks for len(reaper), close() waits for that thread, and close()", reaper.close, subject
    )
    closer.start()
    may_look.set()
    closer.end()
    if not counts:
        raise NotYet("a thread asks for len(reaper) while close() waits for that thread, and gets no answer")


def _spawn(reaper: Any, target: Target) -> object:
    try:
        return reaper.spawn(target)
    except RuntimeError:
        return REFUSED


def _reap_meanwhile(subject: Subject, spawn_first: bool) -> Scene:
    """The reaper reaps while a thread is spawned: close() must wait for the thread all the same."""
    reaper = subject.load("Reaper").Reaper()
    target = Target()

    def judge(*_: object) -> None:
        closer = Actor("close()", reaper.close, subject)
        closer.start()
        waits = closer.waits
        runs = target.runs
        target.may_end.set()
        if runs and not waits and closer.error is None:
            raise NotYet("afterwards close() returns while the thread still runs: the reaper has lost it")
        closer.end()

    spawn, reap = ("spawn()", lambda: reaper.spawn(target)), ("reap()", reaper.reap)
    return Scene(spawn, reap, judge) if spawn_first else Scene(reap, spawn, judge)


def _close_meanwhile(subject: Subject) -> Scene:
    """The server ends while a thread is spawned: it is refused, or close() waits for it."""
    reaper = subject.load("Reaper").Reaper()
    target = Target()

    def then(spawn: Actor, close: Actor) -> None:
        refused = spawn.end() is REFUSED
        if not refused:
            eventually(target.started.is_set, "the thread does not start, and spawn() does not say so")
        waits = close.waits
        runs = target.runs
        target.may_end.set()
        if runs and not waits and close.error is None:
            raise NotYet("close() returns, and then the thread runs: nobody waits for it")

    return Scene(
        ("spawn()", lambda: _spawn(reaper, target)), ("close()", reaper.close), lambda *_: None, then
    )
