"""Pending lines: said and not settled yet; and everything else that waits to be sent.

A line stays here until it is settled: the server has stored it or refused it, or both are no longer to be
learned. Until then the next connection sends it again. The server applies each id once, so that does no harm.
A command is sent once, since nobody knows whether it was carried out when its connection is lost.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict, deque
from collections.abc import Iterable
from threading import Condition, Lock
from typing import NamedTuple

from chatroom.deadline import Deadline
from chatroom.errors import Closed
from chatroom.outcomes import Code
from chatroom.packets import Bye, Command, Ping, Pong, Say, encode
from client.limits import MAX_COMMANDS, MAX_PENDING, PENDING_BYTES, SEND_BYTES

_ID_BITS = 62  # the first id is random; 2**62 more fit into the 63 bits that the wire allows


class Line:
    """A line that was said, with its message id and text."""

    __slots__ = ("_owner", "_refused", "data", "id", "text")

    def __init__(self, owner: PendingLines, id: int, text: str, data: bytes) -> None:
        self._owner = owner
        self.id = id
        self.text = text
        self.data = data
        self._refused: str | None = None  # guarded by the owner's lock

    def __repr__(self) -> str:
        return f"<Line {self.id} {'stored' if self.stored else 'refused' if self.refused else 'pending'}>"

    @property
    def stored(self) -> bool:
        """Whether the line is in the server's history, as far as the client has been told."""
        with self._owner.lock:
            return self._refused is None and not self._owner.holds(self)

    @property
    def refused(self) -> str | None:
        """Why the line is not stored, or that this cannot be known any more; None for other lines."""
        with self._owner.lock:
            return self._refused

    def refuse(self, reason: str) -> None:
        """Note the reason. Requires holding the owner's lock."""
        self._refused = reason

    def wait(self, timeout: float | None = None) -> bool:
        """Wait at most `timeout` seconds for the line to be settled; whether it is stored."""
        self._owner.wait_for(self, timeout)
        return self.stored


class SentOnce(NamedTuple):
    """A slash command: its message id, its text and its packet."""

    id: int
    text: str
    data: bytes


