"""Every way in which text leaves the programs, and what makes the text of others harmless there."""

from __future__ import annotations

import ast
import io
import logging
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatroom.errors import ChatroomError
from chatroom.events import Event, EventKind
from chatroom.log_formatter import LogFormatter
from chatroom.packets import Answer, Channel, Info, Present, Resumed
from client.interactive import ask_name, interact
from client.pipe import as_json_line, complain
from client.rooms import Room
from client.updates import (
    Connected,
    Disconnected,
    Ended,
    Interrupted,
    Missed,
    Past,
    Unanswered,
    Update,
)
from server import __main__ as server_main
from server.history_export import export
from server.history_tool import Report
from server.log_lines import JsonLines
from server.storage import SqliteHistory
from tests.chatroom.test_printable import HARMFUL
from tests.server.histories import store
from tests.test_imports import MODULES, ROOT
from tests.views.attacks import DECEIVING, DRIVING
from views import Depth, Ground, plain_line

WAYS_OUT = {
    # file and function: (how many calls write there, why no text of others is raw)
    "chatroom/…": (0, "chatroom/ writes nothing; it logs, see the log"),
    "client/__main__.py: _forget": (1, "printable_line"),
    "client/__main__.py: _print_message": (1, "the text of --help and --version, which is ours"),
    "client/console.py: write": (1, "views: PlainView makes lines of sanitized text"),
    "client/interactive.py: ask_name": (1, "one_line"),
    "client/interactive.py: ask_address": (1, "one_line"),
    "client/interactive.py: _asked": (1, "one_line"),
    "client/interactive.py: ask_password": (1, "one_line"),
    "client/interactive.py: ask_server_password": (1, "one_line"),
    "client/pipe.py: complain": (1, "one_line"),
    "client/pipe.py: _write": (2, "plain_line or json_line, in _show"),
    "client/plain.py: ask_secretly": (1, "one_line"),
    "client/program.py: complain": (1, "printable_line"),
    "client/saving.py: write_new": (1, "nothing: a file has a text as it was said, decision 33"),
    "client/terminal.py: write": (1, "views: all text became cells, by sanitize"),
    "client/watch.py: _print": (1, "views: all text became cells, by sanitize; or json_line"),
    "client/terminal.py: wake": (1, "a zero byte, into the client's own pipe"),
    "server/__main__.py: error": (1, "printable_line"),
    "server/__main__.py: _inspect": (1, "printable_line"),
    "server/backup.py: _show": (1, "a number, and words of ours"),
    "server/salvage.py: export_readable": (1, "json_line"),
    "server/log_writer.py: _run": (1, "TextLines and JsonLines, of server/log_lines.py"),
    "server/log_writer.py: say_on_stderr": (
        1,
        "printable_line, in server/__main__.py: _fail, _inspect; server/app.py: serve;"
        " server/owner_code.py: tell",
    ),
    "server/owner_code.py: _write": (1, "a code that the server has made"),
    "server/app.py: _announce": (1, "the address that the operator chose"),
    "server/history_export.py: export": (1, "json_line"),
}
"""The calls of print(), input(), getpass(), os.write() and a file's write(). For the log see below."""

EVIL = [*DRIVING, *DECEIVING]


def writes(path: Path) -> Iterator[str]:
    """The functions of a file that write, once for each call."""

    class Finder(ast.NodeVisitor):
        def __init__(self) -> None:
            self.function = "module"
            self.found: list[str] = []

        def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
            before, self.function = self.function, node.name
            self.generic_visit(node)
            self.function = before

        def visit_Call(self, node: ast.Call) -> None:
            called = ast.unparse(node.func)
            file = called.rpartition(".")[0]
            if called in ("print", "input", "os.write", "getpass.getpass") or (
                called.endswith((".write", ".writelines")) and file in ("sys.stdout", "sys.stderr", "out")
            ):
                self.found.append(self.function)
            self.generic_visit(node)

    finder, text = Finder(), path.read_text()
    if re.search(r"\b(print|input|write|getpass|writelines)\b", text):  # to parse all files takes long
        finder.visit(ast.parse(text))
    yield from finder.found


def test_all_ways_out_are_listed() -> None:
    """A new call that writes is added to the list above, with what makes it harmless."""
    found = Counter(f"{path.relative_to(ROOT)}: {function}" for path in MODULES for function in writes(path))
    assert found == Counter({way: count for way, (count, _) in WAYS_OUT.items() if count})


