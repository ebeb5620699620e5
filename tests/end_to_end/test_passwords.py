"""People with names of their own, at terminals, with the real programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.client.pseudo_terminal import PseudoTerminal, in_words, python
from tests.end_to_end.programs import ServerProcess, server
from tests.support.patience import eventually

SECRET, OTHER = "correct horse", "battery staple"


def person(running: ServerProcess, computer: Path, *options: str) -> PseudoTerminal:
    """Somebody at a terminal of this computer."""
    command = python("client", f"127.0.0.1:{running.port}", *options)
    return PseudoTerminal(command, columns=76, XDG_DATA_HOME=str(computer))


def leave(*terminals: PseudoTerminal) -> str:
    """Leave; all that was ever written to these terminals."""
    for terminal in terminals:
        terminal.type("\x04")
        assert terminal.wait() == 0
    return "".join(terminal.output for terminal in terminals)


def stored(rows: list[str], text: str) -> bool:
    """Whether a row shows this text at the edge of the texts, and not as a line on its way."""
    return any(row[22:] == text and not row.startswith("--") for row in rows)


@pytest.mark.slow
def test_a_name_of_ones_own(tmp_path: Path) -> None:
    """Registered at one computer, the name needs no password there, and its password everywhere else; the
    password stands on no screen and in no file."""
    home, school = tmp_path / "home", tmp_path / "school"
    with server(tmp_path, "-v", data=str(tmp_path / "history")) as running:
        with person(running, home, "--name", "dora") as dora:
            dora.see("#general: ")
            dora.type(f"/register\r{SECRET}\r{SECRET}\r")
            dora.see("dora has registered the name dora")
            eventually((home / "chatroom" / "tokens.json").exists, "no token was kept")
            written = leave(dora)
        with person(running, home, "--name", "dora") as dora:
            dora.see("you are dora in #general, logged in")
            with person(running, school) as other:
                other.see("Your name [")
                other.type("Dora\r")
                other.see("Password of Dora (not shown; Enter alone: another name):")
                other.type("wrong horse\r")
                other.see(lambda rows: sum("Password of Dora" in row for row in rows) == 2)
                other.type(f"{SECRET}\r")
                other.see("you are dora in #general, logged in")
                other.type("from school\r")
                dora.see("dora from school")
                written += leave(other)
            written += leave(dora)
        for path in tmp_path.rglob("*"):
            assert not path.is_file() or b"horse" not in path.read_bytes(), path
        assert "horse" not in written


@pytest.mark.slow
def test_logging_in_while_in(tmp_path: Path) -> None:
    """/login changes to the account without losing a line; a wrong password changes nothing."""
    home, school = tmp_path / "home", tmp_path / "school"
    with (
        server(tmp_path, data=str(tmp_path / "history")) as running,
        person(running, home, "--name", "dora") as dora,
    ):
        dora.see("#general: ")
        dora.type(f"/register\r{SECRET}\r{SECRET}\r")
        dora.see("dora has registered the name dora")
        with person(running, school, "--name", "emil") as emil:
            emil.see("#general: ")
            emil.type("/login dora\rwrong horse\r")
            emil.see("not logged in:")
            emil.type("still emil\r")
            dora.see("emil still emil")
            dora.type("before\r")
            emil.type(f"/login dora\r{SECRET}\r")
            emil.see("you are dora, logged in")
            dora.see("emil left")
            dora.type("after\r")
            emil.see("dora after")
            emil.type("from school\r")
            dora.see(lambda rows: stored(rows, "from school"))
            rows = emil.see(lambda rows: stored(rows, "from school"))
            for text in ("emil still emil", "dora before", "dora after", "from school"):
                assert in_words(rows).count(text) == 1, text
            emil.type(f"/passwd\r{SECRET}\r{OTHER}\r{OTHER}\r")
            dora.see("connection lost")
            assert dora.wait() == 1
            emil.type("alone\r")
            emil.see("alone")
            assert "horse" not in leave(emil) + dora.output


@pytest.mark.slow
def test_the_lines_of_another_program(tmp_path: Path) -> None:
    """What others say in a channel of the person's other program is only counted."""
    home = tmp_path / "home"
    with (
        server(tmp_path, data=str(tmp_path / "history")) as running,
        person(running, home, "--name", "dora") as dora,
        person(running, tmp_path / "bob", "--name", "bob", "--channel", "#lunch") as bob,
    ):
        dora.see("#general: ")
        dora.type(f"/register\r{SECRET}\r{SECRET}\r")
        eventually((home / "chatroom" / "tokens.json").exists, "no token was kept")
        with person(running, home, "--name", "dora", "--channel", "#lunch") as lunch:
            lunch.see("you are dora in #lunch, logged in")
            bob.type("soup\rsalad\r")
            lunch.see("salad")
            dora.see("unread: #lunch 2")
            assert not any("soup" in row for row in dora.screen.rows())
            bob.type("/join #general\r")
            bob.see("-- #general")
            bob.type("hello\r")
            dora.see("bob hello")
            lunch.see("unread: #general 1")
            leave(lunch, dora, bob)
