"""The crowd: no address keeps the others out, and a class behind one address meets no limit."""

from __future__ import annotations

import pytest

from chatroom.errors import Closed, Refused
from chatroom.outcomes import Code
from server.crowd import Crowd, Visit
from server.limits import (
    ADDRESS_GUESTS,
    ADDRESS_MEMBERS,
    ADDRESS_RATE,
    BURST_SECONDS,
    MAX_ADDRESSES,
    SILENT_SECONDS,
)
from server.quotas import Quotas
from tests.server.fakes import Clock

PLENTY = Quotas(1000, 1000, 1000, 1000, 1000)


class Gate:
    """A crowd, a clock, and the visits that were told to leave, in order."""

    def __init__(self, quotas: Quotas) -> None:
        self.clock = Clock()
        self.crowd = Crowd(quotas, self.clock)
        self.hushed: list[str] = []

    def enter(self, network: str, name: str = "") -> Visit:
        visit = Visit(network, lambda: self.hushed.append(name or network))
        self.crowd.enter(visit)
        return visit

    def refusal(self, network: str) -> int:
        with pytest.raises(Refused) as refused:
            self.enter(network)
        return refused.value.code


def test_the_longest_silent_guest_of_the_busiest_address_makes_room() -> None:
    """In a full lobby the longest silent guest of the busiest address goes, and learns why."""
    gate = Gate(PLENTY._replace(guests=4))
    first = gate.enter("a", "a1")
    second = gate.enter("a", "a2")
    gate.enter("a", "a3")
    gate.enter("b", "b1")
    gate.clock.now += SILENT_SECONDS
    gate.crowd.hear(first)
    gate.enter("c")
    assert gate.hushed == ["a2"] and gate.crowd.guests == 4
    refused = gate.crowd.settle(second)
    assert refused is not None and refused.code == Code.SLOW_DOWN
    assert gate.crowd.settle(first) is None


def test_working_guests_do_not_push_out_each_other() -> None:
    """While the guests of an address are not silent, one more from there is refused and may try again."""
    gate = Gate(PLENTY._replace(address_guests=2))
    gate.enter("a", "a1")
    gate.enter("a", "a2")
    assert gate.refusal("a") == Code.SLOW_DOWN and gate.hushed == []
    gate.enter("b")
    gate.clock.now += SILENT_SECONDS
    gate.enter("a")
    assert gate.hushed == ["a1"]


def test_a_full_lobby_of_equals() -> None:
    """When no address has more guests than the newcomer's, a working one does not have to leave for it."""
    gate = Gate(PLENTY._replace(guests=2))
    gate.enter("a")
    gate.enter("b")
    assert gate.refusal("c") == Code.SLOW_DOWN
    gate.clock.now += SILENT_SECONDS
    gate.enter("c")
    assert gate.hushed == ["a"]


def test_the_rate_of_an_address() -> None:
    """An address may connect often at once, then so many times a second; the others do not feel it."""
    gate = Gate(PLENTY._replace(address_rate=2))
    burst = int(2 * BURST_SECONDS) + 1
    for _ in range(burst):
        gate.enter("a")
    assert {gate.refusal("a") for _ in range(1000)} == {Code.SLOW_DOWN}  # a refusal costs no further time
    gate.enter("b")
    gate.clock.now += 1.0
    gate.enter("a")
    gate.enter("a")
    assert gate.refusal("a") == Code.SLOW_DOWN


def test_addresses_are_forgotten() -> None:
    """Not more than MAX_ADDRESSES rates are remembered; the one that came longest ago is forgotten first."""
    gate = Gate(PLENTY._replace(address_rate=1, guests=10**6))
    for network in ("old", "new"):
        for _ in range(9):
            gate.enter(network)
    for number in range(MAX_ADDRESSES - 1):
        gate.enter(f"{number}")
    assert gate.refusal("new") == Code.SLOW_DOWN
    gate.enter("old")


