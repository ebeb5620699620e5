"""Events in blocks, as the history gets them."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from chatroom.batch import Batch
from chatroom.blocks import Block, events_of
from chatroom.events import Event, Talk


def blocks_of(events: Iterable[Event | Talk]) -> list[Block]:
    """The blocks of one batch."""
    batch = Batch(events)
    return batch.blocks() if batch.pieces else []


def flat(blocks: Iterable[Block]) -> list[Event]:
    """The events of all blocks in order of seq. Text does not tell the channels of an event with `places`."""
    return sorted((event for block in blocks for event in events_of(block)), key=attrgetter("seq"))
