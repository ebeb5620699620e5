"""A trace: the way of one line through the server, step by step, each with its time and its thread.

Every thread that has the line notes its step. The handler of whoever asked waits until everybody has the
line, or for TRACE_SECONDS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from itertools import groupby
from threading import Condition, Lock, current_thread
from time import monotonic
from typing import Protocol

from chatroom.deadline import Deadline
from chatroom.limits import TRACE_NAMED, TRACE_WATCHED


class Step(StrEnum):
    """What happened to the line, as the rows of the answer say it. In the order of a usual line."""

    READ = "read"
    ALLOWED = "allowed"  # the forwarder knows now that the line is to be followed
    QUEUED = "queued"
    TAKEN = "taken"  # microseconds in the queue, lines in the same round
    APPLIED = "applied"  # its seq
    ENCODED = "encoded"  # bytes
    STORED = "stored"  # microseconds for it
    SENT = "sent"  # names, connections: the socket has taken all at once
    WAITS = "waits"  # names, connections, bytes: the socket has not taken all
    REST = "rest"  # names, connections: it has taken the rest, too
    GIVEN = "given"  # connections that nobody watched
    LOST = "lost"  # names, connections: they ended before
    UNSENT = "unsent"  # names, connections: they had not taken it when the wait was over
    UNFINISHED = "unfinished"  # the wait was over before all were sent the line


_Noted = tuple[float, str, Step, tuple[object, ...]]
"""When, in which thread, what, and what belongs to it."""

Row = tuple[object, ...]
"""Microseconds since the bytes were read, the thread, the `Step`, and what belongs to it.

