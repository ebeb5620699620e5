"""The outbox: what was said and is not confirmed yet, and everything else that waits to be sent.

A line stays here until the server has confirmed that it is stored, so that it can be sent again on the next
connection. Ids rise, the wire keeps the order, and the server applies each id once: so a confirmation of one
id confirms all below it, and sending a line twice is harmless.
"""

from __future__ import annotations

import secrets
from collections import deque
from threading import Condition, Lock

from chatroom.deadline import Deadline
from chatroom.errors import Closed
from chatroom.packets import Bye, Command, Ping, Pong, Say, encode
from client.limits import MAX_COMMANDS, MAX_PENDING, PENDING_BYTES, SEND_BYTES

_ID_BITS = 62  # a random begin, and still 2**62 ids before the 63 bits that the wire allows are used up


class Line:
    """A line that was said. `id` is its message id, `text` what was said."""

    __slots__ = ("_outbox", "_refused", "data", "id", "text")

    def __init__(self, outbox: Outbox, id: int, text: str, data: bytes) -> None:
        self._outbox = outbox
        self.id = id
        self.text = text
        self.data = data
        self._refused: str | None = None  # guarded by the outbox's lock

    def __repr__(self) -> str:
        return f"<Line {self.id} {'stored' if self.stored else 'refused' if self.refused else 'pending'}>"

    @property
    def stored(self) -> bool:
        """Whether the server has confirmed that the line is in its history."""
        with self._outbox.lock:
            return self._refused is None and not self._outbox.holds(self)

    @property
    def refused(self) -> str | None:
        """Why the server will not store it, if it has said so."""
        with self._outbox.lock:
            return self._refused

    def refuse(self, reason: str) -> None:
        """Note the server's refusal. Requires holding the outbox's lock."""
        self._refused = reason

    def wait(self, timeout: float | None = None) -> bool:
        """Wait at most `timeout` seconds for the line to be stored; whether it is."""
        self._outbox.wait_for(self.id, timeout)
        return self.stored


class _Order:
    """A slash command that waits to be sent, once."""

    __slots__ = ("data", "id")

    def __init__(self, id: int, data: bytes) -> None:
        self.id = id
        self.data = data


