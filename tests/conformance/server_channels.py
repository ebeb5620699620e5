"""Checks of a server: channels that members enter and leave, and that end or get another name."""

from __future__ import annotations

from chatroom.events import EXTRA_ROLE, Event, EventKind
from chatroom.outcomes import Code
from chatroom.packets import Answer, Channel, Resumed, Role
from tests.conformance.check import ensure
from tests.conformance.commands import (
    both,
    channels,
    describe_all,
    do,
    hears_nothing,
    join,
    kinds,
    look,
    of_place,
    refused,
    role_in,
    rows,
    rows_of,
    say,
    say_refused,
)
from tests.conformance.room import Member, Room
from tests.conformance.server_accounts import PASSWORD, by_password, with_account
from tests.conformance.wire import describe


@channels("J1", "J2", "J3", "J4", "O17", "O19", "P65")
def a_second_channel(room: Room) -> None:
    """After /join come CHANNEL, JOINED and ANSWER in this order, then the events of both channels, each
    once."""
    guest, other = room.enter(), room.enter()
    guest.joined()
    other.says_and_hears("before")
    before, answer = guest.give(f"/join {other.channel.upper()}")
    ensure(answer.code == Code.OK, "J1", "OK to /join", describe(answer))
    ensure(kinds(before) == ["CHANNEL", "JOINED"], "J1", "CHANNEL, then JOINED, then ANSWER", kinds(before))
    channel, joined = before
    assert isinstance(channel, Channel) and isinstance(joined, Event)
    place = channel.place
    ensure(joined.id == 0, "P65", "id 0", describe(joined))
    ensure(rows_of(answer) == [other.channel, place], "J1", f"rows {[other.channel, place]}", answer.rows)
    ensure(joined.person == guest.welcome.person, "O17", "its own JOINED", describe(joined))
    other.event(EventKind.JOINED, "J2", person=guest.welcome.person, place=place)
    say(guest, "from me", other.channel)
    other.hears("from me", "J2", place=place)
    for number in range(5):
        other.says_and_hears(f"there {number}")
        say(guest, f"here {number}")
    other.says_and_hears("last")
    packets = guest.up_to("last")
    texts = [one.text for one in of_place(packets, place)]
    ensure(texts == ["from me", *(f"there {number}" for number in range(5))], "J2", "each line once", texts)
    ensure("before" not in texts, "J3", "no line from before the joining", texts)
    rows = refused(guest, Code.ALREADY, "J4", f"/join {other.channel}")
    ensure(rows in ([], [other.channel, place]), "J4", "name and place, or no rows", rows)


@channels("J5", "J17", "P43")
def who_founds_a_channel(room: Room) -> None:
    """Who founds a channel is its owner, by ADMIT as by /join; who comes later is a member."""
    owner, other = both(room)
    for member, role in ((owner, Role.OWNER), (other, Role.MEMBER)):
        found = member.channels[owner.channel].role
        ensure(found == role, "J5", f"the role {role.name}", found)
    founded = join(other, room.channel())
    ensure(founded.role == Role.OWNER, "J5", "OWNER of a channel founded by /join", founded.role)
    roles = {one.person: one.role for one in other.channels[owner.channel].members}
    wanted = {owner.welcome.person: Role.OWNER, other.welcome.person: Role.MEMBER}
    ensure(roles == wanted, "J17", f"the roles {wanted}", roles)


@channels("J6", "J7", "J8", "J10", "C3", "O8")
def leaving_one_channel(room: Room) -> None:
    """LEFT goes to all, before the ANSWER; after it nothing of the place comes, until the member enters
    again."""
    owner, other = both(room)
    place = join(owner, room.channel()).place
    second = list(owner.channels)[1]
    join(other, second)
    before, answer = other.give("/leave so long", second)
    ensure(answer.code == Code.OK, "J6", "OK to /leave", describe(answer))
    left = [one for one in of_place(before, place) if one.kind is EventKind.LEFT]
    ensure(
        [one.text for one in left] == ["so long"],
        "J6",
        "LEFT with its reason before the ANSWER",
        kinds(before),
    )
    owner.event(EventKind.LEFT, "J6", person=other.welcome.person, place=place, text="so long")
    say(owner, "without you", second)
    owner.hears("without you", "J7", place=place)
    hears_nothing(other, "J7", place)
    refused(other, Code.NOT_IN, "J8", f"/leave {second}")
    say_refused(other, Code.NOT_IN, "C3", "not here", second)
    again = join(other, second, rule="J10")
    listed = {one.person for one in again.members}
    ensure(listed == {owner.welcome.person, other.welcome.person}, "O8", "both members in CHANNEL", listed)
    owner.event(EventKind.JOINED, "J10", person=other.welcome.person, place=place)


