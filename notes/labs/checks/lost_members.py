"""Lab 03: who has joined is in the list, and who has left is not, whatever happens at the same time."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from notes.labs.stage import Actor, Scene, at_every_step
from notes.labs.subject import NotYet, Subject
from notes.labs.vector import in_steps


class Room:
    """Three clients: carol and dave are there from the beginning. Who hears what tells who is in the list."""

    def __init__(self, subject: Subject) -> None:
        self.module: Any = subject.load("join", "leave", "broadcast")
        in_steps(self.module)
        self.peers: dict[str, socket.socket] = {}
        self.clients: dict[str, socket.socket] = {}
        for name in ("carol", "dave", "ann", "bob"):
            self.peers[name], self.clients[name] = socket.socketpair()
        self.join("carol")
        self.join("dave")

    def join(self, name: str) -> None:
        """Let somebody join."""
        self.module.join(self.clients[name])

    def leave(self, name: str) -> None:
        """Let somebody leave."""
        self.module.leave(self.clients[name])

    def expect(self, *names: str) -> None:
        """Say something: exactly these must hear it, once."""
        self.module.broadcast(b"x")
        self.judge(*names)

    def judge(self, *names: str) -> None:
        """Exactly these must have heard one thing."""
        heard = {name: _heard(peer) for name, peer in self.peers.items()}
        for each in (*self.peers.values(), *self.clients.values()):
            each.close()
        for name, what in heard.items():
            if name in names and not what:
                raise NotYet(f"afterwards {name} is in the room and hears nothing")
            if name not in names and what:
                raise NotYet(f"afterwards {name} is not in the room and hears something")
            if len(what) > 1:
                raise NotYet(f"afterwards {name} hears everything twice")


def _heard(peer: socket.socket) -> bytes:
    try:
        return peer.recv(100, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return b""


def check(subject: Subject) -> None:
    """Raise NotYet unless the file is right."""
    room = Room(subject)
    room.join("ann")
    room.leave("carol")
    room.expect("dave", "ann")
    _after_an_error(subject)

    def joins(name: str) -> Callable[[Room], tuple[str, Callable[[], object]]]:
        return lambda room: (f"join() of {name}", lambda: room.join(name))

    def leaves(name: str) -> Callable[[Room], tuple[str, Callable[[], object]]]:
        return lambda room: (f"leave() of {name}", lambda: room.leave(name))

    for first, second, there in (
        (joins("ann"), joins("bob"), ("carol", "dave", "ann", "bob")),
        (joins("ann"), leaves("carol"), ("dave", "ann")),
        (leaves("carol"), joins("ann"), ("dave", "ann")),
        (leaves("carol"), leaves("dave"), ()),
    ):

        def scene(first: Any = first, second: Any = second, there: Any = there) -> Scene:
            room = Room(subject)
            return Scene(first(room), second(room), lambda *_: room.expect(*there))

        at_every_step(subject, scene)
    at_every_step(subject, lambda: _loop(subject))


def _after_an_error(subject: Subject) -> None:
    """Somebody leaves who is not there: whatever that does, it keeps no lock."""
    room = Room(subject)
    with suppress(Exception):
        room.leave("ann")
    bob = Actor(
        "leave() of somebody who is not in the room has failed; afterwards join() of bob",
        lambda: room.join("bob"),
        subject,
    )
    bob.start()
    bob.end()
    room.expect("carol", "dave", "bob")


def _loop(subject: Subject) -> Scene:
    """Carol leaves during a broadcast: whether she hears it does not matter, but the others must."""
    room = Room(subject)
    room.join("ann")
    speak = ("broadcast()", lambda: room.module.broadcast(b"x"))

    def judge(*_: object) -> None:
        _heard(room.peers.pop("carol"))
        room.judge("dave", "ann")

    return Scene(speak, ("leave() of carol", lambda: room.leave("carol")), judge)
