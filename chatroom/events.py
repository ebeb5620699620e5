"""Events: each says that something happened. They are immutable and totally ordered by `seq`.

An event is a named tuple rather than a frozen dataclass: it is just as immutable and takes a third of the
time to make, and every line of every member makes one (see notes/decisions/0003-events-are-tuples.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import IntEnum, IntFlag
from typing import Final, NamedTuple

from chatroom.limits import MAX_TIME


class EventKind(IntEnum):
    """The kind of an event. Its number is the packet kind on the wire and the value stored in history."""

    SAID = 0x20  # text: the line
    JOINED = 0x21  # text: empty
    LEFT = 0x22  # text: the reason, may be empty
    RENAMED = 0x23  # text: the new name
    TOPIC = 0x24  # text: the new topic
    KICKED = 0x25  # text: the reason, may be empty; extra: whom
    QUIT = 0x28  # text: the reason, may be empty; for all who share a channel with the author
    SET = 0x29  # text: empty; extra: which settings of the channel; COUNTED is set by the server: no author
    LISTED = 0x2B  # text: the reason, may be empty; extra: which list, whom, until when, whether taken off
    INVITED = 0x2C  # text: the channel; in the direct conversation of the two
    AWAY = 0x2D  # text: the message, empty: back; for all who share a channel with the author
    ACCOUNT = 0x2E  # text: the name of the account that the author has from now on; empty: none any more
    EDITED = 0x30  # text: the new text; extra: of which message
    DELETED = 0x31  # text: empty; extra: of which message
    REACTED = 0x32  # text: the reaction; extra: to which message
    CLOSED = 0x34  # text: the reason, may be empty
    MOVED = 0x35  # text: the new name of the channel
    ANNOUNCED = 0x36  # text: what an operator tells all
    RESTARTED = 0x37  # text: empty; for all, from the server: the author is empty
    ERASED = 0x38  # text: empty; for all, without an author; extra: of whom all that was said is blanked
    HAND = 0x40  # text: empty; the author raises a hand; extra: whether it was taken down
    CALLED = 0x41  # text: empty; extra: whose turn it is to speak
    POLL = 0x42  # text: the question and the options, with " | " between them
    REVEALED = 0x44  # text: as of POLL; extra: how many have chosen each option
    ASKED = 0x45  # text: a question to all, without its author
    AUDITED = 0x50  # text: what somebody with a role did; in a place of which nobody gets events
    READ = 0x60  # a signal to the author's other programs: seq 0, never stored. text: read up to this seq
    COUNTED = 0x61  # a signal: seq 0, never stored. text: how many members the channel has

    @property
    def word(self) -> str:
        """The kind in lower case, as in JSON output: `said`, `joined`, …"""
        return self.name.lower()


class Setting(IntFlag):
    """The settings of a channel: the bits in CHANNEL, and the keys in the extra of SET."""

    COUNTED = 0x01  # nobody is told who comes and goes, only how many there are
    KEYED = 0x02  # who joins has to know the key
    INVITE_ONLY = 0x04  # who joins has to be invited
    MODERATED = 0x08  # only operators and who has voice speak
    FROM_JOINING = 0x10  # nobody reads what was said before they joined
    KEPT = 0x20  # it does not end when it is empty
    DIRECT = 0x40  # it is a direct conversation of two persons, and no channel
    SLOW = 0x80  # who has no role says one line in so many seconds; in SET with the seconds, 2 bytes


EXTRA_ACCOUNT: Final = 2
"""The key in the extra of JOINED: the name of the author's account, in UTF-8."""

EXTRA_ROLE: Final = 12
"""The key in the extra of JOINED: the author's `Role` in the channel, 1 byte; no row: a plain member."""


