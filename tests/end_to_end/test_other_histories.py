"""A client comes back to a server whose history is another one: restored, copied, deleted, shortened."""

from __future__ import annotations

import itertools
import random
import secrets
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from chatroom.events import Event, EventKind
from chatroom.packets import Packet, Resumed, Say
from client import CaughtUp, Client, Interrupted
from client.updates import Update
from server.app import App
from server.maintenance import Maintenance
from server.readers import Readers
from server.retention import Retention
from tests.end_to_end.in_process import port_of, running
from tests.server.histories import EVERYWHERE
from tests.support.blocks import flat
from tests.support.patience import PATIENCE
from tests.support.peer import Peer

NAMES = map("bob-{}".format, itertools.count())


@contextmanager
def talking(data: object, texts: list[str], port: int = 0) -> Iterator[App]:
    """A server on which somebody says these lines."""
    with running(data=str(data), port=port) as app:
        if texts:
            say(app, texts)
        yield app


def say(app: App, texts: list[str]) -> None:
    """Somebody comes in and says the lines: each time another one, for the names before may be held."""
    with Peer.enter(app.address, next(NAMES)) as bob:
        bob.send(*[Say(id, "#general", text) for id, text in enumerate(texts, 1)])
        bob.said(len(texts))


class Away:
    """Ann's client, which does not ask for older lines, between two servers on one port."""

    def __init__(self, first: App) -> None:
        self.port = port_of(first)
        self.client = Client("127.0.0.1", self.port, name="ann", lines=0).connect()
        self.until_live()

    def until_live(self) -> list[Update]:
        """All updates up to the end of the replay."""
        found: list[Update] = []
        for update in self.client.updates(PATIENCE):
            found.append(update)
            if isinstance(update, CaughtUp):
                return found
        raise AssertionError(f"no end of the replay: {found}")

    def come_back(self, data: object) -> tuple[Resumed | None, list[str]]:
        """To a server on this history: what the user is told, and the lines that come."""
        with running(data=str(data), port=self.port):
            found = self.until_live()
        told = [update.how for update in found if isinstance(update, Interrupted)]
        said = [one.text for one in found if isinstance(one, Event) and one.kind is EventKind.SAID]
        return (told[0] if told else None), said


@pytest.fixture
def away(tmp_path: Path) -> Iterator[Away]:
    """Ann has seen "a", "b", then "c" and "d", which came after the backup."""
    path = tmp_path / "history.db"
    with talking(path, ["a", "b"]):
        pass
    shutil.copy(path, tmp_path / "backup.db")
    with ExitStack() as on_failure, running(data=str(path)) as app:
        away = Away(app)
        on_failure.callback(away.client.close)
        say(app, ["c", "d"])
        updates = away.client.updates(PATIENCE)
        assert any(isinstance(update, Event) and update.text == "d" for update in updates)
        stack = on_failure.pop_all()
    with stack:
        yield away


def restore(tmp_path: Path) -> Path:
    return Path(shutil.copy(tmp_path / "backup.db", tmp_path / "history.db"))


def test_the_same_history(tmp_path: Path, away: Away) -> None:
    """Nothing is told when the history goes on, also in a copy in another place."""
    with talking(shutil.copy(tmp_path / "history.db", tmp_path / "moved.db"), ["e"]):
        pass
    assert away.come_back(tmp_path / "moved.db") == (None, ["e"])


def test_a_restored_backup(tmp_path: Path, away: Away) -> None:
    """Ann is told, and gets all that was said since the backup was restored, and nothing a second time."""
    with talking(restore(tmp_path), ["x", "y", "z"]):
        pass
    assert away.come_back(tmp_path / "history.db") == (Resumed.RESTORED, ["x", "y", "z"])


def test_a_restored_backup_in_which_nothing_was_said(tmp_path: Path, away: Away) -> None:
    """The history is shorter than what Ann has seen."""
    assert away.come_back(restore(tmp_path)) == (Resumed.RESTORED, [])


def test_a_restored_backup_that_retention_has_shortened(tmp_path: Path, away: Away) -> None:
    """Retention has removed every event by which the copy could be recognised: only its start is known."""
    path = restore(tmp_path)
    with talking(path, [f"line {number}" for number in range(30)]):
        pass
    keep(path, 10)
    told, said = away.come_back(path)
    assert told is Resumed.RESTORED and said == [f"line {number}" for number in range(20, 30)]


