"""The disk becomes nearly full: those who run the chatroom hear of it, nobody else does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from chatroom.events import Event
from chatroom.packets import Answer, Command, Info
from server.disk_watch import DiskWatch
from tests.end_to_end.host import Host
from tests.support.person import Person

pytestmark = pytest.mark.usefixtures("cheap_hashes")


class Usage(NamedTuple):
    total: int
    free: int


class Disk:
    """The disk of a host, whose room the test sets."""

    def __init__(self, host: Host) -> None:
        self.free = 10**12
        self.watch = DiskWatch(host.data, host.app.chatroom.alert, lambda _: Usage(10**12, self.free))

    def becomes(self, free: int) -> None:
        self.free = free
        self.watch.look()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    host = Host(tmp_path / "history.db")
    yield host
    host.stop()


def told(person: Person) -> list[str]:
    """What the server has told a person unasked, in the words before the colon."""
    person.do("/stats")
    return [packet.words.partition(":")[0] for packet in person.packets if isinstance(packet, Info)]


LOW, ROOM = "the server's disk is nearly full", "the server's disk has room again"


def test_operators_are_told_once(host: Host) -> None:
    """Owner and operator are told at once, one who comes in later then; each once, and members never."""
    disk = Disk(host)
    owner, helper, other, guest = (
        host.owner(),
        host.account("helper"),
        host.account("other"),
        host.come("guest"),
    )
    for name in ("helper", "other"):
        owner.do("/op", name, channel="*")
    other.leave()
    host.people.remove(other)
    disk.becomes(1000)
    disk.becomes(900)
    later = host.login("other")
    assert [told(one) for one in (owner, helper, later, guest)] == [[LOW], [LOW], [LOW], []]
    disk.becomes(10**12)
    disk.becomes(10**12)
    last = host.login("other")
    assert [told(one) for one in (owner, helper, later, guest)] == [[LOW, ROOM]] * 3 + [[]]
    assert told(last) == []


def test_who_comes_back_is_not_told_again(host: Host) -> None:
    """A connection that broke and comes back brings no second warning; a new start of the program does."""
    disk = Disk(host)
    owner = host.owner()
    disk.becomes(1000)
    assert told(owner) == [LOW]
    owner.socket.close()
    token, identity = owner.welcome.token, owner.welcome.identity
    anew = Person.come(host.address, "owner1", token=token)
    host.people.append(anew)
    assert told(anew) == [LOW]
    line = anew.say("#general", "hello")
    assert isinstance(line, Event)
    anew.socket.close()
    with Person.come_in(
        host.address, "owner1", line.seq, token=token, time=line.time, identity=identity
    ) as third:
        third.send(Command(7, "#general", "/stats"))
        third.receive_until(lambda packet: isinstance(packet, Answer))
        assert not [packet for packet in third.packets if isinstance(packet, Info)]
