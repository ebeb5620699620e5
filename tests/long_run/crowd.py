"""The crowd: `python -m tests.long_run.crowd PORT MEMBERS RATE STAY SEED FILE`, until standard input ends.

FILE gets the first word of each line that was confirmed. The counts are printed at the end, as JSON.
"""

from __future__ import annotations

import json
import queue
import selectors
import sys
import threading
import time
from collections import Counter
from heapq import heappop, heappush
from random import Random
from typing import Final, NamedTuple, TextIO, cast

from chatroom.errors import ConnectionLost, NameRefused, ProtocolError
from chatroom.packets import Welcome
from tests.chaos.wire import Wire
from tests.long_run.visitor import Visitor

ADDRESSES: Final = 8
_DOORS: Final = 4  # threads that bring visitors in
_ACCOUNTS: Final = 10  # each tenth visitor has an account
_GOODBYE: Final = 0.6  # share of those who say goodbye; the connections of the others break
_SOON: Final = 0.7  # share of those whose connection is back within seconds
_ANOTHER: Final = 0.2  # share of those who have said goodbye and come back as somebody new
_WAIT: Final = 0.05  # seconds between two looks at the clock
_END_SECONDS: Final = 15.0  # for the last confirmations, on a machine that is busy


class Came(NamedTuple):
    """What came of a try to come in."""

    visitor: Visitor
    outcome: tuple[Wire, Welcome] | Exception


class Crowd:
    """All visitors. One thread acts and reads for all; the doors only go through handshakes.

    rate: things done a second, by all together
    stay: seconds that a visit lasts on average
    """

    def __init__(self, port: int, members: int, rate: float, stay: float, seed: int, file: TextIO) -> None:
        self._port, self._rate, self._stay, self._file = port, rate, stay, file
        self._random = Random(seed)
        self.counts: Counter[str] = Counter()
        self._over = threading.Event()
        self._wanted: queue.Queue[Visitor | None] = queue.Queue()
        self._came: queue.Queue[Came] = queue.Queue()
        self._selector = selectors.DefaultSelector()
        self._here: list[Visitor] = []
        self._plan: list[tuple[float, int, str, Visitor]] = []  # a heap: when, a number, what, who
        self._planned = 0
        self._leaving: set[Visitor] = set()
        for number in range(members):
            source = f"127.0.2.{number % ADDRESSES + 1}"
            account = number % _ACCOUNTS == 0
            random = Random(f"{seed}/{number}")
            visitor = Visitor(f"v{number}", source, account, random, self.counts, self._store)
            self._later(self._random.uniform(0, min(60.0, stay / 3)), "come", visitor)

    def _store(self, text: str) -> None:
        self._file.write(text + "\n")

    def run(self) -> None:
        """Until standard input ends; then until nothing is pending, for some seconds at most."""
        doors = [threading.Thread(target=self._bring_in, daemon=True) for _ in range(_DOORS)]
        for thread in (*doors, threading.Thread(target=self._listen, daemon=True)):
            thread.start()
        due = time.monotonic()
        while not self._over.is_set():
            self._take_in()
            self._follow_plan()
            while (now := time.monotonic()) >= due:
                due = max(due, now - 1.0) + self._random.expovariate(self._rate)
                if self._here:
                    self._random.choice(self._here).act()
            self._read(min(_WAIT, due - now))
        end = time.monotonic() + _END_SECONDS
        while any(one.pending for one in self._here) and time.monotonic() < end:
            self._read(_WAIT)
        self.counts["pending at the end"] = sum(len(one.pending) for one in self._here)
        for one in self._here:
            one.say_goodbye()
        for _ in doors:
            self._wanted.put(None)

    def _listen(self) -> None:
        sys.stdin.read()
        self._over.set()

    # --- coming ---------------------------------------------------------------------------------------------

    def _bring_in(self) -> None:
        while (visitor := self._wanted.get()) is not None:
            try:
                self._came.put(Came(visitor, visitor.knock(self._port)))
            except (NameRefused, ConnectionLost, ProtocolError) as error:
                self._came.put(Came(visitor, error))

    def _take_in(self) -> None:
        while not self._came.empty():
            visitor, outcome = self._came.get()
            if not isinstance(outcome, Exception):
                visitor.enter(*outcome)
                self._selector.register(outcome[0], selectors.EVENT_READ, visitor)
                self._here.append(visitor)
                self._later(1.0 + self._random.expovariate(1 / self._stay), "go", visitor)
                continue
            if isinstance(outcome, NameRefused):
                visitor.refused(outcome.code)
            else:
                self.counts[f"not in: {outcome}"] += 1
            self._later(self._random.uniform(1, 4), "come", visitor)

    # --- going ----------------------------------------------------------------------------------------------

    def _later(self, seconds: float, what: str, visitor: Visitor) -> None:
        self._planned += 1
        heappush(self._plan, (time.monotonic() + seconds, self._planned, what, visitor))

    def _follow_plan(self) -> None:
        while self._plan and self._plan[0][0] <= time.monotonic():
            _, _, what, visitor = heappop(self._plan)
            if what == "come":
                self._wanted.put(visitor)
            elif visitor in self._here:
                self._let_go(visitor)

    def _let_go(self, visitor: Visitor) -> None:
        if self._random.random() < _GOODBYE:
            self.counts["goodbyes"] += 1
            self._leaving.add(visitor)
            self._here.remove(visitor)
            visitor.say_goodbye()
            return
        self.counts["cuts"] += 1
        self._forget(visitor)
        visitor.cut()
        if self._random.random() < _SOON:
            self._later(0.2 + self._random.expovariate(36 / self._stay), "come", visitor)
        else:  # about as long as the name is held
            self._later(0.5 * self._stay + self._random.expovariate(2 / self._stay), "come", visitor)

    def _ended(self, visitor: Visitor) -> None:
        """The server has hung up."""
        self._forget(visitor)
        is_told = visitor.may_come_back  # it has changed its channels while it was still catching up
        visitor.lose()
        if visitor not in self._leaving:
            self.counts["told to come back" if is_told else "ended by the server"] += 1
        elif self._random.random() < _ANOTHER:
            visitor.become_another()
        self._leaving.discard(visitor)
        self._later(0.5 + self._random.expovariate(6 / self._stay), "come", visitor)

    def _forget(self, visitor: Visitor) -> None:
        assert visitor.wire is not None
        self._selector.unregister(visitor.wire)
        if visitor in self._here:
            self._here.remove(visitor)

    def _read(self, seconds: float) -> None:
        for key, _ in self._selector.select(max(0.0, seconds)):
            visitor = cast(Visitor, key.data)
            try:
                visitor.read()
            except (ConnectionLost, ProtocolError) as error:
                if isinstance(error, ProtocolError):
                    self.counts[f"protocol error: {error}"] += 1
                self._ended(visitor)


def main() -> int:
    port, members, rate, stay, seed = sys.argv[1:6]
    with open(sys.argv[6], "w", encoding="utf-8") as file:
        crowd = Crowd(int(port), int(members), float(rate), float(stay), int(seed), file)
        crowd.run()
    print(json.dumps(crowd.counts), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
