"""Lab 13: a connection is closed while another thread still has its number; a stranger gets the number.

python3 notes/labs/13_reused_number/reused_number.py
"""

from __future__ import annotations

import os
import socket
import threading

members: dict[str, int] = {}
"""The number (file descriptor) of each member's socket, as a C++ program keeps them in a vector<int>."""


def join(name: str, client: socket.socket) -> None:
    """Add a member. The socket belongs to this table from now on."""
    members[name] = client.detach()


def deliver(name: str, line: bytes) -> None:
    """Send a line to one member, if it is there. Any thread may call it."""
    number = members.get(name)
    if number is None:
        return
    moment()
    os.write(number, line)


def leave(name: str) -> None:
    """Remove a member, and close its connection. Its handler calls it."""
    number = members.pop(name)
    os.close(number)


# --- The stage, which makes the bug certain. Leave it as it is. ---------------------------------------------

bob_is_about_to_send, eve_has_joined = threading.Event(), threading.Event()


def moment() -> None:
    """Bob's handler stops here until ann has left and eve has joined. (Two seconds, if that has to wait.)"""
    bob_is_about_to_send.set()
    eve_has_joined.wait(2)


def change_places(listener: socket.socket) -> None:
    """Ann leaves, and eve joins."""
    held = [socket.socket()]  # they take the numbers that are free now, so that ann's will be the lowest
    while held[-1].fileno() < 64:
        held.append(socket.socket())
    leave("ann")
    client, _ = listener.accept()  # the kernel gives the lowest number that is free: the one that was ann's
    join("eve", client)
    for filler in held:
        filler.close()
    eve_has_joined.set()


def main() -> None:
    """Bob tells ann a secret; meanwhile she leaves, and eve joins."""
    listener = socket.create_server(("127.0.0.1", 0))
    ann = socket.create_connection(listener.getsockname())
    join("ann", listener.accept()[0])
    eve = socket.create_connection(listener.getsockname())
    bob = threading.Thread(target=deliver, args=("ann", b"ann, the code of the door is 4711"))
    bob.start()
    bob_is_about_to_send.wait(2)
    change_places(listener)
    bob.join()
    leave("eve")
    heard = {"ann": ann.recv(100), "eve": eve.recv(100)}
    for name, what in heard.items():
        print(f"{name} reads {what.decode()!r}")
    if heard["eve"]:
        print("bug: the line for ann has reached eve, whose connection has got ann's number")
    else:
        print("fine: eve has read nothing")
    for each in (listener, ann, eve):
        each.close()


if __name__ == "__main__":
    main()
