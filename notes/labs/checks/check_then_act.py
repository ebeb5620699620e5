"""Lab 07: a name is given to one, and a newcomer that says nothing keeps nobody waiting."""

from __future__ import annotations

import socket
from typing import Any

from notes.labs.stage import Actor, Scene, at_every_step
from notes.labs.subject import NotYet, Subject


def check(subject: Subject) -> None:
    """Raise NotYet unless the file is right."""
    at_every_step(subject, lambda: _scene(subject, "ann", "ann"))
    at_every_step(subject, lambda: _scene(subject, "ann", "bob"))
    _silent(subject)
    _not_reading(subject)


def _newcomer(name: str) -> tuple[socket.socket, socket.socket]:
    peer, client = socket.socketpair()
    if name:
        peer.sendall(name.encode() + b"\n")
    return peer, client


def _scene(subject: Subject, *wanted: str) -> Scene:
    """Two newcomers ask at the same time."""
    module: Any = subject.load("welcome")
    peers, clients = zip(*map(_newcomer, wanted), strict=True)

    def judge(*names: object) -> None:
        told = [_told(peer) for peer in peers]
        owners = dict(module.names)
        for name, answer in zip(names, told, strict=True):
            if (answer == "pass") != (name is not None):
                raise NotYet(f"welcome() returns {name!r}, and the newcomer is told {answer!r}")
        for each in (*peers, *clients):
            each.close()
        if told.count("pass") != len(set(wanted)):
            both = "both of them" if told.count("pass") else "none of them"
            raise NotYet(f"two ask for {' and '.join(wanted)}, and {both} is told pass")
        for client, name in zip(clients, names, strict=True):
            if name is not None and owners.get(name) is not client:
                raise NotYet(f"{name} is told pass, and names does not lead to that client")

    return Scene(
        ("the first newcomer's welcome()", lambda: module.welcome(clients[0])),
        ("the second one's", lambda: module.welcome(clients[1])),
        judge,
    )


def _told(peer: socket.socket) -> str:
    try:
        return peer.recv(100, socket.MSG_DONTWAIT).decode().strip()
    except BlockingIOError:
        raise NotYet("a newcomer is told neither pass nor fail") from None


def _silent(subject: Subject) -> None:
    """One newcomer does not say its name; another one does."""
    module = subject.load("welcome")
    quiet_peer, quiet_client = _newcomer("")
    peer, client = _newcomer("bob")
    silent = Actor("welcome() of a silent newcomer", lambda: module.welcome(quiet_client), subject)
    silent.start()
    bob = Actor(
        "while another newcomer says nothing, welcome() of bob", lambda: module.welcome(client), subject
    )
    bob.start()
    bob.end()
    quiet_peer.sendall(b"carol\n")
    silent.end()
    for each in (peer, client, quiet_peer, quiet_client):
        each.close()


def _not_reading(subject: Subject) -> None:
    """One newcomer does not read, and what it is told does not fit into its connection any more."""
    module = subject.load("welcome")
    full_peer, full_client = _newcomer("carol")
    peer, client = _newcomer("bob")
    full_client.setblocking(False)
    try:
        while True:
            full_client.send(bytes(4096))
    except BlockingIOError:
        full_client.setblocking(True)
    slow = Actor("welcome() of a newcomer that does not read", lambda: module.welcome(full_client), subject)
    slow.start()
    bob = Actor(
        "while another newcomer does not read, welcome() of bob", lambda: module.welcome(client), subject
    )
    bob.start()
    bob.end()
    for each in (full_peer, full_client, peer, client):
        each.close()
