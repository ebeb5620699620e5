"""Lab 11: close() returns, and nothing of the server is left: no thread, no socket."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from notes.labs.stage import Actor, Scene, Stop, at_every_step, eventually, rest
from notes.labs.subject import NotYet, Subject

MUCH = 1 << 26
"""Bytes: more than the buffers of some connections hold."""


class Site:
    """A server of the reader's file, with its clients."""

    def __init__(self, subject: Subject) -> None:
        self.threads = set(threading.enumerate())
        self.descriptors = _descriptors()
        self.subject = subject
        self.server: Any = subject.load("Server").Server()
        self.peers: list[socket.socket] = []

    def connect(self, stopped: Callable[[], bool] = lambda: False) -> socket.socket:
        """A client, whose handler waits in recv(), or whose way there is `stopped`."""
        peer = socket.create_connection(("127.0.0.1", self.server.port))
        self.peers.append(peer)
        peer.settimeout(5)
        self.rest(stopped)
        return peer

    def rest(self, stopped: Callable[[], bool] = lambda: False) -> None:
        """Wait until every thread of the server waits."""
        for thread in set(threading.enumerate()) - self.threads - {threading.current_thread()}:
            rest(thread, stopped)

    def close(self) -> None:
        """Close the server."""
        closer = Actor("close()", self.server.close, self.subject)
        closer.start()
        closer.end()
        self.judge()

    def judge(self) -> None:
        """After close(), nothing may be left."""
        left = [thread for thread in set(threading.enumerate()) - self.threads if not _ends(thread)]
        for peer in self.peers:
            peer.close()
        if left:
            raise NotYet(f"close() has returned, and {len(left)} of the server's threads still live")
        try:
            socket.create_connection(("127.0.0.1", self.server.port)).close()
            raise NotYet("close() has returned, and the server still listens")
        except ConnectionError:
            pass  # as it should be
        eventually(
            lambda: _descriptors() <= self.descriptors,
            "close() has returned, and a socket of the server is still open",
        )


def _descriptors() -> int:
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return 0


def _ends(thread: threading.Thread) -> bool:
    """Whether it has ended, or is a thread of ours that ends now."""
    if thread.name.startswith("check"):
        thread.join(5)
    return not thread.is_alive()


def check(subject: Subject) -> None:
    """Raise NotYet unless the file is right."""
    _play(subject, "nobody is there", lambda site: None)
    _play(subject, "ann is there and says nothing", _silent)
    _play(subject, "ann has left, and bob is there", _one_has_left)
    _play(subject, "ann does not read, and bob's handler waits for her", _not_reading)
    at_every_step(subject, lambda: _newcomer(subject))
    _half_accepted(subject)


def _play(subject: Subject, what: str, prepare: Any) -> None:
    site = Site(subject)
    prepare(site)
    site.rest()
    try:
        site.close()
    except NotYet as problem:
        raise NotYet(f"{what}: {problem}") from None


def _silent(site: Site) -> None:
    """Ann's handler has answered her once, and waits."""
    ann = site.connect()
    ann.sendall(b"hello")
    if ann.recv(100) != b"hello":
        raise NotYet("ann does not hear what she says")


def _one_has_left(site: Site) -> None:
    site.connect().close()
    bob = site.connect()
    bob.sendall(b"hello")
    if bob.recv(100) != b"hello":
        raise NotYet("bob does not hear what he says")


def _not_reading(site: Site) -> None:
    site.connect()
    bob = site.connect()

    def talk() -> None:
        try:
            bob.sendall(bytes(MUCH))
        except OSError:
            pass  # the server has ended

    threading.Thread(target=talk, name="check: bob talks", daemon=True).start()


def _newcomer(subject: Subject) -> Scene:
    """Somebody comes while the server ends."""
    site = Site(subject)
    site.connect()

    def come() -> None:
        try:
            site.connect().sendall(b"hello")
        except OSError:
            pass  # refused

    def then(close: Actor, newcomer: Actor) -> None:
        newcomer.end()
        close.end()

    close = ("close()", site.server.close)
    return Scene(close, ("a newcomer", come), lambda *_: site.judge(), then)


@contextmanager
def _stopping(stop: Stop) -> Iterator[None]:
    """The first thread that is started meanwhile stops there: the one that accepts."""
    run = threading.Thread.run

    def stopping_run(self: threading.Thread) -> None:
        threading.Thread.run = run  # type: ignore[method-assign]
        stop.run(lambda: run(self))

    threading.Thread.run = stopping_run  # type: ignore[method-assign]
    try:
        yield
    finally:
        threading.Thread.run = run  # type: ignore[method-assign]


def _half_accepted(subject: Subject) -> None:
    """Somebody has come; the server ends while its accepting thread stands at any step that follows."""
    for step in count(1):
        stop = Stop(subject, 0)
        with _stopping(stop):
            site = Site(subject)
        site.rest()
        stop.arm(step)
        site.connect(stop.stands)
        close = Actor("close()", site.server.close, subject)
        close.start()
        stop.go_on()
        try:
            close.end()
            site.judge()
        except NotYet as problem:
            if not stop.line:
                raise
            raise NotYet(
                f"while the accepting thread stands at {subject.place(stop.line)}, close() runs: {problem}"
            ) from None
        if not stop.line:
            return
