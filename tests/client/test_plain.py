"""Plain mode on a terminal, from outside: the order of the bytes that are written."""

from __future__ import annotations

import io
import re
import signal
import sys
from pathlib import Path

import pytest

from client import interactive
from tests.client.pseudo_terminal import PseudoTerminal, python
from tests.client.stage import Stage
from views import Depth, Ground


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """Where the stage writes what was said."""
    return tmp_path / "said"


class FakeConsole(io.StringIO):
    """A console of which nobody knows more than that it is one."""

    def isatty(self) -> bool:
        return True


def plain(record: Path) -> PseudoTerminal:
    terminal = PseudoTerminal(python("tests.client.stage", record, "plain"))
    terminal.see("/help lists the commands")
    return terminal


def lines(terminal: PseudoTerminal) -> list[str]:
    return terminal.output.split("\r\n")


def test_a_talk(record: Path) -> None:
    """All that is written, byte by byte: what was typed once, what others say, no sequence, no prompt."""
    with plain(record) as terminal:
        terminal.type("hello\r")
        terminal.see("hello")
        terminal.type("news 2\r")
        terminal.see("bob: news 1")
        terminal.type("ask\r")
        terminal.see("bob calls you: ann, are you there?")
        terminal.type("/who\r")
        terminal.see("/who: asked: /who")
        terminal.type("/quit\r")
        assert terminal.wait() == 0
        assert terminal.modes() == terminal.modes_before
    assert lines(terminal) == [
        "#stage: 2 people",
        "you are ann in #stage; /help lists the commands, /register keeps your name and places",
        *("hello", "news 2", "bob: news 0", "bob: news 1"),
        *("ask", "bob calls you: ann, are you there?"),
        *("\a/who", "/who: asked: /who", "/who who is here", "/quit", ""),
    ]
    assert "\x1b" not in terminal.output
    assert record.read_text() == "hello\nnews 2\nask\n"


def test_a_message_does_not_part_a_line(record: Path) -> None:
    """What comes while a line is half-typed is written below it, although it came before its end."""
    with plain(record) as terminal:
        terminal.type("news 2\rhalf")
        terminal.see("half")
        terminal.type("-typed")
        terminal.see("half-typed")
        assert "bob" not in terminal.output
        terminal.type("\x7f\x7f\x7f\x7f\x7fway\r")
        terminal.see("bob: news 1")
        terminal.type("\x04")
        assert terminal.wait() == 0
    assert lines(terminal)[2:] == [
        "news 2",
        "half-typed" + "\b \b" * 5 + "way",
        *("bob: news 0", "bob: news 1", ""),
    ]
    assert record.read_text() == "news 2\nhalf-way\n"


def test_a_dumb_terminal(record: Path) -> None:
    """TERM=dumb is plain without an option."""
    with PseudoTerminal(python("tests.client.stage", record), TERM="dumb") as terminal:
        terminal.see("you are ann in #stage")
        terminal.type("change\r")
        for told in ("back again", "another history", "welcome", "back"):
            terminal.see(told)
        terminal.type("/quit\r")
        assert terminal.wait() == 0
        assert not re.search("[\x00-\x06\x0b\x0c\x0e-\x1f]", terminal.output)
        assert terminal.modes() == terminal.modes_before


def test_passwords(record: Path) -> None:
    """They are asked for without echo; Ctrl-C ends the question only, and nothing of them is written."""
    with plain(record) as terminal:
        terminal.type("/register\r")
        terminal.see("a password for ann, at least 8 characters (not shown, Ctrl-C cancels):")
        terminal.type("secretive\r")
        terminal.see("the same again (not shown, Ctrl-C cancels):")
        terminal.type("secretive\r")
        terminal.see("/register: asked: something secret")
        terminal.type("/passwd\r")
        terminal.see("the present password of ann (not shown, Ctrl-C cancels):")
        terminal.type("secr\x03")
        terminal.see("nothing was sent")
        terminal.type("/login dora\r")
        terminal.see("the password of dora (not shown, Ctrl-C cancels):")
        terminal.type("secret\r")
        terminal.see("you are dora, logged in")
        terminal.type("/quit\r")
        assert terminal.wait() == 0
        assert "secr" not in terminal.output.replace("something secret", "")
    assert record.read_text() == "/register secretive\nlogin dora secret\n"


