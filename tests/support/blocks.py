"""Events in blocks, as the history gets them, and lines in bursts, as the chatroom gets them."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from chatroom.batch import Batch
from chatroom.blocks import Block, events_of
from chatroom.events import Event, Talk
from chatroom.packets import Burst, Bye, Command, Say
from chatroom.places import Reach


def blocks_of(events: Iterable[Event | Talk]) -> list[Block]:
    """The blocks of one batch."""
    batch = Batch(events)
    return batch.blocks() if batch.pieces else []


def flat(blocks: Iterable[Block]) -> list[Event]:
    """The events of all blocks, in order of seq."""
    return sorted((event for block in blocks for event in events_of(block)), key=attrgetter("seq"))


def reaches(reach: Reach, event: Event) -> bool:
    """Whether an event is within reach."""
    return bool(reach.within(event.places or (event.place,), event.seq - 1, event.seq))


def in_bursts(packets: Iterable[Say | Command | Bye]) -> list[Burst | Command | Bye]:
    """The lines in bursts, as a connection gives them to its handler."""
    found: list[Burst | Command | Bye] = []
    for packet in packets:
        if not isinstance(packet, Say):
            found.append(packet)
            continue
        burst = Burst(packet.channel, [packet.id], [packet.text.encode()], packet.form)
        if found and isinstance(before := found[-1], Burst) and burst.goes_on(before):
            found[-1] = before._replace(ids=[*before.ids, packet.id], texts=[*before.texts, *burst.texts])
        else:
            found.append(burst)
    return found
