"""The admission port: the one with the ticket gets in, whatever strangers do."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from chatroom.deadline import Deadline
from chatroom.errors import Closed, ConnectionLost, Refused
from chatroom.handshake import SERVER, Handshake, Step
from chatroom.outcomes import Code
from chatroom.packets import HEADER, MAGIC, NO_IDENTITY, VERSION, Admit, Ping, Status, Verdict, encode
from server.admission import AdmissionPort
from server.crowd import Crowd, Visit
from server.limits import ADMISSION_GUESTS
from server.quotas import Quotas
from tests.support.patience import PATIENCE
from tests.support.peer import Peer
from tests.support.tasks import Task

TICKET = b"t" * 16
QUOTAS = Quotas(members=100)
ADMIT = Admit("ann", TICKET, ("#general",), 0, 0, NO_IDENTITY, 0)


def admission_port(crowd: Crowd | None = None) -> AdmissionPort:
    handshake = Handshake(SERVER)
    handshake.enter(Step.ADMITTING)
    listener = socket.create_server(("127.0.0.1", 0))
    return AdmissionPort(listener, handshake, TICKET, "127.0.0.1", crowd or Crowd(QUOTAS))


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


ONE, MANY, ITS_OWN = ["127.0.0.2"] * 9, [f"127.0.0.{n}" for n in range(2, 11)], ["127.0.0.1"] * 9


@pytest.mark.parametrize("sources", [ONE, MANY, ITS_OWN], ids=["one address", "nine", "its own"])
def test_an_owner_that_is_early_keeps_its_place(port: AdmissionPort, sources: list[str]) -> None:
    """Nine strangers do not push out the owner that has connected and has not sent its ADMIT yet."""
    with stranger(port) as owner, ExitStack() as stack:
        strangers = [stack.enter_context(Peer.connect(port.number, source=source)) for source in sources]
        task = Task(lambda: port.wait_for_owner(Deadline(PATIENCE)))
        next_out = strangers[0 if sources[0] != "127.0.0.1" else ADMISSION_GUESTS // 2 - 1]
        assert len(next_out.rest()) == 1  # so the port has had to push somebody out
        owner.send(ADMIT)
        guest, admit = task.result()
        assert admit == ADMIT and guest.transport.peer == address_of(owner)
        guest.transport.close()


def address_of(peer: Peer) -> str:
    return "{}:{}".format(*peer.socket.getsockname())


def test_strangers_push_out_each_other(port: AdmissionPort) -> None:
    """The busiest address gives a place up first, its oldest guest, which is told so."""
    with ExitStack() as stack:
        sources = ["127.0.0.3", *["127.0.0.2"] * (ADMISSION_GUESTS - 1), "127.0.0.4"]
        peers = [stack.enter_context(Peer.connect(port.number, source=source)) for source in sources]
        task = Task(lambda: port.wait_for_owner(Deadline(PATIENCE)))
        crowded = Status(Verdict.FAIL, Code.SLOW_DOWN, "too many connections to this port")
        assert peers[1].rest() == [crowded]
        peers[0].send(ADMIT)
        guest, _ = task.result()
        assert guest.transport.peer == address_of(peers[0])
        guest.transport.close()


@pytest.mark.parametrize(
    "data",
    [
        b"G",
        b"\xc7\x07",
        encode(ADMIT)[: HEADER.size - 1].replace(b"\xc7\x02", b"\xc7\x03"),
        HEADER.pack(MAGIC, VERSION, 0xEE, 0, 100, 0, 0, 1),
        HEADER.pack(MAGIC, VERSION, 5, 0, 1 << 20, 0, 0, 1),
        encode(ADMIT)[:-1] + b"\xff",
        encode(Ping(1)) + b"G",
    ],
)
def test_malformed_bytes_are_answered_at_once(port: AdmissionPort, data: bytes) -> None:
    """Bytes that cannot become an ADMIT are answered without waiting for more of them."""
    task = Task(lambda: port.wait_for_owner(Deadline(PATIENCE)))
    with stranger(port, data) as peer:
        (status,) = peer.rest()
        assert isinstance(status, Status) and status.code == Code.PROTOCOL_ERROR
    port.wake()
    with pytest.raises(Closed):
        task.result()


def test_strangers_count_for_their_address() -> None:
    """Strangers at admission ports count among the guests of their address, and are told so."""
    port = admission_port(Crowd(QUOTAS._replace(address_guests=2)))
    task = Task(lambda: port.wait_for_owner(Deadline(PATIENCE)))
    with ExitStack() as stack:
        peers = [stack.enter_context(Peer.connect(port.number, source="127.0.0.2")) for _ in range(3)]
        (status,) = peers[2].rest()
        assert isinstance(status, Status) and status.code == Code.SLOW_DOWN
        with stranger(port) as owner:
            owner.send(ADMIT)
            task.result()[0].transport.close()
        port.close()
        assert peers[0].rest() == [Status(Verdict.FAIL, Code.EXPIRED, "the port is closed")]


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


class Merciless(Crowd):
    """Dismisses each guest at the last moment: when its handshake is just over."""

    def settle(self, visit: Visit) -> Refused | None:
        self.dismiss(visit, Refused("others need the place", Code.SLOW_DOWN))
        return super().settle(visit)


def test_an_owner_that_has_to_make_room_at_the_last_moment() -> None:
    """An owner whose socket the crowd has shut becomes no member that cannot speak: it is told why."""
    port = admission_port(Merciless(QUOTAS))
    task = Task(lambda: port.wait_for_owner(Deadline(PATIENCE)))
    with stranger(port), stranger(port) as owner:
        owner.send(ADMIT)
        assert owner.rest() == [Status(Verdict.FAIL, Code.SLOW_DOWN, "others need the place")]
        with pytest.raises(Refused, match="others need the place"):
            task.result()
        port.close()


def test_waking(port: AdmissionPort) -> None:
    """wake() ends the waiting at once."""
    task = Task(lambda: port.wait_for_owner(Deadline(PATIENCE)))
    port.wake()
    with pytest.raises(Closed):
        task.result()
