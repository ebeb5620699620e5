"""Inputs: good packets, what may be done to good bytes, and bytes as a list of choices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from chatroom.events import Event, EventKind, Extra, extra_row
from chatroom.limits import MAX_NUMBER, MAX_TIME, TICKET_BYTES
from chatroom.packets import (
    NO_TOKEN,
    VERSION,
    Admit,
    Answer,
    Bye,
    Channel,
    Command,
    Form,
    Hello,
    Info,
    Live,
    Packet,
    Ping,
    Pong,
    Port,
    Present,
    Replay,
    Resumed,
    Say,
    Status,
    Username,
    Verdict,
    Welcome,
    encode,
)
from tests.views.attacks import DECEIVING, DRIVING, WIDE_AND_NARROW

LINK: Final = "https://example.org/?a=1&b=2"
TEXTS: Final = [
    text.encode("utf-8", "replace").decode()
    for text in ["line", LINK, *DRIVING, *DECEIVING, *WIDE_AND_NARROW]
]
"""What somebody may say: texts that drive terminals, deceive readers, or are wide."""

SIZES: Final = (1, 2, 4, 8)
EXTREMES: Final = (0, 1, 2, 31, 32, 33, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 5120, 5121, 2**31 - 1)
LARGE: Final = (2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1, MAX_TIME, MAX_TIME + 1)


SINGLE: Final = 300
"""Bytes that come one by one at most: each costs as much as a piece."""


class Choices:
    """An input as choices, one after the other. When the bytes are used up, each further choice is 0."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def more(self) -> bool:
        """Whether bytes are left."""
        return self._at < len(self._data)

    def number(self, bound: int) -> int:
        """A number below `bound`, at most 65536."""
        size = 1 if bound <= 256 else 2
        return int.from_bytes(self.take(size), "big") % bound

    def take(self, size: int) -> bytes:
        """The next bytes, fewer at the end."""
        data = self._data[self._at : self._at + size]
        self._at += size
        return data

    def rest(self) -> bytes:
        return self.take(len(self._data))

    def pieces(self) -> list[bytes]:
        """All that is left, in pieces. The first byte says how many cuts come; 255: single bytes first."""
        count = self.number(256)
        if count == 255:
            return [*(bytes((byte,)) for byte in self.take(SINGLE)), self.rest()]
        places = [self.take(2) for _ in range(count % 8)]
        data = self.rest()
        cuts = sorted(int.from_bytes(place, "big") % (len(data) + 1) for place in places)
        return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def cuts(random: Random, data: bytes) -> bytes:
    """`data` as `Choices.pieces` reads it, cut somewhere."""
    count = random.choice((0, 0, 1, 2, 3, 7))
    if random.random() < 0.03:
        count = 255
    return bytes((count,)) + (b"" if count == 255 else random.randbytes(2 * count)) + data


# --- mutations ------------------------------------------------------------------------------------------


