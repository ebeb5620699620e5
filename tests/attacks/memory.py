"""Attacks on the memory of the server, and on the one thread that catches members up."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from chatroom.limits import MAX_TEXT
from chatroom.packets import (
    NO_IDENTITY,
    NO_TOKEN,
    VERSION,
    Admit,
    Hello,
    Say,
    Status,
    Username,
    Verdict,
    encode,
)
from chatroom.packets.kinds import HEADER, Kind
from tests.support.peer import Peer

WIDEST = "\N{GRINNING FACE}" * (MAX_TEXT // 4)
"""The longest text of characters of four bytes."""

JOINS = 60
TALKERS = 4
SETS = 40
REPLAYS = 50
HISTORY = 40_000
MISSED = 4_000


def silent_joins(port: int, seconds: float) -> None:
    """Many join and do not read, while the latest lines are the longest that there can be.

    Some ask for what the server has in memory, some for more.
    """
    talker = come(port, "talker", 2)
    for id in range(1, 301):
        say_and_read(talker, Say(id, "#general", WIDEST))
    silent = [come(port, f"silent{n}", 3 + n, lines=(50, 200, 2048)[n % 3]) for n in range(JOINS)]
    time.sleep(seconds)
    del silent


def unread_answers(port: int, seconds: float) -> None:
    """A few say lines in a channel that they are not in, as fast as they can, and read no answer."""
    peers = [come(port, f"wrong{n}", 2 + n) for n in range(TALKERS)]
    data = b"".join(encode(Say(id, "#elsewhere", "x")) for id in range(1, 1001))
    push(peers, [data], seconds)


def channel_sets(port: int, seconds: float) -> None:
    """Each of many that do not read is in another set of channels, while somebody talks in each channel."""
    channels = [f"#c{n}" for n in range(6)]
    talkers = [come(port, f"talker{n}", 2, channels=[name]) for n, name in enumerate(channels)]
    sets = [[name for bit, name in enumerate(channels) if number >> bit & 1] for number in range(3, 3 + SETS)]
    silent = [come(port, f"set{n}", 3 + n, channels=chosen) for n, chosen in enumerate(sets)]
    over = threading.Event()
    sockets = [peer.socket for peer in talkers]
    threading.Thread(target=keep_reading, args=(sockets, over), daemon=True).start()
    end, id = time.monotonic() + seconds, 1
    while time.monotonic() < end:
        for peer, name in zip(talkers, channels, strict=True):
            peer.socket.sendall(b"".join(encode(Say(id + n, name, "x" * 1000)) for n in range(20)))
        id += 20
    over.set()
    del silent


def trickling_readers(port: int, seconds: float) -> None:
    """Many read a little now and then, so that they are not taken for stopped, while some say tiny lines."""
    slow = [come(port, f"slow{n}", 3 + n) for n in range(JOINS)]
    talkers = [come(port, f"talker{n}", 2) for n in range(TALKERS)]
    over = threading.Event()
    sockets = [peer.socket for peer in talkers]
    threading.Thread(target=keep_reading, args=(sockets, over), daemon=True).start()
    end, id = time.monotonic() + seconds, 1
    while time.monotonic() < end:
        for peer in talkers:
            peer.socket.sendall(b"".join(encode(Say(id + n, "#general", "x")) for n in range(20)))
        id += 20
        if id % 2000 == 1:
            for peer in slow:
                peer.socket.setblocking(False)
                with suppress(OSError):
                    peer.socket.recv(2000)
    over.set()
    del slow


def replays(port: int, seconds: float) -> None:
    """Many get the whole of a long history again and again; one that missed a tenth of it comes last.

    Prints how long that one waits for its LIVE.
    """
    fill(port, HISTORY)
    end = time.monotonic() + seconds
    names = iter(range(1_000_000))
    while time.monotonic() < end:
        greedy = [
            come(port, f"all{next(names)}", 2 + n, lines=HISTORY, receive_buffer=0) for n in range(REPLAYS)
        ]
        over = threading.Event()
        reader = threading.Thread(target=keep_reading, args=([peer.socket for peer in greedy], over))
        reader.start()
        time.sleep(0.3)
        began = time.monotonic()
        late = come(port, f"late{next(names)}", 200, lines=MISSED, receive_buffer=0)
        wait_for_live(late)
        print(f"one that missed {MISSED} waited {time.monotonic() - began:.2f} s", flush=True)
        over.set()
        reader.join()
        for peer in (*greedy, late):
            peer.close()


# --- helpers --------------------------------------------------------------------------------------------


def come(
    port: int,
    name: str,
    host: int,
    lines: int = 0,
    channels: Sequence[str] = ("#general",),
    receive_buffer: int = 4096,
) -> Peer:
    """A member from the address 127.0.0.`host` that has not read its greeting.

    receive_buffer: see Peer.connect()
    """
    source = f"127.0.0.{host}"
    lobby = Peer.connect(port, source=source)
    lobby.send(Hello(VERSION, "attack"), Username(name, NO_TOKEN))
    assert lobby.expect(Status).verdict is Verdict.PASS
    offer = lobby.take_port()
    lobby.close()
    peer = Peer.connect(port, offer.number, source, receive_buffer)
    peer.send(Admit(name, offer.ticket, tuple(channels), 0, 0, NO_IDENTITY, lines))
    return peer


def fill(port: int, count: int) -> None:
    """Say many lines, and read them all."""
    peer = Peer.come_in(port, "filler", source="127.0.0.2")
    for first in range(1, count, 1000):
        says = [Say(id, "#general", f"line {id}") for id in range(first, first + 1000)]
        peer.send(*says)
        peer.said(1000)
        peer.packets.clear()
    peer.close()


def say_and_read(peer: Peer, say: Say) -> None:
    peer.send(say)
    peer.receive_until(lambda packet: getattr(packet, "id", 0) == say.id)
    peer.packets.clear()


def push(peers: Sequence[Peer], datas: Sequence[bytes], seconds: float) -> None:
    """Send without reading, as much as the sockets take."""
    end = time.monotonic() + seconds
    rests = dict.fromkeys((peer.socket for peer in peers), b"")
    for sock in rests:
        sock.setblocking(False)
    while time.monotonic() < end and rests:
        _, writable, _ = select.select([], list(rests), [], 0.1)
        for sock in writable:
            rest = rests[sock] or datas[0]
            try:
                rests[sock] = rest[sock.send(rest) :]
            except BlockingIOError:
                continue
            except OSError:
                del rests[sock]


def read_all(socks: Sequence[socket.socket], timeout: float) -> None:
    """Read and drop what has come."""
    for sock in select.select(socks, [], [], timeout)[0]:
        with suppress(OSError):
            sock.recv(1 << 18)


def keep_reading(socks: Sequence[socket.socket], over: threading.Event) -> None:
    while not over.is_set():
        read_all(socks, 0.05)


def wait_for_live(peer: Peer) -> None:
    """Read up to LIVE, and look at nothing but the headers: the attacker needs the processor, too."""
    data, at = b"", 0
    peer.socket.settimeout(60)
    while True:
        while len(data) < at + HEADER.size:
            more = peer.socket.recv(1 << 18)
            assert more, "the server hung up before LIVE"
            data, at = data[at:] + more, 0
        header = HEADER.unpack_from(data, at)
        if header[2] == Kind.LIVE:
            return
        at += HEADER.size + header[4]
        if at > len(data):  # the rest of this packet is still to come
            at -= len(data)
            data = b""
            while at:
                at -= len(peer.socket.recv(at))
