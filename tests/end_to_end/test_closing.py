"""The server ends at once, at whatever step of the handshake its newcomers are."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from time import monotonic

import pytest

from chatroom.packets import VERSION, Hello, Port, Verdict, encode
from server.app import App
from tests.end_to_end.in_process import port_of, running
from tests.support.peer import Peer


def silent(_app: App, _peer: Peer, _stack: ExitStack) -> None:
    """Connected, nothing said."""


def broken_off(_app: App, peer: Peer, _stack: ExitStack) -> None:
    """In the middle of a packet."""
    peer.socket.sendall(encode(Hello(VERSION, "test"))[:10])


def named(_app: App, peer: Peer, _stack: ExitStack) -> None:
    """The server has sent PORT, and the newcomer has not answered."""
    assert peer.ask("ann").verdict is Verdict.PASS
    peer.expect(Port)


def awaited(_app: App, peer: Peer, _stack: ExitStack) -> None:
    """No connection has come to the new port yet."""
    peer.ask("ann")
    peer.take_port()


def silent_there(_app: App, peer: Peer, stack: ExitStack) -> None:
    """Connected to the new port, and silent there."""
    peer.ask("ann")
    stack.enter_context(Peer.connect(peer.take_port().number))


def member(app: App, _peer: Peer, stack: ExitStack) -> None:
    """A member that reads nothing and says nothing."""
    stack.enter_context(Peer.come_in(port_of(app), "bob"))


@pytest.mark.parametrize("stage", [silent, broken_off, named, awaited, silent_there, member])
def test_the_server_ends_at_once(stage: Callable[[App, Peer, ExitStack], None]) -> None:
    """Closing takes less than a second at any step of a guest's handshake, and leaves no thread."""
    with ExitStack() as stack:
        with running() as app:
            peer = stack.enter_context(Peer.connect(port_of(app)))
            stage(app, peer, stack)
            began = monotonic()
        assert monotonic() - began < 1.0
