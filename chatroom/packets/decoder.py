"""Bytes to packets."""

from __future__ import annotations

from collections.abc import Callable
from struct import error as StructError

from chatroom.errors import ProtocolError
from chatroom.events import Event, EventKind
from chatroom.limits import (
    MAX_NUMBER,
    MAX_PARTS,
    MAX_PAYLOAD,
    MAX_REASON,
    MAX_TEXT,
    MAX_TIME,
    NAME_BYTES,
    TICKET_BYTES,
)
from chatroom.packets.kinds import (
    ADMIT_FIXED,
    EVENT_FIXED,
    HEADER,
    MAGIC,
    VERSION,
    WELCOME_FIXED,
    Admit,
    Bye,
    Code,
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

_SAY = int(Kind.SAY)
_new = tuple.__new__  # for a named tuple, twice as fast as its own constructor, which is written in Python


class Decoder:
    """Bytes of one connection in, whole packets out, however the network splits the bytes.

    Holds at most one unfinished packet and one unfinished message, whatever a header announces: at most
    HEADER.size + MAX_PAYLOAD bytes of the packet, MAX_TEXT bytes of the message and the fields before it.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._open: _Unfinished | None = None
        self._broken: str | None = None  # the error in the bytes

    @property
    def held(self) -> int:
        """Bytes that it holds until more bytes complete them."""
        return len(self._rest) + (self._open.held if self._open is not None else 0)

    def feed(self, data: bytes) -> list[Packet]:
        """The packets that are complete with `data`, in order.

        Raises ProtocolError when the bytes break the protocol, and at every later call. When packets were
        complete before the wrong byte, this call returns them and the next call raises. Call check() before
        waiting for more bytes.
        """
        self.check()
        packets: list[Packet] = []
        try:
            self._decode(self._rest + data if self._rest else data, packets)
        except (ProtocolError, StructError, UnicodeDecodeError, ValueError, IndexError) as cause:
            self._broken = str(cause) if isinstance(cause, ProtocolError) else "malformed payload"
            self._rest, self._open = b"", None
        if not packets:
            self.check()
        return packets

    def check(self) -> None:
        """Raise ProtocolError if the bytes fed so far have broken the protocol."""
        if self._broken is not None:
            raise ProtocolError(self._broken)

    def _decode(self, buffer: bytes, packets: list[Packet]) -> None:
        """Append the whole packets in `buffer` to `packets`; hold the rest in _rest."""
        position, end, header_size = 0, len(buffer), HEADER.size
        while end - position >= header_size:
            magic, version, kind, _, length, id, part, parts = HEADER.unpack_from(buffer, position)
            if magic != MAGIC or version != VERSION:
                raise ProtocolError(_not_ours(magic, version))
            if length > MAX_PAYLOAD:
                raise ProtocolError(f"a payload of {length} bytes is announced; the limit is {MAX_PAYLOAD}")
            if id > MAX_NUMBER:
                raise ProtocolError(_number_too_large(id))
            start = position + header_size
            position = start + length
            if position > end:
                position = start - header_size
                break
            if kind == _SAY and parts == 1 and part == 0 and self._open is None:
                packets.append(_new(Say, _say(id, buffer, start, position)))  # the server's fast path
                continue
            parse = _PARSERS.get(kind)
            if parse is None:
                raise ProtocolError(f"packet kind 0x{kind:02x} does not exist")
            payload = buffer[start:position]
            if parts != 1:
                whole = self._gather(kind, id, part, parts, payload)
                if whole is None:
                    continue
                payload = whole
            elif part != 0 or (self._open is not None and kind in _PREFIXES):
                raise ProtocolError("parts of two messages are mixed")
            packets.append(parse(kind, id, payload))
        self._rest = buffer[position:]
        if self._rest and self._rest[0] != MAGIC:  # an HTTP request may be shorter than our header
            raise ProtocolError(_not_ours(self._rest[0], VERSION))

    def _gather(self, kind: int, id: int, part: int, parts: int, payload: bytes) -> bytes | None:
        """Add one part of a message. Returns the payload of the whole message once it is complete."""
        if kind not in _PREFIXES or not 1 < parts <= MAX_PARTS or part >= parts:
            raise ProtocolError(f"part {part} of {parts} of kind 0x{kind:02x} cannot be")
        size = _PREFIXES[kind](payload)
        prefix, text = payload[:size], payload[size:]
        if self._open is None:
            self._open = _Unfinished((kind, id, parts, prefix))
        message = self._open
        if message.key != (kind, id, parts, prefix) or part != len(message.texts):
            raise ProtocolError("parts of two messages are mixed")
        message.texts.append(text)
        message.size += len(text)
        if message.size > MAX_TEXT:
            raise ProtocolError(f"a text of more than {MAX_TEXT} bytes")
        if part + 1 < parts:
            return None
        self._open = None
        return prefix + b"".join(message.texts)


class _Unfinished:
    """A message that lacks parts. key: kind, id, part count, and the bytes before the text."""

    def __init__(self, key: tuple[int, int, int, bytes]) -> None:
        self.key = key
        self.texts: list[bytes] = []
        self.size = 0

    @property
    def held(self) -> int:
        return self.size + len(self.key[3])


def _not_ours(magic: int, version: int) -> str:
    if magic != MAGIC:
        return f"not the chatroom's protocol (first byte 0x{magic:02x})"
    return f"protocol version {version} is not supported, only {VERSION}"


def _number_too_large(number: int) -> str:
    return f"the number {number} is too large; the limit is {MAX_NUMBER}"


def _parse_event(kind: int, id: int, payload: bytes) -> Event:
    seq, time, author_size, channel_size = EVENT_FIXED.unpack_from(payload)
    author_end = EVENT_FIXED.size + author_size
    channel_end = author_end + channel_size
    if channel_end > len(payload):
        raise ProtocolError("event cut short")
    if seq > MAX_NUMBER or time > MAX_TIME:
        raise ProtocolError("seq or time is too large")
    return Event(
        seq,
        time,
        _EVENT_KINDS[kind],
        payload[author_end:channel_end].decode(),
        payload[EVENT_FIXED.size : author_end].decode(),
        payload[channel_end:].decode(),
        id,
    )


_EVENT_KINDS = {int(kind): kind for kind in EventKind}


def _parse_say(_kind: int, id: int, payload: bytes) -> Say:
    return Say(*_say(id, payload, 0, len(payload)))


def _say(id: int, buffer: bytes, start: int, end: int) -> tuple[int, str, str]:
    """The fields of a SAY with its payload from `start` to `end` in `buffer`."""
    text = start + 1 + buffer[start]
    if text >= end:
        raise ProtocolError("SAY without text")
    return id, buffer[start + 1 : text].decode(), buffer[text:end].decode()


def _parse_command(_kind: int, id: int, payload: bytes) -> Command:
    channel, text = _take_string8(payload)
    return Command(id, channel, text.decode())


def _parse_username(_kind: int, _id: int, payload: bytes) -> Username:
    token, name = _take(payload, TICKET_BYTES)
    if len(name) > NAME_BYTES:
        raise ProtocolError(f"a name of {len(name)} bytes; the limit is {NAME_BYTES}")
    return Username(name.decode(), token)


def _parse_port(_kind: int, _id: int, payload: bytes) -> Port:
    number, ticket = _take(payload, 2)
    _expect_size(ticket, TICKET_BYTES)
    return Port(int.from_bytes(number, "big"), ticket)


def _parse_admit(_kind: int, _id: int, payload: bytes) -> Admit:
    ticket, rest = _take(payload, TICKET_BYTES)
    since, lines = ADMIT_FIXED.unpack_from(rest)
    name, rest = _take_string8(rest[ADMIT_FIXED.size :])
    channel, rest = _take_string8(rest)
    _expect_size(rest, 0)
    return Admit(name, ticket, channel, _number(since), lines)


def _parse_welcome(_kind: int, _id: int, payload: bytes) -> Welcome:
    token, rest = _take(payload, TICKET_BYTES)
    confirmed, head = WELCOME_FIXED.unpack_from(rest)
    name, rest = _take_string8(rest[WELCOME_FIXED.size :])
    channel, rest = _take_string8(rest)
    _expect_size(rest, 0)
    return Welcome(name, channel, token, _number(confirmed), _number(head))


def _parse_live(_kind: int, _id: int, payload: bytes) -> Live:
    _expect_size(payload, 8)
    return Live(_number(int.from_bytes(payload, "big")))


def _number(number: int) -> int:
    if number > MAX_NUMBER:
        raise ProtocolError(_number_too_large(number))
    return number


def _reason(data: bytes) -> str:
    if len(data) > MAX_REASON:
        raise ProtocolError(f"a reason of {len(data)} bytes; the limit is {MAX_REASON}")
    return data.decode()


def _bare(make: Callable[[int], Packet]) -> Callable[[int, int, bytes], Packet]:
    """A parser for packets with an id and no payload."""

    def parse(_kind: int, id: int, payload: bytes) -> Packet:
        _expect_size(payload, 0)
        return make(id)

    return parse


def _take(data: bytes, size: int) -> tuple[bytes, bytes]:
    if len(data) < size:
        raise ProtocolError("payload cut short")
    return data[:size], data[size:]


def _take_string8(data: bytes) -> tuple[str, bytes]:
    size, data = _take(data, 1)
    text, rest = _take(data, size[0])
    return text.decode(), rest


def _expect_size(data: bytes, size: int) -> None:
    if len(data) != size:
        raise ProtocolError(f"{len(data)} bytes where {size} belong")


_PARSERS: dict[int, Callable[[int, int, bytes], Packet]] = {
    Kind.HELLO: lambda _kind, _id, payload: Hello(payload[0], _reason(payload[1:])),
    Kind.USERNAME: _parse_username,
    Kind.STATUS: lambda _kind, _id, payload: Status(Code(payload[0]), _reason(payload[1:])),
    Kind.PORT: _parse_port,
    Kind.ADMIT: _parse_admit,
    Kind.WELCOME: _parse_welcome,
    Kind.LIVE: _parse_live,
    Kind.SAY: _parse_say,
    Kind.CONFIRM: _bare(Confirm),
    Kind.COMMAND: _parse_command,
    Kind.NOTICE: lambda _kind, id, payload: Notice(id, payload.decode()),
    Kind.PING: _bare(Ping),
    Kind.PONG: _bare(Pong),
    Kind.BYE: lambda _kind, _id, payload: Bye(payload[0] != 0, _reason(payload[1:])),
    **dict.fromkeys(EventKind, _parse_event),
}

# The kinds that may have several parts, with the offset of the text in their payload.
_PREFIXES: dict[int, Callable[[bytes], int]] = {
    Kind.SAY: lambda payload: 1 + payload[0],
    **{kind: lambda payload: EVENT_FIXED.size + payload[16] + payload[17] for kind in EventKind},
}
