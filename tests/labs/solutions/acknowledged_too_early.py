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
            history.flush()  # now the kernel has it: to kill this process takes nothing away
            client.sendall(b"ok\n")
