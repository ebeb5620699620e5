"""A small server that really keeps a log: sessions, one account, each line once, a replay from any seq.

It is what a client may rely on and nothing else, and it cuts connections where the test says.
"""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from types import TracebackType

from chatroom.errors import ChatroomError
from chatroom.events import Event
from chatroom.outcomes import Code
from chatroom.packets import (
    NO_TOKEN,
    SAME_CONNECTION,
    Admit,
    Answer,
    Bye,
    Channel,
    Command,
    Decoder,
    Hello,
    Packet,
    Ping,
    Pong,
    Port,
    Replay,
    Resumed,
    Say,
    Status,
    Username,
    Verdict,
    Welcome,
    encode,
)
from tests.client.fake_server import IDENTITY, TICKET, listen, live
from tests.support.events import GENERAL, said

ACCOUNT, PASSWORD = "dora", "correct horse"
GUEST, DORA = 7, 8
"""The persons of guests, who all have one, and of the account."""


class Session:
    """Who it is, and the highest id applied."""

    def __init__(self, person: int, name: str) -> None:
        self.person, self.name = person, name
        self.highest = 0


class LogServer:
    """Serves until the block ends.

    cuts: after how many bytes to cut each connection, in the order in which they begin; then none
    log:  all events; guarded by `lock`
    """

    def __init__(self, cuts: Sequence[int] = ()) -> None:
        self.lock = threading.Lock()
        self.log: list[Event] = []
        self._cuts: Iterator[int | None] = itertools.chain(cuts, itertools.repeat(None))
        self._sessions: dict[bytes, Session] = {}
        self._members: list[_Peer] = []
        self._peers: list[_Peer] = []
        self._listener = listen()
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> LogServer:
        self._spawn(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for peer in self._peers:
            peer.cut()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def happen(self, text: str) -> None:
        """Bob says something."""
        with self.lock:
            self._append(text, 0, 2, "bob")

    def _append(self, text: str, id: int, person: int, name: str) -> None:
        """Requires holding lock."""
        event = said(len(self.log) + 1, text, name, id, person=person)
        self.log.append(event)
        for member in self._members:
            member.send(event)

    def _spawn(self, run: object) -> None:
        thread = threading.Thread(target=run, name="log-server")  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                peer = _Peer(self._listener.accept()[0], next(self._cuts))
                self._peers.append(peer)
                self._spawn(lambda peer=peer: self._serve(peer))

    def _serve(self, peer: _Peer) -> None:
        with suppress(OSError, ChatroomError):
            session = self._lead(peer)
            while session is not None:
                packet = peer.receive()
                if isinstance(packet, Say):
                    self._say(peer, session, packet)
                elif isinstance(packet, Command):
                    peer.send(Answer(packet.id, Code.OK, ""))
                elif isinstance(packet, Ping):
                    peer.send(Pong(packet.id))
                elif isinstance(packet, Bye):
                    self._leave(peer)
                    peer.send(Bye(False, Code.GOODBYE, ""))
                    break
        self._leave(peer)
        peer.cut()

    def _leave(self, peer: _Peer) -> None:
        with self.lock:
            if peer in self._members:
                self._members.remove(peer)

    def _lead(self, peer: _Peer) -> Session | None:
        assert isinstance(peer.receive(), Hello)
        asked = peer.receive()
        assert isinstance(asked, Username)
        if asked.credentials and asked.credentials[0][1] != PASSWORD.encode():
            peer.send(Status(Verdict.FAIL, Code.BAD_PASSWORD, "wrong"))
            return None
        peer.send(Status(Verdict.PASS), Port(SAME_CONNECTION, TICKET))
        peer.receive(), peer.receive()
        peer.send(Status(Verdict.END))
        admit = peer.receive()
        assert isinstance(admit, Admit)
        with self.lock:
            token = asked.token
            if token not in self._sessions:
                token = bytes([len(self._sessions) + 1]) * len(NO_TOKEN)
                person = DORA if asked.credentials else GUEST
                self._sessions[token] = Session(person, asked.name)
            session, head = self._sessions[token], len(self.log)
            how = Resumed.EXACT if admit.since else Resumed.FRESH
            greeting = Welcome(session.name, token, IDENTITY, session.person, session.highest, head, how)
            replay = self.log[admit.since :]
            peer.send(greeting, Channel(GENERAL, "#general", "", 0, 0, 0, ()), Replay(0), *replay, live(head))
            self._members.append(peer)
        return session

    def _say(self, peer: _Peer, session: Session, say: Say) -> None:
        with self.lock:
            if say.id <= session.highest:
                peer.send(Answer(say.id, Code.ALREADY, ""))
                return
            session.highest = say.id
            self._append(say.text, say.id, session.person, session.name)


class _Peer:
    """One connection, which breaks after so many bytes."""

    def __init__(self, sock: socket.socket, left: int | None) -> None:
        self._socket = sock
        self._left = left
        self._decoder = Decoder()
        self._waiting: list[Packet] = []

    def send(self, *packets: Packet) -> None:
        data = b"".join(map(encode, packets))
        if self._left is not None:
            data, rest = data[: self._left], data[self._left :]
            self._left -= len(data)
        else:
            rest = b""
        with suppress(OSError):
            self._socket.sendall(data)
            if rest:
                self._socket.shutdown(socket.SHUT_RDWR)

    def receive(self) -> Packet:
        while not self._waiting:
            data = self._socket.recv(65536)
            if not data:
                raise OSError("the end")
            self._waiting += self._decoder.feed(data)
        return self._waiting.pop(0)

    def cut(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
