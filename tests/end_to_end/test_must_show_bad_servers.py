"""Misbehaving servers: the client ends with one clear line, without a traceback, a hang or escapes."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import threading

import pytest

from chatroom.events import Event, EventKind
from chatroom.outcomes import Code
from chatroom.packets import (
    HEADER,
    MAGIC,
    VERSION,
    Answer,
    Bye,
    Hello,
    Info,
    Kind,
    Live,
    Port,
    Replay,
    Resumed,
    Status,
    Verdict,
    Welcome,
    encode,
    encode_refusal_v1,
)
from tests.end_to_end.programs import ROOT

PASS, END = encode(Status(Verdict.PASS)), encode(Status(Verdict.END))
TAKEN, FULL = (encode(Status(Verdict.FAIL, code, "no\x1b[31m")) for code in (Code.NAME_TAKEN, Code.FULL))
STAY = encode(Port(0, bytes(16)))
WELCOME = encode(Welcome("ann", bytes(16), b"I" * 16, 7, 0, 0, Resumed.FRESH)) + encode(Replay(0))
LIVE = encode(Live(0, 0))
HUGE = HEADER.pack(MAGIC, VERSION, Kind.INFO, 0, 2**32 - 1, 0, 0, 1) + b"x" * 100_000
NOISE = random.Random(1).randbytes(5000)

Steps = list[bytes]
"""What the server sends, each behind something of the client's; then it hangs up."""

SERVERS: dict[str, Steps] = {
    "hangs up at once": [],
    "hangs up after HELLO": [b""],
    "hangs up after PASS": [PASS],
    "hangs up after PORT": [PASS + STAY],
    "hangs up after END": [PASS + STAY, END],
    "hangs up after WELCOME": [PASS + STAY, END, WELCOME],
    "names a port that is closed": [PASS + encode(Port(1, bytes(16))), END],
    "refuses the name for ever": [TAKEN] * 5,
    "is full for ever": [FULL],
    "speaks an older version": [encode_refusal_v1("too new")],
    "announces a huge packet": [HUGE],
    "announces a huge packet to a member": [PASS + STAY, END, WELCOME + LIVE + HUGE],
    "sends noise": [NOISE],
    "sends noise to a member": [PASS + STAY, END, WELCOME + LIVE + NOISE],
    "says what only clients say": [PASS + STAY, END, WELCOME + encode(Hello(1, "me too"))],
    "talks before its welcome": [
        PASS + STAY, END, encode(Event(1, 1, EventKind.SAID, "#general", "bob", "hello")),
    ],
    "counts backwards": [
        PASS + STAY, END,
        WELCOME + b"".join(encode(Event(n, 1, EventKind.SAID, "#general", "bob", f"{n}")) for n in (5, 4)),
    ],
    "counts to the end": [
        PASS + STAY, END,
        encode(Welcome("zoë", bytes(16), bytes(16), 2**32 - 1, 2**63 - 1, 2**63 - 1, Resumed.GAP))
        + encode(Live(2**63 - 1, 1)),
    ],
    "answers what nobody asked": [
        PASS + STAY, END, WELCOME + encode(Answer(1, Code.MUTED, "no\x1b[31m")) + LIVE,
    ],
    "never ends the past": [PASS + STAY, END, WELCOME + LIVE + encode(Replay(1))],
    "says goodbye": [PASS + STAY, END, WELCOME + encode(Bye(False, Code.KICKED, "out\x1b[2J"))],
    "draws on the terminal": [PASS + STAY, END, WELCOME + encode(Info("\x1b]0;title\x07\r\n" * 200))],
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("retry_for", ["0", "0.5"])
@pytest.mark.parametrize("name", SERVERS)
def test_a_server_that(name: str, retry_for: str) -> None:
    """After any misbehaviour the client ends with a clear last line, exit code 1 and no escape sequence."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=play, args=(listener, SERVERS[name]))
        server.start()
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        client = subprocess.Popen(
            [sys.executable, "-m", "client", address, "--name", "ann", "--retry-for", retry_for],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
        )
        try:
            out, errors = client.communicate(b"one\ntwo\n", timeout=20)
        finally:
            client.kill()
            client.communicate()
            listener.shutdown(socket.SHUT_RDWR)
            server.join()
    last = errors.decode().splitlines()[-1]
    print(last)
    assert client.returncode == 1
    assert last.startswith("chatroom-client: ")
    assert b"Traceback" not in errors
    assert b"\x1b" not in out + errors
    told = 4 if name == "counts to the end" else 3  # each line that was said, the end; and here the gap
    assert retry_for != "0" or len(errors.splitlines()) <= told


def play(listener: socket.socket, steps: Steps) -> None:
    """Do the same to every connection, until the listener is shut down."""
    while True:
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        with sock:
            sock.settimeout(5)
            try:
                for step in steps:
                    sock.recv(65536)
                    sock.sendall(step)
                sock.shutdown(socket.SHUT_WR)
                while steps and sock.recv(65536):
                    pass
            except OSError:
                pass  # the client has gone
