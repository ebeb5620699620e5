"""What a check needs to put the reader's threads where it wants them: no luck, and no long sleep.

Run a thread, stop it after its n-th step, let another thread run meanwhile, go on: for every n. A step is an
instruction of Python's virtual machine (`sys.settrace`): between any two of them the system may switch. What
uses only local variables is no step of its own, as no other thread can notice whether it has happened. The
methods of a Vector (`notes/labs/vector.py`) have steps, too.
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

from notes.labs import vector
from notes.labs.subject import NAME, NotYet, Subject

PATIENCE = 20.0
"""Seconds within which what must happen has to happen. A right file needs milliseconds."""

STILL_SECONDS = 0.3
"""When no thread of the process has moved for so long, nothing will happen any more."""

ROUNDS, ROUND_SECONDS, BUSY_SECONDS = 50, 0.0002, 1.0
"""When a thread that does not leave a function goes round and round in it, while nobody else moves: it has
woken up so often, and used less than so much processor time each time; or it has used so much of it in all.
"""

POLL_SECONDS = 0.25
"""A thread that polls wakes up at least once in this time."""

MOST_STEPS = 3000
"""A right file needs less than a tenth of them."""

_LOOKS, _BETWEEN = 3, 0.001
"""A thread waits when it was asleep at so many looks, so many seconds apart, and never woke up."""

_MANY_LOOKS = 20
"""After so many it is worth while to look whether the thread goes round and round, which costs more."""

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


class _Watched:
    """What Stillness knows of one thread.

    count:  how often it has gone to sleep so far
    worked: seconds of processor time that it has used so far
    moved:  when it was last seen to move
    frame:  the reader's function in which it is
    """

    def __init__(self, count: int, worked: float, frame: FrameType | None, now: float) -> None:
        self.count, self.worked, self.moved = count, worked, now
        self.frame = frame
        self.begin()

    def begin(self) -> None:
        """Somebody else has moved: what counts begins now."""
        self._count, self._worked = self.count, self.worked

    @property
    def goes_round(self) -> bool:
        """Whether it has done nothing since then but look again and again."""
        rounds, worked = self.count - self._count, self.worked - self._worked
        return (rounds >= ROUNDS and worked < rounds * ROUND_SECONDS) or worked > BUSY_SECONDS


class Stillness:
    """Tells whether nothing will happen any more; after PATIENCE in any case.

    Nothing will: no thread but the calling one (and the main thread, which only watches) has moved for
    STILL_SECONDS, or those that have stay in one function of the reader's, and look there again and again.
    """

    def __init__(self) -> None:
        self._end = time.monotonic() + PATIENCE
        self._since = time.monotonic()
        self._threads: dict[int, _Watched] = {}

    def __call__(self) -> bool:
        now = time.monotonic()
        return self._is_still(now) or now > self._end

    def goes_round(self, thread: threading.Thread) -> bool:
        """Whether this thread does not wait, but looks again and again."""
        watched = self._threads.get(thread.native_id or 0)
        return watched is not None and watched.goes_round

    def _is_still(self, now: float) -> bool:
        try:
            tasks = {int(task) for task in os.listdir(_TASKS)}
        except OSError:
            return False
        tasks -= {threading.get_native_id(), os.getpid()}
        frames = _readers_frames()
        moved = tasks != set(self._threads)
        for task in tasks:
            moved = self._look(task, frames.get(task), now) or moved
        if moved:
            self._since = now
            self._threads = {task: self._threads[task] for task in tasks}
            for watched in self._threads.values():
                watched.begin()
            return False
        return now - self._since > STILL_SECONDS and all(
            now - watched.moved > STILL_SECONDS or watched.goes_round for watched in self._threads.values()
        )

    def _look(self, task: int, frame: FrameType | None, now: float) -> bool:
        """Whether it has moved, and not only gone round within one function of the reader's."""
        count, sleeps = _sleeps(task)
        watched = self._threads.get(task)
        if watched is None or watched.frame is not frame:
            self._threads[task] = _Watched(count, _worked(task), frame, now)
            return True
        if sleeps and count == watched.count:
            return False
        watched.count, watched.worked, watched.moved = count, _worked(task), now
        return frame is None


def _readers_frames() -> dict[int, FrameType]:
    """The threads that are in the reader's file, by their native ids: the innermost function of it."""
    frames, found = sys._current_frames(), {}
    for thread in threading.enumerate():
        frame = frames.get(thread.ident or 0)
        while frame is not None and frame.f_globals.get("__name__") != NAME:
            frame = frame.f_back
        if frame is not None and thread.native_id is not None:
            found[thread.native_id] = frame
    return found


