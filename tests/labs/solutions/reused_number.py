"""Lab 13: a connection is closed while another thread still has its number; a stranger gets the number.

python3 notes/labs/13_reused_number/reused_number.py
"""

from __future__ import annotations

import socket
import threading

# Guards members.
lock = threading.Lock()
members: dict[str, Member] = {}


class Member:
    """The owner of one member's socket."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        # Guards _client while somebody sends or closes: so nobody sends to a socket that is closed.
        self._lock = threading.Lock()
        self._closed = False

    def send(self, line: bytes) -> None:
        """Send a line, unless the socket is closed."""
        with self._lock:
            if self._closed:
                return
            try:
                self._client.sendall(line)
            except OSError:
                pass  # the member has gone; its handler notices it, too

    def close(self) -> None:
        """Wake whoever sends, and only then close the socket: the kernel gives its number to others."""
        try:
            self._client.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the peer was faster
        with self._lock:
            self._closed = True
            self._client.close()


def join(name: str, client: socket.socket) -> None:
    """Add a member. The socket belongs to this table from now on."""
    with lock:
        members[name] = Member(client)


def deliver(name: str, line: bytes) -> None:
    """Send a line to one member, if it is there. Any thread may call it."""
    with lock:
        member = members.get(name)
    moment()
    if member is not None:
        member.send(line)


def leave(name: str) -> None:
    """Remove a member, and close its connection. Its handler calls it."""
    with lock:
        member = members.pop(name)
    member.close()
