"""Removal: expired events are removed in small steps, and readers cut the block that is left."""

from __future__ import annotations

import logging
import threading
from contextlib import closing
from pathlib import Path

import pytest

from server.database import connect
from server.history_tool import check
from server.limits import RETENTION_STEP
from server.retention import PROOF, Retention
from tests.server.histories import (
    GENERAL,
    NOW,
    QUIET,
    Wall,
    lines,
    maintained,
    opened,
    read,
    run,
    said,
    seqs,
    store,
    stored,
)

DAY = 24 * 3600 * 1000


def test_everything_is_retained_by_default(tmp_path: Path) -> None:
    """Without --keep nothing is removed, however old it is."""
    with maintained(tmp_path / "history.db") as (history, upkeep):
        store(history, lines(1, 500, at=0), noted=10**6)
        run(upkeep)
        assert stored(history) == list(range(1, 501))


@pytest.mark.parametrize("count", [1, 99, 100, 101, 256, 257, 5000])
def test_a_number_of_events_is_retained(tmp_path: Path, count: int) -> None:
    """--keep 100 retains exactly the latest hundred, also when the removal takes several steps."""
    path = tmp_path / "history.db"
    with maintained(path, Retention(events=100)) as (history, upkeep):
        store(history, lines(1, count), noted=10**6)
        run(upkeep)
        assert stored(history) == list(range(max(1, count - 99), count + 1))
    assert check(path).sound


def test_a_number_of_days_is_retained(tmp_path: Path) -> None:
    """--keep 90d removes the events older than ninety days, and no younger ones."""
    now = NOW
    with maintained(tmp_path / "history.db", Retention(days=90)) as (history, upkeep):
        store(history, lines(1, 300, at=now - 91 * DAY), noted=10**6)
        store(history, lines(301, 400, at=now - 89 * DAY), noted=10**6)
        run(upkeep)
        assert stored(history) == list(range(301, 401))
        assert [history.read(after, [1], 1).after for after in (0, 300, 350)] == [300, 300, 350]
        assert history.locate(300) == (0, 301)
        assert history.locate(301) == (now - 89 * DAY, 301)


def test_a_clock_that_jumps_ahead_removes_nothing(tmp_path: Path) -> None:
    """--keep 90d with a clock a year ahead removes no line of today; it has an hour to be corrected."""
    wall = Wall()
    with maintained(tmp_path / "history.db", Retention(days=90), wall=wall) as (history, upkeep):
        store(history, lines(1, 100, at=NOW - 91 * DAY), noted=10**6)
        store(history, lines(101, 200, at=NOW), noted=10**6)
        run(upkeep)
        assert len(stored(history)) == 200  # nobody knows yet whether the clock is right
        wall.now += 365 * DAY
        run(upkeep)
        store(history, lines(201, 300, at=wall.now), noted=10**6)
        run(upkeep)
        assert stored(history) == list(range(101, 301))  # by the clock as it was before
        wall.now -= 365 * DAY - PROOF
        run(upkeep)
        assert stored(history) == list(range(101, 301))
    with maintained(tmp_path / "history.db", Retention(days=90), wall=wall) as (history, upkeep):
        wall.now += 365 * DAY - 1
        run(upkeep)  # a start with a wrong clock: the latest event proves nothing beyond itself
        assert stored(history) == list(range(101, 301))


def test_an_hour_of_the_same_clock_is_believed(tmp_path: Path) -> None:
    """After an hour --keep goes by the clock, whatever it was before."""
    wall = Wall()
    with maintained(tmp_path / "history.db", Retention(days=90), wall=wall) as (history, upkeep):
        store(history, lines(1, 100, at=NOW), noted=10**6)
        wall.now += 91 * DAY
        run(upkeep)
        assert len(stored(history)) == 100
        wall.now += PROOF
        run(upkeep)
        assert stored(history) == []


def test_a_class_of_less_than_an_hour_a_day(tmp_path: Path) -> None:
    """The latest event of the day before is proof enough: --keep works for a server that never runs long."""
    path, wall = tmp_path / "history.db", Wall()
    with opened(path) as history:
        store(history, lines(1, 100, at=NOW - 92 * DAY), noted=10**6)
        store(history, lines(101, 200, at=NOW - DAY), noted=10**6)
    with maintained(path, Retention(days=90), wall=wall) as (history, upkeep):
        run(upkeep)
        assert stored(history) == list(range(101, 201))


