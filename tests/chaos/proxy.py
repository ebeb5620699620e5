"""A TCP proxy between clients and server that harms connections as networks do.

One thread moves all bytes, so a fault needs no lock: it is posted to that thread and done between two moves.
The handshake names a second port; the proxy rewrites PORT packets, so that the admitted connection comes
through it, too.
"""

from __future__ import annotations

import os
import selectors
import socket
import struct
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future
from random import Random
from threading import Thread
from typing import Final

from chatroom.packets import HEADER, MAGIC, SAME_CONNECTION, Decoder, Kind, Port, encode

_BUFFER: Final = 128 * 1024  # bytes held in one direction; beyond it the proxy does not read on
_ADMISSION_SECONDS: Final = 20.0  # how long a rewritten port listens for its owner
_CONNECT_SECONDS: Final = 1.0
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 seconds: close() sends RST


class PortRewriter:
    """Passes a lobby connection's bytes on; every PORT packet gets another number on the way.

    Bytes of TLS pass as they are: their server must keep its clients on the same connection.
    """

    def __init__(self, other: Callable[[int], int]) -> None:
        self._other = other
        self._rest = b""
        self._over = False  # after PORT with SAME_CONNECTION, and with TLS: all that follows passes

    def feed(self, data: bytes) -> bytes:
        """The bytes for the client now; half a packet is kept until the other half has come."""
        if self._over:
            return data
        data, out = self._rest + data, b""
        if data[:1] != bytes((MAGIC,)):
            self._over = True
        while len(data) >= HEADER.size and not self._over:
            size = HEADER.size + HEADER.unpack_from(data)[4]
            if len(data) < size:
                break
            out += self._rewritten(data[:size])
            data = data[size:]
        if self._over:
            out, data = out + data, b""
        self._rest = data
        return out

    def _rewritten(self, packet: bytes) -> bytes:
        if packet[2] != Kind.PORT:
            return packet
        (port,) = Decoder().feed(packet)
        assert isinstance(port, Port)
        if port.number == SAME_CONNECTION:
            self._over = True
            return packet
        return encode(port._replace(number=self._other(port.number)))


class _Way:
    """One direction of a link."""

    def __init__(self, source: socket.socket, sink: socket.socket, rewriter: PortRewriter | None) -> None:
        self.source, self.sink, self.rewriter = source, sink, rewriter
        self.waiting = bytearray()
        self.ended = False  # source has sent the end of its stream
        self.closed = False  # … and the proxy has passed it to sink
        self.stalled_until = 0.0
        self.chopped_until = 0.0
        self.cut_after: int | None = None  # bytes that still pass

    def read(self) -> None:
        data = self.source.recv(64 * 1024)
        self.ended = not data
        self.waiting += self.rewriter.feed(data) if self.rewriter else data

    def write(self, chop: int) -> bool:
        """Send on what waits (a little of it, when chopped). True: here the link is cut."""
        size = chop if self.chopped_until > time.monotonic() else len(self.waiting)
        if self.cut_after is not None:
            size = min(size, self.cut_after)
        sent = self.sink.send(memoryview(self.waiting)[:size]) if size else 0
        del self.waiting[:sent]
        if self.cut_after is not None:
            self.cut_after -= sent
        return self.cut_after == 0


class _Link:
    """One connection through the proxy."""

    def __init__(self, client: socket.socket, server: socket.socket, rewriter: PortRewriter | None) -> None:
        self.client, self.server = client, server
        self.up = _Way(client, server, None)
        self.down = _Way(server, client, rewriter)
        self.ways = (self.up, self.down)

    def interest(self, side: socket.socket, now: float) -> int:
        """The selector's events for one of the two sockets."""
        events = 0
        for way in self.ways:
            if way.stalled_until > now:
                continue
            if way.source is side and not way.ended and len(way.waiting) < _BUFFER:
                events |= selectors.EVENT_READ
            if way.sink is side and way.waiting:
                events |= selectors.EVENT_WRITE
        return events


class _Door:
    """A listening socket: the lobby's, or that of one rewritten PORT."""

    def __init__(self, listener: socket.socket, target: int | None, until: float | None) -> None:
        self.listener, self.target, self.until = listener, target, until


