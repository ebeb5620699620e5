"""Packets to bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from struct import Struct
from struct import error as StructError

from chatroom.events import Event
from chatroom.limits import MAX_PAYLOAD, MAX_REASON, MAX_TEXT, NAME_BYTES, TEXT_PART, TICKET_BYTES
from chatroom.packets.kinds import (
    ADMIT_FIXED,
    EVENT_FIXED,
    HEADER,
    MAGIC,
    VERSION,
    WELCOME_FIXED,
    Admit,
    Bye,
    Command,
    Confirm,
    Hello,
    Kind,
    Live,
    Notice,
    Packet,
    Ping,
    Pong,
    Port,
    Say,
    Status,
    Username,
    Welcome,
)

_EVENT_HEADER = Struct("!BBBBIQHHQQBB")  # header, then seq, time, length of author and of channel


def encode(packet: Packet) -> bytes:
    """The bytes of a packet. A packet with a long text becomes several packets on the wire.

    Raises ValueError when a field does not fit: the caller checks its fields before.
    """
    if isinstance(packet, Event):
        return encode_event(packet)
    try:
        if isinstance(packet, Say):
            if not packet.text:
                raise ValueError("SAY without text")
            return _in_parts(Kind.SAY, packet.id, _string8(packet.channel), packet.text.encode())
        kind, id, payload = _PAYLOADS[type(packet)](packet)
        if len(payload) > MAX_PAYLOAD:
            raise ValueError(f"{kind.name} with {len(payload)} bytes; the limit is {MAX_PAYLOAD}")
        return HEADER.pack(MAGIC, VERSION, kind, 0, len(payload), id, 0, 1) + payload
    except (StructError, OverflowError) as cause:
        raise ValueError(f"a number does not fit: {cause}") from None


def encode_event(event: Event) -> bytes:
    """The bytes of an event. The forwarder's fast path: a short text is packed at once with its header."""
    seq, time, kind, channel, author, text, id = event
    author_size, channel_size, names = _names(author, channel)
    said = text.encode()
    try:
        if len(said) > TEXT_PART:
            prefix = EVENT_FIXED.pack(seq, time, author_size, channel_size) + names
            return _in_parts(kind, id, prefix, said)
        length = EVENT_FIXED.size + len(names) + len(said)
        header = _EVENT_HEADER.pack(
            MAGIC, VERSION, kind, 0, length, id, 0, 1, seq, time, author_size, channel_size
        )
    except StructError as cause:
        raise ValueError(f"a number or a name does not fit: {cause}") from None
    return header + names + said


@lru_cache(1024)
def _names(author: str, channel: str) -> tuple[int, int, bytes]:
    """Sizes of author and channel, and both as bytes. Cached: each line of an author needs the same."""
    name, place = author.encode(), channel.encode()
    return len(name), len(place), name + place


def _in_parts(kind: int, id: int, prefix: bytes, text: bytes) -> bytes:
    if len(text) > MAX_TEXT:
        raise ValueError(f"a text of {len(text)} bytes; the limit is {MAX_TEXT}")
    parts = list(split_text(text, TEXT_PART)) or [b""]
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


def _string8(text: str) -> bytes:
    """One byte with the length, then the string."""
    data = text.encode()
    if len(data) > 255:
        raise ValueError(f"{len(data)} bytes do not fit a length of one byte")
    return bytes((len(data),)) + data


def _reason(text: str) -> bytes:
    return _at_most(text.encode(), MAX_REASON)


def _token(token: bytes) -> bytes:
    if len(token) != TICKET_BYTES:
        raise ValueError(f"a ticket or token of {len(token)} bytes instead of {TICKET_BYTES}")
    return token


def _at_most(data: bytes, limit: int) -> bytes:
    if len(data) > limit:
        raise ValueError(f"{len(data)} bytes where the limit is {limit}")
    return data


_PAYLOADS: dict[type, Callable[..., tuple[Kind, int, bytes]]] = {
    Hello: lambda p: (Kind.HELLO, 0, bytes((p.version,)) + _reason(p.software)),
    Username: lambda p: (Kind.USERNAME, 0, _token(p.token) + _at_most(p.name.encode(), NAME_BYTES)),
    Status: lambda p: (Kind.STATUS, 0, bytes((p.code,)) + _reason(p.reason)),
    Port: lambda p: (Kind.PORT, 0, p.number.to_bytes(2, "big") + _token(p.ticket)),
    Admit: lambda p: (
        Kind.ADMIT,
        0,
        _token(p.ticket) + ADMIT_FIXED.pack(p.since, p.lines) + _string8(p.name) + _string8(p.channel),
    ),
    Welcome: lambda p: (
        Kind.WELCOME,
        0,
        _token(p.token) + WELCOME_FIXED.pack(p.confirmed, p.head) + _string8(p.name) + _string8(p.channel),
    ),
    Live: lambda p: (Kind.LIVE, 0, p.seq.to_bytes(8, "big")),
    Confirm: lambda p: (Kind.CONFIRM, p.id, b""),
    Command: lambda p: (Kind.COMMAND, p.id, _string8(p.channel) + p.text.encode()),
    Notice: lambda p: (Kind.NOTICE, p.id, p.text.encode()),
    Ping: lambda p: (Kind.PING, p.id, b""),
    Pong: lambda p: (Kind.PONG, p.id, b""),
    Bye: lambda p: (Kind.BYE, 0, bytes((p.again,)) + _reason(p.reason)),
}
