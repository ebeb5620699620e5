"""The admission ports that are in use: when no port of the range is free, one address has to give one up."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from chatroom.deadline import Deadline
from chatroom.errors import Closed, Refused
from chatroom.outcomes import Code
from server.crowd import Crowd, Visit
from server.limits import PORT_SECONDS
from server.ports import Ports


class WaitingPorts:
    """Gives listening sockets to newcomers, and shares the ports of the range between their addresses."""

    def __init__(self, ports: Ports, crowd: Crowd, clock: Callable[[], float] = monotonic) -> None:
        self.same = ports.same
        self._ports = ports
        self._crowd = crowd
        self._clock = clock
        # Guards _holders, _given_back and _closed.
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._holders: dict[str, dict[Visit, float]] = {}  # by network: since when; the longest first
        self._given_back = 0  # how many ports have been given back so far
        self._closed = False

    @contextmanager
    def listen(
        self, host: tuple[int, tuple[Any, ...]], visit: Visit, deadline: Deadline
    ) -> Iterator[socket.socket]:
        """A listening socket for this newcomer; the caller closes it before the end of the block.

        host: address family and address; its port does not count
        Waits for a port when the range has no free one. Raises OSError when none becomes free, and Closed.
        """
        listener = self._open(host, visit, deadline)
        try:
            yield listener
        finally:
            with self._lock:
                self._remove(visit)
                self._given_back += 1
                self._changed.notify_all()

    def _open(self, host: tuple[int, tuple[Any, ...]], visit: Visit, deadline: Deadline) -> socket.socket:
        while True:
            with self._lock:
                if self._closed:
                    raise Closed("the server is shutting down")
                given_back = self._given_back
            try:
                listener = self._ports.listen(*host)
            except OSError:
                if not self._ports.low or deadline.expired or not self._wait(visit, given_back, deadline):
                    raise
                continue
            with self._lock:
                self._holders.setdefault(visit.network, {})[visit] = self._clock()
            return listener

    def _wait(self, visit: Visit, given_back: int, deadline: Deadline) -> bool:
        """Wait until a port may be free; False when no newcomer has one: another program has them all."""
        with self._lock:
            if not self._holders and given_back == self._given_back:
                return False
            victim = self._victim(visit.network)
        if victim is not None:
            reason = "other newcomers need the port, and you did not come to it"
            self._crowd.dismiss(victim, Refused(reason, Code.SLOW_DOWN))
        with self._lock:
            if given_back == self._given_back and not self._closed:
                self._changed.wait(min(PORT_SECONDS, deadline.left()))
        return True

    def _victim(self, network: str) -> Visit | None:
        """The newcomer that has to give up its port: of the busiest address, the one that had it longest.

        Requires holding _lock.
        """
        if not self._holders:
            return None
        own = len(self._holders.get(network, ()))
        busiest = max(self._holders.values(), key=len)
        visit, since = next(iter(busiest.items()))
        if len(busiest) <= own + 1 and self._clock() - since < PORT_SECONDS:
            return None
        return visit

    def _remove(self, visit: Visit) -> None:
        """Requires holding _lock."""
        holders = self._holders.get(visit.network, {})
        holders.pop(visit, None)
        if not holders:
            self._holders.pop(visit.network, None)

    def close(self) -> None:
        """Let those that wait for a port raise Closed."""
        with self._lock:
            self._closed = True
            self._changed.notify_all()
