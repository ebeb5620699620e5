"""Lab 02: recv() gives nothing, and the handler asks again.

python3 notes/labs/02_recv_of_nothing/recv_of_nothing.py
"""

from __future__ import annotations

import socket
import threading
import time

clients: list[socket.socket] = []


def broadcast(line: bytes) -> None:
    """Send a line to everybody."""
    for client in clients:
        client.sendall(line)


def handle(client: socket.socket) -> None:
    """The thread of one client."""
    clients.append(client)
    rest = b""
    try:
        while data := receive(client):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                broadcast(line + b"\n")
    except OSError:
        pass  # the connection was cut: the end, too
    finally:
        clients.remove(client)
        client.close()
