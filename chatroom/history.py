"""History: the durable log behind the chatroom, as a small interface, and the one that is only memory.

The forwarder is the only writer. Whoever catches up reads, from any thread, while it writes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice
from threading import Event as Flag
from threading import Lock
from typing import NamedTuple, Protocol

from chatroom.events import Event


class SessionRecord(NamedTuple):
    """What is remembered of one session, so that repeats are told from news after a restart, too.

    key:       hash of the session token (the token itself is only the client's)
    name:      the member's name
    channel:   where the member is or was
    present:   whether the member was in the chatroom when this was written
    confirmed: the highest message id applied; ids rise within a session
    seen:      milliseconds since 1970, when the session last changed
    """

    key: bytes
    name: str
    channel: str
    present: bool
    confirmed: int
    seen: int


class Restored(NamedTuple):
    """What a history holds when the chatroom starts on it."""

    head: int  # seq of the latest event, 0 for none
    sessions: list[SessionRecord]
    time: int  # of the latest event that is kept, 0 for none


class History(Protocol):
    """An append-only log of events. Every method raises HistoryError when the store fails for good."""

    def restore(self) -> Restored:
        """What was there before this start."""

    def append(
        self, events: Sequence[Event], sessions: Sequence[SessionRecord], forgotten: Collection[bytes]
    ) -> None:
        """Store a batch as one transaction: all of it is there after a crash, or nothing.

        events:    in order of seq, following without a gap what is stored
        sessions:  to be inserted or replaced, by key
        forgotten: keys of sessions to be removed
        Raises HistoryFull when it may work later; nothing was stored then, and the same call may be repeated.
        """

    def read(self, after: int, limit: int, channels: Collection[str]) -> list[Event]:
        """At most `limit` events with a seq above `after` in one of `channels`, in order. Any thread."""

    def last_seqs(self, limit: int, channels: Collection[str]) -> list[int]:
        """The seqs of the latest `limit` events of `channels`, in order. Any thread.

        Only the seqs: however long the texts are, it costs little; `read` then fetches them in pieces.
        """

    def tend(self, stopping: Flag) -> None:
        """Do the background work (checkpoints, retention) until `stopping` is set, in a thread of its own."""

    def close(self) -> None:
        """Give everything back. Called once, after the forwarder and `tend` have ended."""


class MemoryHistory:
    """A history that lasts as long as the process: `--data :memory:`, and tests.

    keep: how many events are kept; the oldest go first.
    """

    def __init__(self, keep: int = 100_000) -> None:
        self._keep = keep
        # Guards _events and _sessions.
        self._lock = Lock()
        self._events: list[Event] = []
        self._sessions: dict[bytes, SessionRecord] = {}

    def restore(self) -> Restored:
        with self._lock:
            head = self._events[-1].seq if self._events else 0
            time = self._events[-1].time if self._events else 0
            return Restored(head, list(self._sessions.values()), time)

    def append(
        self, events: Sequence[Event], sessions: Sequence[SessionRecord], forgotten: Collection[bytes]
    ) -> None:
        with self._lock:
            self._events.extend(events)
            if len(self._events) > 2 * self._keep:  # rarely, so that the cost per event stays constant
                del self._events[: -self._keep]
            for key in forgotten:
                self._sessions.pop(key, None)
            self._sessions.update((session.key, session) for session in sessions)

    def read(self, after: int, limit: int, channels: Collection[str]) -> list[Event]:
        with self._lock:
            if not self._events:
                return []
            start = max(0, after + 1 - self._events[0].seq)  # seqs have no gaps: the index is known
            later = map(self._events.__getitem__, range(start, len(self._events)))
            return list(islice((event for event in later if event.channel in channels), limit))

    def last_seqs(self, limit: int, channels: Collection[str]) -> list[int]:
        with self._lock:
            matching = (event.seq for event in reversed(self._events) if event.channel in channels)
            found = list(islice(matching, limit))
        return found[::-1]

    def tend(self, stopping: Flag) -> None:
        stopping.wait()

    def close(self) -> None:
        pass
