"""Bringing members up to date that have missed more than the tail holds: from history, in pieces."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chatroom.door import Connection
from chatroom.errors import Closed, HistoryError
from chatroom.events import Event
from chatroom.history import History
from chatroom.limits import BEHIND_BYTES, CATCH_UP_BYTES, CATCH_UP_EVENTS, CATCH_UP_REST
from chatroom.member import Member
from chatroom.requests import GoLive

log = logging.getLogger(__name__)


class CatchUp:
    """One thread for each member that is far behind; it reads at the member's own pace.

    history: read while the forwarder writes
    submit:  how a member that has caught up asks to go live
    spawn:   how threads are started
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
        self._turn = threading.Semaphore()  # one piece at a time, however many are catching up
        self._closing = threading.Event()
        # Guards _head, which the forwarder sets and the threads read.
        self._lock = threading.Lock()
        self._head = 0

    def stored(self, head: int) -> None:
        """Everything up to seq `head` can be read."""
        with self._lock:
            self._head = head

    def close(self) -> None:
        """Do not rest any more: the end is near."""
        self._closing.set()

    def begin(self, member: Member, connection: Connection, seq: int) -> None:
        """Send the member what came after `seq`, then submit GoLive. Returns at once."""
        channels = member.channels
        self._start(member, lambda: self._run(member, connection, channels, lambda: seq))

    def begin_with_last(self, member: Member, connection: Connection, count: int, before: int) -> None:
        """As begin(), from the latest `count` events below the seq `before` on."""
        channels = member.channels
        self._start(
            member,
            lambda: self._run(
                member, connection, channels, lambda: self._before_last(count, channels, before)
            ),
        )

    def _start(self, member: Member, run: Callable[[], None]) -> None:
        try:
            self._spawn(run, f"catch-up {member.name}")
        except (Closed, RuntimeError) as error:
            member.connection.end(f"cannot catch up: {error}", again=True)

    def _run(
        self, member: Member, connection: Connection, channels: frozenset[str], begin: Callable[[], int]
    ) -> None:
        try:
            caught_up = self._send_pieces(connection, channels, begin())
            if caught_up is not None:
                self._submit(GoLive(member, connection, caught_up))
        except HistoryError as error:
            log.error("catching up of %s: %s", member.name, error)
            connection.end("the server cannot read its history", again=True)
        except Closed:
            pass  # the chatroom ends, and tells the member itself
        except Exception:  # a bug: the top of the thread logs it, and the member is not left waiting
            connection.end("an error in the server", again=True)
            raise

    def _send_pieces(self, connection: Connection, channels: frozenset[str], seq: int) -> int | None:
        """Piece by piece, each after the one before was taken; the seq reached, None when it went away."""
        limit = CATCH_UP_EVENTS
        while True:
            with self._lock:
                head = self._head
            asked = limit
            events, size = self._next_piece(connection, channels, seq, asked)
            if events:
                seq = events[-1].seq
                limit = max(1, min(CATCH_UP_EVENTS, CATCH_UP_BYTES * len(events) // size))
            if not connection.wait_until_taken(BEHIND_BYTES):
                return None
            if len(events) < asked:
                return max(seq, head)  # up to `head`, nothing else is in these channels

    def _next_piece(
        self, connection: Connection, channels: frozenset[str], seq: int, limit: int
    ) -> tuple[list[Event], int]:
        """Read and send one piece, and rest: the interpreter is one for all, and those who are live go first.

        The events of the piece, and their bytes.
        """
        with self._resting_after():
            events = self._history.read(seq, limit, channels)
            piece = b"".join(map(connection.door.encode, events))
            if piece:
                connection.send(piece)
        return events, len(piece)

    def _before_last(self, count: int, channels: frozenset[str], before: int) -> int:
        """The seq after which the latest `count` events below `before` come."""
        with self._lock:
            newer = max(0, self._head - before + 1)
        with self._resting_after():
            found = self._history.last_seqs(count + newer, channels)
        wanted = [seq for seq in found if seq < before][-count:]
        return wanted[0] - 1 if wanted else before - 1

    @contextmanager
    def _resting_after(self) -> Iterator[None]:
        with self._turn:
            began = time.monotonic()
            yield
            self._closing.wait((time.monotonic() - began) * CATCH_UP_REST)
