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
from chatroom.outcomes import Code
from chatroom.places import WHOLE_CHATROOM, Reach
from chatroom.presence import Seat

log = logging.getLogger(__name__)


class _Overtaken(Exception):
    """Retention has removed events that the member was promised."""


class CatchUp:
    """One thread for each member that catches up; it reads as fast as that member receives.

    history: read here, while the forwarder writes to it
    arrive:  lets the seat go live, which has every event up to a seq; may raise Closed
    spawn:   starts a thread with a name
    """

    def __init__(
        self,
        history: History,
        arrive: Callable[[Seat, int], None],
        spawn: Callable[[Callable[[], None], str], object],
    ) -> None:
        self._history = history
        self._arrive = arrive
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

    def begin(self, seat: Seat, reach: Reach, seq: int, lines: int = 0, exact: bool = False) -> None:
        """Start a thread that sends the events after `seq` within reach, then lets the seat go live.

        Returns at once. lines: also send the latest lines of each place up to `seq`
        exact: the member was told that no event is missing: when retention removes events before they are
               sent, the connection ends, and the next WELCOME tells the member of the gap
        """
        try:
            self._spawn(partial(self._run, seat, reach, seq, lines, exact), f"catch-up {seat.name}")
        except (Closed, RuntimeError) as error:
            seat.connection.part(Code.UNAVAILABLE, f"cannot catch up: {error}")

    def _run(self, seat: Seat, reach: Reach, seq: int, lines: int, exact: bool) -> None:
        connection = seat.connection
        try:
            if lines:
                starts = self._starts(lines, reach, seq)
                seq, reach = min(starts.values()), reach.later(starts)
            caught_up = self._send_missed(connection, reach, seq, exact)
            if caught_up is not None:
                self._arrive(seat, caught_up)
        except HistoryError as error:
            log.error("catching up of %s: %s", seat.name, error)
            connection.part(Code.UNAVAILABLE, "the server cannot read its history")
        except _Overtaken:
            log.info("= %s catches up more slowly than retention removes", seat.name)
            connection.part(Code.UNAVAILABLE, "some of what you missed was removed before you had it")
        except Closed:
            pass  # the chatroom closes, and says goodbye to the member itself
        except Exception:  # a bug: the reaper logs it; without an end, the member would wait for ever
            connection.part(Code.UNAVAILABLE, "an error in the server")
            raise

    def _send_missed(self, connection: Connection, reach: Reach, seq: int, exact: bool) -> int | None:
        """Send the events after `seq`, a chunk at a time, and return the last seq that is covered.

        Waits after each chunk until at most BEHIND_BYTES are buffered. None: the connection is ending.
        """
        limit = CATCH_UP_EVENTS
        while True:
            with self._lock:
                head = self._head
            events, size = self._send_chunk(connection, reach, seq, limit, exact)
            if events:
                seq = events[-1].seq
            if not connection.wait_until_taken(BEHIND_BYTES):
                return None
            if len(events) < limit:
                return max(seq, head)  # up to `head`, these places have no other event
            limit = max(1, min(CATCH_UP_EVENTS, CATCH_UP_BYTES * len(events) // max(size, 1)))

    def _send_chunk(
        self, connection: Connection, reach: Reach, seq: int, limit: int, exact: bool
    ) -> tuple[list[Event], int]:
        """Read and send at most `limit` events after `seq`. Returns the events and their size in bytes.

        Raises _Overtaken when events may be missing that must not.
        """
        with self._pause_after():
            events = self._history.read(seq, limit, reach.places)
            if exact and self._history.locate(seq).oldest > seq + 1:  # after the read: what is there now was
                raise _Overtaken
            chunk = b"".join(map(connection.door.encode, filter(reach.has, events)))
            if chunk:
                connection.send(chunk)
        return events, len(chunk)

    def _starts(self, lines: int, reach: Reach, seq: int) -> dict[int, int]:
        """For each place the seq after which its latest `lines` said lines up to `seq` begin."""
        starts = dict.fromkeys(reach.places, seq)
        with self._lock:
            newer = max(0, self._head - seq)
        for place in reach.places:
            if place == WHOLE_CHATROOM:  # its events begin with the first line of the others
                continue
            with self._pause_after():
                found = self._history.last_seqs(lines + newer, [place])
            if wanted := [one for one in found if one <= seq][-lines:]:
                starts[place] = wanted[0] - 1
        return starts | {WHOLE_CHATROOM: min(starts.values())}

    @contextmanager
    def _pause_after(self) -> Iterator[None]:
        """Run the block alone, then pause in proportion to its time: live members need the GIL, too."""
        with self._reading:
            began = time.monotonic()
            yield
            self._closing.wait((time.monotonic() - began) * CATCH_UP_REST)
