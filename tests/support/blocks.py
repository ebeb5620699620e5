"""Events in blocks, as the history gets them, and lines in bursts, as the chatroom gets them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from operator import attrgetter
from pathlib import Path

from chatroom.batch import Batch
from chatroom.blocks import Block, events_of
from chatroom.events import Event, Talk
from chatroom.packets import Burst, Bye, Command, Decoder, Say
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


def stored_in(path: Path) -> list[Event]:
    """All events of a history file that no server uses, in order of seq."""
    with closing(sqlite3.connect(path)) as file:
        packets = b"".join(row[0] for row in file.execute("SELECT packets FROM blocks ORDER BY first"))
    events = (packet for packet in Decoder().feed(packets) if isinstance(packet, Event))
    return sorted(events, key=attrgetter("seq"))


def in_bursts(packets: Iterable[Say | Command | Bye]) -> list[Burst | Command | Bye]:
    """The lines in bursts, as a connection gives them to its handler."""
    found: list[Burst | Command | Bye] = []
    for packet in packets:
        if not isinstance(packet, Say):
            found.append(packet)
            continue
        burst = Burst(packet.channel, [packet.id], [packet.text.encode()], packet.form, packet.extra)
        if found and isinstance(before := found[-1], Burst) and burst.goes_on(before):
            found[-1] = before._replace(ids=[*before.ids, packet.id], texts=[*before.texts, *burst.texts])
        else:
            found.append(burst)
    return found
