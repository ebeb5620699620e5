"""client/rooms.py"""

from __future__ import annotations

import pytest

from chatroom.events import (
    BAN_LIST,
    EXEMPT_LIST,
    INVITED_LIST,
    MUTE_LIST,
    Event,
    EventKind,
    Extra,
    Setting,
    extra_row,
)
from chatroom.packets import Channel, Present, Role
from client.limits import COUNTED_LINES, MAX_ROOMS
from client.rooms import Rooms, role_word
from tests.client.fake_server import ME, channel
from tests.support.events import BOB, GENERAL, NOON, said

TEA, DIRECT, HEAD = 9, 30, 100


def own(person: int) -> bool:
    return person == ME


def event(
    kind: EventKind, person: int = BOB, text: str = "", place: int = TEA, seq: int = 0, **more: bytes
) -> Event:
    return Event(seq or HEAD + 1, NOON, kind, "#tea", "bob", text, 0, person, place, **more)


@pytest.fixture
def rooms() -> Rooms:
    """Of a client that was made for #general, and is in #tea and a conversation with bob, too."""
    rooms = Rooms(["#general"])
    rooms.begin(HEAD, ME, anew=False)
    rooms.enter(channel())
    members = (Present(BOB, 0, "bob"), Present(ME, 0, "ann"))
    rooms.enter(Channel(TEA, "#tea", "hot", 0, Role.OPERATOR, 2, members))
    rooms.enter(Channel(DIRECT, "@bob", "", Setting.DIRECT, 0, 2, members))
    return rooms


def test_what_is_known(rooms: Rooms) -> None:
    """Each place is found by its number and by its name, however that is written."""
    assert [(room.place, room.asked) for room in rooms.all()] == [(1, True), (TEA, False), (DIRECT, False)]
    tea, direct = rooms.named("#TEA"), rooms.at(DIRECT)
    assert tea is not None and (tea.place, tea.topic, tea.role, tea.people) == (TEA, "hot", Role.OPERATOR, 2)
    assert direct is not None and direct.direct and direct.other == BOB and not tea.direct
    assert rooms.named("#no") is None and rooms.at(77) is None
    assert rooms.person("BOB") == BOB and rooms.person("nobody") == 0
    assert [member.name for member in rooms.members("#tea")] == ["bob", "ann"] and rooms.members("#no") == []
    assert rooms.me == ME


def test_notes_to_oneself(rooms: Rooms) -> None:
    """The other person of a conversation with oneself is oneself."""
    rooms.enter(Channel(31, "@ann", "", Setting.DIRECT, 0, 1, (Present(ME, 0, "ann"),)))
    room = rooms.at(31)
    assert room is not None and room.other == ME


def test_who_is_hidden_later_counts_no_more(rooms: Rooms) -> None:
    """Lines from before it was known whose are hidden; of more than are remembered, none is taken off."""
    lines = [said(101, person=50), said(102), said(103, person=50)]
    rooms.happened(lines, True, own)
    rooms.hide([50])
    assert rooms.unread() == {"#general": 1}
    rooms.mark_read(GENERAL, 102)
    assert rooms.unread() == {}
    many = [said(200 + number) for number in range(COUNTED_LINES + 1)]
    rooms.happened(many, True, own)
    for _ in range(2):
        rooms.hide([BOB])
        assert rooms.unread() == {"#general": COUNTED_LINES + 1}


def test_unread_lines(rooms: Rooms) -> None:
    """Lines of others are counted until somebody looks; own ones and hidden ones are not."""
    rooms.hide([50])
    lines = [said(n, place=TEA) for n in (101, 102)]
    rooms.happened([*lines, said(103, person=ME, place=TEA), said(104, person=50, place=TEA)], True, own)
    rooms.happened([said(105, place=77), event(EventKind.INVITED, place=DIRECT, seq=106)], True, own)
    assert rooms.unread() == {"#tea": 2, "@bob": 1}
    assert rooms.mark_read(TEA, 101) == 101
    assert rooms.unread() == {"#tea": 1, "@bob": 1}
    assert rooms.mark_read(TEA) == 104
    assert rooms.unread() == {"@bob": 1}
    assert rooms.mark_read(77) == 0


def test_what_was_before_is_news_only_behind_the_marker(rooms: Rooms) -> None:
    """A newcomer's replay is not counted; with a read marker, what came after it is."""
    rooms.happened([said(90), said(91)], False, own)
    assert rooms.unread() == {}
    rooms.signal(event(EventKind.READ, ME, "80"), own)
    rooms.happened([said(n, place=TEA) for n in (79, 80, 81, 82)], False, own)
    assert rooms.unread() == {"#tea": 2}
    rooms.signal(event(EventKind.READ, ME, "81"), own)
    rooms.signal(event(EventKind.READ, ME, "80"), own)
    assert rooms.unread() == {"#tea": 1}
    for wrong in ("", "x", "-5", "٣"):
        rooms.signal(event(EventKind.READ, ME, wrong), own)
    assert rooms.unread() == {"#tea": 1}


