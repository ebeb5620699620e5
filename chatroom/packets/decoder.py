"""Bytes to packets."""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile
from struct import Struct
from struct import error as StructError

from chatroom.errors import OldVersion, ProtocolError
from chatroom.events import Event, EventKind
from chatroom.limits import (
    CHANNEL_FIELD,
    MAX_CHANNELS,
    MAX_CREDENTIALS,
    MAX_EXTRA,
    MAX_LISTED,
    MAX_NUMBER,
    MAX_PARTS,
    MAX_PAYLOAD,
    MAX_REASON,
    MAX_ROWS,
    MAX_TEXT,
    MAX_TIME,
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
    EVENT_FIXED,
    EVENT_KINDS,
    HEADER,
    LIVE_FIXED,
    MAGIC,
    SAY_FIXED,
    VERSION,
    WELCOME_FIXED,
    Admit,
    Answer,
    Burst,
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
    Resumed,
    Say,
    Skipped,
    Status,
    Username,
    Verdict,
    Welcome,
)
from chatroom.packets.rows import split_rows

_SAY = int(Kind.SAY)
_SAY_HEADER = Struct("!IIQI")  # a header with fewer numbers to compare than HEADER
_SAY_BEGIN = int.from_bytes((MAGIC, VERSION, _SAY, 0), "big")
_WHOLE = 1  # part 0 of 1
_VERSION = bytes((VERSION,))
_PLAIN = SAY_FIXED.pack(Form.SAY, 0)  # a line without extra
_new = tuple.__new__  # for a named tuple, twice as fast as its own constructor, which is written in Python


class Decoder:
    """Bytes of one connection in, whole packets out, however the network splits the bytes.

    Holds at most one unfinished packet and one unfinished message, whatever a header announces: at most
    HEADER.size + MAX_PAYLOAD bytes of the packet, MAX_ROWS bytes of the message and the fields before it.

    events: whether the other side may send events; a client may not
    scraps: packets that cost time and carried nothing, or much less of a message than a packet may
    bursts: whether plain lines that follow one another come as one Burst, instead of one Say each
    """

    def __init__(self, *, events: bool = True) -> None:
        self._parsers = _PARSERS if events else _PARSERS_OF_A_SERVER
        self._rest = b""
        self._open: _Unfinished | None = None
        self._broken: ProtocolError | None = None  # the error in the bytes
        self.scraps = 0
        self.bursts = False

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
            # Not the error itself: its traceback has this frame, which has the decoder. Such a circle waits
            # for the garbage collector.
            kind = type(cause) if isinstance(cause, ProtocolError) else ProtocolError
            self._broken = kind(str(cause) if isinstance(cause, ProtocolError) else "malformed payload")
            self._rest, self._open = b"", None
        if not packets:
            self.check()
        return packets

    def check(self) -> None:
        """Raise ProtocolError if the bytes fed so far have broken the protocol."""
        if self._broken is not None:
            raise type(self._broken)(str(self._broken))  # a new one each time: it gets a traceback

    def _decode(self, buffer: bytes, packets: list[Packet]) -> None:
        """Append the whole packets in `buffer` to `packets`; hold the rest in _rest."""
        position, end, header_size = 0, len(buffer), HEADER.size
        while end - position >= header_size:
            magic, version, kind, flags, length, id, part, parts = HEADER.unpack_from(buffer, position)
            if magic != MAGIC or version != VERSION:
                raise _not_ours(magic, version)
            if length > MAX_PAYLOAD:
                raise ProtocolError(f"a payload of {length} bytes is announced; the limit is {MAX_PAYLOAD}")
            if id > MAX_NUMBER:
                raise ProtocolError(_number_too_large(id))
            start = position + header_size
            stop = start + length
            if stop > end:
                if kind not in _PARSERS:
                    raise _no_such_kind(kind)
                break
            if self.bursts and kind == _SAY and length and parts == 1 and not (part or flags or self._open):
                fixed = start + 1 + buffer[start]
                text = fixed + SAY_FIXED.size
                if text < stop and buffer[fixed:text] == _PLAIN:
                    burst, position = _burst(buffer, position, buffer[start:text])
                    packets.append(burst)
                    continue
            position = stop
            parse = self._parsers.get(kind)
            if parse is None:
                raise _no_such_kind(kind)
            payload = buffer[start:position]
            if parts != 1:
                whole = self._gather(kind, id, part, parts, payload)
                if whole is None:
                    continue
                payload = whole
            elif part != 0 or (self._open is not None and kind in _PREFIXES):
                raise ProtocolError("parts of two messages are mixed")
            packet = parse(kind, id, payload)
            if packet is not None:
                packets.append(packet)
            else:
                self.scraps += 1
        self._rest = buffer[position:]
        if self._rest and (self._rest[0] != MAGIC or self._rest[1:2] not in (b"", _VERSION)):
            # An HTTP request may be shorter than our header; nobody should have to wait for the rest of it.
            raise _not_ours(self._rest[0], self._rest[1] if len(self._rest) > 1 else VERSION)

    def _gather(self, kind: int, id: int, part: int, parts: int, payload: bytes) -> bytes | None:
        """Add one part of a message. Returns the payload of the whole message once it is complete."""
        if kind not in _PREFIXES or not 1 < parts <= MAX_PARTS or part >= parts:
            raise ProtocolError(f"part {part} of {parts} of kind 0x{kind:02x} cannot be")
        size = _PREFIXES[kind](payload)
        if size > len(payload):
            raise ProtocolError("payload cut short")
        prefix, text = payload[:size], payload[size:]
        if self._open is None:
            self._open = _Unfinished((kind, id, parts, prefix))
        message = self._open
        if message.key != (kind, id, parts, prefix) or part != len(message.texts):
            raise ProtocolError("parts of two messages are mixed")
        message.texts.append(text)
        message.size += len(text)
        limit = MAX_ROWS if kind == Kind.CHANNEL else MAX_TEXT
        if message.size > limit:
            raise ProtocolError(f"a message of more than {limit} bytes")
        if part + 1 < parts:
            self.scraps += len(text) < TEXT_PART // 2
            return None
        self._open = None
        return prefix + b"".join(message.texts)


