"""One member freezes the screens of the others: long messages, and how soon a pressed key is echoed.

python -m tests.attacks.screen [CONTENT …] [--seconds 8]

The real client runs in a pseudo-terminal. Another member says ten messages of 64 KiB a second. The figures
are the times from a pressed key to its echo, the memory of the client, and how long Ctrl-C takes to end it.
"""

from __future__ import annotations

import argparse
import os
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from chatroom.limits import MAX_TEXT
from chatroom.packets import Say
from tests.client.pseudo_terminal import python
from tests.end_to_end.programs import ROOT, ServerProcess, processor_seconds
from tests.support.peer import Peer

MESSAGES: Final = 10
"""Long messages a second."""
KEYS: Final = b"QVWXYZ"
"""Typed one after the other. No content and no escape sequence of the client has one of them."""
PAUSE: Final = 0.05
"""Seconds between the echo of a key and the next key."""
LOST: Final = 20.0
"""Seconds after which a key counts as not echoed."""


def _filled(unit: str) -> str:
    return unit * (MAX_TEXT // len(unit.encode()))


CONTENTS: Final[dict[str, str]] = {
    "short": "hello there",
    "words": _filled("some words of a text "),
    "one word": _filled("w"),
    "tabs": _filled("\t"),
    "newlines": _filled("\n"),
    "marks": _filled("e\u0301\u0302\u0303\u0304\u0305\u0306"),
    "wide": _filled("\u6f22"),
    "emoji": _filled("\U0001f468\u200d\U0001f469\u200d\U0001f467"),
    "invisible": _filled("\u200b"),
    "controls": _filled("\x1b"),
    "name": _filled("ann-"),
}


def wall_of_text(port: int, seconds: float, text: str = CONTENTS["newlines"]) -> None:
    """One member says ten messages of 64 KiB a second."""
    with Peer.come_in(port, "wall", source="127.0.0.2") as peer:
        say_often(peer, text, lambda: True, time.monotonic() + seconds)


def say_often(peer: Peer, text: str, goes_on: Callable[[], bool], end: float) -> None:
    """Say the text MESSAGES times a second, and read what comes."""
    id, following = 0, time.monotonic()
    while goes_on() and time.monotonic() < end:
        if time.monotonic() >= following:
            id, following = id + 1, following + 1 / MESSAGES
            peer.send(Say(id, "#general", text))
        while select.select([peer.socket], [], [], 0.01)[0]:
            peer.socket.recv(1 << 20)


class Typist:
    """The client in a pseudo-terminal, whose screen is read as fast as it is written."""

    def __init__(self, port: int) -> None:
        import pty
        import termios

        self._master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (24, 80))
        command = python("client", f"127.0.0.1:{port}", "--name", "ann")
        environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", "NO_COLOR": ""}
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=ROOT,
            env=environment,
            start_new_session=True,
        )
        os.close(slave)
        self.wait_for(b"> ")

    def wait_for(self, wanted: bytes, seconds: float = LOST) -> float:
        """Read until `wanted` is written; how long that took."""
        began, before = time.monotonic(), b""
        while (left := began + seconds - time.monotonic()) > 0:
            if select.select([self._master], [], [], left)[0]:
                try:
                    data = before + os.read(self._master, 1 << 16)
                except OSError:
                    break
                if wanted in data:
                    return time.monotonic() - began
                before = data[-len(wanted) :]
        return seconds

    def press(self, key: bytes) -> float:
        """Seconds until the key, the last byte of `key`, is echoed."""
        os.write(self._master, key)
        return self.wait_for(key[-1:])

    def rest(self, seconds: float) -> None:
        """Read what is written, for some time."""
        self.wait_for(b"\x00", seconds)

    def resident(self) -> float:
        """Memory in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1000

    def leave(self) -> float:
        """Seconds until Ctrl-C (three times: it empties the line, asks, leaves) has ended the program."""
        began = time.monotonic()
        os.write(self._master, b"\x03\x03\x03")
        while self.process.poll() is None and time.monotonic() < began + LOST:
            self.rest(0.02)
        self.process.kill()
        self.process.wait()
        os.close(self._master)
        return time.monotonic() - began


def measure(content: str, seconds: float) -> str:
    """A row of the table: the content, and what its reader feels."""
    with tempfile.TemporaryDirectory() as folder:
        server = ServerProcess(Path(folder) / "log", "--data", ":memory:")
        try:
            typist = Typist(server.port)
            over = threading.Event()
            peer = Peer.come_in(server.port, "wall", source="127.0.0.2")

            def attack() -> None:
                with suppress(OSError):
                    say_often(peer, CONTENTS[content], lambda: not over.is_set(), time.monotonic() + 600)

            attacker = threading.Thread(target=attack)
            attacker.start()
            times, memory, end, n = [], 0.0, time.monotonic() + seconds, 0
            while time.monotonic() < end:
                key = KEYS[n % len(KEYS) : n % len(KEYS) + 1]
                times.append(typist.press(key if n % len(KEYS) else b"\x15" + key))
                n += 1
                memory = max(memory, typist.resident())
                typist.rest(PAUSE)
            used = processor_seconds(typist.process.pid)
            left = typist.leave()
            over.set()
            attacker.join()
            peer.close()
        finally:
            server.kill()
    times.sort()
    p50, p95, worst = (1000 * times[int(len(times) * share)] for share in (0.5, 0.95, 0.9999))
    return (
        f"| {content} | {len(times)} | {p50:.1f} | {p95:.1f} | {worst:.0f} | {memory:.0f} |"
        f" {left:.1f} | {used / seconds:.0%} |"
    )


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.attacks.screen", description=__doc__)
    options.add_argument("contents", nargs="*", metavar="CONTENT", help=", ".join(CONTENTS))
    options.add_argument("--seconds", type=float, default=8.0, help="how long each content is said")
    chosen = options.parse_args()
    print("| content | keys | echo p50 ms | p95 ms | worst ms | client MB | Ctrl-C s | processor |")
    print("|---|---|---|---|---|---|---|---|")
    for content in chosen.contents or CONTENTS:
        print(measure(content, chosen.seconds), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
