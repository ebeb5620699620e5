"""The wire: encoded packets come back, however they are split; broken bytes raise only ProtocolError."""

from __future__ import annotations

import itertools
import typing

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

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
    TEXT_PART,
)
from chatroom.packets import (
    HEADER,
    MAGIC,
    NO_TOKEN,
    VERSION,
    Admit,
    Bye,
    Command,
    Decoder,
    Hello,
    Kind,
    Live,
    Notice,
    Packet,
    Ping,
    Port,
    Say,
    Status,
    Username,
    Welcome,
    encode,
    encode_event,
    split_text,
)
from tests.chatroom import strategies

HELD_LIMIT = (
    HEADER.size + MAX_PAYLOAD + MAX_TEXT + MAX_PAYLOAD
)  # one packet, one text, and the fields before the text

SAID = Event(1, 1_700_000_000_000, EventKind.SAID, "#general", "ann", "hi", 7)


def frame(kind: int, payload: bytes, id: int = 0, part: int = 0, parts: int = 1) -> bytes:
    """A packet made by hand, as a peer in another language might make it wrongly."""
    return HEADER.pack(MAGIC, VERSION, kind, 0, len(payload), id, part, parts) + payload


def decode(data: bytes) -> list[Packet]:
    """The packets of a whole stream."""
    return Decoder().feed(data)


def split_at(data: bytes, places: typing.Iterable[int]) -> list[bytes]:
    """The stream, split at the given places (taken modulo its length)."""
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:stop] for start, stop in itertools.pairwise(edges)]


# --- encode, then decode --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", strategies.kinds, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_every_kind_comes_back(kind: type, data: st.DataObject) -> None:
    """A packet of any kind is equal and of the same type after encoding and decoding."""
    packet = data.draw(strategies.kinds[kind])
    (back,) = decode(encode(packet))
    assert back == packet
    assert type(back) is kind


def test_no_kind_is_forgotten() -> None:
    """Every member of the union Packet is in the property tests, and every kind number can be decoded."""
    assert set(strategies.kinds) == set(typing.get_args(Packet))
    assert len(Kind) + 1 == len(strategies.kinds)


@given(st.one_of(strategies.long_events, strategies.long_says))
def test_long_texts_come_back(packet: Packet) -> None:
    """A text of any length up to the limit is decoded to one message."""
    assert decode(encode(packet)) == [packet]


@given(strategies.events)
def test_encode_event_is_encode(event: Event) -> None:
    """The fast path for events makes the same bytes as the general one."""
    assert encode_event(event) == encode(event)


@given(st.lists(strategies.packets, max_size=8), st.lists(st.integers(0), max_size=10))
def test_several_packets_split_anywhere(packets: list[Packet], places: list[int]) -> None:
    """Any number of packets in one segment, one packet over any number of segments: the same packets."""
    decoder, found = Decoder(), []
    for chunk in split_at(b"".join(map(encode, packets)), places):
        found += decoder.feed(chunk)
    assert found == packets
    assert decoder.held == 0


@settings(max_examples=20)
@given(st.lists(strategies.packets, min_size=1, max_size=4))
def test_byte_by_byte(packets: list[Packet]) -> None:
    """A stream that comes one byte at a time gives every packet with its last byte, not later."""
    decoder = Decoder()
    for packet in packets:
        data = encode(packet)
        assert [decoder.feed(data[at : at + 1]) for at in range(len(data) - 1)] == [[]] * (len(data) - 1)
        assert decoder.feed(data[-1:]) == [packet]


@settings(max_examples=20)
@given(strategies.long_says, st.lists(st.integers(0), max_size=10))
def test_long_text_cut_anywhere(say: Say, places: list[int]) -> None:
    """The network may split the parts of a long text anywhere."""
    decoder, found = Decoder(), []
    for chunk in split_at(encode(say), places):
        found += decoder.feed(chunk)
    assert found == [say]


# --- several packets for one message --------------------------------------------------------------------


@given(strategies.long_texts(), st.integers(4, 5000))
def test_cut_never_inside_a_character(text: str, size: int) -> None:
    """Every part of a text is UTF-8 by itself, none is longer than asked, and together they are the text."""
    parts = list(split_text(text.encode(), size))
    assert "".join(part.decode() for part in parts) == text
    assert all(0 < len(part) <= size for part in parts)


