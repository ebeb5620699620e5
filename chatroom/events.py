"""Events: each says that something happened. They are immutable and totally ordered by `seq`.

An event is a named tuple rather than a frozen dataclass: it is just as immutable and takes a third of the
time to make, and every line of every member makes one (see notes/decisions/0003-events-are-tuples.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import IntEnum, IntFlag
from typing import Final, NamedTuple


class EventKind(IntEnum):
    """The kind of an event. Its number is the packet kind on the wire and the value stored in history."""

    SAID = 0x20  # text: the line
    JOINED = 0x21  # text: empty
    LEFT = 0x22  # text: the reason, may be empty
    RENAMED = 0x23  # text: the new name
    TOPIC = 0x24  # text: the new topic
    KICKED = 0x25  # text: the name of the kicked member, a space, the reason
    QUIT = 0x28  # text: the reason, may be empty; for all who share a channel with the author
    SET = 0x29  # text: empty; extra: which settings of the channel; from the server: the author is empty
    RESTARTED = 0x37  # text: empty; for all, from the server: the author is empty
    COUNTED = 0x61  # a signal: seq 0, never stored. text: how many members the channel has

    @property
    def word(self) -> str:
        """The kind in lower case, as in JSON output: `said`, `joined`, …"""
        return self.name.lower()


class Setting(IntFlag):
    """The settings of a channel: the bits in CHANNEL, and the keys in the extra of SET."""

    COUNTED = 0x01  # nobody is told who comes and goes, only how many there are


SET_COUNTED: Final = bytes((Setting.COUNTED, 1, 1))
"""The extra of the SET that makes a channel counted: one row of key, length, and the value 1."""


class Event(NamedTuple):
    """One thing that happened.

    seq:     position in the one order of the whole chatroom, from 1, without gaps; 0: a signal
    time:    milliseconds since 1970-01-01 UTC by the server's clock
    kind:    the kind of the event
    channel: the channel where it happened, with its '#'
    author:  the name of the member who did it
    text:    its meaning depends on the kind: see `EventKind`
    id:      the message id that the author's client gave the line, 0 for other events
    person:  number of the author for the life of the history; 0: the server
    place:   number of the channel; 0: the whole chatroom
    extra:   rows of key (1 byte), length (1 byte), value; a receiver skips the keys that it does not know
    places:  for an event of several places: their numbers. They are stored and not sent, because one of them
             may be hidden from a receiver
    """

    seq: int
    time: int
    kind: EventKind
    channel: str
    author: str
    text: str
    id: int = 0
    person: int = 0
    place: int = 0
    extra: bytes = b""
    places: tuple[int, ...] = ()

    def as_json(self) -> dict[str, object]:
        """The event as `--json` and `--export` print it; `time` is ISO 8601 in UTC, to the millisecond."""
        return {
            "seq": self.seq,
            "time": iso_time(self.time),
            "kind": self.kind.word,
            "channel": self.channel,
            "author": self.author,
            "text": self.text,
        }


class Talk(NamedTuple):
    """Lines that one member said in one channel, one after the other: SAID events with consecutive seqs.

    The server makes no Event for each of them: nothing in it looks at a single line.

    first: seq of the first line
    ids:   their message ids, rising
    texts: in UTF-8
    The other fields are those of Event, and the same for all lines.
    """

    first: int
    time: int
    channel: str
    author: str
    person: int
    place: int
    ids: Sequence[int]
    texts: Sequence[bytes]

    def events(self) -> list[Event]:
        """Each line as an event."""
        _, time, channel, author, person, place, ids, texts = self
        return [
            Event(seq, time, EventKind.SAID, channel, author, text.decode(), id, person, place)
            for seq, (id, text) in enumerate(zip(ids, texts, strict=True), self.first)
        ]


def iso_time(milliseconds: int) -> str:
    """Milliseconds since 1970 as `2026-01-31T12:34:56.789Z` (RFC 3339, section 5.6)."""
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"
