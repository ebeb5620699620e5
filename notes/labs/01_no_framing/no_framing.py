"""Lab 01: what one recv() gives is taken for one message.

python3 notes/labs/01_no_framing/no_framing.py
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

clients: list[socket.socket] = []
shown: list[str] = []


def messages(client: socket.socket) -> Iterator[str]:
    """The messages of a client, until it leaves. Each ends with a line end, which is not part of it."""
    while data := client.recv(1024):
        yield data.decode()


def handle(client: socket.socket) -> None:
    """The thread of one client."""
    for message in messages(client):
        shown.append(message)
        for other in clients:
            other.sendall(message.encode() + b"\n")
    clients.remove(client)
    client.close()


# --- The stage, which makes the bug certain. Leave it as it is. ---------------------------------------------

SENT = ["hello", "how are you?", "x" * 2000]


def main() -> None:
    """Ann says three things at once."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ann = socket.create_connection(listener.getsockname())
        client, _ = listener.accept()
    clients.append(client)
    data = "".join(message + "\n" for message in SENT).encode()
    ann.sendall(data)
    ann.shutdown(socket.SHUT_WR)
    # Only look, until all bytes are there: so what the first recv() of the handler gives is certain.
    client.recv(len(data), socket.MSG_PEEK | socket.MSG_WAITALL)
    handler = threading.Thread(target=handle, args=(client,))
    handler.start()
    handler.join()
    ann.close()
    print(f"ann has sent messages of {', '.join(str(len(message)) for message in SENT)} characters")
    print(f"the server shows messages of {', '.join(str(len(message)) for message in shown)} characters")
    if shown == SENT:
        print("fine: the server shows what ann has said")
    else:
        print("bug: what one recv() gives is not one message")


if __name__ == "__main__":
    main()