def _burst(buffer: bytes, position: int, begin: bytes) -> tuple[Burst, int]:
    """The plain SAYs from `position` on whose payload begins with `begin`, and the position behind them.

    There is at least one. Raises ProtocolError if the text of the first one is not UTF-8.
    """
    ids, texts, end = list[int](), list[bytes](), len(buffer)
    latest, skip, unpack, header_size = -1, len(begin), _SAY_HEADER.unpack_from, _SAY_HEADER.size
    channel = begin[1 : -SAY_FIXED.size].decode()
    while end - position >= header_size:  # the hot loop: it runs once for each line of all members
        head, length, id, parts = unpack(buffer, position)
        start = position + header_size
        stop = start + length
        if not (
            head == _SAY_BEGIN
            and parts == _WHOLE
            and latest < id <= MAX_NUMBER
            and skip < length <= MAX_PAYLOAD
            and stop <= end
            and buffer.startswith(begin, start)
        ):
            break
        ids.append(id)
        texts.append(buffer[start + skip : stop])
        latest, position = id, stop
    try:
        b"\n".join(texts).decode()  # no character of several bytes has an LF in it
    except UnicodeDecodeError:
        good = len(list(takewhile(_is_utf8, texts)))
        if not good:
            raise
        position -= sum(header_size + skip + len(text) for text in texts[good:])
        del ids[good:], texts[good:]
    return _new(Burst, (channel, ids, texts, Form.SAY, b"")), position


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


class _Unfinished:
    """A message that lacks parts. key: kind, id, part count, and the bytes before the text."""

    def __init__(self, key: tuple[int, int, int, bytes]) -> None:
        self.key = key
        self.texts: list[bytes] = []
        self.size = 0

    @property
    def held(self) -> int:
        return self.size + len(self.key[3])


def _no_such_kind(kind: int) -> ProtocolError:
    return ProtocolError(f"packet kind 0x{kind:02x} does not exist")


def _not_ours(magic: int, version: int) -> ProtocolError:
    if magic != MAGIC:
        return ProtocolError(f"not the chatroom's protocol (first byte 0x{magic:02x})")
    # Both sides' users may read it: the server repeats it in its refusal.
    text = (
        f"version {version} of the protocol was spoken, version {VERSION} is needed: update the older program"
    )
    return OldVersion(text) if version < VERSION else ProtocolError(text)


def _number_too_large(number: int) -> str:
    return f"the number {number} is too large; the limit is {MAX_NUMBER}"


