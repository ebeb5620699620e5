"""Which packets there are and what each one says."""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import Final, NamedTuple

from chatroom.events import Event
from chatroom.limits import TICKET_BYTES

MAGIC: Final = 0xC7
VERSION: Final = 1
HEADER: Final = Struct("!BBBBIQHH")
"""Magic, version, kind, flags, payload length, message id, part number, part count."""
EVENT_FIXED: Final = Struct("!QQBB")
"""How an event's payload begins: seq, time, length of the author, length of the channel."""
ADMIT_FIXED: Final = Struct("!QH")
"""Behind ADMIT's ticket: since, lines."""
WELCOME_FIXED: Final = Struct("!QQ")
"""Behind WELCOME's token: confirmed, head."""
SAME_CONNECTION: Final = 0
"""The port number in PORT that means: stay on this connection."""


class Kind(IntEnum):
    """The kinds of packets that are not events; those have the numbers of `EventKind`, from 0x20."""

    HELLO = 0x01
    USERNAME = 0x02
    STATUS = 0x03
    PORT = 0x04
    ADMIT = 0x05
    WELCOME = 0x06
    LIVE = 0x07
    SAY = 0x08
    CONFIRM = 0x09
    COMMAND = 0x0A
    NOTICE = 0x0B
    PING = 0x0C
    PONG = 0x0D
    BYE = 0x0E


class Code(IntEnum):
    """What a STATUS says."""

    PASS = 0
    FAIL = 1
    END = 2


class Hello(NamedTuple):
    """client → lobby, first: the newest protocol version it speaks and what program it is."""

    version: int
    software: str


class Username(NamedTuple):
    """client → lobby: the wanted name; `token` of an earlier session, or 16 zero bytes."""

    name: str
    token: bytes


class Status(NamedTuple):
    """both ways: PASS, FAIL with a reason, or END."""

    code: Code
    reason: str = ""


class Port(NamedTuple):
    """server → client: where to go on (SAME_CONNECTION: here) and the ticket to show there."""

    number: int
    ticket: bytes


class Admit(NamedTuple):
    """client → new port: the ticket, the channel to join and what of the history to send.

    since: the last seq seen; everything after it is wanted. 0: the last `lines` lines are wanted.
    """

    name: str
    ticket: bytes
    channel: str
    since: int
    lines: int


class Welcome(NamedTuple):
    """server → client: admitted. The name as it is written here, the token to come back with, the highest
    message id applied in this session (0: none), and the seq of the latest event."""

    name: str
    channel: str
    token: bytes
    confirmed: int
    head: int


class Live(NamedTuple):
    """server → client: the replay is complete up to `seq`; what follows happens now."""

    seq: int


class Say(NamedTuple):
    """client → server: a line. Ids rise within a session; the own event with this id confirms it."""

    id: int
    channel: str
    text: str


class Confirm(NamedTuple):
    """server → client: the line with this id was stored before; it was a repeat."""

    id: int


class Command(NamedTuple):
    """client → server: a slash command, with its slash. The answer is a NOTICE with the same id."""

    id: int
    channel: str
    text: str


class Notice(NamedTuple):
    """server → client: a line for this member only, outside the history. `id`: which command it answers."""

    id: int
    text: str


class Ping(NamedTuple):
    """both ways: are you there?"""

    id: int


class Pong(NamedTuple):
    """both ways: yes, with the id of the PING."""

    id: int


class Bye(NamedTuple):
    """both ways: the sender closes now. `again`: the other may come back (restart: yes, take-over: no)."""

    again: bool
    reason: str


Handshaking = Hello | Username | Status | Port | Admit | Welcome
Talking = Say | Command | Confirm | Notice | Live | Event
Packet = Handshaking | Talking | Ping | Pong | Bye

NO_TOKEN: Final = bytes(TICKET_BYTES)
