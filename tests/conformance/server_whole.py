"""Checks of a server: what its owner and operators do in the whole chatroom. Each has a server of its own."""

from __future__ import annotations

import itertools

from chatroom.events import BAN_LIST, Event, EventKind, Extra
from chatroom.outcomes import Code
from chatroom.packets import Bye, Role, Status, Verdict
from tests.conformance.check import ensure
from tests.conformance.commands import (
    describe_all,
    do,
    join,
    moderation,
    number,
    refused,
    rows,
    rows_of,
    say,
    say_refused,
)
from tests.conformance.room import Credentials, Member, Room
from tests.conformance.server_accounts import PASSWORD, by_password, with_account
from tests.conformance.server_direct import field, tell, to, until
from tests.conformance.server_moderation import ADDRESS, OTHER_ADDRESS, crew, is_about
from tests.conformance.wire import Wire, describe

_servers = itertools.count(1)


def owned(room: Room) -> Member:
    """The owner of the chatroom of a server of its own."""
    server = room.use_own_server(f"owned {next(_servers)}", needs="data")
    owner = with_account(room)
    do(owner, "X1", f"/owner {server.owner_code()}")
    return owner


def ended(member: Wire, code: Code, *rules: str) -> None:
    """The connection must end with BYE with this code, for good."""
    packets = member.rest(*rules)
    last = packets[-1] if packets else None
    good = isinstance(last, Bye) and last.code == code and not last.again
    ensure(good, rules[0], f"BYE with {code.name} and again 0", describe(last))


def door_says(room: Room, code: Code, name: str, *rules: str, credentials: Credentials = ()) -> Wire:
    """A lobby connection that was refused with this code."""
    lobby = room.greet(name, credentials=credentials)
    lobby.expect(Status, *rules, verdict=Verdict.FAIL, code=code)
    return lobby


@moderation("X1", "X2", "X3", "X9", "J17", "J18")
def operators_of_the_chatroom(room: Room) -> None:
    """With * /op makes an account an operator in every channel; it stands below the owner."""
    owner = owned(room)
    dora, guest = with_account(room), room.enter()
    told = refused(guest, Code.NEED_ROLE, "J18", f"/op * {dora.welcome.name}")
    ensure(told == ["/op", "owner"], "J18", '["/op","owner"]', told)
    _, answer = owner.give(f"/op * {guest.welcome.name}")
    ensure(answer.code != Code.OK, "X3", "no OK for a guest", describe(answer))
    do(owner, "X1", f"/op * {dora.welcome.name}")
    role = join(dora, guest.channel).role
    ensure(role == Role.OPERATOR, "X2", "the role OPERATOR in a channel of others", role)
    do(dora, "X2", "/set moderated on", guest.channel)
    for command in ("/kick *", "/ban *", "/mute *", "/kill", "/suspend", "/op *"):
        refused(dora, Code.NEED_ROLE, "X9", f"{command} {owner.welcome.name}")
    do(owner, "X1", f"/deop * {dora.welcome.name}")
    refused(dora, Code.NEED_ROLE, "X1", "/set moderated off", guest.channel)


@moderation("X5", "J18")
def what_all_are_told(room: Room) -> None:
    """ANNOUNCED goes to all, also to who shares no channel with its author."""
    owner = owned(room)
    other = room.enter()
    refused(other, Code.NEED_ROLE, "J18", "/announce hello")
    do(owner, "X5", "/announce back at noon")
    told = other.event(EventKind.ANNOUNCED, "X5", place=0, channel="")
    wanted = ("back at noon", owner.welcome.person)
    ensure((told.text, told.person) == wanted, "X5", f"text and author {wanted}", describe(told))


@moderation("X14", "X13", "C34", "J18")
def out_of_the_chatroom(room: Room) -> None:
    """/kick * and /kill end all programs of a person with BYE, KICKED; the others get QUIT."""
    owner = owned(room)
    other = room.enter(None, owner.channel)
    refused(other, Code.NEED_ROLE, "J18", f"/kick * {owner.welcome.name}")
    for command in ("/kick *", "/kill"):
        dora = with_account(room, owner.channel)
        phone = room.enter(dora.welcome.name, owner.channel, credentials=by_password(PASSWORD))
        do(owner, "X14", f"{command} {dora.welcome.name} advertising")
        for program in (dora, phone):
            ended(program, Code.KICKED, "X14", "C34")
        other.event(EventKind.QUIT, "X14", person=dora.welcome.person)
        room.enter(dora.welcome.name, credentials=by_password(PASSWORD))


@moderation("X2", "X18", "X19", "X27", "C31", "A6")
def banned_from_the_chatroom(room: Room) -> None:
    """A ban from the chatroom ends the programs with BYE, BANNED, and the lobby answers with BANNED; all are
    told."""
    owner, other = owned(room), room.enter()
    for command in ("/ban *", "/suspend"):
        dora = with_account(room)
        do(owner, "X18", f"{command} {dora.welcome.name} 1h advertising")
        listed = other.event(EventKind.LISTED, "X27", place=0, channel="", text="advertising")
        is_about(listed, dora, "X27")
        ensure(number(listed, Extra.LIST) == BAN_LIST, "X27", "the ban list", describe(listed))
        ended(dora, Code.BANNED, "X18")
        lobby = door_says(room, Code.BANNED, dora.welcome.name, "X19", credentials=by_password(PASSWORD))
        packets = lobby.rest("A6")
        ensure(not packets, "A6", "the end of the connection", describe_all(packets))
        do(owner, "X18", f"{command.replace('/ban', '/unban').replace('/sus', '/unsus')} {dora.welcome.name}")
        room.enter(dora.welcome.name, credentials=by_password(PASSWORD))


