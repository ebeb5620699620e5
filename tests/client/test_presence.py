"""client/presence.py"""

from __future__ import annotations

import pytest

from chatroom.events import SET_COUNTED, Event, EventKind, Extra, Setting, extra_row
from chatroom.limits import MAX_LISTED
from chatroom.packets import Channel, Present
from client.limits import MAX_ROOMS
from client.presence import Presence
from tests.client.fake_server import ME, channel
from tests.support.events import BOB, GENERAL, NOON

TEA, EVE = 9, 44


def event(kind: EventKind, person: int = EVE, place: int = GENERAL, extra: bytes = b"") -> Event:
    return Event(1, NOON, kind, "", "eve", "", 0, person, place, extra)


def gone(person: int) -> Event:
    return event(EventKind.QUIT, person, 0)


@pytest.fixture
def presence() -> Presence:
    """Of a user who is in #general with bob, and in #tea; the greeting is not over."""
    presence = Presence()
    presence.enter(channel())
    presence.enter(Channel(TEA, "#tea", "", 0, 0, 1, (Present(ME, 0, "ann"),)))
    return presence


def test_events_change_the_lists(presence: Presence) -> None:
    """Who joins is there, who leaves, is removed or quits is not any more."""
    presence.caught_up({GENERAL, TEA})
    assert presence.of(gone(BOB)) == {GENERAL} and presence.of(gone(ME)) == {GENERAL, TEA}
    presence.happened(event(EventKind.JOINED))
    presence.happened(event(EventKind.JOINED, place=TEA))
    assert presence.of(gone(EVE)) == {GENERAL, TEA}
    presence.happened(event(EventKind.LEFT, place=TEA))
    presence.happened(event(EventKind.SAID, place=TEA))
    assert presence.of(gone(EVE)) == {GENERAL}
    presence.happened(event(EventKind.KICKED, BOB, extra=extra_row(Extra.TARGET, EVE, 4)))
    assert presence.of(gone(EVE)) == set() and presence.of(gone(BOB)) == {GENERAL}
    presence.happened(gone(ME))
    assert presence.of(gone(ME)) == set()


@pytest.mark.parametrize(
    "end", [event(EventKind.CLOSED), event(EventKind.SET, extra=SET_COUNTED)], ids=["closed", "counted"]
)
def test_a_list_ends(presence: Presence, end: Event) -> None:
    """In a counted channel, and in one that is closed, nobody is listed."""
    presence.caught_up({GENERAL, TEA})
    presence.happened(end)
    presence.happened(event(EventKind.JOINED))
    assert presence.of(gone(BOB)) == presence.of(gone(EVE)) == set()


def test_counted_channels_and_conversations_have_no_list(presence: Presence) -> None:
    """A list that was there before ends with the next CHANNEL."""
    presence.enter(Channel(GENERAL, "#general", "", Setting.COUNTED, 0, 900, ()))
    presence.enter(Channel(30, "@bob", "", Setting.DIRECT, 0, 1, (Present(BOB, 0, "bob"),)))
    presence.caught_up({GENERAL, TEA, 30})
    assert presence.of(gone(BOB)) == set()


def test_what_happened_before(presence: Presence) -> None:
    """The lists of the greeting are newer than its events: who spoke was there, and may be gone since."""
    assert presence.of(gone(EVE)) == set()
    presence.happened(event(EventKind.SAID, place=TEA))
    assert presence.of(gone(EVE)) == {TEA}
    alone = Presence()
    alone.enter(channel())
    assert alone.of(gone(EVE)) == {GENERAL}  # where else
    alone.caught_up({GENERAL})
    assert alone.of(gone(EVE)) == set()


def test_a_reconnect(presence: Presence) -> None:
    """Who left meanwhile was there; a place that the user is not in any more has no list."""
    presence.caught_up({GENERAL, TEA})
    presence.begin()
    presence.enter(Channel(GENERAL, "#general", "", 0, 0, 1, (Present(ME, 0, "ann"),)))
    assert presence.of(gone(BOB)) == {GENERAL}
    presence.happened(gone(BOB))
    presence.caught_up({GENERAL})
    assert presence.of(gone(BOB)) == set() and presence.of(gone(ME)) == {GENERAL}
    presence.forget()
    assert presence.of(gone(ME)) == set()


def test_bounds(presence: Presence) -> None:
    """Neither lists nor places without end are kept."""
    presence.caught_up({GENERAL, TEA})
    for person in range(1000, 1000 + MAX_LISTED):
        presence.happened(event(EventKind.JOINED, person))
    assert presence.of(gone(BOB)) == set()
    for place in range(1000, 1001 + MAX_ROOMS):
        presence.enter(channel(place=place))
    assert len(presence.of(gone(BOB))) == MAX_ROOMS - 1
