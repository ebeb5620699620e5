"""The drainer: one thread that sends what peers did not take at first, as soon as they take it."""

from __future__ import annotations

import selectors
import socket
import threading
import time

from chatroom.deadline import Deadline
from server.limits import GOODBYE_SECONDS
from server.outbox import Outbox

_CHECK_SECONDS = 1.0  # how often those that are watched are checked for a stop, at least


class Drainer:
    """Waits for the sockets of the outboxes that keep something. Costs nothing while there are none.

    The selector is confined to the thread; others post to it and wake it.
    """

    def __init__(self) -> None:
        # Guards _posted, _woken, _stopping and _ended.
        self._lock = threading.Lock()
        self._posted: list[Outbox] = []
        self._woken = False
        self._stopping = False
        self._ended = False
        self._waking, self._wakes = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wakes, selectors.EVENT_READ)

    def watch(self, outbox: Outbox) -> None:
        """Flush `outbox` whenever its socket takes more, until nothing is kept. Any thread."""
        with self._lock:
            ended = self._ended
            if not ended:
                self._posted.append(outbox)
            wake, self._woken = not self._woken, True
        if ended:
            _drop(outbox)
        elif wake:
            self._wake()

    def stop(self) -> None:
        """End run(); what is kept then (goodbyes) has GOODBYE_SECONDS to be taken. Any thread, once."""
        with self._lock:
            self._stopping = True
            wake, self._woken = not self._woken, True
        if wake:
            self._wake()

    def _wake(self) -> None:
        try:
            self._waking.send(b"!")
        except OSError:
            pass  # it has ended meanwhile, and dropped what was posted

    def run(self) -> None:
        """The thread."""
        last_check = time.monotonic()
        while not self._take_posted():
            watching = len(self._selector.get_map()) > 1
            self._flush_ready(_CHECK_SECONDS if watching else None)
            now = time.monotonic()
            if now - last_check >= _CHECK_SECONDS:
                last_check = now
                self._check_progress(now)
        deadline = Deadline(GOODBYE_SECONDS)
        while self._watched() and not deadline.expired:
            self._flush_ready(deadline.left())
            self._take_posted()
        self._end()

    def _flush_ready(self, seconds: float | None) -> None:
        """Wait until something can be sent or was posted, and send it."""
        for key, _ in self._selector.select(seconds):
            if isinstance(key.fileobj, Outbox):
                self._flush(key.fileobj)
            else:
                self._wakes.recv(16)

    def _take_posted(self) -> bool:
        """Register what was posted; whether to stop."""
        with self._lock:
            posted, self._posted = self._posted, []
            self._woken = False
            stopping = self._stopping
        for outbox in posted:
            if outbox.flush():
                self._selector.register(outbox, selectors.EVENT_WRITE)
            elif not outbox.let_go():
                self.watch(outbox)
        return stopping

    def _flush(self, outbox: Outbox) -> None:
        if not outbox.flush():
            self._selector.unregister(outbox)
            if not outbox.let_go():
                self.watch(outbox)

    def _check_progress(self, now: float) -> None:
        for outbox in self._watched():
            outbox.check_progress(now)

    def _watched(self) -> list[Outbox]:
        return [key.fileobj for key in self._selector.get_map().values() if isinstance(key.fileobj, Outbox)]

    def _end(self) -> None:
        with self._lock:
            self._ended = True
            posted, self._posted = self._posted, []
        for outbox in self._watched():
            self._selector.unregister(outbox)
            _drop(outbox)
        for outbox in posted:
            _drop(outbox)
        self._selector.close()
        self._waking.close()
        self._wakes.close()


def _drop(outbox: Outbox) -> None:
    """Send what still fits, and forget the rest."""
    outbox.flush()
    outbox.cut()
    outbox.let_go()
