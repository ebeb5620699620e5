"""Lab 04: one member does not read, and the whole room stands still.

python3 notes/labs/04_slow_reader/slow_reader.py
"""

from __future__ import annotations

import socket
import threading

# Guards clients.
lock = threading.Lock()
clients: list[socket.socket] = []


def join(client: socket.socket) -> None:
    """Add a client."""
    with lock:
        clients.append(client)


def leave(client: socket.socket) -> None:
    """Remove a client, and close its connection."""
    with lock:
        if client in clients:
            clients.remove(client)
    client.close()


def broadcast(line: bytes) -> None:
    """Send a line to everybody."""
    with lock:
        for client in clients:
            client.sendall(line)


# --- The stage, which makes the bug certain. Leave it as it is. ---------------------------------------------

LINES, SIZE = 500, 1000
PATIENCE = 0.5

received = 0
all_received = threading.Event()


def connect(listener: socket.socket) -> tuple[socket.socket, socket.socket]:
    """Both ends of a connection with small buffers: the kernel holds only some lines for the reader."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(listener.getsockname())
    server, _ = listener.accept()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    return client, server


def read(bob: socket.socket) -> None:
    """Bob reads whatever comes."""
    global received
    while data := bob.recv(65536):
        received += len(data)
        if received == LINES * SIZE:
            all_received.set()


def talk() -> None:
    """The handler of somebody who says a lot."""
    try:
        for _ in range(LINES):
            broadcast(b"x" * (SIZE - 1) + b"\n")
    except OSError:
        pass  # the program has ended meanwhile


def main() -> None:
    """Bob reads, and slow does not."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        slow, slows = connect(listener)
        bob, bobs = connect(listener)
    join(slows)
    join(bobs)
    threading.Thread(target=read, args=(bob,), daemon=True).start()
    threading.Thread(target=talk, daemon=True).start()
    before = -1
    while before < received and not all_received.wait(PATIENCE):
        before = received
    if all_received.is_set():
        print("fine: slow does not read, and bob has got every line")
    else:
        print(f"bob has got {received // SIZE} of {LINES} lines, and nothing new for {PATIENCE} s")
        print(f"the lock is {'held' if lock.locked() else 'free'}")
        print("bug: slow does not read, and everybody waits for slow")
    slow.close()


if __name__ == "__main__":
    main()