def test_a_refused_line(record: Path) -> None:
    """The reason names the line; no key brings it back here."""
    with plain(record) as terminal:
        terminal.type("refuse\r")
        terminal.see(lambda rows: "you are muted: refuse" in rows)


def test_a_lost_connection(record: Path) -> None:
    """It is told once, and so is that it is back; no count of seconds is read out."""
    with plain(record) as terminal:
        terminal.type("blip\r")
        terminal.see("news 1")
        terminal.type("/quit\r")
        assert terminal.wait() == 0
    assert lines(terminal)[2:] == [
        "blip",
        "connection lost: the cable was cut",
        "back again",
        "missed while you were away",
        *("bob: news 0", "bob: news 1", "/quit", ""),
    ]


def test_other_channels(record: Path) -> None:
    """A place with something unread is told once."""
    with plain(record) as terminal:
        terminal.type("else\r")
        terminal.see("1 unread in #tea")
        terminal.type("/quit\r")
        assert terminal.wait() == 0
    assert terminal.output.count("unread in #lunch") == 1


def test_ctrl_z_and_back(record: Path) -> None:
    """The shell gets a sane terminal; on return the half-typed line stands there again."""
    command = " ".join(python("tests.client.stage", record, "plain"))
    script = f"set -m; {command}; echo stopped $?; stty -a | grep -o -- '-*icanon'; read x; fg"
    with PseudoTerminal(["bash", "-c", script]) as terminal:
        terminal.see("/help lists")
        terminal.type("half\x1a")
        terminal.see(lambda rows: "icanon" in rows)
        assert "stopped 148" in terminal.screen.rows()
        terminal.type("\r")
        terminal.see(lambda rows: rows.count("half") == 2)
        terminal.type("-typed\r/quit\r")
        assert terminal.wait() == 0
    assert record.read_text() == "half-typed\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_the_terminal_is_given_back(record: Path, number: signal.Signals) -> None:
    """After a signal it has its modes back."""
    with plain(record) as terminal:
        terminal.type("half")
        terminal.see("half")
        assert terminal.modes() != terminal.modes_before
        terminal.signal(number)
        assert terminal.wait() == 128 + number
        assert terminal.modes() == terminal.modes_before


def test_a_shell_of_emacs(record: Path) -> None:
    """Where the terminal does not echo by itself, the client does not, either: nothing is written twice."""
    command = " ".join(python("tests.client.stage", record, "plain"))
    with PseudoTerminal(["sh", "-c", f"stty -echo; exec {command}"], TERM="dumb") as terminal:
        terminal.see("/help lists")
        terminal.type("news 1\n")
        terminal.see("bob: news 0")
        terminal.type("/quit\n")
        assert terminal.wait() == 0
        assert "news 1" not in terminal.output


def test_a_flood_and_no_key_is_lost(record: Path) -> None:
    """While somebody talks without end, whole lines are typed; each stands in the output unparted."""
    typed = [f"line {number} äöü 漢字" for number in range(10)]
    with plain(record) as terminal:
        terminal.type("flood\r")
        terminal.see("bob: news 4")
        for line in typed:
            for byte in f"{line}\r".encode():
                terminal.type(bytes([byte]))
        terminal.see(lambda _: len(record.read_text().splitlines()) == 1 + len(typed))
        terminal.type("\x03\x03")
        assert terminal.wait() == 0
    assert record.read_text().splitlines() == ["flood", *typed]
    found = [line for line in lines(terminal) if line.startswith("line ")]
    assert found == typed


def test_a_console_without_escape_sequences(
    record: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where there is no termios, as on Windows, nothing is painted: lines come in, and lines go out."""
    monkeypatch.setitem(sys.modules, "termios", None)
    monkeypatch.setenv("TERM", "xterm")
    typed = FakeConsole("hello\nnews 1\n/quit\n")
    monkeypatch.setattr(sys, "stdin", typed)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert not interactive.can_paint()
    stage = Stage(record)
    try:
        assert interactive.interact(stage, ground=Ground.EITHER, depth=Depth.NONE) == 0
    finally:
        stage.close()
    written = capsys.readouterr().out
    assert "\x1b" not in written and "bob: news 0\n" in written and "hello" not in written
    assert record.read_text() == "hello\nnews 1\n"
