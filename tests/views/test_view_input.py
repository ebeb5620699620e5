"""Tests of the input line on a model of a terminal: search, candidates, pastes, and a tall input."""

from __future__ import annotations

import re

import pytest

from chatroom.limits import MAX_TEXT
from tests.views.screen import Screen
from tests.views.test_view import Watched, pressed, said
from views import Jump, Repaint, Status, Submitted

_SAID = re.compile(r"\sn(\d+)$")
PASTE = b"\x1b[200~" + b"\n".join(b"line %d" % number for number in range(40)) + b"\n\x1b[201~"


class Talk(Watched):
    """A view on a screen of 40 × 10, with so many lines said."""

    def __init__(self, lines: int = 0, repaint: Repaint = "around", height: int = 10) -> None:
        super().__init__(40, height, repaint)
        self.now = 0.0
        self.said = 0
        self.type(b"")
        self.say(lines)

    def say(self, lines: int) -> None:
        for number in range(self.said, self.said + lines):
            self.view.event(said(f"n{number}"))
        self.said += lines
        self.type(b"")

    def type(self, data: bytes) -> list[object]:
        self.now += 1.0
        actions = pressed(self.view, data, self.now)
        self.tick(self.now)
        return list(actions)

    @property
    def rows(self) -> list[str]:
        """The rows of the screen from the input's first row, or that above it, on."""
        return [row for row in self.screen.rows() if row and not _SAID.search(row)]

    @property
    def numbers(self) -> list[int]:
        """The numbers of what was said, from the scrollback and the screen."""
        rows = [*self.screen.scrollback, *self.screen.rows()]
        return [int(found[1]) for row in rows if (found := _SAID.search(row))]


def test_searching_from_the_keyboard() -> None:
    """Ctrl-R has a row above the prompt; what it finds is in the line. Enter takes it, and sends nothing."""
    talk = Talk()
    for line in (b"hello bob\r", b"tea\r"):
        talk.type(line)
    talk.type(b"half\x12")
    assert talk.rows == ["search: what you sent: type a part of …", "ann> half"]
    talk.type(b"hel")
    assert talk.rows == ["search: hel  Ctrl-R older, Enter takes…", "ann> hello bob"]
    assert talk.screen.cursor.x == 5
    assert talk.type(b"\r") == []
    assert talk.rows == ["ann> hello bob"]
    assert talk.type(b"\r") == [Submitted("hello bob")]


@pytest.mark.parametrize("key", [b"\x07", b"\x03", b"\x1b"])
def test_leaving_the_search(key: bytes) -> None:
    """Ctrl-G, Ctrl-C and Esc give the half-typed line back, and do not leave the chatroom."""
    talk = Talk()
    talk.type(b"hello\r")
    talk.type(b"half\x12he")
    assert talk.type(key) == []
    talk.tick(talk.now + 1.0)  # Esc may begin a sequence until then
    assert talk.rows == ["ann> half"] and talk.screen.cursor.x == 9


def test_going_elsewhere_during_a_search() -> None:
    """Alt-2 ends the search with the half-typed line."""
    talk = Talk()
    talk.type(b"hello\r")
    assert talk.type(b"half\x12he\x1b2") == [Jump(2)]
    assert talk.view.editor.text == "half"


def test_candidates_on_the_screen() -> None:
    """The candidates are above the prompt. When they go, all is as it was, and no row is empty."""
    talk = Talk(20)
    for name in ("anna", "andy"):
        talk.view.completer.saw(name, 1)
    before = talk.screen.rows()
    talk.type(b"an\t")
    assert talk.rows == ["andy  anna", "ann> andy:"]
    talk.type(b"\t")
    assert talk.rows == ["andy  anna", "ann> anna:"]
    talk.type(b"\x15")
    assert talk.screen.rows() == before
    assert talk.numbers == list(range(20))


