"""One member that says a line, waits until it is back, pauses, and says the next one: how long that took."""

from __future__ import annotations

import itertools
import threading
import time
from contextlib import suppress
from typing import Final

from chatroom.events import Event
from chatroom.packets import Ping, Pong, Say
from tests.support.peer import Peer

PAUSE: Final = 0.2
"""Seconds between two lines: at five a second, a minute's 99th percentile is one of 300."""
PATIENCE: Final = 60.0


class Probe:
    """A member in a channel that all are in, with a thread of its own. Any thread may take the times."""

    def __init__(self, port: int, pause: float = PAUSE) -> None:
        self._peer = Peer.come_in(port, "probe", source="127.0.0.1")
        self._peer.socket.settimeout(PATIENCE)
        self._pause = pause
        self._over = threading.Event()
        # Guards _took.
        self._lock = threading.Lock()
        self._took: list[float] = []
        self._thread = threading.Thread(target=self._run, name="probe")
        self._thread.start()

    @property
    def is_in(self) -> bool:
        """Whether it still measures."""
        return self._thread.is_alive()

    def take(self) -> list[float]:
        """The seconds of the lines since the last call."""
        with self._lock:
            took, self._took = self._took, []
        return took

    def close(self) -> None:
        self._over.set()
        with suppress(OSError):
            self._peer.socket.shutdown(2)
        self._thread.join()
        self._peer.close()

    def _run(self) -> None:
        with suppress(OSError):
            for id in itertools.count(1):
                if self._over.wait(self._pause):
                    return
                began = time.monotonic()
                self._peer.send(Say(id, "#general", f"probe {id}"))
                if not self._is_back(id):
                    return
                with self._lock:
                    self._took.append(time.monotonic() - began)

    def _is_back(self, id: int) -> bool:
        """Wait for the line; False: the server has hung up."""
        person = self._peer.welcome.person
        while (packet := self._peer.receive()) is not None:
            self._peer.packets.clear()
            if isinstance(packet, Ping):
                self._peer.send(Pong(packet.id))
            elif isinstance(packet, Event) and packet.person == person and packet.id == id:
                return True
        return False