def _parse_event(kind: int, id: int, payload: bytes) -> Event | Skipped | None:
    seq, time, person, place, extra_size, author_size, channel_size = EVENT_FIXED.unpack_from(payload)
    author_end = EVENT_FIXED.size + author_size
    channel_end = author_end + channel_size
    text = channel_end + extra_size
    if text > len(payload):
        raise ProtocolError("event cut short")
    if seq > MAX_NUMBER or time > MAX_TIME:
        raise ProtocolError("seq or time is too large")
    if author_size > NAME_BYTES or channel_size > CHANNEL_FIELD:
        raise ProtocolError("the author or the channel of an event is too long")
    extra = _extra(payload[channel_end:text]) if extra_size else b""
    if kind not in _EVENT_KINDS:
        return Skipped(seq, time) if seq else None  # without seq it is a signal, of which nothing is left
    return _new(
        Event,
        (
            seq,
            time,
            _EVENT_KINDS[kind],
            payload[author_end:channel_end].decode(),
            payload[EVENT_FIXED.size : author_end].decode(),
            payload[text:].decode(),
            id,
            person,
            place,
            extra,
            (),
        ),
    )


_EVENT_KINDS = {int(kind): kind for kind in EventKind}


def _parse_say(_kind: int, id: int, payload: bytes) -> Say:
    channel, rest = _take_string8(payload)
    form, extra_size = SAY_FIXED.unpack_from(rest)
    extra, text = _take(rest[SAY_FIXED.size :], extra_size)
    if not text and form == Form.SAY:
        raise ProtocolError("SAY without text")
    return Say(id, channel, text.decode(), form, _extra(extra))


def _parse_command(_kind: int, id: int, payload: bytes) -> Command:
    channel, text = _take_string8(payload)
    return Command(id, channel, text.decode())


def _parse_answer(_kind: int, id: int, payload: bytes) -> Answer:
    code, size = ANSWER_FIXED.unpack_from(payload)
    words, rows = _take(payload[ANSWER_FIXED.size :], size)
    return Answer(id, code, words.decode(), rows.decode())


def _parse_info(_kind: int, _id: int, payload: bytes) -> Info:
    return Info(_at_most(payload, TEXT_PART, "words").decode())


def _parse_channel(_kind: int, _id: int, payload: bytes) -> Channel:
    place, role, settings, size, topic_size, name_size = CHANNEL_FIXED.unpack_from(payload)
    name, rest = _take(payload[CHANNEL_FIXED.size :], name_size)
    topic, rows = _take(rest, topic_size)
    _at_most(name, CHANNEL_FIELD, "a channel")
    _at_most(topic, MAX_TOPIC, "a topic")
    return Channel(place, name.decode(), topic.decode(), settings, role, size, _members(rows))


def _members(rows: bytes) -> tuple[Present, ...]:
    members, at = [], 0
    while at < len(rows):
        person, role, size = CHANNEL_MEMBER.unpack_from(rows, at)
        start = at + CHANNEL_MEMBER.size
        at = start + size
        if at > len(rows) or size > NAME_BYTES:
            raise ProtocolError("a member in CHANNEL is cut short, or has too long a name")
        members.append(Present(person, role, rows[start:at].decode()))
    if len(members) > MAX_LISTED:
        raise ProtocolError(f"CHANNEL lists {len(members)} members; the limit is {MAX_LISTED}")
    return tuple(members)


def _parse_hello(_kind: int, _id: int, payload: bytes) -> Hello:
    software, rest = _take_string8(payload[1:])
    abilities = tuple(_reason(rest).split(" ")) if rest else ()
    if not all(abilities):
        raise ProtocolError("the abilities in HELLO are not separated by one space")
    return Hello(payload[0], software, abilities)


def _parse_username(_kind: int, _id: int, payload: bytes) -> Username:
    token, rest = _take(payload, TICKET_BYTES)
    size, rest = _take(rest, 1)
    name, rows = _take(rest, size[0])
    _at_most(name, NAME_BYTES, "a name")
    return Username(name.decode(), token, split_rows(_at_most(rows, MAX_CREDENTIALS, "credentials"), 2))


def _parse_status(_kind: int, _id: int, payload: bytes) -> Status:
    verdict, code = END_FIXED.unpack_from(payload)
    status = Status(Verdict(verdict), code, _reason(payload[END_FIXED.size :]))
    if status.verdict is not Verdict.FAIL and (code != Code.OK or status.reason):
        raise ProtocolError(f"STATUS {status.verdict.name} with a code or a reason")
    return status


def _parse_bye(_kind: int, _id: int, payload: bytes) -> Bye:
    again, code = END_FIXED.unpack_from(payload)
    return Bye(again != 0, code, _reason(payload[END_FIXED.size :]))


