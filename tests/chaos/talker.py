"""A child process around the importable Client: says lines, and records what it says and receives.

It goes on until a line comes on its standard input ("quiet"); then it waits until all it said is stored and
until it was shown the run's last line, and leaves. The end of standard input makes it leave at once.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import deque
from pathlib import Path
from random import Random
from threading import Event as Flag
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Final

from chatroom.errors import ChatroomError, ConfigError
from chatroom.events import Event
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

_LOOK: Final = 0.05  # seconds between two looks at which lines are settled


class Talker:
    """One life of a talker."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._random = Random(options.seed)
        self._recorder = Recorder(options.record)
        self._news = Flag()
        self._quiet = Flag()
        self._leave = Flag()
        self._all_said = Flag()
        self._seen_last = False
        self._over: str | None = None
        # Guards _unconfirmed.
        self._lock = Lock()
        self._unconfirmed: deque[Line | blunt.Line] = deque()

    def run(self) -> int:
        """Exit code 0: left as asked."""
        reason = ""
        try:
            with self._connected() as client:
                speaker = Thread(target=self._speak, args=(client,), name="speaker", daemon=True)
                speaker.start()
                self._watch(client)
                reason = self._over or ""
        except ChatroomError as error:
            reason = f"{type(error).__name__}: {error}"
        if self._leave.is_set():
            return 1
        self._recorder.write("ended", reason=reason)
        return 1 if reason else 0

    def read_orders(self) -> None:
        """Follow standard input, in a thread of its own."""
        for _ in sys.stdin:
            self._quiet.set()
        self._leave.set()

    def _connected(self) -> Client | BluntClient:
        options, until = self._options, time.monotonic() + PATIENCE
        while True:
            client = (BluntClient if options.blunt else Client)(
                options.host,
                options.port,
                name=options.name,
                channel=options.channel,
                dead_after=options.dead_after,
                on_update=self._news.set,
            )
            try:
                return client.connect()
            except ConfigError:
                raise
            except ChatroomError:  # the server is down, or holds the name for the life before this one
                client.close()
                if time.monotonic() > until or self._leave.is_set():
                    raise
                self._leave.wait(0.3)

    def _speak(self, client: Client | BluntClient) -> None:
        """Say lines in bursts until `quiet` comes; record each line before and after."""
        number = 0
        try:
            while not (self._quiet.is_set() or self._leave.is_set()):
                for _ in range(self._random.choice((1, 1, 1, 2, 5, 20))):
                    text = line_text(self._options.name, self._options.life, number, self._random)
                    self._recorder.write("said", text=text)
                    line = client.say(text)
                    with self._lock:
                        self._unconfirmed.append(line)
                    self._recorder.write("sent", id=line.id, number=number)
                    number += 1
                self._quiet.wait(self._random.expovariate(self._options.rate / 5))
        except ChatroomError as error:
            self._over = self._over or f"say: {type(error).__name__}: {error}"
        self._all_said.set()

    def _watch(self, client: Client | BluntClient) -> None:
        """Record every update until the end."""
        flushed = False
        while not (self._over or self._leave.is_set() or (flushed and self._seen_last)):
            self._news.wait(_LOOK)
            self._news.clear()
            for update in client.poll():
                self._note(update)
            waiting = self._note_settled()
            if not flushed and self._all_said.is_set() and not waiting:
                flushed = True
                self._recorder.write("flushed")

    def _note_settled(self) -> bool:
        """Record the lines that are settled now. True: some are not settled yet."""
        settled = []
        with self._lock:
            while self._unconfirmed and (self._unconfirmed[0].stored or self._unconfirmed[0].refused):
                settled.append(self._unconfirmed.popleft())
            waiting = bool(self._unconfirmed)
        for line in settled:
            if line.refused:
                self._recorder.write("refused", text=line.text, reason=line.refused)
            else:
                self._recorder.write("confirmed", text=line.text, id=line.id)
        return waiting

    def _note(self, update: Any) -> None:
        if isinstance(update, Event):
            what = update.as_json() | {"person": update.person}
            self._recorder.write("shown", **what)
            self._seen_last = self._seen_last or update.text == LAST_LINE
            return
        match type(update).__name__:
            case "Connected":
                self._recorder.write("connected", resumed=update.resumed)
            case "Info":
                self._recorder.write("told", text=update.words)
            case "Interrupted":
                self._recorder.write("refused", text="what was missed", reason=update.words)
            case "Disconnected":
                self._recorder.write("disconnected", reason=update.reason)
            case "Ended":
                self._over = f"ended: {update.reason}"


def line_text(name: str, life: int, number: int, random: Random) -> str:
    """A text that is said once; some are long, one in two hundred so long that it travels in parts."""
    size = random.choices((0, 80, 1000, 9000), (70, 25, 4, 0.5))[0]
    return f"{name}/{life}/{number}" + (" " + "äöü x" * (size // 5) if size else "")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.talker", description=__doc__)
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
    return parser.parse_args()


def main() -> int:
    talker = Talker(parse_arguments())
    Thread(target=talker.read_orders, name="orders", daemon=True).start()
    return talker.run()


if __name__ == "__main__":
    sys.exit(main())
