"""The handshake as a sequence by thread. Its packets go through both tables of the code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from chatroom.handshake import CLIENT, SERVER, Handshake
from chatroom.handshake import Step as Stage
from chatroom.limits import TICKET_BYTES
from chatroom.packets import (
    NO_TOKEN,
    VERSION,
    Admit,
    Hello,
    Packet,
    Port,
    Resumed,
    Status,
    Username,
    Verdict,
    Welcome,
)
from tests.drawings.sequence import Scene, Step

_CLIENT: Final = "client: client-connection"
_ACCEPT: Final = "server: accept"
_PEER: Final = "server: connection PEER"
_FORWARDER: Final = "server: forwarder"
_LANES: Final = (_CLIENT, _ACCEPT, _PEER, _FORWARDER)

_LOBBY: Final = "server/lobby.py"
_OURS: Final = "client/handshaking.py"


class _Both:
    """Both sides of one handshake: each packet is received by the other side's table."""

    def __init__(self) -> None:
        self._server, self._client = Handshake(SERVER), Handshake(CLIENT)

    def to_server(self, packet: Packet, words: str, code: str, then: Stage | None = None) -> Step:
        """The client sends. then: the step that it takes by itself"""
        stage = self._server.receive(packet)
        if then is not None:
            self._client.enter(then)
        return Step(_CLIENT, _PEER, f"{words} → {stage.value}", code)

    def to_client(self, packet: Packet, words: str, code: str) -> Step:
        """The server sends."""
        return Step(_PEER, _CLIENT, f"{words} → {self._client.receive(packet).value}", code)

    def offer(self) -> None:
        """The server has reserved the name: a step that it takes by itself."""
        self._server.enter(Stage.OFFERED)


def scene() -> Scene:
    """A newcomer who gets the first name that it wants, and comes at the new port."""
    title = "The handshake, by thread; behind a packet: the receiver's step"
    return Scene("handshake", title, _LANES, tuple(_steps(_Both())))


def _steps(both: _Both) -> Iterator[Step]:
    ticket = bytes(TICKET_BYTES)
    yield Step(_CLIENT, _ACCEPT, "connects to the lobby", "client/connection.py:open")
    yield Step(_ACCEPT, _PEER, "a thread for this newcomer", "server/server.py:hand_over")
    yield both.to_server(Hello(VERSION, ""), "HELLO", f"{_OURS}:_get_port", Stage.NAMING)
    yield both.to_server(Username("ann", NO_TOKEN), "USERNAME ann", f"{_OURS}:_get_port", Stage.ASKED)
    yield Step(_PEER, _FORWARDER, "ARRIVE: is the name free?", "chatroom/reception.py:reserve")
    yield Step(_FORWARDER, _PEER, "yes: reserved", "chatroom/presence.py:answer")
    both.offer()
    yield Step(_PEER, _PEER, "listens on a free port, first", f"{_LOBBY}:_admission_port")
    yield both.to_client(Status(Verdict.PASS), "STATUS PASS", f"{_LOBBY}:_offer")
    yield both.to_client(Port(40000, ticket), "PORT, ticket", f"{_LOBBY}:_offer")
    yield both.to_server(Status(Verdict.PASS), "STATUS PASS", f"{_OURS}:reserve")
    yield both.to_server(Status(Verdict.END), "STATUS END", f"{_OURS}:reserve", Stage.TAKEN)
    yield both.to_client(Status(Verdict.END), "STATUS END", f"{_LOBBY}:_offer")
    yield Step(_CLIENT, _PEER, "connects to the new port", f"{_OURS}:enter")
    admit = Admit("ann", ticket, ("#general",), 0, 0, bytes(16), 0)
    yield both.to_server(admit, "ADMIT, ticket", "server/admission.py:wait_for_owner")
    yield Step(_PEER, _FORWARDER, "ENTER: now it is the handler", "chatroom/chatroom.py:_converse")
    yield Step(_FORWARDER, _FORWARDER, "JOINED gets its seq, is stored", "chatroom/forwarder.py:forward")
    welcome = Welcome("ann", ticket, bytes(16), 1, 0, 1, Resumed.FRESH)
    stage = both.to_client(welcome, "WELCOME", "chatroom/newcomers.py:welcome")
    yield stage._replace(start=_FORWARDER)
