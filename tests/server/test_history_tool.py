"""Inspecting a history: `--check` and `--export`."""

from __future__ import annotations

import io
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from chatroom.errors import HistoryError
from chatroom.events import Event, EventKind
from chatroom.records import Record
from server.__main__ import main
from server.database import checkpoint, connect
from server.disk_watch import size_words
from server.history_export import export, export_sqlite
from server.history_tool import check
from server.maintenance import Maintenance
from server.retention import Retention
from tests.server.histories import (
    GENERAL,
    NOW,
    QUIET,
    VERSION_1,
    VERSION_2,
    amend,
    blocks_of,
    execute,
    lines,
    maintained,
    opened,
    said,
    store,
)


@pytest.fixture(scope="module")
def unharmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed history with two kinds of events in two channels."""
    path = tmp_path_factory.mktemp("unharmed") / "history.db"
    with opened(path) as history:
        joined = Event(1, NOW, EventKind.JOINED, "#general", "ann", "", person=1, place=GENERAL)
        history.append(blocks_of([joined]), [Record("session", "aa", '{"phase": "here"}')])
        store(history, lines(2, 400))
        store(history, [*lines(401, 700), said(701, "Grüße \x1b[31m", QUIET, NOW + 1500)])
        history.append([], [Record("session", "bb", '{"phase": "absent"}')])
    return path


@pytest.fixture
def path(unharmed: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copy(unharmed, tmp_path / "history.db"))


REST = "last, time, lines, place, places, talkers, packets"


def damage(path: Path, statement: str) -> list[str]:
    """The damage that a check reports after the file was changed by `statement`."""
    execute(path, statement)
    report = check(path)
    assert not report.sound
    assert report.lines[-1] == "damaged"
    return [line.removeprefix("damage: ") for line in report.lines if line.startswith("damage: ")]


def test_the_contents(path: Path) -> None:
    """The report gives version, seqs, times, kinds and channels, and says that the file is sound."""
    report = check(path)
    assert report.sound
    assert report.lines[0].startswith(f"{path}: a chatroom history, schema 3, ")
    assert report.lines[1:] == [
        "701 events, seq 1 to 701, 2027-01-15T08:00:00.000Z to 2027-01-15T08:00:01.500Z",
        "  said: 700",
        "  joined: 1",
        "  in '#general': 700",
        "  in '#quiet': 1",
        "0 channels, 0 accounts",
        "2 sessions, 1 of them in the chatroom when it was written",
        "sound",
    ]


def test_an_empty_history_is_sound(tmp_path: Path) -> None:
    """The history of a server that had no visitor yet is sound."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        history.append([], [])
    assert check(path).sound
    assert "no events" in check(path).lines
    assert export(path, io.StringIO()) == 0


def test_removed_events_are_no_damage(path: Path) -> None:
    """The report distinguishes events that retention has removed from missing ones."""
    with closing(Maintenance(path, threading.Lock(), Retention(events=100))) as upkeep:
        upkeep.run(threading.Event())
    report = check(path)
    assert report.sound
    assert "seq 1 to 601 were removed by --keep" in report.lines


