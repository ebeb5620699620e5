"""Checks of a server: roles and settings of a channel."""

from __future__ import annotations

from chatroom.events import INVITED_LIST, Event, EventKind, Extra, Setting
from chatroom.outcomes import Code
from chatroom.packets import Admit, Bye, Channel, Role, Welcome
from tests.conformance.check import ensure
from tests.conformance.commands import (
    both,
    channels,
    describe_all,
    do,
    join,
    look,
    number,
    of_place,
    refused,
    role_in,
    rows,
    say,
    say_refused,
)
from tests.conformance.room import Member, Room
from tests.conformance.server_past import past
from tests.conformance.server_talk import two
from tests.conformance.wire import describe

KEY = "sesame-7"


def is_set(member: Member, setting: Setting, on: bool = True) -> Event:
    """The SET that must come for a setting."""
    event = member.event(EventKind.SET, "J19")
    ensure(rows(event) == {setting: bytes([on])}, "J19", f"the row {setting.name} {int(on)}", describe(event))
    return event


def has_setting(room: Room, channel: str, setting: Setting) -> Member:
    """A newcomer, whose CHANNEL must have the bit."""
    newcomer = look(room, channel)
    settings = newcomer.channels[channel].settings
    ensure(settings & setting, "J19", f"the bit {setting.name} in CHANNEL", settings)
    return newcomer


def turned_away(room: Room, channel: str, code: Code) -> None:
    """A newcomer whose ADMIT names the channel must be refused with BYE."""
    name = room.name()
    member, port = room.arrive(name)
    member.send(Admit(name, port.ticket, (channel,), 0, 0, bytes(16), 0))
    packet = member.take(expected="BYE")
    ensure(not isinstance(packet, Welcome), "J25", "no WELCOME", describe(packet))
    ensure(isinstance(packet, Bye) and packet.code == code, "J25", f"BYE with {code.name}", describe(packet))


@channels("J17", "J18", "J22", "P43")
def voice_in_a_moderated_channel(room: Room) -> None:
    """In a moderated channel only who has a role speaks; /voice gives one, with LISTED, and /unvoice takes
    it."""
    owner, other = both(room)
    channel, person = owner.channel, other.welcome.person
    rows_of_refusal = refused(other, Code.NEED_ROLE, "J18", "/set moderated on")
    ensure(rows_of_refusal == ["/set", "operator"], "J18", '["/set","operator"]', rows_of_refusal)
    do(owner, "J19", "/set moderated on")
    is_set(other, Setting.MODERATED)
    say_refused(other, Code.NEED_ROLE, "J22", "not said")
    owner.says_and_hears("the owner speaks")
    do(owner, "J17", f"/voice {other.welcome.name}")
    listed = other.event(EventKind.LISTED, "J17", person=owner.welcome.person)
    expected = {
        Extra.LIST: bytes([Role.VOICE]),
        Extra.TARGET: person.to_bytes(4, "big"),
        Extra.TARGET_NAME: other.welcome.name.encode(),
    }
    ensure(rows(listed) == expected, "J17", f"the rows {expected}", describe(listed))
    other.says_and_hears("with voice")
    newcomer = has_setting(room, channel, Setting.MODERATED)
    role = role_in(newcomer.channels[channel], person)
    ensure(role == Role.VOICE, "J17", "the role VOICE in CHANNEL", role)
    do(owner, "J17", f"/unvoice {other.welcome.name}")
    listed = other.event(EventKind.LISTED, "J17", person=owner.welcome.person)
    ensure(rows(listed).get(Extra.REMOVED) == b"\1", "J17", "the row REMOVED", describe(listed))
    say_refused(other, Code.NEED_ROLE, "J22", "not said either")


@channels("J17", "J18")
def another_owner(room: Room) -> None:
    """/transfer makes the other an owner, and LISTED says so."""
    owner, other = both(room)
    refused(other, Code.NEED_ROLE, "J18", f"/transfer {other.welcome.name}")
    do(owner, "J17", f"/transfer {other.welcome.name}")
    listed = other.event(EventKind.LISTED, "J17")
    while rows(listed).get(Extra.REMOVED):
        listed = other.event(EventKind.LISTED, "J17")
    good = rows(listed).get(Extra.LIST) == bytes([Role.OWNER])
    ensure(good and number(listed, Extra.TARGET) == other.welcome.person, "J17", "OWNER", describe(listed))
    role = role_in(look(room, owner.channel).channels[owner.channel], other.welcome.person)
    ensure(role == Role.OWNER, "J17", "the role OWNER in CHANNEL", role)
    do(other, "J17", "/set moderated on")


