"""Two people in two terminals, with the real programs."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from client import Client
from tests.client.pseudo_terminal import PseudoTerminal, python
from tests.end_to_end.programs import ServerProcess, server
from tests.support.patience import PROGRAM_PATIENCE


def person(port: int, name: str, *options: str) -> PseudoTerminal:
    """Somebody who has joined: who starts first is there first."""
    terminal = PseudoTerminal(python("client", f"127.0.0.1:{port}", "--name", name, *options))
    try:
        terminal.see("#general: ")
    except BaseException:
        terminal.__exit__(None, None, None)
        raise
    return terminal


@contextmanager
def two_people(port: int) -> Iterator[tuple[PseudoTerminal, PseudoTerminal]]:
    """Ann, and then bob: she sees him join."""
    with person(port, "ann") as ann:
        ann.see("#general: ")
        with person(port, "bob") as bob:
            yield ann, bob


@pytest.mark.slow
def test_two_people_talk(tmp_path: Path) -> None:
    """Each sees the other's lines; a half-typed line stays when the other speaks, and is sent whole."""
    with server(tmp_path) as running, two_people(running.port) as (ann, bob):
        ann.see("bob joined")
        bob.see("#general: ")
        ann.type("half-typed")
        ann.see("ann> half-typed")
        bob.type("hello ann\r")
        rows = ann.see("bob hello ann")
        ann.see(lambda rows: "ann> half-typed" in rows)
        assert rows.index(next(row for row in rows if row.endswith("hello ann"))) < len(rows) - 1
        ann.type(" no more\r")
        bob.see("ann half-typed no more")
        ann.see("ann half-typed no more")
        ann.type("/who\r")
        ann.see("-- /who #general: 2 here")
        ann.see("ann, bob")
        bob.type("\x04")
        assert bob.wait() == 0
        ann.see("bob left")
        ann.type("\x03\x03")
        assert ann.wait() == 0
        for terminal in (ann, bob):
            assert terminal.modes() == terminal.modes_before
            assert {*terminal.screen.obeyed} <= {"bell"}  # somebody was called by name


@pytest.mark.slow
def test_the_keys_of_the_input_line(tmp_path: Path) -> None:
    """A long paste is a mark and is sent whole; Ctrl-R finds it again; Tab shows the channels to go to."""
    with server(tmp_path) as running, two_people(running.port) as (ann, bob):
        bob.see("bob>")
        lines = "\r".join(f"code {number}" for number in range(1, 9))
        bob.type(f"see \x1b[200~{lines}\r\x1b[201~ ok?")
        bob.see("bob> see [Pasted 8 lines] ok?")
        bob.type("\r")
        ann.see("code 8 ok?")
        bob.type("half\x12code 8")
        bob.see("search: code 8")
        bob.see("bob> see [Pasted 8 lines] ok?")
        bob.type("\x07")
        bob.see("bob> half")
        bob.type("\x15/join #tea\r")
        bob.see("#tea: 1 person")
        bob.type("/go \t")
        bob.see(lambda rows: "#general  #tea" in rows)
        bob.type("\r")
        bob.see("#general: 2 people")
        assert bob.screen.obeyed == [] and ann.screen.obeyed == []


@pytest.mark.slow
def test_nobody_drives_another_ones_terminal(tmp_path: Path) -> None:
    """A pasted escape sequence is shown as visible text."""
    with server(tmp_path) as running, two_people(running.port) as (ann, bob):
        ann.see("bob joined")
        bob.see("bob>")
        bob.type("\x1b[200~\x9b2J \u202etxt \t漢字 👩‍👩‍👧 end\x1b[201~\r")
        rows = ann.see("end")
        assert any("2J txt" in row and "漢字 👩👩👧 end" in row for row in rows)
        assert ann.screen.obeyed == []


@pytest.mark.slow
def test_asked_for_a_name_again(tmp_path: Path) -> None:
    """The client shows why a name in use was refused, and asks for another one."""
    with server(tmp_path) as running, person(running.port, "ann") as ann:
        ann.see("#general: ")
        with PseudoTerminal(python("client", f"127.0.0.1:{running.port}")) as other:
            other.see("Your name [")
            other.type("Ann\r")
            other.see("in use")
            other.type("bob\r")
            other.see("bob>")
            ann.see("bob joined")
            other.type("\x04")
            assert other.wait() == 0


