"""The attacks. Each takes the port of a server and how many seconds it may last. All use 127.0.0.2 and up."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import NamedTuple

from chatroom.packets import Say, encode
from tests.attacks import fairness, memory, names
from tests.attacks.doors import DOORS
from tests.attacks.moderating import MODERATING
from tests.attacks.places import PLACES
from tests.attacks.screen import wall_of_text
from tests.support.peer import Peer


class Attack(NamedTuple):
    """An attack, and the options of the server that it is meant for."""

    run: Callable[[int, float], None]
    options: tuple[str, ...] = ()


def stopped_readers(port: int, seconds: float) -> None:
    """More members than the honest ones stop reading, with a small receive buffer, while one talks much."""
    sleepers = [enter(port, f"sleeper{n}", receive_buffer=4096) for n in range(8)]
    talk(enter(port, "talker"), seconds)
    del sleepers


def flooders(port: int, seconds: float) -> None:
    """One member says as many short lines as the server takes."""
    talk(enter(port, "flooder"), seconds)


def enter(port: int, name: str, source: str = "127.0.0.2", receive_buffer: int = 0) -> Peer:
    """A member from another address; it has read its greeting."""
    return Peer.come_in(port, name, source=source, receive_buffer=receive_buffer)


def talk(peer: Peer, seconds: float, lines: int = 100) -> None:
    """Say short lines without a pause. What comes is read, or the server would end who does not read."""
    end, id = time.monotonic() + seconds, 1
    peer.socket.setblocking(False)
    while time.monotonic() < end:
        data = b"".join(encode(Say(id + n, "#general", "x")) for n in range(lines))
        id += lines
        while data:
            try:
                data = data[peer.socket.send(data) :]
            except BlockingIOError:
                time.sleep(0.001)
            drain(peer.socket)


def drain(sock: socket.socket) -> None:
    """Read and drop what has come."""
    try:
        while sock.recv(1 << 20):
            pass
    except BlockingIOError:
        pass


ATTACKS: dict[str, Attack] = {
    "stopped-readers": Attack(stopped_readers),
    "flooder": Attack(flooders),
    "slow-readers": Attack(fairness.slow_readers),
    "rejoining-readers": Attack(fairness.rejoining_readers),
    "eight-flooders": Attack(fairness.eight_flooders),
    "eight-ponging": Attack(fairness.eight_ponging),
    "eight-pinging": Attack(fairness.eight_pinging),
    "eight-commanding": Attack(fairness.eight_commanding),
    "eight-refused": Attack(fairness.eight_refused),
    **{name: Attack(run, options) for name, (run, options) in DOORS.items()},
    "silent-joins": Attack(memory.silent_joins),
    "unread-answers": Attack(memory.unread_answers),
    "channel-sets": Attack(memory.channel_sets),
    "trickling-readers": Attack(memory.trickling_readers),
    "replays": Attack(memory.replays),
    "strangers": Attack(names.strangers),
    "droppers": Attack(names.droppers),
    **{name: Attack(run) for name, run in PLACES.items()},
    **{name: Attack(run) for name, run in MODERATING.items()},
    "wall-of-text": Attack(wall_of_text),
}
