"""Attacks on the memory of the server, in short forms: what waits for peers that do not read is bounded.

The long forms, with figures, are in tests/attacks/memory.py. Here the sockets buffer some kilobytes only, so
that little is enough.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from unittest import mock

import pytest

from chatroom.events import Event
from chatroom.limits import CATCH_UP_BYTES, RECEIVE_LARGE, TAIL_EVENTS
from chatroom.packets import Live, Packet, Say, encode
from server.app import App
from server.backlogs import Backlogs
from server.limits import ANSWERS_BYTES
from server.transport import TcpTransport
from tests.attacks.memory import WIDEST, come, push, say_and_read
from tests.end_to_end.in_process import port_of, running
from tests.support.patience import eventually
from tests.support.peer import Peer

SILENT = 12


@pytest.fixture
def app() -> Iterator[App]:
    with small_sockets(), running() as app:
        yield app


@contextmanager
def small_sockets() -> Iterator[None]:
    """The server's sockets take a few kilobytes from it."""
    make = TcpTransport.__init__

    def make_small(self: TcpTransport, sock: socket.socket, peer: str) -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        make(self, sock, peer)

    with mock.patch.object(TcpTransport, "__init__", make_small):
        yield


@contextmanager
def silent(app: App, count: int, lines: int = 0) -> Iterator[list[Peer]]:
    """Members from other addresses that do not read."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(come(port_of(app), f"silent{number}", 2 + number, lines))
            for number in range(count)
        ]


def talk(peer: Peer, first: int, count: int, text: str) -> None:
    """Say lines, and read each."""
    for id in range(first, first + count):
        say_and_read(peer, Say(id, "#general", text))


def test_many_that_ask_for_the_latest_lines_and_do_not_read(app: App) -> None:
    """However many newcomers do not read: the tail waits for all of them once, and others talk on."""
    longest = len(WIDEST.encode())
    with Peer.enter(port_of(app), "ann") as ann:
        talk(ann, 1, 15, WIDEST)
        with silent(app, SILENT, lines=15):
            eventually(lambda: app.backlogs.shared > 14 * longest, "they do not get the latest lines")
            talk(ann, 100, 3, "still here")
            assert app.backlogs.shared < 17 * longest
            assert app.backlogs.own < SILENT * 2000
        eventually(lambda: app.backlogs.shared == app.backlogs.own == 0, "something is left of them")


def test_many_that_want_a_long_history_and_do_not_read(app: App) -> None:
    """However many newcomers want more than the tail holds: each has one slice, no thread, and one that
    reads overtakes them."""
    with Peer.enter(port_of(app), "ann") as ann:
        says = [Say(id, "#general", "x" * 1000) for id in range(1, TAIL_EVENTS + 3 * CATCH_UP_BYTES // 1000)]
        for start in range(0, len(says), 500):
            ann.send(*says[start : start + 500])
            ann.said(len(says[start : start + 500]))
        before = threading.active_count()
        with silent(app, SILENT, 60_000):
            eventually(lambda: app.backlogs.own > SILENT * CATCH_UP_BYTES, "they do not get a slice")
            replayed: list[Packet] = []
            with Peer.come_in(port_of(app), "bob", lines=60_000, replayed=replayed):
                events = [packet for packet in replayed if isinstance(packet, Event)]
                assert [event.id for event in events if event.id] == [say.id for say in says]
                assert isinstance(replayed[-1], Live)
                assert threading.active_count() == before + SILENT + 1  # their handlers
                assert app.backlogs.own < SILENT * 2 * CATCH_UP_BYTES


def test_answers_that_are_not_read(app: App) -> None:
    """Who says lines in a channel that it is not in, and reads no answer, is not read any more either."""
    with Peer.enter(port_of(app), "ann") as ann, silent(app, 4) as wrong:
        data = b"".join(encode(Say(id, "#elsewhere", "x")) for id in range(1, 1001))
        push(wrong, [data], 0.4)
        talk(ann, 1, 3, "still here")
        burst = RECEIVE_LARGE * 5  # answers are longer than the lines that they answer
        assert 2 * ANSWERS_BYTES < app.backlogs.own < 4 * (ANSWERS_BYTES + 2 * burst)


def test_different_channels_and_no_reading() -> None:
    """Members in different channels have different bytes. When all together is too much, those with the most
    are told goodbye; a member that reads gets every line in order."""
    small = partial(Backlogs, shared_limit=500_000)
    with mock.patch("server.app.Backlogs", small), small_sockets(), running() as app, ExitStack() as stack:
        ann = stack.enter_context(Peer.enter(port_of(app), "ann"))
        talkers = [stack.enter_context(Peer.enter(port_of(app), f"t{n}", channel=f"#c{n}")) for n in range(6)]
        for number in range(6):
            names = ["#general", f"#c{number}"]
            stack.enter_context(come(port_of(app), f"silent{number}", 2 + number, channels=names))
        eventually(lambda: len(handlers("silent")) == 6, "they do not come in")
        for id in range(1, 41):
            for number, talker in enumerate(talkers):
                talker.send(Say(id, f"#c{number}", "y" * 1000))
            say_and_read(ann, Say(id, "#general", "x" * 20_000))
            assert app.backlogs.shared < 600_000
        eventually(lambda: len(handlers("silent")) < 6, "nobody had to go")
        for talker in talkers:
            assert [event.id for event in talker.said(40)] == list(range(1, 41))


def handlers(prefix: str) -> list[str]:
    """The members with such names that a thread handles."""
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith(f"handler {prefix}")]
