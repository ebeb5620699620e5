"""Plays lines to one client in its own protocol: a process of its own, so that it disturbs no measurement.

    python -m tests.bench.terminal.player PROTOCOL

It prints its port, and `here` when the client has come in. Each line of its input, KIND COUNT RATE, makes it
say so many lines of a kind at so many a second; it prints `said` behind the last one.
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from chatroom.errors import ChatroomError
from chatroom.outcomes import Code
from chatroom.packets import Answer, Command, Ping, Pong, encode
from tests.bench.terminal.texts import lines
from tests.client.fake_server import FakeServer, listen, live
from tests.support.events import said
from tests.support.patience import PROGRAM_PATIENCE
from tests.support.peer import PacketSocket

_TICK: Final = 0.005
"""Seconds between two pieces at a high rate."""

_TALKERS: Final = ("bob", "carla", "dmitri", "eve")

Say = Callable[[list[str]], None]


def chatroom() -> Iterator[Say]:
    """Our own protocol. The first result is only for the port."""
    with FakeServer(patience=PROGRAM_PATIENCE) as server:
        print(server.port, flush=True)
        peer, _ = server.admit(live())
        threading.Thread(target=_answer, args=(peer,), daemon=True).start()
        seq = 0

        def say(texts: list[str]) -> None:
            nonlocal seq
            begin, seq = seq, seq + len(texts)
            events = (
                said(begin + n, text, _TALKERS[n % 4], person=n % 4 + 2) for n, text in enumerate(texts, 1)
            )
            peer.socket.sendall(b"".join(map(encode, events)))

        yield say


def _answer(peer: PacketSocket) -> None:
    """Pings, and the question whom the user ignores: until it is answered, the client shows nothing."""
    with suppress(OSError, ChatroomError):
        while (packet := peer.receive()) is not None:
            if isinstance(packet, Ping):
                peer.send(Pong(packet.id))
            elif isinstance(packet, Command):
                peer.send(Answer(packet.id, Code.OK, ""))


def plain() -> Iterator[Say]:
    """Lines of text."""
    with listen() as listener:
        print(listener.getsockname()[1], flush=True)
        with listener.accept()[0] as peer:

            def say(texts: list[str]) -> None:
                rows = (f"12:34 {_TALKERS[n % 4]}: {text}\n" for n, text in enumerate(texts))
                peer.sendall("".join(rows).encode())

            yield say


def irc() -> Iterator[Say]:
    """As much of IRC (RFC 2812) as a client needs to come in."""
    with listen() as listener:
        print(listener.getsockname()[1], flush=True)
        with listener.accept()[0] as peer:
            joined = threading.Event()
            threading.Thread(target=_serve_irc, args=(peer, joined.set), daemon=True).start()
            assert joined.wait(PROGRAM_PATIENCE), "the client does not join"

            def say(texts: list[str]) -> None:
                rows = (
                    f":{_TALKERS[n % 4]}!user@host PRIVMSG #general :{text}\r\n"
                    for n, text in enumerate(texts)
                )
                peer.sendall("".join(rows).encode())

            yield say


def _serve_irc(peer: socket.socket, joined: Callable[[], None]) -> None:
    """Answer a client until it goes."""

    def send(*rows: str) -> None:
        peer.sendall("".join(f"{row}\r\n" for row in rows).encode())

    nick = "ann"
    with suppress(OSError), peer.makefile(encoding="utf-8", errors="replace") as source:
        for line in source:
            word, _, rest = line.strip().partition(" ")
            if word == "CAP" and rest.startswith(("LS", "LIST")):
                send(":irc CAP * LS :")
            elif word == "NICK":
                nick = rest.lstrip(":")
            elif word == "USER":
                send(f":irc 001 {nick} :welcome", f":irc 422 {nick} :no message of the day")
            elif word == "PING":
                send(f":irc PONG irc :{rest.lstrip(':')}")
            elif word == "JOIN":
                names = " ".join((nick, *_TALKERS))
                send(
                    f":{nick}!user@host JOIN #general",
                    f":irc 353 {nick} = #general :{names}",
                    f":irc 366 {nick} #general :end",
                )
                joined()


def play(say: Say, kind: str, count: int, rate: float) -> None:
    """Say so many lines of a kind, at so many a second."""
    texts = lines(kind, count)
    begin = time.monotonic()
    sent = 0
    while sent < count:
        due = min(count, int((time.monotonic() - begin) * rate) + 1)
        if due > sent:
            say(texts[sent:due])
            sent = due
        else:
            time.sleep(min(_TICK, 1 / rate))


PROTOCOLS: Final = {"chatroom": chatroom, "plain": plain, "irc": irc}


def main(protocol: str) -> None:
    """Play what the input says."""
    for say in PROTOCOLS[protocol]():
        print("here", flush=True)
        for command in sys.stdin:
            kind, count, rate = command.split()
            with suppress(BrokenPipeError, ConnectionResetError):
                play(say, kind, int(count), float(rate))
            print("said", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
