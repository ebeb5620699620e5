"""A client without a server, at a terminal: what a test sees of client/interactive.py from outside.

    python -m tests.client.stage FILE [around | inline]

Every line said is written to FILE and comes back as the own event. Some lines make something happen:

    news N    bob says N lines, at once       crash     the client raises
    flood     bob talks without end            lose      the connection is lost, for good
    full      no more lines are taken          blip      … and comes back, with what was missed
    slow      lines are not stored             end       the client ends with an error
    refuse    the line is refused              change    … and comes back, to another history
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from chatroom.errors import Refused
from chatroom.events import Event, EventKind
from chatroom.packets import Answer, Channel, Info, Present, Resumed
from client.interactive import can_paint, interact
from client.updates import (
    CaughtUp,
    Connected,
    Disconnected,
    Ended,
    Interrupted,
    Missed,
    Retrying,
    Unanswered,
    Update,
)

MEMBERS = Channel(1, "#stage", "", 0, 0, 2, (Present(1, 0, "ann"), Present(2, 0, "eve")))


class StagedLine:
    """A line that is stored as soon as it was said, or never."""

    def __init__(self, id: int, text: str, stored: bool) -> None:
        self.id, self.text, self.stored = id, text, stored


class Stage:
    """Answers like a client; one thread at most, for the flood."""

    def __init__(self, record: Path) -> None:
        self.on_update: Callable[[], None] | None = None
        self.name = "ann"
        self._record = record
        self._updates: deque[Update] = deque([Connected("ann", "#stage", False), MEMBERS, CaughtUp(0, False)])
        self._seq = 0
        self._full = self._slow = False
        self._closed = threading.Event()
        self._crash = False
        self._thread: threading.Thread | None = None

    def say(self, text: str, timeout: float | None = None) -> StagedLine:
        assert timeout == 0 or not can_paint(), "the screen must never wait for the network"
        if self._full:
            raise TimeoutError("too many lines wait to be confirmed")
        with self._record.open("a", encoding="utf-8") as record:
            record.write(text + "\n")
        self._seq += 1
        line = StagedLine(1000 + self._seq, text, not self._slow)
        if text == "refuse":
            self._happen(Answer(line.id, 25, "you are muted"))
        elif not self._slow:
            now = int(time.time() * 1000)
            self._happen(Event(self._seq, now, EventKind.SAID, "#stage", "ann", text, line.id))
        self._play(text)
        return line

    def command(self, text: str) -> int:
        self._happen(Answer(1, 0, f"asked: {text}\n/who  who is here"))
        return 1

    def flush(self, timeout: float | None = None) -> bool:
        return not self._slow

    def poll(self) -> list[Update]:
        if self._crash:
            raise RuntimeError("this client is broken")
        updates: list[Update] = []
        while self._updates:
            updates.append(self._updates.popleft())
        return updates

    def updates(self, timeout: float | None = None) -> Iterator[Update]:
        while not self._closed.is_set() or self._updates:
            yield from self.poll()
            self._closed.wait(0.01)

    def close(self) -> None:
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def _play(self, text: str) -> None:
        word, _, number = text.partition(" ")
        self._full, self._slow = self._full or word == "full", self._slow or word == "slow"
        if word == "news":
            self._talk(int(number))
        elif word == "flood":
            self._thread = threading.Thread(target=self._flood)
            self._thread.start()
        elif word == "crash":
            self._crash = True
        elif word in ("lose", "blip", "change"):
            self._happen(Disconnected("the cable was cut"), Retrying(2.0, "refused"))
        elif word == "end":
            self._happen(Ended("bob removed you", Refused("bob removed you")))
        if word == "blip":
            self._happen(Connected("ann", "#stage", True), Missed())
            self._talk(2)
            self._happen(CaughtUp(self._seq, True))

        if word == "change":
            unknown = Unanswered(1000 + self._seq, text, "not known")
            self._happen(
                Connected("ann", "#stage", True), Interrupted(Resumed.OTHER_HISTORY, "another history")
            )
            self._happen(CaughtUp(self._seq, True), unknown, Info("welcome\nback"))

    def _flood(self) -> None:
        while not self._closed.wait(0.001):
            self._talk(5)

    def _talk(self, count: int) -> None:
        now = int(time.time() * 1000)
        self._happen(*(Event(0, now, EventKind.SAID, "#stage", "bob", f"news {n}") for n in range(count)))

    def _happen(self, *updates: Update) -> None:
        self._updates.extend(updates)
        on_update = self.on_update
        if on_update is not None:
            on_update()


if __name__ == "__main__":
    stage = Stage(Path(sys.argv[1]))
    try:
        code = interact(stage, colour=False, repaint=(sys.argv[2:] or ["around"])[0])
    finally:
        stage.close()
    sys.exit(code)