class Extra(IntEnum):
    """The keys in the extra of a SAY, and of the events other than JOINED and SET. Numbers are big-endian."""

    FORM = 1  # 1 byte: the `Form` of a line that is no plain one
    MESSAGE = 3  # 8 bytes: the seq of the message that is edited, deleted or reacted to
    REPLY_TO = 4  # 8 bytes: the seq of the message that the line answers
    RECEIVER = 5  # 4 bytes: the person to whom the line of a direct conversation is said
    EDITED = 6  # 8 bytes, in a message that was edited: the seq of the latest EDITED
    DELETED = 7  # 8 bytes, in a message that was deleted: the seq of DELETED
    TARGET = 8  # 4 bytes: the person whom it is about
    TARGET_NAME = 9  # the name of that person, in UTF-8
    LIST = 10  # 1 byte: the `Role` of the list, or one of INVITED_LIST, BAN_LIST, MUTE_LIST, EXEMPT_LIST
    REMOVED = 11  # 1 byte, 1: the person was taken off the list, or the hand down
    # 12 is EXTRA_ROLE
    WHOM = 13  # whom an entry of a list means that names no person, as typed, in UTF-8
    UNTIL = 14  # 8 bytes: when it ends, in milliseconds since 1970
    VOTES = 15  # 2 bytes for each option: how many have chosen it
    FROM = 16  # the network from which it was done, in UTF-8
    IN = 17  # 4 bytes: the place in which it was done


ERASED_NAME: Final = "erased"
"""Stands where the name of a person was of whom all is erased."""

INVITED_LIST: Final = 16
"""In LIST: the list of those who may join a channel that is invite-only."""

BAN_LIST: Final = 17
"""In LIST: the list of those who may not join."""

MUTE_LIST: Final = 18
"""In LIST: the list of those who may not speak."""

EXEMPT_LIST: Final = 19
"""In LIST: the list of those whom no ban and no mute means."""


LIST_WORDS: Final[dict[int, str]] = {
    1: "voice",
    2: "operator",
    3: "owner",
    INVITED_LIST: "invited",
    BAN_LIST: "ban",
    MUTE_LIST: "mute",
    EXEMPT_LIST: "exempt",
}
"""The lists by their number in LIST: up to 3 that of a `Role`."""

_DETAILED: Final = frozenset(
    (
        *(EventKind.KICKED, EventKind.LISTED, EventKind.HAND),
        *(EventKind.CALLED, EventKind.REVEALED, EventKind.AUDITED),
    )
)
"""What has more fields in JSON, besides the six of every event."""


def extra_row(key: int, value: bytes | str | int, size: int = 8) -> bytes:
    """One row of an extra. size: bytes of a number"""
    if isinstance(value, int):
        value = value.to_bytes(size, "big")
    data = value.encode() if isinstance(value, str) else value
    return bytes((key, len(data))) + data


def extra_rows(extra: bytes) -> dict[int, bytes]:
    """The rows of an extra by key. What does not add up is left out: a decoder has checked it."""
    found, position = dict[int, bytes](), 0
    while position + 2 <= len(extra):
        key, end = extra[position], position + 2 + extra[position + 1]
        found.setdefault(key, extra[position + 2 : end])
        position = end
    return found


def extra_number(extra: bytes, key: int) -> int:
    """The number in the row with this key, 0: there is none."""
    return int.from_bytes(extra_rows(extra).get(key, b"")[:8], "big")


SET_COUNTED: Final = bytes((Setting.COUNTED, 1, 1))
"""The extra of the SET that makes a channel counted: one row of key, length, and the value 1."""


