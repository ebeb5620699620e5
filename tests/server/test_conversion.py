"""Files of earlier versions become files of this one, whatever happens meanwhile."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from chatroom.blocks import Block, encoded
from chatroom.errors import HistoryError
from chatroom.events import Event
from chatroom.history import Located, Restored
from chatroom.limits import MAX_TEXT, MAX_TIME
from server import conversion
from server.conversion import MIGRATIONS, convert, new_path
from server.database import connect
from server.history_tool import check
from server.limits import CONVERTED_EVENT
from server.schema import APPLICATION_ID, SCHEMA
from server.storage import SqliteHistory
from tests.server.histories import (
    GENERAL,
    QUIET,
    VERSION_1,
    VERSION_2,
    all_in,
    execute,
    lines,
    opened,
    read,
    said,
    seqs,
    store,
)

OLD_EVENTS = "SELECT seq, time, kind, channel, author, text, id FROM events ORDER BY seq"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A copy of the file that a server of version 1 has written."""
    return Path(shutil.copy(VERSION_1, tmp_path / "history.db"))


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """A copy of the file that a server of version 2 has written."""
    return Path(shutil.copy(VERSION_2, tmp_path / "history.db"))


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces so small that the conversion of a small file has several."""
    monkeypatch.setattr("server.rows.MERGE_WINDOW", 64)
    monkeypatch.setattr(conversion, "MERGED_BYTES", 1000)


def make_old(path: Path, count: int, text: str = "printf('%064d', n)") -> None:
    """A file of version 1 with so many events, every hundredth in #quiet."""
    with closing(connect(path)) as database:
        for statement in MIGRATIONS[0]:
            database.execute(statement)
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute("PRAGMA user_version = 1")
        database.execute(
            f"""WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})
            INSERT INTO events SELECT n, n, 32, CASE WHEN n % 100 THEN '#general' ELSE '#quiet' END,
                'talker-' || n % 100, {text}, n FROM numbers"""
        )
        database.execute("INSERT INTO spans SELECT DISTINCT seq / 256, channel FROM events")


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query on a file that nobody has open."""
    with closing(connect(path, "mode=ro")) as database:
        return database.execute(query).fetchall()


def of_kind(restored: Restored, kind: str) -> dict[str, Any]:
    """The values of the records of a kind, by key."""
    return {one.key: json.loads(one.value or "") for one in restored.records if one.kind == kind}


def test_every_event_of_version_1_is_there(old: Path) -> None:
    """A converted file has the events, the head and the time of before; names and channels have numbers."""
    before = rows(old, OLD_EVENTS)
    with opened(old) as history:
        found = read(history)
        assert [tuple(event[:7]) for event in found] == before
        assert (history.restore().head, history.restore().time) == before[-1][:2]
        assert history.restore().position == b""
        assert len(history.restore().identity) == 16 and any(history.restore().identity)
        assert {(event.channel, event.place) for event in found} == {("#general", GENERAL), ("#quiet", QUIET)}
        assert {(event.author, event.person) for event in found} == set(
            zip(["Zoé", "ann", "bob", "carl"], (1, 2, 3, 4), strict=True)
        )
        assert all((event.extra, event.places) == (b"", ()) for event in found)
        assert seqs(read(history, 250, [QUIET]))[:3] == [254, 255, 256]
        assert history.start_of(2, QUIET) == 254
        assert history.start_of(2, GENERAL) == 265
        assert history.restore().talkers == []
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


def test_new_events_follow_the_old_ones(old: Path) -> None:
    """Old and new events of a place are read as one log."""
    with opened(old) as history:
        store(history, [said(268, place=QUIET), said(269)])
        assert seqs(read(history, 253, [QUIET])) == [254, 255, 256, 257, 268]
        assert history.start_of(2, GENERAL) == 266
    assert seqs(all_in(old)) == list(range(1, 270))


def test_a_channel_without_events_keeps_its_session(old: Path) -> None:
    """If --keep has removed all events of a session's channel, the channel is a place all the same."""
    execute(old, "DELETE FROM events WHERE seq <= 260")
    execute(old, "UPDATE state SET value = 260 WHERE name = 'removed'")
    execute(old, "DELETE FROM spans WHERE channel = '#quiet' OR span = 0")
    with opened(old) as history:
        restored = history.restore()
        assert seqs(read(history)) == list(range(261, 268))
        assert history.locate(260) == Located(0, 261)
    assert of_kind(restored, "channel")["2"] == {"name": "#quiet", "founded": 0, "by": 0}
    assert {tuple(one["channels"]) for one in of_kind(restored, "session").values()} == {(GENERAL,), (QUIET,)}


