"""Checks of a server: those with a role put members out of a channel, ban, mute and exempt them."""

from __future__ import annotations

import time
from threading import Event as Flag

from chatroom.events import (
    BAN_LIST,
    EXEMPT_LIST,
    Event,
    EventKind,
    Extra,
    extra_row,
)
from chatroom.outcomes import Code
from chatroom.packets import Answer, Form, Role
from tests.conformance.check import Failed, ensure
from tests.conformance.commands import (
    describe_all,
    do,
    hears_nothing,
    join,
    look,
    moderation,
    number,
    refused,
    role_in,
    rows,
    rows_of,
    say,
    say_refused,
    texts_of,
)
from tests.conformance.room import Member, Room
from tests.conformance.server_direct import tell, until
from tests.conformance.server_lines import about
from tests.conformance.server_rights import turned_away
from tests.conformance.wire import describe

ADDRESS, OTHER_ADDRESS = "127.0.0.1", "127.0.0.2"
"""From which the run comes, and from which it comes when somebody else is wanted."""
FENCE_SECONDS = 0.05


def crew(room: Room, others: int = 2) -> list[Member]:
    """The owner of a channel, and others who have entered it: these have a first channel of their own."""
    owner = room.enter()
    owner.joined()
    members = [owner]
    for _ in range(others):
        other = room.enter()
        other.joined()
        join(other, owner.channel)
        for member in members:
            member.event(EventKind.JOINED, "O7", person=other.welcome.person, channel=owner.channel)
        members.append(other)
    return members


def place_of(owner: Member) -> int:
    """The place of the first channel."""
    return owner.channels[owner.channel].place


def is_about(event: Event, member: Member, rule: str) -> None:
    """Fail unless the event has the member as TARGET and TARGET_NAME."""
    wanted = (member.welcome.person, member.welcome.name.encode())
    came = (number(event, Extra.TARGET), rows(event).get(Extra.TARGET_NAME))
    ensure(came == wanted, rule, f"TARGET and TARGET_NAME {wanted}", describe(event))


def until_ok(member: Member, rule: str, command: str, while_: Code, channel: str = "") -> None:
    """Give a command until it succeeds; before that it may only be refused with this code."""
    deadline = time.monotonic() + member.seconds
    while True:
        _, answer = member.give(command, channel)
        if answer.code == Code.OK:
            return
        if answer.code != while_ or time.monotonic() > deadline:
            raise Failed(f"OK to {command} in time", describe(answer), rule)
        Flag().wait(FENCE_SECONDS)


# --- roles ----------------------------------------------------------------------------------------------


@moderation("X3", "J17", "J18")
def an_operator_of_a_channel(room: Room) -> None:
    """The owner makes an operator with /op and takes the role back with /deop; LISTED says so to all."""
    owner, other, third = crew(room)
    channel = owner.channel
    told = refused(other, Code.NEED_ROLE, "J18", f"/op {third.welcome.name}", channel)
    ensure(told == ["/op", "owner"], "J18", '["/op","owner"]', told)
    refused(other, Code.NEED_ROLE, "J18", f"/kick {third.welcome.name}", channel)
    do(owner, "X3", f"/op {other.welcome.name}")
    listed = third.event(EventKind.LISTED, "X3")
    is_about(listed, other, "X3")
    ensure(rows(listed)[Extra.LIST] == bytes([Role.OPERATOR]), "X3", "the list operator", describe(listed))
    role = role_in(look(room, channel).channels[channel], other.welcome.person)
    ensure(role == Role.OPERATOR, "X3", "the role OPERATOR in CHANNEL", role)
    do(other, "J18", "/set moderated on", channel)
    do(owner, "X3", f"/deop {other.welcome.name}")
    listed = third.event(EventKind.LISTED, "X3")
    ensure(rows(listed).get(Extra.REMOVED) == b"\1", "X3", "REMOVED", describe(listed))
    refused(other, Code.NEED_ROLE, "J18", "/set moderated off", channel)


