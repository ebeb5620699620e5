"""The state is a pure fold: the entries of a storm, applied again, give what the server has stored."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Flag
from threading import Thread

import pytest

from chatroom.errors import ChatroomError
from chatroom.limits import MAX_NUMBER
from chatroom.outcomes import Code
from chatroom.proposals import Proposal, ProposalKind
from chatroom.state import State
from client import Client
from server.storage import SqliteHistory
from tests.chatroom.walk import Walk
from tests.end_to_end.programs import ROOT, ServerProcess
from tests.support.blocks import blocks_of, flat
from tests.support.patience import eventually
from tests.support.recorder import FileOrder, read_entries

pytestmark = pytest.mark.slow


class Storm:
    """What is left of it: the file of the entries, and the history that the server has stored."""

    def __init__(self, folder: Path) -> None:
        self.entries = folder / "entries"
        self.history = folder / "history"

    def fold(self, *arguments: str, hash_seed: str = "0") -> str:
        """The digest of a fold in a process of its own."""
        command = [sys.executable, "-m", "tests.support.fold", str(self.entries), *arguments]
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        return subprocess.run(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
        ).stdout


@pytest.fixture(scope="module")
def storm(tmp_path_factory: pytest.TempPathFactory) -> Storm:
    """Members talk, come, go and are cut off, while the server is killed twice."""
    folder = tmp_path_factory.mktemp("storm")
    storm = Storm(folder)
    options = ("--data", str(storm.history))
    module = ("tests.support.recorder", str(storm.entries))
    port = 0
    for life in range(3):
        server = ServerProcess(folder / "log", *options, port=port, module=module)
        port = server.port
        with talking(port, life):
            head = count(storm) + 150
            eventually(lambda: count(storm) > head, "the storm does not blow")  # noqa: B023
            if life < 2:
                server.kill()
            else:
                server.stop()
                server.kill()
    return storm


def count(storm: Storm) -> int:
    """How many entries there are."""
    return sum(1 for _ in read_entries(storm.entries))


@contextmanager
def talking(port: int, life: int) -> Iterator[None]:
    """Members that talk until the block ends: some stay, some come and go, some vanish without a goodbye."""
    over = Flag()
    threads = [Thread(target=stay, args=(port, f"stay{n}-{life}", over)) for n in range(3)]
    threads += [Thread(target=come_and_go, args=(port, f"go{n}-{life}", over)) for n in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def stay(port: int, name: str, over: Flag) -> None:
    with Client("127.0.0.1", port, name=name, reconnect=False) as client:
        try:
            while not over.is_set():
                client.say("here").wait(1)
        except ChatroomError:
            pass  # the server was killed


def come_and_go(port: int, name: str, over: Flag) -> None:
    channels = ["#general", "#a", "#b"]
    while not over.is_set():
        channels.append(channels.pop(0))
        try:
            with Client("127.0.0.1", port, name=name, channel=channels[0], reconnect=False) as client:
                for _ in range(5):
                    client.say("on the way").wait(1)
                    client.say("in a hurry")
        except (ChatroomError, TimeoutError):
            pass  # the server was killed


def test_a_fold_in_another_process_gives_the_same(storm: Storm) -> None:
    """Other rounds, another hash seed, another clock: the same events, the same records."""
    digests = {storm.fold(str(seed), hash_seed=str(seed)) for seed in (1, 2, 3)}
    assert len(digests) == 1


def test_the_fold_is_what_the_server_has_stored(storm: Storm) -> None:
    state, happened = State(), []
    for entry in read_entries(storm.entries):
        happened += state.apply(entry).happened
    events = flat(blocks_of(happened))
    history = SqliteHistory(storm.history)
    try:
        restored = history.restore()
        assert restored.head == state.head == len(events) > 100
        places = {place for event in events for place in event.places or (event.place,)}
        assert flat(history.read(0, places, MAX_NUMBER).blocks) == events
        living = State()
        living.restore(restored.head, restored.records, restored.talkers)
        assert living.records() == state.records()
    finally:
        history.close()


@pytest.mark.parametrize("planted", ["clock", "random", "set"])
def test_a_planted_fault_is_found(storm: Storm, planted: str) -> None:
    digests = {storm.fold("1", planted, hash_seed=str(seed)) for seed in range(1, 5)}
    assert len(digests) > 1


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Storm:
    """The entries of a random walk: registrations, logins, several programs of one person, all acts."""
    storm = Storm(tmp_path_factory.mktemp("walk"))
    order = FileOrder(storm.entries)
    walked = Walk(40)  # one with much success
    for _ in range(200):
        walked.step()
    for entry in walked.entries:
        order.write(entry)
    order.finish()
    assert sum(Code.OK in codes for codes in walked.codes.values()) > 7
    return storm


def test_a_fold_of_accounts_in_another_process_gives_the_same(walk: Storm) -> None:
    """Accounts, roles and several programs of one person: no order of a set, no clock, no random number."""
    assert len({walk.fold(str(seed), hash_seed=str(seed)) for seed in (1, 2, 3)}) == 1
    assert len({walk.fold("1", "set", hash_seed=str(seed)) for seed in range(1, 5)}) > 1


def test_a_life_that_stored_nothing_had_a_number_of_its_own(tmp_path: Path) -> None:
    """Entries that the history does not know come first, and are of another life than the present one."""
    entries = tmp_path / "entries"
    for life in (1, 2, 3):  # each is killed before it has stored anything
        order = FileOrder(entries)
        assert order.begin(b"", b"", 1) == life
        if life > 1:
            before = order.take()
            assert before is not None and [entry.epoch for entry in before.entries] == list(range(1, life))
        order.put(Proposal(0, 0, ProposalKind.UP, None))
        taken = order.take()
        assert taken is not None and taken.entries[0].epoch == life
        order.finish()