@pytest.mark.slow
def test_the_half_typed_line_survives_a_server_restart(tmp_path: Path) -> None:
    """After kill -9 and a restart the client reports it once, sends waiting lines, and keeps the input."""
    data = str(tmp_path / "history")
    first = ServerProcess(tmp_path / "log", "--data", data)
    try:
        with person(first.port, "ann") as ann:
            ann.see("#general: ")
            first.kill()
            ann.see("connection lost")
            ann.type("said meanwhile\rhalf")
            ann.see("--:-- said meanwhile")
            again = ServerProcess(tmp_path / "log", "--data", data, port=first.port)
            try:
                ann.see("back again")
                ann.see(lambda rows: any("said meanwhile" in row for row in rows))
                rows = ann.see(lambda rows: not any(row.startswith("--:--") for row in rows))
                assert "ann> half" in rows
                assert sum("connection lost" in row for row in rows) == 1
                assert sum("said meanwhile" in row for row in rows) == 1
                ann.type("\x03\x03\x03")
                assert ann.wait() == 0
            finally:
                again.kill()
    finally:
        first.kill()


@pytest.mark.parametrize("kind", ["xterm", "dumb"])
def test_terminated(kind: str, tmp_path: Path) -> None:
    """kill -TERM: the terminal is given back, the last row says why the client ended; exit code 143."""
    with server(tmp_path) as running:
        command = python("client", f"127.0.0.1:{running.port}", "--name", "ann")
        with PseudoTerminal(command, TERM=kind) as ann:
            ann.see("#general: ")
            ann.signal(signal.SIGTERM)
            assert ann.wait() == 128 + signal.SIGTERM
            assert [row for row in ann.screen.rows() if row][-1] == "chatroom-client: ended by SIGTERM"
            assert ann.modes() == ann.modes_before


def test_a_terminal_that_cannot_show_everything(tmp_path: Path) -> None:
    """In a Latin-1 locale a letter that it lacks is shown as `?`, and what follows is shown, too."""
    with server(tmp_path) as running:
        command = python("client", f"127.0.0.1:{running.port}", "--name", "ann")
        with PseudoTerminal(command, TERM="dumb", PYTHONIOENCODING="latin-1:strict") as ann:
            ann.see("#general: ")
            with Client(port=running.port, name="bob") as bob:
                bob.say("5 \u20ac")
                bob.say("and more")
            ann.see("bob: 5 ?")
            ann.see("bob: and more")
            ann.type("/quit\r")
            assert ann.wait() == 0


def test_joining_on_a_dumb_terminal(tmp_path: Path) -> None:
    """/join goes there, as on a screen: what was said there is printed, and the other channel is counted.

    Who starts the client for several channels gets the lines of all of them under their names.
    """
    both = ("#tea", "#general")
    with server(tmp_path) as running, Client(port=running.port, name="bob", channels=both) as bob:
        command = python("client", f"127.0.0.1:{running.port}", "--name", "ann")
        with PseudoTerminal(command, TERM="dumb") as ann:
            ann.see("#general: ")
            assert bob.say("before her").wait(PROGRAM_PATIENCE)
            ann.type("/join #tea\r")
            ann.see("#tea: 2 people")
            ann.see("bob: before her")
            bob.say("for her")
            ann.see("bob: for her")
            bob.say("for all", "#general")
            ann.see("1 unread in #general")
            assert "for all" not in ann.output
            ann.type("/quit\r")
            assert ann.wait() == 0
        command = python("client", f"127.0.0.1:{running.port}", "--name", "eve", "--plain")
        with PseudoTerminal([*command, "--channel", "#tea", "--channel", "#general"]) as eve:
            eve.see("#general: ")
            bob.say("one")
            eve.see("bob: one")
            bob.say("eve?", "#general")
            eve.see("bob calls you in #general: eve?")


@pytest.mark.slow
def test_a_server_that_comes_later(tmp_path: Path) -> None:
    """With --retry-for a person waits for a server that is not there yet; Ctrl-C ends the waiting."""
    with server(tmp_path) as running:
        port = running.port
    command = python("client", f"127.0.0.1:{port}", "--name", "ann", "--retry-for", "60")
    with PseudoTerminal(command, 100) as ann:
        ann.see("trying again")
        with server(tmp_path, port=port):
            ann.see("#general: ")
            ann.type("\x04")
            assert ann.wait() == 0
    with PseudoTerminal(command, 100) as ann:
        ann.see("trying again")
        ann.type("\x03")
        assert ann.wait() == 130


@pytest.mark.slow
def test_leaving_while_the_server_is_gone(tmp_path: Path) -> None:
    """Ctrl-C ends the retries at once."""
    with server(tmp_path) as running, person(running.port, "ann") as ann:
        ann.see("#general: ")
        running.kill()
        ann.see("reconnecting")
        began = time.monotonic()
        ann.type("\x03\x03")
        assert ann.wait() == 0
        assert time.monotonic() - began < 2.0
