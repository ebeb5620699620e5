"""Erasing: nothing of what a person said is read from the moment on, and soon nothing is in the file."""

from __future__ import annotations

import io
import itertools
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from chatroom.blanking import blank
from chatroom.events import ERASED_NAME, Event, EventKind, Extra, extra_row
from chatroom.packets import encode_event
from chatroom.places import AUDIT_PLACE
from chatroom.records import Record
from server.amending import Amending
from server.database import connect, overwrite_deleted
from server.erasing import Erasing, zeros_for
from server.history_export import export, export_sqlite
from server.history_tool import check
from server.merging import Merging
from server.retention import Retention
from server.search import Search
from server.storage import SqliteHistory
from tests.server.histories import (
    CHANNELS,
    EVERYWHERE,
    GENERAL,
    NOW,
    QUIET,
    blocks_of,
    maintained,
    opened,
    read,
    run,
    said,
    seqs,
    store,
)
from tests.server.test_search import found

ANN = 77
SECRET = b"xyzzy"
NAME = b"Melusine"
WINDOW = 64
HEAD = 6 * WINDOW + 40


def by_ann(seq: int, text: str = "", place: int = GENERAL, size: int = 0) -> Event:
    text = text or f"xyzzy{seq} quux " + "xyzzy " * size
    return said(seq, text, place)._replace(author="Melusine", person=ANN)


def story(head: int = 60) -> list[Event]:
    """What was said: ann's lines, one in ten of them long, and those of others."""
    return [
        by_ann(seq, place=QUIET if seq % 5 == 0 else GENERAL, size=3000 if seq % 30 == 0 else 0)
        if seq % 3 == 0
        else said(seq, place=QUIET if seq % 7 == 0 else GENERAL)
        for seq in range(1, head + 1)
    ]


def erase(history: SqliteHistory, seq: int, person: int = ANN) -> Event:
    """The event that erases a person, as the state makes it."""
    extra = extra_row(Extra.TARGET, person, 4)
    event = Event(seq, NOW, EventKind.ERASED, "", "", "", extra=extra)
    history.append(blocks_of([event]), [], erased={person: seq})
    return event


def kept(events: list[Event], until: int) -> list[Event]:
    """The events as they are to be read."""
    return [blank(event, {ANN: until}) for event in events]


def traces(path: Path) -> list[str]:
    """Where something is left of what ann said, in the file and in its log."""
    return [
        f"{word!r} in {file.name}"
        for file in (path, path.with_name(path.name + "-wal"))
        for word in (SECRET, NAME)
        if file.exists() and word.lower() in file.read_bytes().lower()
    ]


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(connect(path, "mode=ro")) as shell:
        return shell.execute(query).fetchall()


@contextmanager
def erasing(path: Path) -> Iterator[tuple[Erasing, Search]]:
    with closing(connect(path)) as connection:
        overwrite_deleted(connection)
        search = Search(connection, threading.Lock())
        yield Erasing(connection, threading.Lock(), search), search


def judge_readers(history: SqliteHistory, path: Path, events: list[Event], folder: Path) -> None:
    """Whoever reads gets these events, and no word of ann."""
    assert read(history) == events
    assert [history.event_at(one.seq) for one in events[:9]] == events[:9]
    for word in ("xyzzy6", "quux"):
        assert found(history, word, EVERYWHERE, 9) == []
    assert (
        found(history, "line", EVERYWHERE, 3)
        == [one.seq for one in events[::-1] if one.text.startswith("line")][:3]
    )
    out = io.StringIO()
    assert export(path, out) == len(events)
    copy = folder / f"{len(list(folder.iterdir()))}.db"
    assert export_sqlite(path, copy) == len(events)
    for data in (out.getvalue().encode(), copy.read_bytes()):
        assert SECRET not in data and NAME not in data and ERASED_NAME.encode() in data


