"""Lab 11: the server closes every socket, waits for its threads, and waits for ever.

python3 notes/labs/11_shutdown_hangs/shutdown_hangs.py
"""

from __future__ import annotations

import socket
import sys
import threading
import time


class Server:
    """Accepts, and has a thread for each client."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.clients: list[socket.socket] = []
        self.running = True
        self.threads = [threading.Thread(target=self.accept_all, name="accept", daemon=True)]
        self.threads[0].start()

    def accept_all(self) -> None:
        """The thread that accepts."""
        while self.running:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return  # close() has shut the listener down
            self.clients.append(client)
            self.threads.append(
                threading.Thread(target=self.handle, args=(client,), name="handler", daemon=True)
            )
            self.threads[-1].start()

    def handle(self, client: socket.socket) -> None:
        """The thread of one client."""
        try:
            while self.running and (data := client.recv(4096)):
                for other in list(self.clients):
                    other.sendall(data)
        except OSError:
            pass  # close() has shut a connection down, or a peer has gone

    def close(self) -> None:
        """End every thread, and close every socket."""
        self.running = False
        shut_down(self.listener)
        self.threads[0].join()  # from now on there is no new client
        for client in self.clients:
            shut_down(client)
        for thread in self.threads:
            thread.join()
        for each in (self.listener, *self.clients):
            each.close()  # last: no thread uses them any more


def shut_down(connection: socket.socket) -> None:
    """Wake the threads that wait for a socket. It stays open."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # the peer was faster