def test_retention_while_ann_was_away(tmp_path: Path, away: Away) -> None:
    """In the same history it is a gap: Ann is told that older lines are gone."""
    path = tmp_path / "history.db"
    with talking(path, [f"line {number}" for number in range(30)]):
        pass
    keep(path, 10)
    told, said = away.come_back(path)
    assert told is Resumed.GAP and said == [f"line {number}" for number in range(20, 30)]


def keep(path: Path, events: int) -> None:
    with closing(Maintenance(path, threading.Lock(), Retention(events=events))) as upkeep:
        upkeep.run(threading.Event())


def test_a_history_that_was_deleted(tmp_path: Path, away: Away) -> None:
    """Ann is told that this is another history, and gets all of it, although she asked for no older lines."""
    (tmp_path / "history.db").unlink()
    with talking(tmp_path / "history.db", ["x", "y"]):
        pass
    assert away.come_back(tmp_path / "history.db") == (Resumed.OTHER_HISTORY, ["x", "y"])


def test_a_history_in_memory(away: Away) -> None:
    """Each start of a server without a file is another history."""
    assert away.come_back(":memory:") == (Resumed.OTHER_HISTORY, [])
    assert away.come_back(":memory:") == (Resumed.OTHER_HISTORY, [])


# --- any story ------------------------------------------------------------------------------------------


class Cursor(NamedTuple):
    """A client that was away from here on: what it has seen last, and all that it has seen."""

    last: Event
    identity: bytes
    seen: frozenset[Event]


class Story:
    """A file that is used, copied, restored and shortened; `log` is what a server that remembers all has."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.path = folder / "history.db"
        self.log: list[Event] = []
        self.backups: list[tuple[Path, list[Event]]] = []
        self.cursors: list[Cursor] = []
        self.told: Counter[Resumed] = Counter()
        self.talk()

    def talk(self) -> None:
        """A server runs; everybody who is away comes back to it and sees all, then goes away again."""
        with talking(self.path, [secrets.token_hex(4) for _ in range(self.random.randrange(1, 6))]) as app:
            stored = self.stored()
            self.log += stored[self.log[-1].seq - stored[0].seq + 1 :] if self.log else stored
            for cursor in self.cursors:
                self.judge(cursor, app)
            with Peer.come_in(app.address, next(NAMES)) as peer:
                identity = peer.welcome.identity
            self.cursors = [*self.cursors, Cursor(stored[-1], identity, frozenset(self.log))][-4:]
        stored = self.stored()
        self.log += stored[self.log[-1].seq - stored[0].seq + 1 :]

    def stored(self) -> list[Event]:
        with closing(Readers(self.path)) as readers:
            return flat(readers.read(0, EVERYWHERE, 10**9).blocks)

    def copy(self) -> None:
        backup = self.path.with_name(f"backup-{len(self.backups)}.db")
        self.backups.append((Path(shutil.copy(self.path, backup)), self.log[:]))

    def restore(self) -> None:
        """Go back to an older copy. (To go from one branch to another one is more than a cursor can tell.)"""
        older = [(path, log) for path, log in self.backups if log == self.log[: len(log)]]
        if older:
            backup, self.log = self.random.choice(older)
            self.log = self.log[:]
            shutil.copy(backup, self.path)

    def shorten(self) -> None:
        keep(self.path, self.random.randrange(1, 12))

    def judge(self, cursor: Cursor, app: App) -> None:
        """Is the client told the truth, and given all that it has not seen and that is still there?"""
        last, replayed = cursor.last, list[Packet]()
        with Peer.come_in(
            app.address, next(NAMES), last.seq, 65535, replayed, time=last.time, identity=cursor.identity
        ) as peer:
            told = peer.welcome.resumed
        came = [one for one in replayed if isinstance(one, Event) and one.kind is EventKind.SAID]
        new = [one for one in self.log if one.kind is EventKind.SAID and one not in cursor.seen]
        oldest = self.stored()[0].seq
        there = [one for one in new if one.seq >= oldest]
        assert [one.text for one in came] == [one.text for one in there], told
        if last in self.log:
            assert told is Resumed.EXACT or (told is Resumed.GAP and oldest > last.seq + 1)
        else:
            assert told is Resumed.RESTORED
        self.told[told] += 1


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 8))])
def test_any_story_of_a_file(tmp_path: Path, seed: int) -> None:
    """Whatever is done to the file between two starts: who comes back is told so, and misses nothing."""
    story = Story(tmp_path, seed)
    for _ in range(3 if seed == 1 else 20):
        story.random.choice([story.copy, story.restore, story.shorten, story.talk])()
        story.talk()
    assert story.told