@moderation("X9", "J18", "C23")
def nobody_acts_against_a_higher_role(room: Room) -> None:
    """An operator neither kicks, bans nor mutes the owner, another operator or itself; nothing changes."""
    owner, first, second = crew(room)
    channel, place = owner.channel, place_of(owner)
    for member in (first, second):
        do(owner, "X3", f"/op {member.welcome.name}")
    say(owner, "from here on")
    for member in (owner, first, second):
        member.hears("from here on")
    for command in ("/kick", "/ban", "/mute"):
        for member in (owner, second, first):
            told = refused(first, Code.NEED_ROLE, "X9", f"{command} {member.welcome.name}", channel)
            ensure(told[:1] == [command], "X9", f"the command {command} in the rows", told)
    hears_nothing(owner, "X9", place)
    say(second, "still here", channel)
    owner.hears("still here", "X9", place=place)


# --- out of a channel -----------------------------------------------------------------------------------


@moderation("X12", "X13", "J10", "C3")
def out_of_a_channel(room: Room) -> None:
    """KICKED goes to all, with the reason and before the ANSWER; whoever is out gets nothing more of the
    place, and may enter it again."""
    owner, other, third = crew(room)
    channel, place = owner.channel, place_of(owner)
    before, answer = owner.give(f"/kick {other.welcome.name} too loud")
    ensure(answer.code == Code.OK, "X12", "OK to /kick", describe(answer))
    told = texts_of(before, EventKind.KICKED)
    ensure(told == ["too loud"], "X12", "KICKED with the reason before the ANSWER", describe_all(before))
    for member in (other, third):
        kicked = member.event(EventKind.KICKED, "X12", place=place, text="too loud")
        ensure(kicked.person == owner.welcome.person, "X12", "the owner as author", describe(kicked))
        is_about(kicked, other, "X12")
    owner.says_and_hears("without you")
    hears_nothing(other, "X13", place)
    say_refused(other, Code.NOT_IN, "C3", "not here", channel)
    listed = role_in(look(room, channel).channels[channel], other.welcome.person)
    ensure(listed == -1, "X13", "no row in CHANNEL", listed)
    join(other, channel, rule="J10")
    third.event(EventKind.JOINED, "J10", person=other.welcome.person, place=place)


@moderation("X13", "X39", "O4", "B6")
def out_of_a_channel_meanwhile(room: Room) -> None:
    """A member whose connection was lost is kicked, too: it gets the events up to KICKED, and no CHANNEL,
    also if its ADMIT has the channel; by /join it enters again."""
    owner, lost, _ = crew(room)
    channel, place = owner.channel, place_of(owner)
    lost.abort()
    owner.says_and_hears("missed")
    do(owner, "X12", f"/kick {lost.welcome.name}")
    owner.says_and_hears("not for you")
    back = room.come_back(lost, lost.channel, channel)
    ensure(channel not in back.channels, "X39", f"no CHANNEL of {channel}", sorted(back.channels))
    found = [one.kind for one in back.replay if isinstance(one, Event) and one.place == place]
    wanted = [EventKind.SAID, EventKind.KICKED]
    ensure(found == wanted, "X13", "the line, then KICKED, and no later line", describe_all(back.replay))
    join(back, channel, rule="X39")


# --- banned ---------------------------------------------------------------------------------------------


@moderation("X6", "X15", "X16", "X17", "X27", "X28", "C31", "J25")
def banned_from_a_channel(room: Room) -> None:
    """Who is banned is kicked, and does not enter: neither by /join nor by ADMIT, nor as a later guest of
    that name; others do. After /unban it may."""
    owner, other, third = crew(room)
    channel, name = owner.channel, other.welcome.name
    do(owner, "X15", f"/ban {name} 1h too loud")
    listed = third.event(EventKind.LISTED, "X27")
    is_about(listed, other, "X27")
    found = (rows(listed)[Extra.LIST], listed.text)
    ensure(found == (bytes([BAN_LIST]), "too loud"), "X27", "the ban list, the reason", describe(listed))
    end = number(listed, Extra.UNTIL)
    ensure(end == listed.time + 3_600_000, "X27", "UNTIL one hour later", describe(listed))
    for member in (other, third):
        is_about(member.event(EventKind.KICKED, "X15", text="too loud"), other, "X15")
    told = refused(other, Code.BANNED, "X16", f"/join {channel}")
    ensure(told == [channel, end, "too loud"], "X16", f"rows {[channel, end, 'too loud']}", told)
    other.leave()
    refused(third, Code.BANNED, "X6", f"/nick {name}", channel)
    third.leave()
    turned_away_as(room, name, channel)
    later = room.enter(name)
    refused(later, Code.BANNED, "X6", f"/join {channel}")
    join(room.enter(), channel)
    do(owner, "X15", f"/unban {name}")
    join(later, channel, rule="X15")
    refused(owner, Code.ALREADY, "X28", f"/unban {name}")


