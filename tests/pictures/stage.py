"""A server and people at terminals, for one picture: real programs, whose clock shows a wanted time.

Nothing waits for a fixed time: each step waits until the screens show what it does.
"""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, Self

from pyte import modes

from client import Client
from tests.client.pseudo_terminal import PseudoTerminal, python
from tests.end_to_end.programs import CROWDED, ROOT, ServerProcess
from tests.pictures.paper import Paper
from tests.support.patience import PATIENCE

_DAY: Final = 24 * 3600
_MINUTE: Final = 60
_CLOCKS_APART: Final = 0.1  # the server's clock runs on from the time at which it started

_STATUS: Final = re.compile(r"[#@]\S+, [0-9]+ here.*")
# In a direct conversation with the reader.
_PROMPT: Final = re.compile(r"\S+(?: to \S+)?>")

ENTER: Final = "\r"


def zone(hour: int, minute: int, second: int, now: int) -> str:
    """A time zone, for TZ (POSIX.1, section 8.3), in which it is this time of the day.

    now: seconds since 1970
    """
    west = now % _DAY - (hour * 3600 + minute * 60 + second)
    west -= _DAY * round(west / _DAY)  # the nearest such zone: at most half a day away
    sign, west = ("-", -west) if west < 0 else ("+", west)
    return f"STAGE{sign}{west // 3600:02}:{west // 60 % 60:02}:{west % 60:02}"


class Stage:
    """One scene. The first second of `at` is when the first person comes in.

    folder: for the files of the server and the people
    at:     the time of the day that the people's clocks show at first
    host, port: where the server listens
    """

    def __init__(
        self,
        folder: Path,
        columns: int,
        lines: int,
        paper: Paper,
        at: tuple[int, int, int] = (9, 24, 0),
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.columns, self.lines, self.paper = columns, lines, paper
        self._folder = folder
        self._at = at
        self._host, self._port = host, port
        self._stack = ExitStack()
        self._began = 0  # when it was `at`, in seconds since 1970; 0: not yet
        self._zone = ""
        self._minutes = 0  # for which `next_minute` has waited
        self._late = False
        self.server = self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    # --- the server ----------------------------------------------------------------------------------------

    def _start(self) -> ServerProcess:
        data = ("--data", str(self._folder / "history.db"))
        server = ServerProcess(self._folder / "server.log", *data, *CROWDED, host=self._host, port=self._port)
        self._stack.callback(server.kill)
        self._port = server.port
        return server

    def cut(self) -> None:
        """Kill the server."""
        self.server.kill()

    def restart(self) -> None:
        """Start the server again, at the same address."""
        self.server = self._start()

    # --- people --------------------------------------------------------------------------------------------

    def ann(self, *options: str) -> PseudoTerminal:
        """The person whose screen is drawn comes in, and sees that."""
        ann = self.watch("--name", "ann", *self.paper.options, *options)
        settle(ann, "/help", done=is_in)
        return ann

    def watch(self, *arguments: str) -> PseudoTerminal:
        """Start the client with the screen that is drawn."""
        return self._client(self.columns, self.lines, "ann", arguments)

    def friend(self, name: str, *options: str) -> PseudoTerminal:
        """Somebody else comes in, at another terminal."""
        friend = self._client(100, 30, name, ("--name", name, *options))
        settle(friend, "/help", done=is_in)
        return friend

    def _client(self, columns: int, lines: int, home: str, arguments: Sequence[str]) -> PseudoTerminal:
        if not self._began:
            self._began = round(time.time())
            self._zone = zone(*self._at, self._began)
        (self._folder / home).mkdir(exist_ok=True)
        command = python("client", f"{self._host}:{self._port}", *arguments)
        environment = {
            "TERM": "xterm-256color",
            "TZ": self._zone,
            "HOME": str(self._folder / home),
            "XDG_DATA_HOME": str(self._folder / home),
            "LOGNAME": home,
        }
        return self._stack.enter_context(PseudoTerminal(command, columns, lines, **environment))

    @contextmanager
    def crowd(self, names: Iterable[str], channel: str = "#general") -> Iterator[list[Client]]:
        """Many people, without terminals, who come in one after the other and leave at the end."""
        with ExitStack() as stack:
            yield [
                stack.enter_context(Client(self._host, self._port, name=name, channels=(channel,), lines=0))
                for name in names
            ]

    def past(self, said: Sequence[tuple[str, str]], channel: str = "#general") -> None:
        """What was said before, by people who are gone when it ends. said: each line's author and text"""
        with self.crowd(dict.fromkeys(name for name, _ in said), channel) as crowd:
            people = {one.name: one for one in crowd}
            for name, text in said:
                people[name].say(text).wait(PATIENCE)

    def robot(self, name: str, text: str) -> None:
        """A program that says what comes through a pipe, a line each, to its end."""
        command = python("client", f"{self._host}:{self._port}", "--name", name)
        source = self._folder / name
        source.write_text(text)
        with source.open() as lines:
            subprocess.run(command, stdin=lines, stdout=subprocess.DEVNULL, cwd=ROOT, check=True, timeout=60)

    # --- time ----------------------------------------------------------------------------------------------

    def next_minute(self) -> None:
        """Wait until the people's clocks show another minute. The next line has that time."""
        self._late = self.is_late
        self._minutes += 1
        time.sleep(max(0.0, self._minutes * _MINUTE - self._second + _CLOCKS_APART))

    @property
    def is_late(self) -> bool:
        """Whether the clocks show a later minute than they should, because the machine is slow."""
        return self._late or self._second >= (self._minutes + 1) * _MINUTE

    @property
    def _second(self) -> float:
        """Of the minute in which the scene began."""
        return self._at[2] + time.time() - self._began


def say(speaker: PseudoTerminal, text: str, *readers: PseudoTerminal) -> None:
    """Type a line and Enter. Waits until it is stored, and on the speaker's and the readers' screens."""
    speaker.type(text + ENTER)
    settle(speaker, text, done=has_sent)
    for reader in readers:
        settle(reader, text)


def give(speaker: PseudoTerminal, command: str, answer: str) -> None:
    """Type a command and Enter. Waits until the speaker's screen shows the answer."""
    speaker.type(command + ENTER)
    settle(speaker, answer, done=has_sent)


@contextmanager
def frozen(terminal: PseudoTerminal) -> Iterator[None]:
    """The program stands still meanwhile: it neither reads nor notices anything."""
    terminal.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        terminal.signal(signal.SIGCONT)


def is_in(rows: Sequence[str]) -> bool:
    """Whether the input is there, and the status tells how many are."""
    return has_sent(rows) and any(_STATUS.fullmatch(row) for row in rows)


def has_sent(rows: Sequence[str]) -> bool:
    """Whether the input is empty, and no line of one's own is on its way."""
    return any(_PROMPT.fullmatch(row) for row in rows) and not any(row.startswith("--:--") for row in rows)


def squeezed(rows: Iterable[str]) -> str:
    """The text without any blanks: wrapped or not, it is the same."""
    return "".join("".join(row.split()) for row in rows)


def settle(terminal: PseudoTerminal, *wanted: str, done: Callable[[list[str]], bool] | None = None) -> None:
    """Wait until the screen shows all of it, and the frame that does is complete.

    wanted: texts, in which blanks and the ends of rows do not count
    done:   what else must be true of the rows
    """
    texts = [squeezed([text]) for text in wanted]

    def shown(rows: list[str]) -> bool:
        whole = modes.DECAWM in terminal.screen.mode  # it is off within a frame
        found = squeezed(rows)
        return whole and all(text in found for text in texts) and (done is None or done(rows))

    terminal.see(shown)
