"""A member that searches in a long history, over and over, while others talk."""

from __future__ import annotations

import itertools
import json
import threading
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import accumulate
from pathlib import Path
from random import Random

from chatroom.events import Event
from chatroom.outcomes import Code
from chatroom.packets import Answer, Command, Replay
from server.database import connect
from server.search import Search
from tests.bench.load import DeliveryMissing
from tests.support.peer import Peer

SEED = 1
WORDS_OF_A_LINE = 9
VOCABULARY = 20_000
"""Different words: the n-th most frequent one comes 1/n times as often as the first, as in real languages."""

SEARCHES = (
    "word{rare}",
    "word{rare} from:talker-3",
    "word{middle} word{frequent}",
    "word{frequent}",
    "word{frequent} word{frequent} from:talker-7 since:1d",
)
"""Searches in turn: rare words, and words of which each page is full."""


class Texts:
    """Lines of words as frequent as in a language; the same ones each time."""

    def __init__(self) -> None:
        self._random = Random(SEED)
        self._bounds = list(accumulate(1 / rank for rank in range(1, VOCABULARY + 1)))

    def __call__(self, _seq: int) -> str:
        random, bounds = self._random.random, self._bounds
        ranks = (bisect_right(bounds, random() * bounds[-1]) for _ in range(WORDS_OF_A_LINE))
        return " ".join([f"word{rank}" for rank in ranks])


def index(path: Path) -> float:
    """Let the index have all lines, as the server does in some minutes; seconds that it took."""
    begin = time.monotonic()
    with closing(connect(path)) as connection:
        connection.execute("PRAGMA synchronous = NORMAL")
        search = Search(connection, threading.Lock())
        while search.step():
            pass
    return time.monotonic() - begin


class Searcher:
    """times: seconds of each search so far"""

    def __init__(self, port: int, channel: str) -> None:
        self.times: list[float] = []
        self._peer = Peer.enter(port, "searcher", channel=channel)
        self._random = Random(SEED)
        self._ids = itertools.count(1)
        self._stop = threading.Event()
        self._failed: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="searcher")

    def search(self, text: str) -> tuple[list[Event], dict[str, object]]:
        """The lines that were found, and the row of the answer. Live events are dropped."""
        id = next(self._ids)
        self._peer.send(Command(id, "#general", f"/grep {text}"))
        self._peer.receive_until(lambda packet: packet == Replay(id))
        self._peer.packets.clear()
        answer: Answer = self._peer.receive_until(lambda packet: isinstance(packet, Answer))
        if answer.id != id or answer.code != Code.OK:
            raise DeliveryMissing(f"/grep {text}: {answer.words}")
        (row,) = json.loads(answer.rows)
        return [packet for packet in self._peer.packets if isinstance(packet, Event)], row

    def _run(self) -> None:
        try:
            for text in itertools.cycle(SEARCHES):
                if self._stop.is_set():
                    return
                words = {
                    "rare": self._random.randrange(VOCABULARY // 2, VOCABULARY),
                    "middle": self._random.randrange(100, 1000),
                    "frequent": self._random.randrange(10),
                }
                begin = time.perf_counter()
                self.search(text.format(**words))
                self.times.append(time.perf_counter() - begin)
        except Exception as error:  # noqa: BLE001  raised again by stop()
            self._failed = error

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Search, one search after the other, until the end of the block."""
        self._thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join()
            self._peer.close()
        if self._failed is not None:
            raise DeliveryMissing(f"a search failed: {self._failed!r}")


def percentile(times: Sequence[float], share: float) -> float:
    """The time that so large a share of the times does not exceed."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
