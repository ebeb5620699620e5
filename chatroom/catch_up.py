"""Catching up: sends missed events from history, in chunks, when the tail does not hold all of them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from chatroom.door import Connection
from chatroom.errors import Closed, HistoryError
from chatroom.events import Event
from chatroom.history import History
from chatroom.limits import BEHIND_BYTES, CATCH_UP_BYTES, CATCH_UP_EVENTS, CATCH_UP_REST
from chatroom.member import Member
from chatroom.requests import GoLive

log = logging.getLogger(__name__)


class CatchUp:
    """One thread for each member that catches up; it reads as fast as that member receives.

    history: read here, while the forwarder writes to it
    submit:  queues the request to go live
    spawn:   starts a thread with a name
    """

    def __init__(
        self,
        history: History,
        submit: Callable[[GoLive], None],
        spawn: Callable[[Callable[[], None], str], object],
    ) -> None:
        self._history = history
        self._submit = submit
        self._spawn = spawn
        self._reading = threading.Semaphore()  # one thread reads a chunk at a time
        self._closing = threading.Event()
        # Guards _head: the forwarder sets it, the threads read it.
        self._lock = threading.Lock()
        self._head = 0

    def stored(self, head: int) -> None:
        """Note that history holds every event up to seq `head`. Called by the forwarder."""
        with self._lock:
            self._head = head

    def close(self) -> None:
        """End the pauses between chunks: the chatroom closes."""
        self._closing.set()

    def begin(self, member: Member, connection: Connection, seq: int, last: int = 0) -> None:
        """Start a thread that sends the events after `seq`, then submits GoLive. Returns at once.

        last: also send the latest `last` events up to `seq`
        """
        run = partial(self._run, member, connection, member.channels, seq, last)
        try:
            self._spawn(run, f"catch-up {member.name}")
        except (Closed, RuntimeError) as error:
            connection.part(f"cannot catch up: {error}", again=True)

    def _run(
        self, member: Member, connection: Connection, channels: frozenset[str], seq: int, last: int
    ) -> None:
        try:
            start = self._before_last(last, channels, seq) if last else seq
            caught_up = self._send_missed(connection, channels, start)
            if caught_up is not None:
                self._submit(GoLive(member, connection, caught_up))
        except HistoryError as error:
            log.error("catching up of %s: %s", member.name, error)
            connection.part("the server cannot read its history", again=True)
        except Closed:
            pass  # the chatroom closes, and says goodbye to the member itself
        except Exception:  # a bug: the reaper logs it; without an end, the member would wait for ever
            connection.part("an error in the server", again=True)
            raise

    def _send_missed(self, connection: Connection, channels: frozenset[str], seq: int) -> int | None:
        """Send the events after `seq`, a chunk at a time, and return the last seq that is covered.

        Waits after each chunk until at most BEHIND_BYTES are buffered. None: the connection is ending.
        """
        limit = CATCH_UP_EVENTS
        while True:
            with self._lock:
                head = self._head
            events, size = self._send_chunk(connection, channels, seq, limit)
            if events:
                seq = events[-1].seq
            if not connection.wait_until_taken(BEHIND_BYTES):
                return None
            if len(events) < limit:
                return max(seq, head)  # up to `head`, these channels have no other event
            limit = max(1, min(CATCH_UP_EVENTS, CATCH_UP_BYTES * len(events) // size))

    def _send_chunk(
        self, connection: Connection, channels: frozenset[str], seq: int, limit: int
    ) -> tuple[list[Event], int]:
        """Read and send at most `limit` events after `seq`. Returns the events and their size in bytes."""
        with self._pause_after():
            events = self._history.read(seq, limit, channels)
            chunk = b"".join(map(connection.door.encode, events))
            if chunk:
                connection.send(chunk)
        return events, len(chunk)

    def _before_last(self, count: int, channels: frozenset[str], seq: int) -> int:
        """The seq just before the latest `count` events up to `seq`."""
        with self._lock:
            newer = max(0, self._head - seq)
        with self._pause_after():
            found = self._history.last_seqs(count + newer, channels)
        wanted = [one for one in found if one <= seq][-count:]
        return wanted[0] - 1 if wanted else seq

    @contextmanager
    def _pause_after(self) -> Iterator[None]:
        """Run the block alone, then pause in proportion to its time: live members need the GIL, too."""
        with self._reading:
            began = time.monotonic()
            yield
            self._closing.wait((time.monotonic() - began) * CATCH_UP_REST)
