"""Lab 01: what one recv() gives is taken for one message.

python3 notes/labs/01_no_framing/no_framing.py
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

clients: list[socket.socket] = []
shown: list[str] = []


def messages(client: socket.socket) -> Iterator[str]:
    """The messages of a client, until it leaves. Each ends with a line end, which is not part of it."""
    rest = b""
    while data := client.recv(1024):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            yield line.decode()


def handle(client: socket.socket) -> None:
    """The thread of one client."""
    for message in messages(client):
        shown.append(message)
        for other in clients:
            other.sendall(message.encode() + b"\n")
    clients.remove(client)
    client.close()
