"""The server ends at once, wherever its guests are in the handshake."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from time import monotonic

import pytest

from chatroom.packets import Code, Hello, Port, encode
from server.app import App
from tests.end_to_end.in_process import port_of, running
from tests.support.peer import Peer


def silent(_app: App, _peer: Peer, _stack: ExitStack) -> None:
    """Connected, nothing said."""


def broken_off(_app: App, peer: Peer, _stack: ExitStack) -> None:
    """In the middle of a packet."""
    peer.socket.sendall(encode(Hello(1, "test"))[:10])


def named(_app: App, peer: Peer, _stack: ExitStack) -> None:
    """The port was told, and not taken."""
    assert peer.ask("ann").code is Code.PASS
    peer.expect(Port)


def awaited(_app: App, peer: Peer, _stack: ExitStack) -> None:
    """Nobody has come to the new port yet."""
    peer.ask("ann")
    peer.take_port()


def silent_there(_app: App, peer: Peer, stack: ExitStack) -> None:
    """At the new port, and nothing said there."""
    peer.ask("ann")
    stack.enter_context(Peer.connect(peer.take_port().number))


def member(app: App, _peer: Peer, stack: ExitStack) -> None:
    """A member that reads nothing and says nothing."""
    stack.enter_context(Peer.come_in(port_of(app), "bob"))


@pytest.mark.parametrize("stage", [silent, broken_off, named, awaited, silent_there, member])
def test_the_server_ends_at_once(stage: Callable[[App, Peer, ExitStack], None]) -> None:
    """Whatever a guest is doing, closing takes no second, and no thread is left."""
    with ExitStack() as stack:
        with running() as app:
            peer = stack.enter_context(Peer.connect(port_of(app)))
            stage(app, peer, stack)
            began = monotonic()
        assert monotonic() - began < 1.0
