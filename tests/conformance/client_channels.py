"""Checks of a client: events of other channels, direct conversations, and events about lines.

The client between pipes speaks in one channel only; but the server may put its person into others.
"""

from __future__ import annotations

from functools import partial

from chatroom.events import Event, EventKind, Extra, Setting, extra_row
from chatroom.packets import Answer, Channel, Present, Replay
from tests.conformance.check import Level, Role, check, ensure
from tests.conformance.host import MOMENT, OTHER, PERSON, PLACE, Guest, Host
from tests.conformance.wire import describe

channels = partial(check, role=Role.CLIENT, level=Level.CHANNELS)

SECOND, DIRECT = 8, 9
"""Other places."""


def comes_back_with(host: Host, guest: Guest, since: int, rule: str) -> Guest:
    """Break the connection: the client must come back with this seq and its time, and its channel."""
    guest.takes_pings()
    guest.close()
    again = host.bring_in(host.come_back())
    cursor = (again.admit.since, again.admit.time)
    ensure(cursor == (since, MOMENT + since), rule, f"since {since}", describe(again.admit))
    first = guest.admit.channels[0]
    ensure(first in again.admit.channels, "B18", f"the channel {first} in ADMIT", describe(again.admit))
    return again


def second_channel(guest: Guest) -> Event:
    """Let the client's person enter another channel; the JOINED."""
    own, name = guest.person, guest.username.name
    members = (Present(own, 0, name), Present(OTHER, 0, "bob"))
    guest.send(Channel(SECOND, "#second", "", 0, 0, 2, members))
    joined = guest.host.event(kind=EventKind.JOINED, channel="#second", place=SECOND, person=own, author=name)
    guest.send(joined)
    return joined


@channels("O17", "O18", "O19", "B18", "J1")
def a_channel_that_comes_later(host: Host) -> None:
    """CHANNEL may come at any time; events of that place move the cursor, and the own lines go on."""
    guest = host.enter()
    joined = second_channel(guest)
    host.program.say("goes on")
    guest.takes_and_confirms("goes on")
    line = guest.tell("in the second channel", channel="#second", place=SECOND)
    ensure(line.seq > joined.seq, "O19", "a later seq", line.seq)
    again = comes_back_with(host, guest, line.seq, "O18")
    again.greet(resumed=1)
    again.send(Channel(SECOND, "#second", "", 0, 0, 1, ()))
    again.tell("back")
    host.shows("back", "O19")


@channels("J14", "J15", "N15", "B18")
def its_channel_gets_another_name(host: Host) -> None:
    """After MOVED of its channel the client's lines, and its next ADMIT, have the new name."""
    guest = host.enter()
    moved = guest.tell("#moved", EventKind.MOVED, channel=guest.channel)
    guest.takes_pings()
    guest.moved = "#moved"
    host.program.say("to the new name")
    guest.takes_and_confirms("to the new name")
    guest.takes_pings()
    guest.close()
    again = host.bring_in(host.come_back())
    ensure(again.admit.channels == ("#moved",), "J15", "#moved in ADMIT", describe(again.admit))
    ensure(again.admit.since == moved.seq + 1, "O18", f"since {moved.seq + 1}", describe(again.admit))


@channels("J6", "J7", "O18")
def a_channel_that_is_left(host: Host) -> None:
    """Its own LEFT, or CLOSED, of another channel ends that one alone: the client goes on."""
    guest = host.enter()
    for kind in (EventKind.LEFT, EventKind.CLOSED):
        second_channel(guest)
        own = guest.person if kind is EventKind.LEFT else OTHER
        event = guest.tell("over", kind, channel="#second", place=SECOND, person=own)
        host.program.say(f"after {kind.word}")
        line = guest.takes_and_confirms(f"after {kind.word}")
    ensure(line.channel == guest.admit.channels[0], "J7", "its own channel", describe(line))
    comes_back_with(host, guest, event.seq + 1, "O18")


@channels("P51", "P52", "S1", "K2", "S13", "O18")
def past_and_markers_of_other_places(host: Host) -> None:
    """Neither a bracket with an id nor READ moves the cursor, whatever place and seq it has."""
    guest = host.enter()
    second_channel(guest)
    last = guest.tell("live")
    host.shows("live")
    past = last._replace(seq=last.seq + 500, place=SECOND, channel="#second", text="of the past")
    guest.send(Replay(77), past, past._replace(seq=last.seq + 501))
    guest.send(Answer(77, 0, "", '[{"place":8,"more":false,"before":1}]'))
    read = last._replace(seq=0, kind=EventKind.READ, text=str(last.seq), person=guest.person)
    guest.send(read, read._replace(place=SECOND, channel="#second"))
    guest.tell("goes on")
    host.shows("goes on", "P51")
    comes_back_with(host, guest, last.seq + 1, "P52")


@channels("F14", "K1", "O19")
def lines_that_are_not_there(host: Host) -> None:
    """EDITED, DELETED and REACTED, also of lines that the client has not got, move the cursor as others."""
    guest = host.enter()
    line = guest.tell("a line")
    host.shows("a line")
    for seq in (line.seq, 1):
        for kind, text in ((EventKind.EDITED, "x"), (EventKind.REACTED, "👍"), (EventKind.EDITED, ""),
                           (EventKind.DELETED, ""), (EventKind.DELETED, "")):  # fmt: skip
            event = host.event(text, kind, id=5)._replace(extra=extra_row(Extra.MESSAGE, seq))
            guest.send(event)
    host.program.say("goes on")
    last = guest.takes_and_confirms("goes on")
    ensure(last.channel == guest.admit.channels[0], "N15", "its own channel", describe(last))
    comes_back_with(host, guest, event.seq + 1, "F14")


@channels("R5", "R6", "R7", "O18")
def a_direct_conversation(host: Host) -> None:
    """A conversation begins with CHANNEL; its lines move the cursor; own lines stay in the own channel."""
    guest = host.enter()
    members = (Present(guest.person, 0, guest.username.name), Present(OTHER, 0, "bob"))
    guest.send(Channel(DIRECT, "@bob", "", Setting.DIRECT, 0, 2, members))
    receiver = extra_row(Extra.RECEIVER, PERSON, 4)
    line = host.event("for you alone", channel=f"@{guest.username.name}", place=DIRECT)._replace(
        extra=receiver
    )
    guest.send(line)
    host.program.say("for all")
    guest.takes_and_confirms("for all")
    again = comes_back_with(host, guest, line.seq + 1, "O18")
    ensure(
        all(name.startswith("#") for name in again.admit.channels),
        "R7",
        "no @ in ADMIT",
        describe(again.admit),
    )


@channels("J12", "J13", "B6")
def the_channel_is_another_place(host: Host) -> None:
    """A channel that has ended may come back as another place; the client goes on in that one."""
    guest = host.enter()
    guest.takes_pings()
    guest.close()
    again = host.bring_in(host.come_back())
    again.greet(resumed=1, live=False)
    again.go_live()
    again.send(Channel(PLACE + 20, again.admit.channels[0], "", 0, 0, 1, ()))
    again.tell("in the new one", place=PLACE + 20)
    host.shows("in the new one", "J13")
    host.program.say("here, too")
    again.takes_and_confirms("here, too")
