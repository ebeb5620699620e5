"""The threads that the reader's file starts, one after the other and where a check wants them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count

from notes.labs.stage import CheckThread, Stop, goes_round, rest
from notes.labs.subject import NotYet, Subject


class Starts:
    """Threads that have been started and not let go, in the order of the starts.

    stop: where the thread with the number `stopping` stops
    """

    def __init__(self, subject: Subject, stop: Stop | None = None, stopping: int = -1) -> None:
        self.threads: list[threading.Thread] = []
        self._gates: list[threading.Event] = []
        self._subject = subject
        self._stop, self._stopping = stop, stopping

    def hold(self, thread: threading.Thread) -> None:
        """Let a thread that is being started wait before it runs."""
        run, gate, number = thread.run, threading.Event(), len(self.threads)

        def gated_run() -> None:
            gate.wait()
            if self._stop is not None and number == self._stopping:
                self._stop.run(run)
            else:
                run()

        thread.run = gated_run  # type: ignore[method-assign]
        self.threads.append(thread)
        self._gates.append(gate)

    def let_go(self, number: int) -> None:
        """Let a thread run, until it has stopped, has ended, or waits for something."""
        self._gates[number].set()
        self.rest(number)

    def rest(self, number: int) -> None:
        """Wait until a thread has stopped, has ended, or waits for something. Raises NotYet: it polls."""
        stands = self._stop.stands if self._stop is not None and number == self._stopping else bool
        if not rest(self.threads[number], stands):
            words = goes_round(self.threads[number], self._subject)
            raise NotYet(f"the thread that was started as number {number + 1} {words}")


@contextmanager
def held(starts: Starts) -> Iterator[None]:
    """Threads that the reader's file starts meanwhile do not run before starts.let_go()."""
    start = threading.Thread.start

    def held_start(self: threading.Thread) -> None:
        if not isinstance(self, CheckThread):
            starts.hold(self)
        start(self)

    threading.Thread.start = held_start  # type: ignore[method-assign]
    try:
        yield
    finally:
        threading.Thread.start = start  # type: ignore[method-assign]


def at_every_step_of_started(
    subject: Subject, play: Callable[[], Callable[[], None]], names: Sequence[str]
) -> None:
    """Play a scene again and again; one of its threads stops, each time after another step, and others run.

    play:  makes a scene, with a newly loaded file, and lets it start its threads; gives what judges the end
    names: of the threads, in the order of their starts
    Raises NotYet, which says where the thread stood.
    """
    for stopping in count():
        for step in count(1):
            stop = Stop(subject, step)
            starts = Starts(subject, stop, stopping)
            with held(starts):
                judge = play()
                if stopping < len(starts.threads):
                    starts.let_go(stopping)
                for number, _ in enumerate(starts.threads):  # those that they start come to it, too
                    starts.let_go(number)
            stop.go_on()
            try:
                judge()
            except NotYet as problem:
                if not stop.line:
                    raise
                who = names[stopping] if stopping < len(names) else f"number {stopping + 1}"
                raise NotYet(f"while {who} stands at {stop.place(subject)}, others run: {problem}") from None
            if stopping >= len(starts.threads):
                return
            if not stop.line:
                break