def turned_away_as(room: Room, name: str, channel: str) -> None:
    """A guest of this name whose ADMIT has the channel must be refused with BYE, BANNED."""
    original, room.name = room.name, lambda: name  # type: ignore[method-assign]
    try:
        turned_away(room, channel, Code.BANNED)
    finally:
        room.name = original  # type: ignore[method-assign]


@moderation("X6", "X16")
def an_account_is_banned_under_every_name(room: Room) -> None:
    """A ban of an account means its person, whatever name it has now; nobody else who takes the old name."""
    owner, other, _ = crew(room)
    channel, name = owner.channel, other.welcome.name
    do(other, "U14", "/register correct%20horse%20battery")
    do(owner, "X15", f"/ban {name}")
    do(other, "Y1", f"/nick {room.name()}")
    refused(other, Code.BANNED, "X6", f"/join {channel}")
    do(owner, "X15", f"/unban {name}")
    join(other, channel, rule="X6")


@moderation("X7", "X8", "X10", "X11", "X15", "X27", "X38")
def a_network_is_banned(room: Room) -> None:
    """+NAME means all who come from there, but no operator and nobody exempt; no address is told, and nobody
    bans the own network."""
    owner, near = crew(room, 1)
    channel, place = owner.channel, place_of(owner)
    refused(owner, Code.BAD_ARGUMENTS, "X38", f"/ban +{near.welcome.name}")
    room.source = OTHER_ADDRESS
    other, operator, free, stranger = (room.enter() for _ in range(4))
    for member in (other, operator):
        join(member, channel)
        owner.event(EventKind.JOINED, "O7", person=member.welcome.person)
    do(owner, "X3", f"/op {operator.welcome.name}")
    do(owner, "X11", f"/exempt {free.welcome.name}")
    do(owner, "X15", f"/ban +{other.welcome.name} advertising")
    listed = near.event(EventKind.LISTED, "X27", text="advertising")
    whom = rows(listed).get(Extra.WHOM)
    good = whom == f"+{other.welcome.name}".encode() and Extra.TARGET_NAME not in rows(listed)
    good = good and listed.target == other.welcome.person
    ensure(good, "X7", f"WHOM +{other.welcome.name}, its TARGET, and no TARGET_NAME", describe(listed))
    is_about(other.event(EventKind.KICKED, "X15", place=place), other, "X15")
    refused(other, Code.BANNED, "X15", f"/join {channel}")
    refused(stranger, Code.BANNED, "X7", f"/join {channel}")
    join(free, channel, rule="X11")
    say(operator, "still here", channel)
    owner.hears("still here", "X10", place=place)
    do(owner, "X7", "/bans")
    do(operator, "X10", "/leave", channel)
    join(operator, channel, rule="X10")
    told = [one for one in owner.log + near.log if one.startswith("received") and OTHER_ADDRESS in one]
    ensure(not told, "X7", "the address nowhere", told)
    refused(owner, Code.NEED_ROLE, "X8", "/ban 192.0.2.0/24")


@moderation("X20", long=True)
def a_ban_ends(room: Room) -> None:
    """When its time is over, a ban and a mute count no more."""
    owner, banned, muted = crew(room)
    channel = owner.channel
    do(owner, "X15", f"/ban {banned.welcome.name} 1s")
    do(owner, "X22", f"/mute {muted.welcome.name} 1s")
    until_ok(banned, "X20", f"/join {channel}", Code.BANNED)
    until_ok(muted, "X20", "/topic spoken", Code.MUTED, channel)
    say(muted, "at last", channel)
    owner.hears("at last", "X20")


