"""Lab 09: whoever comes first to the new port is let in.

python3 notes/labs/09_no_ticket/no_ticket.py
"""

from __future__ import annotations

import secrets
import selectors
import socket
import threading
from collections.abc import Iterable

TICKET_BYTES = 16


def admit(listener: socket.socket, ticket: bytes) -> socket.socket:
    """Wait at the new port for the newcomer that was sent there; its connection.

    The newcomer sends the ticket first. Whoever else comes is disconnected. Nobody is waited for alone: so a
    stranger who says nothing does not keep the newcomer out.
    """
    shown: dict[socket.socket, bytes] = {}  # what each guest has shown so far
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is listener:
                    guest, _ = listener.accept()
                    selector.register(guest, selectors.EVENT_READ)
                    shown[guest] = b""
                    continue
                guest = next(each for each in shown if each is key.fileobj)
                data = hear(guest, len(ticket) - len(shown[guest]))
                shown[guest] += data
                if secrets.compare_digest(shown[guest], ticket):
                    disconnect(each for each in shown if each is not guest)
                    return guest
                if not data or len(shown[guest]) == len(ticket):
                    selector.unregister(guest)
                    del shown[guest]
                    disconnect([guest])


def hear(guest: socket.socket, size: int) -> bytes:
    """What a guest has sent, and not more than its ticket; nothing when it has gone."""
    try:
        return guest.recv(size)
    except OSError:
        return b""


def disconnect(guests: Iterable[socket.socket]) -> None:
    """Close these connections."""
    for guest in guests:
        guest.close()


def lead(lobby: socket.socket) -> None:
    """The thread of one newcomer: send it to a new port, wait there, and let it in."""
    ticket = secrets.token_bytes(TICKET_BYTES)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        lobby.sendall(port.to_bytes(2, "big") + ticket)
        lobby.close()
        with admit(listener, ticket) as client:
            client.sendall(b"welcome, ann! The code of the door is 4711")
