"""A client without a server, at a terminal: what a test sees of client/interactive.py from outside.

    python -m tests.client.stage FILE [around | inline | plain] [title]

Every line said is written to FILE and comes back as the own event. Some lines make something happen:

    news N    bob says N lines, at once       crash     the client raises
    ask       bob calls ann                    euro      bob says what ASCII has not
    flood     bob talks without end            lose      the connection is lost, for good
    full      no more lines are taken          blip      … and comes back, with what was missed
    slow      lines are not stored             end       the client ends with an error
    refuse    the line is refused              change    … and comes back, to another history
    else      lines come in other channels

A login as dora succeeds with the password `secret`; what is told to it is written to FILE, too.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from chatroom.errors import NeedEncryption, Refused
from chatroom.events import Event, EventKind
from chatroom.packets import Answer, Channel, Info, Present, Resumed
from client.interactive import can_paint, interact
from client.own_steps import OwnSteps
from client.rooms import Room, Rooms
from client.secret_commands import has_secrets
from client.talking import Member
from client.updates import (
    CaughtUp,
    Connected,
    Disconnected,
    Ended,
    Interrupted,
    LoggedIn,
    Missed,
    NotLoggedIn,
    Retrying,
    Unanswered,
    Update,
)
from views import Depth, Ground

_LINES = {"ask": "ann, are you there?", "euro": "5 \u20ac"}

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
        self.account = ""
        self.channel, self.asked, self.person = "#stage", ("#stage",), 1
        self._rooms = Rooms(self.asked)
        self._rooms.enter(MEMBERS)
        self._commands = 0
        self._thread: threading.Thread | None = None

    @property
    def rooms(self) -> list[Room]:
        return self._rooms.all()

    @property
    def unread(self) -> dict[str, int]:
        return self._rooms.unread()

    def room(self, place: int | str) -> Room | None:
        return self._rooms.named(place) if isinstance(place, str) else self._rooms.at(place)

    def mark_read(self, place: int, seq: int | None = None, tell: bool = False) -> None:
        self._rooms.mark_read(place, seq)

    def hide(self, persons: frozenset[int]) -> None:
        pass

    def learn_name(self, name: str, person: int) -> None:
        pass

    def members(self, channel: str | None = None) -> list[Member]:
        return []

    def edit(self, seq: int, text: str, channel: str | None = None) -> StagedLine:
        return self.say(f"edit {seq} {text}")

    def delete(self, seq: int, channel: str | None = None) -> StagedLine:
        return self.say(f"delete {seq}")

    def react(self, seq: int, text: str, channel: str | None = None) -> StagedLine:
        return self.say(f"react {seq} {text}")

    def say(
        self,
        text: str,
        channel: str | None = None,
        timeout: float | None = None,
        *,
        form: int = 0,
        reply_to: int = 0,
        receiver: int = 0,
    ) -> StagedLine:
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
            self._happen(Event(self._seq, now, EventKind.SAID, "#stage", "ann", text, line.id, self.person))
        self._play(text)
        return line

    def begin_login(self, name: str, password: str | None = None) -> None:
        with self._record.open("a", encoding="utf-8") as record:
            record.write(f"login {name} {password}\n")
        if password == "secret":
            self.name = self.account = name
            self._happen(LoggedIn(name, name))
        else:
            self._happen(NotLoggedIn("wrong", 23))

    def follow(self, command: str, channel: str | None = None) -> OwnSteps:
        return OwnSteps(self.command(command), threading.Lock())

    def command(self, text: str, channel: str | None = None) -> int:
        self._commands += 1
        if text == "/ignored":
            self._happen(Answer(self._commands, 13, "there is no such command"))
            return self._commands
        if text.startswith("/unregister"):
            raise NeedEncryption("not encrypted")
        if has_secrets(text):
            with self._record.open("a", encoding="utf-8") as record:
                record.write(text + "\n")
            text = "something secret"
        self._happen(Answer(self._commands, 0, f"asked: {text}\n/who  who is here"))
        return self._commands

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
        elif word in _LINES:
            self._hear(_LINES[word])
        elif word == "flood":
            self._thread = threading.Thread(target=self._flood)
            self._thread.start()
        elif word == "else":
            for place, name, count in ((8, "#lunch", 1200), (9, "#tea", 1)):
                self._rooms.enter(Channel(place, name, "", 0, 0, 0, ()))
                line = Event(1, 0, EventKind.SAID, name, "bob", "", 0, 2, place)
                self._rooms.happened([line] * count, True, lambda person: False)
            self._happen()
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

    def _hear(self, text: str) -> None:
        """Bob says a line."""
        now = int(time.time() * 1000)
        self._happen(Event(0, now, EventKind.SAID, "#stage", "bob", text, 0, 2, 1))

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
        code = interact(
            stage,
            ground=Ground.EITHER,
            depth=Depth.NONE,
            repaint=(sys.argv[2:] or ["around"])[0].removeprefix("plain") or "around",
            plain="plain" in sys.argv[2:],
            title="title" in sys.argv[2:],
        )
    finally:
        stage.close()
    sys.exit(code)
