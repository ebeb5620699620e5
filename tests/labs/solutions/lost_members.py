"""Lab 03: two people join at the same moment, and one of them is lost.

python3 notes/labs/03_lost_members/lost_members.py
"""

from __future__ import annotations

import socket
import threading

# Guards clients: from reading the list to writing the new one.
lock = threading.Lock()
clients: list[socket.socket] = []


def join(client: socket.socket) -> None:
    """Add a client. broadcast() goes through the old list undisturbed, because this makes a new one."""
    global clients
    with lock:
        everybody = list(clients)
        moment()
        everybody.append(client)
        clients = everybody


def leave(client: socket.socket) -> None:
    """Remove a client."""
    global clients
    with lock:
        everybody = list(clients)
        moment()
        everybody.remove(client)
        clients = everybody


def broadcast(line: bytes) -> None:
    """Send a line to everybody."""
    with lock:
        everybody = clients  # never changed, only replaced: so no copy is needed
    for client in everybody:
        client.sendall(line)