@channels("J11", "J13", "J18")
def a_channel_is_closed(room: Room) -> None:
    """/close ends the channel for all; one founded under the same name is another place without the old
    lines."""
    owner, other = both(room)
    channel, place = owner.channel, owner.channels[owner.channel].place
    join(owner, room.channel()), join(other, list(owner.channels)[1])
    owner.says_and_hears("an old line")
    rows = refused(other, Code.NEED_ROLE, "J18", "/close")
    ensure(rows[:1] == ["/close"], "J18", "the command in the rows", rows)
    do(owner, "J11", "/close term is over")
    for member in (owner, other):
        if member is other:
            member.event(EventKind.CLOSED, "J11", place=place, text="term is over")
        say_refused(member, Code.NOT_IN, "J11", "too late", channel)
        del member.channels[channel]
    new = look(room, channel)
    ensure(
        new.channels[channel].place != place,
        "J13",
        f"another place than {place}",
        new.channels[channel].place,
    )
    ensure("an old line" not in new.said, "J13", "none of the old lines", new.said)


@channels("J12", "J13")
def the_last_guest_leaves(room: Room) -> None:
    """A channel that a guest founded ends with its last member; the next one of that name has no lines."""
    owner, other = both(room)
    channel, place = owner.channel, owner.channels[owner.channel].place
    owner.says_and_hears("an old line")
    owner.leave()
    other.event(EventKind.QUIT, "O10", person=owner.welcome.person)
    stays = look(room, channel)
    ensure(stays.channels[channel].place == place, "J12", f"place {place} while somebody is in", place)
    ensure("an old line" in stays.said, "J12", "its lines", stays.said)
    for member in (other, stays):
        member.leave()
    new = look(room, channel)
    ensure(
        new.channels[channel].place != place,
        "J12",
        f"another place than {place}",
        new.channels[channel].place,
    )
    ensure(new.said == [], "J13", "no lines", new.said)


@channels("J12")
def the_channel_of_an_account_stays(room: Room) -> None:
    """A channel that an account founded has its lines, also after the last member has left."""
    dora = with_account(room)
    place = join(dora, room.channel()).place
    channel = list(dora.channels)[1]
    say(dora, "for later", channel)
    dora.hears("for later", "J12", place=place)
    dora.leave()
    found = look(room, channel)
    ensure(found.channels[channel].place == place, "J12", f"place {place}", found.channels[channel].place)
    ensure("for later" in found.said, "J12", "its lines", found.said)


@channels("J14", "J15", "J16")
def a_channel_gets_another_name(room: Room) -> None:
    """MOVED changes the name of a place; SAY has to use the new one, and old events keep the old one."""
    owner, other = both(room)
    old, new, place = owner.channel, room.channel(), owner.channels[owner.channel].place
    owner.says_and_hears("an old line")
    do(owner, "J14", f"/move {new}")
    moved = other.event(EventKind.MOVED, "J14", place=place)
    ensure((moved.channel, moved.text) == (old, new), "J14", f"from {old} to {new}", describe(moved))
    say_refused(other, Code.NOT_IN, "J15", "to the old name", old)
    say(other, "to the new name", new)
    heard = owner.hears("to the new name", "J15")
    ensure((heard.channel, heard.place) == (new, place), "J15", f"{new}, place {place}", describe(heard))
    found = look(room, new)
    ensure(found.channels[new].place == place, "J14", f"CHANNEL with {new} and place {place}", new)
    lines = {one.text: one.channel for one in found.replay if isinstance(one, Event)}
    ensure(lines.get("an old line") == old, "J16", f"the old line with {old}", lines)
    ensure(lines.get("to the new name") == new, "J16", f"the new line with {new}", lines)


@channels("O18", "O19", "O20", "O21", "B5", "B6", "E5", "E18")
def two_channels_are_resumed(room: Room) -> None:
    """Who comes back gets what it missed in all its channels, each event once and in one order, and settles
    its lines of all of them."""
    lost, other = both(room)
    first, place = lost.channel, join(lost, room.channel()).place
    second = list(lost.channels)[1]
    join(other, second)
    lost.event(EventKind.JOINED, "J2", person=other.welcome.person, place=place)
    decided = say(lost, "decided", second)
    other.hears("decided", "J2")
    lost.hears("decided", "J2", id=decided)
    lost.abort()
    missed = []
    for number in range(6):
        channel = (first, second)[number % 2]
        say(other, f"missed {number}", channel)
        missed.append(other.hears(f"missed {number}", "O1"))
    back = room.come_back(lost, first)
    ensure(back.welcome.resumed is Resumed.EXACT, "O20", "EXACT", back.welcome.resumed.name)
    ensure(set(back.channels) == {first, second}, "B5", "CHANNEL of both", sorted(back.channels))
    events = [one for one in back.replay if isinstance(one, Event)]
    ensure(events == missed, "O20", f"exactly the {len(missed)} missed events", describe_all(events))
    ensure(back.welcome.confirmed == decided, "O21", f"confirmed {decided}", back.welcome.confirmed)
    id = say(back, "from me", second)
    other.hears("from me", "O21", id=id, place=place)
    back.hears("from me", "O21", id=id)
    for packet in back.up_to_fence():
        ensure(not isinstance(packet, Event), "O18", "nothing twice", describe(packet))


