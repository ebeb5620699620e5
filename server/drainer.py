"""The drainer: one thread that sends what peers did not take at first, as soon as they take it."""

from __future__ import annotations

import selectors
import socket
import threading
import time

from server.outbox import Outbox

_CHECK_SECONDS = 1.0  # how often those that are watched are checked for a stop, at least


class Drainer:
    """Waits for the sockets of the outboxes that keep something. Costs nothing while there are none.

    The selector is confined to the thread; others post to it and wake it.
    """

    def __init__(self) -> None:
        # Guards _posted, _woken and _stopping.
        self._lock = threading.Lock()
        self._posted: list[Outbox] = []
        self._woken = False
        self._stopping = False
        self._waking, self._wakes = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wakes, selectors.EVENT_READ)

    def watch(self, outbox: Outbox) -> None:
        """Flush `outbox` whenever its socket takes more, until nothing is kept. Any thread."""
        with self._lock:
            self._posted.append(outbox)
            wake, self._woken = not self._woken, True
        if wake:
            self._waking.send(b"!")

    def stop(self) -> None:
        """End run(); what is kept then is dropped. Any thread, once."""
        with self._lock:
            self._stopping = True
            wake, self._woken = not self._woken, True
        if wake:
            self._waking.send(b"!")

    def run(self) -> None:
        """The thread."""
        last_check = time.monotonic()
        while not self._take_posted():
            watching = len(self._selector.get_map()) > 1
            ready = self._selector.select(_CHECK_SECONDS if watching else None)
            for key, _ in ready:
                if isinstance(key.fileobj, Outbox):
                    self._flush(key.fileobj)
                else:
                    self._wakes.recv(16)
            now = time.monotonic()
            if now - last_check >= _CHECK_SECONDS:
                last_check = now
                self._check_progress(now)
        self._end()

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
        for outbox in self._watched():
            outbox.flush()  # what fits still goes
            outbox.cut()
            self._selector.unregister(outbox)
            outbox.let_go()
        self._selector.close()
        self._waking.close()
        self._wakes.close()