@pytest.mark.parametrize("is_tended", [False, True])
def test_readers(tmp_path: Path, is_tended: bool) -> None:
    """Nobody reads what was said, from the commit on that erases it, whatever the maintenance has done."""
    path, copies = tmp_path / "history.db", tmp_path / "copies"
    copies.mkdir()
    events = story()
    with maintained(path) as (history, upkeep):
        store(history, events[:40])
        store(history, events[40:])
        new = by_ann(3, "xyzzy again")._replace(extra=extra_row(Extra.EDITED, 61))
        edit = by_ann(61, "xyzzy again")._replace(kind=EventKind.EDITED, extra=extra_row(Extra.MESSAGE, 3))
        history.append(blocks_of([edit]), [], amended={3: encode_event(new)})
        events = [*events[:2], new, *events[3:], edit]
        if is_tended:
            run(upkeep)
            assert found(history, "quux", EVERYWHERE, 1) == [60]
        events = kept([*events, erase(history, 62)], 62)
        judge_readers(history, path, events, copies)
        assert len(traces(path)) >= 2
        for _ in range(3):
            run(upkeep)
            judge_readers(history, path, events, copies)
        assert traces(path) == []
    assert traces(path) == [] and check(path).sound
    assert rows(path, "SELECT value FROM state WHERE name = 'erasing'") == []


def test_what_is_said_later_stays(tmp_path: Path) -> None:
    """Only what was said up to the event goes; nobody has that number again, but nothing depends on it."""
    path = tmp_path / "history.db"
    with maintained(path) as (history, upkeep):
        store(history, [by_ann(1), by_ann(2)])
        erase(history, 3)
        store(history, [by_ann(4, "later")])
        for _ in range(2):
            run(upkeep)
            assert [one.text for one in read(history)] == ["", "", "", "later"]


def steps(path: Path, number: int = 10**6) -> Iterator[int]:
    """Each step of the maintenance that concerns an erasure, with the other ones between them."""
    with erasing(path) as (each, search), closing(connect(path)) as other:
        overwrite_deleted(other)
        merging = Merging(other, threading.Lock())
        amending = Amending(other, threading.Lock(), search.indexed)
        for count in itertools.count():
            more = each.step()
            yield count
            if not more or count >= number:
                return
            merging.step(), amending.step(), search.step()


def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that a short history reaches."""
    for name in ("rows.MERGE_WINDOW", "schema.MERGE_WINDOW"):
        monkeypatch.setattr(f"server.{name}", WINDOW)
    monkeypatch.setattr("server.erasing.ERASED_BLOCKS", 3)
    monkeypatch.setattr("server.maintenance.MAINTENANCE_PAUSE", 0)


@pytest.fixture(autouse=True)
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch)


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file after long use: lines were stored one by one, merged, indexed, removed, and ann was
    erased just now. Words of hers are in pages that an earlier version has freed."""
    path = tmp_path_factory.mktemp("used") / "history.db"
    events = story(HEAD)
    small(monkeypatch := pytest.MonkeyPatch())
    with maintained(path, Retention(events=HEAD - 90)) as (history, upkeep):
        for event in events[:-100]:
            store(history, [event], noted=HEAD)
        for _ in range(8):
            run(upkeep)
        changed = [by_ann(seq, "xyzzy new") for seq in range(WINDOW, HEAD - 100) if seq % 3 == 0 and seq % 5][
            :5
        ]
        store(history, events[-100:], noted=HEAD)
        history.append([], [], amended={one.seq: encode_event(one) for one in changed})
        erase(history, HEAD + 1)
    monkeypatch.undo()
    with closing(connect(path)) as shell:
        shell.execute("PRAGMA secure_delete = OFF").fetchone()
        shell.execute("CREATE TABLE old AS SELECT replace(hex(zeroblob(200000)), '0', 'xyzzy ') AS text")
        shell.execute("DROP TABLE old")
    assert rows(path, "PRAGMA freelist_count")[0][0] > 200  # type: ignore[operator]
    return path


