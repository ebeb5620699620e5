"""Lab 07: two people ask for one name at the same moment, and both get it.

python3 notes/labs/07_check_then_act/check_then_act.py
"""

from __future__ import annotations

import socket
import threading

# Guards names: from the look to the entry.
lock = threading.Lock()
names: dict[str, socket.socket] = {}


def welcome(client: socket.socket) -> str | None:
    """Ask a newcomer for its name; the name if it gets it, None if the name is taken."""
    name = client.recv(100).decode().strip()  # one recv for one name: lab 01 says what is wrong with that
    with lock:
        is_free = name not in names
        if is_free:
            moment()
            names[name] = client
    client.sendall(b"pass\n" if is_free else b"fail\n")
    return name if is_free else None
