"""Search: an index that grows in the background, and what is found in it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis.strategies import DataObject, booleans, data, integers, sampled_from

from chatroom.events import EventKind, Extra, extra_row
from chatroom.finding import Page, Wanted
from chatroom.history import MemoryHistory
from chatroom.limits import MAX_NUMBER
from chatroom.names import name_key
from chatroom.places import Reach
from chatroom.search_words import query_words
from server import search as search_module
from server.database import connect, overwrite_deleted, pragma
from server.history_tool import check
from server.limits import MERGE_WINDOW
from server.search import Search, can_search
from server.storage import SqliteHistory
from tests.server.histories import (
    EVERYWHERE,
    GENERAL,
    NOW,
    QUIET,
    amend,
    execute,
    lines,
    maintained,
    opened,
    run,
    said,
    store,
)

TEXTS = [
    "Hello, world",
    "Grüße aus Zürich",
    "明天的考试在哪里",
    "foo-bar and baz_qux",
    "カタカナ 東京",
    "안녕하세요",
]


def search(
    history: SqliteHistory | MemoryHistory, text: str, places: Collection[int], most: int, **more: Any
) -> Page:
    """The latest lines of the places with all words of the text."""
    reach = Reach({place: [(0, MAX_NUMBER)] for place in places})
    wanted = Wanted(reach, query_words(text), **more)
    return history.find(wanted, most, 10**6, lambda: False)


def found(*arguments: Any, **more: Any) -> list[int]:
    """The seqs of what search() finds, the latest first."""
    return [line.seq for line in reversed(search(*arguments, **more).lines)]


@contextmanager
def searchable(path: Path, texts: list[str]) -> Iterator[SqliteHistory]:
    """A history with these lines, all in the index."""
    with maintained(path) as (history, upkeep):
        store(history, [said(seq, text) for seq, text in enumerate(texts, 1)])
        run(upkeep)
        yield history


@pytest.mark.parametrize(
    ("text", "seqs"),
    [
        ("hello", [1]),
        ("WORLD hello", [1]),
        ("hell", []),
        ("hello zurich", []),
        ("zurich", [2]),
        ("考试", [3]),
        ("考", [3]),
        ("里", [3]),
        ("天考", []),
        ("明天 考试", [3]),
        ("foo-bar", [4]),
        ("qux", [4]),
        ("東京", [5]),
        ("タカナ", [5]),
        ("안녕", [6]),
        ('"hello" OR (', []),
        ('he"llo', []),
        ("ZÜRICH", [2]),
        ("grusse", [2]),
        ("カ", [5]),
    ],
)
def test_words(tmp_path: Path, text: str, seqs: list[int]) -> None:
    """Lines with all words are found, whatever the case; of Chinese, Japanese, Korean any part."""
    with searchable(tmp_path / "history.db", TEXTS) as history:
        assert found(history, text, EVERYWHERE, 10) == seqs


def test_places_and_limit(tmp_path: Path) -> None:
    """The latest lines of the asked places are found; a name or a quit is no line."""
    path = tmp_path / "history.db"
    with maintained(path) as (history, upkeep):
        topic = said(301, "line")._replace(kind=EventKind.TOPIC)
        store(history, [said(seq, "line", QUIET if seq % 3 == 0 else GENERAL) for seq in range(1, 301)])
        store(history, [topic])
        run(upkeep)
        assert found(history, "line", [GENERAL], 3) == [299, 298, 296]
        assert found(history, "line", [QUIET], 2) == [300, 297]
        assert found(history, "line", [9], 2) == []
        assert len(found(history, "line", EVERYWHERE, 1000)) == 300


def test_the_index_says_how_far_it_is(tmp_path: Path) -> None:
    """Lines that came after the last round are found, too; the page says how far the index is."""
    with searchable(tmp_path / "history.db", TEXTS) as history:
        store(history, lines(7, 8))
        page = search(history, "line", EVERYWHERE, 9)
        assert ([line.seq for line in page.lines], page.more, page.indexed) == ([7, 8], False, 6)
        assert found(history, "hello", EVERYWHERE, 9) == [1]


def test_what_was_amended(tmp_path: Path) -> None:
    """A line is found by what it says now, not by what it said before it was amended; also when merged."""
    path = tmp_path / "history.db"
    with maintained(path) as (history, upkeep):
        for first in range(1, 2 * MERGE_WINDOW + 101, 100):
            store(history, lines(first, first + 99), noted=first + 99)
        index(path)
        head = history.restore().head
        edit = said(head + 1, "rewritten")
        message = extra_row(Extra.MESSAGE, 5)
        edited = extra_row(Extra.EDITED, edit.seq)
        store(history, [edit._replace(kind=EventKind.EDITED, extra=message)])
        amend(path, said(5, "rewritten")._replace(extra=edited), said(6)._replace(text=""))
        for _ in range(3):
            assert found(history, "line 5", EVERYWHERE, 10**4) == []
            assert found(history, "line 6", EVERYWHERE, 10**4) == []
            assert found(history, "line 7", EVERYWHERE, 10**4) == [7]
            assert found(history, "rewritten", EVERYWHERE, 10**4) == [5]
            run(upkeep)
        assert search(history, "line", EVERYWHERE, 1).indexed == edit.seq
    with closing(connect(path)) as shell:
        assert shell.execute("SELECT count(*) FROM amended").fetchone() == (0,)  # it was merged
    assert check(path).sound


def index(path: Path) -> None:
    """Let the index have all that is stored."""
    with closing(connect(path)) as connection:
        builder = Search(connection, threading.Lock())
        while builder.step():
            pass


def test_who_said_it(tmp_path: Path) -> None:
    """Lines are found by their author's number, or by the name that it had, in and behind the index."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        renamed = said(4)._replace(author="Zoë_1", person=1)
        store(history, [*lines(1, 3), renamed])
        for _ in range(2):
            assert found(history, "", EVERYWHERE, 9, person=1) == [4, 3]
            assert found(history, "line", EVERYWHERE, 9, person=1) == [4, 3]
            assert found(history, "", EVERYWHERE, 9, author=name_key("zoë_1")) == [4]
            assert found(history, "", EVERYWHERE, 9, author=name_key("zoe_1")) == []
            assert found(history, "3", EVERYWHERE, 9, author=name_key("TALKER-1")) == [3]
            index(path)