def mutate(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """`data` after one to four changes. others: what a piece may be taken from."""
    for _ in range(random.choice((1, 1, 2, 4))):
        data = random.choice(_CHANGES)(random, data, others)
    return data


def _flip(random: Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    at, bit = _place(random, data), 1 << random.randrange(8)
    return data[:at] + bytes(byte ^ bit for byte in data[at : at + 1]) + data[at + 1 :]


def _cut(random: Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    at = _place(random, data)
    return data[:at] + data[at + random.choice((1, 1, 2, 4, 20, len(data))) :]


def _insert(random: Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    at = _place(random, data)
    return data[:at] + random.randbytes(random.choice((1, 1, 2, 4, 20))) + data[at:]


def _duplicate(random: Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    start, end = sorted((_place(random, data), _place(random, data)))
    return data[:end] + data[start:end] * random.choice((1, 1, 2, 5)) + data[end:]


def _splice(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    other, at = random.choice(others), _place(random, data)
    return data[:at] + other[_place(random, other) :]


def _number(random: Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    at, size = _place(random, data), random.choice(SIZES)
    number = random.choice(EXTREMES if size < 4 else EXTREMES + LARGE) & ((1 << 8 * size) - 1)
    return data[:at] + number.to_bytes(size, "big") + data[at + size :]


def _place(random: Random, data: bytes) -> int:
    """Mostly in the header and the first fields of a payload, where the numbers are."""
    return random.randrange(min(len(data), 80 if random.random() < 0.5 else 1 << 20) + 1)


_CHANGES: Final[Sequence[Callable[[Random, bytes, Sequence[bytes]], bytes]]] = (
    _flip,
    _cut,
    _insert,
    _duplicate,
    _splice,
    _number,
    _number,
)


# --- good packets ---------------------------------------------------------------------------------------


def client_packet(random: Random) -> Packet:
    """What a client may say at some time."""
    return random.choice(_OF_CLIENTS)(random)


def server_packet(random: Random) -> Packet:
    """What a server may say at some time."""
    return random.choice(_OF_SERVERS)(random)


def streams(random: Random, packet: Callable[[Random], Packet], count: int = 400) -> list[bytes]:
    """So many streams of some good packets."""
    return [b"".join(encode(packet(random)) for _ in range(random.randint(1, 6))) for _ in range(count)]


def text(random: Random, size: int = 400) -> str:
    """Something to say, of at most `size` bytes."""
    return random.choice(TEXTS).encode()[:size].decode(errors="ignore")


def _number_of(random: Random, most: int = MAX_NUMBER) -> int:
    return random.choice((0, 1, random.randint(0, 300), random.randint(0, most), most))


def _line(random: Random) -> str:
    long = random.random() < 0.05
    return (text(random) or "x") * (random.choice((20, 100)) if long else 1)


def _extra(random: Random) -> bytes:
    rows = [random.randbytes(random.randint(0, 20)) for _ in range(random.choice((0, 0, 0, 1, 3)))]
    return b"".join(bytes((random.randrange(256), len(row))) + row for row in rows)


def _channel_name(random: Random) -> str:
    return random.choice(("#general", "#general", "#tea", "@bob", "", text(random, 97)))


def _token(random: Random) -> bytes:
    return random.choice((NO_TOKEN, random.randbytes(TICKET_BYTES)))


def _status(random: Random) -> Status:
    verdict = random.choice(list(Verdict))
    return Status(verdict) if verdict is not Verdict.FAIL else Status(verdict, random.randrange(70), "no")


def _bye(random: Random) -> Bye:
    return Bye(random.random() < 0.5, random.randrange(70), text(random))


def say(random: Random) -> Say:
    """A line, mostly an ordinary one."""
    form = random.choice((0, 0, 0, 0, 1, 200))
    return Say(_number_of(random), _channel_name(random), _line(random), form, _extra(random))


def formed(random: Random) -> Say:
    """A line of any form, mostly with what belongs to it: an answer, an amendment, a direct line."""
    form = random.choice((*Form, 6))
    rows = b""
    is_direct = random.random() < 0.3
    if form in (Form.EDIT, Form.DELETE, Form.REACT):
        rows += _row(random, Extra.MESSAGE, 8)
    elif random.random() < 0.4:
        rows += _row(random, Extra.REPLY_TO, 8)
    if is_direct:
        rows += _row(random, Extra.RECEIVER, 4)
    if random.random() < 0.1:
        rows += _extra(random)
    where = random.choice(NAMES) if random.random() < 0.5 else "honest"
    words = "" if form == Form.DELETE and random.random() < 0.9 else _line(random)
    return Say(
        random.randint(1, 40), f"@{where}" if is_direct else random.choice(CHANNELS), words, form, rows
    )


def _row(random: Random, key: int, size: int) -> bytes:
    """A number in its size, mostly one that means something; rarely in another size."""
    size = size if random.random() < 0.97 else random.choice((0, 1, 7, 9, 255))
    number = random.choice(
        (0, 1, 2, random.randint(1, 60), random.randint(1, 60), 2 ** (8 * size) - 1 if size else 0)
    )
    return extra_row(key, number % 2 ** (8 * size) if size else b"", size)


def command(random: Random) -> Command:
    """A slash command, mostly one that exists, and with the arguments of which it has use."""
    if random.random() < 0.2:
        words = random.choice(("/who", "/help", "/help who", "/topic x", "/nick", "who", text(random)))
        return Command(_number_of(random), _channel_name(random), words)
    words = random.choice(_COMMANDS).format(
        channel=random.choice(CHANNELS),
        name=random.choice(NAMES),
        number=_number_of(random),
        small=random.randint(0, 60),
        text=text(random, 200),
    )
    where = random.choice((*CHANNELS, f"@{random.choice(NAMES)}", _channel_name(random)))
    return Command(_number_of(random), where, words)


CHANNELS: Final = ("#general", "#general", "#tea", "#a", "#b", "#c")
NAMES: Final = ("honest", "ann", "bob", "f1", "f2", "f3", "f4", "f5", "zoe")
"""Who and what may be there already, from an earlier session or from the honest member."""

_COMMANDS: Final = (
    *("/join {channel}", "/join {channel}", "/join {channel} word", "/leave {channel} {text}", "/leave"),
    *("/channels", "/topic", "/topic {text}", "/topic -", "/set", "/set key word", "/set key off"),
    *("/set invite-only on", "/set moderated on", "/set moderated off", "/set kept on", "/set {text} on"),
    *("/set history joined", "/set history all", "/invite {name}", "/uninvite {name}", "/voice {name}"),
    *("/unvoice {name}", "/transfer {name}", "/move {channel}", "/close {text}", "/close {channel}"),
    *("/nick {name}", "/nick {text}", "/away", "/away {text}", "/back", "/ignore {name}", "/unignore {name}"),
    *("/ignored", "/direct", "/direct all", "/direct nobody", "/direct {text}", "/query {name}"),
    *(
        "/seen {name}",
        "/time",
        "/trace {text}",
        "/whois {name}",
        "/who {channel}",
        "/sessions",
        "/stats",
        "/histori",
    ),
    *("/history", "/history {number}", "/history 3 before:{small}", "/history in:{channel}"),
    *("/history in:@{name}", "/history in:{small}", "/grep line", "/grep {text}", "/grep line from:{name}"),
    *("/grep x in:{channel} since:2h", "/grep x since:{text}", "/grep from:{name} before:{number}"),
    *("/context {small}", "/context {small} {number}", "/read {small}", "/read {number}"),
    *("/register {text}", "/passwd {text} {text}", "/device {text}", "/owner {text}", "/code {name}"),
)


def event(random: Random) -> Event:
    """Something that has happened."""
    return Event(
        _number_of(random),
        _number_of(random, MAX_TIME),
        random.choice(list(EventKind)),
        _channel_name(random),
        random.choice(("ann", "bob", text(random, 96))),
        _line(random),
        _number_of(random),
        _number_of(random, 2**32 - 1),
        _number_of(random, 2**32 - 1),
        _extra(random),
    )


def _channel(random: Random) -> Channel:
    present = [
        Present(_number_of(random, 2**32 - 1), random.randrange(5), text(random, 96))
        for _ in range(random.choice((0, 1, 3)))
    ]
    members = tuple(present * random.choice((1, 1, 1, 60)))
    return Channel(random.randrange(9), _channel_name(random), text(random), 0, 0, len(members), members)


def _admit(random: Random) -> Admit:
    channels = tuple(_channel_name(random) for _ in range(random.choice((1, 1, 2, 50))))
    since, time = _number_of(random), _number_of(random, MAX_TIME)
    return Admit("ann", _token(random), channels, since, time, _token(random), random.randrange(1 << 16))


def _welcome(random: Random) -> Welcome:
    name, head = random.choice(("ann", "ann", text(random, 96))), _number_of(random)
    numbers = _number_of(random, 2**32 - 1), _number_of(random), head
    return Welcome(name, _token(random), _token(random), *numbers, random.choice(list(Resumed)))


def _username(random: Random) -> Username:
    credentials = tuple((random.randrange(5), random.randbytes(9)) for _ in range(random.choice((0, 0, 2))))
    return Username(random.choice(("ann", text(random, 96))), _token(random), credentials)


_BOTH: Final[list[Callable[[Random], Packet]]] = [
    _status,
    _bye,
    lambda random: Ping(_number_of(random)),
    lambda random: Pong(_number_of(random)),
]
_OF_CLIENTS: Final[list[Callable[[Random], Packet]]] = [
    *_BOTH,
    lambda random: Hello(random.choice((VERSION, 1, 3)), "fuzz", random.choice(((), ("a", "bb")))),
    _username,
    _admit,
    say,
    say,
    formed,
    formed,
    command,
    command,
]
_OF_SERVERS: Final[list[Callable[[Random], Packet]]] = [
    *_BOTH,
    lambda random: Port(random.choice((0, 1, 1023, 1024, 65535)), _token(random)),
    _welcome,
    _channel,
    lambda random: Replay(_number_of(random)),
    lambda random: Live(_number_of(random), _number_of(random, MAX_TIME)),
    lambda random: Answer(_number_of(random), random.randrange(70), _line(random), "[]"),
    lambda random: Info(text(random)),
    event,
    event,
    event,
]
