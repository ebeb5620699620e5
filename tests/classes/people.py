"""The people of a class: a teacher and students by the API, and students at a real terminal."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock, Thread
from typing import Final

from chatroom.errors import ChatroomError
from chatroom.events import Event
from chatroom.outcomes import Code
from client import Client
from client.requests import Answered
from client.secret_commands import compose
from tests.client.pseudo_terminal import PseudoTerminal, python

PATIENCE: Final = 30.0  # an idle machine needs milliseconds
_SHORTLY: Final = 0.02
COLUMNS, ROWS = 80, 24
PASSWORD: Final = "a long password of the teacher"


class Trouble(Exception):
    """The lesson cannot go on."""


class ByApi:
    """Somebody who is there by the importable client.

    events: all that came, in order
    """

    def __init__(self, port: int, name: str) -> None:
        self.name = name
        self._client = Client(port=port, name=name, lines=0).connect()
        # Guards _events.
        self._lock = Lock()
        self._events: list[Event] = []
        self._reader = Thread(target=self._read, name=f"reads {name}", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        try:
            for update in self._client.updates():
                if isinstance(update, Event):
                    with self._lock:
                        self._events.append(update)
        except ChatroomError:
            pass  # its end; what it has heard tells

    @property
    def person(self) -> int:
        return self._client.person

    @property
    def connected(self) -> bool:
        return self._client.connected

    @property
    def events(self) -> list[Event]:
        with self._lock:
            return list(self._events)

    def ask(self, command: str) -> Answered:
        """Give a command, and wait for the answer. A connection that was lost is waited for."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return self._client.ask(command, PATIENCE)
            except ChatroomError as lost:
                if time.monotonic() > until:
                    raise Trouble(f"{self.name}: {command}: {lost}") from lost
                time.sleep(_SHORTLY)

    def do(self, command: str) -> Answered:
        """Give a command that succeeds."""
        answer = self.ask(command)
        if answer.code != Code.OK:
            raise Trouble(f"{self.name}: {command}: {answer.code} {answer.words}")
        return answer

    def say(self, text: str) -> str:
        """Say a line. "": it was said; else why not."""
        line = self._client.say(text)
        line.wait(PATIENCE)
        return "" if line.stored else line.refused or "nobody knows"

    def register(self) -> None:
        self.do(compose("/register", [], [PASSWORD]))

    def own(self, code_file: Path) -> None:
        """Become the owner of the chatroom."""
        self.do(compose("/owner", [], [code_file.read_text().strip()]))

    def close(self) -> None:
        self._client.close()
        self._reader.join(PATIENCE)


class AtTerminal:
    """`python -m client` at a terminal of 80x24, which a thread reads as fast as it is written.

    written: characters that it has got
    """

    def __init__(self, port: int, name: str, folder: Path) -> None:
        self.name = name
        data = {"XDG_DATA_HOME": str(folder / name), "TERM": "xterm-256color", "TZ": "UTC"}
        command = python("client", f"127.0.0.1:{port}", "--name", name)
        self._terminal = PseudoTerminal(command, COLUMNS, ROWS, **data)
        # Guards the terminal's screen.
        self._lock = Lock()
        self._over = False
        self._reader = Thread(target=self._read, name=f"reads the screen of {name}", daemon=True)
        self._reader.start()
        self.wait_for(lambda rows: any(row.startswith(f"{name}>") for row in rows))

    def _read(self) -> None:
        try:
            while not self._over:
                with self._lock:
                    self._terminal.drain(_SHORTLY / 4)
                time.sleep(_SHORTLY)
        except OSError:
            pass  # the window is closed

    def rows(self) -> list[str]:
        with self._lock:
            return self._terminal.screen.rows()

    @property
    def written(self) -> int:
        with self._lock:
            return len(self._terminal.output)

    def wait_for(self, wanted: Callable[[list[str]], bool], seconds: float = PATIENCE) -> None:
        until = time.monotonic() + seconds
        while not wanted(rows := self.rows()):
            if time.monotonic() > until:
                raise Trouble(f"the screen of {self.name} does not come to show it:\n" + "\n".join(rows))
            time.sleep(_SHORTLY)

    def type(self, line: str) -> None:
        """Type a line, and press Enter."""
        self._terminal.type(line + "\r")

    def close(self) -> None:
        self._over = True
        self._reader.join(PATIENCE)
        self._terminal.__exit__(None, None, None)


def names_in(answer: Answered, names: list[str]) -> list[str]:
    """Which of these names an answer has, in its order: in its rows, else in its words."""
    found = [word for word in _texts(json.loads(json.dumps(answer.rows))) if word in names]
    if not found:
        found = [word for word in answer.words.replace(",", " ").split() if word in names]
    return list(dict.fromkeys(found))


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [text for one in value for text in _texts(one)] if isinstance(value, list) else []
