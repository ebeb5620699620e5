"""The raiders: `python -m tests.raid.raiders PORT CONNECTIONS ADDRESSES`, until standard input ends.

Each talks, takes other names, writes to members, joins and leaves, as fast as the server takes it. Whoever is
put out comes again under another name. They read what comes, and look at nothing of it.
"""

from __future__ import annotations

import itertools
import queue
import selectors
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Final, cast

from chatroom.events import Extra, extra_row
from chatroom.packets import Command, Form, Say, encode
from tests.support.peer import Peer

NAME: Final = "zzr"
"""How the names of raiders begin: no other packet of the server has these letters."""
MARK: Final = "<raid>"
"""How each of their lines begins."""
_DOORS: Final = 4  # threads that bring them in
_AGAIN: Final = 0.05  # seconds between two tries of one thread, when it was refused


class Raid:
    """All connections of the raid."""

    def __init__(self, port: int, connections: int, addresses: int) -> None:
        self._port, self._connections, self._addresses = port, connections, addresses
        self._over = threading.Event()
        self._wanted: queue.Queue[int] = queue.Queue()
        self._come: queue.Queue[tuple[int, Peer]] = queue.Queue()
        self._names = itertools.count()
        self._selector = selectors.DefaultSelector()
        self._floods: dict[socket.socket, Iterator[bytes]] = {}
        self._waiting: dict[socket.socket, memoryview] = {}
        self._numbers: dict[socket.socket, int] = {}
        self._buffer = bytearray(1 << 20)

    def run(self) -> None:
        """Until the end of standard input. Says how many are in when all are, or after five seconds."""
        for number in range(self._connections):
            self._wanted.put(number)
        doors = [threading.Thread(target=self._bring_in, daemon=True) for _ in range(_DOORS)]
        for thread in (*doors, threading.Thread(target=self._listen, daemon=True)):
            thread.start()
        told, began = False, time.monotonic()
        while not self._over.is_set():
            self._take_in()
            self._step()
            if not told and (len(self._floods) == self._connections or time.monotonic() > began + 5.0):
                told = True
                print(len(self._floods), flush=True)

    def _listen(self) -> None:
        sys.stdin.read()
        self._over.set()

    # --- coming in ------------------------------------------------------------------------------------------

    def _bring_in(self) -> None:
        while not self._over.is_set():
            number = self._wanted.get()
            try:
                source = f"127.0.1.{number % self._addresses + 1}"
                peer = Peer.come_in(self._port, f"{NAME}{next(self._names)}", source=source)
            except (OSError, AssertionError):
                self._wanted.put(number)
                time.sleep(_AGAIN)
            else:
                self._come.put((number, peer))

    def _take_in(self) -> None:
        with suppress(queue.Empty):
            while True:
                number, peer = self._come.get_nowait()
                sock = peer.socket
                sock.setblocking(False)
                members = [one for channel in peer.channels for one in channel.members]
                persons = [one.person for one in members if not one.name.startswith(NAME)]
                self._floods[sock] = _deeds(number, persons)
                self._waiting[sock], self._numbers[sock] = memoryview(b""), number
                self._selector.register(sock, selectors.EVENT_READ | selectors.EVENT_WRITE)

    # --- raiding --------------------------------------------------------------------------------------------

    def _step(self) -> None:
        if not self._floods:
            self._over.wait(0.01)
            return
        idle = True
        for key, ready in self._selector.select(0.01):
            sock = cast(socket.socket, key.fileobj)
            try:
                if ready & selectors.EVENT_READ and not self._read(sock):
                    self._put_out(sock)
                    continue
                if ready & selectors.EVENT_WRITE:
                    data = self._waiting[sock] or memoryview(next(self._floods[sock]))
                    self._waiting[sock] = data[sock.send(data) :]
                    idle = False
            except BlockingIOError:
                pass
            except OSError:
                self._put_out(sock)
        if idle:
            time.sleep(0.001)

    def _read(self, sock: socket.socket) -> bool:
        try:
            return sock.recv_into(self._buffer) > 0
        except BlockingIOError:
            return True

    def _put_out(self, sock: socket.socket) -> None:
        self._selector.unregister(sock)
        del self._floods[sock], self._waiting[sock]
        self._wanted.put(self._numbers.pop(sock))
        sock.close()


def _deeds(number: int, persons: list[int]) -> Iterator[bytes]:
    """What a raider sends, piece by piece."""
    id = itertools.count(1)
    for turn in itertools.count():
        packets = [encode(Say(next(id), "#general", f"{MARK} buy this {turn}")) for _ in range(20)]
        if persons:
            row = extra_row(Extra.RECEIVER, persons[(number + turn) % len(persons)], 4)
            packets.append(encode(Say(next(id), "@you", f"{MARK} psst {turn}", Form.SAY, row)))
        command = (f"/nick {NAME}{number}x{turn}", f"/join #raid{number}", f"/leave #raid{number}")[turn % 3]
        packets.append(encode(Command(1, "#general", command)))
        yield b"".join(packets)


def main() -> int:
    port, connections, addresses = map(int, sys.argv[1:4])
    Raid(port, connections, addresses).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