# --- muted ----------------------------------------------------------------------------------------------


@moderation("X22", "X25", "X26", "X28", "C32", "E10")
def a_muted_member(room: Room) -> None:
    """A muted member says, edits and reacts nothing in the place and sets no topic; it reads, asks, speaks
    elsewhere and to one person; /unmute ends it."""
    owner, other, third = crew(room)
    channel, name = owner.channel, other.welcome.name
    say(other, "an own line", channel)
    line = owner.hears("an own line")
    do(owner, "X22", f"/mute {name} 1h too loud")
    end = number(other.event(EventKind.LISTED, "X27"), Extra.UNTIL)
    id = say(other, "not said", channel)
    answer: Answer = other.find(Answer, "X22", id=id)
    ensure(answer.code == Code.MUTED, "X22", "MUTED", describe(answer))
    wanted = [channel, end, "too loud"]
    ensure(rows_of(answer) == wanted, "X22", f"rows {wanted}", answer.rows)
    for form, text in ((Form.EDIT, "changed"), (Form.REACT, "👍"), (Form.ACT, "waves")):
        extra = b"" if form is Form.ACT else about(line)
        say_refused(other, Code.MUTED, "X22", text, channel, form, extra)
    refused(other, Code.MUTED, "X22", "/topic mine", channel)
    do(other, "X25", "/who", channel)
    do(other, "X25", "/history 5", channel)
    owner.says_and_hears("the owner speaks")
    other.hears("the owner speaks", "X25")
    other.says_and_hears("in its own channel")
    tell(other, third, "to you alone")
    until(third, "to you alone")
    found = [one for one in owner.up_to_fence() if isinstance(one, Event)]
    ensure(not found, "X22", "no event for the others", describe_all(found))
    refused(owner, Code.ALREADY, "X28", f"/unban {name}")
    do(owner, "X22", f"/unmute {name}")
    say(other, "speaks again", channel)
    owner.hears("speaks again", "X22")


@moderation("X23", "X24", "J22")
def a_muted_member_has_no_other_way(room: Room) -> None:
    """Neither a name, an away message nor the reason of LEFT or QUIT of a member that may not speak comes
    through."""
    owner, muted, hushed = crew(room)
    channel = owner.channel
    do(owner, "X22", f"/mute {muted.welcome.name}")
    do(owner, "J19", "/set moderated on")
    for member, code in ((muted, Code.MUTED), (hushed, Code.NEED_ROLE)):
        refused(member, code, "X23", f"/nick {room.name()}")
        refused(member, code, "X23", "/away buy my things")
    do(muted, "X25", "/leave buy my things", channel)
    left = owner.event(EventKind.LEFT, "X24", person=muted.welcome.person)
    ensure(left.text == "", "X24", "LEFT without a reason", describe(left))
    hushed.leave("buy my things")
    quitting = owner.event(EventKind.QUIT, "X24", person=hushed.welcome.person)
    ensure(quitting.text == "", "X24", "QUIT without a reason", describe(quitting))


@moderation("X11", "X22", "X27")
def who_is_exempt(room: Room) -> None:
    """No mute means who is exempt; /unexempt ends that, and LISTED tells of both."""
    owner, near = crew(room, 1)
    channel = owner.channel
    room.source = OTHER_ADDRESS
    free, muted = room.enter(), room.enter()
    for member in (free, muted):
        join(member, channel)
        owner.event(EventKind.JOINED, "O7", person=member.welcome.person)
    do(owner, "X11", f"/exempt {free.welcome.name}")
    is_about(near.event(EventKind.LISTED, "X27"), free, "X27")
    do(owner, "X22", f"/mute +{muted.welcome.name}")
    say_refused(muted, Code.MUTED, "X22", "not said", channel)
    say(free, "exempt", channel)
    owner.hears("exempt", "X11")
    do(owner, "X11", f"/unexempt {free.welcome.name}")
    removed = extra_row(Extra.REMOVED, 1, 1)
    listed = near.event(EventKind.LISTED, "X27", extra=lambda extra: removed in extra)
    found = number(listed, Extra.LIST)
    ensure(found == EXEMPT_LIST, "X27", "the exempt list", describe(listed))
    say_refused(free, Code.MUTED, "X11", "not any more", channel)


