"""Lab 12: the server says "ok" to a line, is killed, and has never stored it.

python3 notes/labs/12_acknowledged_too_early/acknowledged_too_early.py
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path


def handle(client: socket.socket, path: str) -> None:
    """The thread of one client: store each line in the file, and answer "ok" to it."""
    with client.makefile("rb") as lines, open(path, "ab") as history:
        for line in lines:
            history.write(line)
            client.sendall(b"ok\n")


# --- The stage, which makes the bug certain. Leave it as it is. ---------------------------------------------


def serve(path: str) -> None:
    """The server, in a process of its own. For one client: so it needs no other thread."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        client, _ = listener.accept()
    handle(client, path)


def main() -> None:
    """Ann says five lines, and waits until each is acknowledged. Then the server is killed."""
    with tempfile.TemporaryDirectory() as folder:
        history = Path(folder, "history")
        command = [sys.executable, __file__, "serve", str(history)]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        port = int(server.stdout.readline())
        with socket.create_connection(("127.0.0.1", port)) as ann, ann.makefile("r") as answers:
            acknowledged = 0
            for number in range(5):
                ann.sendall(f"ann: line {number}\n".encode())
                acknowledged += answers.readline() == "ok\n"
            server.send_signal(signal.SIGKILL)
            server.wait()
        server.stdout.close()
        stored = len(history.read_text().splitlines())
    print(f"the server has acknowledged {acknowledged} lines, and was killed (kill -9)")
    print(f"its file has {stored} lines")
    if stored < acknowledged:
        print("bug: what was acknowledged is lost")
    else:
        print("fine: what was acknowledged is stored")


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2])
    else:
        main()
