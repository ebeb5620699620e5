"""Lab 07: two people ask for one name at the same moment, and both get it.

python3 notes/labs/07_check_then_act/check_then_act.py
"""

from __future__ import annotations

import socket
import threading

names: dict[str, socket.socket] = {}


def welcome(client: socket.socket) -> str | None:
    """Ask a newcomer for its name; the name if it gets it, None if the name is taken."""
    name = client.recv(100).decode().strip()  # one recv for one name: lab 01 says what is wrong with that
    if name in names:
        client.sendall(b"fail\n")
        return None
    moment()
    names[name] = client
    client.sendall(b"pass\n")
    return name


# --- The stage, which makes the bug certain. Leave it as it is. ---------------------------------------------

first_has_looked, second_is_done = threading.Event(), threading.Event()


def moment() -> None:
    """The first newcomer's handler stops here until the second's is done. (Two seconds, if that waits.)"""
    if threading.current_thread().name == "first":
        first_has_looked.set()
        second_is_done.wait(2)


def handle(client: socket.socket) -> None:
    """The thread of one client, as far as this lab needs it."""
    welcome(client)
    if threading.current_thread().name == "second":
        second_is_done.set()


def main() -> None:
    """Two newcomers want to be ann; then somebody writes to ann."""
    peers, handlers = [], []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for order in ("first", "second"):
            peers.append(socket.create_connection(listener.getsockname()))
            client, _ = listener.accept()
            handlers.append(threading.Thread(target=handle, args=(client,), name=order))
    peers[0].sendall(b"ann\n")
    handlers[0].start()
    first_has_looked.wait(2)
    peers[1].sendall(b"ann\n")
    handlers[1].start()
    for handler in handlers:
        handler.join()
    answers = [peer.recv(100).decode().strip() for peer in peers]
    print(f"the first newcomer is told: {answers[0]}")
    print(f"the second newcomer is told: {answers[1]}")
    print(f"the server knows {len(names)} ann")
    if answers.count("pass") > 1:
        print("bug: both have got the name, and one of them will never hear anything")
    else:
        print("fine: one of them is ann")


if __name__ == "__main__":
    main()
