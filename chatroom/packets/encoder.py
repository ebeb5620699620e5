"""Packets to bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import count
from struct import Struct
from struct import error as StructError

from chatroom.errors import ProtocolError
from chatroom.events import Event, EventKind
from chatroom.limits import (
    CHANNEL_FIELD,
    MAX_CHANNELS,
    MAX_CREDENTIALS,
    MAX_EXTRA,
    MAX_LISTED,
    MAX_PAYLOAD,
    MAX_REASON,
    MAX_TEXT,
    MAX_TOPIC,
    NAME_BYTES,
    TEXT_PART,
    TICKET_BYTES,
)
from chatroom.outcomes import Code
from chatroom.packets.kinds import (
    ADMIT_FIXED,
    ANSWER_FIXED,
    CHANNEL_FIXED,
    CHANNEL_MEMBER,
    END_FIXED,
    HEADER,
    LIVE_FIXED,
    MAGIC,
    SAY_FIXED,
    VERSION,
    WELCOME_FIXED,
    Admit,
    Answer,
    Bye,
    Channel,
    Command,
    Form,
    Hello,
    Info,
    Kind,
    Live,
    Packet,
    Ping,
    Pong,
    Port,
    Present,
    Replay,
    Say,
    Status,
    Username,
    Verdict,
    Welcome,
)
from chatroom.packets.rows import join_rows, split_rows

_EVENT_HEADER = Struct("!HBxIQIQQ")  # a header, with fewer numbers to pack than HEADER; then seq and time
_OURS = MAGIC << 8 | VERSION
_ONE_PART = 1  # part 0 of 1
_FIELDS_AT = LIVE_FIXED.size  # the bytes of seq and time
_SEQ = _TIME = Struct("!Q")
_SEQ_SIZE = _SEQ.size
_SAID = int.from_bytes((MAGIC, VERSION, EventKind.SAID, 0), "big")  # the first bytes of its header
_EVENT_FIELDS = Struct("!IIHBB")  # the rest of EVENT_FIXED: person, place, bytes of extra, author, channel


def encode(packet: Packet) -> bytes:
    """The bytes of a packet. A packet with a long text becomes several packets on the wire.

    Raises ValueError when a field does not fit: the caller checks its fields before.
    """
    if isinstance(packet, Event):
        return encode_event(packet)
    try:
        if isinstance(packet, Say):
            return _say(packet)
        if isinstance(packet, Answer):
            return _answer(packet)
        if isinstance(packet, Channel):
            return _channel(packet)
        if type(packet) not in _PAYLOADS:
            raise ValueError(f"{type(packet).__name__} is never sent")
        kind, id, payload = _PAYLOADS[type(packet)](packet)
        if len(payload) > MAX_PAYLOAD:
            raise ValueError(f"{kind.name} with {len(payload)} bytes; the limit is {MAX_PAYLOAD}")
        return HEADER.pack(MAGIC, VERSION, kind, 0, len(payload), id, 0, 1) + payload
    except (StructError, OverflowError) as cause:
        raise ValueError(f"a number does not fit: {cause}") from None


def encode_event(event: Event) -> bytes:
    """The bytes of an event. The forwarder's fast path: a short text is packed at once with its header."""
    seq, time, kind, channel, author, text, id, person, place, extra, _ = event
    said = text.encode()
    try:
        # The cache has room for authors; the extra may be another one in each event.
        fields = (
            _event_fields(person, place, author, channel, extra)
            if extra
            else _plain_fields(person, place, author, channel)
        )
        if len(said) > TEXT_PART:
            return _in_parts(kind, id, LIVE_FIXED.pack(seq, time) + fields, said)
        length = _FIELDS_AT + len(fields) + len(said)
        return _EVENT_HEADER.pack(_OURS, kind, length, id, _ONE_PART, seq, time) + fields + said
    except StructError as cause:
        raise ValueError(f"a number does not fit: {cause}") from None