@channels("O18", "O19", "O20", "O6", "O1", "B5")
def connections_that_break_again_and_again(room: Room) -> None:
    """Whatever a client got before its connection broke: it gets the lines of all its places once."""
    member, other = both(room)
    first, second = member.channel, join(member, room.channel()).name
    join(other, second)
    wanted, heard = list[str](), list[str]()
    for turn in range(4):
        for number in range(12):
            wanted.append(f"{turn} {number}")
            say(other, wanted[-1], (first, second)[number % 2])
        for _ in range(3 * turn + 1):
            heard.append(member.event(EventKind.SAID, "O6").text)
        member.abort()
        member = room.come_back(member, first)
        heard += member.said
    other.says_and_hears("the last one")
    while heard[-1] != "the last one":
        heard.append(member.event(EventKind.SAID, "O20").text)
    ensure(heard == [*wanted, "the last one"], "O20", "each line once, in one order", heard)


@channels("J11", "J14", "J16", "O4", "B6")
def channels_that_end_or_move_meanwhile(room: Room) -> None:
    """CLOSED and MOVED come among what was missed; CHANNEL has the new name of the same place."""
    lost, other = both(room)
    moved, closed, new = join(other, room.channel()), join(other, room.channel()), room.channel()
    join(lost, moved.name), join(lost, closed.name)
    lost.abort()
    for text, channel in (("one", moved.name), ("two", closed.name)):
        say(other, text, channel)
        other.hears(text)
    do(other, "J14", f"/move {new}", moved.name)
    do(other, "J11", "/close", closed.name)
    say(other, "three", new)
    other.hears("three", place=moved.place)
    back = room.come_back(lost, lost.channel)
    names = {one.place: one.name for one in back.channels.values()}
    ensure(names.get(moved.place) == new, "J14", f"CHANNEL {new} of place {moved.place}", names)
    ensure(closed.place not in names, "B6", f"no CHANNEL of place {closed.place}", names)
    found = [(one.kind, one.channel) for one in of_place(back.replay, moved.place)]
    line, move = EventKind.SAID, EventKind.MOVED
    wanted = [(line, moved.name), (move, moved.name), (line, new)]
    ensure(found == wanted, "J16", "line, MOVED, line", describe_all(back.replay))
    ended = [one.kind for one in of_place(back.replay, closed.place)]
    ensure(ended == [line, EventKind.CLOSED], "O4", "line, CLOSED", describe_all(back.replay))


@channels("O4", "B6", "J6", "J9")
def a_channel_is_left_meanwhile(room: Room) -> None:
    """Who comes back after another program has left a channel gets its events up to LEFT, and no CHANNEL."""
    dora = with_account(room)
    other = room.enter()
    second = other.channel
    place = join(dora, second).place
    phone = room.enter(dora.welcome.name, dora.channel, credentials=by_password(PASSWORD))
    ensure(second in phone.channels, "B5", f"CHANNEL of {second}", sorted(phone.channels))
    dora.abort()
    other.says_and_hears("missed")
    do(phone, "J6", "/leave", second)
    other.event(EventKind.LEFT, "J6", person=dora.welcome.person)
    other.says_and_hears("not for you")
    back = room.come_back(dora, dora.channel)
    ensure(second not in back.channels, "B6", f"no CHANNEL of {second}", sorted(back.channels))
    found = [(one.kind, one.text) for one in of_place(back.replay, place)]
    wanted = [(EventKind.SAID, "missed"), (EventKind.LEFT, "")]
    ensure(found == wanted, "O4", "the line, then LEFT, and no later line", describe_all(back.replay))


