"""The format of the history file: recognised, migrated, and opened without writing."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from chatroom.errors import HistoryError
from chatroom.history import Located, Restored
from server import schema
from server.database import connect, pragma
from server.history_tool import check
from server.schema import APPLICATION_ID
from server.storage import SqliteHistory
from tests.server.histories import GENERAL, QUIET, VERSION_1, all_in, execute, lines, opened, said, seqs


def begin(path: Path) -> None:
    """Make a history without events."""
    with opened(path) as history:
        history.append([], [])


def test_a_history_says_what_it_is(tmp_path: Path) -> None:
    """The file contains the application id and the schema version, where file(1) and others find them."""
    path = tmp_path / "history.db"
    begin(path)
    with closing(connect(path)) as database:
        assert pragma(database, "application_id") == APPLICATION_ID
        assert pragma(database, "user_version") == len(schema.MIGRATIONS)
    assert path.read_bytes()[68:72] == b"CHAT"


@pytest.mark.parametrize("content", [b"abc", b"x" * 5000, b"SQLite format 3\0" + bytes(90)])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    """A file that is no database is refused by name, and not a byte of it is changed."""
    path = tmp_path / "holiday.jpg"
    path.write_bytes(content)
    with pytest.raises(HistoryError, match=r"holiday\.jpg is not a chatroom history"):
        SqliteHistory(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("mark", ["", "PRAGMA application_id = 7", "PRAGMA user_version = 1"])
def test_other_databases_are_refused(tmp_path: Path, mark: str) -> None:
    """An SQLite file of another program is refused, and not a byte of it is changed."""
    path = tmp_path / "mail.db"
    with closing(sqlite3.connect(path)) as other:
        other.executescript(f"CREATE TABLE mail(text); {mark}")
    content = path.read_bytes()
    with pytest.raises(HistoryError, match=r"mail\.db is not a chatroom history"):
        SqliteHistory(path)
    assert path.read_bytes() == content


def test_an_empty_file_becomes_a_history(tmp_path: Path) -> None:
    """A file without content (from mktemp, or from a server that was killed at once) becomes a history."""
    path = tmp_path / "history.db"
    path.touch()
    with opened(path) as history:
        history.append(lines(1, 3), [])
    assert all_in(path) == lines(1, 3)


def test_a_newer_history_is_refused(tmp_path: Path) -> None:
    """A file of a newer version is refused, and the message has both versions."""
    path = tmp_path / "history.db"
    begin(path)
    execute(path, "PRAGMA user_version = 999")
    with pytest.raises(HistoryError, match=r"newer version .* schema is 999.* up to 2"):
        SqliteHistory(path)


def test_an_older_history_is_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The migrations of an older file run in order and once, and its events are still there."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        history.append(lines(1, 3), [])
    later = (("UPDATE events SET text = text || '!'",), ("UPDATE events SET text = text || '?'",))
    monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS + later)
    for _ in range(2):
        assert [event.text for event in all_in(path)] == ["line 1!?", "line 2!?", "line 3!?"]
    with closing(connect(path)) as database:
        assert pragma(database, "user_version") == len(schema.MIGRATIONS)


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a migration that failed, the older version can still open the file."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        history.append(lines(1, 3), [])
    broken = (("DELETE FROM events", "INSERT INTO nowhere VALUES(1)"),)
    with monkeypatch.context() as patched:
        patched.setattr(schema, "MIGRATIONS", schema.MIGRATIONS + broken)
        with pytest.raises(HistoryError, match="nowhere"):
            SqliteHistory(path)
    assert all_in(path) == lines(1, 3)


@pytest.mark.slow
def test_a_disk_that_cannot_be_written(tmp_path: Path) -> None:
    """On a disk that is mounted read-only a server cannot start, but the history can be inspected."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root may mount a file system")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", tmp_path], capture_output=True)
    if made.returncode:
        pytest.skip(f"mounting is not allowed here: {made.stderr.decode().strip()}")
    try:
        path = tmp_path / "history.db"
        with opened(path) as history:
            history.append(lines(1, 3), [])
        subprocess.run(["mount", "-o", "remount,ro", tmp_path], check=True)
        with pytest.raises(HistoryError, match="Read-only file system"):
            SqliteHistory(path)
        with closing(schema.open_read_only(path)) as database:
            assert database.execute("SELECT count(*) FROM events").fetchone() == (3,)
    finally:
        subprocess.run(["umount", "-l", tmp_path], check=True)  # also when a failed test left files open


