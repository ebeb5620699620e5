"""Merging: small blocks become larger ones in the background, and the index of places grows with them."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chatroom.events import Event, EventKind
from chatroom.records import Talker
from server.database import connect
from server.history_tool import check
from server.limits import MERGE_WINDOW, MERGED_BYTES
from server.merging import Merging
from tests.server.histories import (
    GENERAL,
    NOW,
    QUIET,
    all_in,
    amend,
    lines,
    maintained,
    opened,
    read,
    run,
    said,
    seqs,
    store,
)

HEAD = 2 * MERGE_WINDOW + 100
"""So many events complete one window, and leave a newer one and a begun one."""


def event(seq: int) -> Event:
    """Lines in two channels, and now and then somebody quits who was in both."""
    if seq % 50 == 0:
        return Event(seq, NOW, EventKind.QUIT, "", "ann", "", person=9, places=(GENERAL, QUIET))
    return said(seq, place=QUIET if seq % 5 == 0 else GENERAL)


EVENTS = [event(seq) for seq in range(1, HEAD + 1)]


@pytest.fixture(scope="module")
def unmerged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A history with a block for each event, of which none is merged."""
    path = tmp_path_factory.mktemp("unmerged") / "history.db"
    with opened(path) as history:
        for one in EVENTS:
            store(history, [one], noted=HEAD)
    return path


@pytest.fixture
def path(unmerged: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copy(unmerged, tmp_path / "history.db"))


def rows(path: Path, query: str = "SELECT first, last FROM blocks ORDER BY first") -> list[tuple[int, ...]]:
    """The rows of a query."""
    with closing(connect(path, "mode=ro")) as shell:
        return shell.execute(query).fetchall()


def steps(path: Path) -> Iterator[Merging]:
    """Each step of the merging."""
    with closing(connect(path)) as connection:
        merging = Merging(connection, threading.Lock())
        while merging.step():
            yield merging


def test_small_blocks_are_merged(path: Path) -> None:
    """Blocks of one scope in a complete window become few; the newest are left alone, all reads the same."""
    with opened(path) as history:
        before = read(history), [history.start_of(7, GENERAL, until) for until in range(0, HEAD, 400)]
    for _ in steps(path):
        pass
    with opened(path) as history:
        assert (
            read(history),
            [history.start_of(7, GENERAL, until) for until in range(0, HEAD, 400)],
        ) == before
        for seq in range(1, HEAD, 50):
            assert history.locate(seq) == (NOW, 1)
    old = rows(path, f"SELECT first, last, length(packets) FROM blocks WHERE first < {MERGE_WINDOW}")
    assert len(old) < 20
    assert max(last for _, last, _ in old) == MERGE_WINDOW - 1
    assert all(size <= MERGED_BYTES for *_, size in old)
    assert len(rows(path)) == len(old) + HEAD - MERGE_WINDOW + 1
    assert rows(path, "SELECT value FROM state WHERE name = 'settled'") == [(MERGE_WINDOW - 1,)]
    assert check(path).sound


def test_a_disk_that_is_full_for_a_while_leaves_nothing_out(path: Path) -> None:
    """A step that failed is done again: the index has each row, so no channel lacks its past."""
    with closing(connect(path)) as connection:
        merging, failures = Merging(connection, threading.Lock()), 0
        connection.set_authorizer(refuse_index)
        while failures < 2:
            try:
                assert merging.step()
            except sqlite3.DatabaseError:
                failures += 1
        connection.set_authorizer(None)
        while merging.step():
            pass
    with opened(path) as history:
        for place in (GENERAL, QUIET):
            wanted = [one for one in EVENTS if place in (one.places or (one.place,))]
            assert seqs(read(history, places=[place])) == seqs(wanted)
    assert check(path).sound


def refuse_index(action: int, table: str | None, *_: str | None) -> int:
    """Let nothing be written to the index."""
    written = action == sqlite3.SQLITE_INSERT and table == "settled"
    return sqlite3.SQLITE_DENY if written else sqlite3.SQLITE_OK


def test_it_is_merged_once(path: Path) -> None:
    """What is merged stays so: a second run, also of a server that was killed, has nothing to do."""
    for _ in steps(path):
        pass
    before = rows(path)
    assert not list(steps(path))
    with closing(connect(path)) as shell:  # as if it had been killed before the window was settled
        shell.execute("UPDATE state SET value = 0 WHERE name = 'settled'")
    for _ in steps(path):
        pass
    assert rows(path) == before
    assert check(path).sound


def test_the_talkers_are_merged(path: Path) -> None:
    """A merged block has the highest message id of each person."""
    before = {(talker.person, talker.id) for talker in all_talkers(path)}
    for _ in steps(path):
        pass
    talkers = all_talkers(path)
    assert {(talker.person, talker.id) for talker in talkers} <= before
    for person in {1, 2, 3}:
        assert max(id for who, id in before if who == person) == max(
            talker.id for talker in talkers if talker.person == person
        )


