"""Lab 13: what is for one member never reaches another one, whoever leaves and joins meanwhile."""

from __future__ import annotations

import fcntl
import os
import socket
from typing import Any

from notes.labs.stage import Actor, Scene, at_every_step
from notes.labs.subject import NotYet, Subject

SECRET = b"for ann only"


def check(subject: Subject) -> None:
    """Raise NotYet unless the file is right."""
    _plain(subject)
    at_every_step(subject, lambda: _scene(subject))
    _not_reading(subject)


def _plain(subject: Subject) -> None:
    """Without anything at the same time."""
    before = _descriptors()
    module = subject.load("join", "deliver", "leave")
    peer, client = socket.socketpair()
    module.join("ann", client)
    del client
    _act(subject, "deliver()", lambda: module.deliver("ann", SECRET))
    if _read(peer) != SECRET:
        raise NotYet("ann is there, and does not get her line")
    _act(subject, "deliver() to nobody", lambda: module.deliver("bob", SECRET))
    _act(subject, "leave()", lambda: module.leave("ann"))
    _act(subject, "deliver() to ann, who has left,", lambda: module.deliver("ann", SECRET))
    peer.setblocking(False)
    try:
        if peer.recv(100):
            raise NotYet("ann has left, and still gets lines")
    except BlockingIOError:
        raise NotYet("ann has left, and her connection is not closed") from None
    peer.close()
    if _descriptors() > before:
        raise NotYet("ann has left, and the descriptor of her socket is still open")


def _descriptors() -> int:
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return 0


def _act(subject: Subject, name: str, run: Any) -> None:
    actor = Actor(name, run, subject)
    actor.start()
    actor.end()


def _read(peer: socket.socket) -> bytes:
    try:
        return peer.recv(100, socket.MSG_DONTWAIT)
    except (BlockingIOError, ConnectionError):
        return b""


def _scene(subject: Subject) -> Scene:
    """Ann leaves and eve joins while a line for ann is delivered."""
    module = subject.load("join", "deliver", "leave")
    lower = os.open(os.devnull, os.O_RDONLY)
    ann, client = socket.socketpair()
    number = client.fileno()
    module.join("ann", client)
    del client
    eve, eves = socket.socketpair()
    os.close(
        lower
    )  # free again: the files that this thread opens to look at the others get it, and not ann's

    def change_places() -> None:
        module.leave("ann")
        copy = fcntl.fcntl(eves.fileno(), fcntl.F_DUPFD, number)  # the lowest free number from ann's on
        module.join("eve", socket.socket(fileno=copy))

    def judge(*_: object) -> None:
        heard = _read(eve)
        module.leave("eve")
        for each in (ann, eve, eves):
            each.close()
        if heard:
            raise NotYet("the line for ann has reached eve")

    return Scene(
        ("deliver() to ann", lambda: module.deliver("ann", SECRET)),
        ("leave() of ann, then join() of eve,", change_places),
        judge,
    )


def _not_reading(subject: Subject) -> None:
    """Ann does not read, and deliver() waits for her: leave() must end that."""
    module = subject.load("join", "deliver", "leave")
    peer, client = socket.socketpair()
    module.join("ann", client)
    del client
    deliver = Actor(
        "deliver() to ann, who does not read,", lambda: module.deliver("ann", bytes(1 << 22)), subject
    )
    deliver.start()
    leave = Actor("while deliver() waits for ann, leave() of ann", lambda: module.leave("ann"), subject)
    leave.start()
    leave.end()
    deliver.end()
    peer.close()
