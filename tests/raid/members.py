"""Thirty members with accounts: each says a line a second, and counts what it sees of the raid.

One thread does it for all. It searches the bytes that come: to decode what raiders say would cost more than
a program has.
"""

from __future__ import annotations

import itertools
import selectors
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple, cast

from chatroom.packets import Say, encode
from tests.raid.raiders import MARK, NAME
from tests.support.person import Person

PERIOD: Final = 1.0
"""Seconds between two lines of one member."""
_TAIL: Final = 64
_MARK, _NAME = MARK.encode(), NAME.encode()


class Took(NamedTuple):
    """A line that came back, or not yet: when it was said, and how many seconds that took."""

    said: float
    seconds: float


class Seen(NamedTuple):
    """What one member saw of the raid: when, how many lines, how many other events."""

    at: float
    lines: int
    others: int


class _Member:
    def __init__(self, person: Person, first: float) -> None:
        self.person, self.next = person, first
        self.name = person.welcome.name
        self.waiting: deque[tuple[bytes, float]] = deque()
        self.tail = b""
        self.ids = itertools.count(1000)


class Members:
    """All of them. Any thread may ask for what they felt."""

    def __init__(self, persons: Sequence[Person]) -> None:
        now = time.monotonic()
        self.count = len(persons)
        self._members = [
            _Member(one, now + PERIOD * number / len(persons)) for number, one in enumerate(persons)
        ]
        # Guards _took, _seen and the members' `waiting`.
        self._lock = threading.Lock()
        self._took: list[Took] = []
        self._seen: list[Seen] = []
        self._lost: list[str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="members")
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        for one in self._members:
            one.person.close()

    # --- what they felt -------------------------------------------------------------------------------------

    def took(self, begin: float, end: float) -> list[float]:
        """The seconds of each line that was said between; of one that is not back, until now."""
        now = time.monotonic()
        with self._lock:
            waiting = [Took(said, now - said) for one in self._members for _, said in one.waiting]
            return sorted(one.seconds for one in self._took + waiting if begin <= one.said < end)

    def seen(self, begin: float, end: float) -> tuple[float, float]:
        """Lines and other events of raiders, a second and member."""
        with self._lock:
            found = [one for one in self._seen if begin <= one.at < end]
        whole = max(0.001, end - begin) * self.count
        return sum(one.lines for one in found) / whole, sum(one.others for one in found) / whole

    def last_line(self, since: float) -> float:
        """When a member saw the latest line of a raider; `since`: none after that."""
        with self._lock:
            return max([one.at for one in self._seen if one.lines and one.at > since], default=since)

    @property
    def lost(self) -> list[str]:
        """Who was put out."""
        with self._lock:
            return list(self._lost)

    # --- the thread -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        selector = selectors.DefaultSelector()
        for one in self._members:
            one.person.socket.settimeout(10.0)
            selector.register(one.person.socket, selectors.EVENT_READ, one)
        while not self._over.is_set():
            self._talk()
            for key, _ in selector.select(0.005):
                one = cast(_Member, key.data)
                if not self._read(one):
                    selector.unregister(one.person.socket)
                    with self._lock:
                        self._lost.append(one.name)
        selector.close()

    def _talk(self) -> None:
        now = time.monotonic()
        for one in self._members:
            if now >= one.next:
                one.next = max(now, one.next + PERIOD)
                id = next(one.ids)
                text = f"<line {id} of {one.name}>"
                with self._lock:
                    one.waiting.append((text.encode(), now))
                try:
                    one.person.socket.sendall(encode(Say(id, "#general", text)))
                except OSError:
                    one.next = float("inf")

    def _read(self, one: _Member) -> bool:
        try:
            data = one.person.socket.recv(1 << 18)
        except OSError:
            return False
        if not data:
            return False
        now, whole = time.monotonic(), one.tail + data
        lines, tail = whole.count(_MARK) - one.tail.count(_MARK), one.tail
        names = whole.count(_NAME) - tail.count(_NAME)
        with self._lock:
            if names:
                self._seen.append(Seen(now, lines, max(0, names - lines)))
            while one.waiting and one.waiting[0][0] in whole:
                _, said = one.waiting.popleft()
                self._took.append(Took(said, now - said))
        one.tail = whole[-_TAIL:]
        return True