def test_the_candidates_take_the_place_of_the_status() -> None:
    """With a status nothing moves: the candidates are in its row."""
    talk = Talk(20)
    talk.view.status(Status("#tea", "  two people"))
    for name in ("anna", "andy"):
        talk.view.completer.saw(name, 1)
    talk.type(b"an")
    talk.type(b"\t")
    assert talk.rows == ["andy  anna", "ann> andy:"]
    talk.type(b"x")
    assert talk.rows == ["#tea  two people", "ann> andy: x"]


def test_a_long_paste_is_a_mark() -> None:
    """Typing goes on around it; Enter sends all of it, without the line end at its end."""
    talk = Talk()
    talk.type(b"see " + PASTE + b" please")
    assert talk.rows == ["ann> see [Pasted 40 lines] please"]
    wanted = "see " + "\n".join(f"line {number}" for number in range(40)) + " please"
    assert talk.type(b"\r") == [Submitted(wanted)]


def test_the_mark_is_deleted_and_opened() -> None:
    """Backspace deletes the whole paste; Ctrl-O shows it."""
    talk = Talk()
    talk.type(PASTE + b"\x7f")
    assert talk.rows == ["ann>"]
    talk.type(b"\x1f\x0f")
    assert talk.rows[-1].endswith("39")


def test_the_bytes_that_are_left() -> None:
    """Near the limit a row says how many bytes fit."""
    talk = Talk()
    talk.type(b"\x1b[200~" + b"x" * (MAX_TEXT - 1200) + b"\x1b[201~")
    assert talk.rows == ["1,200 bytes left", "ann> [Pasted 64,336 characters]"]


@pytest.mark.parametrize("repaint", ["around", "inline"])
def test_after_a_tall_input_no_row_stays_empty(repaint: Repaint) -> None:
    """When a tall input is sent, what was said fills the screen again, and is in the scrollback once."""
    talk = Talk(30, repaint)
    before = talk.screen.rows()
    for word in (b"many words that make rows ", b"upon rows, " * 10, b"until half of the screen is full"):
        talk.type(word)
    assert sum(map(bool, map(_SAID.search, talk.screen.rows()))) == 5
    talk.type(b"\r")
    assert talk.screen.rows() == before
    assert talk.numbers == list(range(30))
    talk.say(3)
    assert talk.numbers == list(range(33))
    assert talk.screen.rows()[-1] == "ann>"


@pytest.mark.parametrize("repaint", ["around", "inline"])
def test_what_is_said_during_a_tall_input(repaint: Repaint) -> None:
    """New lines move only those into the scrollback that a low input has no room for."""
    talk = Talk(30, repaint)
    talk.type(b"rows upon rows, " * 10)
    for count in (1, 4, 0, 12):
        talk.say(count)
        gone = [row for row in talk.screen.scrollback if _SAID.search(row)]
        assert len(gone) == talk.said - 9
    talk.type(b"\x15")
    assert talk.numbers == list(range(47))
    assert sum(map(bool, map(_SAID.search, talk.screen.rows()))) == 9


@pytest.mark.parametrize("end", ["leave", "release", "clear", "turn over"])
def test_hidden_rows_are_not_lost(end: str) -> None:
    """Whoever leaves, suspends or goes elsewhere with a tall input finds every line in the scrollback."""
    talk = Talk(30)
    talk.type(b"rows upon rows, " * 10)
    if end == "leave":
        talk.screen.feed(talk.view.leave(99.0))
    elif end == "release":
        talk.screen.feed(talk.view.release())
    else:
        if end == "clear":
            talk.view.clear()
        else:
            talk.view.turn_over(98.0)
        talk.type(b"")
    assert talk.numbers == list(range(30))


def test_a_lower_screen_during_a_tall_input() -> None:
    """After a resize the lines that were hidden are on the screen or in the scrollback."""
    talk = Talk(30, height=20)
    talk.type(b"rows upon rows, " * 24)
    drawn = talk.view._painter.drawn
    assert drawn is not None and drawn.hidden == 9
    talk.screen = Screen(40, 8)
    talk.view.resize(40, 8)
    talk.type(b"\x15")
    assert talk.numbers == list(range(11, 30))
