"""client/people.py"""

from __future__ import annotations

import pytest

from chatroom.events import (
    EXTRA_ROLE,
    INVITED_LIST,
    SET_COUNTED,
    Event,
    EventKind,
    Extra,
    Setting,
    extra_row,
    joined_extra,
)
from chatroom.limits import MAX_LISTED
from chatroom.packets import Channel, Present, Role
from client.people import People, new_role
from tests.client.fake_server import ME, channel
from tests.support.events import BOB, GENERAL, NOON


def event(kind: EventKind, person: int, extra: bytes = b"", text: str = "", author: str = "x") -> Event:
    return Event(11, NOON, kind, "#general", author, text, person=person, place=GENERAL, extra=extra)


def large(size: int) -> Channel:
    return Channel(GENERAL, "#general", "", Setting.COUNTED, 0, size, ())


@pytest.fixture
def people() -> People:
    """Of a client that has come with bob."""
    return People(channel())


def test_events_change_the_list(people: People) -> None:
    """Who joins is added, who leaves, quits or is removed is not there any more; each once."""
    assert people.number == 2
    for _ in range(2):
        people.happened(event(EventKind.JOINED, 20, author="eve"))
    assert people.number == 3
    assert people.name_of(20) == "eve"
    people.happened(event(EventKind.LEFT, 20))
    people.happened(event(EventKind.QUIT, BOB))
    people.happened(event(EventKind.QUIT, 99))
    assert [member.name for member in people.listed] == ["ann"]
    people.happened(event(EventKind.KICKED, BOB, extra_row(Extra.TARGET, ME, 4)))
    assert (people.number, people.listed) == (0, [])


def test_names_and_roles_change(people: People) -> None:
    """RENAMED and LISTED change what is known of a member; who joins again keeps the role."""
    listed = extra_row(Extra.LIST, Role.VOICE, 1) + extra_row(Extra.TARGET, BOB, 4)
    people.happened(event(EventKind.RENAMED, BOB, text="Robert"))
    people.happened(event(EventKind.LISTED, ME, listed))
    people.happened(event(EventKind.JOINED, BOB, author="Robert"))
    assert people.listed[0] == Present(BOB, Role.VOICE, "Robert")
    people.happened(event(EventKind.LISTED, ME, listed + extra_row(Extra.REMOVED, 1, 1)))
    assert people.listed[0].role == Role.MEMBER


def test_who_comes_brings_the_role(people: People) -> None:
    """JOINED names the role of who has one; without it a member is a plain one, also after a higher role."""
    for role, extra in ((Role.OWNER, joined_extra("eve", Role.OWNER)), (Role.MEMBER, b"")):
        people.happened(event(EventKind.JOINED, 20, extra, author="eve"))
        assert people.listed[-1] == Present(20, role, "eve")
        people.happened(event(EventKind.QUIT, 20))
    removed = extra_row(Extra.LIST, Role.OWNER, 1) + extra_row(Extra.TARGET, 20, 4)
    people.happened(event(EventKind.JOINED, 20, joined_extra("", Role.OWNER)))
    people.happened(event(EventKind.LISTED, ME, removed + extra_row(Extra.REMOVED, 1, 1)))
    assert people.listed[-1].role == Role.MEMBER


def test_a_newer_list_knows_the_role_better(people: People) -> None:
    """CHANNEL may be newer than a JOINED behind it: the role that it lists stays."""
    before = people.listed
    people.happened(event(EventKind.JOINED, BOB, joined_extra("", Role.OWNER), author="bob"))
    assert people.listed == before


@pytest.mark.parametrize(
    ("value", "role"),
    [(b"", Role.MEMBER), (b"\x00\x03", Role.MEMBER), (b"\x02", Role.OPERATOR), (b"\xc8", 200)],
)
def test_a_role_is_one_byte(people: People, value: bytes, role: int) -> None:
    """A row of another length names no role; a number that is not known is a new role."""
    people.happened(event(EventKind.JOINED, 20, extra_row(EXTRA_ROLE, value)))
    assert people.listed[-1].role == role


def test_an_invitation_is_no_role() -> None:
    """The list of the invited changes nobody's role."""
    invited = event(EventKind.LISTED, ME, extra_row(Extra.LIST, INVITED_LIST, 1))
    assert new_role(invited, Role.VOICE) == Role.VOICE


@pytest.mark.parametrize(
    ("before", "which", "removed", "after"),
    [
        (Role.OPERATOR, Role.VOICE, False, Role.OPERATOR),
        (Role.OPERATOR, Role.VOICE, True, Role.OPERATOR),
        (Role.VOICE, Role.OWNER, False, Role.OWNER),
        (Role.OWNER, Role.OWNER, True, Role.MEMBER),
    ],
)
def test_the_highest_role_counts(before: Role, which: Role, removed: bool, after: Role) -> None:
    """Who gets or loses a lower role is what it was."""
    extra = extra_row(Extra.LIST, which, 1) + (extra_row(Extra.REMOVED, 1, 1) if removed else b"")
    assert new_role(event(EventKind.LISTED, ME, extra), before) == after


def test_a_direct_conversation_stays_that_of_two() -> None:
    """Who leaves the chatroom is one of the two all the same, and comes back without a JOINED there."""
    people = People(channel("@bob")._replace(settings=Setting.DIRECT))
    people.happened(event(EventKind.QUIT, BOB))
    people.happened(event(EventKind.RENAMED, BOB, text="Robert"))
    assert people.number == 2 and people.name_of(BOB) == "Robert"


def test_a_counted_channel_follows_the_signal() -> None:
    """Without a list the number is that of CHANNEL, then that of COUNTED; events do not change it."""
    people = People(large(5000))
    people.happened(event(EventKind.QUIT, BOB))
    assert people.number == 5000
    people.counted("5001")
    assert people.number == 5001
    assert people.listed == []


def test_from_set_on_it_follows_the_signal(people: People) -> None:
    """SET ends the list: a QUIT of somebody in another channel, too, is not one of this channel any more."""
    people.happened(event(EventKind.SET, 0, SET_COUNTED))
    people.happened(event(EventKind.QUIT, BOB))
    assert people.number == 2
    people.counted("1234")
    assert people.number == 1234


@pytest.mark.parametrize("text", ["", "-1", "1.5", "many", "٣", "9" * 5000])
def test_what_is_no_number_is_ignored(people: People, text: str) -> None:
    """A signal whose text is not a number of at most ten digits changes nothing."""
    people.counted(text)
    assert people.number == 2


def test_a_list_without_an_end_is_not_kept(people: People) -> None:
    """A server that lets more people join than it could list makes the client keep no list of them."""
    for person in range(MAX_LISTED):
        people.happened(event(EventKind.JOINED, 100 + person))
    assert people.number == MAX_LISTED + 1  # the list ended when it had one more than can be listed
    people.happened(event(EventKind.QUIT, 100))
    assert people.number == MAX_LISTED + 1