def test_since_and_before(tmp_path: Path) -> None:
    """Nothing is found that was said before `since`, or outside of the seqs."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        store(history, [said(seq, at=NOW + seq) for seq in range(1, 40)])
        for _ in range(2):
            assert found(history, "line", EVERYWHERE, 99, since=NOW + 37) == [39, 38, 37]
            assert found(history, "line", EVERYWHERE, 99, after=30, until=32) == [32, 31]
            assert found(history, "", [GENERAL], 99, since=NOW + 39) == [39]
            index(path)


def test_only_what_is_in_reach(tmp_path: Path) -> None:
    """What was said while somebody was not in the channel is not found, if the reach says so."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        store(history, lines(1, 9))
        wanted = Wanted(Reach({GENERAL: [(2, 4), (7, 8)]}), query_words("line"))
        for _ in range(2):
            page = history.find(wanted, 9, 10**6, lambda: False)
            assert [line.seq for line in page.lines] == [3, 4, 8]
            index(path)


TEXTS_OF_PAGES = ("alpha", "beta", "alpha beta", "gamma")


@given(data())
def test_pages(tmp_path_factory: pytest.TempPathFactory, draw: DataObject) -> None:
    """Page after page, each wanted line comes once, however blocks overlap, whatever is indexed."""
    path = tmp_path_factory.mktemp("pages") / "history.db"
    events = [
        said(seq, draw.draw(sampled_from(TEXTS_OF_PAGES)), draw.draw(sampled_from([GENERAL, QUIET])))
        for seq in range(1, draw.draw(integers(1, 40)) + 1)
    ]
    memory = MemoryHistory()
    indexed = draw.draw(integers(0, len(events)))
    with opened(path) as history:
        for first in range(0, len(events), 7):
            store(memory, events[first : first + 7])
            store(history, events[first : first + 7])
            if first <= indexed:
                index(path)
        text = draw.draw(sampled_from(["", "alpha", "beta alpha", "delta"]))
        places = draw.draw(sampled_from([[GENERAL], [QUIET], EVERYWHERE, [9]]))
        most, expired = draw.draw(integers(1, 4)), draw.draw(booleans())
        size = draw.draw(sampled_from([1, 200, 10**6]))
        words = set(text.split())
        right = [one.seq for one in events if one.place in places and words <= set(one.text.split())]
        reach = Reach({place: [(0, MAX_NUMBER)] for place in places})
        for each in (memory, history):
            seqs: list[int] = []
            until, more = len(events), True
            while more:
                wanted = Wanted(reach, query_words(text), until=until)
                page = each.find(wanted, most, size, lambda: expired)
                assert len(page.lines) <= most
                assert page.before <= until or not page.more
                seqs = [line.seq for line in page.lines] + seqs
                until, more = page.before - 1, page.more
            assert seqs == right


