"""The kinds of packets, and their fields.

What a repr shows may end in a log or in the text of an error. So the packets that carry passwords or tokens
have a repr without them.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from struct import Struct
from typing import Final, NamedTuple

from chatroom.events import Event
from chatroom.limits import TICKET_BYTES
from chatroom.outcomes import Code

MAGIC: Final = 0xC7
VERSION: Final = 2
HEADER: Final = Struct("!BBBBIQHH")
"""Magic, version, kind, flags, payload length, message id, part number, part count."""
EVENT_FIXED: Final = Struct("!QQIIHBB")
"""The beginning of an event's payload: seq, time, person, place, bytes of extra, of author, of channel."""
ADMIT_FIXED: Final = Struct("!QQ16sHB")
"""After ADMIT's ticket: seq and time of `since`, identity, lines, number of channels."""
WELCOME_FIXED: Final = Struct("!16sIQQB")
"""After WELCOME's token: identity, person, confirmed, head, what has become of `since`."""
CHANNEL_FIXED: Final = Struct("!IBBIHB")
"""The beginning of CHANNEL's payload: place, role, settings, number of members, bytes of topic, of name."""
CHANNEL_MEMBER: Final = Struct("!IBB")
"""One row of CHANNEL's members before the name: person, role, bytes of the name."""
LIVE_FIXED: Final = Struct("!QQ")
"""LIVE's payload, and the beginning of EVENT_FIXED: seq, time."""
SAY_FIXED: Final = Struct("!BH")
"""After SAY's channel: form, bytes of extra."""
ANSWER_FIXED: Final = Struct("!HI")
"""The beginning of ANSWER's payload: code, bytes of the words."""
END_FIXED: Final = Struct("!BH")
"""The beginning of STATUS and of BYE: verdict or again, code."""
EVENT_KINDS: Final = range(0x20, 0x80)
"""The numbers of events: the receiver skips those that it does not know."""
SAME_CONNECTION: Final = 0
"""The number in PORT when the client goes on with the connection to the lobby."""
_HIDDEN: Final = "<hidden>"
"""What a repr shows instead of a secret."""


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
    ANSWER = 0x09
    COMMAND = 0x0A
    INFO = 0x0B
    PING = 0x0C
    PONG = 0x0D
    BYE = 0x0E
    CHANNEL = 0x0F
    REPLAY = 0x10


class Verdict(IntEnum):
    """The first field of a STATUS."""

    PASS = 0
    FAIL = 1
    END = 2


class Credential(IntEnum):
    """The keys of the credentials in USERNAME. A receiver skips the keys that it does not know."""

    PASSWORD = 1
    DEVICE_TOKEN = 2
    SERVER_PASSWORD = 3


class Resumed(IntEnum):
    """What has become of the `since` in ADMIT: whether the client gets exactly what it has missed."""

    FRESH = 0  # nothing was asked for: the latest lines come
    EXACT = 1  # every event after `since` comes
    GAP = 2  # the same, but some events are gone by retention
    OTHER_HISTORY = 3  # the server has another history: the latest lines come
    RESTORED = 4  # the history is an older copy of itself: the latest lines come


class Role(IntEnum):
    """What a member may do in a channel; at present that is the same in all of them."""

    MEMBER = 0
    VOICE = 1
    OPERATOR = 2
    OWNER = 3


class Form(IntEnum):
    """What a SAY is. A server answers the forms that it does not know with BAD_ARGUMENTS."""

    SAY = 0
    ACT = 1  # what the author does: /me
    BOT = 2  # of a bot: no bot answers it
    EDIT = 3  # the new text of a message
    DELETE = 4  # takes a message back
    REACT = 5  # a reaction to a message


class Hello(NamedTuple):
    """client → lobby, first: the version that the client speaks, its software, and what it can do."""

    version: int
    software: str
    abilities: tuple[str, ...] = ()


class Username(NamedTuple):
    """client → lobby: the wanted name; `token` of an earlier session, or 16 zero bytes; credentials by key.

    credentials: pairs of key and value; keys that are not in `Credential` are skipped
    """

    name: str
    token: bytes
    credentials: tuple[tuple[int, bytes], ...] = ()

    @property
    def logs_in(self) -> bool:
        """Whether the name is that of an account, to which the client shows a password or a device token."""
        return any(key in (Credential.PASSWORD, Credential.DEVICE_TOKEN) for key, _ in self.credentials)

    @property
    def shows_key(self) -> bool:
        """Whether it has a password of the server."""
        return any(key == Credential.SERVER_PASSWORD for key, _ in self.credentials)

    def __repr__(self) -> str:
        keys = [key for key, _ in self.credentials]
        return f"Username(name={self.name!r}, token={_HIDDEN}, credentials of {keys})"


class Status(NamedTuple):
    """both ways: PASS, END, or FAIL with a code for programs and a reason for persons.

    code: a number that is not in `Code` is a new code
    """

    verdict: Verdict
    code: int = Code.OK
    reason: str = ""


class Port(NamedTuple):
    """server → client: the port to connect to, or SAME_CONNECTION, and the ticket to show there."""

    number: int
    ticket: bytes

    def __repr__(self) -> str:
        return f"Port(number={self.number}, ticket={_HIDDEN})"


