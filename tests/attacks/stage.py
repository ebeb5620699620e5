"""A server, honest members, and an attacker in another process; what the honest members feel."""

from __future__ import annotations

import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import NamedTuple

from chatroom.packets import Say
from tests.end_to_end.programs import ROOT, ServerProcess
from tests.support.peer import Peer

HONEST = "127.0.0.1"
PAUSE = 0.1
"""Seconds between two lines of an honest talker."""
LOST = 60.0
"""Seconds after which a line that has not come back is counted as having taken so long."""


class Felt(NamedTuple):
    """What honest members felt.

    lines:    how many came back to their talker
    p50, p99: milliseconds from saying a line to getting it back
    worst:    the longest time, in milliseconds
    rss:      the most memory of the server, in MB
    recovery: seconds from the end of the attack until a line took at most 50 ms again
    """

    lines: int
    p50: float
    p99: float
    worst: float
    rss: float
    recovery: float

    def row(self, name: str) -> str:
        """A row of the table in notes/reliability.md."""
        return (
            f"| {name} | {self.lines} | {self.p50:.0f} | {self.p99:.0f} | {self.worst:.0f} | {self.rss:.0f} |"
            f" {self.recovery:.1f} |"
        )


class Talker:
    """An honest member that says a line, waits until it is back, and pauses.

    It searches the bytes that come: to decode what flooders say would cost more than a program has.
    """

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._over = threading.Event()
        # Guards _times, and _said: when the line was said that has not come back yet.
        self._lock = threading.Lock()
        self._times: list[tuple[float, float]] = []  # when it was said, how long it took
        self._said: float | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def times(self) -> list[tuple[float, float]]:
        """When each line was said, and the seconds until it came back; for the latest, until now."""
        with self._lock:
            waiting = [] if self._said is None else [(self._said, time.monotonic() - self._said)]
            return self._times + waiting

    def close(self) -> None:
        self._over.set()
        self._peer.close()
        self._thread.join(LOST)

    def _run(self) -> None:
        with suppress(OSError, AssertionError):
            for id in range(1, 1_000_000):
                if self._over.is_set():
                    return
                said = time.monotonic()
                with self._lock:
                    self._said = said
                text = f"<line {id} of {self._peer.welcome.name}>"
                self._peer.send(Say(id, "#general", text))
                self._wait_for(text.encode())
                with self._lock:
                    self._times.append((said, time.monotonic() - said))
                    self._said = None
                self._over.wait(PAUSE)

    def _wait_for(self, text: bytes) -> None:
        rest = b""
        while text not in rest:
            data = self._peer.socket.recv(1 << 18)
            if not data:
                raise OSError("the server hung up")
            rest = rest[-len(text) :] + data


@contextmanager
def attacker(name: str, port: int, seconds: float) -> Iterator[None]:
    """The attack `name` in a process of its own, for `seconds` at most."""
    command = [sys.executable, "-m", "tests.attacks", "--attacker", name, str(port), str(seconds)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def feel(
    folder: Path, name: str | None, seconds: float, readers: int = 5, options: tuple[str, ...] = ()
) -> Felt:
    """What honest members feel during an attack of `seconds`; without a name, of no attack."""
    server = ServerProcess(folder / "server.log", "--data", str(folder / "history"), *options)
    with ExitStack() as stack:
        stack.callback(server.kill)
        talkers = [stack.enter_context(_talking(server.port, f"honest{n}")) for n in range(readers + 1)]
        rss = 0.0
        began = time.monotonic()
        with attacker(name, server.port, seconds) if name else nullcontext():
            while time.monotonic() < began + seconds:
                rss = max(rss, server.resident() / 1000)
                time.sleep(0.05)
        ended = time.monotonic()
        recovery = _recovery(talkers, ended)
        times = [took for talker in talkers for said, took in talker.times() if began <= said <= ended]
    times.sort()
    return Felt(
        len(times),
        statistics.median(times) * 1000,
        times[len(times) * 99 // 100] * 1000,
        times[-1] * 1000,
        rss,
        recovery,
    )


@contextmanager
def _talking(port: int, name: str) -> Iterator[Talker]:
    talker = Talker(Peer.come_in(port, name))
    try:
        yield talker
    finally:
        talker.close()


def _recovery(talkers: list[Talker], ended: float) -> float:
    """Seconds until each talker has a line again that took at most 50 ms."""
    while time.monotonic() < ended + LOST:
        good = [[s for s, took in talker.times() if s >= ended and took <= 0.05] for talker in talkers]
        if all(good):
            return max(min(times) for times in good) - ended
        time.sleep(0.02)
    return LOST