def test_events_of_the_future_hold_nothing_back(tmp_path: Path) -> None:
    """Lines with the time of a clock that was ahead expire with their neighbours, in small steps, too."""
    wall, count = Wall(), RETENTION_STEP + 100
    with maintained(tmp_path / "history.db", Retention(days=90), wall=wall) as (history, upkeep):
        store(history, lines(1, count, at=NOW + 365 * DAY), noted=10**6)
        store(history, lines(count + 1, count + 10, at=NOW - 91 * DAY), noted=10**6)
        store(history, lines(count + 11, count + 20, at=NOW + 365 * DAY), noted=10**6)
        run(upkeep)
        wall.now += PROOF
        assert upkeep.remove_expired()
        assert stored(history)[0] == RETENTION_STEP + 1
        run(upkeep)
        assert stored(history) == list(range(count + 11, count + 21))  # nothing behind them is old
        store(history, lines(count + 21, count + 30, at=NOW), noted=10**6)
        run(upkeep)
        assert len(stored(history)) == 20


YESTERDAY = "2027-01-14T07:00:00.000Z"


@pytest.mark.parametrize(
    ("retention", "said"),
    [
        (Retention(events=50), [f"--keep 50events removes the events up to {YESTERDAY} now: 250 of 300"]),
        (
            Retention(days=1),
            [
                "--keep 1d removes the events up to 2027-01-12T08:00:00.000Z now: 100 of 300",
                f"--keep 1d removes the events up to {YESTERDAY} when the clock has been right for an hour:"
                " 250 of 300",
            ],
        ),
        (Retention(events=1000), []),
        (Retention(days=9), []),
        (Retention(), []),
    ],
)
def test_the_operator_is_told_what_goes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, retention: Retention, said: list[str]
) -> None:
    """The start of a server says how much --keep removes, before it does."""
    path, wall, stopping = tmp_path / "history.db", Wall(), threading.Event()
    with opened(path) as history:
        store(history, lines(1, 100, at=NOW - 3 * DAY), noted=10**6)
        store(history, lines(101, 200, at=NOW - DAY - PROOF), noted=10**6)
        store(history, lines(201, 250, at=NOW - DAY - PROOF), noted=10**6)
        store(history, lines(251, 300, at=NOW - PROOF), noted=10**6)
    with maintained(path, retention, wall=wall) as (history, upkeep), caplog.at_level(logging.WARNING):
        stopping.set()
        upkeep.tend(stopping)
    assert [record.getMessage() for record in caplog.records] == said


def test_the_history_has_no_gaps(tmp_path: Path) -> None:
    """Only the beginning is removed: an old event behind a young one (a clock was set back) is retained."""
    now = NOW
    with maintained(tmp_path / "history.db", Retention(days=90)) as (history, upkeep):
        for first, days in ((1, 91), (101, 1), (201, 91), (301, 0)):
            store(history, lines(first, first + 99, at=now - days * DAY), noted=10**6)
        run(upkeep)
        assert stored(history) == list(range(101, 401))


def test_seqs_continue_after_everything_was_removed(tmp_path: Path) -> None:
    """A seq is never given twice, even when no event is left."""
    path = tmp_path / "history.db"
    with maintained(path, Retention(days=1)) as (history, upkeep):
        store(history, lines(1, 500, at=0), noted=10**6)
        run(upkeep)
        assert stored(history) == [] and history.start_of(50, GENERAL, 600) == 600
        assert history.restore().head == 500
        assert history.locate(500) == (0, 501)
    with maintained(path, Retention(days=1)) as (history, upkeep):
        assert history.restore().head == 500
        store(history, [said(501, at=NOW)], noted=10**6)
        run(upkeep)
        assert stored(history) == [501]
    with closing(connect(path)) as shell:
        assert shell.execute("SELECT first FROM blocks").fetchall() == [(501,)]