def test_who_comes_back_finds_what_was_said_alone(rooms: Rooms) -> None:
    """In a conversation without a read marker each line of the other one is news, if no own line follows."""
    first, mine = said(90, place=DIRECT), said(92, person=ME, place=DIRECT)
    rooms.happened([first, said(91, place=DIRECT)], False, own)
    assert rooms.unread() == {"@bob": 2}
    rooms.happened([mine, said(93, place=DIRECT)], False, own)
    assert rooms.unread() == {"@bob": 1}


def test_who_writes_to_one_alone_has_not_read(rooms: Rooms) -> None:
    """An own line may have been typed in another place, or on another computer: only looking is reading."""
    rooms.happened([said(101, place=DIRECT)], True, own)
    rooms.happened([said(103, person=ME, place=DIRECT), said(104, person=ME, place=TEA)], True, own)
    assert rooms.unread() == {"@bob": 1}
    rooms.signal(event(EventKind.READ, ME, "90", place=DIRECT), own)
    rooms.happened([said(91, place=DIRECT), said(92, person=ME, place=DIRECT)], False, own)
    assert rooms.unread() == {"@bob": 2}


def test_who_joins_begins_to_read_there(rooms: Rooms) -> None:
    """Also where nobody has spoken yet. Who only comes again, with all places, has read nothing by that."""
    rooms.happened([event(EventKind.JOINED, ME)], True, own)
    rooms.caught_up()
    new = Channel(77, "#new", "", 0, 0, 1, (Present(ME, 0, "ann"),))
    rooms.enter(new)
    rooms.happened([event(EventKind.JOINED, ME, place=77, seq=105)], True, own)
    assert {room.name: room.read for room in rooms.all() if room.read} == {"#new": 105}


def test_who_is_no_longer_hidden_counts_again(rooms: Rooms) -> None:
    """Also what was said meanwhile, and only what nobody has looked at."""
    rooms.happened([said(101, person=50), said(102, person=50), said(103)], True, own)
    rooms.hide([50])
    assert rooms.unread() == {"#general": 1}
    rooms.mark_read(GENERAL, 101)
    rooms.happened([said(104, person=50)], True, own)
    rooms.hide([])
    assert rooms.unread() == {"#general": 3}


def test_more_unread_lines_than_are_remembered(rooms: Rooms) -> None:
    """All are counted; a marker among the forgotten ones changes nothing, a later one does."""
    rooms.happened([said(n, place=TEA) for n in range(101, 102 + COUNTED_LINES)], True, own)
    assert rooms.unread() == {"#tea": COUNTED_LINES + 1}
    rooms.mark_read(TEA, 101)
    assert rooms.unread() == {"#tea": COUNTED_LINES + 1}
    rooms.mark_read(TEA, 103)
    assert rooms.unread() == {"#tea": COUNTED_LINES - 2}


def test_events_change_a_place(rooms: Rooms) -> None:
    """Topic, settings, role and name follow the events, but not those that CHANNEL knew already."""
    rooms.happened([event(EventKind.TOPIC, text="old", seq=HEAD)], True, own)
    extra = bytes((Setting.MODERATED, 1, 1, 0x81, 1, 1))
    listed = extra_row(Extra.LIST, Role.OWNER, 1) + extra_row(Extra.TARGET, ME, 4)
    assert (
        rooms.happened([event(EventKind.SET, extra=extra), event(EventKind.LISTED, extra=listed)], True, own)
        == []
    )
    tea = rooms.named("#tea")
    assert tea is not None and (tea.topic, tea.settings, tea.role) == ("hot", Setting.MODERATED, Role.OWNER)
    moved = rooms.happened(
        [
            event(EventKind.TOPIC, text="cold"),
            event(EventKind.SET, extra=bytes((Setting.MODERATED, 1, 0))),
            event(EventKind.MOVED, text="#coffee"),
        ],
        True,
        own,
    )
    assert moved == [("#tea", "#coffee")]
    coffee = rooms.named("#coffee")
    assert coffee is not None and (coffee.topic, coffee.settings) == ("cold", 0)


@pytest.mark.parametrize(
    "last",
    [
        event(EventKind.LEFT, ME),
        event(EventKind.CLOSED),
        event(EventKind.KICKED, extra=extra_row(Extra.TARGET, ME, 4)),
    ],
)
def test_places_end(rooms: Rooms, last: Event) -> None:
    """Whoever leaves or is removed is not in the place any more; nor is anybody when it is closed."""
    assert rooms.happened([event(EventKind.LEFT), last], True, own) == [("#tea", "")]
    assert rooms.named("#tea") is None


def test_somebody_is_renamed(rooms: Rooms) -> None:
    """The lists of all places follow, and the conversation with that person is called so."""
    renamed = event(EventKind.RENAMED, text="Robert", place=0)
    assert rooms.happened([renamed], True, own) == [("@bob", "@Robert")]
    assert rooms.person("robert") == BOB and rooms.person("bob") == 0
    assert rooms.happened([event(EventKind.QUIT, place=0)], True, own) == []
    assert rooms.person("robert") == 0