class Admit(NamedTuple):
    """client → new port: the ticket, the channels to join, and the part of the history to send.

    since:    the last seq seen; the server sends every event after it. 0: it sends the latest `lines` lines
    time:     of the event `since`, as the event or LIVE gave it; with it another history is noticed
    identity: of the history that `since` belongs to, as WELCOME gave it; 16 zero bytes for none
    lines:    how many of the latest lines of each channel to send
    channels: at most MAX_CHANNELS
    """

    name: str
    ticket: bytes
    channels: tuple[str, ...]
    since: int
    time: int
    identity: bytes
    lines: int

    def __repr__(self) -> str:
        asked = f"channels={self.channels}, since={self.since}, time={self.time}, lines={self.lines}"
        return f"Admit(name={self.name!r}, ticket={_HIDDEN}, {asked}, identity={self.identity.hex()})"


class Welcome(NamedTuple):
    """server → client: admitted.

    name:      as the server writes it
    token:     to come back with
    identity:  of the history
    person:    the number of the member
    confirmed: the highest message id that was applied in this session, 0 for none
    head:      seq of the latest event
    resumed:   what has become of `since`
    """

    name: str
    token: bytes
    identity: bytes
    person: int
    confirmed: int
    head: int
    resumed: Resumed

    def __repr__(self) -> str:
        known = f"confirmed={self.confirmed}, head={self.head}, resumed={self.resumed.name}"
        return (
            f"Welcome(name={self.name!r}, token={_HIDDEN}, identity={self.identity.hex()}, "
            f"person={self.person}, {known})"
        )


class Present(NamedTuple):
    """One member in CHANNEL."""

    person: int
    role: int
    name: str


class Channel(NamedTuple):
    """server → client: a channel that the member is in.

    settings: bits, see `Setting`
    size:     how many members it has
    members:  all of them; or none: in a counted channel, and when they are more than MAX_LISTED
    """

    place: int
    name: str
    topic: str
    settings: int
    role: int
    size: int
    members: tuple[Present, ...]


class Replay(NamedTuple):
    """server → client: events of the past follow, in the order of their seqs.

    id: 0: the greeting, LIVE ends it; else the request, the ANSWER with that id ends it
    """

    id: int


class Live(NamedTuple):
    """server → client: the replay is complete up to the event `seq` of `time`; later events are live."""

    seq: int
    time: int


class Say(NamedTuple):
    """client → server: a line. Ids rise within a session; the SAID event with this id says it is stored."""

    id: int
    channel: str
    text: str
    form: int = 0
    extra: bytes = b""


class Burst(NamedTuple):
    """Lines that came one after the other, for one channel. Their texts stay bytes, checked together.

    ids:   message ids, rising
    texts: in UTF-8, not empty
    form:  of all of them
    extra: of all of them
    """

    channel: str
    ids: Sequence[int]
    texts: Sequence[bytes]
    form: int = 0
    extra: bytes = b""

    @property
    def size(self) -> int:
        """Bytes of the texts."""
        return sum(map(len, self.texts))

    @property
    def plain(self) -> bool:
        """Whether its lines are said in a channel, as they are: nobody has to look at a single one."""
        return self.form == Form.SAY and not self.extra

    def goes_on(self, other: Burst) -> bool:
        """Whether its lines can come behind those of another burst, in one burst."""
        kind, others = (self.channel, self.form, self.extra), (other.channel, other.form, other.extra)
        return kind == others and other.ids[-1] < self.ids[0]

    def part(self, start: int, end: int) -> Burst:
        """The lines from `start` to `end`."""
        if end - start == len(self.ids):
            return self
        return self._replace(ids=self.ids[start:end], texts=self.texts[start:end])


class Command(NamedTuple):
    """client → server: a slash command, with its slash. It gets one ANSWER."""

    id: int
    channel: str
    text: str

    def __repr__(self) -> str:
        """Without the arguments: some commands have a password there, and a mistyped command may be one."""
        name, space, _ = self.text.partition(" ")
        shown = (f"{name} {_HIDDEN}" if space else name) if name.startswith("/") else _HIDDEN
        return f"Command(id={self.id}, channel={self.channel!r}, text={shown!r})"


class Answer(NamedTuple):
    """server → client: what became of the COMMAND or SAY `id`.

    code:  for programs; a number that is not in `Code` is a new code
    words: for persons; may have several lines, may be empty
    rows:  JSON, an array; empty for none
    """

    id: int
    code: int
    words: str
    rows: str = ""

    def __repr__(self) -> str:
        """Without a device token or one-time code, which only one answer each has; a code is in its words."""
        secret = any(kind in self.rows for kind in ('"token"', '"code"'))
        words, rows = (_HIDDEN, _HIDDEN) if secret else (repr(self.words), repr(self.rows))
        return f"Answer(id={self.id}, code={self.code}, words={words}, rows={rows})"


class Info(NamedTuple):
    """server → client: words for this member only, unasked and not in history."""

    words: str


class Ping(NamedTuple):
    """both ways: asks for a PONG with the same id."""

    id: int


class Pong(NamedTuple):
    """both ways: the answer to the PING with this id."""

    id: int


class Bye(NamedTuple):
    """both ways: the sender closes now.

    again: the peer may come back (restart: yes, take-over: no)
    code:  for programs; a number that is not in `Code` is a new code
    """

    again: bool
    code: int
    reason: str


class Skipped(NamedTuple):
    """Not a packet of its own: an event of a kind that this decoder does not know. Its seq counts."""

    seq: int
    time: int


Handshaking = Hello | Username | Status | Port | Admit | Welcome
Talking = Say | Burst | Command | Answer | Info | Live | Replay | Channel | Event | Skipped
Packet = Handshaking | Talking | Ping | Pong | Bye

NO_TOKEN: Final = bytes(TICKET_BYTES)
NO_IDENTITY: Final = bytes(TICKET_BYTES)
