"""Lab 09: whoever comes first to the new port is let in.

python3 notes/labs/09_no_ticket/no_ticket.py
"""

from __future__ import annotations

import secrets
import socket
import threading

TICKET_BYTES = 16


def admit(listener: socket.socket, ticket: bytes) -> socket.socket:
    """Wait at the new port for the newcomer that was sent there; its connection.

    The newcomer sends the ticket first. Whoever else comes is to be disconnected.
    """
    client, _ = listener.accept()
    client.recv(TICKET_BYTES)
    return client


def lead(lobby: socket.socket) -> None:
    """The thread of one newcomer: send it to a new port, wait there, and let it in."""
    ticket = secrets.token_bytes(TICKET_BYTES)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        lobby.sendall(port.to_bytes(2, "big") + ticket)
        lobby.close()
        with admit(listener, ticket) as client:
            client.sendall(b"welcome, ann! The code of the door is 4711")


# --- The stage, which makes the bug certain. Leave it as it is. ---------------------------------------------


def read(connection: socket.socket) -> str:
    """All that comes; nothing when the connection was refused."""
    with connection:
        try:
            return connection.recv(100).decode()
        except ConnectionError:
            return ""


def main() -> None:
    """Ann is sent to a new port. Mallory tries all ports, and comes there before her."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ann = socket.create_connection(listener.getsockname())
        lobby, _ = listener.accept()
    leader = threading.Thread(target=lead, args=(lobby,))
    leader.start()
    offer = ann.recv(2 + TICKET_BYTES, socket.MSG_WAITALL)
    ann.close()
    port, ticket = int.from_bytes(offer[:2], "big"), offer[2:]
    mallory = socket.create_connection(("127.0.0.1", port))
    ann = socket.create_connection(("127.0.0.1", port))
    ann.sendall(ticket)
    mallory.sendall(b"I am ann, really")
    leader.join()
    mallorys, anns = read(mallory), read(ann)
    print(f"ann reads: {anns!r}")
    print(f"mallory reads: {mallorys!r}")
    if mallorys:
        print("bug: mallory has come first, and now he is ann")
    else:
        print("fine: mallory has come first, and ann was let in")


if __name__ == "__main__":
    main()