def test_seats() -> None:
    """Members are counted in all and by address; a seat is free again when its connection is closed."""
    gate = Gate(PLENTY._replace(members=3, address_members=2))
    visits = [gate.enter(network) for network in ("a", "a", "a", "b", "c")]
    for visit in (*visits[:2], visits[0]):
        gate.crowd.sit(visit)
    with pytest.raises(Refused) as refused:
        gate.crowd.sit(visits[2])
    assert refused.value.code == Code.TOO_MANY
    gate.crowd.sit(visits[3])
    with pytest.raises(Refused) as refused:
        gate.crowd.sit(visits[4])
    assert refused.value.code == Code.FULL
    gate.crowd.settle(visits[0])
    assert (gate.crowd.guests, gate.crowd.seats) == (4, 3)
    gate.crowd.leave(visits[0])
    gate.crowd.leave(visits[0])
    assert gate.crowd.seats == 2
    gate.crowd.sit(visits[2])


def test_a_session_has_one_seat() -> None:
    """All connections of a session use one seat, which is free when the last of them has ended."""
    gate = Gate(PLENTY._replace(members=2, address_members=1))
    dead, back, other = gate.enter("a"), gate.enter("a"), gate.enter("a")
    gate.crowd.sit(dead)
    gate.crowd.sit(dead, "ann")
    gate.crowd.sit(back, "ann")
    assert gate.crowd.seats == 1
    gate.crowd.leave(dead)
    with pytest.raises(Refused):
        gate.crowd.sit(other, "bob")
    gate.crowd.leave(back)
    assert gate.crowd.seats == 0
    gate.crowd.sit(other, "bob")


def test_a_session_that_moves_needs_a_seat_of_its_new_address() -> None:
    """In all it has one seat; of each address that it has a connection from, another one."""
    gate = Gate(PLENTY._replace(members=2, address_members=1))
    dead, back, other = gate.enter("a"), gate.enter("b"), gate.enter("b")
    gate.crowd.sit(dead, "ann")
    gate.crowd.sit(other, "bob")
    with pytest.raises(Refused) as refused:
        gate.crowd.sit(back, "ann")
    assert refused.value.code == Code.TOO_MANY
    gate.crowd.leave(other)
    gate.crowd.sit(back, "ann")
    assert gate.crowd.seats == 1


def test_a_wrong_claim_gets_no_seat() -> None:
    """Who has sat down with a token and then takes another session needs a seat for that one."""
    gate = Gate(PLENTY._replace(address_members=1))
    ann, eve = gate.enter("a"), gate.enter("a")
    gate.crowd.sit(ann, "ann")
    gate.crowd.sit(eve, "ann")
    with pytest.raises(Refused):
        gate.crowd.sit(eve, "eve")
    assert gate.crowd.seats == 1


def test_who_is_through_is_left_alone() -> None:
    """A visit whose handshake is over is not woken any more, and one that waits elsewhere is woken there."""
    gate = Gate(PLENTY)
    done, elsewhere = gate.enter("a", "done"), gate.enter("a", "lobby")
    assert gate.crowd.reach(elsewhere, lambda: gate.hushed.append("port")) is None
    gate.crowd.settle(done)
    for visit in (done, elsewhere):
        gate.crowd.dismiss(visit, Refused("go"))
    assert gate.hushed == ["port"]
    assert str(gate.crowd.reach(elsewhere, None)) == "go"


def test_the_end() -> None:
    """At the end every guest is woken, and nobody comes in."""
    gate = Gate(PLENTY)
    gate.enter("a", "one")
    gate.enter("b", "two")
    gate.crowd.close()
    assert gate.hushed == ["one", "two"] and gate.crowd.guests == 0
    with pytest.raises(Closed):
        gate.enter("a")


def test_a_class_of_sixty() -> None:
    """The limits let sixty people behind one address in at once, twice in a second, and as one of four."""
    assert ADDRESS_GUESTS >= 2 * 60
    assert ADDRESS_MEMBERS >= 4 * 60
    assert ADDRESS_RATE * BURST_SECONDS >= ADDRESS_MEMBERS
