"""The number of people in the client's channel."""

from __future__ import annotations

import pytest

from chatroom.events import SET_COUNTED, Event, EventKind, Setting
from chatroom.limits import MAX_LISTED
from chatroom.packets import Channel, Present
from client.people import People
from tests.client.fake_server import channel
from tests.support.events import BOB, GENERAL, NOON, said

HEAD = 10


def event(seq: int, kind: EventKind, person: int, place: int = GENERAL, extra: bytes = b"") -> Event:
    return Event(seq, NOON, kind, "#general", "x", "", person=person, place=place, extra=extra)


def counted(text: str, place: int = GENERAL) -> Event:
    return Event(0, NOON, EventKind.COUNTED, "#general", "", text, place=place)


def large(size: int) -> Channel:
    return Channel(GENERAL, "#general", "", Setting.COUNTED, 0, size, ())


@pytest.fixture
def people() -> People:
    """Of a client that has come with bob."""
    people = People()
    people.begin(HEAD)
    people.enter(channel())
    return people


def test_at_first_it_is_unknown() -> None:
    """Before CHANNEL nobody knows."""
    assert People().number is None


def test_events_change_the_list(people: People) -> None:
    """Who joins is added, who leaves or quits is removed; both once. What the list knows changes nothing."""
    assert people.number == 2
    people.happened([event(9, EventKind.QUIT, BOB), event(10, EventKind.JOINED, 20), said(11)])
    assert people.number == 2
    people.happened([event(12, EventKind.JOINED, 20), event(13, EventKind.JOINED, 20)])
    assert people.number == 3
    people.happened([event(14, EventKind.LEFT, 20), event(15, EventKind.QUIT, BOB, 0)])
    people.happened([event(16, EventKind.QUIT, 99, 0)])
    assert people.number == 1


def test_other_channels_do_not_count(people: People) -> None:
    """Events and signals of another channel change nothing."""
    people.happened([event(11, EventKind.JOINED, 20, 2), event(12, EventKind.LEFT, BOB, 2)])
    people.counted(counted("77", 2))
    assert people.number == 2


def test_a_counted_channel_follows_the_signal(people: People) -> None:
    """Without a list the number is that of CHANNEL, then that of COUNTED; events do not change it."""
    people.enter(large(5000))
    assert people.number == 5000
    people.happened([event(11, EventKind.QUIT, BOB, 0)])
    assert people.number == 5000
    people.counted(counted("5001"))
    assert people.number == 5001


def test_from_set_on_it_follows_the_signal(people: People) -> None:
    """SET ends the list: a QUIT of somebody in another channel, too, is not one of this channel any more."""
    people.happened([event(11, EventKind.SET, 0, extra=SET_COUNTED), event(12, EventKind.QUIT, BOB, 0)])
    assert people.number == 2
    people.counted(counted("1234"))
    people.happened([event(13, EventKind.QUIT, BOB, 0)])
    assert people.number == 1234


@pytest.mark.parametrize("text", ["", "-1", "1.5", "many", "٣", "9" * 5000])
def test_what_is_no_number_is_ignored(people: People, text: str) -> None:
    """A signal whose text is not a number of at most ten digits changes nothing."""
    people.counted(counted(text))
    assert people.number == 2


def test_a_list_without_an_end_is_not_kept(people: People) -> None:
    """A server that lets more people join than it could list makes the client keep no list of them."""
    people.happened([event(20 + person, EventKind.JOINED, 100 + person) for person in range(MAX_LISTED)])
    assert people.number == MAX_LISTED + 2
    people.happened([event(5000, EventKind.QUIT, 100, 0)])
    assert people.number == MAX_LISTED + 2


def test_a_new_connection_begins_anew(people: People) -> None:
    """The number stays until the next CHANNEL, and a signal before that is not for this channel."""
    people.begin(100)
    people.counted(counted("5"))
    people.happened([event(101, EventKind.JOINED, 20)])
    assert people.number == 2
    people.enter(Channel(GENERAL, "#general", "", 0, 0, 1, (Present(BOB, 0, "bob"),)))
    assert people.number == 1