@channels("J19", "J20", "J24", "J25", "C30")
def a_channel_with_a_key(room: Room) -> None:
    """Who joins has to give the key, which nobody is told."""
    owner, other = both(room)
    stranger = room.enter()
    do(owner, "J20", f"/set key {KEY}")
    is_set(other, Setting.KEYED)
    refused(stranger, Code.BAD_KEY, "J20", f"/join {owner.channel}")
    refused(stranger, Code.BAD_KEY, "J20", f"/join {owner.channel} wrong")
    turned_away(room, owner.channel, Code.BAD_KEY)
    joined = join(stranger, owner.channel, KEY, "J20")
    ensure(joined.settings & Setting.KEYED, "J19", "the bit KEYED in CHANNEL", joined.settings)
    told = [one for one in other.log if one.startswith("received") and KEY in one]
    ensure(not told, "J24", "the key nowhere", told)
    _, answer = owner.give("/set")
    ensure(KEY not in answer.words + answer.rows, "J24", "the key in no answer", describe(answer))
    do(owner, "J20", "/set key off")
    is_set(other, Setting.KEYED, False)
    join(room.enter(), owner.channel, rule="J20")


@channels("J21", "J25", "J26", "J17", "R5", "C29")
def a_channel_for_the_invited(room: Room) -> None:
    """Only the invited may join; the invitation comes in the direct conversation of the two."""
    owner, stranger = room.enter(), room.enter()
    common = room.channel()
    join(owner, common), join(stranger, common)
    channel = owner.channel
    do(owner, "J21", "/set invite-only on")
    refused(stranger, Code.INVITE_ONLY, "J21", f"/join {channel}")
    turned_away(room, channel, Code.INVITE_ONLY)
    seen = {row[0] for row in do(stranger, "J21", "/channels")}
    ensure(channel not in seen and common in seen, "J21", f"{common}, but not {channel}", sorted(seen))
    before, answer = owner.give(f"/invite {stranger.welcome.name}")
    ensure(answer.code == Code.OK, "J26", "OK to /invite", describe(answer))
    conversation = stranger.find(Channel, "R5")
    ensure(
        conversation.settings & Setting.DIRECT, "J26", "CHANNEL of the conversation", describe(conversation)
    )
    invited = stranger.event(EventKind.INVITED, "J26", place=conversation.place)
    ensure(invited.text == channel, "J26", f"the text {channel}", describe(invited))
    for key in (Extra.RECEIVER, Extra.TARGET):
        person = number(invited, key)
        ensure(
            person == stranger.welcome.person,
            "J26",
            f"{key.name} {stranger.welcome.person}",
            describe(invited),
        )
    join(stranger, channel, rule="J21")
    listed = [one for one in before if isinstance(one, Event) and one.kind is EventKind.LISTED]
    lists = [number(one, Extra.LIST) for one in listed]
    ensure(lists == [INVITED_LIST], "J17", "LISTED for the invited", describe_all(before))


@channels("J21", "J17")
def an_invitation_is_taken_back(room: Room) -> None:
    """After /uninvite the person may not join."""
    owner, stranger = room.enter(), room.enter()
    common = room.channel()
    join(owner, common), join(stranger, common)
    do(owner, "J21", "/set invite-only on")
    for command in ("/invite", "/uninvite"):
        do(owner, "J21", f"{command} {stranger.welcome.name}")
    refused(stranger, Code.INVITE_ONLY, "J21", f"/join {owner.channel}")


@channels("J23", "J19", "S8")
def nobody_reads_from_before(room: Room) -> None:
    """With `history joined` nothing from before the joining comes, neither in the greeting nor by
    /history."""
    owner, other = both(room)
    channel = owner.channel
    place = owner.channels[channel].place
    do(owner, "J19", "/set history joined")
    is_set(other, Setting.FROM_JOINING)
    early = owner.says_and_hears("early")
    newcomer = has_setting(room, channel, Setting.FROM_JOINING)
    ensure("early" not in newcomer.said, "J23", "no line from before", newcomer.said)
    found, _ = newcomer.give("/history 50", channel)
    texts = [one.text for one in of_place(found, place)]
    ensure("early" not in texts, "J23", "no line from before by /history", texts)
    events, _ = past(newcomer, f"/grep early in:{channel}", rule="J23")
    ensure(not events, "J23", "nor by /grep", describe_all(events))
    found, _ = newcomer.give(f"/context {early.seq}", channel)
    ensure(
        not any("early" in one.text for one in of_place(found, place)),
        "J23",
        "nor by /context",
        describe_all(found),
    )
    owner.says_and_hears("now")
    newcomer.hears("now", "J23", place=place)