def test_readers_between_any_two_steps(used: Path, tmp_path: Path) -> None:
    """After each step the history reads the same, and at the end no byte is left of what was said."""
    path = Path(shutil.copy(used, tmp_path / "history.db"))
    with opened(path) as history:
        before = read(history)
        assert all(not one.text for one in before if one.person == ANN)
        for count in steps(path):
            if count % 5 == 0:
                assert read(history) == before
        assert read(history) == before and seqs(before)[-1] == HEAD + 1
        assert traces(path) == []
    assert check(path).sound and count > 20


@pytest.mark.slow
def test_kill_9_after_any_step(used: Path, tmp_path: Path) -> None:
    """Killed in the middle, the next server goes on, and nothing is left at the end."""
    for number in itertools.count(0, 3):
        path = Path(shutil.copy(used, tmp_path / f"{number}.db"))
        child = os.fork()
        if child == 0:
            for count in steps(path):
                if count == number:
                    os._exit(0)
            os._exit(1)
        if os.waitpid(child, 0)[1]:
            break
        with maintained(path) as (history, upkeep):
            for _ in range(4):
                assert found(history, "xyzzy", EVERYWHERE, 1) == []
                run(upkeep)
            assert rows(path, "SELECT value FROM state WHERE name = 'erasing'") == []
        assert traces(path) == [] and check(path).sound
        path.unlink()
    assert number > 20


def test_a_job_in_the_middle_of_another_one(used: Path, tmp_path: Path) -> None:
    """It begins at the beginning; both are finished."""
    path = Path(shutil.copy(used, tmp_path / "history.db"))
    with opened(path) as history:
        for count in steps(path):
            if count in (2, 5, 11):
                number = (2, 5, 11).index(count)
                erase(history, HEAD + 2 + number, number + 1)
        assert count > 20
        assert {one.text for one in read(history)} == {""}
        assert rows(path, "SELECT value FROM state WHERE name = 'erasing'") == []
    assert b"talker-" not in path.read_bytes() and traces(path) == []


def test_the_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Indexes from the first one with a line of the person on are made anew; nobody finds less meanwhile."""
    monkeypatch.setattr("server.search.SEGMENT_EVENTS", 20)
    path = tmp_path / "history.db"
    events = [by_ann(seq) if seq in (50, 51) else said(seq) for seq in range(1, 121)]
    with opened(path) as history, erasing(path) as (each, search):
        store(history, events)
        while search.step():
            pass
        assert len(rows(path, "SELECT name FROM sqlite_master WHERE name LIKE 'search__'")) == 7
        erase(history, 121)
        wanted = [seq for seq in range(120, 0, -1) if seq not in (50, 51)]
        while each.step():
            assert found(history, "line", EVERYWHERE, 120) == wanted
        assert len(rows(path, "SELECT name FROM sqlite_master WHERE name LIKE 'search__'")) == 2
        assert traces(path) == []
        while search.step():
            assert found(history, "line", EVERYWHERE, 120) == wanted
        assert traces(path) == [] and search.indexed() == 121
        assert not each.step()


def test_what_was_read_for_the_index(tmp_path: Path) -> None:
    """Lines that the index was just about to take are not taken any more."""
    path = tmp_path / "history.db"
    with opened(path) as history, erasing(path) as (each, search):
        store(history, [by_ann(seq) for seq in range(1, 30)])
        assert search.step()
        erase(history, 30)
        while each.step():
            pass
        while search.step():
            pass
        assert traces(path) == []


def test_without_the_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where SQLite has no full-text search there is none to forget."""
    monkeypatch.setattr("server.search.can_search", lambda _connection: False)
    path = tmp_path / "history.db"
    with maintained(path) as (history, upkeep):
        store(history, story())
        erase(history, 61)
        run(upkeep)
        assert traces(path) == []


def test_somebody_reads_for_long(tmp_path: Path) -> None:
    """The log is emptied when nobody needs it any more; until then the job is open."""
    path = tmp_path / "history.db"
    with maintained(path) as (history, upkeep):
        store(history, story())
        with closing(connect(path, "mode=ro")) as slow:
            slow.execute("BEGIN")
            slow.execute("SELECT count(*) FROM blocks").fetchone()
            erase(history, 61)
            for _ in range(2):
                run(upkeep)
            assert traces(path) != []
            assert rows(path, "SELECT value FROM state WHERE name = 'erasing'") != []
            store(history, [said(62)])
        run(upkeep)
        assert traces(path) == []
        assert read(history) == [*kept(story(), 61), *read(history)[-2:]]


