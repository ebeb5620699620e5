"""Checks of a server: names that change, and who is away."""

from __future__ import annotations

import time

from chatroom.events import Event, EventKind
from chatroom.outcomes import Code
from tests.conformance.check import ensure
from tests.conformance.commands import both, channels, describe_all, do, join, look, refused, rows_of
from tests.conformance.room import Room
from tests.conformance.wire import describe

CLOCKS_DIFFER = 3_600_000
"""Milliseconds by which the server's clock may be another one than the run's."""


@channels("Y1", "Y9", "Y10", "N7", "N10", "C11", "C10", "B2")
def another_name(room: Room) -> None:
    """RENAMED goes to all who share a channel, once; then the new name counts everywhere, also with the
    token."""
    owner, other = both(room)
    second = join(owner, room.channel()).name
    join(other, second)
    old, new = owner.welcome.name, room.name()
    before, answer = owner.give(f"/nick {new}")
    ensure(rows_of(answer) == [new], "Y1", f'["{new}"]', describe(answer))
    renamed = [one for one in before if isinstance(one, Event) and one.kind is EventKind.RENAMED]
    ensure(len(renamed) == 1, "Y1", "RENAMED before the ANSWER", describe_all(before))
    for event in (renamed[0], other.event(EventKind.RENAMED, "Y1", person=owner.welcome.person)):
        told = (event.author, event.text, event.place, event.channel)
        ensure(told == (old, new, 0, ""), "Y1", f"from {old} to {new}, place 0", describe(event))
    again = [one for one in other.up_to_fence() if isinstance(one, Event) and one.kind is EventKind.RENAMED]
    ensure(not again, "Y1", "RENAMED once", describe_all(again))
    said = owner.says_and_hears("with the new name")
    ensure(said.author == new, "Y9", f"the author {new}", describe(said))
    members = look(room, owner.channel).channels[owner.channel].members
    names = {one.name for one in members}
    ensure(new in names and old not in names, "Y9", f"{new} in CHANNEL", names)
    room.enter(old)
    refused(other, Code.NAME_TAKEN, "Y1", f"/nick {new.upper()}")
    refused(other, Code.BAD_NAME, "Y1", "/nick a\u200bb")
    owner.abort()
    owner.welcome = owner.welcome._replace(name=new)
    back = room.come_back(owner)
    ensure(back.welcome.person == owner.welcome.person, "Y10", "the same person", describe(back.welcome))
    ensure(back.welcome.name == new, "Y10", f"the name {new}", describe(back.welcome))


@channels("Y10", "B12", "E19")
def a_name_that_the_client_did_not_hear_of(room: Room) -> None:
    """A client whose connection broke before RENAMED came comes back with the old name: the session is the
    same."""
    owner, _ = both(room)
    new = room.name()
    do(owner, "Y1", f"/nick {new}")
    owner.abort()
    back = room.come_back(owner)
    ensure(back.welcome.person == owner.welcome.person, "Y10", "the same person", describe(back.welcome))
    ensure(back.welcome.name == new, "Y10", f"the name {new}", describe(back.welcome))


@channels("Y2", "Y9", "P65")
def away_and_back(room: Room) -> None:
    """AWAY tells all who share a channel, with the message, and with an empty text when the member is
    back."""
    owner, other = both(room)
    for text, command in (("lunch until one", "/away lunch until one"), ("", "/back")):
        before, answer = owner.give(command)
        ensure(answer.code == Code.OK, "Y2", f"OK to {command}", describe(answer))
        own = [one for one in before if isinstance(one, Event) and one.kind is EventKind.AWAY]
        for event in (*own, other.event(EventKind.AWAY, "Y2", person=owner.welcome.person)):
            good = (event.text, event.place, event.channel) == (text, 0, "")
            ensure(good, "Y2", f"the text {text!r}, place 0", describe(event))
        ensure(len(own) == 1, "Y2", "AWAY before the ANSWER", describe_all(before))
    refused(owner, Code.ALREADY, "Y2", "/back")


@channels("Y7", "Y8")
def when_somebody_was_here(room: Room) -> None:
    """/seen tells when somebody was here last; /time the clock of the server."""
    owner, other = both(room)
    (clock,) = do(owner, "Y8", "/time")
    now = time.time() * 1000
    ensure(abs(clock - now) < CLOCKS_DIFFER, "Y8", "milliseconds since 1970", clock)
    other.says_and_hears("hello")
    rows = do(owner, "Y7", f"/seen {other.welcome.name}")
    good = len(rows) == 3 and rows[0] == other.welcome.name and rows[2] == "here"
    ensure(good and abs(rows[1] - now) < CLOCKS_DIFFER, "Y7", "name, when, here", rows)
    refused(owner, Code.NO_SUCH_NAME, "Y7", f"/seen {room.name()}")
