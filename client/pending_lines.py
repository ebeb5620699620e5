"""Pending lines: said and not confirmed yet; and everything else that waits to be sent.

A line stays here until the server has confirmed that it is stored, so that the next connection can send it
again. Ids rise, the wire keeps the order, and the server applies each id once. So a confirmation of one id
confirms all below it, and sending a line twice does no harm.
"""

from __future__ import annotations

import secrets
from collections import deque
from threading import Condition, Lock

from chatroom.deadline import Deadline
from chatroom.errors import Closed
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
        """Whether the server has confirmed that the line is in its history."""
        with self._owner.lock:
            return self._refused is None and not self._owner.holds(self)

    @property
    def refused(self) -> str | None:
        """The server's reason not to store the line; None when it has given none."""
        with self._owner.lock:
            return self._refused

    def refuse(self, reason: str) -> None:
        """Note the server's refusal. Requires holding the owner's lock."""
        self._refused = reason

    def wait(self, timeout: float | None = None) -> bool:
        """Wait at most `timeout` seconds for the line to be stored; whether it is."""
        self._owner.wait_for(self.id, timeout)
        return self.stored


class _WaitingCommand:
    """A slash command that waits to be sent, once."""

    __slots__ = ("data", "id")

    def __init__(self, id: int, data: bytes) -> None:
        self.id = id
        self.data = data


class PendingLines:
    """Lines and commands in the order in which they were given. Any threads add them, one thread sends."""

    def __init__(self) -> None:
        # Guards all fields below. `_work` wakes the sender, `_settled` who waits for confirmations.
        self.lock = Lock()
        self._work = Condition(self.lock)
        self._settled = Condition(self.lock)
        self._first_id = 2 + secrets.randbits(_ID_BITS)
        self._last_id = self._first_id - 1
        self._pending: deque[Line] = deque()  # not confirmed, sent or not, in the order of their ids
        self._pending_bytes = 0
        self._queue: deque[Line | _WaitingCommand] = deque()  # not sent on this connection
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
            self._pending.append(line)
            self._pending_bytes += len(line.data)
            self._queue.append(line)
            self._work.notify()
            return line

    def command(self, channel: str, text: str) -> int:
        """Queue a slash command; its id. Raises ValueError, Closed, or TimeoutError when too many wait."""
        with self.lock:
            self._check_open()
            if sum(isinstance(entry, _WaitingCommand) for entry in self._queue) >= MAX_COMMANDS:
                raise TimeoutError("too many commands wait for the server")
            id = self._last_id + 1
            self._queue.append(_WaitingCommand(id, encode(Command(id, channel, text))))
            self._last_id = id
            self._work.notify()
            return id

    def wait_for(self, id: int | None = None, timeout: float | None = None) -> bool:
        """Wait until the line `id` (None: the last one) and all before it are settled; whether they are."""
        with self.lock:
            last = self._last_id if id is None else id
            self._settled.wait_for(lambda: self._is_settled(last) or self._closing is not None, timeout)
            return self._is_settled(last)

    def _is_settled(self, id: int) -> bool:
        """Whether no line up to `id` is pending. Requires holding lock."""
        return not self._pending or self._pending[0].id > id

    def holds(self, line: Line) -> bool:
        """Whether the line is pending: ids rise, so the first decides. Requires holding lock."""
        return not self._is_settled(line.id)

    def gave(self, id: int) -> bool:
        """Whether this client gave the id: an earlier holder of the name gave others."""
        with self.lock:
            return self._first_id <= id <= self._last_id

    def pending(self) -> list[Line]:
        """The lines that are not confirmed, in order."""
        with self.lock:
            return list(self._pending)

    # --- for the connection --------------------------------------------------------------------------

    def attach(self, confirmed: int) -> None:
        """A new connection was made; the server has confirmed everything up to `confirmed`.

        All lines that are still pending are sent (again) in order, once `open` was called.
        """
        self.confirm(confirmed)
        with self.lock:
            waiting: list[Line | _WaitingCommand] = [
                entry for entry in self._queue if isinstance(entry, _WaitingCommand)
            ]
            waiting.extend(self._pending)
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

    def confirm(self, id: int) -> bool:
        """The server has stored the line `id`, and so all before it; whether one of them was pending."""
        with self.lock:
            before = len(self._pending)
            while self._pending and self._pending[0].id <= id:
                self._pending_bytes -= len(self._pending.popleft().data)
            if len(self._pending) == before:
                return False
            while self._queue and isinstance(self._queue[0], Line) and self._queue[0].id <= id:
                self._queue.popleft()  # stored during an earlier connection: do not send it again
            self._settled.notify_all()
            return True

    def refuse(self, id: int, reason: str) -> bool:
        """The server will not store the line `id`; whether it was pending."""
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
            packets.append(self._queue.popleft().data)
            size += len(packets[-1])
        if not packets and self._goodbye:
            self._goodbye = False
            packets.append(encode(Bye(False, "")))
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
