"""History: the interface of the durable log behind the chatroom, and an implementation in memory.

The forwarder is the only writer. Other threads may read at the same time, for members that catch up.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice
from threading import Event as Flag
from threading import Lock
from typing import NamedTuple, Protocol

from chatroom.events import Event


class SessionRecord(NamedTuple):
    """The stored part of one session: so the server recognises repeated lines after a restart, too.

    key:       hash of the session token; only the client has the token itself
    name:      the member's name
    channel:   the member's present or last channel
    present:   whether the member was in the chatroom when the record was written
    confirmed: the highest message id applied; ids rise within a session
    seen:      time of the session's last change, in milliseconds since 1970
    """

    key: bytes
    name: str
    channel: str
    present: bool
    confirmed: int
    seen: int


class Restored(NamedTuple):
    """The state with which the chatroom starts.

    head:     seq of the latest stored event, 0 for none
    sessions: all stored sessions
    time:     of the latest stored event, in milliseconds since 1970; 0 for none
    """

    head: int
    sessions: list[SessionRecord]
    time: int


class History(Protocol):
    """An append-only log of events. Every method raises HistoryError when the storage fails for good."""

    def restore(self) -> Restored:
        """The stored state."""

    def append(
        self, events: Sequence[Event], sessions: Sequence[SessionRecord], forgotten: Collection[bytes]
    ) -> None:
        """Store a batch as one transaction: after a crash, either all of it is stored or nothing.

        events:    in order of seq, without a gap after the stored ones
        sessions:  inserted, or replaced by key
        forgotten: keys of sessions to remove
        Raises HistoryFull when it may work later: nothing was stored, and the caller may repeat the call.
        """

    def read(self, after: int, limit: int, channels: Collection[str]) -> list[Event]:
        """The first `limit` events of `channels` after seq `after`, in order. Any thread may call it."""

    def last_seqs(self, limit: int, channels: Collection[str]) -> list[int]:
        """The seqs of the latest `limit` events of `channels`, in order. Any thread may call it.

        It returns no texts, so its cost does not depend on their length. `read` then returns the events.
        """

    def tend(self, stopping: Flag) -> None:
        """Do the maintenance (checkpoints, retention) until `stopping` is set. It has a thread of its own."""

    def close(self) -> None:
        """Close files and connections. Called once, after the forwarder and `tend` have ended."""


class MemoryHistory:
    """A history in memory, lost when the process ends: for `--data :memory:` and tests.

    max_events: it holds at least this many of the latest events, and at most twice as many
    """

    def __init__(self, max_events: int = 100_000) -> None:
        self._max_events = max_events
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
            if len(self._events) > 2 * self._max_events:  # rarely: so the cost per event stays constant
                del self._events[: -self._max_events]
            for key in forgotten:
                self._sessions.pop(key, None)
            self._sessions.update((session.key, session) for session in sessions)

    def read(self, after: int, limit: int, channels: Collection[str]) -> list[Event]:
        with self._lock:
            if not self._events:
                return []
            start = max(0, after + 1 - self._events[0].seq)  # seqs have no gaps, so a seq gives its index
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