@channels("J23", "J10", "S8", "O20")
def nobody_reads_what_was_said_without_them(room: Room) -> None:
    """With `history joined` a member that enters again has the lines of its stays, and those alone."""
    owner, other = both(room)
    channel, own = owner.channel, join(other, room.channel()).name
    do(owner, "J19", "/set history joined")
    for stays in (True, False, True):
        if not stays:
            do(other, "J6", "/leave", channel)
        owner.says_and_hears(f"they are in: {stays}")
        if not stays:
            join(other, channel, rule="J10")
    events, _ = past(other, "/history 50", channel, "S8")
    texts = [one.text for one in events if one.kind is EventKind.SAID]
    ensure(texts == ["they are in: True"] * 2, "J23", "the lines of its stays", texts)
    other.abort()
    owner.says_and_hears("they are lost")
    back = room.come_back(other, own)
    texts = [one.text for one in of_place(back.replay, owner.channels[channel].place)]
    ensure(texts == ["they are lost"], "O20", "what was said while the connection was lost", texts)


@channels("J17", "J18")
def the_topic(room: Room) -> None:
    """TOPIC goes to all, with the new topic; CHANNEL has it; in a moderated channel operators set it."""
    owner, other = two(room)
    do(other, "J18", "/topic lunch at noon")
    topic = owner.event(EventKind.TOPIC, "J18", person=other.welcome.person)
    ensure(topic.text == "lunch at noon", "J18", "the topic", describe(topic))
    found = look(room, owner.channel).channels[owner.channel].topic
    ensure(found == "lunch at noon", "J18", "the topic in CHANNEL", found)
    shown = do(other, "J18", "/topic")
    ensure(shown[:2] == ["lunch at noon", other.welcome.name], "J18", "topic and author in the rows", shown)
    do(owner, "J18", "/set moderated on")
    refused(other, Code.NEED_ROLE, "J18", "/topic dinner")
    say(owner, "still here")
    packets = owner.up_to("still here")
    ensure(
        not any(isinstance(one, Event) and one.kind is EventKind.TOPIC for one in packets),
        "J18",
        "no TOPIC",
        "",
    )


@channels("J19", "J18")
def settings_that_do_not_exist(room: Room) -> None:
    """A setting or value that does not exist is refused and changes nothing; the same value again is
    ALREADY."""
    owner, other = both(room)
    for command in ("/set colour red", "/set moderated perhaps", "/set key", "/set history some"):
        refused(owner, Code.BAD_ARGUMENTS, "J19", command)
    do(owner, "J19", "/set moderated on")
    refused(owner, Code.ALREADY, "J19", "/set moderated on")
    is_set(other, Setting.MODERATED)
    packets = owner.up_to_fence()
    sets = [one for one in packets if isinstance(one, Event) and one.kind is EventKind.SET]
    ensure(len(sets) <= 1, "J19", "one SET", describe_all(sets))


WRONG = (
    "/join", "/join #", "/join @ann", "/join #a b c", "/join -no-channel", "/leave #no-such-channel",
    "/topic #no-such x", "/set key a b", "/set", "/invite", "/invite nobody-is-called-so", "/voice \u202e",
    "/transfer", "/move", "/move x", "/move #a b", "/close #no-such-channel", "/channels x", "/nick",
    "/nick @x", "/query", "/query \x1b[2J", "/ignore", "/ignored x", "/direct some", "/seen", "/time x",
    "/history x", "/history -1", "/history 1 2", "/history before:0", "/history 99999999999999999999",
    "/grep", "/grep ::", "/grep x from:", "/grep x since:yesterday", "/grep x in:0",
    "/grep x in:4294967295", "/context", "/context 0", "/context 9223372036854775807", "/read", "/read 0",
    "/read x",
)  # fmt: skip


@channels("P36", "S2", "J18", "C6")
def commands_that_cannot_be(room: Room) -> None:
    """A command with wrong arguments gets one ANSWER that refuses it, and changes nothing."""
    owner, other = both(room)
    for command in WRONG:
        before, answer = other.give(command)
        ensure(
            answer.code not in (Code.OK, Code.NO_SUCH_COMMAND),
            "C6",
            f"no OK to {command!r}",
            describe(answer),
        )
        ensure(not before, "S2", f"the ANSWER to {command!r} alone", describe_all(before))
    told = [one for one in owner.up_to_fence() if isinstance(one, Event)]
    ensure(not told, "J18", "no event", describe_all(told))
