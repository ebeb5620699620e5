"""What a check needs to put the reader's threads where it wants them: no luck, and no long sleep.

Run a thread, stop it after its n-th step, let another thread run meanwhile, go on: for every n. A step is an
instruction of Python's virtual machine (`sys.settrace`): between any two of them the system may switch. What
uses only local variables is no step of its own, as no other thread can notice whether it has happened.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dis import opname
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from notes.labs.subject import NotYet, Subject

PATIENCE = 20.0
"""Seconds within which what must happen has to happen. A right file needs milliseconds."""

STILL_SECONDS = 0.3
"""When no thread of the process has moved for so long, nothing will happen any more."""

_LOOKS, _BETWEEN = 3, 0.001
"""A thread waits when it was asleep at so many looks, so many seconds apart, and never woke up."""

_LOCAL = (
    *("CACHE", "COPY", "EXTENDED_ARG", "JUMP", "KW_NAMES", "LOAD_CONST", "LOAD_FAST", "NOP", "NOT_TAKEN"),
    *("POP_JUMP", "POP_TOP", "PRECALL", "PUSH_NULL", "RESUME", "STORE_FAST", "SWAP", "UNPACK"),
)
"""How the names of instructions begin that no other thread can notice."""

_TASKS = Path("/proc/self/task")
"""Where Linux says what each thread does. Elsewhere the checks take longer and see less."""

_BLIND_SECONDS = 0.1
"""Without _TASKS: a thread that has not ended after so long is taken for one that waits."""


def eventually(fact: Callable[[], object], what: str) -> None:
    """Wait until `fact` is true. Raises NotYet, with `what`, when it cannot become true any more."""
    still = Stillness()
    while not fact():
        if still():
            raise NotYet(what)
        time.sleep(0.001)


class Stillness:
    """Tells whether no thread but the calling one has moved for STILL_SECONDS; after PATIENCE in any case."""

    def __init__(self) -> None:
        self._end = time.monotonic() + PATIENCE
        self._since = time.monotonic()
        self._before: object = None

    def __call__(self) -> bool:
        now, look = time.monotonic(), self._look()
        if look is None or look != self._before:
            self._since, self._before = now, look
        return now - self._since > STILL_SECONDS or now > self._end

    def _look(self) -> object:
        """What all threads have done so far; None when one of them runs or wants to run."""
        own = str(threading.get_native_id())
        try:
            tasks = {task: asleep(int(task)) for task in os.listdir(_TASKS) if task != own}
        except OSError:
            return None
        return None if None in tasks.values() else tasks


class Stop:
    """Stops a thread after so many steps in the reader's file, until go_on(). 0: never.

    line: where it has stopped; 0: it has not
    """

    def __init__(self, subject: Subject, after: int) -> None:
        self.line = 0
        self._path = subject.path
        self._left = after
        self._stopped, self._going_on = threading.Event(), threading.Event()

    def arm(self, after: int) -> None:
        """Count from now on."""
        self._left = after

    def stands(self) -> bool:
        """Whether the thread stands there now."""
        return self._stopped.is_set()

    def go_on(self) -> None:
        """Let the thread go on."""
        self._stopped.clear()
        self._going_on.set()

    def run(self, run: Callable[[], object]) -> object:
        """Run this in the thread that is to stop."""
        sys._getframe().f_trace_opcodes = True  # Python 3.12 wants to know it before settrace()
        sys.settrace(self._trace)
        try:
            return run()
        finally:
            sys.settrace(None)

    def _trace(self, frame: FrameType, event: str, arg: object) -> Callable[..., Any] | None:
        if frame.f_code.co_filename != self._path:
            return None
        frame.f_trace = self._step  # Python 3.13 wants it before the next line
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self._step

    def _step(self, frame: FrameType, event: str, arg: object) -> Callable[..., Any]:
        if event != "opcode" or opname[frame.f_code.co_code[frame.f_lasti]].startswith(_LOCAL):
            return self._step
        self._left -= 1
        if self._left == 0:
            self.line = frame.f_lineno
            self._stopped.set()
            self._going_on.wait()
        return self._step


class Actor:
    """A thread of the check, which runs functions of the reader's file.

    name:       for the reader, as "ann's handler"
    stop_after: after so many steps in the file it stops, until stop.go_on()
    """

    def __init__(self, name: str, run: Callable[[], object], subject: Subject, stop_after: int = 0) -> None:
        self.name = name
        self.result: object = None
        self.error: BaseException | None = None
        self.stop = Stop(subject, stop_after)
        self._run = run
        self._subject = subject
        self._stops = stop_after > 0
        self.thread = threading.Thread(target=self._act, name=name, daemon=True)

    def start(self) -> None:
        """Start, and return when it has stopped, has ended, or waits for something."""
        self.thread.start()
        self.rest()

    def _act(self) -> None:
        try:
            self.result = self.stop.run(self._run) if self._stops else self._run()
        except BaseException as error:  # noqa: BLE001  end() says it to the reader
            self.error = error

    def rest(self) -> bool:
        """Wait until the thread has stopped, has ended, or waits for something; whether it has ended."""
        if not rest(self.thread, self.stop.stands):
            raise NotYet(f"{self.name} goes round and round")
        return not self.thread.is_alive()

    @property
    def waits(self) -> bool:
        """Whether it has not ended, and waits."""
        return not self.rest()

    def end(self) -> object:
        """Wait for its end; its result. Raises NotYet when it does not end, or fails."""
        still = Stillness()
        while self.thread.is_alive():
            self.thread.join(_BETWEEN)
            if still() and self.thread.is_alive():
                frame = sys._current_frames().get(self.thread.ident or 0)
                raise NotYet(f"{self.name} waits for ever{self._subject.where(frame)}")
        if self.error is not None:
            raise NotYet(f"{self.name} fails: {self._subject.describe(self.error)}")
        return self.result


def rest(thread: threading.Thread, stopped: Callable[[], bool] = lambda: False) -> bool:
    """Wait until a thread has ended, waits for something, or `stopped`; False when it runs and runs."""
    looks: list[int | None] = []
    end = time.monotonic() + PATIENCE
    while thread.is_alive() and not stopped():
        if not _TASKS.exists():
            thread.join(_BLIND_SECONDS)
            break
        looks.append(asleep(thread.native_id))
        if len(looks) >= _LOOKS and looks[-1] is not None and len(set(looks[-_LOOKS:])) == 1:
            break
        if time.monotonic() > end:
            return False
        thread.join(_BETWEEN)
    return True


def asleep(thread: int | None) -> int | None:
    """How often a thread has gone to sleep so far, if it sleeps now; None while it runs or wants to run."""
    try:
        status = (_TASKS / str(thread) / "status").read_text()
    except OSError:
        return -1  # it has ended
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return int(fields["voluntary_ctxt_switches"]) if fields["State"].split()[0] == "S" else None


class Scene(NamedTuple):
    """Two things that happen at the same time, each with a name and a function.

    judge: gets their results; raises NotYet
    then:  called after the stop, before their ends are waited for
    """

    first: tuple[str, Callable[[], object]]
    second: tuple[str, Callable[[], object]]
    judge: Callable[[Any, Any], None]
    then: Callable[[Actor, Actor], None] = lambda first, second: None


def at_every_step(subject: Subject, scene: Callable[[], Scene]) -> None:
    """Play a scene again and again; each time the second runs after another step of the first.

    scene: makes a new one, with a newly loaded file
    Raises NotYet, which says where the first stood.
    """
    for step in count(1):
        now = scene()
        first = Actor(*now.first, subject, stop_after=step)
        second = Actor(*now.second, subject)
        first.start()
        second.start()
        line = first.stop.line
        first.stop.go_on()
        try:
            now.then(first, second)
            now.judge(first.end(), second.end())
        except NotYet as problem:
            if not line:
                raise
            meanwhile = f"while {first.name} stands at {subject.place(line)}, {second.name} runs"
            raise NotYet(f"{meanwhile}: {problem}") from None
        if not line:
            return


@contextmanager
def quiet() -> Iterator[None]:
    """Keep errors in the reader's own threads off the screen: the check says what they lead to."""
    before, threading.excepthook = threading.excepthook, lambda args: None
    try:
        yield
    finally:
        threading.excepthook = before
