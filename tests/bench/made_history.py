"""Makes a history file without a server, for workloads that begin with a long one."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from chatroom.events import Event, EventKind
from chatroom.records import Record
from server.storage import SqliteHistory
from tests.support.blocks import blocks_of

TALKERS = 20
TEXT = "x" * 64
BATCH = 2000
"""Events of one append: one of a server under load has about as many."""


def channel_names(count: int) -> list[str]:
    """The channels that the load program joins with `--channels`, in the order of their places."""
    return ["#general", *(f"#bench-{number}" for number in range(2, count + 1))]


def make_history(
    path: Path, count: int, channels: int, text_of: Callable[[int], str] = lambda _seq: TEXT
) -> int:
    """A file with `count` lines of TALKERS persons, in each of the channels in turn.

    text_of: the text of the line with this seq
    Returns the time of the first line, for a member that comes back to it.
    """
    names = channel_names(channels)
    first_time = int(time.time() * 1000) - count
    with closing(SqliteHistory(path)) as history:
        for first in range(1, count + 1, BATCH):
            seqs = range(first, min(first + BATCH, count + 1))
            events = [_line(seq, first_time, names, text_of(seq)) for seq in seqs]
            records = _records(names, first_time) if first == 1 else []
            history.append(blocks_of(events), records, noted=seqs[-1])
    with path.open("rb") as file:
        os.fsync(file.fileno())  # else the first fsync of the server would wait for all of it
    return first_time


def _line(seq: int, first_time: int, names: Sequence[str], text: str) -> Event:
    place, person = seq % len(names) + 1, seq % TALKERS + 1
    moment = first_time + seq - 1
    return Event(seq, moment, EventKind.SAID, names[place - 1], f"talker-{person}", text, seq, person, place)


def _records(names: Sequence[str], founded: int) -> list[Record]:
    """What the server must know of the channels and persons of these events."""
    numbers = {"persons": TALKERS, "places": len(names), "epoch": 1}
    channels = [
        Record("channel", str(place), json.dumps({"name": name, "founded": founded, "by": 1}))
        for place, name in enumerate(names, 1)
    ]
    return [Record("history", "", json.dumps(numbers)), *channels]