def test_events_are_removed_in_small_steps(tmp_path: Path) -> None:
    """No transaction removes more than RETENTION_STEP events, and batches are stored between two of them."""
    with maintained(tmp_path / "history.db", Retention(events=10)) as (history, upkeep):
        head = 3 * RETENTION_STEP
        store(history, lines(1, head), noted=10**6)
        for step in (1, 2):
            assert upkeep.remove_expired()
            head += 1
            store(history, [said(head)], noted=10**6)
            assert stored(history) == list(range(step * RETENTION_STEP + 1, head + 1))
        assert upkeep.remove_expired()
        assert not upkeep.remove_expired()
        assert stored(history) == list(range(head - 9, head + 1))


def test_removing_stops_at_once(tmp_path: Path) -> None:
    """A server that closes does not wait until a million events are removed."""
    stopping = threading.Event()
    stopping.set()
    with maintained(tmp_path / "history.db", Retention(events=10)) as (history, upkeep):
        store(history, lines(1, 3 * RETENTION_STEP), noted=10**6)
        upkeep.run(stopping)
        assert len(stored(history)) == 2 * RETENTION_STEP


def rows(path: Path) -> list[tuple[int, int]]:
    """First and last seq of the rows of blocks."""
    with closing(connect(path, "mode=ro")) as shell:
        return shell.execute("SELECT first, last FROM blocks ORDER BY first").fetchall()


def test_a_block_is_cut(tmp_path: Path) -> None:
    """Of a block that is not gone as a whole, nobody gets, counts or finds what was removed."""
    path = tmp_path / "history.db"
    with maintained(path, Retention(events=100)) as (history, upkeep):
        store(history, [*lines(1, 60), *lines(61, 70, QUIET)], noted=70)
        store(history, [*lines(71, 140), *lines(141, 150, QUIET)], noted=150)
        run(upkeep)
        assert rows(path) == [(1, 60), (61, 70), (71, 140), (141, 150)]
        assert stored(history) == list(range(51, 151))
        assert history.start_of(1000, GENERAL) == 50
        store(history, lines(151, 160), noted=160)
        run(upkeep)
        assert stored(history) == list(range(61, 161))
        store(history, lines(161, 175), noted=175)
        run(upkeep)
        assert rows(path) == [(71, 140), (141, 150), (151, 160), (161, 175)]
        assert seqs(read(history, 0, [GENERAL])) == [*range(76, 141), *range(151, 176)]
        assert history.start_of(1000, GENERAL) == 75
        assert history.start_of(1000, GENERAL, 80) == 75
        assert history.start_of(1000, GENERAL, 75) == 75
        assert history.locate(75) == (0, 76)
        assert history.locate(76) == (NOW, 76)
    assert check(path).sound


def test_unknown_talkers_are_kept(tmp_path: Path) -> None:
    """A row whose talkers the records do not know stays, although its events are gone, until they do."""
    path = tmp_path / "history.db"
    with maintained(path, Retention(events=1)) as (history, upkeep):
        store(history, lines(1, 10), noted=5)
        store(history, lines(11, 11), noted=5)
        talkers = history.restore().talkers
        assert len(talkers) == 4
        run(upkeep)
        assert stored(history) == [11]
        assert history.restore().talkers == talkers
        assert check(path).sound
        history.append([], [], noted=11)
        run(upkeep)
        assert rows(path) == [(11, 11)]
    assert check(path).sound


def test_the_index_forgets_what_is_removed(tmp_path: Path) -> None:
    """No row of the index of places is left of a block that is gone."""
    path = tmp_path / "history.db"
    with maintained(path, Retention(events=100)) as (history, upkeep):
        for first in range(1, 9001, 100):
            store(history, lines(first, first + 99), noted=9000)
            run(upkeep)
        with closing(connect(path, "mode=ro")) as shell:
            assert shell.execute("SELECT count(*) FROM settled").fetchone() == (0,)
        assert stored(history) == list(range(8901, 9001))


@pytest.mark.parametrize("old", [1, 1500, 2500, 7000])
def test_events_of_one_block_expire_one_by_one(tmp_path: Path, old: int) -> None:
    """By age, too, exactly the events that are too old are removed from a merged block."""
    path = tmp_path / "history.db"
    with maintained(path, Retention(days=90)) as (history, upkeep):
        store(
            history,
            [said(seq, at=NOW - (91 if seq <= old else 89) * DAY) for seq in range(1, 8001)],
            noted=8000,
        )
        run(upkeep)
        assert history.locate(old + 1) == (NOW - 89 * DAY, old + 1)
        assert history.locate(old).time == 0