def encode_said(
    first: int,
    time: int,
    channel: str,
    author: str,
    person: int,
    place: int,
    ids: Sequence[int],
    texts: Sequence[bytes],
) -> list[bytes]:
    """The bytes of each of some lines of one author, as encode_event() makes them; see `Talk`.

    What all of them share stands behind seq, and is made once.
    """
    shared = _TIME.pack(time) + _plain_fields(person, place, author, channel)
    pack, size = _said_packer(len(shared)), _SEQ_SIZE + len(shared)
    if max(map(len, texts)) <= TEXT_PART:
        return [
            pack(_SAID, size + len(text), id, _ONE_PART, seq, shared) + text
            for seq, id, text in zip(count(first), ids, texts, strict=False)
        ]
    return [
        _in_parts(EventKind.SAID, id, _SEQ.pack(seq) + shared, text)
        for seq, id, text in zip(count(first), ids, texts, strict=False)
    ]


@lru_cache(256)
def _said_packer(size: int) -> Callable[..., bytes]:
    """Packs header, seq, and `size` bytes."""
    return Struct(f"!IIQIQ{size}s").pack


@lru_cache(1024)
def _plain_fields(person: int, place: int, author: str, channel: str) -> bytes:
    """What stands between time and text: the same bytes for each line of an author in a channel."""
    return _event_fields(person, place, author, channel, b"")


def _event_fields(person: int, place: int, author: str, channel: str, extra: bytes) -> bytes:
    by, where = _at_most(author.encode(), NAME_BYTES), _at_most(channel.encode(), CHANNEL_FIELD)
    sizes = _EVENT_FIELDS.pack(person, place, len(_extra(extra)), len(by), len(where))
    return sizes + by + where + extra


def encode_refusal_v1(reason: str) -> bytes:
    """A STATUS FAIL of version 1, for a client that spoke version 1: it shows the reason to its user."""
    payload = bytes((Verdict.FAIL,)) + _reason(reason)
    return HEADER.pack(MAGIC, 1, Kind.STATUS, 0, len(payload), 0, 0, 1) + payload


def _say(say: Say) -> bytes:
    if not say.text and say.form == Form.SAY:
        raise ValueError("SAY without text")
    fixed = SAY_FIXED.pack(say.form, len(_extra(say.extra)))
    return _in_parts(Kind.SAY, say.id, _string8(say.channel) + fixed + say.extra, say.text.encode())


def _answer(answer: Answer) -> bytes:
    words = answer.words.encode()
    prefix = ANSWER_FIXED.pack(answer.code, len(words))
    return _in_parts(Kind.ANSWER, answer.id, prefix, words + answer.rows.encode())


def _channel(channel: Channel) -> bytes:
    if len(channel.members) > MAX_LISTED:
        raise ValueError(f"{len(channel.members)} members are listed; the limit is {MAX_LISTED}")
    name, topic = _at_most(channel.name.encode(), CHANNEL_FIELD), _at_most(channel.topic.encode(), MAX_TOPIC)
    prefix = CHANNEL_FIXED.pack(
        channel.place, channel.role, channel.settings, channel.size, len(topic), len(name)
    )
    parts = [b""]
    for row in map(_member, channel.members):
        if len(parts[-1]) + len(row) > TEXT_PART:
            parts.append(row)
        else:
            parts[-1] += row
    return _packets(Kind.CHANNEL, 0, prefix + name + topic, parts)


def _member(member: Present) -> bytes:
    name = _at_most(member.name.encode(), NAME_BYTES)
    return CHANNEL_MEMBER.pack(member.person, member.role, len(name)) + name


def _in_parts(kind: int, id: int, prefix: bytes, text: bytes) -> bytes:
    if len(text) > MAX_TEXT:
        raise ValueError(f"a text of {len(text)} bytes; the limit is {MAX_TEXT}")
    return _packets(kind, id, prefix, list(split_text(text, TEXT_PART)) or [b""])


def _packets(kind: int, id: int, prefix: bytes, parts: Sequence[bytes]) -> bytes:
    return b"".join(
        HEADER.pack(MAGIC, VERSION, kind, 0, len(prefix) + len(part), id, number, len(parts)) + prefix + part
        for number, part in enumerate(parts)
    )


