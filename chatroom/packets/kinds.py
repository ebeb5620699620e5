"""The kinds of packets, and their fields."""

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
"""The beginning of an event's payload: seq, time, length of the author, length of the channel."""
ADMIT_FIXED: Final = Struct("!QH")
"""After ADMIT's ticket: since, lines."""
WELCOME_FIXED: Final = Struct("!QQ")
"""After WELCOME's token: confirmed, head."""
SAME_CONNECTION: Final = 0
"""The number in PORT when the client goes on with the connection to the lobby."""


class Kind(IntEnum):
    """Kinds of packets other than events. Events have the numbers of `EventKind`, from 0x20."""

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
    """The code of a STATUS."""

    PASS = 0
    FAIL = 1
    END = 2


class Hello(NamedTuple):
    """client → lobby, first: the newest protocol version that the client speaks, and its software."""

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
    """server → client: the port to connect to, or SAME_CONNECTION, and the ticket to show there."""

    number: int
    ticket: bytes


class Admit(NamedTuple):
    """client → new port: the ticket, the channel to join, and the part of the history to send.

    since: the last seq seen; the server sends every event after it. 0: it sends the last `lines` events.
    """

    name: str
    ticket: bytes
    channel: str
    since: int
    lines: int


class Welcome(NamedTuple):
    """server → client: admitted. The name as the server writes it, the token to come back with, the highest
    message id applied in this session (0: none), and the seq of the latest event."""

    name: str
    channel: str
    token: bytes
    confirmed: int
    head: int


class Live(NamedTuple):
    """server → client: the replay is complete up to `seq`; later events are live."""

    seq: int


class Say(NamedTuple):
    """client → server: a line. Ids rise within a session; the SAID event with this id confirms it."""

    id: int
    channel: str
    text: str


class Confirm(NamedTuple):
    """server → client: the line with this id was a repeat; it was stored before."""

    id: int


class Command(NamedTuple):
    """client → server: a slash command, with its slash. The answer is a NOTICE with the same id."""

    id: int
    channel: str
    text: str


class Notice(NamedTuple):
    """server → client: a line for this member only, not in history. `id`: the command or line it answers."""

    id: int
    text: str


class Ping(NamedTuple):
    """both ways: asks for a PONG with the same id."""

    id: int


class Pong(NamedTuple):
    """both ways: the answer to the PING with this id."""

    id: int


class Bye(NamedTuple):
    """both ways: the sender closes now. `again`: the peer may come back (restart: yes, take-over: no)."""

    again: bool
    reason: str


Handshaking = Hello | Username | Status | Port | Admit | Welcome
Talking = Say | Command | Confirm | Notice | Live | Event
Packet = Handshaking | Talking | Ping | Pong | Bye

NO_TOKEN: Final = bytes(TICKET_BYTES)
