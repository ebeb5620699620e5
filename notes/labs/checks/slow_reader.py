"""Lab 04: nobody waits for a member that does not read, and what waits for that member is bounded."""

from __future__ import annotations

import socket
import threading
from typing import Any

from notes.labs.stage import Actor, eventually
from notes.labs.subject import NotYet, Subject

COUNT = 300
"""Lines, of 1000 bytes: far more than the small buffers below, far less than MOST."""

MOST = 4 << 20
"""Bytes that may wait for one member. The page asks for one MiB; this leaves room for other ways."""


class Reader:
    """A member that reads whatever comes, in a thread."""

    def __init__(self, peer: socket.socket) -> None:
        self.data = bytearray()
        self.ended = False
        threading.Thread(target=self._read, args=(peer,), daemon=True).start()

    def _read(self, peer: socket.socket) -> None:
        try:
            while data := peer.recv(1 << 16):
                self.data += data
        except OSError:
            pass  # it was cut off
        self.ended = True


def check(subject: Subject) -> None:
    """Raise NotYet unless the file is right."""
    module = subject.load("join", "leave", "broadcast")
    before = set(threading.enumerate())
    slow, slows = _member(module, subject)
    bob, bobs = _member(module, subject)
    reader = Reader(bob)
    lines = [f"{number:0999}\n".encode() for number in range(COUNT)]
    _talk(subject, module, lines, "while slow does not read, broadcast()")
    _expect(reader, lines, "bob")
    _come_and_go(subject, module)
    _late(slow, lines)
    _act(subject, "leave() of slow", lambda: module.leave(slows))
    _bounded(subject, module)
    _act(subject, "leave() of bob", lambda: module.leave(bobs))
    slow.close()
    eventually(lambda: reader.ended, "bob has left, and his connection is still open")
    bob.close()
    eventually(
        lambda: len(set(threading.enumerate()) - before) == 0, "everybody has left; a thread is left over"
    )


def _member(module: Any, subject: Subject) -> tuple[socket.socket, socket.socket]:
    """A member: its end, and the server's end, whose buffer is small."""
    peer, client = socket.socketpair()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    _act(subject, "join()", lambda: module.join(client))
    return peer, client


def _act(subject: Subject, name: str, run: Any) -> None:
    actor = Actor(name, run, subject)
    actor.start()
    actor.end()


def _talk(subject: Subject, module: Any, lines: list[bytes], name: str) -> None:
    def talk() -> None:
        for line in lines:
            module.broadcast(line)

    _act(subject, name, talk)


def _expect(reader: Reader, lines: list[bytes], name: str) -> None:
    whole = b"".join(lines)
    try:
        eventually(lambda: len(reader.data) >= len(whole), "")
    except NotYet:
        count = len(reader.data) // len(lines[0])
        raise NotYet(f"{name} reads, and has got {count} of {len(lines)} lines") from None
    if reader.data != whole:
        raise NotYet(f"{name} has got the lines in another order, or damaged")


def _come_and_go(subject: Subject, module: Any) -> None:
    """Somebody can join, hear a line, and leave, while slow does not read."""
    carol, carols = _member(module, subject)
    reader = Reader(carol)
    _talk(subject, module, [b"hello\n"], "broadcast()")
    _expect(reader, [b"hello\n"], "carol, who has just joined,")
    _act(subject, "leave() of carol", lambda: module.leave(carols))
    eventually(lambda: reader.ended, "carol has left, and her connection is still open")
    carol.close()


def _late(slow: socket.socket, lines: list[bytes]) -> None:
    """Slow reads at last: the lines from the first on, whole and in order, up to wherever it was cut off."""
    reader = Reader(slow)
    whole = b"".join(lines) + b"hello\n"
    eventually(
        lambda: reader.ended or len(reader.data) >= len(whole), "slow reads now, and does not get its lines"
    )
    if not whole.startswith(reader.data):
        raise NotYet("slow reads now, and gets lines in another order, or damaged")


def _bounded(subject: Subject, module: Any) -> None:
    """A member that never reads is disconnected before it costs much memory."""
    never, _ = _member(module, subject)
    line = b"x" * 65_535 + b"\n"
    _talk(subject, module, [line] * (2 * MOST // len(line)), "broadcast()")
    reader = Reader(never)
    bound = MOST >> 20
    eventually(
        lambda: reader.ended or len(reader.data) > MOST,
        f"somebody reads nothing while {2 * bound} MiB are said, and is still connected",
    )
    if len(reader.data) > MOST:
        raise NotYet(
            f"somebody reads nothing; more than {bound} MiB have waited, and nothing has bounded that"
        )
    never.close()