def test_an_empty_history_of_version_1(old: Path) -> None:
    """The file of a server that nobody visited has no records."""
    for table in ("events", "spans", "sessions"):
        execute(old, f"DELETE FROM {table}")
    with opened(old) as history:
        assert history.restore()[1:] == (b"", 0, 0, [], [])


def test_every_event_of_version_2_is_there(second: Path) -> None:
    """Events, records, identity, and what a start has noted are those of before."""
    before = rows(VERSION_2, OLD_EVENTS.replace("id FROM", "id, person, place FROM"))
    state = dict(rows(VERSION_2, "SELECT * FROM state"))
    with opened(second) as history:
        found, restored = read(history), history.restore()
        assert [tuple(event[:9]) for event in found] == before
        assert [event.seq for event in found if len(event.places) > 1] == [12, 122]
        assert seqs(read(history, 0, [QUIET])) == [5, 6, 8, 9, 10, 12, 13, 121, 122]
        assert (restored.identity, restored.head, restored.talkers) == (state["identity"], 123, [])
        assert [tuple(one) for one in restored.records] == rows(VERSION_2, "SELECT * FROM records")
        assert history.parted(120, 0) == json.loads(state["starts"])[0][0] == 115
    assert check(second).sound


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("source", [VERSION_1, VERSION_2])
def test_a_conversion_in_many_pieces(source: Path, tmp_path: Path) -> None:
    """The pieces make one history, with blocks that are neither too large nor still to be merged."""
    path = Path(shutil.copy(source, tmp_path / "history.db"))
    with opened(path) as history:
        assert [tuple(event[:7]) for event in read(history)] == rows(source, OLD_EVENTS)
    assert len(rows(path, "SELECT * FROM blocks")) > 10
    assert rows(path, "SELECT value FROM state WHERE name = 'settled'")[0][0] > 50
    assert check(path).sound


def test_the_new_file_takes_the_place_of_the_old_one(second: Path) -> None:
    """Afterwards there is one file, with the rights of before and without a log."""
    second.chmod(0o640)
    convert(second)
    assert [path.name for path in second.parent.iterdir()] == ["history.db"]
    assert second.stat().st_mode & 0o777 == 0o640
    assert rows(second, "PRAGMA user_version") == [(SCHEMA,)]