def test_inspecting_a_missing_or_empty_file(tmp_path: Path) -> None:
    """Opening without writing makes no file, and the error says what is wrong."""
    with pytest.raises(HistoryError, match=r"there is no history .*history\.db"):
        schema.open_read_only(tmp_path / "history.db")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty.db").touch()
    with pytest.raises(HistoryError, match="it is empty"):
        schema.open_read_only(tmp_path / "empty.db")


# --- version 1 -------------------------------------------------------------------------------------------


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A copy of the file that a server of version 1 has written."""
    return Path(shutil.copy(VERSION_1, tmp_path / "history.db"))


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query on a file that nobody has open."""
    with closing(connect(path, "mode=ro")) as database:
        return database.execute(query).fetchall()


def of_kind(restored: Restored, kind: str) -> dict[str, Any]:
    """The values of the records of a kind, by key."""
    return {one.key: json.loads(one.value or "") for one in restored.records if one.kind == kind}


def test_every_event_of_version_1_is_there(old: Path) -> None:
    """A converted file has the events, the head and the time of before; names and channels have numbers."""
    before = rows(old, "SELECT seq, time, kind, channel, author, text, id FROM events ORDER BY seq")
    with opened(old) as history:
        found = history.read(0, 10**6, (GENERAL, QUIET))
        assert [tuple(event[:7]) for event in found] == before
        assert (history.restore().head, history.restore().time) == before[-1][:2]
        assert history.restore().position == b""
        assert len(history.restore().identity) == 16 and any(history.restore().identity)
        assert {(event.channel, event.place) for event in found} == {("#general", GENERAL), ("#quiet", QUIET)}
        assert {(event.author, event.person) for event in found} == set(
            zip(["Zoé", "ann", "bob", "carl"], (1, 2, 3, 4), strict=True)
        )
        assert all((event.extra, event.places) == (b"", ()) for event in found)
        assert seqs(history.read(250, 3, [QUIET])) == [254, 255, 256]
        assert history.last_seqs(2, [QUIET]) == [255, 256]
        assert history.last_seqs(2, [GENERAL]) == [266, 267]
        assert history.locate(256) == Located(before[255][1], 1)
    assert check(old).sound


def test_the_sessions_of_version_1_are_records(old: Path) -> None:
    """Each session has a person that no old name has; who was in is a member of its channel."""
    before = rows(old, "SELECT hex(key), name, present, confirmed, seen FROM sessions ORDER BY key")
    with opened(old) as history:
        restored = history.restore()
    sessions = of_kind(restored, "session")
    assert sessions == {
        key.lower(): {
            "person": person,
            "name": name,
            "address": "",
            "phase": "here" if present else "absent",
            "epoch": 0,
            "origin": 0,
            "until": 0 if present else seen + 7 * 24 * 3600 * 1000,
            "confirmed": confirmed,
            "seen": seen,
            "channels": [QUIET if name == "bob" else GENERAL],
        }
        for person, (key, name, present, confirmed, seen) in enumerate(before, 5)
    }
    assert sorted(one["phase"] for one in sessions.values()) == ["absent", "absent", "here", "here"]
    here = {one["name"]: one["person"] for one in sessions.values() if one["phase"] == "here"}
    assert here.keys() == {"ann", "Zoé"}
    assert of_kind(restored, "member") == {str(person): {"name": name} for name, person in here.items()}
    assert of_kind(restored, "membership") == {
        f"{person} 1": {"intervals": [[267, None]]} for person in here.values()
    }
    assert of_kind(restored, "history") == {"": {"persons": 8, "places": 2, "epoch": 0}}
    joined = dict(rows(VERSION_1, "SELECT channel, min(time) FROM events GROUP BY channel"))
    assert of_kind(restored, "channel") == {
        "1": {"name": "#general", "founded": joined["#general"], "by": 0},
        "2": {"name": "#quiet", "founded": joined["#quiet"], "by": 0},
    }
    assert {one.kind for one in restored.records} == {"session", "member", "membership", "history", "channel"}


def test_no_row_of_version_1_is_rewritten(old: Path) -> None:
    """Converting a file does not touch the rows of its events: a large file needs no second copy."""
    with opened(old) as history:
        history.append([said(268)], [])
    assert rows(old, "SELECT count(*), count(person), count(place) FROM events") == [(268, 1, 1)]


