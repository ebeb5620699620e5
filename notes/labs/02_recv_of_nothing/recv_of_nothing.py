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
    while True:
        data = receive(client)
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            broadcast(line + b"\n")


# --- The stage, which counts the calls of recv(). Leave it as it is. ----------------------------------------

ENOUGH = 10_000

calls = 0


def receive(client: socket.socket) -> bytes:
    """recv(), counted."""
    global calls
    calls += 1
    return client.recv(4096)


def main() -> None:
    """Ann says hello and leaves."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ann = socket.create_connection(listener.getsockname())
        client, _ = listener.accept()
    handler = threading.Thread(target=handle, args=(client,), daemon=True)
    handler.start()
    ann.sendall(b"hello\n")
    print("ann hears", ann.recv(100))
    ann.close()
    left, used = calls, time.process_time()
    while handler.is_alive() and calls - left < ENOUGH:
        handler.join(0.01)
    if handler.is_alive():
        used = time.process_time() - used
        print(f"ann has left; since then her handler has called recv() more than {ENOUGH} times")
        print(f"that took {used * 1000:.0f} ms of processor time, and it goes on")
        print("bug: recv() gives nothing for ever, and the handler asks for ever")
    else:
        print("fine: ann has left, and so has her handler")


if __name__ == "__main__":
    main()
