"""The admission port: the one with the ticket gets in, whatever strangers do."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from chatroom.deadline import Deadline
from chatroom.errors import Closed, ConnectionLost
from chatroom.handshake import SERVER, Handshake, Step
from chatroom.outcomes import Code
from chatroom.packets import NO_IDENTITY, Admit, Ping, Status, Verdict
from server.admission import AdmissionPort
from server.crowd import Crowd
from server.limits import ADMISSION_GUESTS
from server.quotas import Quotas
from tests.support.patience import PATIENCE
from tests.support.peer import Peer
from tests.support.tasks import Task

TICKET = b"t" * 16
QUOTAS = Quotas(members=100)
ADMIT = Admit("ann", TICKET, ("#general",), 0, 0, NO_IDENTITY, 0)


def admission_port() -> AdmissionPort:
    handshake = Handshake(SERVER)
    handshake.enter(Step.ADMITTING)
    listener = socket.create_server(("127.0.0.1", 0))
    return AdmissionPort(listener, handshake, TICKET, "127.0.0.1", Crowd(QUOTAS))


@pytest.fixture
def port() -> Iterator[AdmissionPort]:
    port = admission_port()
    yield port
    port.close()


def stranger(port: AdmissionPort, data: bytes = b"") -> Peer:
    peer = Peer.connect(port.number)
    peer.socket.sendall(data)
    return peer


def test_the_owner_gets_in(port: AdmissionPort) -> None:
    """The one that shows the ticket is returned, with its ADMIT and the packets that came right behind."""
    with stranger(port) as owner:
        owner.send(ADMIT, Ping(7))
        guest, admit = port.wait_for_owner(Deadline(PATIENCE))
        assert admit == ADMIT
        assert guest.exchange.receive() == Ping(7)
        guest.transport.close()


@pytest.mark.parametrize("places", [1, 2])
def test_a_stranger_pushed_out_with_something_said(
    port: AdmissionPort, places: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger that has sent something and is pushed out in the same moment harms nobody."""
    monkeypatch.setattr("server.admission.ADMISSION_GUESTS", places)
    strangers = [stranger(port, b"\xc7\x02"[:1]) for _ in range(places + 2)]
    with stranger(port) as owner:
        owner.send(ADMIT)
        guest, _ = port.wait_for_owner(Deadline(PATIENCE))
        guest.transport.close()
    for peer in strangers:
        peer.close()


def test_wrong_tickets_are_refused_and_the_owner_still_gets_in(port: AdmissionPort) -> None:
    """More strangers with wrong tickets than there are places: each is told why, the owner is admitted."""
    strangers = [stranger(port) for _ in range(ADMISSION_GUESTS)]
    task = Task(lambda: port.wait_for_owner(Deadline(PATIENCE)))
    for peer in strangers:
        peer.send(ADMIT._replace(ticket=b"x" * 16))
        assert peer.rest() == [Status(Verdict.FAIL, Code.EXPIRED, "wrong ticket")]
        peer.close()
    with stranger(port) as owner:
        owner.send(ADMIT)
        guest, admit = task.result()
        assert admit == ADMIT
        guest.transport.close()


def test_nobody_comes() -> None:
    """At the deadline the waiting ends, though a silent stranger is there; its connection is closed."""
    port = admission_port()
    with stranger(port) as peer:
        with pytest.raises(ConnectionLost, match="nobody came"):
            port.wait_for_owner(Deadline(0.05))
        port.close()
        assert peer.rest() == [Status(Verdict.FAIL, Code.EXPIRED, "the port is closed")]


def test_waking(port: AdmissionPort) -> None:
    """wake() ends the waiting at once."""
    task = Task(lambda: port.wait_for_owner(Deadline(PATIENCE)))
    port.wake()
    with pytest.raises(Closed):
        task.result()