def split_text(text: bytes, size: int) -> Iterator[bytes]:
    """Split UTF-8 text between characters into parts of at most `size` bytes; `size` is at least 4.

    Continuation bytes are 10xxxxxx (RFC 3629, section 3): step back over them to the start of a character.
    """
    start = 0
    while start < len(text):
        stop = min(start + size, len(text))
        while stop < len(text) and text[stop] & 0xC0 == 0x80:
            stop -= 1
        yield text[start:stop]
        start = stop


def _hello(hello: Hello) -> tuple[Kind, int, bytes]:
    if not all(hello.abilities) or any(" " in word for word in hello.abilities):
        raise ValueError("an ability is one word, and not empty")
    return (
        Kind.HELLO,
        0,
        bytes((hello.version,)) + _string8(hello.software) + _reason(" ".join(hello.abilities)),
    )


def _username(username: Username) -> tuple[Kind, int, bytes]:
    name = _at_most(username.name.encode(), NAME_BYTES)
    credentials = _at_most(join_rows(username.credentials, 2), MAX_CREDENTIALS)
    return Kind.USERNAME, 0, _token(username.token) + bytes((len(name),)) + name + credentials


def _status(status: Status) -> tuple[Kind, int, bytes]:
    if status.verdict is not Verdict.FAIL and (status.code != Code.OK or status.reason):
        raise ValueError("only FAIL has a code and a reason")
    return Kind.STATUS, 0, END_FIXED.pack(status.verdict, status.code) + _reason(status.reason)


def _admit(admit: Admit) -> tuple[Kind, int, bytes]:
    if not 1 <= len(admit.channels) <= MAX_CHANNELS:
        raise ValueError(f"{len(admit.channels)} channels where 1 to {MAX_CHANNELS} can be")
    fixed = ADMIT_FIXED.pack(
        admit.since, admit.time, _token(admit.identity), admit.lines, len(admit.channels)
    )
    strings = b"".join(map(_string8, (admit.name, *admit.channels)))
    return Kind.ADMIT, 0, _token(admit.ticket) + fixed + strings


def _welcome(welcome: Welcome) -> tuple[Kind, int, bytes]:
    fixed = WELCOME_FIXED.pack(
        _token(welcome.identity), welcome.person, welcome.confirmed, welcome.head, welcome.resumed
    )
    return Kind.WELCOME, 0, _token(welcome.token) + fixed + _string8(welcome.name)


def _string8(text: str) -> bytes:
    """One byte with the length, then the string."""
    data = text.encode()
    if len(data) > 255:
        raise ValueError(f"{len(data)} bytes do not fit a length of one byte")
    return bytes((len(data),)) + data


def _extra(rows: bytes) -> bytes:
    """The rows, checked."""
    try:
        split_rows(_at_most(rows, MAX_EXTRA), 1)
    except ProtocolError as malformed:
        raise ValueError(str(malformed)) from None
    return rows


def _reason(text: str) -> bytes:
    return _at_most(text.encode(), MAX_REASON)


def _token(token: bytes) -> bytes:
    if len(token) != TICKET_BYTES:
        raise ValueError(f"a ticket, token or identity of {len(token)} bytes instead of {TICKET_BYTES}")
    return token


def _at_most(data: bytes, limit: int) -> bytes:
    if len(data) > limit:
        raise ValueError(f"{len(data)} bytes where the limit is {limit}")
    return data


_PAYLOADS: dict[type, Callable[..., tuple[Kind, int, bytes]]] = {
    Hello: _hello,
    Username: _username,
    Status: _status,
    Port: lambda p: (Kind.PORT, 0, p.number.to_bytes(2, "big") + _token(p.ticket)),
    Admit: _admit,
    Welcome: _welcome,
    Live: lambda p: (Kind.LIVE, 0, LIVE_FIXED.pack(p.seq, p.time)),
    Replay: lambda p: (Kind.REPLAY, p.id, b""),
    Command: lambda p: (Kind.COMMAND, p.id, _string8(p.channel) + p.text.encode()),
    Info: lambda p: (Kind.INFO, 0, _at_most(p.words.encode(), TEXT_PART)),
    Ping: lambda p: (Kind.PING, p.id, b""),
    Pong: lambda p: (Kind.PONG, p.id, b""),
    Bye: lambda p: (Kind.BYE, 0, END_FIXED.pack(p.again, p.code) + _reason(p.reason)),
}
