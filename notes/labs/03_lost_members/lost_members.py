"""Lab 03: two people join at the same moment, and one of them is lost.

python3 notes/labs/03_lost_members/lost_members.py
"""

from __future__ import annotations

import socket
import threading

clients: list[socket.socket] = []


def join(client: socket.socket) -> None:
    """Add a client. broadcast() goes through the old list undisturbed, because this makes a new one."""
    global clients
    everybody = list(clients)
    moment()
    everybody.append(client)
    clients = everybody


def leave(client: socket.socket) -> None:
    """Remove a client."""
    global clients
    everybody = list(clients)
    moment()
    everybody.remove(client)
    clients = everybody


def broadcast(line: bytes) -> None:
    """Send a line to everybody."""
    for client in clients:
        client.sendall(line)


# --- The stage, which makes the bug certain. Leave it as it is. ---------------------------------------------

ann_is_joining, bob_has_joined = threading.Event(), threading.Event()


def moment() -> None:
    """Ann's handler stops here until bob has joined. (Two seconds, if bob has to wait for ann.)"""
    if threading.current_thread().name == "ann":
        ann_is_joining.set()
        bob_has_joined.wait(2)


def enter(client: socket.socket) -> None:
    """The thread of one client, as far as this lab needs it."""
    join(client)
    if threading.current_thread().name == "bob":
        bob_has_joined.set()


def main() -> None:
    """Ann joins, and bob joins meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ann = socket.create_connection(listener.getsockname())
        annes, _ = listener.accept()
        bob = socket.create_connection(listener.getsockname())
        bobs, _ = listener.accept()
    handlers = [threading.Thread(target=enter, args=(annes,), name="ann")]
    handlers.append(threading.Thread(target=enter, args=(bobs,), name="bob"))
    handlers[0].start()
    ann_is_joining.wait(2)
    handlers[1].start()
    for handler in handlers:
        handler.join()
    broadcast(b"hello")
    annes.close()
    bobs.close()
    heard = {"ann": ann.recv(100), "bob": bob.recv(100)}
    ann.close()
    bob.close()
    print("ann and bob have joined, and the server has said hello to everybody")
    for name, what in heard.items():
        print(f"{name} hears {what!r}")
    lost = [name for name, what in heard.items() if not what]
    if lost:
        print(f"bug: {' and '.join(lost)} has joined and is in no list")
    else:
        print("fine: both are in the list")


if __name__ == "__main__":
    main()
