"""Lab 01: messages() gives the messages, however the network cuts the bytes into pieces."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from itertools import chain, repeat

from notes.labs.stage import Actor
from notes.labs.subject import NotYet, Subject

LATIN = ["hello", "how are you?", "fine"]
ODD = ["  indented ", "a\rb", "a\r", "a\x0bb\x85c\u2028d"]
OTHER = ["grüß dich", "你好", "🙂"]


class Pieces(socket.socket):
    """A socket whose recv() gives its bytes in pieces of these sizes, as a network may; then one by one."""

    def cut(self, sizes: Sequence[int]) -> None:
        """Say how large the pieces are."""
        self._sizes = chain(sizes, repeat(1))
        self._left = 0

    def _most(self, size: int) -> int:
        while not self._left:
            self._left = next(self._sizes)
        return min(size, self._left)

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """As of a socket."""
        data = super().recv(self._most(size), flags)
        self._left -= len(data)
        return data

    def recv_into(self, buffer: bytearray, size: int = 0, flags: int = 0) -> int:  # type: ignore[override]
        """As of a socket; makefile() uses it."""
        count = super().recv_into(buffer, self._most(size or len(buffer)), flags)
        self._left -= count
        return count


def check(subject: Subject) -> None:
    """Raise NotYet unless the file is right."""
    whole = len(_bytes(LATIN))
    _try(subject, LATIN, [whole], "when they come together")
    _try(subject, LATIN, [len(each) + 1 for each in LATIN], "when they come one by one")
    for at in range(1, whole):
        _try(subject, LATIN, [at, whole - at], f"when they come in two pieces, cut after {at} bytes")
    _try(subject, OTHER, [], "when each byte comes alone")
    _try(subject, ["", "a", "", ""], [3, 2], "with empty ones among them")
    _try(subject, ODD, [], "with blanks, and with what is a line end for others")
    _at_once(subject)
    long = ["x" * 5000, "y" * 70_000]
    _try(subject, long, [100_000], "when they are long")


def _bytes(messages: list[str]) -> bytes:
    return "".join(message + "\n" for message in messages).encode()


def _try(subject: Subject, sent: list[str], sizes: Sequence[int], how: str) -> None:
    module = subject.load("messages")
    here, there = socket.socketpair()
    with Pieces(fileno=there.detach()) as client, here:
        client.cut(sizes)
        sender = Actor("the sender", lambda: _send(here, _bytes(sent)), subject)
        sender.thread.start()
        reader = Actor("messages()", lambda: list(module.messages(client)), subject)
        reader.start()
        sender.end()
        got = reader.end()
    if got != sent:
        raise NotYet(f"{how}, {_short(sent)} become {_short(got)}")


def _at_once(subject: Subject) -> None:
    """A message that is complete does not wait until the next one is."""
    module = subject.load("messages")
    here, there = socket.socketpair()
    got: list[str] = []
    with there, here:
        here.sendall(b"hello\nhow")
        reader = Actor("messages()", lambda: got.extend(module.messages(there)), subject)
        reader.start()
        if got != ["hello"]:
            raise NotYet(f"'hello' has come, and a half of 'how are you?'; so far this gives {got}")
        here.sendall(b" are you?\n")
        here.shutdown(socket.SHUT_WR)
        reader.end()


def _send(here: socket.socket, data: bytes) -> None:
    with here:
        here.sendall(data)


def _short(messages: object) -> str:
    text = repr(messages)
    return text if len(text) < 100 else text[:97] + "..."
