"""A storm over the twin: talkers whose connections are cut, readers that stop, guests that come and go, and
peers that send rubbish. Every talker must see every line of all talkers once, in one order; the server must
stop in order; and no program may say anything that a sanitizer says.

    python3 storm.py BUILD SECONDS [SEED]
"""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

TALKERS = 5
PATIENCE = 30.0
FINDING = re.compile(r"Sanitizer|runtime error|data race|terminate called|a thread failed")


class Proxy:
    """Passes bytes on, and cuts a connection now and then, in the middle of anything."""

    def __init__(self, port: int, chance: random.Random) -> None:
        self._target, self._chance = port, chance
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.cutting = True
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            near, _ = self._listener.accept()
            try:
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                near.close()
                continue
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(one, other), daemon=True).start()
            threading.Thread(target=self._cut, args=(near, far), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _cut(self, near: socket.socket, far: socket.socket) -> None:
        time.sleep(self._chance.uniform(0.2, 6.0))
        if self.cutting:
            self.cuts += 1
            for one in (near, far):
                with suppress(OSError):  # it has ended already
                    one.shutdown(socket.SHUT_RDWR)


def run_while(going: threading.Event, step: Callable[[], None]) -> threading.Thread:
    """A thread that repeats `step`."""

    def loop() -> None:
        while going.is_set():
            try:
                step()
            except OSError:
                time.sleep(0.05)

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    return thread


def hello(name: bytes) -> bytes:
    """HELLO and USERNAME."""
    first = b"\xc7\x02\x01\0\0\0\0\x09" + bytes(8) + b"\0\0\0\1" + b"\x02\x07example"
    second = bytes(16) + bytes((len(name),)) + name
    return first + b"\xc7\x02\x02\0" + len(second).to_bytes(4, "big") + bytes(8) + b"\0\0\0\1" + second


def rubbish(port: int, chance: random.Random) -> None:
    """A peer that sends something wrong, or stops in the middle."""
    with socket.create_connection(("127.0.0.1", port)) as peer:
        data = hello(b"x%d" % chance.randrange(1000))
        match chance.randrange(4):
            case 0:
                peer.sendall(chance.randbytes(chance.randrange(1, 200)))
            case 1:
                peer.sendall(data[: chance.randrange(len(data))])
            case 2:
                spoiled = bytearray(data)
                spoiled[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
                peer.sendall(spoiled)
            case 3:
                peer.sendall(data + b"\xc7\x02\x0c\0" + bytes(14) + b"\0\1")
        peer.settimeout(0.2)
        peer.recv(100)
    time.sleep(chance.uniform(0.0, 0.1))


def main(build: Path, seconds: float, seed: int) -> int:
    """Run the storm; 0 if all is well."""
    chance, folder, going = random.Random(seed), Path(tempfile.mkdtemp(prefix="storm-")), threading.Event()
    errors = (folder / "stderr").open("ab")
    server = subprocess.Popen(
        [build / "chat-server", "--port", "0", "--ports", "same"], stdout=subprocess.PIPE, stderr=errors
    )
    assert server.stdout is not None
    port = int(server.stdout.readline().decode().rpartition(":")[2])
    proxy = Proxy(port, random.Random(seed + 1))

    def client(address: int, name: str, *options: str) -> subprocess.Popen[bytes]:
        with (folder / name).open("wb") as out:
            return subprocess.Popen(
                [build / "chat-client", f"127.0.0.1:{address}", name, *options],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=errors,
            )

    def seen(name: str) -> list[str]:
        return re.findall(r"talker\d+: (line \d+ of \d+)", (folder / name).read_text(errors="replace"))

    names = [f"talker{number}" for number in range(TALKERS)]
    talkers = [
        client(proxy.port, name, "--follow", "--retry-for", "60", "--dead-after", "6") for name in names
    ]
    deadline = time.monotonic() + PATIENCE
    while not all(f"{name} joined" in (folder / name).read_text() for name in names):
        assert time.monotonic() < deadline, "the talkers did not join"
        time.sleep(0.05)

    going.set()
    said = [0] * TALKERS
    guests = 0

    def talk() -> None:
        number = chance.randrange(TALKERS)
        said[number] += 1
        long = " x" * chance.randrange(4000) if chance.random() < 0.02 else ""
        pipe = talkers[number].stdin
        assert pipe is not None
        pipe.write(f"line {said[number]} of {number}{long}\n".encode())
        pipe.flush()
        if chance.random() < 0.2:
            time.sleep(chance.uniform(0.0, 0.05))

    def come_and_go() -> None:
        nonlocal guests
        guests += 1
        guest = client(port, f"guest{guests}", "--history", "20")
        if guests % 3 == 0:
            time.sleep(0.1)
            guest.kill()
        guest.communicate(b"hello\nand goodbye\n", timeout=PATIENCE)

    def stop_reading() -> None:
        talker = chance.choice(talkers)
        talker.send_signal(signal.SIGSTOP)
        time.sleep(chance.uniform(0.1, 1.0))
        talker.send_signal(signal.SIGCONT)
        time.sleep(0.5)

    other = random.Random(seed + 2)
    threads = [
        run_while(going, step) for step in (talk, come_and_go, stop_reading, lambda: rubbish(port, other))
    ]
    time.sleep(seconds)
    going.clear()
    for thread in threads:
        thread.join(PATIENCE)
    proxy.cutting = False

    total, deadline = sum(said), time.monotonic() + PATIENCE
    while any(len(seen(name)) < total for name in names) and time.monotonic() < deadline:
        time.sleep(0.2)
    findings = []
    expected = sorted(
        f"line {at} of {number}" for number, count in enumerate(said) for at in range(1, count + 1)
    )
    orders = {name: seen(name) for name in names}
    for name, lines in orders.items():
        if sorted(lines) != expected:
            findings.append(f"{name} saw {len(lines)} lines, {len(set(lines))} of them different, of {total}")
        if lines != orders[names[0]]:
            findings.append(f"{name} saw another order than {names[0]}")
    for talker in talkers:
        talker.send_signal(signal.SIGTERM)
    codes = [talker.wait(PATIENCE) for talker in talkers]
    server.send_signal(signal.SIGTERM)
    began = time.monotonic()
    codes.append(server.wait(PATIENCE))
    if any(codes):
        findings.append(f"exit codes {codes}")
    errors.close()
    findings += [
        line for line in (folder / "stderr").read_text(errors="replace").splitlines() if FINDING.search(line)
    ]
    print(
        f"{total} lines, {TALKERS} talkers, {proxy.cuts} cuts, {guests} guests, seed {seed};"
        f" the server stopped in {time.monotonic() - began:.1f} s"
    )
    print("\n".join(findings[:20]) or "no line lost or doubled, one order, nothing found")
    if findings:
        print(f"see {folder}")
    else:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    return 1 if findings else 0


if __name__ == "__main__":
    os.environ.setdefault("TSAN_OPTIONS", "halt_on_error=0")
    sys.exit(main(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1))
