"""Lab 11: the server closes every socket, waits for its threads, and waits for ever.

python3 notes/labs/11_shutdown_hangs/shutdown_hangs.py
"""

from __future__ import annotations

import socket
import sys
import threading
import time


class Server:
    """Accepts, and has a thread for each client."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.clients: list[socket.socket] = []
        self.running = True
        self.threads = [threading.Thread(target=self.accept_all, name="accept", daemon=True)]
        self.threads[0].start()

    def accept_all(self) -> None:
        """The thread that accepts."""
        while self.running:
            client, _ = self.listener.accept()
            self.clients.append(client)
            self.threads.append(
                threading.Thread(target=self.handle, args=(client,), name="handler", daemon=True)
            )
            self.threads[-1].start()

    def handle(self, client: socket.socket) -> None:
        """The thread of one client."""
        while self.running and (data := client.recv(4096)):
            for other in list(self.clients):
                other.sendall(data)

    def close(self) -> None:
        """End every thread, and close every socket."""
        self.running = False
        self.listener.close()
        for client in self.clients:
            client.close()
        for thread in self.threads:
            thread.join()


# --- The stage, which makes the bug certain. Leave it as it is. ---------------------------------------------


def waits(thread: threading.Thread) -> bool:
    """Whether the thread is in the call of accept() or recv(). That it has come near is not enough."""
    import linecache  # here, because the stage goes with every cure
    from dis import opname

    frame = sys._current_frames()[thread.ident or 0]
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
    is_calling = opname[frame.f_code.co_code[frame.f_lasti]] == "CALL"
    return is_calling and ("accept(" in line or "recv(" in line)


def main() -> None:
    """Ann is there and says nothing. The server is to end."""
    server = Server()
    ann = socket.create_connection(("127.0.0.1", server.port))
    ann.sendall(b"hello")
    ann.recv(5)
    for _ in range(1000):  # until both threads are back in accept() and recv(), where they stay
        time.sleep(0.001)
        if len(server.threads) == 2 and all(map(waits, server.threads)):
            break
    closer = threading.Thread(target=server.close, daemon=True)
    closer.start()
    closer.join(0.5)
    if closer.is_alive():
        alive = [thread.name for thread in server.threads if thread.is_alive()]
        print(f"close() has not returned after half a second; these threads live: {', '.join(alive)}")
        print("bug: a thread that waits for a socket does not notice that another thread closes it")
    else:
        print("fine: close() has returned, and every thread has ended")


if __name__ == "__main__":
    main()