def test_new_events_follow_the_old_ones(old: Path) -> None:
    """Old and new events of a place are read as one log, also when they share a span."""
    with opened(old) as history:
        history.append([said(268, place=QUIET), said(269)], [])
        assert seqs(history.read(253, 10, [QUIET])) == [254, 255, 256, 257, 268]
        assert history.last_seqs(2, [GENERAL]) == [267, 269]
    assert seqs(all_in(old)) == list(range(1, 270))


def test_a_channel_without_events_keeps_its_session(old: Path) -> None:
    """If --keep has removed all events of a session's channel, the channel is a place all the same."""
    execute(old, "DELETE FROM events WHERE seq <= 260")
    execute(old, "UPDATE state SET value = 260 WHERE name = 'removed'")
    execute(old, "DELETE FROM spans WHERE channel = '#quiet' OR span = 0")
    with opened(old) as history:
        restored = history.restore()
        assert seqs(history.read(0, 1000, (GENERAL, QUIET))) == list(range(261, 268))
    assert of_kind(restored, "channel")["2"] == {"name": "#quiet", "founded": 0, "by": 0}
    assert {tuple(one["channels"]) for one in of_kind(restored, "session").values()} == {(GENERAL,), (QUIET,)}


def test_an_empty_history_of_version_1(old: Path) -> None:
    """The file of a server that nobody visited has no records."""
    for table in ("events", "spans", "sessions"):
        execute(old, f"DELETE FROM {table}")
    with opened(old) as history:
        assert history.restore()[1:] == (b"", 0, 0, [])


_KILLED = """
import os, signal, sys
from server import storage
from server.database import connect

def kill_after(number):
    left = number
    def count(statement):
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    return count

def open_killed(path, number):
    def connect_to_be_killed(path, parameters="mode=rwc"):
        connection = connect(path, parameters)
        connection.set_trace_callback(kill_after(number))
        return connection
    storage.connect = connect_to_be_killed
    storage.SqliteHistory(path)
    os._exit(0)

for number, path in enumerate(sys.argv[1:]):
    child = os.fork()
    if child == 0:
        open_killed(path, number)
    _, status = os.waitpid(child, 0)
    print(os.WIFSIGNALED(status), flush=True)
"""


@pytest.mark.slow
def test_a_migration_can_be_killed_anywhere(tmp_path: Path) -> None:
    """After kill -9 at any statement of the migration, the next start converts the file anew."""
    copies = [Path(shutil.copy(VERSION_1, tmp_path / f"{number}.db")) for number in range(50)]
    ended = subprocess.run(
        [sys.executable, "-c", _KILLED, *map(str, copies)], stdout=subprocess.PIPE, text=True
    )
    killed = [line == "True" for line in ended.stdout.split()]
    assert killed == sorted(killed, reverse=True) and len(killed) == len(copies)
    assert len(schema.MIGRATIONS[1]) < sum(killed) < len(copies)
    whole = tmp_path / "whole.db"
    shutil.copy(VERSION_1, whole)
    with opened(whole) as history:
        events, records = history.read(0, 1000, (GENERAL, QUIET)), history.restore().records
    for path in copies:
        with opened(path) as history:
            assert history.read(0, 1000, (GENERAL, QUIET)) == events
            assert history.restore().records == records


def test_a_long_history_is_announced(
    old: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Before a long file is converted, one line tells why the server does not listen yet."""
    monkeypatch.setattr(schema, "LONG_HISTORY", 200)
    for _ in range(2):
        SqliteHistory(old).close()
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith(f"{old} comes from an older version and has 267 events: ")


@pytest.mark.slow
def test_a_million_events_are_converted_quickly(tmp_path: Path) -> None:
    """Converting a million events takes a few seconds, because no row is rewritten."""
    path = tmp_path / "history.db"
    with closing(connect(path)) as database:
        for statement in schema.MIGRATIONS[0]:
            database.execute(statement)
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute("PRAGMA user_version = 1")
        database.execute(
            """WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1000000)
            INSERT INTO events
                SELECT n, n, 32, '#general', 'talker-' || n % 100, printf('%064d', n), n FROM numbers"""
        )
        database.execute("INSERT INTO spans SELECT DISTINCT seq / 256, channel FROM events")
    start = time.perf_counter()
    with opened(path) as history:
        took = time.perf_counter() - start
        assert seqs(history.read(999_998, 10, [GENERAL])) == [999_999, 1_000_000]
    assert took < 5.0