@pytest.mark.parametrize("letter", ["x", "é", "漢", "🙂"])
def test_longest_text(letter: str) -> None:
    """A text of exactly the limit travels in fewer than MAX_PARTS packets; one byte more is refused."""
    text = letter * (MAX_TEXT // len(letter.encode()))
    text += "x" * (MAX_TEXT - len(text.encode()))
    data = encode(Say(1, "#general", text))
    assert HEADER.unpack_from(data)[7] < MAX_PARTS
    assert decode(data) == [Say(1, "#general", text)]
    with pytest.raises(ValueError, match="limit"):
        encode(Say(1, "#general", text + "x"))
    with pytest.raises(ValueError, match="limit"):
        encode(SAID._replace(text=text + "x"))


def test_text_of_one_part_exactly() -> None:
    """A text that just fits is one packet, one byte more is two."""
    assert HEADER.unpack_from(encode(Say(1, "#a", "x" * TEXT_PART)))[6:] == (0, 1)
    assert HEADER.unpack_from(encode(Say(1, "#a", "x" * (TEXT_PART + 1))))[6:] == (0, 2)


def test_other_packets_between_parts() -> None:
    """A PING or a COMMAND may come between two parts of a text: a long line does not delay them."""
    say = Say(5, "#a", "x" * (TEXT_PART + 1))
    data = encode(say)
    first = data[: HEADER.size + 3 + TEXT_PART]
    ping = Ping(9)
    assert decode(first + encode(ping) + data[len(first) :]) == [ping, say]


PART = b"\x02#a" + b"x" * 10


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param([(5, PART, 0, 2), (6, PART, 1, 2)], id="another id"),
        pytest.param([(5, PART, 0, 2), (5, b"\x02#b" + b"x", 1, 2)], id="another channel"),
        pytest.param([(5, PART, 0, 2), (5, PART, 1, 3)], id="another count"),
        pytest.param([(5, PART, 0, 3), (5, PART, 2, 3)], id="a part left out"),
        pytest.param([(5, PART, 0, 3), (5, PART, 0, 3)], id="a part twice"),
        pytest.param([(5, PART, 1, 2)], id="not from the first"),
        pytest.param([(5, PART, 2, 2)], id="a part behind the last"),
        pytest.param([(5, PART, 0, 0)], id="no parts"),
        pytest.param([(5, PART, 1, 1)], id="second of one"),
        pytest.param([(5, PART, 0, MAX_PARTS + 1)], id="too many parts"),
        pytest.param([(5, PART, 0, 2), (6, PART, 0, 1)], id="a whole line between"),
        pytest.param([(5, b"\x02#a", 0, 2), (5, b"\x02#a", 1, 2)], id="nothing in any part"),
        pytest.param([(5, b"\xff", 0, 2), (5, b"\xff", 1, 2)], id="channel cut short"),
        pytest.param([(5, b"", 0, 2)], id="empty payload"),
    ],
)
def test_parts_that_cannot_be(stream: list[tuple[int, bytes, int, int]]) -> None:
    """Parts that do not make one message, in order and without a gap, are a ProtocolError."""
    with pytest.raises(ProtocolError):
        decode(b"".join(frame(Kind.SAY, payload, id, part, parts) for id, payload, part, parts in stream))


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.SAY])
def test_only_texts_have_parts(kind: Kind) -> None:
    """A kind without a long text cannot come in parts."""
    with pytest.raises(ProtocolError, match="cannot be"):
        decode(frame(kind, b"\0" * 40, parts=2))