@channels("J1", "J6", "J7", "O17")
def all_programs_enter_and_leave(room: Room) -> None:
    """The other programs of a person get CHANNEL before JOINED, and LEFT; after it nothing of the place."""
    dora, other = with_account(room), room.enter()
    phone = room.enter(dora.welcome.name, dora.channel, credentials=by_password(PASSWORD))
    place = join(phone, other.channel).place
    dora.find(Channel, "J1", name=other.channel, place=place)
    dora.event(EventKind.JOINED, "O17", person=dora.welcome.person, place=place)
    other.says_and_hears("hello")
    dora.hears("hello", "J1", place=place)
    do(phone, "J6", "/leave", other.channel)
    dora.event(EventKind.LEFT, "J6", person=dora.welcome.person, place=place)
    other.says_and_hears("without you")
    for member in (dora, phone):
        hears_nothing(member, "J7", place)


@channels("J27", "J28", "O20")
def the_channels_of_an_account(room: Room) -> None:
    """An account that comes back has all its channels, whatever ADMIT names, and gets what was said
    meanwhile."""
    dora, other = with_account(room), room.enter()
    place = join(dora, other.channel).place
    seen, identity = dora.seen, dora.welcome.identity
    dora.leave()
    other.event(EventKind.QUIT, "J27", person=dora.welcome.person)
    other.says_and_hears("meanwhile")
    listed = role_in(look(room, other.channel).channels[other.channel], dora.welcome.person)
    ensure(listed == -1, "J27", "no row for a member that is out", listed)
    back = room.enter(
        dora.welcome.name, dora.channel, credentials=by_password(PASSWORD),
        since=seen[0], time=seen[1], identity=identity,
    )  # fmt: skip
    ensure(other.channel in back.channels, "J27", f"CHANNEL of {other.channel}", sorted(back.channels))
    texts = [one.text for one in of_place(back.replay, place) if one.kind is EventKind.SAID]
    ensure(texts == ["meanwhile"], "J28", "the line that was said meanwhile", describe_all(back.replay))
    other.event(EventKind.JOINED, "J27", person=dora.welcome.person, place=place)


@channels("P66")
def joined_names_the_role(room: Room) -> None:
    """JOINED has the role of who comes: of who founds, of a guest with voice, of an owner that comes back."""
    dora, other, second = with_account(room), room.enter(), room.channel()
    phone = room.enter(dora.welcome.name, dora.channel, credentials=by_password(PASSWORD))
    place = join(phone, second).place
    join(other, second)
    persons = dora.welcome.person, other.welcome.person
    expect_role(dora, persons[0], place, Role.OWNER)
    expect_role(dora, persons[1], place, Role.MEMBER)
    do(dora, "J17", f"/voice {other.welcome.name}", second)
    do(other, "J6", "/leave", second)
    join(other, second)
    expect_role(dora, persons[1], place, Role.VOICE)
    dora.leave(), phone.leave()
    other.event(EventKind.QUIT, "J27", person=persons[0])
    room.enter(dora.welcome.name, credentials=by_password(PASSWORD))
    expect_role(other, persons[0], place, Role.OWNER)


def expect_role(member: Member, person: int, place: int, role: Role) -> None:
    """The next JOINED of the person in the place must name this role, by a row unless it is MEMBER."""
    joined = member.event(EventKind.JOINED, "P66", person=person, place=place)
    wanted = bytes([role]) if role else None
    ensure(rows(joined).get(EXTRA_ROLE) == wanted, "P66", f"the role {role.name} in ROLE", describe(joined))


@channels("B18", "J27")
def a_guest_that_had_left(room: Room) -> None:
    """A session that has quit begins with the channels of ADMIT, all of them."""
    guest = room.enter()
    first = guest.channel
    second = join(guest, room.channel()).name
    guest.says_and_hears("a line, so the session is kept")
    guest.leave()
    back = room.come_back(guest, first, second, since=0, time=0, identity=bytes(16))
    ensure(
        set(back.channels) == {first, second},
        "B18",
        f"CHANNEL of {first} and {second}",
        sorted(back.channels),
    )


@channels("J8", "J18", "C3")
def commands_in_channels_of_others(room: Room) -> None:
    """Who is not in a channel changes nothing in it."""
    inside, outside = room.enter(), room.enter()
    place = inside.channels[inside.channel].place
    inside.joined()
    for command in ("/leave", "/topic mine", "/set moderated on", "/close", f"/voice {outside.welcome.name}"):
        _, answer = outside.give(command, inside.channel)
        ensure(
            answer.code in (Code.NOT_IN, Code.NEED_ROLE),
            "J18",
            f"NOT_IN or NEED_ROLE to {command}",
            describe(answer),
        )
    hears_nothing_new = of_place(inside.up_to_fence(), place)
    ensure(not hears_nothing_new, "J18", "no event", describe_all(hears_nothing_new))
    answer = outside.give("/leave", inside.channel)[1]
    ensure(isinstance(answer, Answer) and answer.code == Code.NOT_IN, "J8", "NOT_IN", describe(answer))