@moderation("X2", "X10", "X19", "X18", "X8", "X38")
def a_network_is_banned_from_the_chatroom(room: Room) -> None:
    """A ban of a network ends who comes from there, but no operator; an address may be named by operators of
    the chatroom, but not their own."""
    owner = owned(room)
    room.source = OTHER_ADDRESS
    other = room.enter()
    refused(owner, Code.BAD_ARGUMENTS, "X38", f"/ban * {ADDRESS}")
    refused(owner, Code.BAD_ARGUMENTS, "X38", "/ban * 127.0.0.0/8")
    do(owner, "X8", "/ban * 192.0.2.0/24")
    do(owner, "X18", f"/ban * +{other.welcome.name}")
    ended(other, Code.BANNED, "X18")
    door_says(room, Code.BANNED, room.name(), "X19")
    room.source = ADDRESS
    room.enter()
    owner.is_alive("X10")
    owner.leave()
    room.source = OTHER_ADDRESS
    room.enter(owner.welcome.name, credentials=by_password(PASSWORD))


@moderation("X2", "X22", "X26")
def muted_in_the_chatroom(room: Room) -> None:
    """Who is muted in the chatroom speaks in no channel, and to nobody but its operators."""
    owner, other = owned(room), room.enter()
    muted = room.enter(None, other.channel, owner.channel)
    for member in (owner, other):
        member.event(EventKind.JOINED, "O7", person=muted.welcome.person)
    do(owner, "X22", f"/mute * {muted.welcome.name}")
    own = join(muted, room.channel()).name
    for channel in (other.channel, owner.channel, own):
        say_refused(muted, Code.MUTED, "X2", "not said", channel)
    say_refused(muted, Code.MUTED, "X26", "not to you", field(other), extra=to(other))
    tell(muted, owner, "why?")
    until(owner, "why?")
    tell(owner, muted, "you know")
    until(muted, "you know")
    do(owner, "X22", f"/unmute * {muted.welcome.name}")
    say(muted, "at last", other.channel)
    other.hears("at last", "X2")


@moderation("X30", "X29")
def the_trail_of_all(room: Room) -> None:
    """/log * has the acts of all places, with the place and from where; each operator of the chatroom may
    ask."""
    owner = owned(room)
    first, other, _ = crew(room)
    do(first, "X30", f"/kick {other.welcome.name}")
    do(owner, "X30", f"/mute * {other.welcome.name}")
    found = [row for row in do(owner, "X30", "/log * 10") if isinstance(row, list)]
    places = [row[3] for row in found]
    ensure({first.channel, "*"} <= {*places}, "X30", f"acts in {first.channel} and *", found)
    ensure(all(row[5] == ADDRESS for row in found), "X30", f"from {ADDRESS}", found)
    owner.is_alive("X29")


@moderation("X40", "X41", "X42")
def a_line_that_is_followed(room: Room) -> None:
    """/trace says a line, and answers with its steps; it is refused, and not said, for all but operators."""
    owner = owned(room)
    other = room.enter(None, owner.channel)
    refused(other, Code.NEED_ROLE, "X41", "/trace not for you", owner.channel)
    before, answer = owner.give("/trace who reads this?", owner.channel)
    said = [one for one in before if isinstance(one, Event) and one.kind == EventKind.SAID]
    good = [(one.text, one.id, one.person) for one in said]
    wanted = [("who reads this?", answer.id, owner.welcome.person)]
    ensure(good == wanted, "X40", f"SAID {wanted} before the ANSWER", describe_all(before))
    ensure(answer.code == Code.OK, "X42", "OK", describe(answer))
    found = rows_of(answer)
    steps = [row[2] for row in found]
    ensure([steps[0], steps.count("applied")] == ["read", 1], "X42", "steps from read on", found)
    times = [row[0] for row in found]
    ensure(times == sorted(times) and times[0] == 0, "X42", "times from 0, rising", found)
    applied = next(row for row in found if row[2] == "applied")
    ensure(applied[3] == said[0].seq, "X42", f"the seq {said[0].seq}", applied)
    other.hears("who reads this?", "X41")


@moderation("X21", "X12", "I18", "W4", "X20", "O14", long=True)
def moderation_is_there_after_a_kill(room: Room) -> None:
    """After a kill bans, mutes, hands, the open poll, votes and the slow setting are as they were."""
    server = room.use_own_server("killed moderation", needs="data")
    owner, banned, muted = crew(room)
    channel = owner.channel
    hand = room.enter(None, channel)
    do(owner, "X15", f"/ban {banned.welcome.name} 1h")
    do(owner, "X22", f"/mute {muted.welcome.name}")
    do(hand, "I3", "/hand", channel)
    do(owner, "I11", "/poll lunch? | yes | no")
    do(hand, "I12", "/vote 2", channel)
    do(owner, "W1", "/slow 3600")
    say(hand, "its only line", channel)
    owner.hears("its only line")
    server.kill()
    server.start()
    back = room.come_back(owner, channel)
    again = room.come_back(hand, channel)
    refused(room.come_back(banned, banned.channel), Code.BANNED, "X21", f"/join {channel}")
    say_refused(room.come_back(muted, muted.channel), Code.MUTED, "X21", "not said", channel)
    found = do(back, "I18", "/hands", channel)
    ensure(found[2:] == [hand.welcome.name], "I18", f"the hand of {hand.welcome.name}", found)
    say_refused(again, Code.SLOW_DOWN, "W4", "too soon", channel)
    do(back, "I18", "/reveal", channel)
    shown = again.event(EventKind.REVEALED, "I18")
    ensure(rows(shown)[Extra.VOTES] == b"\0\0\0\1", "I18", "one vote for the second option", describe(shown))
    ensure(isinstance(shown, Event), "I18", "REVEALED", describe(shown))