def _parse_port(_kind: int, _id: int, payload: bytes) -> Port:
    number, ticket = _take(payload, 2)
    _expect_size(ticket, TICKET_BYTES)
    return Port(int.from_bytes(number, "big"), ticket)


def _parse_admit(_kind: int, _id: int, payload: bytes) -> Admit:
    ticket, rest = _take(payload, TICKET_BYTES)
    since, time, identity, lines, count = ADMIT_FIXED.unpack_from(rest)
    if not 1 <= count <= MAX_CHANNELS:
        raise ProtocolError(f"ADMIT with {count} channels where 1 to {MAX_CHANNELS} can be")
    name, rest = _take_string8(rest[ADMIT_FIXED.size :])
    channels = []
    for _ in range(count):
        channel, rest = _take_string8(rest)
        channels.append(channel)
    _expect_size(rest, 0)
    return Admit(name, ticket, tuple(channels), _number(since), _time(time), identity, lines)


def _parse_welcome(_kind: int, _id: int, payload: bytes) -> Welcome:
    token, rest = _take(payload, TICKET_BYTES)
    identity, person, confirmed, head, resumed = WELCOME_FIXED.unpack_from(rest)
    name, rest = _take_string8(rest[WELCOME_FIXED.size :])
    _expect_size(rest, 0)
    return Welcome(name, token, identity, person, _number(confirmed), _number(head), Resumed(resumed))


def _parse_live(_kind: int, _id: int, payload: bytes) -> Live:
    _expect_size(payload, LIVE_FIXED.size)
    seq, time = LIVE_FIXED.unpack(payload)
    return Live(_number(seq), _time(time))


def _number(number: int) -> int:
    if number > MAX_NUMBER:
        raise ProtocolError(_number_too_large(number))
    return number


def _time(time: int) -> int:
    if time > MAX_TIME:
        raise ProtocolError(f"the time {time} is too large; the limit is {MAX_TIME}")
    return time


def _reason(data: bytes) -> str:
    return _at_most(data, MAX_REASON, "a reason").decode()


def _extra(rows: bytes) -> bytes:
    """The rows, checked."""
    split_rows(_at_most(rows, MAX_EXTRA, "extra"), 1)
    return rows


def _at_most(data: bytes, limit: int, what: str) -> bytes:
    if len(data) > limit:
        raise ProtocolError(f"{what} of {len(data)} bytes; the limit is {limit}")
    return data


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


_PARSERS: dict[int, Callable[[int, int, bytes], Packet | None]] = {
    Kind.HELLO: _parse_hello,
    Kind.USERNAME: _parse_username,
    Kind.STATUS: _parse_status,
    Kind.PORT: _parse_port,
    Kind.ADMIT: _parse_admit,
    Kind.WELCOME: _parse_welcome,
    Kind.LIVE: _parse_live,
    Kind.SAY: _parse_say,
    Kind.ANSWER: _parse_answer,
    Kind.COMMAND: _parse_command,
    Kind.INFO: _parse_info,
    Kind.PING: _bare(Ping),
    Kind.PONG: _bare(Pong),
    Kind.BYE: _parse_bye,
    Kind.CHANNEL: _parse_channel,
    Kind.REPLAY: _bare(Replay),
    **dict.fromkeys(EVENT_KINDS, _parse_event),
}


def _no_event(kind: int, _id: int, _payload: bytes) -> Packet:
    raise ProtocolError(f"an event (kind 0x{kind:02x}) cannot come from a member")


_PARSERS_OF_A_SERVER = {**_PARSERS, **dict.fromkeys(EVENT_KINDS, _no_event)}

# The kinds that may have several parts, with the size of what each part repeats of their payload.
_PREFIXES: dict[int, Callable[[bytes], int]] = {
    Kind.SAY: lambda payload: (
        1 + payload[0] + SAY_FIXED.size + SAY_FIXED.unpack_from(payload, 1 + payload[0])[1]
    ),
    Kind.ANSWER: lambda _payload: ANSWER_FIXED.size,
    Kind.CHANNEL: lambda payload: CHANNEL_FIXED.size + sum(CHANNEL_FIXED.unpack_from(payload)[4:]),
    **dict.fromkeys(
        EVENT_KINDS, lambda payload: EVENT_FIXED.size + sum(EVENT_FIXED.unpack_from(payload)[4:])
    ),
}