def test_retention(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What retention has removed is not found, and its index is dropped."""
    monkeypatch.setattr(search_module, "SEGMENT_EVENTS", 100)
    monkeypatch.setattr("server.maintenance.TEND_SECONDS", 60.0)  # a round ends early on a busy machine
    path = tmp_path / "history.db"
    with maintained(path) as (history, upkeep):
        store(history, lines(1, 350), noted=350)
        run(upkeep)
        assert found(history, "line", EVERYWHERE, 1000) == list(range(350, 0, -1))
        execute(path, "UPDATE state SET value = 250 WHERE name = 'removed'")
        run(upkeep)
        assert found(history, "line", EVERYWHERE, 1000) == list(range(350, 250, -1))
    with closing(connect(path)) as shell:
        names = shell.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL%'").fetchall()
    assert sorted(names) == [("search_2",), ("search_3",)]
    assert check(path).sound


def test_an_index_is_dropped_in_small_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each overwrites a few pages: the conversation does not wait for a whole index."""
    monkeypatch.setattr(search_module, "SEGMENT_EVENTS", 100)
    monkeypatch.setattr("server.dropping.DROPPED_ROWS", 2)
    path, steps = tmp_path / "history.db", 0
    with maintained(path) as (history, upkeep):
        store(history, [said(seq, " ".join(f"w{seq}x{n}" for n in range(80))) for seq in range(1, 200)])
        run(upkeep)
        execute(path, "UPDATE state SET value = 99 WHERE name = 'removed'")
        with closing(connect(path)) as connection:
            overwrite_deleted(connection)
            builder, before = Search(connection, threading.Lock()), pragma(connection, "freelist_count")
            while builder.step():
                steps, after = steps + 1, pragma(connection, "freelist_count")
                assert after - before <= 8
                before = after
                if steps == 5:  # it goes on there after a stop, and the file is sound meanwhile
                    assert check(path).sound
                    builder = Search(connection, threading.Lock())
            assert check(path).sound
            assert found_names(connection) == ["search_1"]
        assert found(history, "w150x3", EVERYWHERE, 10) == [150]
    assert steps > 10


def found_names(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE name GLOB 'gone_*' OR sql LIKE 'CREATE VIRTUAL%'"
    )
    return sorted(name for (name,) in rows)


def test_it_goes_on_after_a_stop(tmp_path: Path) -> None:
    """Each step is one transaction: who is stopped after any of them goes on there."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        store(history, lines(1, 500))
        done = 0
        while done < 500:
            with closing(connect(path)) as connection:
                assert Search(connection, threading.Lock()).step()
            before, done = done, search(history, "line", EVERYWHERE, 1).indexed
            assert before < done
        assert found(history, "line", EVERYWHERE, 1000) == list(range(500, 0, -1))


def test_a_transaction_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines whose transaction failed come into the index with the next one."""
    monkeypatch.setattr("server.database.BUSY_SECONDS", 0.0)
    path = tmp_path / "history.db"
    with opened(path) as history, closing(connect(path)) as connection, closing(connect(path)) as shell:
        for first in range(1, 401, 50):
            store(history, lines(first, first + 49))
        builder = Search(connection, threading.Lock())
        assert builder.step()
        shell.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            builder.step()
        shell.execute("ROLLBACK")
        while builder.step():
            pass
        assert found(history, "line", EVERYWHERE, 1000) == list(range(400, 0, -1))


def test_who_talks_comes_first(tmp_path: Path) -> None:
    """The index knows whether lines come meanwhile: then the maintenance rests longer."""
    path = tmp_path / "history.db"
    with opened(path) as history, closing(connect(path)) as connection:
        store(history, lines(1, 100))
        builder = Search(connection, threading.Lock())
        assert builder.step() and builder.growing
        assert builder.step() and not builder.growing
        store(history, lines(101, 101))
        assert builder.step() and builder.growing


def test_without_fts5(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an SQLite without FTS5 a search looks through the lines, and says so."""
    monkeypatch.setattr(search_module, "can_search", lambda _connection: False)
    with searchable(tmp_path / "history.db", TEXTS) as history:
        page = search(history, "hello", EVERYWHERE, 10)
        assert ([line.seq for line in page.lines], page.indexed) == ([1], 0)


def test_this_sqlite_can_search() -> None:
    """The tests above test something."""
    with closing(connect(Path("unused.db"), "mode=memory")) as connection:
        assert can_search(connection)