class Stop:
    """Stops a thread after so many steps in the reader's file, until go_on(). 0: never.

    line:   where it has stopped; 0: it has not
    within: the method of a Vector in which it has stopped, if it is in one
    """

    def __init__(self, subject: Subject, after: int) -> None:
        self.line = 0
        self.within = ""
        self._path = subject.path
        self._left = after
        self._stopped, self._going_on, self._gone_on = (threading.Event() for _ in range(3))

    def arm(self, after: int) -> None:
        """Count from now on."""
        self._left = after

    def stands(self) -> bool:
        """Whether the thread stands there now."""
        return self._stopped.is_set()

    def go_on(self) -> None:
        """Let the thread go on, without any trace."""
        self._stopped.clear()
        self._going_on.set()
        if self.line:
            self._gone_on.wait(PATIENCE)

    def run(self, run: Callable[[], object]) -> object:
        """Run this in the thread that is to stop."""
        sys._getframe().f_trace_opcodes = True  # Python 3.12 wants to know it before settrace()
        sys.settrace(self._trace)
        try:
            return run()
        finally:
            sys.settrace(None)

    def _trace(self, frame: FrameType, event: str, arg: object) -> Callable[..., Any] | None:
        if frame.f_code.co_filename not in (self._path, vector.__file__):
            return None
        frame.f_trace = self._step  # Python 3.13 wants it before the next line
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self._step

    def _step(self, frame: FrameType, event: str, arg: object) -> Callable[..., Any]:
        if event != "opcode" or opname[frame.f_code.co_code[frame.f_lasti]].startswith(_LOCAL):
            return self._step
        self._left -= 1
        if self._left == 0:
            self._note(frame)
            self._stopped.set()
            self._going_on.wait()
            sys.settrace(None)  # it stops once; and Python 3.12.1 may crash when two threads are traced
            frame.f_trace_opcodes = False
            self._gone_on.set()
        return self._step

    def _note(self, frame: FrameType | None) -> None:
        """Where in the reader's file it stops."""
        while frame is not None and frame.f_code.co_filename != self._path:
            self.within = frame.f_code.co_name
            frame = frame.f_back
        self.line = frame.f_lineno if frame is not None else 0

    def place(self, subject: Subject) -> str:
        """Where it has stopped, in words."""
        words = {"": "", "__iter__": ", between two items of the list"}
        within = words.get(self.within, f", in the middle of {self.within}()")
        return subject.place(self.line) + within


class CheckThread(threading.Thread):
    """A thread of the check: not one that the reader's file has started."""


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
        self.thread = CheckThread(target=self._act, name=name, daemon=True)

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
            raise NotYet(f"{self.name} {goes_round(self.thread, self._subject)}")
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
                polls = still.goes_round(self.thread)
                raise NotYet(f"{self.name} {(goes_round if polls else waits)(self.thread, self._subject)}")
        if self.error is not None:
            raise NotYet(f"{self.name} fails: {self._subject.describe(self.error)}")
        return self.result


def waits(thread: threading.Thread, subject: Subject) -> str:
    """That it waits for ever, and where, in words."""
    return f"waits for ever{subject.where(sys._current_frames().get(thread.ident or 0))}"


def goes_round(thread: threading.Thread, subject: Subject) -> str:
    """That it polls, and where, in words."""
    where = subject.where(sys._current_frames().get(thread.ident or 0))
    return f"goes round and round{where}, and does not sleep until it is woken: it polls"


def must_sleep(name: str, thread: threading.Thread, subject: Subject) -> None:
    """Raise NotYet unless a thread that has nothing to do sleeps until somebody wakes it."""
    if not rest(thread):
        raise NotYet(f"{name} {goes_round(thread, subject)}")
    before = asleep(thread.native_id)
    time.sleep(POLL_SECONDS)
    if asleep(thread.native_id) != before and thread.is_alive():
        raise NotYet(f"{name} {goes_round(thread, subject)}")


def rest(thread: threading.Thread, stopped: Callable[[], bool] = lambda: False) -> bool:
    """Wait until a thread has ended, waits for something, or `stopped`; False: it goes round and round."""
    looks: list[int | None] = []
    end, still = time.monotonic() + PATIENCE, Stillness()
    while thread.is_alive() and not stopped():
        if not _TASKS.exists():
            thread.join(_BLIND_SECONDS)
            break
        looks.append(asleep(thread.native_id))
        if len(looks) >= _LOOKS and looks[-1] is not None and len(set(looks[-_LOOKS:])) == 1:
            break
        if time.monotonic() > end or (len(looks) > _MANY_LOOKS and still()):
            return False
        thread.join(_BETWEEN)
    return True


def asleep(thread: int | None) -> int | None:
    """How often a thread has gone to sleep so far, if it sleeps now; None while it runs or wants to run."""
    count, sleeps = _sleeps(thread)
    return count if sleeps else None


def _sleeps(thread: int | None) -> tuple[int, bool]:
    """How often a thread has gone to sleep so far, and whether it sleeps now. -1: it has ended."""
    try:
        status = (_TASKS / str(thread) / "status").read_text()
    except OSError:
        return -1, True
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return int(fields["voluntary_ctxt_switches"]), fields["State"].split()[0] == "S"


def _worked(thread: int) -> float:
    """Seconds of processor time that a thread has used; 0 if the system does not say it."""
    try:
        return int((_TASKS / str(thread) / "schedstat").read_text().split()[0]) / 1e9
    except (OSError, IndexError):
        return 0.0


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
        if line and step > MOST_STEPS:
            raise NotYet(f"{first.name} goes round and round, at last at {first.stop.place(subject)}")
        first.stop.go_on()
        try:
            now.then(first, second)
            now.judge(first.end(), second.end())
        except NotYet as problem:
            if not line:
                raise
            meanwhile = f"while {first.name} stands at {first.stop.place(subject)}, {second.name} runs"
            raise NotYet(f"{meanwhile}: {problem}") from None
        if not line:
            return


class Planted(ValueError):
    """An error that the check itself lets happen."""


@contextmanager
def quiet() -> Iterator[list[BaseException]]:
    """Keep errors in the reader's own threads off the screen; gives the list in which they are then.

    Planted ones are kept, too, as a debugger keeps them: so are the objects of their functions, and
    a `__del__` that has to do something then does not run.
    """
    errors: list[BaseException] = []
    planted: list[BaseException] = []

    def note(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            (planted if isinstance(args.exc_value, Planted) else errors).append(args.exc_value)

    before, threading.excepthook = threading.excepthook, note
    try:
        yield errors
    finally:
        threading.excepthook = before
