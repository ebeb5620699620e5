"""Checks of a server: direct conversations of two persons."""

from __future__ import annotations

from chatroom.events import Event, EventKind, Extra, Setting, extra_row
from chatroom.outcomes import Code
from chatroom.packets import Admit, Bye, Channel, Packet, Role, Status
from tests.conformance.check import ensure
from tests.conformance.commands import (
    both,
    channels,
    describe_all,
    do,
    kinds,
    number,
    of_place,
    refused,
    say,
    say_refused,
)
from tests.conformance.room import Member, Room
from tests.conformance.server_accounts import PASSWORD, by_password, with_account
from tests.conformance.wire import describe


def to(member: Member) -> bytes:
    """The row that says who is meant."""
    return extra_row(Extra.RECEIVER, member.welcome.person, 4)


def field(member: Member) -> str:
    """The channel field for a line to this member."""
    return f"@{member.welcome.name}"


def tell(author: Member, receiver: Member, text: str) -> int:
    """Say a line to one person; its id."""
    return say(author, text, field(receiver), extra=to(receiver))


def until(member: Member, text: str) -> tuple[list[Packet], Event]:
    """What comes up to the SAID with this text, and that event."""
    packets: list[Packet] = []
    while True:
        packet = member.take(expected=f"SAID with {text!r}")
        ensure(packet is not None, "R4", f"SAID with {text!r}", describe(packet))
        assert packet is not None
        if isinstance(packet, Event) and packet.kind is EventKind.SAID and packet.text == text:
            return packets, packet
        packets.append(packet)


def three(room: Room) -> tuple[Member, Member, Member]:
    """Three members of one channel, each of whom has seen the later ones come."""
    first, second = both(room)
    third = room.enter(None, first.channel)
    for member in (first, second, third):
        member.event(EventKind.JOINED, "O7", person=third.welcome.person)
    return first, second, third


@channels("R1", "R3", "R4", "R5", "R6", "P42", "E5")
def a_line_to_one_person(room: Room) -> None:
    """Only the two get the line, after CHANNEL, and both the same bytes; RECEIVER decides who is meant."""
    first, second, third = three(room)
    id = say(first, "psst", field(third), extra=to(second))
    heard, numbers = [], set()
    for member, other in ((first, second), (second, first)):
        before, event = until(member, "psst")
        ensure(kinds(before) == ["CHANNEL"], "R5", "CHANNEL before the line, and nothing else", kinds(before))
        channel = before[0]
        assert isinstance(channel, Channel)
        ensure(channel.name == field(other), "R6", f"the name {field(other)}", describe(channel))
        kind = (channel.settings, channel.role, {one.person for one in channel.members})
        persons = {first.welcome.person, second.welcome.person}
        ensure(
            kind == (Setting.DIRECT, Role.MEMBER, persons),
            "R6",
            "DIRECT, MEMBER, both persons",
            describe(channel),
        )
        ensure(event.place == channel.place, "P42", f"place {channel.place}", describe(event))
        ensure(event.id == id, "E5", f"id {id}", describe(event))
        heard.append(event)
        numbers.add(channel.place)
    ensure(heard[0] == heard[1], "R3", "the same event for both", describe_all(heard))
    ensure(len(numbers) == 1, "R6", "one place", numbers)
    ensure(heard[0].channel == field(second), "R3", f"the channel {field(second)}", describe(heard[0]))
    ensure(number(heard[0], Extra.RECEIVER) == second.welcome.person, "R3", "RECEIVER", describe(heard[0]))
    found = [one for one in third.up_to_fence() if isinstance(one, Event | Channel)]
    ensure(not found, "R4", "nothing for a third person", describe_all(found))


@channels("R3", "R4", "R5")
def an_answer_to_one_person(room: Room) -> None:
    """The answer has the same place, with the other one as receiver; CHANNEL does not come again."""
    first, second, third = three(room)
    tell(first, second, "question")
    event = until(second, "question")[1]
    tell(second, first, "answer")
    before, answer = until(second, "answer")
    ensure(not before, "R5", "no second CHANNEL", describe_all(before))
    ensure(answer.place == event.place, "R3", f"place {event.place}", describe(answer))
    ensure(answer.channel == field(first), "R3", f"the channel {field(first)}", describe(answer))
    until(first, "answer")
    found = [one for one in third.up_to_fence() if isinstance(one, Event | Channel)]
    ensure(not found, "R4", "nothing for a third person", describe_all(found))