class Outbox:
    """Lines and commands in the order in which they were given; any number of threads say, one sends."""

    def __init__(self) -> None:
        # Guards everything below. `_work` wakes the sender, `_settled` those who wait for confirmations.
        self.lock = Lock()
        self._work = Condition(self.lock)
        self._settled = Condition(self.lock)
        self._first_id = 2 + secrets.randbits(_ID_BITS)
        self._last_id = self._first_id - 1
        self._pending: deque[Line] = deque()  # not confirmed, sent or not, in the order of their ids
        self._pending_bytes = 0
        self._queue: deque[Line | _Order] = deque()  # not sent on this connection
        self._pong: int | None = None
        self._ping = False
        self._attached = False  # there is a connection …
        self._open = False  # … and the replay is over: lines may be sent
        self._closing: str | None = None  # why nothing more may be said
        self._goodbye = False  # BYE is still to be sent

    def __repr__(self) -> str:
        with self.lock:
            return f"<Outbox: {len(self._pending)} pending, {len(self._queue)} to send>"

    # --- for whoever talks ---------------------------------------------------------------------------

    def say(self, channel: str, text: str, timeout: float | None = None) -> Line:
        """Queue a line; wait at most `timeout` seconds while too many are pending.

        Raises ValueError for a text that cannot be sent, TimeoutError, or Closed.
        """
        with self.lock:
            self._await_room(timeout)
            id = self._last_id + 1
            line = Line(self, id, text, encode(Say(id, channel, text)))
            self._last_id = id
            self._pending.append(line)
            self._pending_bytes += len(line.data)
            self._queue.append(line)
            self._work.notify()
            return line

    def command(self, channel: str, text: str) -> int:
        """Queue a slash command; its id. Raises ValueError, Closed, or TimeoutError when too many wait."""
        with self.lock:
            self._check_open()
            if sum(isinstance(entry, _Order) for entry in self._queue) >= MAX_COMMANDS:
                raise TimeoutError("too many commands wait for the server")
            id = self._last_id + 1
            self._queue.append(_Order(id, encode(Command(id, channel, text))))
            self._last_id = id
            self._work.notify()
            return id

    def wait_for(self, id: int | None = None, timeout: float | None = None) -> bool:
        """Wait until the line `id` (None: the last one) and all before it are settled; whether they are."""
        deadline = None if timeout is None else Deadline(timeout)
        with self.lock:
            id = self._last_id if id is None else id
            while self._pending and self._pending[0].id <= id and self._closing is None:
                left = None if deadline is None else deadline.left()
                if left == 0.0:
                    break
                self._settled.wait(left)
            return not (self._pending and self._pending[0].id <= id)

    def holds(self, line: Line) -> bool:
        """Whether the line is pending: ids rise, so below the first all is settled. Requires holding lock."""
        return bool(self._pending) and line.id >= self._pending[0].id

    def gave(self, id: int) -> bool:
        """Whether this outbox gave the id: lines of somebody who had our name before have others."""
        with self.lock:
            return self._first_id <= id <= self._last_id

    def pending(self) -> list[Line]:
        """The lines that are not confirmed, in order."""
        with self.lock:
            return list(self._pending)

    # --- for the connection --------------------------------------------------------------------------

    def attach(self, confirmed: int) -> None:
        """There is a new connection; the server has confirmed everything up to `confirmed`.

        All that is still pending will be sent (again) in order, once `open` was called.
        """
        self.confirm(confirmed)
        with self.lock:
            waiting: list[Line | _Order] = [entry for entry in self._queue if isinstance(entry, _Order)]
            waiting.extend(self._pending)
            self._queue = deque(sorted(waiting, key=lambda entry: entry.id))
            self._attached = True

    def open(self) -> None:
        """The replay is over: send."""
        with self.lock:
            self._open = True
            self._work.notify()

    def detach(self) -> None:
        """The connection is gone: the sender's next `take` ends it."""
        with self.lock:
            self._attached = self._open = self._ping = False
            self._pong = None
            self._work.notify_all()

    def confirm(self, id: int) -> bool:
        """The server has stored the line `id`, and so all before it; whether that settled anything."""
        with self.lock:
            before = len(self._pending)
            while self._pending and self._pending[0].id <= id:
                self._pending_bytes -= len(self._pending.popleft().data)
            if len(self._pending) == before:
                return False
            while self._queue and isinstance(self._queue[0], Line) and self._queue[0].id <= id:
                self._queue.popleft()  # stored on an earlier connection: the replay told before it was resent
            self._settled.notify_all()
            return True

    def refuse(self, id: int, reason: str) -> bool:
        """The server will not store the line `id`; whether there was one."""
        with self.lock:
            line = next((line for line in self._pending if line.id == id), None)
            if line is None:
                return False
            line.refuse(reason)
            self._pending.remove(line)
            self._pending_bytes -= len(line.data)
            self._settled.notify_all()
            return True

    def ping(self) -> None:
        """Ask the server for a sign of life."""
        with self.lock:
            self._ping = True
            self._work.notify()

    def pong(self, id: int) -> None:
        """Answer the server's latest PING; only the latest is kept, so a flood of them fills nothing."""
        with self.lock:
            self._pong = id
            self._work.notify()

    # --- for the sender ------------------------------------------------------------------------------

    def take(self, seconds: float) -> bytes | None:
        """The next bytes to send; b"" when there were none for `seconds`; None when all is done."""
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
        """What may be sent now, about SEND_BYTES at most; at the very end BYE. Requires holding lock."""
        pieces: list[bytes] = []
        if self._pong is not None:
            pieces.append(encode(Pong(self._pong)))
        if self._ping:
            pieces.append(encode(Ping(0)))
        self._pong, self._ping = None, False
        size = 0
        while self._open and self._queue and size < SEND_BYTES:
            pieces.append(self._queue.popleft().data)
            size += len(pieces[-1])
        if not pieces and self._goodbye:
            self._goodbye = False
            pieces.append(encode(Bye(False, "")))
        return b"".join(pieces)

    # --- the end -------------------------------------------------------------------------------------

    def close(self, reason: str = "the client is closed") -> None:
        """Nothing more may be said: send what is queued, then BYE, and wake whoever waits."""
        with self.lock:
            if self._closing is None:
                self._closing = reason
                self._goodbye = True
            self._work.notify_all()
            self._settled.notify_all()

    def _await_room(self, timeout: float | None) -> None:
        """Wait until one more line may be pending. Requires holding lock."""
        deadline = None if timeout is None else Deadline(timeout)
        self._check_open()
        while len(self._pending) >= MAX_PENDING or self._pending_bytes >= PENDING_BYTES:
            left = None if deadline is None else deadline.left()
            if left == 0.0:
                raise TimeoutError("too many lines wait to be confirmed")
            self._settled.wait(left)
            self._check_open()

    def _check_open(self) -> None:
        """Requires holding lock."""
        if self._closing is not None:
            raise Closed(self._closing)