def all_talkers(path: Path) -> list[Talker]:
    """The talkers of all blocks, as if the records knew none of them."""
    copy = path.with_suffix(".copy")
    shutil.copy(path, copy)
    with closing(connect(copy)) as connection:
        connection.execute("UPDATE state SET value = 0 WHERE name = 'noted'")
    with opened(copy) as history:
        return history.restore().talkers


def test_what_was_amended_stays_so(path: Path) -> None:
    """Merged or not, readers get the packets that were amended, until these have taken their place."""
    changed = [EVENTS[seq - 1]._replace(text="changed" * 1000) for seq in (1, 7, MERGE_WINDOW - 1)]
    amend(path, *changed, EVENTS[HEAD - 1]._replace(text="newer"))
    for _ in steps(path):
        pass
    assert len(rows(path, "SELECT seq FROM amended")) == 4
    wanted = EVENTS.copy()
    for one in (*changed, EVENTS[HEAD - 1]._replace(text="newer")):
        wanted[one.seq - 1] = one
    assert all_in(path) == wanted
    assert check(path).sound


def test_all_windows_are_settled_in_one_round(tmp_path: Path) -> None:
    """A round of the maintenance goes on with the next window, until only the newest are left."""
    path = tmp_path / "history.db"
    with maintained(path) as (history, upkeep):
        for first in range(1, 5 * MERGE_WINDOW, 20):
            store(history, lines(first, first + 19), noted=10**6)
        run(upkeep)
        assert rows(path, "SELECT value FROM state WHERE name = 'settled'") == [(3 * MERGE_WINDOW - 1,)]
    assert check(path).sound


def test_lines_that_the_records_do_not_know_are_not_merged(tmp_path: Path) -> None:
    """A window waits until the records know all that was said in it: a start looks at its blocks' talkers."""
    path = tmp_path / "history.db"
    with maintained(path) as (history, upkeep):
        for first in range(1, 5 * MERGE_WINDOW, 20):
            store(history, lines(first, first + 19), noted=MERGE_WINDOW + 20)
        run(upkeep)
        settled = "SELECT value FROM state WHERE name = 'settled'"
        assert rows(path, settled) == [(MERGE_WINDOW - 1,)]
        store(history, [], noted=10**6)
        run(upkeep)
        assert rows(path, settled) == [(3 * MERGE_WINDOW - 1,)]


def test_large_blocks_are_left_alone(tmp_path: Path) -> None:
    """Blocks that are large already are not rewritten, also when they reach into the next window."""
    path = tmp_path / "history.db"
    with maintained(path) as (history, upkeep):
        for first in range(1, 4 * MERGE_WINDOW, 3000):
            store(history, lines(first, first + 2999), noted=10**6)
        before = rows(path)
        run(upkeep)
        assert rows(path) == before
        assert rows(path, "SELECT first, last FROM settled WHERE place = 1") == before[:1]
        assert seqs(read(history, 2900)) == list(range(2901, 9001))
        assert history.start_of(3, GENERAL, 3001) == 2998
    assert check(path).sound


def test_a_step_is_short(path: Path) -> None:
    """No step merges more than makes one block of MERGED_BYTES, and batches are stored between two steps."""
    with closing(connect(path)) as connection, opened(path) as history:
        merging = Merging(connection, threading.Lock())
        count, more, seq = len(rows(path)), True, HEAD
        while more:
            more = merging.step()
            seq += 1
            store(history, [said(seq)], noted=1)
            left = len(rows(path))
            assert left > count - MERGED_BYTES // 60
            count = left
        assert read(history)[HEAD:] == lines(HEAD + 1, seq)


def test_readers_between_any_two_steps(path: Path) -> None:
    """After each step the history reads the same, with blocks that are merged and indexed, or not yet."""
    with opened(path) as history:
        for _ in steps(path):
            assert history.read(0, [QUIET], 10**7).until > HEAD
            assert seqs(read(history, 0, [QUIET])) == list(range(5, HEAD + 1, 5))


@pytest.mark.slow
def test_kill_9_after_any_step(unmerged: Path, tmp_path: Path) -> None:
    """Killed in the middle, whatever the file looks like, the next server has the same events and goes on."""
    for number in itertools.count(0, 2):
        path = Path(shutil.copy(unmerged, tmp_path / f"{number}.db"))
        child = os.fork()
        if child == 0:
            for count, _ in enumerate(steps(path)):
                if count == number:
                    os._exit(0)
            os._exit(1)
        if os.waitpid(child, 0)[1]:
            assert number > 4
            break
        assert check(path).sound
        for _ in steps(path):
            pass
        assert check(path).sound
        assert len(rows(path)) < HEAD - MERGE_WINDOW + 20
