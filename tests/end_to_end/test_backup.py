"""A backup that is made while people talk, and restored elsewhere with its certificate and key."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path

import pytest

from chatroom.events import Event, EventKind
from chatroom.packets import Resumed, Say
from client import CaughtUp, Client, Interrupted, TlsOptions
from client.updates import Update
from server.history_tool import check
from server.storage import SqliteHistory
from server.tls_files import files_beside
from tests.chaos.proxy import Proxy
from tests.end_to_end.programs import CROWDED, ServerProcess, run_program
from tests.server.histories import read, seqs
from tests.support.patience import PATIENCE, PROGRAM_PATIENCE, eventually
from tests.support.peer import Peer
from tests.support.tasks import Task

PLACES = (0, 1)


@contextmanager
def server(folder: Path, data: Path, *options: str) -> Iterator[ServerProcess]:
    process = ServerProcess(folder / "log", "--data", str(data), *options)
    try:
        yield process
        assert "Traceback" not in process.errors(), process.errors()
    finally:
        process.kill()


@contextmanager
def crowd(port: int, count: int) -> Iterator[list[int]]:
    """Members who talk, each a line as soon as its last one is back; how many lines they have said."""
    done, said = threading.Event(), [0] * count

    def talk(number: int, peer: Peer) -> None:
        while not done.is_set():
            said[number] += 1
            peer.send(Say(said[number], "#general", f"{number} says {said[number]}"))
            mine = f"{number} says {said[number]}"
            while not any(event.text == mine for event in peer.said(1)):
                pass

    with ExitStack() as stack:
        peers = [stack.enter_context(Peer.enter(port, f"m{number}")) for number in range(count)]
        tasks = [
            Task(lambda number=number, peer=peer: talk(number, peer)) for number, peer in enumerate(peers)
        ]
        try:
            yield said
        finally:
            done.set()
            for task in tasks:
                task.result(PROGRAM_PATIENCE)


def back_up_while_people_talk(folder: Path, count: int) -> None:
    """The backup holds, for each member, its lines from the first one on, without a gap."""
    data, target = folder / "history.db", folder / "backup.db"
    with server(folder, data, *CROWDED) as running, crowd(running.port, count) as said:
        eventually(lambda: min(said) > 3, "the members do not talk", PROGRAM_PATIENCE)
        before = list(said)
        made = run_program("server", "--data", str(data), "--backup", str(target), seconds=60)
        after = list(said)
        assert made.returncode == 0, made.stderr
        assert re.fullmatch(r".*backup\.db: \d+ events, [\d.]+ [kM]B, checked and sound\n", made.stdout)
    history = SqliteHistory(target)
    try:
        events = read(history, places=PLACES)
    finally:
        history.close()
    lines = [event.text for event in events if event.kind is EventKind.SAID]
    for number in range(count):
        own = [line for line in lines if line.startswith(f"{number} says ")]
        assert own == [f"{number} says {one}" for one in range(1, len(own) + 1)]
        assert before[number] - 1 <= len(own) <= after[number]
    assert check(target).sound


def test_of_a_server_on_which_people_talk(tmp_path: Path) -> None:
    """Some members talk while the backup is made."""
    back_up_while_people_talk(tmp_path, 5)


@pytest.mark.slow
def test_of_a_server_on_which_a_hundred_people_talk(tmp_path: Path) -> None:
    """The same with a hundred members."""
    back_up_while_people_talk(tmp_path, 100)


def until_live(client: Client) -> list[Update]:
    """All updates up to the end of the replay."""
    found: list[Update] = []
    for update in client.updates(PATIENCE):
        found.append(update)
        if isinstance(update, CaughtUp):
            return found
    raise AssertionError(f"no end of the replay: {found}")


def test_restored_elsewhere(tmp_path: Path) -> None:
    """Clients that trust the certificate come back to the restored server, on another port, without an alarm.

    Who had seen more is told so, others are not; what was not sent yet is sent; no number means two lines.
    """
    old, new, known = tmp_path / "old", tmp_path / "new", tmp_path / "known.json"
    old.mkdir()
    new.mkdir()
    proxy = Proxy()
    with ExitStack() as stack:
        stack.callback(proxy.close)
        clients: dict[str, Client] = {}

        def come(name: str) -> Client:
            options = TlsOptions(trust=True, known=known)
            client = Client("127.0.0.1", proxy.port, name=name, tls=options, lines=0).connect()
            clients[name] = stack.enter_context(client)
            until_live(client)
            return client

        with server(old, old / "history.db", "--tls-self", "--ports", "same") as first:
            proxy.lobby = first.port
            ann, bob = come("ann"), come("bob")
            ann.say("before the backup").wait(PATIENCE)
            seen = next(one for one in bob.updates(PATIENCE) if isinstance(one, Event) and one.text)
            assert seen.text == "before the backup"
            bob_stays_at = seen.seq
            proxy.lobby = 0  # bob's cable is out: he sees nothing of what comes
            assert proxy.reset(1)
            made = run_program(
                "server", "--data", str(old / "history.db"), "--backup", str(new / "chat.db"), seconds=60
            )
            assert made.returncode == 0, made.stderr
            assert "with chat.db.key.pem and chat.db.cert.pem" in made.stdout
            lost = ann.say("after the backup")
            assert lost.wait(PATIENCE)
        shutil.rmtree(old)  # the machine is gone; both clients try to come back
        ann.say("said while nobody was there", timeout=0)
        with server(new, new / "chat.db", "--tls-self", "--ports", "same") as second:
            assert second.port != first.port
            proxy.lobby = second.port
            told = until_live(ann)
            assert [one.how for one in told if isinstance(one, Interrupted)] == [Resumed.RESTORED]
            (words,) = [one.words for one in told if isinstance(one, Interrupted)]
            assert "older copy of its history" in words and "later lines are not in it" in words
            back = until_live(bob)
            assert not [one for one in back if isinstance(one, Interrupted)]
            assert ann.flush(PATIENCE)
            heard = (one for one in chain(back, bob.updates(PATIENCE)) if isinstance(one, Event))
            assert next(one.text for one in heard if one.text) == "said while nobody was there"
    assert files_beside(new / "chat.db").key.exists()
    history = SqliteHistory(new / "chat.db")
    try:
        events = read(history, places=PLACES)
    finally:
        history.close()
    assert seqs(events) == list(range(1, len(events) + 1))
    said = [event.text for event in events if event.kind is EventKind.SAID]
    assert said == ["before the backup", "said while nobody was there"]
    assert bob_stays_at < len(events)