@channels("R2", "R10", "C6", "E10")
def lines_to_nobody(room: Room) -> None:
    """Without RECEIVER, and to a person that is nobody or a guest that has gone, nothing is said."""
    first, second = both(room)
    say_refused(first, Code.BAD_ARGUMENTS, "R2", "to whom?", field(second))
    say_refused(first, Code.BAD_ARGUMENTS, "R2", "in the channel", extra=to(second))
    short = extra_row(Extra.RECEIVER, second.welcome.person, 3)
    say_refused(first, Code.BAD_ARGUMENTS, "R2", "three bytes", field(second), extra=short)
    nobody = extra_row(Extra.RECEIVER, 2**32 - 1, 4)
    say_refused(first, Code.NO_SUCH_NAME, "R10", "to nobody", field(second), extra=nobody)
    second.leave()
    first.event(EventKind.QUIT, "O10", person=second.welcome.person)
    say_refused(first, Code.NO_SUCH_NAME, "R10", "gone", field(second), extra=to(second))
    again = room.enter(second.welcome.name, first.channel)
    say_refused(first, Code.NO_SUCH_NAME, "R10", "not to a later one", field(again), extra=to(second))
    found = [
        one for one in again.up_to_fence() if isinstance(one, Event) and one.text == "not to a later one"
    ]
    ensure(not found, "R1", "nothing for a later person of that name", describe_all(found))


@channels("R13", "A13", "C10")
def a_conversation_in_ADMIT(room: Room) -> None:
    """ADMIT does not name a direct conversation: BAD_NAME."""
    member, port = room.arrive(room.name())
    channels_ = (room.channel(), f"@{room.name()}")
    member.send(Admit("", port.ticket, channels_, 0, 0, bytes(16), 0))
    packet = member.take(expected="STATUS FAIL or BYE")
    good = isinstance(packet, Status | Bye) and packet.code == Code.BAD_NAME
    ensure(good, "R13", "BAD_NAME", describe(packet))


@channels("R1", "R4", "R7", "R10")
def a_later_guest_of_that_name(room: Room) -> None:
    """A guest that takes the name of an earlier one gets nothing of its conversations."""
    first, second = both(room)
    tell(first, second, "between us")
    place = until(second, "between us")[1].place
    second.leave()
    later = room.enter(second.welcome.name, first.channel, lines=50)
    found = [one for one in later.channels.values() if one.settings & Setting.DIRECT]
    ensure(
        not found and "between us" not in later.said, "R4", "nothing of the conversation", describe_all(found)
    )
    refused(later, Code.NOT_IN, "R4", f"/grep between in:{place}")
    tell(later, first, "who am I?")
    new = until(first, "who am I?")[1]
    ensure(new.place != place, "R1", f"another place than {place}", describe(new))


@channels("R8", "R6")
def a_line_to_oneself(room: Room) -> None:
    """A person may speak to itself: one CHANNEL with its own name, one SAID."""
    member = room.enter()
    member.joined()
    tell(member, member, "milk, bread")
    before, event = until(member, "milk, bread")
    named = [one.name for one in before if isinstance(one, Channel)]
    ensure(named == [field(member)], "R6", f"CHANNEL {field(member)}", named)
    twice = [one for one in member.up_to_fence() if isinstance(one, Event)]
    ensure(not twice, "R8", "the line once", describe_all(twice))
    ensure(number(event, Extra.RECEIVER) == member.welcome.person, "R8", "RECEIVER", describe(event))


@channels("R9", "R7", "J28", "P21")
def a_line_to_an_account_that_is_out(room: Room) -> None:
    """A line to an account that is out is stored, and comes with its next greeting, after the conversation's
    CHANNEL."""
    dora = with_account(room)
    other = room.enter(None, dora.channel)
    tell(other, dora, "are you there?")
    until(dora, "are you there?")
    seen, identity = dora.seen, dora.welcome.identity
    dora.leave()
    other.event(EventKind.QUIT, "O10", person=dora.welcome.person)
    tell(other, dora, "call me")
    place = until(other, "call me")[1].place
    back = room.enter(
        dora.welcome.name, room.channel(), credentials=by_password(PASSWORD),
        since=seen[0], time=seen[1], identity=identity,
    )  # fmt: skip
    places = {one.place for one in back.channels.values() if one.settings & Setting.DIRECT}
    ensure(
        places == {place},
        "R7",
        f"one CHANNEL with DIRECT, of place {place}",
        describe_all([*back.channels.values()]),
    )
    texts = [one.text for one in of_place(back.replay, place)]
    ensure(texts == ["call me"], "R9", "the line that was said meanwhile", describe_all(back.replay))