def test_parts_are_bounded_together() -> None:
    """Parts that add up to more than MAX_TEXT are refused before the last part."""
    decoder = Decoder()
    payload = b"\x02#a" + b"x" * TEXT_PART
    parts = [frame(Kind.SAY, payload, 5, part, MAX_PARTS) for part in range(MAX_PARTS)]
    for part in parts[: MAX_TEXT // TEXT_PART]:
        assert decoder.feed(part) == []
    with pytest.raises(ProtocolError, match="more than"):
        decoder.feed(parts[MAX_TEXT // TEXT_PART])


# --- broken input ---------------------------------------------------------------------------------------


def feed_all(chunks: list[bytes]) -> tuple[list[Packet], ProtocolError | None]:
    """All packets that a handler would get from the bytes; any error but ProtocolError fails."""
    decoder, found = Decoder(), []
    for chunk in chunks:
        try:
            found += decoder.feed(chunk)
            decoder.check()
        except ProtocolError as broken:
            return found, broken
        assert decoder.held <= HELD_LIMIT
    return found, None


@given(st.binary(max_size=300), st.lists(st.integers(0), max_size=5))
@example(bytes((MAGIC, VERSION)) * 10, [])
def test_garbage(data: bytes, places: list[int]) -> None:
    """Any bytes give packets or a ProtocolError, the same ones however the bytes are split."""
    found, error = feed_all(split_at(data, places))
    assert all(isinstance(packet, tuple) for packet in found)
    whole, whole_error = feed_all([data])
    assert found == whole
    assert (error is None) == (whole_error is None)


@settings(max_examples=200)
@given(
    st.lists(st.one_of(strategies.packets, strategies.long_says), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0), st.integers(0, 255)), min_size=1, max_size=4),
    st.lists(st.integers(0), max_size=4),
)
def test_mutation(packets: list[Packet], changes: list[tuple[int, int]], places: list[int]) -> None:
    """A valid stream with changed bytes gives packets or a ProtocolError, however it is split."""
    data = bytearray(b"".join(map(encode, packets)))
    for place, value in changes:
        data[place % len(data)] = value
    found, error = feed_all(split_at(bytes(data), places))
    whole, whole_error = feed_all([bytes(data)])
    assert found == whole
    assert (error is None) == (whole_error is None)


@settings(max_examples=200)
@given(st.sampled_from([*Kind, *EventKind]), st.binary(max_size=60))
def test_any_payload(kind: int, payload: bytes) -> None:
    """Any payload under a right header gives one packet that can be encoded again, or a ProtocolError."""
    try:
        (packet,) = decode(frame(kind, payload))
    except ProtocolError:
        return
    assert decode(encode(packet)) == [packet]


@given(st.binary(min_size=HEADER.size, max_size=HEADER.size).map(bytearray), st.integers(0, 40))
def test_memory_is_bounded_whatever_a_header_announces(header: bytearray, more: int) -> None:
    """However much a header announces, the decoder never holds more than one packet and one text."""
    header[:3] = MAGIC, VERSION, Kind.SAY
    decoder, sent = Decoder(), 0
    try:
        decoder.feed(bytes(header))
        for _ in range(more):
            decoder.feed(b"\0" * 4096)
            sent += 4096
            assert decoder.held <= HELD_LIMIT
    except ProtocolError:
        assert decoder.held == 0


@pytest.mark.parametrize("length", [MAX_PAYLOAD + 1, 2**31, 2**32 - 1])
def test_too_much_announced(length: int) -> None:
    """A payload over the limit is refused at its header, before the decoder holds any byte of it."""
    header = HEADER.pack(MAGIC, VERSION, Kind.NOTICE, 0, length, 0, 0, 1)
    decoder = Decoder()
    assert decoder.feed(header[:-1]) == []
    with pytest.raises(ProtocolError, match="limit"):
        decoder.feed(header[-1:])
    assert decoder.held == 0


@pytest.mark.parametrize(
    "request_", [b"GET / HTTP/1.1\r\n\r\n", b"G", b"\x16\x03\x01\x02\x00", b"SSH-2.0-x\r\n"]
)
def test_other_protocols(request_: bytes) -> None:
    """An HTTP request, a TLS hello, an SSH banner: refused at the first byte, without a whole header."""
    with pytest.raises(ProtocolError, match="not the chatroom's protocol"):
        Decoder().feed(request_[:1])
    with pytest.raises(ProtocolError, match="not the chatroom's protocol"):
        Decoder().feed(request_)


def test_other_version() -> None:
    """The error names the version that is not supported."""
    with pytest.raises(ProtocolError, match="version 9"):
        decode(HEADER.pack(MAGIC, 9, Kind.PING, 0, 0, 0, 0, 1))


def test_unknown_kind() -> None:
    """The error names the kind that does not exist."""
    with pytest.raises(ProtocolError, match="0x7f"):
        decode(frame(0x7F, b""))


def test_flags_are_ignored() -> None:
    """The decoder ignores the flags: they are for a later version."""
    data = bytearray(encode(SAID))
    data[3] = 0xFF
    assert decode(bytes(data)) == [SAID]


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        pytest.param(Kind.STATUS, b"", id="STATUS without code"),
        pytest.param(Kind.STATUS, b"\x09", id="STATUS with unknown code"),
        pytest.param(Kind.STATUS, b"\x01" + b"x" * (MAX_REASON + 1), id="reason too long"),
        pytest.param(Kind.USERNAME, NO_TOKEN + b"x" * (NAME_BYTES + 1), id="name too long"),
        pytest.param(Kind.USERNAME, NO_TOKEN + b"\xff", id="name not UTF-8"),
        pytest.param(Kind.USERNAME, b"short", id="token cut short"),
        pytest.param(Kind.PORT, b"\0\1" + b"x" * 15, id="ticket cut short"),
        pytest.param(Kind.PORT, b"\0\1" + b"x" * 17, id="ticket too long"),
        pytest.param(Kind.ADMIT, NO_TOKEN + b"\xff" * 8 + b"\0\0\0\0", id="since beyond 63 bits"),
        pytest.param(Kind.ADMIT, NO_TOKEN + b"\0" * 13, id="ADMIT with something behind it"),
        pytest.param(Kind.WELCOME, NO_TOKEN + b"\xff" * 16 + b"\0\0", id="head beyond 63 bits"),
        pytest.param(Kind.LIVE, b"\xff" * 8, id="LIVE beyond 63 bits"),
        pytest.param(Kind.LIVE, b"\0" * 7, id="LIVE cut short"),
        pytest.param(Kind.SAY, b"\x02#a", id="SAY without text"),
        pytest.param(Kind.SAY, b"\x09#a", id="SAY's channel cut short"),
        pytest.param(Kind.PING, b"x", id="PING with a payload"),
        pytest.param(EventKind.SAID, b"\0" * 17, id="event cut short"),
        pytest.param(EventKind.SAID, b"\0" * 16 + b"\x05\x05ann", id="event's names cut short"),
        pytest.param(EventKind.SAID, b"\xff" * 8 + b"\0" * 10, id="seq beyond 63 bits"),
        pytest.param(EventKind.SAID, b"\0" * 8 + b"\xff" * 8 + b"\0\0", id="time beyond the calendar"),
    ],
)
def test_malformed_payload(kind: int, payload: bytes) -> None:
    """A payload that is too short, too long or out of range is a ProtocolError."""
    with pytest.raises(ProtocolError):
        decode(frame(kind, payload))