class Event(NamedTuple):
    """One thing that happened.

    seq:     position in the one order of the whole chatroom, from 1, without gaps; 0: a signal
    time:    milliseconds since 1970-01-01 UTC by the server's clock
    kind:    the kind of the event
    channel: the channel where it happened, with its '#'; of a direct conversation '@' and the other's name
    author:  the name of the member who did it
    text:    its meaning depends on the kind: see the comments of `EventKind` in chatroom/events.py
    id:      the message id that the author's client gave the line, 0 for other events
    person:  number of the author for the life of the history, of a guest for one visit; 0: the server
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

    @property
    def when(self) -> datetime:
        """The time, in UTC, to the millisecond."""
        return datetime.fromtimestamp(self.time // 1000, UTC) + timedelta(milliseconds=self.time % 1000)

    @property
    def form(self) -> int:
        """What kind of line a SAID is, see `Form`; 0 for a plain line, and for other events."""
        return extra_number(self.extra, Extra.FORM) if self.kind is EventKind.SAID and self.extra else 0

    @property
    def rows(self) -> dict[int, bytes]:
        """The values of extra by `Extra`. None of SET and JOINED, in which the keys mean something else."""
        return {} if self.kind in (EventKind.SET, EventKind.JOINED) else extra_rows(self.extra)

    @property
    def message(self) -> int:
        """The seq of the message that it edits, deletes or reacts to; 0: none."""
        return int.from_bytes(self.rows.get(Extra.MESSAGE, b"")[:8], "big")

    @property
    def reply_to(self) -> int:
        """The seq of the line that it answers; 0: none."""
        return int.from_bytes(self.rows.get(Extra.REPLY_TO, b"")[:8], "big")

    @property
    def target(self) -> int:
        """The person whom it is about, as of KICKED, LISTED and CALLED; 0: nobody."""
        return int.from_bytes(self.rows.get(Extra.TARGET, b"")[:4], "big")

    @property
    def target_name(self) -> str:
        """The name of that person; of a mask, as +bob, how it was typed. Empty: it is not told."""
        rows = self.rows
        return rows.get(Extra.TARGET_NAME, rows.get(Extra.WHOM, b"")).decode(errors="replace")

    @property
    def list(self) -> str:
        """The list of a LISTED: ban, mute, exempt, invited, voice, operator, owner; or its number."""
        number = int.from_bytes(self.rows.get(Extra.LIST, b"")[:1], "big")
        return LIST_WORDS.get(number, str(number or ""))

    @property
    def until(self) -> int:
        """When what it tells ends, in milliseconds since 1970; 0: never, or nothing ends."""
        return min(int.from_bytes(self.rows.get(Extra.UNTIL, b"")[:8], "big"), MAX_TIME)

    @property
    def removed(self) -> bool:
        """Whether it takes back what the same event without this told: off a list, a hand down."""
        return self.rows.get(Extra.REMOVED) == b"\x01"

    @property
    def votes(self) -> tuple[int, ...]:
        """Of REVEALED: how many have chosen each option."""
        value = self.rows.get(Extra.VOTES, b"")
        return tuple(int.from_bytes(value[at : at + 2], "big") for at in range(0, len(value) - 1, 2))

    def as_json(self) -> dict[str, object]:
        """The event as `--json` and `--export` print it; `time` is ISO 8601 in UTC, to the millisecond.

        Those that are about somebody, end, or count have more: target, list, whom, until, removed, votes.
        """
        fields: dict[str, object] = {
            "seq": self.seq,
            "time": iso_time(self.time),
            "kind": self.kind.word,
            "channel": self.channel,
            "author": self.author,
            "text": self.text,
        }
        return fields | self._details() if self.extra and self.kind in _DETAILED else fields

    def _details(self) -> dict[str, object]:
        rows = self.rows
        found: dict[str, object] = {}
        for name, key in (("target", Extra.TARGET_NAME), ("whom", Extra.WHOM), ("from", Extra.FROM)):
            if key in rows:
                found[name] = rows[key].decode(errors="replace")
        found |= {"list": self.list} if Extra.LIST in rows else {}
        found |= {"until": iso_time(self.until)} if self.until else {}
        found |= {"removed": True} if self.removed else {}
        found |= {"votes": [*self.votes]} if self.kind is EventKind.REVEALED else {}
        return found


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


def joined_extra(account: str, role: int) -> bytes:
    """The extra of JOINED.

    account: the name of the member's account, at most NAME_BYTES bytes; empty for a guest
    role:    the member's `Role` in the channel
    """
    extra = extra_row(EXTRA_ACCOUNT, account) if account else b""
    return extra + extra_row(EXTRA_ROLE, role, 1) if role else extra


def joined_role(extra: bytes) -> int:
    """The role of who has come, by the extra of JOINED; 0: a plain member. See `joined_extra`."""
    value = extra_rows(extra).get(EXTRA_ROLE, b"")
    return value[0] if len(value) == 1 else 0


def iso_time(milliseconds: int) -> str:
    """Milliseconds since 1970 as `2026-01-31T12:34:56.789Z` (RFC 3339, section 5.6)."""
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"