def test_the_log_has_one_formatter() -> None:
    """Each handler of the programs has LogFormatter, or lines that are as harmless: no other text comes."""
    for path in MODULES:
        text = path.read_text()
        handlers = text.count("logging.StreamHandler(")
        assert handlers == text.count("setFormatter(") == text.count("setFormatter(LogFormatter())"), path
        if "(logging.Handler)" in text:
            assert path.name == "log_writer.py" and "lines or TextLines()" in text
        assert "format=" not in text or "basicConfig" not in text, path


def harmless(text: str) -> bool:
    return not HARMFUL & set(text) - {"\n"}


@pytest.mark.parametrize("kind", list(EventKind))
def test_lines_for_pipes(kind: EventKind) -> None:
    """Plain lines and JSON lines hold nothing harmful, whatever name, channel and text an event has."""
    for evil in EVIL:
        event = Event(1, 0, kind, evil, evil, evil)
        for line in (plain_line(event), as_json_line(event)):
            assert harmless(line)
            assert "\n" not in line


class Stub:
    """A client that has these updates, and to which the user says nothing."""

    def __init__(self, updates: list[Update]) -> None:
        self._updates = iter(updates)  # each comes once, however often one asks
        self.on_update = None
        self.name = "ann"
        self.channel, self.account, self.person = "#a", "", 1
        self.asked, self.rooms = ("#a", "#b"), list[Room]()

    def poll(self) -> list[Update]:
        return [*self._updates]

    def room(self, place: int | str) -> None:
        return None

    def command(self, text: str, channel: str | None = None) -> int:
        raise ValueError(text)

    def flush(self, timeout: float | None = None) -> bool:
        return True

    def close(self) -> None:
        pass


def test_plain_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With --plain, on TERM=dumb and Windows nothing that a server says is raw: names, reasons, answers."""
    for evil in EVIL:
        updates: list[Update] = [
            Connected(evil, evil, False),
            Channel(1, evil, evil, 0, 0, 1, (Present(1, 0, evil),)),
            Answer(1, 0, evil),
            Info(evil),
            Interrupted(Resumed.GAP, evil),
            Unanswered(1, evil, evil),
            Disconnected(evil),
            Event(1, 0, EventKind.SAID, evil, evil, evil),
            Past(1, (Event(1, 0, EventKind.SAID, evil, evil, evil),)),
            Missed(),
            *(Event(2, 0, kind, evil, evil, evil) for kind in EventKind),
            Ended(evil, ChatroomError(evil)),
        ]
        monkeypatch.setattr("sys.stdin", io.StringIO("said\n"))
        monkeypatch.setitem(sys.modules, "termios", None)
        interact(Stub(updates), ground=Ground.EITHER, depth=Depth.NONE, plain=True)  # type: ignore[arg-type]
        monkeypatch.undo()
        complain(evil)
        monkeypatch.setattr("builtins.input", lambda prompt: print(prompt) or "")
        ask_name(evil, evil)
        out, err = capsys.readouterr()
        assert harmless(out + err), evil


def test_the_server_to_its_operator(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """--check, --export, refusals of options, and lines of the log hold nothing harmful of others."""
    history = SqliteHistory(str(tmp_path / "history"))
    events = [Event(n, 0, EventKind.SAID, "#general", "bob", evil) for n, evil in enumerate(EVIL, 1)]
    store(history, [event for event in events if "\ud800" not in event.text])
    history.close()
    out = io.StringIO()
    export(tmp_path / "history", out)
    assert harmless(out.getvalue())
    for evil in EVIL:
        monkeypatch.setattr("server.history_tool.check", lambda _, evil=evil: Report([evil], False))
        assert server_main.main(["--check", "x"]) == 1
        with pytest.raises(SystemExit):
            server_main.main([evil, f"--{evil}"])
        record = logging.makeLogRecord({"msg": "= %s has left: %s", "args": (evil, evil)})
        other = logging.makeLogRecord({"msg": "x", "args": ({"name": evil},), "event": "came"})
        lines = [LogFormatter().format(record), JsonLines().format(record), JsonLines().format(other)]
        assert harmless("".join([*capsys.readouterr(), *lines])), evil
        assert "\n" not in "".join(lines)
