"""A child process around the importable Client: says lines, and records what it says and receives.

It goes on until a line comes on its standard input ("quiet"); then it waits until all it said is stored and
until it was shown the run's last line, and leaves. The end of standard input makes it leave at once.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from random import Random
from threading import Event as Flag
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Final

from chatroom.errors import ChatroomError, ConfigError
from chatroom.events import Event, EventKind, Extra, extra_number
from client import Client
from tests.chaos.blunt import BluntClient
from tests.chaos.records import Recorder

if TYPE_CHECKING:
    from client import Line
    from tests.chaos import blunt

LAST_LINE: Final = "this was the last line"
"""Said once all faults are over and all lines are stored: a client that has seen it has seen all lines."""

PATIENCE: Final = 40.0
"""Seconds for getting in, at first: longer than all faults that could be in the way."""

_SPEAKER_SECONDS: Final = 5.0  # until a speaker notices that its client is closed
_JOIN_AGAIN: Final = 0.7  # seconds between two tries to be in again
_STAYS_OUT: Final = 0.3  # seconds out after a kick: others talk then, and none of it may be shown here
_LOOK: Final = 0.05  # seconds between two looks at which lines are settled


class Orders:
    """What the run wants of this process: follows standard input, in a thread of its own."""

    def __init__(self) -> None:
        self.quiet = Flag()  # say no more
        self.leave = Flag()  # at once

    def read(self) -> None:
        """Until the end of standard input."""
        for _ in sys.stdin:
            self.quiet.set()
        self.leave.set()


class Talker:
    """One life of a talker. program: what its lines begin with."""

    def __init__(self, options: argparse.Namespace, orders: Orders) -> None:
        self._options = options
        self._orders = orders
        self._program: str = options.name
        self._random = Random(options.seed + options.life)
        self._recorder = Recorder(options.record)
        self._news = Flag()
        self._hush = Flag()  # this life says no more
        self._all_said = Flag()
        self._flushed = False
        self._seen_last = False
        self._over: str | None = None
        # Guards _unconfirmed.
        self._lock = Lock()
        self._unconfirmed: deque[Line | blunt.Line] = deque()
        self._said_at: dict[int, int] = {}  # by id, guarded by _lock
        self._is_out = False  # a moderator has put it out of its channel
        self._join_at = 0.0

    def run(self) -> int:
        """Exit code 0: left as asked."""
        reason = ""
        try:
            with self._connected() as client:
                speaker = Thread(target=self._speak, args=(client,), name="speaker", daemon=True)
                speaker.start()
                self._watch(client)
                reason = self._over or ""
            speaker.join(_SPEAKER_SECONDS)
        except ChatroomError as error:
            reason = f"{type(error).__name__}: {error}"
        if self._orders.leave.is_set():
            return 1
        self._recorder.write("ended", reason=self._reason(reason), at=now())
        self._recorder.close()
        return 1 if reason else 0

    def _reason(self, reason: str) -> str:
        """Why it has ended, for the record."""
        return reason

    def _connected(self) -> Client | BluntClient:
        until = time.monotonic() + PATIENCE
        while True:
            client = self._client()
            try:
                return client.connect()
            except ConfigError:
                raise
            except ChatroomError as error:  # the server is down, or holds the name for the life before this
                client.close()
                if time.monotonic() > until or self._orders.leave.is_set():
                    raise
                self._refused(error)
                self._orders.leave.wait(0.3)

    def _client(self) -> Client | BluntClient:
        """A client that is not connected yet."""
        return (BluntClient if self._options.blunt else Client)(
            self._options.host,
            self._options.port,
            name=self._options.name,
            channel=self._options.channel,
            dead_after=self._options.dead_after,
            on_update=self._news.set,
        )

    def _refused(self, error: ChatroomError) -> None:
        """A client could not get in; another one tries."""

    def _speak(self, client: Client | BluntClient) -> None:
        """Say lines in bursts until `quiet` comes; record each line before and after."""
        number = 0
        try:
            while not (self._hush.is_set() or self._orders.leave.is_set()):
                for _ in range(self._random.choice((1, 1, 1, 2, 5, 20))):
                    text = line_text(self._program, self._options.life, number, self._random)
                    self._recorder.write("said", text=text)
                    at = now()
                    line = client.say(text)
                    with self._lock:
                        self._unconfirmed.append(line)
                        self._said_at[line.id] = at
                    self._recorder.write("sent", id=line.id, number=number)
                    number += 1
                self._hush.wait(self._random.expovariate(self._options.rate / 5))
        except ChatroomError as error:
            self._over = self._over or f"say: {type(error).__name__}: {error}"
        self._all_said.set()

    def _watch(self, client: Client | BluntClient) -> None:
        """Record every update until the end."""
        while not (self._over or self._orders.leave.is_set() or self._may_leave()):
            self._news.wait(_LOOK)
            self._news.clear()
            if self._orders.quiet.is_set():
                self._hush.set()
            for update in client.poll():
                self._note(client, update)
            self._do(client)
            waiting = self._note_settled()
            if not self._flushed and self._all_said.is_set() and not waiting:
                self._flushed = True
                self._recorder.write("flushed")

    def _may_leave(self) -> bool:
        """Whether this life has done all."""
        return self._flushed and self._seen_last

    def _do(self, client: Client | BluntClient) -> None:
        """What else it does between two looks at the updates. Never waits."""
        if self._is_out and time.monotonic() >= self._join_at and isinstance(client, Client):
            self._join_at = time.monotonic() + _JOIN_AGAIN
            with suppress(ChatroomError, TimeoutError):  # the connection was lost just now
                client.command(f"/join {self._options.channel}")

    def _note_settled(self) -> bool:
        """Record the lines that are settled now. True: some are not settled yet."""
        settled = []
        with self._lock:
            while self._unconfirmed and (self._unconfirmed[0].stored or self._unconfirmed[0].refused):
                settled.append(self._unconfirmed.popleft())
            waiting = bool(self._unconfirmed)
        for line in settled:
            with self._lock:
                said = self._said_at.pop(line.id, 0)
            if line.refused and self._options.moderated:
                self._recorder.write("silenced", text=line.text, reason=line.refused, said=said, at=now())
            elif line.refused:
                self._recorder.write("refused", text=line.text, reason=line.refused)
            else:
                self._recorder.write("confirmed", text=line.text, id=line.id)
        return waiting

    def _note(self, client: Client | BluntClient, update: Any) -> None:
        if isinstance(update, Event):
            what = update.as_json() | {"person": update.person}
            own = self._options.moderated and isinstance(client, Client) and client.person
            if own and update.kind is EventKind.JOINED and update.person == own:
                self._is_out = False
                self._recorder.write("in")
            self._recorder.write("shown", **what)
            target = extra_number(update.extra, Extra.TARGET)
            if own and update.kind is EventKind.KICKED and target == own:
                self._is_out = True
                self._join_at = max(self._join_at, time.monotonic() + _STAYS_OUT)
                self._recorder.write("out")
            self._seen_last = self._seen_last or update.text == LAST_LINE
            return
        match type(update).__name__:
            case "Connected":
                self._recorder.write(
                    "connected", resumed=update.resumed, at=now(), session=fingerprint(client)
                )
            case "Info":
                self._recorder.write("told", text=update.words)
            case "Interrupted":
                self._recorder.write("refused", text="what was missed", reason=update.words)
            case "Disconnected":
                self._recorder.write("disconnected", reason=update.reason)
            case "Ended":
                self._over = f"ended: {update.reason}"


def session_of(client: Client | BluntClient) -> bytes:
    """The token of its session: nobody else's business, but the judge's."""
    return client.token if isinstance(client, BluntClient) else vars(client)["_resume"].wish().token


def fingerprint(client: Client | BluntClient) -> str:
    """Stands for a session in a record, which must not hold its token."""
    return hashlib.sha256(session_of(client)).hexdigest()[:12]


def now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def line_text(name: str, life: int, number: int, random: Random) -> str:
    """A text that is said once; some are long, one in two hundred so long that it travels in parts."""
    size = random.choices((0, 80, 1000, 9000), (70, 25, 4, 0.5))[0]
    return f"{name}/{life}/{number}" + (" " + "äöü x" * (size // 5) if size else "")


def make_parser() -> argparse.ArgumentParser:
    """The options that every talker has."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--life", type=int, default=0)
    parser.add_argument("--channel", default="#general")
    parser.add_argument("--rate", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dead-after", type=float, required=True)
    parser.add_argument("--blunt", action="store_true")
    parser.add_argument("--record", type=Path, required=True)
    parser.add_argument("--moderated", action="store_true", help="moderators may silence it, and put it out")
    return parser


def main() -> int:
    orders = Orders()
    talker = Talker(make_parser().parse_args(), orders)
    Thread(target=orders.read, name="orders", daemon=True).start()
    return talker.run()


if __name__ == "__main__":
    sys.exit(main())
