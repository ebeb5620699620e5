"""One connection to a member: what is sent, whether the peer is alive, and how the connection ends.

OPEN ──► PARTING ──► PARTED ──► CUT          OPEN    bytes go both ways
  │         │                    ▲           PARTING the goodbye is the last in the send buffer
  └─────────┴────────────────────┘           PARTED  the kernel has the goodbye; the peer is to close
                                             CUT     nothing goes any more; the handler is woken
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from enum import Enum
from time import monotonic
from typing import Final, Protocol

from chatroom.deadline import Deadline
from chatroom.errors import ConnectionLost
from chatroom.event_log import EventLog
from chatroom.flow import Flow
from chatroom.limits import BEHIND_BYTES, RECEIVE_LARGE
from chatroom.network import network_of
from chatroom.outcomes import Code
from server.backlogs import Backlogs
from server.limits import (
    BACKLOG_BYTES,
    FLUSH_BYTES,
    GOODBYE_SECONDS,
    OWN_BYTES,
    READING_RATE,
    READING_SECONDS,
    STALL_BYTES,
    STALL_SECONDS,
)
from server.send_buffer import SendBuffer
from server.transport import Transport

log = EventLog(__name__)


class Phase(Enum):
    """How near its end a connection is. Compared with `is`."""

    OPEN = "open"
    PARTING = "parting"
    PARTED = "parted"
    CUT = "cut"


_TOO_SLOW: Final = "too slow to read along"
"""What the others are told of somebody whose connection takes less than the chatroom says."""

_NEXT: Final = {
    Phase.OPEN: (Phase.PARTING, Phase.CUT),
    Phase.PARTING: (Phase.PARTED, Phase.CUT),
    Phase.PARTED: (Phase.CUT,),
    Phase.CUT: (),
}


class Words(Protocol):
    """What a stream itself says to its peer, in the protocol of its door."""

    @property
    def ping(self) -> bytes:
        """Asks the peer for a sign of life."""

    def goodbye(self, code: Code, detail: str) -> bytes:
        """The last bytes of a connection. detail: more than the code says, for a person."""


class Stream:
    """The owner of one transport. `send` never waits; a handler receives; the flusher flushes, ticks, closes.

    A deadline is set while bytes wait, in the buffer or encrypted in the transport (the peer must take
    STALL_BYTES within STALL_SECONDS), and from the goodbye on (the peer must have closed within
    GOODBYE_SECONDS). `tick` acts when it has passed.

    watch:    asks the flusher to look at the stream
    backlogs: what waits in all streams together
    clock:    seconds that only rise
    """

    def __init__(
        self,
        transport: Transport,
        words: Words,
        watch: Callable[[Stream], None],
        flow: Flow,
        backlogs: Backlogs[Stream],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.peer = transport.peer
        self.encrypted = transport.encrypted
        self.network = network_of(self.peer)
        self._transport = transport
        self._words = words
        self._watch = watch
        self._flow = flow
        self._backlogs = backlogs
        self.clock = clock
        # Guards every field below (but in repr), and that the bytes of each send go out whole and in order.
        self._lock = threading.Lock()
        self._phase = Phase.OPEN
        self._deadline = math.inf
        self._buffer = SendBuffer()
        self._waiting = False  # bytes wait, in the buffer or in the transport; the flusher looks after them
        self._reported = 0  # what the backlogs know of the buffer's own bytes
        self._taken: threading.Condition | None = None  # made when a thread waits for the peer
        # Who is to be called, when the first so many pieces of the buffer have left it; None: its own bytes.
        self._awaited: list[tuple[int | None, Callable[[bool], None]]] = []
        self._behind = False  # the flow counts this peer
        self._live = False
        self._counts = False  # it was live, and had read nearly all: the flow may count it
        self._progress = 0  # bytes that the peer has taken since the deadline was set
        self._speed = _Speed(clock)
        self._heard = self._pinged = clock()
        self._submitting = False  # the handler waits at the queue, or for its peer to read
        self._why: ConnectionLost | None = None  # the first reason why the connection has ended
        self._released = False  # the handler does not use the transport any more

    def __repr__(self) -> str:
        return f"<Stream {self.peer} {self._phase.value}, {self._buffer.size} bytes waiting>"

    def fileno(self) -> int:
        """The descriptor, for selectors."""
        return self._transport.fileno()

    @property
    def phase(self) -> Phase:
        """How near its end the connection is now."""
        with self._lock:
            return self._phase

    @property
    def is_submitting(self) -> bool:
        """Whether the handler waits at the queue, or for the peer to read, and does not receive."""
        with self._lock:
            return self._submitting

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to do for it now but to see that the peer is alive."""
        with self._lock:
            return self._phase is Phase.OPEN and not self._waiting and not self._released

    @property
    def buffered(self) -> int:
        """Bytes that the peer has not taken yet."""
        with self._lock:
            return self._left()

    def _left(self) -> int:
        """Bytes that the peer has not taken yet. Requires holding _lock."""
        return self._buffer.size + (self._transport.pending if self._waiting else 0)

    # --- sending: any thread ----------------------------------------------------------------------------

    def send(self, data: bytes, shared: bool = False) -> None:
        """Send now what the socket takes, buffer the rest. Does nothing once the connection is ending.

        shared: other connections get the same object
        """
        with self._lock:
            if self._phase is not Phase.OPEN:
                return
            sent, first = 0, not self._waiting
            if first:
                try:
                    sent = self._transport.send(data)
                except ConnectionLost as lost:
                    self._cut(lost)
                    return
                if sent == len(data) and not self._transport.pending:  # the usual case
                    return
                self._begin_waiting()
            buffered = sent < len(data)
            if buffered:
                self._buffer.append(memoryview(data)[sent:] if sent else data, shared)
        if first:
            self._watch(self)
        self._report((data,) if shared and buffered else ())

    def send_all(self, pieces: Sequence[bytes], own: int | None = None) -> None:
        """As send(), for several pieces together, which other connections get, too.

        own: index of the one that only this peer gets
        """
        with self._lock:
            if self._phase is not Phase.OPEN or not pieces:
                return
            sent, size, first = 0, sum(map(len, pieces)), not self._waiting
            if first and size <= FLUSH_BYTES:
                try:
                    sent = self._transport.send(b"".join(pieces))
                except ConnectionLost as lost:
                    self._cut(lost)
                    return
                if sent == size and not self._transport.pending:  # the usual case
                    return
            for number, piece in enumerate(pieces):
                self._buffer.append(piece, shared=number != own)
            self._buffer.advance(sent)
            if first:
                self._begin_waiting()
                while self._send_buffered():
                    pass
            waiting = self._waiting
        if first and waiting:
            self._watch(self)
        self._report([piece for number, piece in enumerate(pieces) if number != own])

    def flush(self) -> bool:
        """Send what the socket takes of the buffer; whether bytes are left. Called by the flusher."""
        with self._lock:
            self._send_buffered()
            left = self._waiting
            if self._taken is not None:
                self._taken.notify_all()
        self._report()
        return left

    def _send_buffered(self) -> bool:
        """Send the next bytes; whether the socket took some and more are left. Requires holding _lock."""
        if not self._waiting:
            return False
        before = self._transport.pending
        try:
            sent = self._transport.send(self._buffer.head() if self._buffer.size else b"")
        except ConnectionLost as lost:
            self._cut(lost)
            return False
        self._buffer.advance(sent)
        pending = self._transport.pending
        self._note_taken(max(0, before + sent - pending))
        self._waiting = self._buffer.size > 0 or pending > 0
        if self._phase is Phase.PARTING:
            if not self._waiting:
                self._enter(Phase.PARTED)
        elif self._phase is Phase.OPEN:
            if not self._waiting:
                self._deadline = math.inf
            elif self._progress >= STALL_BYTES:
                self._set_stall()
        return sent > 0 and self._buffer.size > 0 and not pending

    def _note_taken(self, taken: int) -> None:
        """The socket has taken so many bytes (encrypted, some more). Requires holding _lock."""
        self._speed.add(taken)
        self._progress += taken

    def rest(self, seconds: float) -> bool:
        """Wait so long; False, and at once, when the connection is ending."""
        deadline = Deadline(seconds)
        with self._lock:
            while self._phase is Phase.OPEN and not deadline.expired:
                if self._taken is None:
                    self._taken = threading.Condition(self._lock)
                self._taken.wait(deadline.left())
            return self._phase is Phase.OPEN

    def _begin_waiting(self) -> None:
        """From now on bytes wait for the peer. Requires holding _lock."""
        self._waiting = True
        self._set_stall()
        self._speed.begin()

    def _set_stall(self) -> None:
        """Requires holding _lock."""
        self._deadline, self._progress = self.clock() + STALL_SECONDS, 0

    def wait_until_taken(self, size: int) -> bool:
        """Wait until at most `size` bytes are buffered that only this peer gets; False: it is ending."""
        with self._lock:
            while self._own() > size and self._phase is Phase.OPEN:
                if self._taken is None:
                    self._taken = threading.Condition(self._lock)
                self._taken.wait()
            return self._phase is Phase.OPEN

    def _own(self) -> int:
        """Bytes of memory that wait for this peer only. Requires holding _lock."""
        return self._buffer.own + (self._transport.pending if self._waiting else 0)

    def live(self) -> None:
        """The replay is in the buffer. Once the peer has read most of it, the flow may count it."""
        with self._lock:
            self._live = True
        self._report()

    def when_taken(self, call: Callable[[bool], None]) -> None:
        """Call `call` once, as soon as no bytes are buffered that only this peer gets; any thread may do it.

        It gets False when the connection is ending. It must not wait.
        """
        with self._lock:
            self._awaited.append((None, call))
        self._report()

    def when_passed(self, call: Callable[[bool], None]) -> int:
        """Call `call` once, as when_taken(), as soon as the peer has taken all that is buffered now.

        Returns how many bytes that are; 0: it was called already.
        """
        with self._lock:
            self._awaited.append((self._buffer.end, call))
            waiting = self._left() if self._phase is Phase.OPEN else 0
        self._report()
        return waiting

    def _take_due(self, own: int) -> list[Callable[[bool], None]]:
        """Whoever is to be called now. own: bytes that wait for this peer only. Requires holding _lock."""
        awaited, self._awaited = self._awaited, []
        due, begin = [], self._buffer.begin
        encrypted = self._waiting and self._transport.pending > 0
        for end, call in awaited:
            left = own > 0 if end is None else begin < end or (begin == end and encrypted)
            if left and self._phase is Phase.OPEN:
                self._awaited.append((end, call))
            else:
                due.append(call)
        return due

    def _is_behind(self) -> bool:
        """Whether the flow counts the peer: it was live, it reads, and much waits. Requires holding _lock."""
        few = self._buffer.size <= BEHIND_BYTES // 2
        self._counts = self._counts or (self._live and few)
        if few or not self._counts or not self._speed.enough():
            return False
        return self._behind or self._buffer.size > BEHIND_BYTES

    def _report(self, added: Sequence[bytes] = ()) -> None:
        """Tell all who want to know what has changed in the buffer: after every change, without the lock.

        added: shared pieces that have come into the buffer
        """
        with self._lock:
            is_open, size = self._phase is Phase.OPEN, self._buffer.size
            behind = is_open and self._is_behind()
            changed, self._behind = behind != self._behind, behind
            own = self._own() if is_open else 0  # what is left of a goodbye has its deadline
            grown, self._reported = own - self._reported, own
            gone = self._buffer.take_gone()
            calls = self._take_due(own) if self._awaited else ()
        if changed:
            (self._flow.fell_behind if behind else self._flow.caught_up)()
        if grown or added or gone:
            self._backlogs.change(self, grown, added, gone)
        for call in calls:
            call(is_open)
        if own > OWN_BYTES or (is_open and size > BACKLOG_BYTES):
            self._give_up("too far behind")
        elif grown > 0 or added:
            self._relieve()

    def _relieve(self) -> None:
        """Disconnect who holds the most, of the address with the most, when all that waits is too much."""
        holder = self._backlogs.too_much_for()
        if holder is not None:
            holder._give_up("too far behind, and memory is short")

    # --- receiving: the handler ---------------------------------------------------------------------------

    def receive(self, size: int) -> bytes:
        """Wait for bytes; b"" when the peer has closed. Raises ConnectionLost (our own reason first)."""
        try:
            data = self._transport.receive(size)
        except ConnectionLost as lost:
            raise self._reason(lost) from None
        with self._lock:
            self._heard = self.clock()
            ending = self._phase is not Phase.OPEN
        if ending:
            raise self._reason(ConnectionLost("connection lost"))
        return data

    @property
    def heard(self) -> float:
        """When bytes last came, or the handler last went on."""
        with self._lock:
            return self._heard

    def submitting(self, submitting: bool) -> None:
        """Note that the handler waits at the queue, or goes on. While it waits, silence is not counted."""
        with self._lock:
            self._submitting = submitting
            self._heard = self.clock()

    def _reason(self, default: ConnectionLost) -> ConnectionLost:
        """A new one: each raise adds to the traceback of its exception."""
        with self._lock:
            why = self._why or default
        return ConnectionLost(str(why), why.plain, why.logged)

    # --- the end: any thread ----------------------------------------------------------------------------

    def part(self, code: Code, detail: str = "") -> None:
        """Say goodbye, without waiting. The first reason counts.

        Batches that were not begun are dropped: the peer gets them from history when it comes back. The
        receiving side stays open until the peer has closed: a socket that is closed while bytes come in sends
        a reset, and the peer loses what it has not read yet (RFC 1122, section 4.2.2.13).
        """
        with self._lock:
            if self._phase is not Phase.OPEN:
                return
            plain = _TOO_SLOW if code is Code.TOO_SLOW else ""
            self._why = ConnectionLost(detail or code.words, plain, code.words)
            self._enter(Phase.PARTING)
            self._buffer.drop_whole_batches()
            self._buffer.append(self._words.goodbye(code, detail))
            self._waiting = True
            self._send_buffered()
        self._report()
        self._watch(self)

    def cut(self, reason: str) -> None:
        """End the connection at once, without a goodbye. The first reason counts."""
        with self._lock:
            self._cut(ConnectionLost(reason))
        self._report()

    def _give_up(self, reason: str) -> None:
        log.warning("too_slow", "> %(peer)s: %(reason)s, disconnected", peer=self.peer, reason=reason)
        self._backlogs.give_up()
        self.part(Code.TOO_SLOW, reason)

    def _cut(self, reason: ConnectionLost) -> None:
        """Requires holding _lock."""
        # Not the error itself: it knows the frames that it came through, and they know this stream. Such a
        # circle waits for the garbage collector.
        self._why = self._why or ConnectionLost(str(reason), reason.plain, reason.logged)
        if self._phase is not Phase.CUT:
            self._enter(Phase.CUT)

    def _enter(self, phase: Phase) -> None:
        """Requires holding _lock."""
        assert self._lock.locked() and phase in _NEXT[self._phase], (self._phase, phase)
        self._phase = phase
        if phase is Phase.PARTING:
            self._deadline = self.clock() + GOODBYE_SECONDS
        elif phase is Phase.PARTED:
            self._transport.finish()
            self._waiting = self._transport.pending > 0  # the goodbye of TLS
        else:
            self._deadline = math.inf
            self._buffer.clear()
            self._waiting = False
            self._transport.abort()
        if self._taken is not None:
            self._taken.notify_all()

    def tick(self, now: float, dead_after: float) -> bool:
        """Act if the deadline has passed, the peer is silent, or a ping is due. Called by the flusher.

        dead_after: seconds of silence after which a peer is dead
        Returns whether a deadline runs, so that the next tick should come soon.
        """
        with self._lock:
            phase, late = self._phase, now > self._deadline
            silent = 0.0 if self._submitting else now - self._heard
            ping = now - self._pinged >= dead_after / 3
            if ping:
                self._pinged = now
        if late and phase is Phase.OPEN:
            self._give_up("not reading")
        elif late:
            self.cut("the peer does not close")
        elif phase is Phase.OPEN and silent > dead_after:
            self.cut(f"silent for {dead_after:g} s")
        elif ping:
            self.send(self._words.ping)
        self._report()
        with self._lock:
            return self._deadline < math.inf

    def excuse(self, seconds: float, heard: float) -> None:
        """The whole process was stopped for so many seconds: no deadline runs. Called by the flusher.

        heard: the peer counts as heard of then, so that what waits in its socket can be read first
        """
        with self._lock:
            self._deadline += seconds
            self._heard = max(self._heard, heard)

    def release(self) -> None:
        """Read on until the peer has closed, or the flusher cuts; then let the flusher close the transport.

        Called by the handler as its last act. Without a goodbye, the connection is cut at once.
        """
        with self._lock:
            if self._phase is Phase.OPEN:
                self._cut(ConnectionLost("closed"))
        try:
            while self.phase is not Phase.CUT and self._transport.receive(RECEIVE_LARGE):
                pass
        except ConnectionLost:
            pass  # the peer is gone
        self.cut("closed")
        with self._lock:
            self._released = True
        self._watch(self)

    @property
    def released(self) -> bool:
        """Whether the flusher may close the transport: the handler does not use it any more."""
        with self._lock:
            return self._released

    def close(self) -> None:
        """Close the transport. Called by the flusher, or after its end by the handler."""
        with self._lock:
            self._transport.close()


class _Speed:
    """How fast a peer takes what waits for it: whether it was READING_RATE in the latest READING_SECONDS."""

    __slots__ = ("_began", "_clock", "_enough", "_taken")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.begin()

    def begin(self) -> None:
        """Bytes begin to wait: so far the peer has taken all."""
        self._began, self._taken, self._enough = self._clock(), 0, True

    def add(self, taken: int) -> None:
        """The peer has taken so many bytes."""
        self._taken += taken

    def enough(self) -> bool:
        """Whether the peer reads."""
        now = self._clock()
        if now - self._began >= READING_SECONDS:
            self._enough = self._taken >= READING_RATE * (now - self._began)
            self._began, self._taken = now, 0
        return self._enough
