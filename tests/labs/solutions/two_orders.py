"""Lab 06: two messages come to two members in different orders.

python3 notes/labs/06_two_orders/two_orders.py
"""

from __future__ import annotations

import queue
import socket
import threading

clients: list[socket.socket] = []
waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
"""First come, first served: the order of the conversation is the order of this queue."""


def broadcast(line: bytes) -> None:
    """Let the forwarder send a line to everybody. Handlers call it, each in its own thread."""
    waiting.put(line)


def forward() -> None:
    """The forwarder: the only thread that sends."""
    while True:
        line = waiting.get()
        for client in clients:
            client.sendall(line)
            moment()


threading.Thread(target=forward, name="forwarder", daemon=True).start()


def handle(client: socket.socket) -> None:
    """The thread of one client."""
    with client.makefile("rb") as lines:
        for line in lines:
            broadcast(line)
            said(line)
