"""Figures: what whoever runs the chatroom wants to know of it. They are collected always, and read rarely."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import NamedTuple

from chatroom.limits import SECONDS_STEPS, SIZE_STEPS
from chatroom.packets import Resumed


class Spread(NamedTuple):
    """How some values were spread.

    steps:  upper bounds, rising
    counts: how many values were at most so large and above the step before; the last: larger than all steps
    total:  of all values
    """

    steps: Sequence[float]
    counts: tuple[int, ...]
    total: float


class Round(NamedTuple):
    """What one round of the forwarder did, and how it has left the chatroom.

    time:        of its latest entry, in milliseconds since 1970
    waited:      seconds for which the first of its proposals had waited in the queue
    events:      how many events came of it
    lines:       how many of them were lines
    size:        bytes of their packets
    stored:      seconds until they were stored
    sent:        seconds from its begin to the last send
    members, connections, channels, accounts: how many there are now
    head:        seq of the latest event
    deliveries, delivered: batches that were given to connections so far, and their bytes
    """

    time: int = 0
    waited: float = 0.0
    events: int = 0
    lines: int = 0
    size: int = 0
    stored: float = 0.0
    sent: float = 0.0
    members: int = 0
    connections: int = 0
    channels: int = 0
    accounts: int = 0
    head: int = 0
    deliveries: int = 0
    delivered: int = 0


class Snapshot(NamedTuple):
    """The figures at one moment.

    latest:      the latest round
    lines, size: of all rounds since the start, as in `Round`
    stored_at:   when events were stored for the last time, in milliseconds since 1970; 0: not yet
    waits, batches, stores, sends: of each round with events: `waited`, `events`, `stored`, `sent`
    admitted:    how many connections were admitted, by how their replay began
    refused:     how many were refused, by the reason in one word
    holding:     whether the history cannot be written now, and lines wait for it
    """

    latest: Round
    lines: int
    size: int
    stored_at: int
    waits: Spread
    batches: Spread
    stores: Spread
    sends: Spread
    admitted: Mapping[Resumed, int]
    refused: Mapping[str, int]
    holding: bool


class Figures:
    """Counts what happens. Each caller holds the lock for a moment; who reads gets copies.

    The forwarder calls note() once a round, however many lines it had. Words for people, and the format that
    a monitoring system reads, are made elsewhere, without the lock.
    """

    def __init__(self) -> None:
        # Guards every field below.
        self._lock = Lock()
        self._latest = Round()
        self._lines = self._size = self._stored_at = 0
        self._waits, self._batches = _Counts(SECONDS_STEPS), _Counts(SIZE_STEPS)
        self._stores, self._sends = _Counts(SECONDS_STEPS), _Counts(SECONDS_STEPS)
        self._admitted: Counter[Resumed] = Counter()
        self._refused: Counter[str] = Counter()
        self._holding = False

    def note(self, done: Round) -> None:
        """Count a round. Called by the forwarder."""
        with self._lock:
            self._latest = done
            if not done.events:
                return
            self._lines += done.lines
            self._size += done.size
            self._stored_at = done.time
            self._waits.add(done.waited)
            self._batches.add(done.events)
            self._stores.add(done.stored)
            self._sends.add(done.sent)

    def hold(self, holding: bool) -> None:
        """Note that the history cannot be written, or can again."""
        with self._lock:
            self._holding = holding

    def admit(self, resumed: Resumed) -> None:
        """Count a connection that was admitted. resumed: how its replay begins"""
        with self._lock:
            self._admitted[resumed] += 1

    def refuse(self, reason: str) -> None:
        """Count a connection that was refused. reason: one word of a fixed set, never what a peer said"""
        with self._lock:
            self._refused[reason] += 1

    def read(self) -> Snapshot:
        """All figures of this moment. Any thread."""
        with self._lock:
            return Snapshot(
                self._latest,
                self._lines,
                self._size,
                self._stored_at,
                self._waits.spread(),
                self._batches.spread(),
                self._stores.spread(),
                self._sends.spread(),
                dict(self._admitted),
                dict(self._refused),
                self._holding,
            )


class _Counts:
    """A spread that grows."""

    __slots__ = ("_counts", "_steps", "_total")

    def __init__(self, steps: Sequence[float]) -> None:
        self._steps = steps
        self._counts = [0] * (len(steps) + 1)
        self._total = 0.0

    def add(self, value: float) -> None:
        self._counts[bisect_left(self._steps, value)] += 1
        self._total += value

    def spread(self) -> Spread:
        return Spread(self._steps, tuple(self._counts), self._total)
