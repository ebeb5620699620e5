"""Connections that the server has refused: they stay open for a moment, so that the peer can read why."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import monotonic

from chatroom.errors import ConnectionLost
from server.limits import GOODBYE_SECONDS
from server.transport import GuestTransport


class Refusals:
    """Says why, and closes after GOODBYE_SECONDS. Confined to the thread that accepts.

    A socket that is closed before the peer's first bytes have come answers them with a reset, and the peer
    may lose the reason. Nothing is read: a flood of connections must cost little.

    most: connections that stay open at the same time
    """

    def __init__(self, most: int, clock: Callable[[], float] = monotonic) -> None:
        self._most = most
        self._clock = clock
        self._open: deque[tuple[float, GuestTransport]] = deque()  # until when; the oldest first

    def __len__(self) -> int:
        return len(self._open)

    def refuse(self, transport: GuestTransport, status: bytes) -> None:
        """Send `status`, the last that the peer gets. Owns the connection from here on."""
        if len(self._open) >= self._most:
            self._open.popleft()[1].close()
        try:
            transport.refuse(status)
            transport.finish()
        except ConnectionLost:
            transport.close()  # the peer is gone
        else:
            self._open.append((self._clock() + GOODBYE_SECONDS, transport))

    def tick(self) -> float | None:
        """Close those whose time is over; seconds until the next one, None: there is none."""
        while self._open:
            left = self._open[0][0] - self._clock()
            if left > 0:
                return left
            self._open.popleft()[1].close()
        return None

    def close(self) -> None:
        """Close all."""
        while self._open:
            self._open.popleft()[1].close()