def test_the_greeting_names_all_places(rooms: Rooms) -> None:
    """After a reconnect a place that was not named is gone; what is unread in the others stays."""
    rooms.happened([said(101, place=TEA)], True, own)
    rooms.begin(200, ME, anew=False)
    assert rooms.enter(Channel(TEA, "#coffee", "", 0, 0, 0, ())) == [("#tea", "#coffee")]
    assert rooms.caught_up() == [("#general", ""), ("@bob", "")]
    assert rooms.unread() == {"#coffee": 1}


def test_another_history_has_other_places(rooms: Rooms) -> None:
    """Nothing of before means anything there; another person hides nobody."""
    rooms.hide([50])
    rooms.begin(200, ME, anew=False)
    assert rooms.hidden == {50}
    rooms.begin(200, ME + 1, anew=False)
    assert rooms.hidden == set() and rooms.all()
    rooms.begin(5, ME + 1, anew=True)
    assert rooms.all() == []


def test_names_of_conversations(rooms: Rooms) -> None:
    """Events of a direct conversation get the name that it has here; others stay as they are."""
    events = [said(101), said(102, channel="@ann", place=DIRECT), said(103, channel="@x", place=77)]
    assert [each.channel for each in rooms.as_seen(events)] == ["#general", "@bob", "@x"]
    assert rooms.as_seen(events[:1]) == events[:1]


def test_places_without_end(rooms: Rooms) -> None:
    """A server that names ever more places fills no memory."""
    for place in range(1000, 1000 + MAX_ROOMS):
        rooms.enter(Channel(place, f"#c{place}", "", 0, 0, 0, ()))
    assert len(rooms.all()) == MAX_ROOMS


def test_signals_of_unknown_places(rooms: Rooms) -> None:
    """They change nothing; COUNTED changes the number of its own."""
    rooms.signal(event(EventKind.COUNTED, 0, "7", place=77), own)
    rooms.signal(event(EventKind.COUNTED, 0, "7", place=GENERAL), own)
    general = rooms.at(GENERAL)
    assert general is not None and general.people == 7


def test_roles_in_words() -> None:
    """A role of a newer server is its number."""
    assert (role_word(3), role_word(9)) == ("owner", "9")


def listed(which: int, place: int, *more: bytes, target: int = ME) -> Event:
    rows = extra_row(Extra.LIST, which, 1) + extra_row(Extra.TARGET, target, 4)
    return event(EventKind.LISTED, place=place, extra=rows + b"".join(more))


GONE = extra_row(Extra.REMOVED, 1, 1)


def roles(rooms: Rooms) -> list[int]:
    return [room.role for room in rooms.all() if not room.direct]


def test_a_role_in_the_chatroom_counts_everywhere(rooms: Rooms) -> None:
    """In all places, and in the lists of their members; a list of one place does not take it away."""
    rooms.happened([listed(Role.OPERATOR, 0), listed(Role.OWNER, 0, target=BOB)], True, own)
    assert roles(rooms) == [Role.OPERATOR, Role.OPERATOR]
    assert [member.role for member in rooms.members("#tea")] == [Role.OWNER, Role.OPERATOR]
    rooms.happened([listed(Role.OPERATOR, TEA, GONE)], True, own)
    assert roles(rooms) == [Role.OPERATOR, Role.OPERATOR]
    rooms.happened([listed(Role.OPERATOR, 0, GONE)], True, own)
    assert roles(rooms) == [Role.MEMBER, Role.MEMBER]


@pytest.mark.parametrize("which", [INVITED_LIST, BAN_LIST, MUTE_LIST, EXEMPT_LIST, 99])
def test_other_lists_are_no_roles(rooms: Rooms, which: int) -> None:
    """Nobody gets or loses a role by a mute, nor by a list that is not known."""
    for more in (b"", GONE):
        rooms.happened([listed(which, TEA, more), listed(which, TEA, more, target=BOB)], True, own)
        assert roles(rooms) == [Role.MEMBER, Role.OPERATOR]


def test_a_slow_channel(rooms: Rooms) -> None:
    """SET tells the seconds in two bytes; the room knows that it is slow."""
    for value, expected in (((0, 30), Setting.SLOW), ((0, 0), 0)):
        rooms.happened([event(EventKind.SET, extra=bytes((Setting.SLOW, 2, *value)))], True, own)
        tea = rooms.named("#tea")
        assert tea is not None and tea.settings == expected


def test_questions_and_polls_are_unread(rooms: Rooms) -> None:
    """Whoever is elsewhere reads that something waits; raised hands are no news."""
    kinds = (EventKind.ASKED, EventKind.POLL, EventKind.REVEALED, EventKind.HAND)
    rooms.happened([event(kind, seq=101 + at) for at, kind in enumerate(kinds)], True, own)
    assert rooms.unread() == {"#tea": 3}