@pytest.mark.parametrize(
    ("statement", "reported"),
    [
        ("DELETE FROM blocks WHERE first = 2", "after seq 1 comes seq 401"),
        ("DELETE FROM blocks WHERE first = 1", "after seq 0 comes seq 2"),
        ("UPDATE blocks SET packets = substr(packets, 1, 1000) WHERE first = 2", "{2} to 400: "),
        ("UPDATE blocks SET packets = CAST(packets || x'00' AS BLOB) WHERE first = 2", "{2} to 400: "),
        ("UPDATE blocks SET packets = x'c702390000000000' WHERE first = 2", "{2} to 400: "),
        ("UPDATE blocks SET packets = x'' WHERE first = 2", "{2} is empty"),
        (
            "UPDATE blocks SET packets = CAST(packets || packets AS BLOB) WHERE first = 1",
            "{1}: its events are",
        ),
        ("UPDATE blocks SET packets = 'hello' WHERE first = 2", "row 2: "),
        ("UPDATE blocks SET first = 3 WHERE first = 2", "{3}: first is 3, its events say 2"),
        ("UPDATE blocks SET last = 399 WHERE first = 2", "{2}: last is 399, its events say 400"),
        ("UPDATE blocks SET last = 'x' WHERE first = 2", "row 2: "),
        ("UPDATE blocks SET time = -1 WHERE first = 2", "{2}: time is -1, its events say 18"),
        ("UPDATE blocks SET lines = 7 WHERE first = 2", "{2}: lines is 7, its events say 399"),
        ("UPDATE blocks SET talkers = NULL WHERE first = 2", "{2}: talkers is {}, its events say {"),
        ("UPDATE blocks SET talkers = x'00' WHERE first = 2", "row 2: "),
        ("UPDATE blocks SET place = 2 WHERE first = 2", "{2}: event 2 is of another place"),
        ("UPDATE blocks SET places = '[1' WHERE first = 2", "row 2: "),
        ("UPDATE blocks SET places = '[1, 2]' WHERE first = 2", "{2}: event 2 is of another place"),
        (f"INSERT INTO blocks SELECT 0, {REST} FROM blocks WHERE first = 1", "seq 1 is stored twice"),
        ("UPDATE state SET value = 2 WHERE name = 'reach'", "{2} reaches further than any"),
        ("UPDATE state SET value = 1 WHERE name = 'settled'", "the index of places lacks {1} in place 1"),
        ("INSERT INTO amended VALUES(5, x'00')", "what amends seq 5: "),
        ("INSERT INTO amended SELECT 5, packets FROM blocks WHERE first = 1", "what amends seq 5 is of an"),
        ("INSERT INTO amended SELECT 999, packets FROM blocks WHERE first = 1", "what amends seq 999 is of"),
        ("UPDATE records SET value = '{' WHERE key = 'bb'", "the record 'session' 'bb' is no JSON"),
    ],
)
def test_damaged_events(path: Path, statement: str, reported: str) -> None:
    """Missing and impossible events, and events that no read would find, are reported with their seq."""
    reported = re.sub(r"\{(\d)\}", r"the block of seq \1", reported)
    found = damage(path, statement)
    assert any(line.startswith(reported) for line in found), found


