"""The real client against a server that misbehaves: after some good answers it sends what the input says."""

from __future__ import annotations

import logging
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import Random
from typing import Final

from chatroom.errors import ChatroomError, ProtocolError
from chatroom.packets import (
    SAME_CONNECTION,
    Admit,
    Decoder,
    Packet,
    Port,
    Replay,
    Status,
    Username,
    Verdict,
    encode,
)
from client import Client, Ended
from client.updates import Connected
from tests.client.fake_server import TICKET, channel, live, welcome
from tests.fuzz.inputs import Choices, cuts, mutate, server_packet, streams
from tests.fuzz.loop import Target
from tests.fuzz.sessions import PATIENCE, Errors
from tests.support.events import said
from tests.support.patience import eventually
from tests.support.tasks import Task

EVERY: Final = 500

HOST: Final = "127.0.0.9"
"""An input may send the client to any port: at this address no other program listens."""

NAME, END, WELCOME, TALK = range(4)
"""The answer that is replaced by the input's bytes: to USERNAME, to STATUS END, to ADMIT, or what follows."""

STAGES: Final = (NAME, NAME, END, WELCOME, WELCOME, WELCOME, *[TALK] * 10)
HANG_UP, RESET, FINISH = range(3)
_NO_LINGER = b"\1\0\0\0\0\0\0\0"
_BUGS = ("internal error", "processing failed")


class BadServer:
    """Leads clients through the handshake, as far as the input lets it."""

    def __init__(self, errors: Errors) -> None:
        self._errors = errors
        self._lobby = _listener()
        self._admission = _listener()
        self._threads = threading.active_count()

    def run(self, data: bytes) -> str:
        """One client, from its start to its end."""
        choices = Choices(data)
        stage, same = STAGES[choices.number(len(STAGES))], choices.number(2) == 1
        end, again = choices.number(3), choices.number(8) == 0
        pieces = choices.pieces()
        port: int = self._lobby.getsockname()[1]
        client = Client(HOST, port, name="ann", reconnect=again, retry_for=60.0)
        playing = Task(lambda: self._play(client, stage, pieces, same, end, 1 + again))
        client.start()
        with suppress(ChatroomError):  # it may have ended already
            client.say("hello")
            client.command("/who")
        playing.result(PATIENCE)
        outcome = self._end_of(client, again)
        client.close()
        assert not self._errors.found, self._errors.found
        return outcome

    def _end_of(self, client: Client, again: bool) -> str:
        """The update with which the client ends, now that its server has hung up."""
        if again:  # it would try for ever
            client.close()
        last, connected = None, False
        for update in client.updates(PATIENCE):
            repr(update)
            last, connected = update, connected or isinstance(update, Connected)
        assert isinstance(last, Ended), f"{last} is the last update"
        assert not last.reason.startswith(_BUGS), last
        error = type(last.error).__name__ if last.error is not None else "closed"
        return f"{'connected' if connected else 'not connected'}, {error}"

    # --- the server's side, in a thread of its own -----------------------------------------------------

    def _play(
        self, client: Client, stage: int, pieces: list[bytes], same: bool, end: int, times: int
    ) -> None:
        for _ in range(times):
            sock = self._accept(client, self._lobby)
            if sock is None:
                return  # the client has given up
            with self._lead(client, sock, stage, pieces, same) as sock:
                _hang_up(sock, end)
        while times == 1 and client.ended is None:  # else it waits for an answer, as long as it may
            self._turn_away()

    def _turn_away(self) -> None:
        """Hang up on whoever comes in the next moment."""
        for listener in select.select([self._lobby, self._admission], [], [], 0.005)[0]:
            listener.accept()[0].close()

    def _accept(self, client: Client, listener: socket.socket) -> socket.socket | None:
        """The client's next connection, if it comes to this listener; None if it does not."""
        while True:
            ended = client.ended is not None  # asked first: a client that has ended comes no more
            ready, _, _ = select.select([self._lobby, self._admission], [], [], 0.005)
            if listener in ready:
                sock, _ = listener.accept()
                sock.settimeout(PATIENCE)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return sock
            if ended or (ready and listener is self._admission):
                return None
            if ready:  # it has come to the admission port after all, too late
                self._admission.accept()[0].close()

    def _lead(
        self, client: Client, sock: socket.socket, stage: int, pieces: list[bytes], same: bool
    ) -> socket.socket:
        """Answer each step of the client, with the input's bytes where they are due; where it ended."""
        port = SAME_CONNECTION if same else self._admission.getsockname()[1]
        answers: list[tuple[type, list[Packet]]] = [
            (Username, [Status(Verdict.PASS), Port(port, TICKET)]),
            (Status, [Status(Verdict.END)]),
            (Admit, [welcome(), channel(), Replay(0), said(1), live(1)]),
        ]
        decoder = Decoder()
        for number, (awaited, answer) in enumerate(answers):
            if number == WELCOME and not same:
                with sock:
                    following = self._accept(client, self._admission)
                if following is None:
                    return sock
                sock, decoder = following, Decoder()
            with suppress(OSError, ProtocolError):  # the client may hang up at any moment
                if _await(sock, decoder, awaited):
                    if number < stage:
                        sock.sendall(b"".join(map(encode, answer)))
                        continue
                    _send(sock, pieces)
            return sock
        with suppress(OSError):
            _send(sock, pieces)
        return sock

    def settle(self) -> None:
        """No thread may be left."""
        eventually(lambda: threading.active_count() <= self._threads, "threads are left", PATIENCE)

    def close(self) -> None:
        self._lobby.close()
        self._admission.close()


def _listener() -> socket.socket:
    return socket.create_server((HOST, 0), backlog=64)


def _send(sock: socket.socket, pieces: list[bytes]) -> None:
    for piece in pieces:
        sock.sendall(piece)


def _await(sock: socket.socket, decoder: Decoder, kind: type) -> bool:
    """Read on until a packet of this kind has come, of STATUS the last one; False at the end."""
    while data := sock.recv(1 << 16):
        for packet in decoder.feed(data):
            if isinstance(packet, kind) and packet != Status(Verdict.PASS):
                return True
    return False


def _hang_up(sock: socket.socket, how: int) -> None:
    with suppress(OSError):
        if how == FINISH:
            sock.shutdown(socket.SHUT_WR)
            sock.settimeout(1.0)
            while sock.recv(1 << 16):  # the client closes, too
                pass
        if how == RESET:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)


@contextmanager
def session_client() -> Iterator[Target]:
    """Whole sessions of the real client."""
    good = streams(Random(2), server_packet)

    def make(random: Random) -> bytes:
        data = random.choice(good)
        if random.random() < 0.7:
            data = mutate(random, data, good)
        return random.randbytes(4) + cuts(random, data)

    logging.getLogger("client").setLevel(logging.ERROR)
    with Errors() as errors:
        server = BadServer(errors)
        try:
            yield Target(make, server.run, server.settle, EVERY, waits=True)
        finally:
            server.close()
            logging.getLogger("client").setLevel(logging.NOTSET)
