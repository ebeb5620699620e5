"""Lab 05: a thread for each message, and nothing says which comes first.

python3 notes/labs/05_thread_per_message/thread_per_message.py
"""

from __future__ import annotations

import socket
import threading


def receive(message: str) -> None:
    """Called for each message, in the order in which they came: each gets a thread of its own."""
    threading.Thread(target=process, args=(message,)).start()


def process(message: str) -> None:
    """The thread of one message."""
    text = prepare(message)
    show(text)


def read(connection: socket.socket) -> None:
    """The client's receiver."""
    with connection.makefile("r") as lines:
        for line in lines:
            receive(line.rstrip("\n"))


# --- The stage, which makes the bug certain. Leave it as it is. ---------------------------------------------

SENT = ["bob: the exam is on Monday", "bob: no, on Friday"]

screen: list[str] = []
friday_is_shown = threading.Event()


def prepare(message: str) -> str:
    """Formats a message. The first one takes longer: until the second is shown. (Two seconds at most.)"""
    if message == SENT[0]:
        friday_is_shown.wait(2)
    return message.replace("bob:", "<bob>")


def show(text: str) -> None:
    """Print a message at the end of the screen."""
    screen.append(text)
    if "Friday" in text:
        friday_is_shown.set()


def main() -> None:
    """A server sends two messages, and a client shows them."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connection = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    server.sendall("".join(message + "\n" for message in SENT).encode())
    server.close()
    read(connection)
    connection.close()
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join()
    for text in screen:
        print(text)
    if "Friday" in screen[0]:
        print("bug: the second message has overtaken the first")
    else:
        print("fine: the messages are shown in the order in which they came")


if __name__ == "__main__":
    main()