The thread: its name; where those who get the line are told, only the first word of that.
"""


class Receiver(Protocol):
    """A connection that is sent the line; see `chatroom.door.Connection`."""

    def when_passed(self, call: Callable[[bool], None]) -> int: ...


@dataclass(slots=True)
class _Recipient:
    """Somebody who gets the line. Needs the lock of the trace.

    name:  "": must not be told
    begun, sender: when the latest bytes were sent to the connection, and in which thread; "": nothing yet
    due:   sends that the socket has not taken yet. A line goes out in one; a large batch in several
    waits: bytes that were in the send buffer then, at most
    at, thread: when the socket had taken all, or the connection ended
    """

    name: str
    begun: float = 0.0
    sender: str = ""
    due: int = 0
    waits: int = 0
    at: float = 0.0
    thread: str = ""
    lost: bool = False


class Trace:
    """One line on its way. Any thread may call all of it; nothing is called under its lock.

    origin: number of the connection from which it came
    id:     its message id
    read:   when its bytes were read; all times count from there
    clock:  seconds that only rise, as connections and the forwarder count them
    """

    def __init__(self, origin: int, id: int, read: float, clock: Callable[[], float] = monotonic) -> None:
        self.origin = origin
        self.id = id
        self.read = read
        self._clock = clock
        # Guards all fields below. `_changed` wakes the thread that waits.
        self._lock = Lock()
        self._changed = Condition(self._lock)
        self._steps: list[_Noted] = []
        self._queued = read
        self._recipients: list[_Recipient] = []
        self._others = 0  # recipients that nobody watches
        self._complete = False  # nobody else will get it
        self._due = 0  # of all recipients
        self._stopped = False  # nobody waits any more: what happens from now on is not noted
        self._refused = False

    # --- the steps ------------------------------------------------------------------------------------------

    def note(self, step: Step, *details: object, at: float | None = None) -> None:
        """A step is done. at: when; None: now"""
        now = self._clock() if at is None else at
        with self._lock:
            self._note(now, step, *details)

    def queue(self) -> None:
        """The line is about to be put into the queue."""
        now = self._clock()
        with self._lock:
            self._queued = now
            self._note(now, Step.QUEUED)

    def take(self, lines: int, at: float) -> None:
        """The forwarder has taken the line from the queue, in a round with so many lines."""
        with self._lock:
            self._note(at, Step.TAKEN, _microseconds(at - self._queued), lines)

    def refuse(self) -> None:
        """The line is not said, and whoever asked is told why in another way: there will be no answer."""
        with self._lock:
            self._refused = True
            self._changed.notify_all()

    def _note(self, at: float, step: Step, *details: object) -> None:
        """Requires holding the lock."""
        if not self._stopped:
            self._steps.append((at, current_thread().name, step, details))

    # --- those who get it -----------------------------------------------------------------------------------

    def receivers(self, names: Sequence[str]) -> range:
        """These will be sent the line, too: the numbers of the first of them. The others are only counted.

        names: "": it must not be told
        """
        with self._lock:
            first = len(self._recipients)
            self._recipients += [_Recipient(name) for name in names[: TRACE_WATCHED - first]]
            self._others += first + len(names) - len(self._recipients)
            return range(first, len(self._recipients))

    def sent(self, number: int, connection: Receiver) -> None:
        """The line was sent to this connection: as far as the socket took it, the rest is buffered."""
        now = self._clock()
        with self._lock:
            if self._stopped:
                return
            recipient = self._recipients[number]
            recipient.begun, recipient.sender = now, _thread_kind()
            recipient.due += 1
            self._due += 1
        waiting = connection.when_passed(partial(self._passed, number))
        if waiting:
            with self._lock:
                recipient.waits = max(recipient.waits, waiting)

    def _passed(self, number: int, is_open: bool) -> None:
        """The socket has taken what was sent, or the connection is ending. In any thread."""
        now = self._clock()
        with self._lock:
            if self._stopped:
                return
            recipient = self._recipients[number]
            recipient.at, recipient.thread = now, _thread_kind()
            recipient.lost = recipient.lost or not is_open
            recipient.due -= 1
            self._due -= 1
            if not self._due:
                self._changed.notify_all()

    def complete(self) -> None:
        """The line was sent to everybody who gets it."""
        with self._lock:
            self._complete = True
            if self._others:
                self._note(self._clock(), Step.GIVEN, self._others)
            self._changed.notify_all()

    # --- the end --------------------------------------------------------------------------------------------

    def wait(self, seconds: float) -> bool:
        """Wait until everybody has the line, at most so long; False: it was refused, so nobody has it."""
        deadline = Deadline(seconds)
        with self._lock:
            while not self._is_over() and not deadline.expired:
                self._changed.wait(deadline.left())
            now, thread = self._clock(), current_thread().name
            late = [one for one in self._recipients if one.due]
            if late:
                names = [one.name for one in late if one.name][:TRACE_NAMED]
                self._steps.append((now, thread, Step.UNSENT, (names, len(late))))
            if not self._complete:
                self._steps.append((now, thread, Step.UNFINISHED, ()))
            self._stopped = True
            return not self._refused

    def stop(self) -> None:
        """Let nobody wait any more: the chatroom closes."""
        with self._lock:
            self._stopped = True
            self._changed.notify_all()

    def _is_over(self) -> bool:
        """Requires holding the lock."""
        return self._refused or self._stopped or (self._complete and not self._due)

    def rows(self) -> tuple[Row, ...]:
        """The steps, in order of time."""
        with self._lock:
            found = [*self._steps, *_deliveries([one for one in self._recipients if one.sender])]
            found.sort(key=lambda step: step[0])
            return tuple(
                (_microseconds(at - self.read), thread, str(step), *details)
                for at, thread, step, details in found
            )


def _deliveries(recipients: list[_Recipient]) -> Iterator[_Noted]:
    """The steps of all who get the line: a few by name, the others together."""
    told = _told(recipients)
    for one in told:
        yield from _steps_of([one], [one.name])
    others = [one for one in recipients if not any(one is other for other in told)]
    for _, group in groupby(sorted(others, key=_kind), _kind):
        yield from _steps_of(list(group), [])


def _told(recipients: list[_Recipient]) -> list[_Recipient]:
    """The few that are told by name: the first who had the line, and the slowest."""
    named = sorted([one for one in recipients if one.name], key=_slowness)
    return named if len(named) <= TRACE_NAMED else [named[0], *named[1 - TRACE_NAMED :]]


def _slowness(one: _Recipient) -> tuple[bool, float]:
    return (bool(one.due), one.begun if one.due else one.at)


def _kind(one: _Recipient) -> tuple[bool, bool, bool, str]:
    """Those of one kind are told together."""
    return bool(one.due), bool(one.waits), one.lost, one.thread


def _steps_of(group: list[_Recipient], names: list[str]) -> Iterator[_Noted]:
    """The steps of connections of one kind; each step when the last of them had done it.

    names: of the connections
    """
    one, number = group[0], len(group)
    if one.waits:
        latest = max(group, key=lambda each: each.begun)
        yield latest.begun, latest.sender, Step.WAITS, (names, number, max(each.waits for each in group))
    if not one.due:
        latest = max(group, key=lambda each: each.at)
        step = Step.LOST if one.lost else Step.REST if one.waits else Step.SENT
        yield latest.at, latest.thread, step, (names, number)


def _thread_kind() -> str:
    """What the calling thread is. Its name goes on with that of a member, or with an address: it may be any
    thread, and need not be known to whoever asks."""
    return current_thread().name.partition(" ")[0]


def _microseconds(seconds: float) -> int:
    return round(seconds * 1_000_000)
