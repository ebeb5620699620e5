"""Pending lines: said and not settled yet; and everything else that waits to be sent.

A line stays here until it is settled: the server has stored it or refused it, or both are no longer to be
learned. Until then the next connection sends it again. The server applies each id once, so that does no harm.
A command is sent once, since nobody knows whether it was carried out when its connection is lost. One with a
password waits for no other connection than the present one.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict, deque
from collections.abc import Iterable
from threading import Condition, Lock

from chatroom.deadline import Deadline
from chatroom.errors import Closed, ConnectionLost, NeedEncryption
from chatroom.outcomes import Code
from chatroom.packets import Bye, Command, Ping, Pong, Say, encode
from client.attempt import NOT_SENT
from client.limits import MAX_COMMANDS, MAX_PENDING, PENDING_BYTES, SEND_BYTES
from client.line import Line, SentOnce
from client.own_steps import CAME, HANDED, TYPED, OwnSteps
from client.requests import Request
from client.secret_commands import concealed, has_secrets

_ID_BITS = 62  # the first id is random; 2**62 more fit into the 63 bits that the wire allows


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
        self._followed: dict[int, OwnSteps] = {}  # lines of commands, until these are answered
        self._pong: int | None = None
        self._ping = False
        self._attached = False  # there is a connection
        self._connections = 0  # how many were attached so far
        self._secure = False  # passwords may go over it
        self._open = False  # its replay is over: lines may be sent
        self._held = False  # a login waits for what is on its way: no more lines may be sent
        self._parting = False  # a login has succeeded: this connection ends
        self._closing: str | None = None  # why nothing more may be said
        self._goodbye = False  # BYE is still to be sent

    def __repr__(self) -> str:
        with self.lock:
            return f"<PendingLines: {len(self._pending)} pending, {len(self._queue)} to send>"

    # --- for the user --------------------------------------------------------------------------------

    def say(
        self, channel: str, text: str, timeout: float | None = None, form: int = 0, extra: bytes = b""
    ) -> Line:
        """Queue a line; wait at most `timeout` seconds while too many are pending.

        form, extra: as in SAY
        Raises ValueError for a text that cannot be sent, TimeoutError, or Closed.
        """
        with self.lock:
            self._await_room(timeout)
            id = self._last_id + 1
            line = Line(self, id, text, encode(Say(id, channel, text, form, extra)), bool(extra))
            self._last_id = id
            self._pending[id] = line
            self._pending_bytes += len(line.data)
            self._queue.append(line)
            self._work.notify()
            return line

    def follow(self, channel: str, text: str) -> OwnSteps:
        """Queue a command that says a line, and note what becomes of it here. Raises as `command`."""
        steps = OwnSteps(0, self.lock)
        steps.note(TYPED)
        steps.id = self.command(channel, text, steps=steps)
        return steps

    def command(
        self,
        channel: str,
        text: str,
        *,
        quiet: bool = False,
        request: Request | None = None,
        steps: OwnSteps | None = None,
    ) -> int:
        """Queue a slash command; its id.

        quiet: its answer is told only when it is a refusal
        request: who waits for the answer
        steps: of the line that it says
        Raises ValueError, Closed, TimeoutError when too many wait, or for a command with a password
        NeedEncryption or ConnectionLost.
        """
        secret = has_secrets(text)
        with self.lock:
            self._check_open()
            if secret and not self._attached:
                raise ConnectionLost("there is no connection now, and passwords do not wait for one")
            if secret and not self._secure:
                raise NeedEncryption(NOT_SENT)
            if len(self._asked) + len(self._waiting_commands()) >= MAX_COMMANDS:
                raise TimeoutError("too many commands wait for the server")
            id = self._last_id + 1
            data = encode(Command(id, channel, text))
            self._queue.append(SentOnce(id, concealed(text), data, quiet, secret, request))
            if steps is not None:
                self._followed[id] = steps
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

    def attach(self, secure: bool = False) -> int:
        """A new connection was made, its number; `secure`: passwords may go over it.

        All lines that are still pending when `open` is called are then sent (again) in order.
        """
        with self.lock:
            self._secure = secure
            waiting: list[Line | SentOnce] = [*self._waiting_commands(), *self._pending.values()]
            self._queue = deque(sorted(waiting, key=lambda entry: entry.id))
            self._attached = True
            self._connections += 1
            return self._connections

    def open(self) -> None:
        """The replay is over: lines may be sent."""
        with self.lock:
            self._open = True
            self._work.notify()
            self._settled.notify_all()  # a login may wait for this

    def detach(self) -> None:
        """The connection has ended: `take` returns None."""
        with self.lock:
            self._attached = self._open = self._ping = self._held = self._parting = False
            self._goodbye = self._closing is not None and self._goodbye
            self._pong = None
            self._work.notify_all()
            self._settled.notify_all()

    def forget_asked(self) -> list[SentOnce]:
        """The commands that nobody will answer any more: sent and not answered, or secret and not sent."""
        with self.lock:
            asked, self._asked = list(self._asked.values()), {}
            for entry in asked:
                self._followed.pop(entry.id, None)
            secret = [entry for entry in self._waiting_commands() if entry.secret]
            self._queue = deque(entry for entry in self._queue if entry not in secret)
            return asked + secret

    def give_up(self) -> list[SentOnce]:
        """The client has ended: the commands that nobody will answer, sent or not."""
        with self.lock:
            waiting = self._waiting_commands()
            self._queue = deque(entry for entry in self._queue if isinstance(entry, Line))
            asked, self._asked = list(self._asked.values()), {}
            self._followed.clear()
            return asked + waiting

    # --- for a login, which changes the connection ---------------------------------------------------

    def hold(self, seconds: float) -> bool:
        """Send no more lines; wait until those that were sent are settled, and commands answered.

        False when that takes longer, or cannot be any more; then all goes on as before.
        """
        with self.lock:
            self._held = True
            self._settled.wait_for(self._quiet_or_lost, seconds)
            self._held = self._quiet()
            self._work.notify()
            return self._held

    def go_on(self) -> None:
        """The login has failed: send what waits."""
        with self.lock:
            self._held = False
            self._work.notify()

    def part(self, connection: int) -> None:
        """The login has succeeded: say BYE on the connection with this number, and send nothing after it.

        It may have broken meanwhile. The next connection is not to end then.
        """
        with self.lock:
            if self._attached and self._connections == connection:
                self._goodbye = self._parting = True
                self._work.notify()

    def _quiet(self) -> bool:
        """Whether nothing is on its way. Requires holding lock."""
        if not self._open or self._asked:
            return False
        # Ids rise, and what was sent has left the queue.
        unsent = next((entry.id for entry in self._queue), None)
        oldest = next(iter(self._pending), None)
        return oldest is None or (unsent is not None and unsent <= oldest)

    def _quiet_or_lost(self) -> bool:
        """Requires holding lock."""
        return not self._attached or self._closing is not None or self._quiet()

    def asked(self, id: int) -> SentOnce | None:
        """The command that was sent with this id and not answered."""
        with self.lock:
            return self._asked.get(id)

    def awaits(self, id: int) -> bool:
        """Whether `id` is a line or a command that the server has not answered."""
        with self.lock:
            return id in self._pending or id in self._asked

    def confirm(self, ids: Iterable[int]) -> None:
        """The server has stored the lines of these ids; other ids do no harm."""
        with self.lock:
            for id in ids:
                self._settle(id)
                if self._followed and id in self._followed:
                    self._followed[id].note_locked(CAME)
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
            self._followed.pop(id, None)
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
                if self._closing is not None or self._parting:
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
        while self._open and not self._held and self._queue and size < SEND_BYTES:
            entry = self._queue.popleft()
            if isinstance(entry, SentOnce):
                self._asked[entry.id] = entry
                if entry.id in self._followed:
                    self._followed[entry.id].note_locked(HANDED)
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
                self._held = self._parting
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
