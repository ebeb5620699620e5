"""Events: what happened in the chatroom, immutable and totally ordered by `seq`.

An event is a named tuple rather than a frozen dataclass: it is just as immutable and costs a third to
make, and one is made for every line that anybody says (see notes/decisions/0003-events-are-tuples.md).
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import IntEnum
from typing import NamedTuple


class EventKind(IntEnum):
    """What kind of thing happened. The number is the packet kind on the wire and the column in history."""

    SAID = 0x20  # text: the line
    JOINED = 0x21  # text: empty
    LEFT = 0x22  # text: the reason, may be empty
    RENAMED = 0x23  # text: the new name
    TOPIC = 0x24  # text: the new topic
    KICKED = 0x25  # text: the name of who was kicked, a space, the reason

    @property
    def word(self) -> str:
        """The kind in lower case, as in JSON output: `said`, `joined`, …"""
        return self.name.lower()


class Event(NamedTuple):
    """One thing that happened.

    seq:     position in the one order of the whole chatroom, from 1, without gaps
    time:    milliseconds since 1970-01-01 UTC, as the server's clock had it
    kind:    what happened
    channel: where, with its '#'
    author:  who did it
    text:    what belongs to the kind, see `EventKind`
    id:      the message id that the author's client gave the line, 0 where there was none
    """

    seq: int
    time: int
    kind: EventKind
    channel: str
    author: str
    text: str
    id: int = 0

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


def iso_time(milliseconds: int) -> str:
    """Milliseconds since 1970 as `2026-01-31T12:34:56.789Z` (RFC 3339, section 5.6)."""
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"
