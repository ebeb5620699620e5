"""Attacks on the way in: the lobby, the names, the admission ports, the log. All from 127.0.0.2.

python -m tests.attacks.doors [NAME …] [--seconds 8] prints how newcomers from 127.0.0.1 fare meanwhile.
"""

from __future__ import annotations

import argparse
import os
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from chatroom.packets import NO_TOKEN, VERSION, Hello, Status, Username, Verdict, encode
from tests.end_to_end.programs import ROOT, ServerProcess
from tests.support import peer as peers
from tests.support.peer import Peer

SOURCE = "127.0.0.2"
SILENT = 1030  # more than the handshakes that a server has at once
TRY_SECONDS = 3.0
NAME = "wanted"

Run = Callable[[int, float], None]


def silent_lobby(port: int, seconds: float) -> None:
    """Connections that say nothing, more than there are handshakes at once; each that ends is replaced."""
    _keep_open(port, seconds, SILENT, b"")


def half_hello(port: int, seconds: float) -> None:
    """The same with half a packet."""
    _keep_open(port, seconds, SILENT, encode(Hello(VERSION, "attack"))[:-1])


def _keep_open(port: int, seconds: float, count: int, data: bytes) -> None:
    end = time.monotonic() + seconds
    held: list[socket.socket] = []
    while time.monotonic() < end:
        while len(held) < count and time.monotonic() < end:
            with suppress(OSError):
                sock = socket.create_connection(("127.0.0.1", port), 1.0, (SOURCE, 0))
                held.append(sock)
                sock.sendall(data)
        for sock in _ended(held):
            held.remove(sock)
            sock.close()


def _ended(socks: list[socket.socket]) -> list[socket.socket]:
    """Those that the server has ended."""
    poll = select.poll()
    for sock in socks:
        poll.register(sock, select.POLLIN)
    ready = {number for number, _ in poll.poll(50)}
    return [sock for sock in socks if sock.fileno() in ready]


def half_handshakes(port: int, seconds: float) -> None:
    """Newcomers that get a name and a port, and never come: each holds a port of the range."""
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        number += 1
        _take(port, f"half{number}")
        time.sleep(0.01)


def denied_name(port: int, seconds: float) -> None:
    """One name is asked for again and again, and never taken up."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        _take(port, NAME)
        time.sleep(0.001)


def _take(port: int, name: str) -> bool:
    """Whether the name was given; nobody comes to its port."""
    with suppress(OSError, AssertionError), Peer.connect(port, source=SOURCE) as peer:
        peer.socket.settimeout(1.0)
        peer.send(Hello(VERSION, "attack"), Username(name, NO_TOKEN))
        if peer.expect(Status).verdict is Verdict.PASS:
            peer.take_port()
            return True
    return False


def garbage(port: int, seconds: float) -> None:
    """Connections that speak another protocol, as many as go; each is a refusal and a line in the log."""
    end = time.monotonic() + seconds

    def flood() -> None:
        while time.monotonic() < end:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0, (SOURCE, 0)) as sock:
                sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
                sock.recv(4096)

    threads = [threading.Thread(target=flood) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def many_members(port: int, seconds: float) -> None:
    """As many members as get in; they stay."""
    end, number = time.monotonic() + seconds, 0
    held: list[Peer] = []
    while time.monotonic() < end:
        number += 1
        with suppress(OSError, AssertionError):
            held.append(Peer.come_in(port, f"crowd{number}", source=SOURCE))


OF_RANGE = ("--ports", "5600-5609")

DOORS: dict[str, tuple[Run, tuple[str, ...]]] = {
    "silent-lobby": (silent_lobby, ()),
    "half-hello": (half_hello, ()),
    "half-handshakes": (half_handshakes, OF_RANGE),
    "denied-name": (denied_name, ()),
    "garbage": (garbage, ()),
    "many-members": (many_members, ()),
}


def newcomers(port: int, seconds: float, name: str) -> tuple[int, list[float]]:
    """How many tries were made from 127.0.0.1, and the seconds that each successful one took."""
    end, tries, times = time.monotonic() + seconds, 0, []
    while time.monotonic() < end:
        tries += 1
        began = time.monotonic()
        with suppress(OSError, AssertionError):
            peer = Peer.come_in(port, name or f"honest{tries}")
            times.append(time.monotonic() - began)
            peer.close()
            if name:
                break
        time.sleep(0.1)
    return tries, times


def fare(folder: Path, name: str, seconds: float) -> str:
    """A row of the table: how newcomers fare during the attack."""
    options = DOORS[name][1]
    server = ServerProcess(folder / "server.log", "--data", str(folder / "history"), *options)
    command = [
        sys.executable,
        "-m",
        "tests.attacks.doors",
        "--attacker",
        name,
        str(server.port),
        str(seconds + 2),
    ]
    attacker = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL)
    try:
        time.sleep(2)
        wanted = NAME if name == "denied-name" else ""
        began = time.monotonic()
        tries, times = newcomers(server.port, seconds, wanted)
        took = time.monotonic() - began
        size, rss = server.log.stat().st_size, server.resident() / 1000
    finally:
        attacker.kill()
        attacker.wait()
        server.kill()
    middle, worst = (statistics.median(times), max(times)) if times else (float("nan"), float("nan"))
    return (
        f"| {name} | {len(times)} of {tries} in {took:.1f} s | {middle * 1000:.0f} | {worst * 1000:.0f} |"
        f" {rss:.0f} | {size / 1000:.0f} |"
    )


def blocked_log() -> str:
    """stderr is a pipe that nobody reads, and the log fills it: who gets in, and how long SIGTERM takes."""
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "server", "--port", "0", "--data", ":memory:", "-v"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=writing)
    assert process.stdout is not None
    port = int(process.stdout.readline().decode().rpartition(":")[2])
    garbage(port, 3.0)
    tries, times = newcomers(port, 3.0, "")
    began = time.monotonic()
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    os.close(reading)
    os.close(writing)
    process.stdout.close()
    return f"| blocked-log | {len(times)} of {tries} | SIGTERM: {time.monotonic() - began:.2f} s |"


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.attacks.doors", description=__doc__)
    options.add_argument("names", nargs="*", metavar="NAME", help=", ".join((*DOORS, "blocked-log")))
    options.add_argument("--seconds", type=float, default=8.0, help="how long each attack lasts")
    options.add_argument("--attacker", nargs=3, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.attacker:
        name, port, seconds = chosen.attacker
        DOORS[name][0](int(port), float(seconds))
        return 0
    peers.PATIENCE = TRY_SECONDS  # type: ignore[attr-defined]  # who waits longer has not got in
    print("| attack | newcomers that got in | median ms | worst ms | server MB | log kB |")
    print("|---|---|---|---|---|---|")
    for name in chosen.names or (*DOORS, "blocked-log"):
        if name == "blocked-log":
            print(blocked_log(), flush=True)
            continue
        with tempfile.TemporaryDirectory() as folder:
            print(fare(Path(folder), name, chosen.seconds), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