def test_damaged_pages(path: Path) -> None:
    """Broken pages are reported, whichever pages they are."""
    content = path.read_bytes()
    for page in range(2, len(content) // 4096):
        broken = bytearray(content)
        broken[page * 4096 : page * 4096 + 200] = b"\xa5" * 200
        path.write_bytes(broken)
        report = check(path)
        assert not report.sound, f"page {page}"
        assert any(line.startswith("damage: ") for line in report.lines)


@pytest.mark.parametrize("kept", [-3 * 4096, 4096, 5000, 200])
def test_a_truncated_file(path: Path, kept: int) -> None:
    """A file without its end (an interrupted copy) is reported in words: how much is there, what to do."""
    content = path.read_bytes()
    path.write_bytes(content[:kept])
    report = check(path)
    assert not report.sound and report.lines[0] == f"{path}: a damaged file, which cannot be opened"
    there, whole = size_words(len(content[:kept])), size_words(len(content))
    assert report.lines[1:] == [
        f"damage: the file is cut off: {there} of {whole} are there",
        "lost: nobody can tell; perhaps all of it",
        "to do: stop the server, and put the latest backup in the place of this file (README, Backup)",
        "damaged",
    ]


@pytest.mark.parametrize("seed", range(30))
def test_flipped_bits(path: Path, seed: int) -> None:
    """Bits that flip are found, or change nothing that was said; a report has an end in any case."""
    chance, content, before = random.Random(seed), bytearray(path.read_bytes()), io.StringIO()
    export(path, before)
    for _ in range(8):
        content[chance.randrange(100, len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)
    report = check(path)
    assert report.lines[-1] == ("sound" if report.sound else "damaged")
    if report.sound:
        after = io.StringIO()
        export(path, after)
        assert after.getvalue() == before.getvalue()
    else:
        assert any(line.startswith("lost: ") for line in report.lines)
        assert any(line.startswith("to do: ") for line in report.lines)


def test_what_is_lost(path: Path) -> None:
    """The report counts the events that are missing, and says what to do."""
    execute(path, "DELETE FROM blocks WHERE first = 2")
    report = check(path)
    assert "lost: 399 events, the first of seq 2" in report.lines
    assert "damage: after seq 1 comes seq 401: 399 events between them" in report.lines
    todo = [line for line in report.lines if line.startswith("to do: ")]
    assert len(todo) == 2 and f"--export {path} --readable" in todo[1]


def test_damage_without_a_loss(path: Path) -> None:
    """Where nothing that was said is missing, the report says that."""
    execute(path, "UPDATE records SET value = '{' WHERE key = 'bb'")
    assert "lost: no event" in check(path).lines


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "there is no history {}"),
        (lambda path: path.mkdir(), "cannot read the history {}: it is a folder"),
        (lambda path: path.touch(), "{} is not a chatroom history: it is empty"),
        (lambda path: path.write_text("shopping list\n" * 100), "{} is not a chatroom history"),
        (lambda path: os.mkfifo(path), "cannot read the history {}: it is no file"),
    ],
    ids=["missing", "folder", "empty", "foreign", "pipe"],
)
def test_what_is_no_history(
    tmp_path: Path, make: Callable[[Path], object], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be checked is one line on stderr and exit code 1, and nothing is made."""
    path = tmp_path / "x.db"
    make(path)
    before = sorted(tmp_path.iterdir())
    for option in ("--check", "--export"):
        assert main([option, str(path)]) == 1
        assert capsys.readouterr() == ("", f"chatroom-server: {words.format(path)}\n")
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_of_somebody_else(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that may not be read is one line with the system's reason."""
    real = Path.open

    def refuse(self: Path, *arguments: object, **more: object) -> object:
        if self == path:
            raise PermissionError(13, "Permission denied")
        return real(self, *arguments, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuse)
    assert main(["--check", str(path)]) == 1
    assert capsys.readouterr() == (
        "",
        f"chatroom-server: cannot read the history {path}: Permission denied\n",
    )


def test_exit_codes(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0 for a sound file, 1 for a damaged one; both reports are on stdout."""
    assert main(["--check", str(path)]) == 0
    assert capsys.readouterr().out.endswith("\nsound\n")
    execute(path, "DELETE FROM blocks WHERE first = 2")
    assert main(["--check", str(path)]) == 1
    out, err = capsys.readouterr()
    assert out.endswith("\ndamaged\n") and err == ""


@pytest.mark.parametrize("inspect", [check, lambda path: export(path, io.StringIO())])
def test_other_files(tmp_path: Path, inspect: Callable[[Path], object]) -> None:
    """Inspecting a missing file or one of another program is one clear error, and makes no file."""
    with pytest.raises(HistoryError, match="there is no history"):
        inspect(tmp_path / "missing.db")
    other = tmp_path / "other.txt"
    other.write_text("shopping list\n" * 100)
    with pytest.raises(HistoryError, match="is not a chatroom history"):
        inspect(other)
    assert [entry.name for entry in tmp_path.iterdir()] == ["other.txt"]


def test_an_export_is_json_lines(path: Path) -> None:
    """Each event is one line of JSON with the fields of --json, the oldest first."""
    out = io.StringIO()
    assert export(path, out) == 701
    found = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [one["seq"] for one in found] == list(range(1, 702))
    assert found[0]["kind"] == "joined"
    assert found[-1] == {
        "seq": 701,
        "time": "2027-01-15T08:00:01.500Z",
        "kind": "said",
        "channel": "#quiet",
        "author": "talker-3",
        "text": "Grüße \x1b[31m",
    }
    assert "\x1b" not in out.getvalue()  # JSON escapes it, so an export may be shown in a terminal


def test_events_without_a_single_channel(tmp_path: Path) -> None:
    """QUIT and RESTARTED are counted and exported like the others; their channel is empty."""
    path, out = tmp_path / "history.db", io.StringIO()
    with opened(path) as history:
        quit = Event(
            1, NOW, EventKind.QUIT, "", "ann", "bye", person=1, extra=b"\1\0", places=(GENERAL, QUIET)
        )
        store(history, [quit, Event(2, NOW, EventKind.RESTARTED, "", "", "")])
    assert check(path).sound
    assert "  in no single channel: 2" in check(path).lines
    assert export(path, out) == 2
    first, second = map(json.loads, out.getvalue().splitlines())
    assert first == {
        "seq": 1,
        "time": "2027-01-15T08:00:00.000Z",
        "kind": "quit",
        "channel": "",
        "author": "ann",
        "text": "bye",
    }
    assert (second["kind"], second["author"]) == ("restarted", "")


@pytest.mark.parametrize(("source", "version", "count"), [(VERSION_1, 1, 267), (VERSION_2, 2, 123)])
def test_inspecting_an_older_version(tmp_path: Path, source: Path, version: int, count: int) -> None:
    """A file of an older version is exported and checked as it is; a server converts it, and all stays."""
    path, table = tmp_path / "history.db", tmp_path / "table.db"
    path.write_bytes(source.read_bytes())
    before, after = io.StringIO(), io.StringIO()
    assert export(path, before) == export_sqlite(path, table) == count
    report = check(path)
    assert report.sound
    assert f"schema {version}, " in report.lines[0]
    assert f"{count} events, seq 1 to {count}, " in report.lines[1]
    assert "a server will convert it to schema 3; only pages and events are checked" in report.lines
    assert path.read_bytes() == source.read_bytes()
    with opened(path):
        pass
    assert export(path, after) == count
    assert after.getvalue() == before.getvalue()
    assert check(path).lines[1:6] == report.lines[1:6]


def test_damage_of_an_older_version(tmp_path: Path) -> None:
    """Gaps and impossible events of an older file are found."""
    path = tmp_path / "history.db"
    path.write_bytes(VERSION_1.read_bytes())
    found = damage(path, "DELETE FROM events WHERE seq = 7")
    assert found == ["after seq 6 comes seq 8: 1 event between them"]
    found = damage(path, "UPDATE events SET kind = 99 WHERE seq = 9")
    assert any(line.startswith("event 9 was not written by a server (kind 99, ") for line in found)
    with pytest.raises(HistoryError, match="is damaged: event 9"):
        export(path, io.StringIO())


def test_a_table_that_anybody_can_query(path: Path, tmp_path: Path) -> None:
    """--sqlite makes a file with one table, whose columns are the fields of the JSON lines."""
    table, out = tmp_path / "table.db", io.StringIO()
    assert export_sqlite(path, table) == export(path, out) == 701
    with closing(sqlite3.connect(table)) as shell:
        shell.row_factory = sqlite3.Row
        rows = [dict(row) for row in shell.execute("SELECT * FROM events ORDER BY seq")]
    assert rows == [json.loads(line) for line in out.getvalue().splitlines()]
    with pytest.raises(HistoryError, match=f"cannot export to {table}: there is such a file already"):
        export_sqlite(path, table)


def test_a_table_of_half_a_history_is_not_left(path: Path, tmp_path: Path) -> None:
    """If the export ends in the middle, the file that it began is gone."""
    execute(path, "UPDATE blocks SET packets = substr(packets, 1, 1000) WHERE first = 401")
    table = tmp_path / "table.db"
    with pytest.raises(HistoryError, match="is damaged: the block of seq 401"):
        export_sqlite(path, table)
    assert not table.exists()


def test_what_was_amended_is_exported(path: Path) -> None:
    """An export shows the last text of a line, and a check finds it sound."""
    amend(path, said(5)._replace(text="edited"))
    out = io.StringIO()
    export(path, out)
    assert json.loads(out.getvalue().splitlines()[4])["text"] == "edited"
    assert check(path).sound


def test_an_export_during_the_merging(tmp_path: Path) -> None:
    """Blocks that are merged between two reads of an export are neither left out nor printed twice."""
    path = tmp_path / "history.db"

    class Merged(io.StringIO):
        """A pipe whose other end reads so slowly that the maintenance merges meanwhile."""

        def write(self, text: str) -> int:
            if self.tell() == 0:
                upkeep.run(threading.Event())
            return super().write(text)

    with maintained(path) as (history, upkeep):
        for first in range(1, 6001, 10):
            store(history, [*lines(first, first + 8), said(first + 9, place=QUIET)], noted=6000)
        out = Merged()
        assert export(path, out) == 6000
    assert [json.loads(line)["seq"] for line in out.getvalue().splitlines()] == list(range(1, 6001))


def test_an_export_does_not_hold_the_checkpoint_back(tmp_path: Path) -> None:
    """Between two chunks of an export all that a server has stored meanwhile can be checkpointed."""
    path = tmp_path / "history.db"
    complete: list[bool] = []

    class Slow(io.StringIO):
        """A pipe whose other end reads so slowly that the server stores a batch meanwhile."""

        def write(self, text: str) -> int:
            if json.loads(text)["seq"] == 1:
                store(history, lines(4001, 4002))
                complete.append(checkpoint(shell))
            return super().write(text)

    with opened(path) as history, closing(connect(path)) as shell:
        for first in range(1, 4001, 50):
            store(history, lines(first, first + 49))
        assert export(path, Slow()) == 4000
    assert complete == [True]


def test_inspecting_changes_nothing(path: Path) -> None:
    """Neither a check nor an export writes to the file."""
    before = path.read_bytes(), path.stat().st_mtime_ns
    check(path)
    export(path, io.StringIO())
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_inspecting_while_the_server_runs(path: Path) -> None:
    """Check and export include the WAL of a running server, and do not delay the server."""
    with opened(path) as history:
        store(history, lines(702, 800))
        report, out = check(path), io.StringIO()
        assert report.sound
        assert report.lines[1].startswith("800 events, seq 1 to 800")
        assert export(path, out) == 800
        store(history, lines(801, 900))
        assert history.restore().head == 900


def test_inspecting_after_kill_9(path: Path) -> None:
    """After kill -9, even before a new start, check and export see everything that was stored."""
    code = (
        "import os, signal, sys; from server.storage import SqliteHistory;"
        "from tests.server.histories import lines, store;"
        "store(SqliteHistory(sys.argv[1]), lines(702, 800)); os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(path)])
    assert ended.returncode == -signal.SIGKILL
    assert check(path).sound
    assert export(path, io.StringIO()) == 800


@pytest.mark.slow
def test_an_export_needs_little_memory(tmp_path: Path) -> None:
    """An export needs memory for a chunk, not for the whole history."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        for first in range(1, 5001, 100):
            store(history, [said(seq, "x" * 2000) for seq in range(first, first + 100)])
    with open(os.devnull, "w", encoding="utf-8") as out:
        tracemalloc.start()
        assert export(path, out) == 5000
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 4_000_000 < 5000 * 2000


def test_a_damaged_event_ends_an_export(path: Path) -> None:
    """An export does not skip an event that it cannot write: it ends with an error that names the event."""
    execute(path, "UPDATE blocks SET packets = substr(packets, 1, 1000) WHERE first = 2")
    with pytest.raises(HistoryError, match="is damaged: the block of seq 2"):
        export(path, io.StringIO())


def test_a_backup_by_sqlite_itself(tmp_path: Path) -> None:
    """SQLite's own VACUUM INTO makes a sound history with all lines up to then from a file in use, too."""
    path, backup = tmp_path / "history.db", tmp_path / "backup.db"
    with opened(path) as history:
        store(history, lines(1, 500))
        with closing(sqlite3.connect(path)) as shell:
            shell.execute(f"VACUUM INTO '{backup}'")
        store(history, lines(501, 600))
        identity = history.restore().identity
    assert check(backup).sound
    with opened(backup) as restored:
        assert (restored.restore().head, restored.restore().identity) == (500, identity)


def test_direct_conversations_are_left_out(path: Path, tmp_path: Path) -> None:
    """An export has them only with with_direct; a check counts them, and names nobody."""
    with opened(path) as history:
        store(history, [said(702)._replace(channel="@bob", place=9), said(703)])
    for with_direct in (False, True):
        out, table = io.StringIO(), tmp_path / f"table{with_direct}"
        count = 702 + with_direct
        assert export(path, out, with_direct) == export_sqlite(path, table, with_direct) == count
        found = [json.loads(line)["seq"] for line in out.getvalue().splitlines()]
        assert (702 in found) == with_direct and 703 in found
        with closing(sqlite3.connect(table)) as shell:
            assert shell.execute("SELECT count(*) FROM events").fetchone() == (count,)
    report = check(path)
    assert report.sound and "  in direct conversations: 1" in report.lines
    assert "bob" not in "\n".join(report.lines)
