"""Attacks on the others' time: readers that do not read, and connections that never stop sending."""

from __future__ import annotations

import itertools
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import cast

from chatroom.packets import Command, Ping, Pong, Say, encode
from tests.support.peer import Peer

FLOODERS = 8
CROWD = 86
"""Members that only read: with the stage's six honest members and FLOODERS they are a hundred."""
SLOW = 32 * 1024
"""Bytes a second of a slow reader."""

Flood = Callable[[], Iterator[bytes]]


def slow_readers(port: int, seconds: float) -> None:
    """More members than the honest ones read 32 KB/s each, while one talks much."""
    with ExitStack() as stack:
        slow = _enter(stack, port, "slow", FLOODERS, receive_buffer=4096)
        storm(_enter(stack, port, "talker", 1), [], _each(_lines, "x" * 1000), seconds, slow)


def rejoining_readers(port: int, seconds: float) -> None:
    """Connections that ask for the whole tail, do not read it, and come again, while one talks."""
    end = time.monotonic() + seconds
    with ExitStack() as stack:
        talkers, lines = _enter(stack, port, "talker", 1), _lines("x" * 2000)
        storm(talkers, [], lambda: lines, min(1.0, seconds / 4))
        for number in itertools.count():
            if (left := end - time.monotonic()) < 0:
                return
            with ExitStack() as visit:
                for n in range(FLOODERS):
                    visit.enter_context(_connect(port, f"again{number}x{n}"))
                storm(talkers, [], lambda: lines, min(2.0, left))


def eight_flooders(port: int, seconds: float) -> None:
    """Eight of a hundred members say short lines as fast as the server takes them."""
    _among_a_crowd(port, seconds, _each(_lines, "x"))


def eight_ponging(port: int, seconds: float) -> None:
    """Eight of a hundred members send nothing but PONG."""
    _among_a_crowd(port, seconds, lambda: itertools.repeat(encode(Pong(0)) * 2000))


def eight_pinging(port: int, seconds: float) -> None:
    """Eight of a hundred members send nothing but PING, and read what comes."""
    _among_a_crowd(port, seconds, lambda: itertools.repeat(encode(Ping(0)) * 2000))


def eight_commanding(port: int, seconds: float) -> None:
    """Eight of a hundred members ask who is there, again and again."""
    _among_a_crowd(port, seconds, lambda: itertools.repeat(encode(Command(1, "#general", "/who")) * 500))


def eight_refused(port: int, seconds: float) -> None:
    """Eight of a hundred members say lines to a channel that they are not in."""
    _among_a_crowd(port, seconds, _each(_lines, "x", "#elsewhere"))


def _among_a_crowd(port: int, seconds: float, flood: Flood) -> None:
    with ExitStack() as stack:
        crowd = _enter(stack, port, "reader", CROWD)
        storm(_enter(stack, port, "flooder", FLOODERS), crowd, flood, seconds)


def _each(make: Callable[..., Iterator[bytes]], *arguments: str) -> Flood:
    return lambda: make(*arguments)


def _enter(stack: ExitStack, port: int, name: str, count: int, receive_buffer: int = 0) -> list[Peer]:
    """So many members; they hang up at the end of `stack`."""
    come_in = partial(Peer.come_in, port, source="127.0.0.2", receive_buffer=receive_buffer)
    return [stack.enter_context(come_in(name=f"{name}{n}")) for n in range(count)]


def _connect(port: int, name: str) -> Peer:
    """A member that has asked for the whole tail, and reads no more than its WELCOME."""
    peer = Peer.connect(port, None, "127.0.0.2", 4096)
    peer.ask(name)
    offer = peer.take_port()
    peer.close()
    peer = Peer.connect(port, offer.number, "127.0.0.2", 4096)
    peer.admit(name, offer.ticket, lines=2048)
    return peer


def _lines(text: str, channel: str = "#general") -> Iterator[bytes]:
    """Lines with rising ids, a hundred in each piece."""
    for first in itertools.count(1, 100):
        yield b"".join(encode(Say(first + n, channel, text)) for n in range(100))


def storm(
    talkers: list[Peer], readers: list[Peer], flood: Flood, seconds: float, slow: list[Peer] | None = None
) -> None:
    """The talkers send what `flood` gives, as fast as the server takes it; all but `slow` read everything."""
    selector = selectors.DefaultSelector()
    floods: dict[socket.socket, Iterator[bytes]] = {peer.socket: flood() for peer in talkers}
    waiting: dict[socket.socket, memoryview] = {sock: memoryview(b"") for sock in floods}
    for peer in talkers + readers:
        peer.socket.setblocking(False)
        write = selectors.EVENT_WRITE if peer.socket in floods else 0
        selector.register(peer.socket, selectors.EVENT_READ | write)
    for peer in slow or ():
        peer.socket.setblocking(False)
    buffer, began = bytearray(1 << 20), time.monotonic()
    read = {peer.socket: 0 for peer in slow or ()}
    while (now := time.monotonic()) < began + seconds:
        for sock, taken in read.items():
            if taken < (now - began) * SLOW:
                read[sock] += _receive(sock, bytearray(4096))
        for key, ready in selector.select(0.01):
            sock = cast(socket.socket, key.fileobj)
            if ready & selectors.EVENT_READ and not _receive(sock, buffer):
                selector.unregister(sock)  # the server has hung up
                continue
            if ready & selectors.EVENT_WRITE:
                data = waiting[sock] or memoryview(next(floods[sock]))
                try:
                    waiting[sock] = data[sock.send(data) :]
                except OSError:
                    selector.unregister(sock)  # the server has hung up
    selector.close()


def _receive(sock: socket.socket, buffer: bytearray) -> int:
    """Read what has come; how many bytes, 0 at the end of the stream, at least 1 otherwise."""
    try:
        return sock.recv_into(buffer)
    except BlockingIOError:
        return 1
    except OSError:
        return 0