def test_id_beyond_63_bits() -> None:
    """A message id that is too large for a database column is refused."""
    assert decode(frame(Kind.PING, b"", MAX_NUMBER)) == [Ping(MAX_NUMBER)]
    with pytest.raises(ProtocolError, match="too large"):
        decode(frame(Kind.PING, b"", MAX_NUMBER + 1))


@given(st.lists(strategies.packets, max_size=5))
def test_packets_before_the_error_are_not_lost(packets: list[Packet]) -> None:
    """Packets complete before a wrong byte are returned; every later call raises the error."""
    decoder = Decoder()
    data = b"".join(map(encode, packets)) + b"GET / HTTP/1.1"
    if packets:
        assert decoder.feed(data) == packets
    else:
        with pytest.raises(ProtocolError, match="not the chatroom's protocol"):
            decoder.feed(data)
    for again in (decoder.check, lambda: decoder.feed(encode(Ping(1)))):
        with pytest.raises(ProtocolError, match="not the chatroom's protocol"):
            again()


def test_check_is_silent_while_all_is_well() -> None:
    """check() raises nothing after valid bytes, complete or not."""
    decoder = Decoder()
    decoder.check()
    decoder.feed(encode(Ping(1))[:-1])
    decoder.check()


# --- packets that do not fit ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "packet",
    [
        Hello(256, ""),
        Hello(1, "x" * (MAX_REASON + 1)),
        Username("x" * (NAME_BYTES + 1), NO_TOKEN),
        Username("ann", b"short"),
        Status(0, "x" * (MAX_REASON + 1)),  # type: ignore[arg-type]
        Port(65536, NO_TOKEN),
        Port(-1, NO_TOKEN),
        Port(1, b""),
        Admit("ann", b"", "#a", 0, 0),
        Admit("ann", NO_TOKEN, "#a", -1, 0),
        Admit("ann", NO_TOKEN, "#a", 0, 65536),
        Admit("x" * 256, NO_TOKEN, "#a", 0, 0),
        Welcome("ann", "#a", b"", 0, 0),
        Live(-1),
        Live(2**64),
        Say(1, "#a", ""),
        Say(-1, "#a", "x"),
        Say(1, "x" * 256, "x"),
        Say(1, "#a", "\ud800"),
        Command(1, "#a", "x" * MAX_PAYLOAD),
        Notice(1, "x" * (MAX_PAYLOAD + 1)),
        Ping(-1),
        Ping(2**64),
        Bye(True, "x" * (MAX_REASON + 1)),
        SAID._replace(author="x" * 256),
        SAID._replace(channel="é" * 128),
        SAID._replace(seq=-1),
        SAID._replace(time=2**64),
        SAID._replace(id=-1),
        SAID._replace(text="\ud800"),
    ],
    ids=lambda packet: repr(packet)[:40],
)
def test_what_does_not_fit_is_a_value_error(packet: Packet) -> None:
    """A packet that the decoder would refuse raises ValueError in the encoder."""
    with pytest.raises(ValueError, match=r"."):
        encode(packet)


def test_largest_numbers_come_back() -> None:
    """The largest allowed seq, time and id can be decoded."""
    event = SAID._replace(seq=MAX_NUMBER, time=MAX_TIME, id=MAX_NUMBER)
    assert decode(encode(event)) == [event]
