"""Checks of a server: what a person has said is erased."""

from __future__ import annotations

from chatroom.events import Event, EventKind, Extra
from chatroom.outcomes import Code
from tests.conformance.check import ensure
from tests.conformance.commands import (
    describe_all,
    do,
    join,
    look,
    moderation,
    number,
    refused,
    rows,
)
from tests.conformance.room import Room
from tests.conformance.server_accounts import PASSWORD, by_password, refusal, with_account
from tests.conformance.server_direct import tell, until
from tests.conformance.server_past import past
from tests.conformance.server_whole import owned
from tests.conformance.wire import describe

SECRET = "xylophone"
"""A word that only the erased person says."""


@moderation("X31", "X32", "X33", "X34", "X35", "U1")
def a_person_is_erased(room: Room) -> None:
    """All get ERASED without a name; the programs end, the account is gone, and neither a replay, a page of
    the past nor a search has what the person said, nor its name."""
    owner, other = owned(room), room.enter()
    dora = with_account(room)
    name, person = dora.welcome.name, dora.welcome.person
    join(dora, other.channel)
    dora.says_and_hears("in its own channel")
    id = dora.say(f"the {SECRET} line", other.channel)
    line = other.hears(f"the {SECRET} line", id=id)
    other.says_and_hears("a line of another")
    tell(dora, other, f"the {SECRET} to you")
    place = until(other, f"the {SECRET} to you")[1].place
    do(other, "X12", f"/kick {name}", other.channel)
    refused(other, Code.NEED_ROLE, "J18", f"/erase {name}")
    do(owner, "X31", f"/erase {name}")
    told = other.event(EventKind.ERASED, "X33", place=0, channel="")
    ensure(number(told, Extra.TARGET) == person, "X33", f"TARGET {person}", describe(told))
    named = (told.person, told.author, told.text, Extra.TARGET_NAME in rows(told))
    ensure(named == (0, "", "", False), "X33", "no author, text and name", describe(told))
    dora.rest("X32")
    replay = [one for one in look(room, other.channel).replay if isinstance(one, Event)]
    events, _ = past(other, "/history 50", other.channel, "X34")
    direct, _ = past(other, f"/history 50 in:{place}", rule="X34")
    for found in (replay, events, direct):
        seen = [one for one in found if SECRET in one.text or name in (one.author, one.channel[1:])]
        seen += [one for one in found if name.encode() in one.extra]
        ensure(not seen, "X34", "nothing of the person", describe_all(seen))
    texts = [one.text for one in events if one.seq == line.seq]
    ensure(texts in ([], [""]), "X34", "the line without its text, or none", texts)
    ensure("a line of another" in [one.text for one in events], "X34", "the lines of others", events)
    searched, _ = past(other, f"/grep {SECRET}", rule="X35")
    ensure(not searched, "X35", "nothing", describe_all(searched))
    refusal(room, Code.BAD_PASSWORD, "X32", name, by_password(PASSWORD))
    free = room.enter(name)
    ensure(free.welcome.person != person, "X32", "another person", describe(free.welcome))


@moderation("X31", "J18")
def those_with_a_role_are_not_erased(room: Room) -> None:
    """Who is an operator of the chatroom is not erased, and only its owner erases."""
    owner, other = owned(room), room.enter()
    dora = with_account(room)
    do(owner, "X3", f"/op * {dora.welcome.name}")
    refused(owner, Code.BAD_ARGUMENTS, "X31", f"/erase {dora.welcome.name}")
    refused(dora, Code.NEED_ROLE, "J18", f"/erase {other.welcome.name}")
    dora.is_alive("X31")
