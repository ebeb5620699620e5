"""An operator that looks at the server's threads once a second, while others talk."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from chatroom.outcomes import Code
from chatroom.picture import Picture, picture_of
from tests.bench.load import DeliveryMissing
from tests.bench.peers import HISTORY, Running
from tests.support.person import Person

LOOK_SECONDS = 1.0
"""From one look to the next, as `--watch` does."""

_PASSWORD = "a password of the benchmark"


class Watcher:
    """The owner of the server, in a channel of its own: so it gets no line of the others.

    times: seconds of each look so far
    """

    def __init__(self, server: Running) -> None:
        self.times: list[float] = []
        self.latest: Picture | None = None
        self._person = Person.come(f"127.0.0.1:{server.port}", "watcher", channel="#watch")
        self._person.do("/register", _PASSWORD)
        self._person.do("/owner", (server.folder / f"{HISTORY}.code").read_text())
        self._stop = threading.Event()
        self._failed: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="watcher")

    def look(self) -> None:
        """One look."""
        begin = time.perf_counter()
        answer = self._person.tell("/inspect")
        self.times.append(time.perf_counter() - begin)
        self.latest = picture_of(self._person.rows[0]) if answer.code == Code.OK else None
        if self.latest is None:
            raise DeliveryMissing(f"/inspect: {answer.words}")

    def _run(self) -> None:
        try:
            self.look()
            while not self._stop.wait(LOOK_SECONDS):
                self.look()
        except Exception as error:  # noqa: BLE001  raised again at the end of at_work()
            self._failed = error

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Look once a second until the end of the block."""
        self._thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join()
            self._person.close()
        if self._failed is not None:
            raise DeliveryMissing(f"a look failed: {self._failed!r}")
