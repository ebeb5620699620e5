"""A connection that has ended leaves nothing for the garbage collector.

It looks seldom (`GC_OBJECTS`), and for objects that have lived through one look it looks ten times as seldom:
thousands of ended connections would wait in memory, each with its buffers.
"""

from __future__ import annotations

import gc
import logging
import socket
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from chatroom.outcomes import Code
from chatroom.packets import NO_TOKEN, VERSION, Admit, Bye, Command, Hello, Say, Username, Welcome, encode
from server.app import App
from tests.end_to_end.in_process import port_of, running
from tests.support.patience import eventually
from tests.support.peer import Peer

TIMES = 3


def goodbye(port: int, name: str) -> None:
    """Talks, asks, says goodbye, and waits until the server hangs up."""
    with Peer.enter(port, name) as peer:
        peer.send(Say(1, "#general", "hello"), Command(2, "#general", "/who"))
        peer.send(Bye(False, Code.GOODBYE, ""))
        peer.rest()


def hang_up(port: int, name: str) -> None:
    """Closes without a word."""
    Peer.enter(port, name).close()


def reset(port: int, name: str) -> None:
    """Its machine has crashed: the server's next bytes are answered by a reset."""
    with Peer.enter(port, name) as peer:
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def half_a_handshake(port: int, name: str) -> None:
    """Leaves after its name was given."""
    with Peer.connect(port) as peer:
        peer.ask(name)


def stranger_at_the_port(port: int, name: str) -> None:
    """Somebody without the ticket comes to the port, and then the one who has it."""
    with Peer.connect(port) as peer:
        peer.ask(name)
        offer = peer.take_port()
        with Peer.connect(port, offer.number) as other:
            other.send(Admit(name, bytes(16), ("#general",), 0, 0, bytes(16), 0))
            other.rest()
            with Peer.connect(port, offer.number) as owner:
                owner.send(Admit(name, offer.ticket, ("#general",), 0, 0, bytes(16), 0))
                owner.expect(Welcome)


def taken_name(port: int, name: str) -> None:
    """Asks for a name that somebody has, and leaves."""
    with Peer.enter(port, name), Peer.connect(port) as peer:
        peer.ask(name)


def nonsense(port: int, name: str) -> None:
    """Is no client at all."""
    with Peer.connect(port) as peer:
        peer.socket.sendall(b"GET / HTTP/1.1\r\n\r\n")
        peer.rest()


def wrong_packet(port: int, name: str) -> None:
    """A member sends what no member may."""
    with Peer.enter(port, name) as peer:
        peer.send(Username(name, NO_TOKEN))
        peer.rest()


def broken_packet(port: int, name: str) -> None:
    """A member sends what is no packet."""
    with Peer.enter(port, name) as peer:
        peer.socket.sendall(encode(Say(1, "#general", "x"))[:-1] + bytes(64))
        peer.rest()


def old_version(port: int, name: str) -> None:
    """Speaks another version."""
    with Peer.connect(port) as peer:
        peer.send(Hello(VERSION + 1, "test"))
        peer.rest()


def taken_over(port: int, name: str) -> None:
    """Comes back while its first connection still seems to live."""
    with Peer.enter(port, name) as first:
        first.send(Say(1, "#general", "hello"))
        with Peer.come_in(port, name, token=first.welcome.token):
            first.rest()


WAYS = (
    *(goodbye, hang_up, reset, half_a_handshake, stranger_at_the_port, taken_name, nonsense, wrong_packet),
    *(broken_packet, old_version, taken_over),
)


@pytest.fixture(scope="module")
def app() -> Iterator[App]:
    logging.disable()  # pytest keeps each record, with the error that it is about
    with running() as app:
        yield app
    logging.disable(logging.NOTSET)


@contextmanager
def garbage() -> Iterator[Counter[str]]:
    """What only the garbage collector frees of what was made meanwhile, by class: of our own, and sockets."""
    found: Counter[str] = Counter()
    gc.collect()
    gc.disable()
    try:
        yield found
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        for one in gc.garbage:
            kind = type(one)
            if kind.__module__.partition(".")[0] in ("chatroom", "server", "socket"):
                found[f"{kind.__module__}.{kind.__qualname__}"] += 1
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
        gc.collect()


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_left_of_a_connection(app: App, way: Callable[[int, str], None]) -> None:
    """However it has ended."""
    port, reaper = port_of(app), app.chatroom.reaper

    def is_over() -> bool:
        reaper.reap()
        return not [name for name in reaper.names if name.startswith(("connection", "handler"))]

    eventually(is_over, "a thread of another test goes on")
    with garbage() as found:
        for number in range(TIMES):
            way(port, f"{way.__name__[:12]}{number}")
        eventually(is_over, "a thread goes on")
    assert found == {}
