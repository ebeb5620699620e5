"""What is on its way to one peer: sent at once where the socket takes it, kept in order where it does not."""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Protocol

from chatroom.flow import Flow
from chatroom.limits import BEHIND_BYTES
from server.limits import BACKLOG_BYTES, STALL_SECONDS

_BUFFERS = 64  # handed to one sendmsg(); far below the system's IOV_MAX of 1024, and more than one call takes


class Watcher(Protocol):
    """The drainer, as an outbox sees it."""

    def watch(self, outbox: Outbox) -> None:
        """From now on until let_go(): call flush() whenever the socket takes more."""


class Outbox:
    """The sending side of one connection, and the end of its socket. `send` never waits and never copies.

    While nothing is kept, whoever sends writes to the socket itself, under the lock: such a write does not
    wait. As soon as something is kept, only the drainer writes, outside the lock, and others append. That
    the file descriptor is closed only when neither can be writing is this class's business, too: a number
    that is closed too early may already be somebody else's connection.

    on_overflow: called without the lock when the peer is BACKLOG_BYTES behind or has stalled
    """

    __slots__ = (
        "_behind", "_changed", "_closed", "_ending", "_flow", "_in_flight", "_kept", "_lock", "_on_overflow",
        "_progress", "_released", "_size", "_socket", "_watched", "_watcher",
    )  # fmt: skip

    def __init__(
        self, sock: socket.socket, watcher: Watcher, flow: Flow, on_overflow: Callable[[str], None]
    ) -> None:
        self._socket = sock
        self._watcher = watcher
        self._flow = flow
        self._on_overflow = on_overflow
        # Guards every field below, and that what is sent is sent whole and in order.
        self._lock = threading.Lock()
        self._changed: threading.Condition | None = None  # made when somebody waits
        self._kept: deque[bytes | memoryview] | None = None  # None: nothing is kept
        self._in_flight = 0  # the first buffers of _kept, which the drainer is writing
        self._size = 0  # bytes in _kept
        self._progress = 0.0  # when the peer last took something, or the keeping began
        self._behind = False  # the flow counts this peer
        self._watched = False  # the drainer has it, and closes the socket if it must be closed
        self._ending = False  # the last bytes are in; after them the sending side is shut down
        self._closed = False  # nothing can be sent any more
        self._released = False  # the handler, which may be in recv(), is done with the socket

    def __repr__(self) -> str:
        state = "closed" if self._closed else "ending" if self._ending else "open"
        return f"<Outbox {state}, {self._size} bytes kept>"

    def fileno(self) -> int:
        """For selectors."""
        return self._socket.fileno()

    # --- sending ----------------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Send, or keep for later. Without effect once the connection is ending."""
        with self._lock:
            if self._closed or self._ending:
                return
            rest = self._write(data) if self._kept is None else data
            if rest is None:  # the usual case: the socket took it all
                return
            watch = self._keep(rest)
            fell = not self._behind and self._size > BEHIND_BYTES
            self._behind |= fell
            overflow = self._size > BACKLOG_BYTES
        if watch:
            self._watcher.watch(self)
        if fell:
            self._flow.fell_behind()
        if overflow:
            self._on_overflow("too far behind")

    def _write(self, data: bytes) -> bytes | memoryview | None:
        """What is left of `data` when the socket has taken what it can. Requires holding the lock."""
        try:
            sent = self._socket.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return data
        except OSError:  # the peer is gone; the handler sees it too, and closes
            self._fail()
            return None
        return memoryview(data)[sent:] if sent < len(data) else None

    def _keep(self, rest: bytes | memoryview) -> bool:
        """Keep it for the drainer; whether that must be told. Requires holding the lock."""
        if self._kept is None:
            self._kept = deque()
            self._progress = time.monotonic()
        self._kept.append(rest)
        self._size += len(rest)
        watch, self._watched = not self._watched, True
        return watch

    def finish(self, last: bytes, hear_out: bool = True) -> None:
        """Send `last` as the last bytes and shut the sending side down behind it; no waiting.

        The receiving side stays open until the peer has closed: to close a socket while something is still
        coming in would reset the connection, and take from the peer what it has not read yet (RFC 1122,
        section 4.2.2.13). With `hear_out` false it is not waited for: the handler is woken at once.

        What is kept and not begun is dropped, whole batches only: a peer that does not read would never
        come to the goodbye behind it, and it gets the rest from history when it comes back.
        """
        with self._lock:
            if self._closed or self._ending:
                return
            self._ending = True
            behind, self._behind = self._behind, False
            rest = self._write(last) if self._kept is None else last
            if rest is None:
                self._shut(socket.SHUT_WR)
                return
            if self._kept is not None:
                begun = max(self._in_flight, int(isinstance(self._kept[0], memoryview)))
                self._kept = deque(islice(self._kept, begun)) or None
                self._size = sum(map(len, self._kept or ()))
            watch = self._keep(rest)
            if not hear_out:
                self._shut(socket.SHUT_RD)
            if self._changed is not None:
                self._changed.notify_all()
        if watch:
            self._watcher.watch(self)
        if behind:  # nobody waits for one that is sent away
            self._flow.caught_up()

    @property
    def saying_goodbye(self) -> bool:
        """Whether the last bytes are on their way, or there already, and the connection was not cut."""
        with self._lock:
            return self._ending and not self._closed

    @property
    def over(self) -> bool:
        """Whether nothing can be said any more; what the peer still says does not count."""
        with self._lock:
            return self._ending or self._closed

    @property
    def said_goodbye(self) -> bool:
        """Whether the last bytes have been handed to the system."""
        with self._lock:
            return self._ending and self._kept is None

    def wait_until_taken(self, size: int) -> bool:
        """Wait until at most `size` bytes are kept; False when the connection is at its end."""
        with self._lock:
            while self._size > size and not self._closed and not self._ending:
                if self._changed is None:
                    self._changed = threading.Condition(self._lock)
                self._changed.wait()
            return not self._closed and not self._ending

    # --- for the drainer --------------------------------------------------------------------------------

    def flush(self) -> bool:
        """Write what the socket takes now; whether something is still kept."""
        with self._lock:
            if self._kept is None:
                return False
            buffers = list(islice(self._kept, _BUFFERS))
            self._in_flight = len(buffers)
        sent = -1
        try:
            sent = self._socket.sendmsg(buffers, (), socket.MSG_DONTWAIT)
        except BlockingIOError:
            sent = 0
        except OSError:  # the peer is gone; the handler sees it too, and closes
            pass
        with self._lock:
            self._in_flight = 0
            if sent < 0:
                self._fail()
            elif sent:
                self._forget(sent)
            if self._ending and self._kept is None and not self._closed:
                self._shut(socket.SHUT_WR)
            caught_up = self._behind and self._size <= BEHIND_BYTES // 2
            self._behind &= not caught_up
            if self._changed is not None:
                self._changed.notify_all()
            more = self._kept is not None
        if caught_up:
            self._flow.caught_up()
        return more

    def _forget(self, sent: int) -> None:
        """Let go of the bytes that were sent. Requires holding the lock."""
        kept = self._kept
        if kept is None:  # closed in the meantime
            return
        self._size -= sent
        self._progress = time.monotonic()
        while sent:
            first = kept[0]
            if sent < len(first):
                kept[0] = memoryview(first)[sent:]
                break
            sent -= len(first)
            kept.popleft()
        if not kept:
            self._kept = None

    def let_go(self) -> bool:
        """The drainer does not watch any more. False: it must go on, something was kept meanwhile."""
        with self._lock:
            if self._kept is not None:
                return False
            self._watched = False
            if self._released:
                self._socket.close()
            return True

    def check_progress(self, now: float) -> None:
        """End the connection of a peer that has taken nothing for STALL_SECONDS. now: monotonic seconds."""
        with self._lock:
            if self._kept is None or now - self._progress <= STALL_SECONDS:
                return
            hopeless = self._ending  # it did not even take the goodbye
            if hopeless:
                self._fail()
        if not hopeless:
            self._on_overflow("not reading")

    # --- the end ----------------------------------------------------------------------------------------

    def cut(self) -> None:
        """End the connection at once; what is kept is dropped. The socket is closed by close()."""
        with self._lock:
            if not self._closed or self._kept is not None:  # a goodbye may outlive the handler
                self._fail()
            behind, self._behind = self._behind, False
        if behind:
            self._flow.caught_up()

    def close(self) -> None:
        """Close the socket, after the goodbye where one is on its way. Only the handler calls it, once."""
        with self._lock:
            if not self._ending:
                self._fail()
            self._closed = self._released = True
            if not self._watched:
                self._socket.close()
            behind, self._behind = self._behind, False
        if behind:
            self._flow.caught_up()

    def _fail(self) -> None:
        """Nothing can be sent any more. Requires holding the lock."""
        self._closed = True
        self._kept = None
        self._size = 0
        if self._changed is not None:
            self._changed.notify_all()
        self._shut(socket.SHUT_RDWR)

    def _shut(self, how: int) -> None:
        """Wakes the handler's recv(), but for SHUT_WR. Requires holding the lock (the socket is open)."""
        try:
            self._socket.shutdown(how)
        except OSError:
            pass  # the peer was faster, or the handler has closed
