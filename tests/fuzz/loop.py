"""The loop: inputs one after the other, each with a bound of time, until one is a finding."""

from __future__ import annotations

import faulthandler
import signal
import sys
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from tests.support.watchdog import stacks

CPU_SECONDS: Final = 5.0
"""Bound of an input to a pure part, in processor time, so that a busy machine makes no finding. Usual inputs
take less than a millisecond; the longest texts some ten."""

WAITING_SECONDS: Final = 300.0
"""Bound of an input to a part with threads, which may wait for a machine that does other things first."""

STUCK_SECONDS: Final = 900.0
"""After so long without a progress line, the process ends with all stacks: not even a signal helps."""

PROGRESS_SECONDS: Final = 30.0
"""Time between two progress lines."""


class Target(NamedTuple):
    """A part of the program to be fuzzed.

    make:   makes an input; nothing but the random numbers decides which
    run:    feeds it to the part. Returns what came of it: a declared error's name, or a word. Raises anything
            else when the input is a finding
    settle: checks what needs time, as that no thread is left. Called after each `every` inputs and at the end
    every:  0: `settle` does nothing
    waits:  whether it waits for other threads; then times are measured by the clock, else in processor time
    """

    make: Callable[[Random], bytes]
    run: Callable[[bytes], str]
    settle: Callable[[], None] = lambda: None
    every: int = 0
    waits: bool = False


class Hang(BaseException):
    """An input took longer than it may. No Exception: the part that hangs must not catch it."""


class Report:
    """What came of the inputs so far."""

    def __init__(self, name: str, seed: int, waits: bool) -> None:
        self.name = name
        self.seed = seed
        self.inputs = 0
        self.outcomes: Counter[str] = Counter()
        self.tracebacks = 0
        self.hangs = 0
        self.slowest = 0.0
        self.slowest_input = b""
        self._unit = "s" if waits else "s of processor time"
        self._began = time.monotonic()

    def add(self, data: bytes, outcome: str, seconds: float) -> None:
        """One more input."""
        self.inputs += 1
        self.outcomes[outcome] += 1
        if seconds > self.slowest or self.inputs == 1:
            self.slowest, self.slowest_input = seconds, data

    def line(self) -> str:
        """One line of progress."""
        rate = self.inputs / max(time.monotonic() - self._began, 1e-9)
        return f"{self.name}: {self.inputs:,} inputs, {rate:,.0f} inputs/s"

    def __str__(self) -> str:
        outcomes = ", ".join(f"{word} {count:,}" for word, count in self.outcomes.most_common())
        return (
            f"{self.line()}, seed {self.seed}\n"
            f"  outcomes: {outcomes or 'none'}\n"
            f"  tracebacks {self.tracebacks}, hangs {self.hangs}\n"
            f"  slowest input: {self.slowest:.4f} {self._unit}, {len(self.slowest_input):,} bytes"
        )


@contextmanager
def bounded(waits: bool) -> Iterator[Callable[[], None]]:
    """Gives a function to call before each input: from then on, the bound of an input runs anew."""
    timer, number = (signal.ITIMER_REAL, signal.SIGALRM) if waits else (signal.ITIMER_PROF, signal.SIGPROF)
    seconds = WAITING_SECONDS if waits else CPU_SECONDS

    def bark(*_: object) -> None:
        raise Hang(f"an input took longer than {seconds:g} s\n\n{stacks()}")

    before = signal.signal(number, bark)
    try:
        yield lambda: signal.setitimer(timer, seconds) and None
    finally:
        signal.setitimer(timer, 0)
        signal.signal(number, before)


def fuzz(name: str, target: Target, count: int, seed: int, folder: Path) -> Report:
    """Run so many inputs, fewer if one is a finding, which is saved in `folder` as bytes."""
    random, report = Random(seed), Report(name, seed, target.waits)
    clock = time.monotonic if target.waits else time.process_time
    recent: deque[bytes] = deque(maxlen=max(1, target.every))
    said = time.monotonic()
    with bounded(target.waits) as begin:
        _rearm()
        try:
            for _ in range(count):
                recent.append(target.make(random))
                begin()
                began = clock()
                outcome = target.run(recent[-1])
                report.add(recent[-1], outcome, clock() - began)
                if target.every and report.inputs % target.every == 0:
                    target.settle()
                    recent.clear()
                if time.monotonic() - said > PROGRESS_SECONDS:
                    said = time.monotonic()
                    print(report.line(), flush=True)
                    _rearm()
            begin()
            target.settle()
        except (Exception, Hang) as finding:  # noqa: BLE001  all that is not declared is looked for
            report.hangs += isinstance(finding, Hang)
            report.tracebacks += not isinstance(finding, Hang)
            traceback.print_exception(finding)
            save(recent, f"{name}-{seed}-{report.inputs}", folder)
        finally:
            faulthandler.cancel_dump_traceback_later()
    return report


def _rearm() -> None:
    if sys.stderr is sys.__stderr__:  # not in a test, which has a watchdog of its own
        faulthandler.dump_traceback_later(STUCK_SECONDS, exit=True)


def save(inputs: deque[bytes], name: str, folder: Path) -> None:
    """Save inputs for `--repeat`, the latest last; several when any of them may be the cause."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(inputs):
        path = folder / f"{name}.{number:04}"
        path.write_bytes(data)
    print(f"saved for --repeat: {folder / name}.*", flush=True)
