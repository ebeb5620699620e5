"""Lab 06: all members get all lines in the same order."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from notes.labs.stage import Actor, Scene, at_every_step, eventually
from notes.labs.starts import at_every_step_of_started
from notes.labs.subject import NotYet, Subject

LINES = (b"ann\n", b"bob\n")


def check(subject: Subject) -> None:
    """Raise NotYet unless the file is right."""
    at_every_step(subject, lambda: _scene(subject))
    at_every_step_of_started(
        subject, lambda: _started(subject), ["the thread that broadcast() has started", "the second one"]
    )


def _started(subject: Subject) -> Callable[[], None]:
    """Two handlers speak; what sends is a thread that broadcast() has started, perhaps."""
    scene = _scene(subject)
    actors = [Actor(*each, subject) for each in (scene.first, scene.second)]
    for actor in actors:
        actor.start()

    def judge() -> None:
        for actor in actors:
            actor.end()
        scene.judge(None, None)

    return judge


def _scene(subject: Subject) -> Scene:
    """Two handlers speak; three members listen."""
    module: Any = subject.load("broadcast")
    peers = {}
    for name in ("carol", "dave", "erin"):
        peers[name], client = socket.socketpair()
        module.clients.append(client)
    ann, bob = LINES

    def judge(*_: object) -> None:
        heard = {name: _hear(name, peer) for name, peer in peers.items()}
        for each in (*peers.values(), *module.clients):
            each.close()
        carols = heard.pop("carol")
        for name, what in heard.items():
            if what != carols:
                raise NotYet(f"carol reads {_words(carols)}, {name} reads {_words(what)}")

    return Scene(
        ("broadcast() for ann", lambda: module.broadcast(ann)),
        ("broadcast() for bob", lambda: module.broadcast(bob)),
        judge,
    )


def _hear(name: str, peer: socket.socket) -> bytes:
    """Both lines, in the order in which they come."""
    size = sum(map(len, LINES))
    data = b""

    def complete() -> bool:
        nonlocal data
        try:
            data += peer.recv(100, socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass  # nothing new
        return len(data) >= size

    eventually(complete, f"{name} does not get both lines")
    return data


def _words(data: bytes) -> str:
    return " and ".join(data.decode().split())