def test_odd_texts(tmp_path: Path) -> None:
    """Texts become what a line may be now: one kind of line end, no NUL, and not too long."""
    path = tmp_path / "history.db"
    make_old(path, 6)
    for seq, text in enumerate(["a\r\nb\rc", "a\0b", "", "\u00e9" * MAX_TEXT, "\u202e"], 1):
        with closing(connect(path)) as database:
            database.execute("UPDATE events SET text = ? WHERE seq = ?", (text, seq))
    execute(path, f"UPDATE events SET author = '{'x' * 99}' || char(128512) WHERE seq = 6")
    texts = [event.text for event in all_in(path)]
    assert texts[:5] == ["a\nb\nc", "a b", "", "\u00e9" * (MAX_TEXT // 2), "\u202e"]
    assert all_in(path)[5].author == "x" * 96
    assert check(path).sound


@pytest.mark.parametrize(
    "change",
    [
        "kind = 99",
        "time = -1",
        f"time = {MAX_TIME + 1}",
        "text = x'ff'",
        "text = CAST(x'fffe' AS TEXT)",
        "author = CAST(x'fffe' AS TEXT)",
        "channel = 7",
        "id = 'x'",
    ],
)
def test_damaged_events_are_named(old: Path, change: str) -> None:
    """An event that no server has written ends the conversion with its seq, and the old file is as it was."""
    execute(old, f"UPDATE events SET {change} WHERE seq = 200")
    with pytest.raises(HistoryError, match=f"{old} is damaged: event 200: "):
        SqliteHistory(old)
    assert rows(old, "SELECT count(*) FROM events") == [(267,)]


@pytest.mark.parametrize("change", ["extra = x'ff'", "places = '[1'", "places = '[1.5]'", "person = 'x'"])
def test_damage_of_version_2_is_named(second: Path, change: str) -> None:
    """The same for what version 2 had in addition."""
    execute(second, f"UPDATE events SET {change} WHERE seq = 122")
    with pytest.raises(HistoryError, match=f"{second} is damaged: event 122: "):
        SqliteHistory(second)
    assert rows(second, "PRAGMA user_version") == [(2,)]


def test_a_full_disk_is_told_before(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the disk has not enough room, one line says how much is needed, and nothing is changed."""
    content = old.read_bytes()

    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(3_000_000))
    with pytest.raises(HistoryError, match=rf"cannot convert the history {old}.* 4 MB more .* 3 MB are free"):
        SqliteHistory(old)
    assert old.read_bytes() == content
    assert not new_path(old).exists()


def test_another_program_has_the_file_open(second: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that cannot be removed could be taken for that of the new file: so the old one stays."""
    monkeypatch.setattr("server.database.BUSY_SECONDS", 0.02)
    execute(second, "PRAGMA journal_mode = WAL")
    with closing(connect(second)) as shell:
        shell.execute("BEGIN")
        shell.execute("SELECT count(*) FROM events").fetchone()
        with pytest.raises(HistoryError, match="cannot convert the history"):
            SqliteHistory(second)
    assert rows(second, "PRAGMA user_version") == [(2,)]
    assert len(all_in(second)) == 123


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("what", ["nothing", "the beginning", "another history"])
def test_what_an_earlier_try_has_left(second: Path, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A conversion that was begun is continued; one that was begun for another file is made anew."""
    new, made = new_path(second), list[int]()
    if what == "nothing":
        new.touch()
    elif what == "another history":
        with opened(new) as other:
            store(other, lines(1, 70))
    else:
        shutil.copy(second, new)
        convert(new)
        execute(new, "DELETE FROM blocks WHERE last >= 64")
        execute(new, "UPDATE state SET value = 63 WHERE name = 'settled'")
        execute(new, "DELETE FROM settled WHERE first >= 64")

    def counted(events: list[Event]) -> Block:
        made.append(len(events))
        return encoded(events)

    monkeypatch.setattr("server.conversion.encoded", counted)
    assert [tuple(event[:7]) for event in all_in(second)] == rows(VERSION_2, OLD_EVENTS)
    assert sum(made) == (60 if what == "the beginning" else 123)
    assert check(second).sound


@pytest.mark.parametrize("what", ["a shopping list", "a database", "a folder"])
@pytest.mark.parametrize("source", [VERSION_1, VERSION_2])
def test_a_file_of_somebody_else_is_in_the_way(source: Path, what: str, tmp_path: Path) -> None:
    """A file under the name of the new one that no history server has made is not touched."""
    path = Path(shutil.copy(source, tmp_path / "history.db"))
    new, content = new_path(path), path.read_bytes()
    if what == "a shopping list":
        new.write_text("milk\n" * 1000)
    elif what == "a database":
        execute(new, "CREATE TABLE mails(text)")
    else:
        new.mkdir()
    before = new.read_bytes() if new.is_file() else b""
    with pytest.raises(HistoryError, match=f"cannot convert the history {path}.* {new} is in the way"):
        SqliteHistory(path)
    assert path.read_bytes() == content
    assert (new.read_bytes() if new.is_file() else b"") == before
    assert new.exists()


@pytest.mark.usefixtures("small_pieces")
def test_an_old_file_that_has_grown_meanwhile(second: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A conversion that failed at its end is continued in the middle of a window: every event is found."""
    monkeypatch.setattr("server.database.BUSY_SECONDS", 0.02)
    execute(second, "PRAGMA journal_mode = WAL")
    with closing(connect(second)) as shell:
        shell.execute("BEGIN")
        shell.execute("SELECT count(*) FROM events").fetchone()
        with pytest.raises(HistoryError, match="cannot convert the history"):
            convert(second)
    assert rows(new_path(second), "SELECT max(last) FROM blocks") == [(123,)]  # 128 would end the window
    execute(
        second,
        """WITH RECURSIVE numbers(n) AS (SELECT 124 UNION ALL SELECT n + 1 FROM numbers WHERE n < 300)
            INSERT INTO events SELECT n, time, kind, channel, author, 'more', n, person, place, extra, places
            FROM numbers, events WHERE seq = (SELECT max(seq) FROM events WHERE kind = 32)""",
    )
    assert seqs(all_in(second)) == list(range(1, 301))
    assert check(second).sound


def test_progress_is_told(
    old: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """While a long file is converted, a line tells from time to time how far it is."""
    monkeypatch.setattr(conversion, "PROGRESS_SECONDS", -1.0)
    monkeypatch.setattr("server.rows.MERGE_WINDOW", 100)
    for _ in range(2):
        SqliteHistory(old).close()
    assert caplog.messages == [
        f"converting {old}, which an older version wrote: {percent} %" for percent in (37, 75, 100)
    ]


_KILLED = """
import os, signal, sys
from server import conversion, rows
from server.database import connect

rows.MERGE_WINDOW, conversion.MERGED_BYTES = 64, 1000

def open_killed(path, number):
    left = number
    def count(*_):
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    def connect_to_be_killed(path, parameters="mode=rwc"):
        connection = connect(path, parameters)
        connection.set_trace_callback(count)
        return connection
    def killed_around(function):
        def called(*arguments, **named):
            count()
            result = function(*arguments, **named)
            count()
            return result
        return called
    conversion.connect = connect_to_be_killed
    for name in ("open", "replace", "fsync"):
        setattr(os, name, killed_around(getattr(os, name)))
    conversion.convert(conversion.Path(path))
    os._exit(0)

for number, path in enumerate(sys.argv[1:]):
    child = os.fork()
    if child == 0:
        open_killed(path, number)
    _, status = os.waitpid(child, 0)
    print(os.WIFSIGNALED(status), flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("source", [VERSION_1, VERSION_2])
def test_a_conversion_can_be_killed_anywhere(source: Path, tmp_path: Path) -> None:
    """After kill -9 at any statement and any step, the next start goes on, and the history is the same."""
    whole = Path(shutil.copy(source, tmp_path / "whole.db"))
    with opened(whole) as history:
        events, records = read(history), history.restore().records
    copies = [Path(shutil.copy(source, tmp_path / f"{number}.db")) for number in range(260)]
    ended = subprocess.run(
        [sys.executable, "-c", _KILLED, *map(str, copies)], stdout=subprocess.PIPE, text=True
    )
    killed = [line == "True" for line in ended.stdout.split()]
    assert killed == sorted(killed, reverse=True) and len(killed) == len(copies)
    assert 80 < sum(killed) < len(copies)
    for path in copies[: sum(killed) + 1]:
        with opened(path) as history:
            assert read(history) == events
            assert history.restore().records == records
        assert not new_path(path).exists()


@pytest.mark.slow
def test_a_million_events_are_converted(tmp_path: Path) -> None:
    """Converting a million events takes some ten seconds, and the file is hardly larger."""
    path = tmp_path / "history.db"
    make_old(path, 1_000_000)
    size, start = path.stat().st_size, time.process_time()
    with opened(path) as history:
        took = time.process_time() - start
        assert seqs(read(history, 999_997, [GENERAL])) == [999_998, 999_999]
        assert history.start_of(3, QUIET) == 999_799
    print(f"{took:.1f} s, {size / 1e6:.0f} MB before, {path.stat().st_size / 1e6:.0f} MB after")
    assert took < 60.0
    assert path.stat().st_size < size + CONVERTED_EVENT * 1_000_000
