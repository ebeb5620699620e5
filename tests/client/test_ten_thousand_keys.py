"""A person who types much while others talk without end: nothing is lost, nothing is written in vain."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

import pytest

from tests.client.pseudo_terminal import PseudoTerminal, python
from views.limits import FRAMES_PER_SECOND

pytestmark = pytest.mark.slow

KEYS = 10_000
LETTERS = "qxz äöüß 漢字かな 👩🚀 ґї"
SIZES = ((20, 8), (132, 43), (80, 24), (40, 12), (64, 30))


class Typist:
    """Presses keys at random, and knows what has to be in the line.

    said: the lines that were sent
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._line: list[str] = []
        self._cursor = 0
        self.said: list[str] = []

    def key(self) -> bytes:
        """The bytes of one key, or of a paste."""
        action, weights = zip(*_ACTIONS, strict=True)
        return self._random.choices(action, weights)[0](self)

    def enter(self) -> bytes:
        line = "".join(self._line)
        if line.strip():
            self.said.append(line)
        self._line, self._cursor = [], 0
        return b"\r"

    def _insert(self, text: str) -> None:
        self._line[self._cursor : self._cursor] = text
        self._cursor += len(text)

    def letter(self) -> bytes:
        letter = self._random.choice(LETTERS)
        self._insert(letter)
        return letter.encode()

    def paste(self) -> bytes:
        lines = ["".join(self._random.choices(LETTERS, k=self._random.randint(1, 9))) for _ in range(3)]
        self._insert("\n".join(lines))
        return b"\x1b[200~" + "\r".join(lines).encode() + b"\x1b[201~"

    def left(self) -> bytes:
        self._cursor = max(0, self._cursor - 1)
        return self._random.choice((b"\x1b[D", b"\x1bOD", b"\x02"))

    def right(self) -> bytes:
        self._cursor = min(len(self._line), self._cursor + 1)
        return self._random.choice((b"\x1b[C", b"\x1bOC", b"\x06"))

    def home(self) -> bytes:
        self._cursor = 0
        return self._random.choice((b"\x1b[H", b"\x1b[1~", b"\x01"))

    def end(self) -> bytes:
        self._cursor = len(self._line)
        return self._random.choice((b"\x1b[F", b"\x1b[4~", b"\x05"))

    def rub_out(self) -> bytes:
        if self._cursor:
            self._cursor -= 1
            del self._line[self._cursor]
        return b"\x7f"

    def delete(self) -> bytes:
        del self._line[self._cursor : self._cursor + 1]
        return b"\x1b[3~"


_ACTIONS = (
    (Typist.letter, 70),
    (Typist.left, 6),
    (Typist.right, 5),
    (Typist.home, 1),
    (Typist.end, 2),
    (Typist.rub_out, 5),
    (Typist.delete, 3),
    (Typist.paste, 1),
    (Typist.enter, 3),
)


@pytest.mark.parametrize("repaint", ["around", "inline"])
def test_no_key_of_ten_thousand_is_lost(tmp_path: Path, repaint: str) -> None:
    """Letters byte by byte, arrows, pastes and resizes in a flood: the lines that are sent are identical."""
    record = tmp_path / "said"
    random = Random(repaint)
    typist = Typist(random)
    with PseudoTerminal(python("tests.client.stage", record, repaint)) as terminal:
        terminal.see("ann>")
        terminal.type("flood\r")
        terminal.see("news 4")
        for number in range(KEYS):
            for byte in typist.key():
                terminal.type_blindly(bytes([byte]))
            if number % 500 == 499:
                terminal.resize(*random.choice(SIZES))
        terminal.type_blindly(typist.enter() + b"last\r")
        terminal.see(lambda rows: record.read_text().endswith("\nlast\n"))
        assert len(typist.said) > KEYS / 100
        assert record.read_text() == "".join(f"{line}\n" for line in ["flood", *typist.said, "last"])
        terminal.type_blindly(b"\x03\x03")
        assert terminal.wait() == 0


def test_a_flood_is_few_frames_and_few_bytes(tmp_path: Path) -> None:
    """While somebody talks without end and the user types: 30 frames a second and one a key, 100 KB/s."""
    with PseudoTerminal(python("tests.client.stage", tmp_path / "said"), 80, 24) as terminal:
        terminal.see("ann>")
        terminal.type("flood\r")
        terminal.see("news 4")
        terminal.type("x" * 40)
        terminal.drain(0.5)
        begin, frames, size, keys = time.monotonic(), 0, 0, 0
        while time.monotonic() < begin + 2.0:
            terminal.type("y")
            keys += 1
            out = terminal.drain(0.05)
            frames += out.count("\x1b[?7l")
            size += len(out.encode())
        seconds = time.monotonic() - begin
        assert seconds <= frames <= (FRAMES_PER_SECOND + 1) * seconds + keys
        assert size <= 100_000 * seconds


def test_two_idle_seconds_are_silent(tmp_path: Path) -> None:
    """With a status row and a half-typed line, nothing is written while nothing happens."""
    with PseudoTerminal(python("tests.client.stage", tmp_path / "said"), 80, 24) as terminal:
        terminal.see("ann>")
        terminal.type("news 5\relse\rhalf")
        terminal.see("unread: #lunch 1,200, #tea 1")
        terminal.see("ann> half")
        terminal.drain(0.3)
        assert terminal.drain(2.0) == ""
