"""Search: an index that grows in the background, and what is found in it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from chatroom.events import EventKind
from server import search as search_module
from server.database import connect
from server.history_tool import check
from server.limits import MERGE_WINDOW
from server.search import Found, Search, can_search
from server.storage import SqliteHistory
from tests.server.histories import (
    EVERYWHERE,
    GENERAL,
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
        ("", []),
        ("...", []),
    ],
)
def test_words(tmp_path: Path, text: str, seqs: list[int]) -> None:
    """Lines with all words are found, whatever the case; of Chinese, Japanese, Korean any part."""
    with searchable(tmp_path / "history.db", TEXTS) as history:
        assert history.search(text, EVERYWHERE, 10) == Found(seqs, 6)


def test_places_and_limit(tmp_path: Path) -> None:
    """The latest lines of the asked places are found; a name or a quit is no line."""
    path = tmp_path / "history.db"
    with maintained(path) as (history, upkeep):
        topic = said(301, "line")._replace(kind=EventKind.TOPIC)
        store(history, [said(seq, "line", QUIET if seq % 3 == 0 else GENERAL) for seq in range(1, 301)])
        store(history, [topic])
        run(upkeep)
        assert history.search("line", [GENERAL], 3).seqs == [299, 298, 296]
        assert history.search("line", [QUIET], 2).seqs == [300, 297]
        assert history.search("line", [9], 2).seqs == []
        assert len(history.search("line", EVERYWHERE, 1000).seqs) == 300


def test_the_index_says_how_far_it_is(tmp_path: Path) -> None:
    """Lines that came after the last round are not found yet, and the result says so."""
    with searchable(tmp_path / "history.db", TEXTS) as history:
        store(history, lines(7, 8))
        assert history.search("line", EVERYWHERE, 9) == Found([], 6)


def test_what_was_amended(tmp_path: Path) -> None:
    """A line is not found by what it said before it was amended, also when that is merged."""
    path = tmp_path / "history.db"
    with maintained(path) as (history, upkeep):
        for first in range(1, 2 * MERGE_WINDOW + 101, 100):
            store(history, lines(first, first + 99))
        with closing(connect(path)) as connection:
            builder = Search(connection, threading.Lock())
            while builder.step():
                pass
        amend(path, said(5, "edited"), said(6)._replace(text=""))
        for _ in range(2):
            assert history.search("line 5", EVERYWHERE, 10**4).seqs == []
            assert history.search("line 6", EVERYWHERE, 10**4).seqs == []
            assert history.search("line 7", EVERYWHERE, 10**4).seqs == [7]
            run(upkeep)
    assert check(path).sound


def test_retention(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What retention has removed is not found, and its index is dropped."""
    monkeypatch.setattr(search_module, "SEGMENT_EVENTS", 100)
    path = tmp_path / "history.db"
    with maintained(path) as (history, upkeep):
        store(history, lines(1, 350), noted=350)
        run(upkeep)
        assert history.search("line", EVERYWHERE, 1000) == Found(list(range(350, 0, -1)), 350)
        execute(path, "UPDATE state SET value = 250 WHERE name = 'removed'")
        run(upkeep)
        assert history.search("line", EVERYWHERE, 1000).seqs == list(range(350, 250, -1))
    with closing(connect(path)) as shell:
        names = shell.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL%'").fetchall()
    assert sorted(names) == [("search_2",), ("search_3",)]
    assert check(path).sound


def test_it_goes_on_after_a_stop(tmp_path: Path) -> None:
    """Each step is one transaction: who is stopped after any of them goes on there."""
    path = tmp_path / "history.db"
    with opened(path) as history:
        store(history, lines(1, 500))
        done = 0
        while done < 500:
            with closing(connect(path)) as connection:
                assert Search(connection, threading.Lock()).step()
            before, done = done, history.search("line", EVERYWHERE, 1).indexed
            assert before < done
        assert history.search("line", EVERYWHERE, 1000) == Found(list(range(500, 0, -1)), 500)


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
        assert history.search("line", EVERYWHERE, 1000) == Found(list(range(400, 0, -1)), 400)


def test_without_fts5(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An SQLite without FTS5 cannot search, and says so; all else works."""
    monkeypatch.setattr(search_module, "can_search", lambda _connection: False)
    with searchable(tmp_path / "history.db", TEXTS) as history:
        assert history.search("hello", EVERYWHERE, 10) == Found([], 0)


def test_this_sqlite_can_search() -> None:
    """The tests above test something."""
    with closing(connect(Path("unused.db"), "mode=memory")) as connection:
        assert can_search(connection)
