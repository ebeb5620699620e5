"""A chat client as one makes it with prompt_toolkit: lines come above a prompt. Its argument is the port."""

from __future__ import annotations

import socket
import sys
import threading

from prompt_toolkit import PromptSession
from prompt_toolkit.patch_stdout import patch_stdout


def main(port: int) -> None:
    """Print what the server sends, and send what is typed, until the end of either."""
    with socket.create_connection(("127.0.0.1", port)) as server, patch_stdout(raw=True):
        source = server.makefile(encoding="utf-8")

        def show() -> None:
            for line in source:
                print(line, end="")

        threading.Thread(target=show, daemon=True).start()
        session: PromptSession[str] = PromptSession("ann> ")
        try:
            while True:
                server.sendall(session.prompt().encode() + b"\n")
        except (EOFError, KeyboardInterrupt, OSError):
            pass


if __name__ == "__main__":
    main(int(sys.argv[1]))
