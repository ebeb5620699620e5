"""The chat server of the usual Python tutorial: a thread per client, a global list, sendall under a lock.

A peer of the benchmark, better than most of its kind in two points: it splits lines properly and notices
the end of a connection. `python tutorial_server.py` prints `listening on PORT`.
"""

from __future__ import annotations

import socket
import threading

clients: list[socket.socket] = []
lock = threading.Lock()


def broadcast(line: bytes) -> None:
    with lock:
        for client in clients[:]:
            try:
                client.sendall(line)
            except OSError:
                clients.remove(client)


def handle(client: socket.socket) -> None:
    rest = b""
    while data := receive(client):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            broadcast(line + b"\n")
    with lock:
        if client in clients:
            clients.remove(client)
    client.close()


def receive(client: socket.socket) -> bytes:
    try:
        return client.recv(4096)
    except OSError:
        return b""


def main() -> None:
    server = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print("listening on", server.getsockname()[1], flush=True)
    while True:
        client, _ = server.accept()
        with lock:
            clients.append(client)
        threading.Thread(target=handle, args=(client,), daemon=True).start()


if __name__ == "__main__":
    main()