class PendingLines:
    """Lines and commands in the order in which they were given. Any threads add them, one thread sends."""

    def __init__(self) -> None:
        # Guards all fields below. `_work` wakes the sender, `_settled` who waits for lines.
        self.lock = Lock()
        self._work = Condition(self.lock)
        self._settled = Condition(self.lock)
        self._last_id = 1 + secrets.randbits(_ID_BITS)
        self._pending: OrderedDict[int, Line] = OrderedDict()  # not settled, sent or not; their ids rise
        self._pending_bytes = 0
        self._asked: dict[int, SentOnce] = {}  # commands sent on this connection and not answered
        self._queue: deque[Line | SentOnce] = deque()  # not sent on this connection
        self._pong: int | None = None
        self._ping = False
        self._attached = False  # there is a connection
        self._open = False  # its replay is over: lines may be sent
        self._closing: str | None = None  # why nothing more may be said
        self._goodbye = False  # BYE is still to be sent

    def __repr__(self) -> str:
        with self.lock:
            return f"<PendingLines: {len(self._pending)} pending, {len(self._queue)} to send>"

    # --- for the user --------------------------------------------------------------------------------

    def say(self, channel: str, text: str, timeout: float | None = None) -> Line:
        """Queue a line; wait at most `timeout` seconds while too many are pending.

        Raises ValueError for a text that cannot be sent, TimeoutError, or Closed.
        """
        with self.lock:
            self._await_room(timeout)
            id = self._last_id + 1
            line = Line(self, id, text, encode(Say(id, channel, text)))
            self._last_id = id
            self._pending[id] = line
            self._pending_bytes += len(line.data)
            self._queue.append(line)
            self._work.notify()
            return line

    def command(self, channel: str, text: str) -> int:
        """Queue a slash command; its id. Raises ValueError, Closed, or TimeoutError when too many wait."""
        with self.lock:
            self._check_open()
            if len(self._asked) + len(self._waiting_commands()) >= MAX_COMMANDS:
                raise TimeoutError("too many commands wait for the server")
            id = self._last_id + 1
            self._queue.append(SentOnce(id, text, encode(Command(id, channel, text))))
            self._last_id = id
            self._work.notify()
            return id

    def wait_for(self, line: Line | None = None, timeout: float | None = None) -> bool:
        """Wait until `line` (None: every line said so far) is settled; whether it is."""
        with self.lock:
            last = self._last_id

            def settled() -> bool:
                return next(iter(self._pending), last + 1) > last if line is None else not self.holds(line)

            self._settled.wait_for(lambda: settled() or self._closing is not None, timeout)
            return settled()

    def holds(self, line: Line) -> bool:
        """Whether the line is pending. Requires holding lock."""
        return line.id in self._pending

    def _waiting_commands(self) -> list[SentOnce]:
        """Commands that were not sent yet. Requires holding lock."""
        return [entry for entry in self._queue if isinstance(entry, SentOnce)]

    def pending(self) -> list[Line]:
        """The lines that are not settled, in order."""
        with self.lock:
            return list(self._pending.values())

    # --- for the connection --------------------------------------------------------------------------

    def attach(self) -> None:
        """A new connection was made.

        All lines that are still pending when `open` is called are then sent (again) in order.
        """
        with self.lock:
            waiting: list[Line | SentOnce] = [*self._waiting_commands(), *self._pending.values()]
            self._queue = deque(sorted(waiting, key=lambda entry: entry.id))
            self._attached = True

    def open(self) -> None:
        """The replay is over: lines may be sent."""
        with self.lock:
            self._open = True
            self._work.notify()

    def detach(self) -> None:
        """The connection has ended: `take` returns None."""
        with self.lock:
            self._attached = self._open = self._ping = False
            self._pong = None
            self._work.notify_all()

    def forget_asked(self) -> list[SentOnce]:
        """The commands that were sent and not answered: nobody will answer them any more."""
        with self.lock:
            asked, self._asked = list(self._asked.values()), {}
            return asked

    def awaits(self, id: int) -> bool:
        """Whether `id` is a line or a command that the server has not answered."""
        with self.lock:
            return id in self._pending or id in self._asked

    def confirm(self, ids: Iterable[int]) -> None:
        """The server has stored the lines of these ids; other ids do no harm."""
        with self.lock:
            for id in ids:
                self._settle(id)
            self._settled.notify_all()

    def refuse(self, id: int, reason: str) -> None:
        """The line `id` is not stored, or nobody knows."""
        with self.lock:
            line = self._settle(id)
            if line is not None:
                line.refuse(reason)
            self._settled.notify_all()

    def answer(self, id: int, code: int, words: str) -> None:
        """The server has answered the line or command `id`."""
        with self.lock:
            self._asked.pop(id, None)
        if code in (Code.OK, Code.ALREADY):
            self.confirm([id])
        else:
            self.refuse(id, words)

    def _settle(self, id: int) -> Line | None:
        """Take the line `id` from the pending ones, if it is one. Requires holding lock."""
        line = self._pending.pop(id, None)
        if line is not None:
            self._pending_bytes -= len(line.data)
        return line

    def ping(self) -> None:
        """Send a PING."""
        with self.lock:
            self._ping = True
            self._work.notify()

    def pong(self, id: int) -> None:
        """Answer the server's latest PING. Only the latest is kept: a flood of them uses no memory."""
        with self.lock:
            self._pong = id
            self._work.notify()

    # --- for the sender ------------------------------------------------------------------------------

    def take(self, seconds: float) -> bytes | None:
        """The next bytes to send; b"" when there were none for `seconds`; None when no more will come."""
        deadline = Deadline(seconds)
        with self.lock:
            while self._attached:
                data = self._gather()
                if data:
                    return data
                if self._closing is not None:
                    return None
                if deadline.expired:
                    return b""
                self._work.wait(deadline.left())
            return None

    def _gather(self) -> bytes:
        """All that may be sent now, about SEND_BYTES at most; at the end BYE. Requires holding lock."""
        packets: list[bytes] = []
        if self._pong is not None:
            packets.append(encode(Pong(self._pong)))
        if self._ping:
            packets.append(encode(Ping(0)))
        self._pong, self._ping = None, False
        size = 0
        while self._open and self._queue and size < SEND_BYTES:
            entry = self._queue.popleft()
            if isinstance(entry, SentOnce):
                self._asked[entry.id] = entry
            elif not self.holds(entry):  # settled by the replay
                continue
            packets.append(entry.data)
            size += len(entry.data)
        if not packets and self._goodbye:
            self._goodbye = False
            packets.append(encode(Bye(False, Code.GOODBYE, "")))
        return b"".join(packets)

    # --- the end -------------------------------------------------------------------------------------

    def close(self, reason: str = "the client is closed") -> None:
        """Let nothing more be said; send all that is queued, then BYE; wake all threads that wait here."""
        with self.lock:
            if self._closing is None:
                self._closing = reason
                self._goodbye = True
            self._work.notify_all()
            self._settled.notify_all()

    def _await_room(self, timeout: float | None) -> None:
        """Wait until one more line may be pending. Requires holding lock."""
        if not self._settled.wait_for(lambda: self._has_room() or self._closing is not None, timeout):
            raise TimeoutError("too many lines wait to be confirmed")
        self._check_open()

    def _has_room(self) -> bool:
        """Requires holding lock."""
        return len(self._pending) < MAX_PENDING and self._pending_bytes < PENDING_BYTES

    def _check_open(self) -> None:
        """Requires holding lock."""
        if self._closing is not None:
            raise Closed(self._closing)