class Proxy:
    """Listens on `port` and connects to the server's lobby, whose port may be set later.

    seed: of the little that is left to chance here (how small the pieces of a chopped stream are).
    """

    def __init__(self, seed: int = 0) -> None:
        self.lobby = 0
        self.counts: Counter[str] = Counter()
        self._random = Random(seed)
        self._selector = selectors.DefaultSelector()
        self._links: list[_Link] = []
        self._doors: list[_Door] = []
        self._posted: deque[tuple[Callable[[], object], Future[object]]] = deque()
        self._wake_out, self._wake_in = os.pipe()
        self._running = True
        self._selector.register(self._wake_out, selectors.EVENT_READ, None)
        self.port = self._open_door(None, None)
        self._thread = Thread(target=self._run, name="chaos proxy")
        self._thread.start()

    # --- faults; any thread; `target` picks a link, whichever has that place now ---------------------------

    def reset(self, target: int) -> bool:
        """Send RST both ways. False: there is no connection."""
        return self._do(lambda: self._each(target, "resets", lambda link: self._drop(link, reset=True)))

    def cut(self, target: int, after: int, up: bool) -> bool:
        """Let `after` more bytes pass in one direction, then end the connection: mostly inside a packet."""

        def mark(link: _Link) -> None:
            way = link.up if up else link.down
            way.cut_after = after

        return self._do(lambda: self._each(target, "", mark))

    def stall(self, target: int | None, seconds: float, *, up: bool = True, down: bool = True) -> bool:
        """Move nothing for a while, as when a cable is out; None: on every connection there is now."""
        until = time.monotonic() + seconds

        def mark(link: _Link) -> None:
            for way, wanted in zip(link.ways, (up, down), strict=True):
                if wanted:
                    way.stalled_until = until

        return self._do(lambda: self._each(target, "stalls", mark))

    def chop(self, target: int, seconds: float) -> bool:
        """Send on in pieces of a few bytes for a while."""
        until = time.monotonic() + seconds

        def mark(link: _Link) -> None:
            for way in link.ways:
                way.chopped_until = until

        return self._do(lambda: self._each(target, "chops", mark))

    def heal(self) -> None:
        """End all faults that still last."""

        def mark(link: _Link) -> None:
            for way in link.ways:
                way.stalled_until, way.chopped_until, way.cut_after = 0.0, 0.0, None

        self._do(lambda: self._each(None, "", mark))

    def close(self) -> None:
        """Drop every connection and end the thread."""

        def stop() -> bool:
            self._running = False
            return True

        self._do(stop)
        self._thread.join()
        for link in list(self._links):
            self._drop(link, reset=False)
        for door in list(self._doors):
            self._close_door(door)
        self._selector.close()
        os.close(self._wake_out)
        os.close(self._wake_in)

    # --- everything below runs in the proxy's thread -------------------------------------------------------

    def _do(self, action: Callable[[], object]) -> bool:
        """Have the thread do it and wait until it is done (the only method here of the callers' threads)."""
        done: Future[object] = Future()
        self._posted.append((action, done))
        os.write(self._wake_in, b"!")
        return bool(done.result(10))

    def _each(self, target: int | None, count: str, mark: Callable[[_Link], None]) -> bool:
        if not self._links:
            return False
        links = list(self._links) if target is None else [self._links[target % len(self._links)]]
        for link in links:
            mark(link)
            if link in self._links:
                self._watch(link)
        if count:
            self.counts[count] += 1
        return True

    def _run(self) -> None:
        while self._running:
            for key, events in self._selector.select(self._pause()):
                if isinstance(key.data, _Door):
                    self._accept(key.data)
                elif isinstance(key.data, _Link):
                    self._move(key.data, key.fileobj, events)
                else:
                    os.read(self._wake_out, 4096)
            while self._posted:
                action, done = self._posted.popleft()
                try:
                    done.set_result(action())
                except Exception as error:  # noqa: BLE001 - the poster gets it
                    done.set_exception(error)
            self._look_at_the_clock()

    def _pause(self) -> float | None:
        """Seconds until a stall or an admission port is over; None: nothing is waited for."""
        times = [way.stalled_until for link in self._links for way in link.ways if way.stalled_until]
        times += [door.until for door in self._doors if door.until is not None]
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _look_at_the_clock(self) -> None:
        now = time.monotonic()
        for door in [door for door in self._doors if door.until is not None and door.until <= now]:
            self._close_door(door)
        for link in list(self._links):
            over = [way for way in link.ways if 0.0 < way.stalled_until <= now]
            for way in over:
                way.stalled_until = 0.0
            if over:
                self._watch(link)

    def _open_door(self, target: int | None, until: float | None) -> int:
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        listener.setblocking(False)
        door = _Door(listener, target, until)
        self._doors.append(door)
        self._selector.register(listener, selectors.EVENT_READ, door)
        return int(listener.getsockname()[1])

    def _close_door(self, door: _Door) -> None:
        self._selector.unregister(door.listener)
        door.listener.close()
        self._doors.remove(door)

    def _accept(self, door: _Door) -> None:
        try:
            client, _ = door.listener.accept()
        except OSError:
            return
        rewriter = PortRewriter(self._admission_port) if door.target is None else None
        try:
            server = socket.create_connection(("127.0.0.1", door.target or self.lobby), _CONNECT_SECONDS)
        except OSError:  # the server is down: the client sees the same error as without the proxy
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            client.close()
        else:
            self._link(client, server, rewriter)
        if door.target is not None:
            self._close_door(door)

    def _admission_port(self, number: int) -> int:
        return self._open_door(number, time.monotonic() + _ADMISSION_SECONDS)

    def _link(self, client: socket.socket, server: socket.socket, rewriter: PortRewriter | None) -> None:
        for side in (client, server):
            side.setblocking(False)
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = _Link(client, server, rewriter)
        self._links.append(link)
        self.counts["connections"] += 1
        self._watch(link)

    def _move(self, link: _Link, side: object, events: int) -> None:
        if link not in self._links:
            return  # dropped earlier in this round
        try:
            for way in link.ways:
                if way.source is side and events & selectors.EVENT_READ:
                    way.read()
                if way.waiting and not way.stalled_until and way.write(self._random.randint(1, 40)):
                    self.counts["cuts"] += 1
                    self._drop(link, reset=self._random.random() < 0.5)
                    return
                if way.ended and not way.waiting and not way.closed:
                    way.closed = True
                    way.sink.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            pass
        except OSError:
            self._drop(link, reset=True)
            return
        if all(way.closed for way in link.ways):
            self._drop(link, reset=False)
        else:
            self._watch(link)

    def _watch(self, link: _Link) -> None:
        """Wait for what the link can do now."""
        now = time.monotonic()
        for side in (link.client, link.server):
            events = link.interest(side, now)
            watched = self._selector.get_map().get(side)
            if watched is None and events:
                self._selector.register(side, events, link)
            elif watched is not None and not events:
                self._selector.unregister(side)
            elif watched is not None and watched.events != events:
                self._selector.modify(side, events, link)

    def _drop(self, link: _Link, *, reset: bool) -> None:
        self._links.remove(link)
        for side in (link.client, link.server):
            if self._selector.get_map().get(side) is not None:
                self._selector.unregister(side)
            if reset:
                side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            side.close()