def test_records_and_the_job_come_together(tmp_path: Path) -> None:
    """A batch that cannot be stored leaves no job; names in records that are gone are overwritten."""
    path = tmp_path / "history.db"
    record = Record("account", "melusine", '{"name": "Melusine"}')
    with maintained(path) as (history, upkeep):
        history.append(blocks_of([by_ann(1)]), [record])
        with pytest.raises(Exception, match="UNIQUE"):
            history.append(blocks_of([said(1)]), [], erased={ANN: 2})
        assert rows(path, "SELECT value FROM state WHERE name = 'erasing'") == []
        history.append(blocks_of([said(2)]), [record._replace(value=None)], erased={ANN: 2})
        run(upkeep)
        assert traces(path) == []


def test_a_large_block_is_split(tmp_path: Path) -> None:
    """The name of one character becomes longer, perhaps many times."""
    path = tmp_path / "history.db"
    joined = [
        Event(seq, NOW, EventKind.JOINED, CHANNELS[GENERAL], "m", "", 0, ANN, GENERAL)
        for seq in range(1, 1101)
    ]
    with maintained(path) as (history, upkeep):
        store(history, joined)
        erase(history, 1101)
        for _ in range(2):
            assert [one.author for one in read(history)][:-1] == [ERASED_NAME] * 1100
            run(upkeep)
    assert check(path).sound and len(rows(path, "SELECT 1 FROM blocks")) == 3


@pytest.mark.parametrize("page_size", [512, 1024, 4096, 65536])
@pytest.mark.parametrize("pages", [1, 2, 3, 64])
def test_zeros_fill_whole_pages(pages: int, page_size: int) -> None:
    """A row takes just so many pages beside the leaf."""
    with closing(sqlite3.connect(":memory:")) as shell:
        shell.execute(f"PRAGMA page_size = {page_size}")
        shell.execute("CREATE TABLE scrub(zeros BLOB NOT NULL)")
        shell.execute("INSERT INTO scrub VALUES(zeroblob(?))", (zeros_for(pages, page_size),))
        (count,) = shell.execute("PRAGMA page_count").fetchone()
        assert count == pages + 2  # the schema, the leaf
        assert shell.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def question(seq: int, person: int, text: str) -> list[Event]:
    """ASKED, and behind it who has asked, as the state makes them."""
    asked = Event(seq, NOW, EventKind.ASKED, "#general", "", text, place=GENERAL)
    extra = extra_row(Extra.FROM, "192.0.2.7") + extra_row(Extra.IN, 0, 4)
    done = f"asked in #general: {text}"
    trail = Event(seq + 1, NOW, EventKind.AUDITED, "*", "who", done, 0, person, AUDIT_PLACE, extra)
    return [asked, trail]


def test_questions_have_no_author_and_are_erased(tmp_path: Path) -> None:
    """The event behind a question says who asked: readers get none of the person's from the moment on, and
    soon the file has none. Those of others stay."""
    path = tmp_path / "history"
    with opened(path) as history:
        for number in range(6):
            person = ANN if number % 2 else 5
            store(history, question(2 * number + 1, person, "xyzzy" if person == ANN else "why"))
        erase(history, 13)
        texts = [one.text for one in read(history) if one.kind is EventKind.ASKED]
        assert texts == ["why", ""] * 3
        assert [one.text for one in map(history.event_at, (1, 3)) if one is not None] == ["why", ""]
    with erasing(path) as (job, _):
        while job.step():
            pass
    assert rows(path, "SELECT 1 FROM state WHERE name = 'erasing'") == []
    with opened(path) as history:
        assert [one.text for one in read(history) if one.kind is EventKind.ASKED] == texts
    assert b"xyzzy" not in path.read_bytes() and b"why" in path.read_bytes()
