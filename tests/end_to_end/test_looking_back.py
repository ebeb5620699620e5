"""A person at a terminal who looks back, saves and is called: the real client and a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from client import Client
from tests.client.pseudo_terminal import PseudoTerminal, in_words, python
from tests.end_to_end.in_process import port_of, running
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.slow

PAGE_UP, NEXT, BEFORE = "\x1b[5~", "\x1bn", "\x1bp"
CODE = "def mean(numbers):\n    total = sum(numbers)\n\n    return total / len(numbers)  # `/`, not `//`"


@pytest.fixture
def port() -> Iterator[int]:
    with running() as app:
        yield port_of(app)


def terminal(port: int, name: str, *options: str, **environment: str) -> PseudoTerminal:
    command = python("client", f"127.0.0.1:{port}", "--name", name, *options)
    return PseudoTerminal(command, 80, 24, **environment)


def say_all(client: Client, *texts: str) -> None:
    for line in [client.say(text) for text in texts]:
        assert line.wait(PATIENCE)


def everything(ann: PseudoTerminal) -> str:
    return in_words([*ann.screen.scrollback, *ann.screen.rows()])


def test_page_up_to_the_beginning(port: int) -> None:
    """Each page comes once, the earlier lines are all there, and the talk goes on below."""
    with Client(port=port, name="bob") as bob:
        say_all(bob, *(f"number {number}." for number in range(40)))
        with terminal(port, "ann", "--history", "5") as ann:
            ann.see("number 39.")
            ann.type(PAGE_UP)
            ann.see("looking back: 19 earlier lines")
            ann.see("PageUp goes further")
            ann.type("half")
            say_all(bob, "the talk goes on")
            ann.see("the talk goes on")
            ann.type(f"\x15{PAGE_UP}")
            ann.see("looking back: 16 earlier lines, from the beginning")
            ann.type(PAGE_UP)
            ann.see("nothing is earlier")
            text = everything(ann)
            assert [text.count(f"number {number}.") for number in range(40)] == [1] * 40
            assert text.index("number 39.") < text.index("number 16.") < text.index("the talk goes on")
            assert text.index("the talk goes on") < text.index("number 0.")
            assert ann.screen.obeyed == []


def test_from_one_found_line_to_the_next(port: int) -> None:
    """/grep numbers what it finds; Alt-N shows each with the lines around it, Alt-P goes back."""
    with Client(port=port, name="bob") as bob:
        say_all(
            bob, "before the exam", *(f"filler {number}." for number in range(20)), "after it", "exam over"
        )
        with terminal(port, "ann", "--history", "1") as ann:
            ann.see("exam over")
            ann.type("/grep exam\r")
            ann.see("2. before the exam")
            ann.see("the key Alt-N shows each")
            ann.type(NEXT)
            ann.see("found 1 of 2")
            ann.see("after it")
            ann.type(NEXT)
            ann.see("found 2 of 2")
            ann.see("filler 4.")
            ann.type(BEFORE)
            ann.see(lambda rows: "exam over" in rows[-4] and "end of what was found; Alt-N" in rows[-3])


def test_a_block_of_code_and_its_file(port: int, tmp_path: Path) -> None:
    """What is pasted is the same block on the other screen, and the same text in the file; never twice."""
    file = tmp_path / "mean.py"
    with terminal(port, "ann") as ann:
        ann.see("#general: ")
        with terminal(port, "bob") as bob:
            ann.see("bob joined")
            bob.see("bob>")
            bob.type(f"\x1b[200~{CODE}\x1b[201~\r")
            rows = ann.see("return total")
        at = next(number for number, row in enumerate(rows) if "def mean" in row)
        assert [row[22:] for row in rows[at : at + 4]] == CODE.split("\n")
        ann.type(f"/save {file}\r")
        ann.see("saved the latest text of bob, 4 lines")
        assert file.read_text() == f"{CODE}\n"
        ann.type(f"/save {file}\r")
        ann.see("already; choose another")
        assert "\x1b[1m/\x1b[0m" in ann.output  # code is bold, and its backticks are quiet


def test_a_keyword_stands_out(port: int, tmp_path: Path) -> None:
    """As the name does, as soon as it is one, and also after the next start."""
    home = str(tmp_path)
    with Client(port=port, name="bob") as bob:
        with terminal(port, "ann", XDG_DATA_HOME=home) as ann:
            ann.see("#general: ")
            ann.type("/keyword add exam\r")
            ann.see("exam calls you now")
            say_all(bob, "no example", "the Exam!")
            ann.see(">bob the Exam!")
            assert "\x1b[7mExam\x1b[0m" in ann.output and "\x1b[7mexam" not in ann.output
            ann.type("\x04")
            assert ann.wait() == 0
        with terminal(port, "ann", XDG_DATA_HOME=home) as ann:
            ann.see(">bob the Exam!")


def test_the_title_of_the_window(port: int) -> None:
    """With --title: the place, and how many unread lines called; afterwards it is as it was."""
    with Client(port=port, name="bob") as bob, terminal(port, "ann", "--title") as ann:
        ann.see("#general: ")
        say_all(bob, "hello", "ann: come here")
        ann.see("come here")
        titles = lambda: [each for each in ann.screen.obeyed if each != "bell"]  # noqa: E731
        ann.see(lambda _: titles() == ["title #general", "title (1) #general"])
        ann.type("x")
        ann.see(lambda _: titles()[-1] == "title #general")
        ann.type("\x03\x03\x03")
        assert ann.wait() == 0
        assert titles()[-1] == "title " and ann.output.endswith("\x1b[?2004l\x1b]2;\x1b\\\x1b[23;2t")
