"""Attacks on names and sessions: strangers that come and go."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count

from chatroom.outcomes import Code
from chatroom.packets import Bye, Say
from tests.support.peer import Peer

ADDRESSES = 100
"""From so many addresses strangers come: 127.0.0.2 and up."""


def strangers(port: int, seconds: float) -> None:
    """Newcomers from many addresses say a line each and leave: each leaves an absent session."""
    for number in _until(seconds):
        with suppress(OSError, AssertionError), _come_in(port, f"s{number}", number % ADDRESSES) as peer:
            peer.send(Say(1, "#general", "x"), Bye(False, Code.GOODBYE, ""))
            peer.rest()


def droppers(port: int, seconds: float) -> None:
    """Newcomers from one address reset their connections: each leaves a held name."""
    for number in _until(seconds):
        with suppress(OSError, AssertionError), _come_in(port, f"d{number}", 0) as peer:
            peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _come_in(port: int, name: str, source: int) -> Peer:
    return Peer.come_in(port, name, source=f"127.0.0.{2 + source}")


def _until(seconds: float) -> Iterator[int]:
    """Numbers, until the time is over."""
    end = time.monotonic() + seconds
    for number in count(1):
        if time.monotonic() > end:
            return
        yield number