@moderation("X4", "J18", "X28")
def what_is_listed(room: Room) -> None:
    """/bans lists bans, mutes and exemptions with by whom, when, until and why, to operators only."""
    owner, banned, muted = crew(room)
    channel = owner.channel
    do(owner, "X15", f"/ban {banned.welcome.name} 2d too loud")
    do(owner, "X22", f"/mute {muted.welcome.name}")
    refused(owner, Code.ALREADY, "X28", f"/mute {muted.welcome.name}")
    found = {row[0]: row for row in do(owner, "X4", "/bans")}
    ensure({"ban", "mute"} <= found.keys(), "X4", "rows of ban and mute", found)
    _, whom, by, when, end, reason = found["ban"]
    good = (whom, by, reason) == (banned.welcome.name, owner.welcome.name, "too loud")
    ensure(good and end - when == 2 * 86_400_000, "X4", "whom, by, when, until, reason", found["ban"])
    ensure(found["mute"][4:] == [0, ""], "X4", "for ever, without a reason", found["mute"])
    refused(muted, Code.NEED_ROLE, "J18", "/bans", channel)


# --- the trail ------------------------------------------------------------------------------------------


@moderation("X29", "X30", "J18")
def the_trail(room: Room) -> None:
    """Each act comes into the trail, which operators ask for; no connection gets it, live or in a replay."""
    owner, other, third = crew(room)
    channel = owner.channel
    for command in ("/mute", "/unmute", "/kick"):
        do(owner, "X30", f"{command} {other.welcome.name}")
    found = [row for row in do(owner, "X30", "/log 3") if isinstance(row, list)]
    ensure(len(found) == 3, "X30", "three rows", found)
    for row in found:
        good = row[2:4] == [owner.welcome.name, channel] and other.welcome.name in row[4] and row[5] == ""
        ensure(good, "X30", "seq, time, who, where, what, no network", row)
    told = [one for one in owner.log if one.startswith("received") and ADDRESS in one]
    ensure(not told, "X30", "no address for an operator of a channel", told)
    refused(third, Code.NEED_ROLE, "J18", "/log 3", channel)
    refused(owner, Code.NEED_ROLE, "X30", "/log * 3")
    seen, identity = third.welcome.head, third.welcome.identity
    new = room.enter(None, channel, since=max(1, seen), time=third.live.time, identity=identity)
    for member in (owner, third, new):
        member.is_alive("X29")
        audited = [frame for frame in member.frames if frame.kind == EventKind.AUDITED]
        ensure(not audited, "X29", "no AUDITED", audited)


WRONG = (
    "/kick", "/kick nobody-is-called-so", "/ban", "/ban \u202e", "/ban + 1h", "/ban x 999999999d", "/mute",
    "/mute +nobody-is-called-so", "/mute 0.0.0.0/0", "/exempt", "/exempt ::/0", "/unban", "/unmute",
    "/unexempt", "/op", "/op nobody-is-called-so", "/deop", "/bans x", "/log x", "/log -1",
    "/slow x", "/slow -1", "/slow 3601", "/hush x", "/hand up", "/hands x", "/next x", "/poll a",
    "/poll a | b", "/poll | a | b", "/vote 1", "/vote x", "/reveal", "/reveal x", "/ask",
    f"/poll q{' | x' * 11}", "/ban #no-such-channel x",
)  # fmt: skip


@moderation("X28", "J18", "C6")
def acts_that_cannot_be(room: Room) -> None:
    """A command with wrong arguments is refused, and nobody is told anything, whoever gives it."""
    owner, other, _ = crew(room)
    for member in (owner, other):
        for command in WRONG:
            before, answer = member.give(command, owner.channel)
            ensure(
                answer.code not in (Code.OK, Code.NO_SUCH_COMMAND),
                "C6",
                f"no OK to {command!r}",
                describe(answer),
            )
            ensure(not before, "J18", f"the ANSWER to {command!r} alone", describe_all(before))
    found = [one for one in owner.up_to_fence() if isinstance(one, Event)]
    ensure(not found, "J18", "no event", describe_all(found))
