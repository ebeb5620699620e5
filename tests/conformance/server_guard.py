"""Checks of a server: slow channels, newcomers, and the server's password."""

from __future__ import annotations

from chatroom.events import Event, EventKind, Setting
from chatroom.outcomes import Code
from chatroom.packets import Answer, Credential, Status, Username, Verdict
from tests.conformance.check import ensure
from tests.conformance.commands import (
    describe_all,
    do,
    moderation,
    refused,
    rows,
    rows_of,
    say,
    say_refused,
)
from tests.conformance.room import Credentials, Room
from tests.conformance.server_accounts import PASSWORD, by_password, with_account
from tests.conformance.server_direct import field, to
from tests.conformance.server_moderation import crew
from tests.conformance.server_rights import has_setting
from tests.conformance.server_whole import door_says, ended, owned
from tests.conformance.wire import describe

KEY = "sesame-8"


def with_key(key: str) -> Credentials:
    """The credential that shows the server's password."""
    return ((Credential.SERVER_PASSWORD, key.encode()),)


@moderation("W1", "W2", "W3", "J18", "C8")
def a_slow_channel(room: Room) -> None:
    """SET has the seconds, CHANNEL the bit; who has no role says one line in that time, the others more."""
    owner, other, voiced = crew(room)
    channel = owner.channel
    refused(other, Code.NEED_ROLE, "J18", "/slow 60", channel)
    do(owner, "W1", f"/voice {voiced.welcome.name}")
    do(owner, "W1", "/slow 3600")
    for member in (other, voiced):
        event = member.event(EventKind.SET, "W1")
        wanted = {Setting.SLOW: (3600).to_bytes(2, "big")}
        ensure(rows(event) == wanted, "W1", f"the rows {wanted}", describe(event))
    has_setting(room, channel, Setting.SLOW)
    for number in range(3):
        owner.says_and_hears(f"owner {number}")
        say(voiced, f"voice {number}", channel)
        owner.hears(f"voice {number}", "W3")
    say(other, "one line", channel)
    line = owner.hears("one line", "W2")
    id = say(other, "too soon", channel)
    answer: Answer = other.find(Answer, "W2", id=id)
    ensure(answer.code == Code.SLOW_DOWN, "W2", "SLOW_DOWN", describe(answer))
    again = rows_of(answer)
    ensure(again[:1] == [line.time + 3_600_000], "W2", f"when again: {line.time + 3_600_000}", again)
    other.says_and_hears("in its own channel")
    do(owner, "W1", "/slow 0")
    event = other.event(EventKind.SET, "W1")
    ensure(rows(event) == {Setting.SLOW: b"\0\0"}, "W1", "SLOW 0", describe(event))
    for number in range(3):
        say(other, f"free {number}", channel)
        owner.hears(f"free {number}", "W1")


@moderation("W5", "W6", "W7", "J18")
def newcomers_are_slowed(room: Room) -> None:
    """Newcomers have so many lines a minute, or none and then no other way to be seen; who has voice or was
    invited into the chatroom is no newcomer."""
    owner = owned(room)
    other, friend = room.enter(None, owner.channel), with_account(room, owner.channel)
    refused(other, Code.NEED_ROLE, "J18", "/guard newcomers 2")
    do(owner, "W5", f"/invite * {friend.welcome.name}")
    do(owner, "W5", "/guard newcomers 2")
    found = do(owner, "W5", "/guard")
    ensure(["newcomers", 2] in found, "W5", 'the row ["newcomers",2]', found)
    for number in range(2):
        other.says_and_hears(f"other {number}")
    say_refused(other, Code.SLOW_DOWN, "W6", "not said")
    say_refused(other, Code.SLOW_DOWN, "W6", "nor to you", field(friend), extra=to(friend))
    for number in range(4):
        friend.says_and_hears(f"friend {number}")
    do(owner, "W7", "/guard newcomers 0")
    new = room.enter(None, owner.channel)
    say_refused(new, Code.SLOW_DOWN, "W7", "not said")
    for command in (f"/nick {room.name()}", "/away buy my things", "/topic mine", f"/join {room.channel()}"):
        refused(new, Code.SLOW_DOWN, "W7", command)
    do(owner, "W5", "/set kept on")
    do(owner, "W5", f"/voice {new.welcome.name}")
    new.says_and_hears("with voice")
    do(owner, "W5", "/guard off")
    other.says_and_hears("free again")


@moderation("W8", "W9", "J18")
def accounts_only(room: Room) -> None:
    """With `accounts` no guest comes in, and newcomers without an account have to go; accounts come in."""
    owner = owned(room)
    guest, dora = room.enter(), with_account(room)
    do(owner, "W8", "/guard accounts")
    ended(guest, Code.NEED_LOGIN, "W9")
    door_says(room, Code.NEED_LOGIN, room.name(), "W8")
    dora.is_alive("W9")
    dora.leave()
    room.enter(dora.welcome.name, credentials=by_password(PASSWORD))
    do(owner, "W8", "/guard off")
    room.enter()


@moderation("W11", "W5")
def the_invited_only(room: Room) -> None:
    """With `invited` only who is invited into the chatroom comes in."""
    owner = owned(room)
    friend, dora = with_account(room), with_account(room)
    do(owner, "W11", f"/invite * {friend.welcome.name}")
    do(owner, "W11", "/guard invited")
    ended(dora, Code.INVITE_ONLY, "W11")
    friend.is_alive("W11")
    friend.leave()
    room.enter(friend.welcome.name, credentials=by_password(PASSWORD))
    door_says(room, Code.INVITE_ONLY, room.name(), "W11")
    door_says(room, Code.INVITE_ONLY, dora.welcome.name, "W11", credentials=by_password(PASSWORD))
    do(owner, "W11", "/guard off")
    room.enter(dora.welcome.name, credentials=by_password(PASSWORD))


@moderation("W12", "W13", "W14", "W16", "C33", "A4")
def the_password_of_the_server(room: Room) -> None:
    """Who comes in shows the server's password; a session that comes back and an operator need none; nobody
    is told it."""
    owner = owned(room)
    guest, dora = room.enter(None, owner.channel), with_account(room, owner.channel)
    do(owner, "W12", f"/set * key {KEY}")
    name = room.name()
    lobby = door_says(room, Code.BAD_KEY, name, "W13")
    lobby.send(Username(name, bytes(16), with_key("wrong")))
    lobby.expect(Status, "W13", verdict=Verdict.FAIL, code=Code.BAD_KEY)
    lobby.send(Username(name, bytes(16), with_key(KEY)))
    lobby.expect(Status, "A4", verdict=Verdict.PASS)
    room.enter(None, credentials=with_key(KEY))
    dora.leave()
    door_says(room, Code.BAD_KEY, dora.welcome.name, "W13", credentials=by_password(PASSWORD))
    room.enter(dora.welcome.name, credentials=(*by_password(PASSWORD), *with_key(KEY)))
    guest.says_and_hears("a line, so the session is kept")
    guest.abort()
    back = room.come_back(guest)
    owner.leave()
    owner = room.enter(owner.welcome.name, credentials=by_password(PASSWORD))
    shown = do(owner, "W16", "/set *")
    told = [one for wire in room.wires for one in wire.log if one.startswith("received") and KEY in one]
    ensure(not told and KEY not in str(shown), "W16", "the password nowhere", told or shown)
    do(owner, "W12", "/set * key off")
    room.enter()
    found = [one for one in back.up_to_fence() if isinstance(one, Event) and KEY in one.text]
    ensure(not found, "W16", "the password in no event", describe_all(found))
