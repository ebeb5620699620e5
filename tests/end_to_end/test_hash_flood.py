"""Whoever asks for how many hashes: the others talk, and others log in."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from statistics import median

import pytest

from chatroom.events import Event, EventKind
from chatroom.outcomes import Code
from chatroom.packets import Hello, Say, Status, Username, Verdict
from tests.end_to_end.in_process import running
from tests.end_to_end.programs import server
from tests.support.patience import PATIENCE, eventually
from tests.support.person import Person, by_password
from tests.support.tasks import Task

ATTACKERS = 20
PASSWORD = "correct horse"
LINE_SECONDS = 2.0
"""A line that takes longer was delayed: on an idle machine it takes some ms, on a busy one some 100 ms."""
HASHES_AWAY = 2 * ATTACKERS
"""Hashes that others get during a login: one of each address, and what is under way or not counted yet."""
HASHES_HOME = 12
"""The same for a login from where the account was used before: every other turn is its own."""


class Flood:
    """Wrong passwords and wrong codes from ATTACKERS addresses, as fast as the server takes them.

    guesses: STATUS with BAD_PASSWORD
    codes:   answers to /recover; each has cost a hash
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self.over = threading.Event()
        self.guesses = self.codes = 0

    @property
    def hashes(self) -> int:
        """How many were computed for the attackers."""
        return self.guesses + self.codes

    def guess(self, number: int) -> None:
        """Each connection tries some names with one password; the limits let the first ones through."""
        while not self.over.is_set():
            with (
                suppress(TimeoutError, AssertionError),
                Person.connect(self._address, None, f"127.0.1.{number + 1}") as person,
            ):
                person.send(Hello(2, "evil"))
                for _ in range(5):
                    name = f"name{number}x{self.guesses % 12}"
                    person.send(Username(name, bytes(16), by_password("wrong horse")))
                    packet = person.receive()
                    if not isinstance(packet, Status) or packet.code != Code.BAD_PASSWORD:
                        break
                    self.guesses += 1
            self.over.wait(0.05)

    def recover(self, number: int) -> None:
        """A guest that tries one code after the other. Nothing slows it but the hash of the new password."""
        source = f"127.0.1.{number + 1}"
        with Person.come(self._address, f"evil{number}", source=source, channel="#evil") as person:
            person.socket.settimeout(4 * PATIENCE)
            while not self.over.is_set():
                assert person.tell("/recover dora AAAA-AAAA-AAAA-AAAA", "new password").code in (
                    Code.BAD_PASSWORD,
                    Code.SLOW_DOWN,
                )
                self.codes += 1


@contextmanager
def flooding(address: str) -> Iterator[Flood]:
    flood = Flood(address)
    tasks = [Task(partial(flood.guess, number)) for number in range(ATTACKERS)]
    tasks += [Task(partial(flood.recover, number)) for number in range(ATTACKERS)]
    try:
        yield flood
    finally:
        flood.over.set()
        for task in tasks:
            task.result(5 * PATIENCE)


def took_to_say(person: Person, id: int) -> float:
    began = time.monotonic()
    person.send(Say(id, "#general", f"line {id}"))
    person.wait_for(
        lambda packet: isinstance(packet, Event) and packet.kind is EventKind.SAID and packet.id == id
    )
    return time.monotonic() - began


def hashes_during_login(flood: Flood, address: str, source: str) -> int:
    """How many the others got while somebody logged in."""
    before = flood.hashes
    person, status = Person.ask_for(address, "dora", by_password(PASSWORD), source=source)
    with person:
        assert status.verdict is Verdict.PASS, status
    return flood.hashes - before


@pytest.mark.slow
def test_a_flood_of_hashes_delays_nobody_for_long(tmp_path: Path) -> None:
    """Twenty addresses that want hashes all the time: lines, and logins from two other addresses, go on."""
    with server(tmp_path) as process:
        address = f"127.0.0.1:{process.port}"
        with Person.come(address, "dora", source="127.0.0.2") as dora:
            dora.do("/register", PASSWORD)
        with Person.come(address, "bob") as bob, flooding(address) as flood:
            eventually(lambda: flood.guesses > ATTACKERS and flood.codes > ATTACKERS, "no flood", 60)
            lines, home, away = [], [], []
            for round in range(3):
                lines += [took_to_say(bob, 100 * round + id + 1) for id in range(20)]
                home.append(hashes_during_login(flood, address, "127.0.0.2"))
                away.append(hashes_during_login(flood, address, f"127.0.0.{10 + round}"))
        figures = f"lines {median(lines):.3f}, {max(lines):.3f} s; hashes of others: {home}, {away}"
        print(figures)
        assert median(lines) < LINE_SECONDS / 4 and max(lines) < LINE_SECONDS, figures
        assert max(home) <= HASHES_HOME and max(away) <= HASHES_AWAY, figures


def test_the_end_does_not_wait_for_hashes(caplog: pytest.LogCaptureFixture) -> None:
    """A server that closes lets nobody wait for a turn to hash: all its threads end in time."""
    with ExitStack() as stack:
        with running() as app:
            for number in range(30):
                person = stack.enter_context(Person.connect(app.address, None, f"127.0.2.{number + 1}"))
                person.send(Hello(2, "test"), Username("dora", bytes(16), by_password("wrong horse")))
            pool = app.chatroom._logins._pool
            eventually(lambda: pool.waiting > 10, "nobody waits")
            began = time.monotonic()
        assert time.monotonic() - began < PATIENCE / 2
    assert "did not end" not in caplog.text