@channels("R7", "R4", "O20", "O6")
def a_conversation_is_resumed(room: Room) -> None:
    """Who comes back gets the direct lines that it missed, in one order with those of its channels, each
    once."""
    first, second, third = three(room)
    tell(first, second, "begin")
    place = until(second, "begin")[1].place
    until(first, "begin")
    second.abort()
    for text in ("direct", "both"):
        tell(first, second, text) if text == "direct" else say(first, text)
        until(first, text)
    back = room.come_back(second)
    ensure([one.text for one in back.replay if isinstance(one, Event)] == ["direct", "both"], "O20",
           "both lines, each once", describe_all(back.replay))  # fmt: skip
    ensure(
        any(one.place == place for one in back.channels.values()), "R7", "CHANNEL of the conversation", place
    )
    other = room.enter(None, first.channel, lines=50)
    ensure(
        "direct" not in other.said and "begin" not in other.said, "R4", "nothing for a newcomer", other.said
    )
    found = [one for one in third.up_to_fence() if isinstance(one, Event) and one.place == place]
    ensure(not found, "R4", "nothing for a third person", describe_all(found))


@channels("R7", "R9")
def all_programs_get_the_line(room: Room) -> None:
    """All programs of both get CHANNEL and the line, those of the author, too."""
    dora = with_account(room)
    other = room.enter(None, dora.channel)
    phone = room.enter(dora.welcome.name, dora.channel, credentials=by_password(PASSWORD))
    tell(dora, other, "hello")
    for member in (dora, phone, other):
        before, _ = until(member, "hello")
        found = [one for one in before if isinstance(one, Channel) and one.settings & Setting.DIRECT]
        ensure(len(found) == 1, "R7", "one CHANNEL of the conversation", describe_all(before))


@channels("R11", "R12", "Y4", "Y5", "Y6", "Y3", "C28")
def who_may_begin(room: Room) -> None:
    """To begin a conversation the two share a channel, unless the receiver takes lines of all; who is ignored
    reaches nobody."""
    first, second = both(room)
    stranger = room.enter()
    say_refused(stranger, Code.MUTED, "R11", "from far away", field(first), extra=to(first))
    refused(stranger, Code.MUTED, "Y3", f"/query {first.welcome.name}")
    do(first, "Y6", "/direct all")
    tell(stranger, first, "from far away")
    until(first, "from far away")
    do(first, "Y6", "/direct nobody")
    say_refused(second, Code.MUTED, "R11", "from near", field(first), extra=to(first))
    tell(stranger, first, "goes on")
    until(first, "goes on")
    do(first, "Y4", f"/ignore {stranger.welcome.name}")
    ignored = do(first, "Y5", "/ignored")
    wanted = [[stranger.welcome.person, stranger.welcome.name]]
    ensure(ignored == wanted, "Y5", f"the rows {wanted}", ignored)
    say_refused(stranger, Code.MUTED, "R12", "not any more", field(first), extra=to(first))
    do(first, "Y4", f"/unignore {stranger.welcome.name}")
    tell(stranger, first, "again")
    until(first, "again")


@channels("Y3", "R10")
def whom_a_name_means(room: Room) -> None:
    """/query gives the person of a name, with the place of the conversation when there is one."""
    first, second = both(room)
    person = second.welcome.person
    rows = do(first, "Y3", f"/query {second.welcome.name.upper()}")
    ensure(rows == [person, second.welcome.name, 0], "Y3", f"{[person, second.welcome.name, 0]}", rows)
    tell(first, second, "hello")
    place = until(first, "hello")[1].place
    rows = do(first, "Y3", f"/query {second.welcome.name}")
    ensure(rows == [person, second.welcome.name, place], "Y3", f"the place {place}", rows)
    refused(first, Code.NO_SUCH_NAME, "Y3", f"/query {room.name()}")
