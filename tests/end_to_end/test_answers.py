"""Answers of a real server at a terminal: under their commands, as tables, once; and without a screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.client.pseudo_terminal import PseudoTerminal, in_words, python
from tests.end_to_end.programs import server

pytestmark = pytest.mark.slow


def person(
    port: int, name: str, folder: Path, *options: str, columns: int = 80, lines: int = 24
) -> PseudoTerminal:
    """Somebody who has joined."""
    command = python("client", f"127.0.0.1:{port}", "--name", name, *options)
    terminal = PseudoTerminal(command, columns, lines, XDG_DATA_HOME=str(folder))
    try:
        terminal.see(f"{options[1] if '--channel' in options else '#general'}: ")
    except BaseException:
        terminal.__exit__(None, None, None)
        raise
    return terminal


def test_tables_on_a_screen(tmp_path: Path) -> None:
    """Columns stand below each other, also with wide letters, beside the text of others."""
    with (
        server(tmp_path) as running,
        person(running.port, "李雷", tmp_path) as lei,
        person(running.port, "ann", tmp_path, lines=40) as ann,
    ):
        ann.type("/join #茶\r")
        ann.see("-- #茶: 1 person")
        ann.type("/topic Earl Grey\r")
        ann.see("-- ann set the topic: Earl Grey")
        ann.type("/go #general\r/who\r/channels\r/stats\r")
        rows = ann.see("threads")
        begin = next(number for number, row in enumerate(rows) if "/who" in row)
        assert [row[6:] for row in rows[begin : begin + 5]] == [
            "-- /who         #general: 2 here",
            "                  ann, 李雷",
            "-- /channels    2 channels",
            "                  #general  2 here  you are in",
            "                  #茶       1 here  you are in  Earl Grey",
        ]
        assert "the topic is" not in in_words(rows)
        stats = [row for row in rows if row.endswith(("people connected", "threads", "in the history"))]
        assert len(stats) == 3
        assert len({len(row[: row.rindex("  ")]) for row in stats}) == 1  # the figures end in one column
        assert lei.screen.obeyed == [] and ann.screen.obeyed == []


def test_tables_on_a_narrow_screen(tmp_path: Path) -> None:
    """At 40 columns they are laid out for 40: no row is wrapped in the middle of a cell."""
    with (
        server(tmp_path) as running,
        person(running.port, "maximilian-schmidt", tmp_path),
        person(running.port, "李雷", tmp_path, columns=40, lines=20) as lei,
    ):
        lei.type("/topic Homework is due on Friday at noon\r")
        lei.see("set the topic")
        lei.type("/who\r/channels\r")
        rows = lei.see(lambda rows: sum("at noon" in row for row in rows) == 2)
        begin = next(number for number, row in enumerate(rows) if "/who" in row)
        assert [row[6:] for row in rows[begin : begin + 5]] == [
            "-- /who: #general: 2 here",
            "  maximilian-schmidt, 李雷",
            "-- /channels: 1 channel",
            "  #general  2 here  you are in",
            "      Homework is due on Friday",
        ]


def test_tab_before_help(tmp_path: Path) -> None:
    """Tab completes a command of the server that nobody has asked for."""
    with server(tmp_path) as running, person(running.port, "ann", tmp_path) as ann:
        ann.type("/time\r")
        ann.see("-- /time")  # it was asked behind what the client asks itself
        ann.type("/whoi\t")
        ann.see("ann> /whois")
        assert "talking" not in in_words(ann.screen.rows())


def test_a_moderated_channel_is_in_the_status(tmp_path: Path) -> None:
    """Who has no voice reads so as long as it lasts."""
    with (
        server(tmp_path) as running,
        person(running.port, "ann", tmp_path, "--channel", "#class") as ann,
        person(running.port, "bob", tmp_path, "--channel", "#class") as bob,
    ):
        ann.type("/hush\r")
        bob.see("#class, 2 here \u00b7 read-only: the channel is quiet (/hand)")
        ann.type("/voice bob\r")
        bob.see(lambda rows: "#class, 2 here" in rows)
        ann.type("/mute bob 10m spam\r")
        bob.see("read-only: you are muted until")
        rows = ann.see("-- ann muted bob for 10 minutes: spam")
        assert in_words(rows).count("muted") == 1


def test_a_talk_without_a_screen(tmp_path: Path) -> None:
    """With --plain the bytes come in the order in which one reads them, and nothing twice."""
    with (
        server(tmp_path) as running,
        person(running.port, "ann", tmp_path, "--plain") as ann,
        person(running.port, "bob", tmp_path) as bob,
    ):
        ann.see("bob joined")
        ann.type("half")
        ann.see("half")
        bob.type("hello ann\r")
        bob.see(lambda rows: any(row.endswith("hello ann") and "--:--" not in row for row in rows))
        ann.type("-typed\r")
        bob.see("ann half-typed")
        ann.see("bob calls you: hello ann")
        ann.type("/who\r")
        ann.see("/who: #general: 2 here; ann, bob")
        ann.type("/topic tea\r")
        ann.see("ann set the topic: tea")
        ann.type("/register\r")
        ann.see("a password for ann, at least 8 characters (not shown, Ctrl-C cancels):")
        ann.type("correct horse\r")
        ann.see("the same again (not shown, Ctrl-C cancels):")
        ann.type("correct horse\r")
        ann.see("ann has registered the name ann")
        bob.type("/msg ann psst\r")
        ann.see("bob wrote to you alone: Alt-A or /go @bob")
        ann.type("/go @bob\r")
        ann.see("bob to you: psst")
        ann.type("/quit\r")
        assert ann.wait() == 0
        assert "\x1b" not in ann.output
        assert ann.modes() == ann.modes_before
        told = [line.replace("\a", "") for line in ann.output.split("\r\n")]
        begin = told.index("bob joined")
        assert told[begin : begin + 11] == [
            "bob joined",
            "half-typed",
            "bob calls you: hello ann",
            "/who",
            "/who: #general: 2 here; ann, bob",
            "/topic tea",
            "ann set the topic: tea",
            "/register",
            "a password for ann, at least 8 characters (not shown, Ctrl-C cancels): ",
            "the same again (not shown, Ctrl-C cancels): ",
            "ann has registered the name ann",
        ]
