"""Lab 06: two messages come to two members in different orders.

python3 notes/labs/06_two_orders/two_orders.py
"""

from __future__ import annotations

import socket
import threading

clients: list[socket.socket] = []


def broadcast(line: bytes) -> None:
    """Send a line to everybody. Each handler calls it, in its thread. Sending never waits here (lab 04)."""
    for client in clients:
        client.sendall(line)
        moment()


def handle(client: socket.socket) -> None:
    """The thread of one client."""
    with client.makefile("rb") as lines:
        for line in lines:
            broadcast(line)
            said(line)


# --- The stage, which makes the bug certain. Leave it as it is. ---------------------------------------------

ann_has_begun, bob_is_done = threading.Event(), threading.Event()


def moment() -> None:
    """After her first send, ann's handler stops until bob's is done. (Two seconds, if bob waits for ann.)"""
    if threading.current_thread().name == "ann":
        ann_has_begun.set()
        bob_is_done.wait(2)


def said(line: bytes) -> None:
    """A handler has sent its line to everybody."""
    if line.startswith(b"bob"):
        bob_is_done.set()


def main() -> None:
    """Ann asks, bob answers; carol and dave listen."""
    names = ["carol", "dave", "ann", "bob"]
    peers: dict[str, socket.socket] = {}
    handlers: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for name in names:
            peers[name] = socket.create_connection(listener.getsockname())
            client, _ = listener.accept()
            clients.append(client)
            handlers.append(threading.Thread(target=handle, args=(client,), name=name))
            handlers[-1].start()
    peers["ann"].sendall(b"ann: shall we meet at noon?\n")
    ann_has_begun.wait(2)
    peers["bob"].sendall(b"bob: yes!\n")
    heard = {}
    for name in ("carol", "dave"):
        with peers[name].makefile("r") as lines:
            heard[name] = [lines.readline().rstrip("\n") for _ in range(2)]
        print(f"{name} reads: {' / '.join(heard[name])}")
    for peer in peers.values():
        peer.shutdown(socket.SHUT_WR)
    for handler in handlers:
        handler.join()
    if heard["carol"] == heard["dave"]:
        print("fine: carol and dave have read the same conversation")
    else:
        print("bug: carol and dave have read different conversations")


if __name__ == "__main__":
    main()
