"""Commands and what belongs to them, for the checks of a server with channels."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from typing import Any

from chatroom.events import Event, EventKind, Extra, extra_number, extra_rows
from chatroom.outcomes import Code
from chatroom.packets import Answer, Channel, Packet, Say
from tests.conformance.check import Level, Role, check, ensure
from tests.conformance.room import Member, Room
from tests.conformance.wire import describe

channels = partial(check, role=Role.SERVER, level=Level.CHANNELS)
moderation = partial(check, role=Role.SERVER, level=Level.MODERATION)


def do(member: Member, rule: str, command: str, channel: str = "") -> list[Any]:
    """Give a command that must succeed; the rows of its answer."""
    _, answer = member.give(command, channel)
    ensure(answer.code == Code.OK, rule, f"OK to {command}", describe(answer))
    return rows_of(answer)


def refused(member: Member, code: Code, rule: str, command: str, channel: str = "") -> list[Any]:
    """Give a command that must be refused with this code; the rows of its answer."""
    _, answer = member.give(command, channel)
    ensure(answer.code == code, rule, f"{code.name} to {command}", describe(answer))
    return rows_of(answer)


def rows_of(answer: Answer) -> list[Any]:
    """The rows of an ANSWER."""
    found = json.loads(answer.rows or "[]")
    return found if isinstance(found, list) else [found]


def join(member: Member, channel: str, key: str = "", rule: str = "J1") -> Channel:
    """Enter one more channel; its CHANNEL."""
    command = f"/join {channel} {key}".strip()
    before, answer = member.give(command)
    ensure(answer.code == Code.OK, rule, f"OK to {command}", describe(answer))
    (channel_packet,) = [one for one in before if isinstance(one, Channel) and one.name == channel] or [None]
    ensure(channel_packet is not None, rule, f"CHANNEL of {channel} before the ANSWER", describe_all(before))
    assert channel_packet is not None
    member.channels[channel] = channel_packet
    return channel_packet


def say(member: Member, text: str, channel: str = "", form: int = 0, extra: bytes = b"") -> int:
    """Send a SAY; its id."""
    id = member.next_id()
    member.send(Say(id, channel or member.channel, text, form, extra))
    return id


def say_refused(
    member: Member, code: Code, rule: str, text: str, channel: str = "", form: int = 0, extra: bytes = b""
) -> None:
    """Send a SAY that must be refused with this code."""
    id = say(member, text, channel, form, extra)
    answer: Answer = member.find(Answer, rule, id=id)
    ensure(answer.code == code, rule, code.name, describe(answer))


def rows(event: Event) -> dict[int, bytes]:
    """The rows of an event's extra."""
    return extra_rows(event.extra)


def tell_all(
    member: Member, others: Iterable[Member], kind: EventKind, rule: str, command: str, channel: str = ""
) -> list[Event]:
    """Give a command that must make one event of this kind: as the member and the others get it."""
    before, answer = member.give(command, channel)
    ensure(answer.code == Code.OK, rule, f"OK to {command}", describe(answer))
    found = [one for one in before if isinstance(one, Event) and one.kind is kind]
    ensure(len(found) == 1, rule, f"one {kind.name} before the ANSWER", describe_all(before))
    return found + [other.event(kind, rule) for other in others]


def texts_of(packets: Iterable[object], kind: EventKind) -> list[str]:
    """The texts of the events of a kind."""
    return [one.text for one in packets if isinstance(one, Event) and one.kind is kind]


def number(event: Event, key: Extra) -> int:
    """A number in an event's extra, 0: none."""
    return extra_number(event.extra, key)


def of_place(packets: list[Packet], place: int) -> list[Event]:
    """The events of a place."""
    return [one for one in packets if isinstance(one, Event) and one.place == place]


def hears_nothing(member: Member, rule: str, place: int) -> None:
    """Fail when an event of the place comes before a line that the member says now."""
    found = of_place(member.up_to_fence(), place)
    ensure(not found, rule, f"nothing of place {place}", describe_all(found))


def describe_all(packets: list[Any]) -> str:
    """Packets for a report."""
    return "; ".join(map(describe, packets)) or "nothing"


def kinds(packets: list[Packet]) -> list[str]:
    """The kinds of packets."""
    return [one.kind.name if isinstance(one, Event) else type(one).__name__.upper() for one in packets]


def both(room: Room) -> tuple[Member, Member]:
    """Two members: the owner of a channel, and one who has entered it; each has seen the other come."""
    owner = room.enter()
    owner.joined()
    other = room.enter(None, owner.channel)
    other.joined()
    owner.event(EventKind.JOINED, "P59", person=other.welcome.person)
    return owner, other


def look(room: Room, channel: str, lines: int = 50) -> Member:
    """A newcomer, who sees the channel as it is now; it is in a channel of its own, too."""
    return room.enter(None, channel, room.channel(), lines=lines)


def role_in(channel: Channel, person: int) -> int:
    """The role that CHANNEL gives a person, -1: it is not listed."""
    return next((one.role for one in channel.members if one.person == person), -1)
