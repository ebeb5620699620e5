"""The wire: encoded packets come back, however they are split; broken bytes raise only ProtocolError."""

from __future__ import annotations

import itertools
import typing

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chatroom.errors import OldVersion, ProtocolError
from chatroom.events import Event, EventKind, Talk
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
)
from chatroom.outcomes import Code
from chatroom.packets import (
    EVENT_KINDS,
    HEADER,
    MAGIC,
    NO_IDENTITY,
    NO_TOKEN,
    VERSION,
    Admit,
    Answer,
    Burst,
    Bye,
    Channel,
    Command,
    Decoder,
    Form,
    Hello,
    Info,
    Kind,
    Live,
    Packet,
    Ping,
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
    encode,
    encode_event,
    encode_refusal_v1,
    encode_said,
    split_rows,
    split_text,
)
from tests.chatroom import strategies

# One packet, the longest message in parts, and the fields before it.
HELD_LIMIT = HEADER.size + MAX_PAYLOAD + max(MAX_TEXT, MAX_ROWS) + MAX_PAYLOAD

SAID = Event(1, 1_700_000_000_000, EventKind.SAID, "#general", "ann", "hi", 7, 3, 1)
UNKNOWN = 0x7F  # a kind of event that this version does not know
WITH_PARTS = (Kind.SAY, Kind.ANSWER, Kind.CHANNEL)
ADMIT = Admit("ann", NO_TOKEN, ("#a",), 0, 0, NO_IDENTITY, 0)
WELCOME = Welcome("ann", NO_TOKEN, NO_IDENTITY, 1, 0, 0, Resumed.FRESH)
CHANNEL = Channel(1, "#a", "", 0, 0, 0, ())


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
    assert set(strategies.kinds) == set(typing.get_args(Packet)) - {Skipped, Burst}
    assert len(Kind) + 1 == len(strategies.kinds)


@given(st.one_of(strategies.long_events, strategies.long_says, strategies.long_answers))
def test_long_texts_come_back(packet: Packet) -> None:
    """A text of any length up to the limit is decoded to one message."""
    assert decode(encode(packet)) == [packet]


@given(strategies.events)
def test_encode_event_is_encode(event: Event) -> None:
    """The fast path for events makes the same bytes as the general one."""
    assert encode_event(event) == encode(event)


@given(st.one_of(strategies.talks, strategies.long_talks))
def test_encode_said_is_encode_event(talk: Talk) -> None:
    """Lines of one author are the same bytes whether they are encoded together or one by one."""
    assert encode_said(*talk) == [encode_event(event) for event in talk.events()]


def test_a_name_too_long_for_a_line() -> None:
    """Fields that all lines of an author share are checked as those of one event are."""
    with pytest.raises(ValueError, match="limit"):
        encode_said(1, 0, "#a", "n" * (NAME_BYTES + 1), 1, 1, [1], [b"x"])
    with pytest.raises(ValueError, match="limit"):
        encode_said(1, 0, "#a", "ann", 1, 1, [1], [b"x" * (MAX_TEXT + 1)])


def test_places_of_an_event_are_not_sent() -> None:
    """The places of a QUIT stay on the server: one of them may be hidden from a receiver."""
    quit_ = Event(5, 1, EventKind.QUIT, "", "ann", "has left", 0, 3, 0, b"", (1, 2))
    assert decode(encode(quit_)) == [quit_._replace(places=())]


@given(st.lists(st.one_of(strategies.says, strategies.kinds[Command]), max_size=8))
def test_lines_to_several_channels(packets: list[Packet]) -> None:
    """A line has its own channel, form and extra, whatever the line before it had."""
    assert decode(b"".join(map(encode, packets * 2))) == packets * 2


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


# --- bursts ---------------------------------------------------------------------------------------------


def bursts_of(*chunks: bytes) -> list[Packet]:
    """What a decoder gives that puts lines together."""
    decoder = Decoder()
    decoder.bursts = True
    return [packet for chunk in chunks for packet in decoder.feed(chunk)]


def apart(packets: list[Packet]) -> list[Packet]:
    """The same packets with each line by itself."""
    found: list[Packet] = []
    for packet in packets:
        if isinstance(packet, Burst):
            for id, text in zip(packet.ids, packet.texts, strict=True):
                found.append(Say(id, packet.channel, text.decode(), packet.form))
        else:
            found.append(packet)
    return found


def fed(decoder: Decoder, chunk: bytes) -> tuple[list[Packet], str, int, int]:
    """What comes of some bytes: packets, or an error; and what the decoder counts."""
    try:
        packets, error = decoder.feed(chunk), ""
    except ProtocolError as broken:
        packets, error = [], str(broken)
    return packets, error, decoder.held, decoder.scraps


def say_frame(channel: bytes, id: int, flags: int, text: bytes) -> bytes:
    """A plain line as any program may send it, right or wrong."""
    payload = bytes((len(channel),)) + channel + b"\0\0\0" + text
    return HEADER.pack(MAGIC, VERSION, Kind.SAY, flags, len(payload), id, 0, 1) + payload


LOW_IDS = st.integers(0, 9)


def line_frames(
    texts: st.SearchStrategy[bytes], ids: st.SearchStrategy[int] = LOW_IDS
) -> st.SearchStrategy[bytes]:
    """Lines for a few channels, with ids that often rise; flags are rare."""
    channels = st.sampled_from([b"#a", b"#a", b"#b", b""])
    return st.builds(say_frame, channels, ids, st.sampled_from([0, 0, 0, 0, 1]), texts)


GOOD = st.text(strategies.LETTERS, min_size=1, max_size=4).map(str.encode)
RUN = st.lists(GOOD, min_size=1, max_size=6).map(
    lambda texts: b"".join(say_frame(b"#a", id, 0, text) for id, text in enumerate(texts, 1))
)
OTHERS: list[Packet] = [Ping(3), Command(4, "#a", "/who"), Say(5, "#a", "x", 0, b"\1\0"), Say(6, "#a", "", 2)]
WELL_FORMED = st.one_of(
    RUN,
    line_frames(GOOD),
    strategies.says.map(encode),
    strategies.long_says.map(encode),
    st.sampled_from(OTHERS).map(encode),
)
BROKEN = st.one_of(
    line_frames(st.sampled_from([b"\xff", b"a\xe4", b"\xf0\x9f\x99", b"\x82", b"\xed\xa0\x80", b""])),
    line_frames(GOOD, st.integers(MAX_NUMBER + 1, 2**64 - 1)),
    line_frames(st.just(b"x" * MAX_PAYLOAD)),
    st.just(say_frame(b"\xff", 8, 0, b"x")),
    st.sampled_from([(0, 2), (1, 1), (1, 2)]).map(lambda part: frame(Kind.SAY, b"\2#a\0\0\0x", 9, *part)),
    st.sampled_from(
        [frame(Kind.SAY, b""), frame(Kind.SAY, b"\xff#a"), frame(0x1F, b""), b"GET /", b"\xc7\1"]
    ),
)


@example([frame(Kind.SAY, b"")], [])
@given(st.lists(WELL_FORMED | BROKEN, max_size=6), st.lists(st.integers(0, 300), max_size=6))
def test_bursts_are_the_same_lines(frames: list[bytes], places: list[int]) -> None:
    """Whatever comes and however it is cut: the same lines, other packets and errors as line by line."""
    one_by_one, together = Decoder(), Decoder()
    together.bursts = True
    for chunk in split_at(b"".join(frames), places):
        wanted, found = fed(one_by_one, chunk), fed(together, chunk)
        assert (apart(found[0]), *found[1:]) == wanted
        for packet in found[0]:
            if isinstance(packet, Burst):
                assert all(one < other for one, other in itertools.pairwise(packet.ids))
                assert packet.ids and all(packet.texts)
        for one, other in itertools.pairwise(found[0]):
            assert not (isinstance(one, Burst) and isinstance(other, Burst) and other.goes_on(one))


BETWEEN = {
    "a line": say_frame(b"#a", 2, 0, b"x"),
    "the same id": say_frame(b"#a", 1, 0, b"x"),
    "a lower id": say_frame(b"#a", 0, 0, b"x"),
    "another channel": say_frame(b"#b", 2, 0, b"x"),
    "flags": say_frame(b"#a", 2, 1, b"x"),
    "the largest id": say_frame(b"#a", MAX_NUMBER, 0, b"x"),
    "too large an id": say_frame(b"#a", MAX_NUMBER + 1, 0, b"x"),
    "no text": say_frame(b"#a", 2, 0, b""),
    "too long a payload": say_frame(b"#a", 2, 0, b"x" * MAX_PAYLOAD),
    "not UTF-8": say_frame(b"#a", 2, 0, b"x\xff"),
    "half a character": say_frame(b"#a", 2, 0, b"x\xc3"),
    "half a character, and the rest": say_frame(b"#a", 2, 0, b"\xc3") + say_frame(b"#a", 3, 0, b"\xa4"),
    "a channel that is not UTF-8": say_frame(b"\xff", 2, 0, b"x"),
    "another form": encode(Say(2, "#a", "x", Form.ACT)),
    "another form without text": encode(Say(2, "#a", "", Form.ACT)),
    "an extra": encode(Say(2, "#a", "x", 0, b"\1\0")),
    "parts": encode(Say(2, "#a", "x" * (TEXT_PART + 1))),
    "the first part only": frame(Kind.SAY, b"\2#a\0\0\0x", 2, 0, 2),
    "a part that cannot be": frame(Kind.SAY, b"\2#a\0\0\0x", 2, 1, 1),
    "a second part only": frame(Kind.SAY, b"\2#a\0\0\0x", 2, 1, 2),
    "a command with the same payload": frame(Kind.COMMAND, b"\2#a\0\0\0x", 2),
    "a kind that does not exist": frame(0x1F, b"\2#a\0\0\0x", 2),
    "an older version": b"\xc7\1" + say_frame(b"#a", 2, 0, b"x")[2:],
    "another protocol": b"\xc8" + say_frame(b"#a", 2, 0, b"x")[1:],
    "no payload": frame(Kind.SAY, b""),
    "a ping": encode(Ping(2)),
}


@pytest.mark.parametrize("between", BETWEEN.values(), ids=BETWEEN)
def test_what_stands_between_lines(between: bytes) -> None:
    """Whatever stands between lines, and wherever the network cuts: the same packets as one by one."""
    data = say_frame(b"#a", 1, 0, b"one") + between + say_frame(b"#a", 9, 0, b"nine")
    for cut in range(1, len(data) + 1, max(1, len(data) // 200)):
        one_by_one, together = Decoder(), Decoder()
        together.bursts = True
        for chunk in (data[:cut], data[cut:], b""):
            wanted, found = fed(one_by_one, chunk), fed(together, chunk)
            assert (apart(found[0]), *found[1:]) == wanted


def test_what_a_burst_has() -> None:
    """Plain lines for one channel with rising ids are one burst; its texts are the bytes that came."""
    lines = [Say(3, "#straße", "é"), Say(5, "#straße", "two"), Say(MAX_NUMBER, "#straße", "🙂")]
    (burst,) = bursts_of(b"".join(map(encode, lines)))
    assert burst == Burst("#straße", [3, 5, MAX_NUMBER], ["é".encode(), b"two", "🙂".encode()])
    assert isinstance(burst, Burst) and burst.size == 9


@pytest.mark.parametrize(
    "other",
    [
        Say(2, "#b", "x"),
        Say(1, "#a", "x"),
        Say(0, "#a", "x"),
        Say(2, "#a", "x", Form.ACT),
        Say(2, "#a", "x", 0, b"\1\0"),
        Say(2, "#a", "x" * (TEXT_PART + 1)),
        Ping(2),
    ],
    ids=["channel", "same id", "lower id", "form", "extra", "parts", "no line"],
)
def test_what_ends_a_burst(other: Packet) -> None:
    """A line for another channel, or with an id that does not rise, or not plain, is not in the burst."""
    before, behind = Say(1, "#a", "one"), Say(9, "#a", "nine")
    first, *rest = bursts_of(b"".join(map(encode, (before, other, behind))))
    assert first == Burst("#a", [1], [b"one"])
    assert apart(rest) == [other, behind]


def test_lines_are_not_put_together_unasked() -> None:
    """A decoder that is not told to gives each line as a Say: in the handshake, and in a client."""
    assert decode(encode(Say(1, "#a", "x")) * 2) == [Say(1, "#a", "x")] * 2


def test_wrong_bytes_within_a_burst() -> None:
    """The lines before one that is not UTF-8 come, none behind it does, although it would end a character."""
    frames = [say_frame(b"#a", id, 0, text) for id, text in enumerate((b"a", b"b\xc3", b"\xa4c", b"d"), 1)]
    decoder = Decoder()
    decoder.bursts = True
    assert decoder.feed(b"".join(frames)) == [Burst("#a", [1], [b"a"])]
    with pytest.raises(ProtocolError, match="malformed"):
        decoder.feed(b"")


def test_a_part_of_a_burst() -> None:
    """part() has some of the lines, with their ids; all of them are the same object."""
    burst = Burst("#a", [1, 2, 5], [b"one", b"two", b"five"], Form.ACT)
    assert burst.part(1, 3) == Burst("#a", [2, 5], [b"two", b"five"], Form.ACT)
    assert burst.part(0, 1) == Burst("#a", [1], [b"one"], Form.ACT)
    assert burst.part(0, 3) is burst


def test_a_burst_goes_on() -> None:
    """Lines can come behind those of another burst if channel and form are the same and ids go on rising."""
    burst = Burst("#a", [1, 4], [b"x", b"x"])
    assert Burst("#a", [5], [b"x"]).goes_on(burst)
    assert not Burst("#a", [4, 5], [b"x", b"x"]).goes_on(burst)
    assert not Burst("#b", [5], [b"x"]).goes_on(burst)
    assert not Burst("#a", [5], [b"x"], Form.ACT).goes_on(burst)


def test_a_burst_is_never_sent() -> None:
    """A Burst is what a decoder makes of lines; only those are sent."""
    with pytest.raises(ValueError, match="Burst is never sent"):
        encode(Burst("#a", [1], [b"x"]))


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
    first = data[: HEADER.size + 6 + TEXT_PART]
    ping = Ping(9)
    assert decode(first + encode(ping) + data[len(first) :]) == [ping, say]


PLAIN = b"\x02#a\0\0\0"
PART = PLAIN + b"x" * 10


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param([(5, PART, 0, 2), (6, PART, 1, 2)], id="another id"),
        pytest.param([(5, PART, 0, 2), (5, b"\x02#b\0\0\0" + b"x", 1, 2)], id="another channel"),
        pytest.param([(5, PART, 0, 2), (5, b"\x02#a\1\0\0" + b"x", 1, 2)], id="another form"),
        pytest.param([(5, PART, 0, 2), (5, b"\x02#a\0\0\2\1\0" + b"x", 1, 2)], id="another extra"),
        pytest.param([(5, PART, 0, 2), (5, PART, 1, 3)], id="another count"),
        pytest.param([(5, PART, 0, 3), (5, PART, 2, 3)], id="a part left out"),
        pytest.param([(5, PART, 0, 3), (5, PART, 0, 3)], id="a part twice"),
        pytest.param([(5, PART, 1, 2)], id="not from the first"),
        pytest.param([(5, PART, 2, 2)], id="a part behind the last"),
        pytest.param([(5, PART, 0, 0)], id="no parts"),
        pytest.param([(5, PART, 1, 1)], id="second of one"),
        pytest.param([(5, PART, 0, MAX_PARTS + 1)], id="too many parts"),
        pytest.param([(5, PART, 0, 2), (6, PART, 0, 1)], id="a whole line between"),
        pytest.param([(5, PLAIN, 0, 2), (5, PLAIN, 1, 2)], id="nothing in any part"),
        pytest.param([(5, b"\xff", 0, 2)], id="channel cut short"),
        pytest.param([(5, b"\x02#a\0\0\5x", 0, 2)], id="extra cut short"),
        pytest.param([(5, b"", 0, 2)], id="empty payload"),
    ],
)
def test_parts_that_cannot_be(stream: list[tuple[int, bytes, int, int]]) -> None:
    """Parts that do not make one message, in order and without a gap, are a ProtocolError."""
    with pytest.raises(ProtocolError):
        decode(b"".join(frame(Kind.SAY, payload, id, part, parts) for id, payload, part, parts in stream))


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in WITH_PARTS])
def test_only_texts_and_lists_have_parts(kind: Kind) -> None:
    """A kind without a long text or list cannot come in parts."""
    with pytest.raises(ProtocolError, match="cannot be"):
        decode(frame(kind, b"\0" * 40, parts=2))


def test_longest_list_of_members() -> None:
    """CHANNEL lists MAX_LISTED members with the longest names, and cuts no row; one more is refused."""
    member = Present(2**32 - 1, 0, "漢" * (NAME_BYTES // 3))
    channel = CHANNEL._replace(
        name="#" + "x" * (CHANNEL_FIELD - 1),
        topic="t" * MAX_TOPIC,
        size=MAX_LISTED,
        members=(member,) * MAX_LISTED,
    )
    data = encode(channel)
    assert decode(data) == [channel]
    parts, at = HEADER.unpack_from(data)[7], 0
    assert 1 < parts < MAX_PARTS
    for _ in range(parts):
        length = HEADER.unpack_from(data, at)[4]
        rows = length - 13 - CHANNEL_FIELD - MAX_TOPIC
        assert rows <= TEXT_PART
        assert rows % (6 + NAME_BYTES) == 0
        at += HEADER.size + length
    one_more = channel._replace(members=(member,) * (MAX_LISTED + 1))
    with pytest.raises(ValueError, match="limit"):
        encode(one_more)


def test_too_many_members() -> None:
    """More listed members than MAX_LISTED are a ProtocolError, also when their bytes are few."""
    rows, prefix = bytes(6) * 600, encode(CHANNEL)[HEADER.size :]
    with pytest.raises(ProtocolError, match="limit"):
        decode(b"".join(frame(Kind.CHANNEL, prefix + rows, 0, part, 2) for part in range(2)))


def test_rows_may_be_cut_by_others() -> None:
    """The receiver joins the parts of CHANNEL before it reads them, so a cut within a row does no harm."""
    channel = CHANNEL._replace(size=1, members=(Present(1, 0, "ann"),))
    payload = encode(channel)[HEADER.size :]
    cut = len(payload) - 5
    prefix = payload[: len(payload) - 9]
    assert decode(
        frame(Kind.CHANNEL, payload[:cut], 0, 0, 2) + frame(Kind.CHANNEL, prefix + payload[cut:], 0, 1, 2)
    ) == [channel]


def test_longest_answer() -> None:
    """Words and rows of an ANSWER have MAX_TEXT bytes together; the cut may fall where one begins."""
    answer = Answer(7, Code.OK, "é" * (TEXT_PART // 2), "[" + " " * (MAX_TEXT - TEXT_PART - 2) + "]")
    assert decode(encode(answer)) == [answer]
    with pytest.raises(ValueError, match="limit"):
        encode(answer._replace(rows=answer.rows + " "))


def test_the_longest_event_fits() -> None:
    """One part carries TEXT_PART bytes of text after the longest author, channel and extra."""
    extra = (b"\1\xfe" + bytes(254)) * 2
    assert len(extra) == MAX_EXTRA
    event = SAID._replace(
        author="x" * NAME_BYTES, channel="@" + "x" * NAME_BYTES, extra=extra, text="t" * (TEXT_PART + 1)
    )
    data = encode(event)
    assert (
        HEADER.unpack_from(data)[4] == 28 + NAME_BYTES + CHANNEL_FIELD + MAX_EXTRA + TEXT_PART <= MAX_PAYLOAD
    )
    assert decode(data) == [event]


def test_the_largest_admit_fits() -> None:
    """ADMIT with MAX_CHANNELS channels of the longest names is one packet."""
    channels = tuple(f"#{number:095}" for number in range(MAX_CHANNELS))
    admit = ADMIT._replace(name="x" * NAME_BYTES, channels=channels)
    assert decode(encode(admit)) == [admit]


# --- what this version does not know ----------------------------------------------------------------------


@given(strategies.events, st.sampled_from(sorted(set(EVENT_KINDS) - set(EventKind))))
def test_unknown_event(event: Event, kind: int) -> None:
    """An event of an unknown kind gives its seq and time; without a seq (a signal) it gives nothing."""
    data = bytearray(encode(event))
    data[2] = kind
    assert decode(bytes(data)) == ([Skipped(event.seq, event.time)] if event.seq else [])


def test_unknown_event_in_parts() -> None:
    """The parts of an unknown event are gathered like those of a known one: it is skipped once."""
    data = encode(SAID._replace(text="x" * (TEXT_PART + 1)))
    first = HEADER.size + HEADER.unpack_from(data)[4]
    parts = [bytearray(data[:first]), bytearray(data[first:])]
    for part in parts:
        part[2] = UNKNOWN
    assert decode(b"".join(parts) + encode(SAID)) == [Skipped(SAID.seq, SAID.time), SAID]


def test_skipped_is_never_sent() -> None:
    """What was skipped cannot be encoded: its bytes are gone."""
    with pytest.raises(ValueError, match="never sent"):
        encode(Skipped(1, 1))


@pytest.mark.parametrize(
    "packet",
    [
        Say(1, "#a", "x", 99, b"\xc8\x01x"),
        Say(1, "#a", "", Form.DELETE, b"\1\0"),
        SAID._replace(extra=b"\xc8\x02ab\xc9\0"),
        Username("ann", NO_TOKEN, ((200, b"?"), (1, b"secret"), (200, b""))),
        Hello(VERSION, "x", ("something-new",)),
        Hello(9, "x"),
        Status(Verdict.FAIL, 999, "new"),
        Answer(1, 999, "new"),
        Bye(True, 999, "new"),
        CHANNEL._replace(settings=255, role=9),
    ],
    ids=repr,
)
def test_what_is_new_in_a_field(packet: Packet) -> None:
    """Unknown codes, roles, forms, abilities and keys are kept: they are not errors."""
    assert decode(encode(packet)) == [packet]


def test_rows() -> None:
    """Rows are pairs of key and value, in their order; the length has one or two bytes."""
    assert split_rows(b"", 1) == ()
    assert split_rows(b"\1\2ab\1\0\xff\1c", 1) == ((1, b"ab"), (1, b""), (255, b"c"))
    assert split_rows(b"\1\0\2ab", 2) == ((1, b"ab"),)
    for cut in (b"\1", b"\1\1", b"\1\2a"):
        with pytest.raises(ProtocolError, match="cut short"):
            split_rows(cut, 1)


# --- bounds -------------------------------------------------------------------------------------------------


def test_parts_are_bounded_together() -> None:
    """Parts that add up to more than MAX_TEXT are refused before the last part."""
    decoder = Decoder()
    payload = PLAIN + b"x" * TEXT_PART
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
    header = HEADER.pack(MAGIC, VERSION, Kind.INFO, 0, length, 0, 0, 1)
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


def test_newer_version() -> None:
    """The error names the version that is not supported."""
    with pytest.raises(ProtocolError, match="version 9") as caught:
        decode(HEADER.pack(MAGIC, 9, Kind.PING, 0, 0, 0, 0, 1))
    assert type(caught.value) is ProtocolError


def test_older_version() -> None:
    """A header of version 1 is an OldVersion that says what helps, also at the next call."""
    decoder = Decoder()
    for _ in range(2):
        with pytest.raises(OldVersion, match=r"version 1 .* version 2 is needed"):
            decoder.feed(bytes.fromhex("c701010000000008000000000000000000000001016578616d706c65"))


def test_refusal_of_version_1() -> None:
    """A client of version 1 gets STATUS FAIL as it knows it: one byte 1, then the reason."""
    assert (
        encode_refusal_v1("update") == bytes.fromhex("c70103000000000700000000000000000000000101") + b"update"
    )
    with pytest.raises(ValueError, match="limit"):
        encode_refusal_v1("x" * (MAX_REASON + 1))


@pytest.mark.parametrize("kind", [0, max(Kind) + 1, EVENT_KINDS.start - 1, EVENT_KINDS.stop, 255])
def test_unknown_kind(kind: int) -> None:
    """The error names the kind that does not exist."""
    with pytest.raises(ProtocolError, match=f"0x{kind:02x}"):
        decode(frame(kind, b""))


def test_flags_are_ignored() -> None:
    """The decoder ignores the flags: they are for a later version."""
    data = bytearray(encode(SAID))
    data[3] = 0xFF
    assert decode(bytes(data)) == [SAID]


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        pytest.param(Kind.HELLO, b"", id="HELLO without version"),
        pytest.param(Kind.HELLO, b"\2\5x", id="HELLO's software cut short"),
        pytest.param(Kind.HELLO, b"\2\1x" + b"a" * (MAX_REASON + 1), id="abilities too long"),
        pytest.param(Kind.HELLO, b"\2\1xa  b", id="abilities with two spaces"),
        pytest.param(Kind.HELLO, b"\2\1x ", id="an ability without letters"),
        pytest.param(Kind.STATUS, b"", id="STATUS without verdict"),
        pytest.param(Kind.STATUS, b"\1\0", id="STATUS with half a code"),
        pytest.param(Kind.STATUS, b"\x09\0\0", id="STATUS with unknown verdict"),
        pytest.param(Kind.STATUS, b"\x01\0\0" + b"x" * (MAX_REASON + 1), id="reason too long"),
        pytest.param(Kind.STATUS, b"\0\0\0x", id="PASS with a reason"),
        pytest.param(Kind.STATUS, b"\0\0\x28", id="PASS with a code"),
        pytest.param(Kind.STATUS, b"\2\0\0x", id="END with a reason"),
        pytest.param(Kind.USERNAME, NO_TOKEN + b"\x61" + b"x" * (NAME_BYTES + 1), id="name too long"),
        pytest.param(Kind.USERNAME, NO_TOKEN + b"\1\xff", id="name not UTF-8"),
        pytest.param(Kind.USERNAME, NO_TOKEN + b"\2x", id="name cut short"),
        pytest.param(Kind.USERNAME, NO_TOKEN, id="no name"),
        pytest.param(Kind.USERNAME, NO_TOKEN + b"\1x\1\0\5abc", id="credential cut short"),
        pytest.param(Kind.USERNAME, NO_TOKEN + b"\1x\1\3\xfe" + bytes(1022), id="too many credentials"),
        pytest.param(Kind.USERNAME, b"short", id="token cut short"),
        pytest.param(Kind.PORT, b"\0\1" + b"x" * 15, id="ticket cut short"),
        pytest.param(Kind.PORT, b"\0\1" + b"x" * 17, id="ticket too long"),
        pytest.param(Kind.ADMIT, NO_TOKEN + b"\xff" * 8 + bytes(26) + b"\1\0\0", id="since beyond 63 bits"),
        pytest.param(
            Kind.ADMIT,
            NO_TOKEN + bytes(8) + b"\xff" * 8 + bytes(18) + b"\1\0\0",
            id="ADMIT beyond the calendar",
        ),
        pytest.param(Kind.ADMIT, NO_TOKEN + bytes(34) + b"\1\0\0x", id="ADMIT with something behind it"),
        pytest.param(Kind.ADMIT, NO_TOKEN + bytes(34) + b"\0\0", id="ADMIT without channels"),
        pytest.param(Kind.ADMIT, NO_TOKEN + bytes(34) + b"\2\0\0", id="ADMIT with a channel too few"),
        pytest.param(
            Kind.ADMIT, NO_TOKEN + bytes(34) + bytes((MAX_CHANNELS + 1,)) + bytes(52), id="too many channels"
        ),
        pytest.param(Kind.WELCOME, NO_TOKEN + bytes(20) + b"\xff" * 16 + b"\0\0", id="head beyond 63 bits"),
        pytest.param(Kind.WELCOME, NO_TOKEN + bytes(36) + b"\x09\0", id="resumed in an unknown way"),
        pytest.param(Kind.LIVE, b"\xff" * 8 + bytes(8), id="LIVE beyond 63 bits"),
        pytest.param(Kind.LIVE, bytes(8) + b"\xff" * 8, id="LIVE beyond the calendar"),
        pytest.param(Kind.LIVE, b"\0" * 15, id="LIVE cut short"),
        pytest.param(Kind.REPLAY, b"x", id="REPLAY with a payload"),
        pytest.param(Kind.CHANNEL, bytes(12), id="CHANNEL cut short"),
        pytest.param(Kind.CHANNEL, bytes(12) + b"\2#", id="CHANNEL's name cut short"),
        pytest.param(Kind.CHANNEL, bytes(10) + b"\0\2\0t", id="topic cut short"),
        pytest.param(Kind.CHANNEL, bytes(10) + b"\2\1\0" + b"t" * 513, id="topic too long"),
        pytest.param(Kind.CHANNEL, bytes(12) + b"\x62" + b"#" * 98, id="CHANNEL's name too long"),
        pytest.param(Kind.CHANNEL, bytes(13) + bytes(5), id="member cut short"),
        pytest.param(Kind.CHANNEL, bytes(13) + bytes(5) + b"\3an", id="member's name cut short"),
        pytest.param(Kind.CHANNEL, bytes(13) + bytes(5) + b"\x61" + b"x" * 97, id="member's name too long"),
        pytest.param(Kind.SAY, b"\x02#a\0\0\0", id="SAY without text"),
        pytest.param(Kind.SAY, b"\x02#a\0\0", id="SAY cut short"),
        pytest.param(Kind.SAY, b"\x09#a\0\0\0", id="SAY's channel cut short"),
        pytest.param(Kind.SAY, b"\x02#a\0\0\5\1\0", id="SAY's extra cut short"),
        pytest.param(Kind.SAY, b"\x02#a\0\0\3\1\2ax", id="a row of SAY's extra cut short"),
        pytest.param(Kind.SAY, b"\x02#a\0\2\2" + b"\1\xff" * 257 + b"x", id="SAY's extra too long"),
        pytest.param(Kind.ANSWER, bytes(5), id="ANSWER cut short"),
        pytest.param(Kind.ANSWER, bytes(5) + b"\2x", id="ANSWER's words cut short"),
        pytest.param(Kind.ANSWER, bytes(5) + b"\1\xc3\xa9", id="ANSWER's words end within a character"),
        pytest.param(Kind.INFO, b"x" * (TEXT_PART + 1), id="INFO too long"),
        pytest.param(Kind.PING, b"x", id="PING with a payload"),
        pytest.param(Kind.BYE, b"\1\0", id="BYE cut short"),
        pytest.param(EventKind.SAID, b"\0" * 27, id="event cut short"),
        pytest.param(EventKind.SAID, b"\0" * 26 + b"\x05\x05ann", id="event's names cut short"),
        pytest.param(EventKind.SAID, b"\0" * 26 + b"\x61\0" + b"x" * 97, id="author too long"),
        pytest.param(EventKind.SAID, b"\0" * 26 + b"\0\x62" + b"x" * 98, id="event's channel too long"),
        pytest.param(EventKind.SAID, b"\0" * 24 + b"\0\2\0\0\1\1", id="event's extra malformed"),
        pytest.param(EventKind.SAID, b"\0" * 24 + b"\2\2\0\0" + b"\1\0" * 257, id="event's extra too long"),
        pytest.param(EventKind.SAID, b"\xff" * 8 + b"\0" * 20, id="seq beyond 63 bits"),
        pytest.param(EventKind.SAID, b"\0" * 8 + b"\xff" * 8 + b"\0" * 12, id="time beyond the calendar"),
        pytest.param(UNKNOWN, b"\0" * 24 + b"\0\2\0\0\1\1", id="unknown event's extra malformed"),
        pytest.param(UNKNOWN, b"\0" * 27, id="unknown event cut short"),
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


def test_what_follows_a_wrong_packet_does_not_change_its_error() -> None:
    """The error of a SAY without payload is the same, whatever has come behind it already."""
    for behind in (b"", encode(Ping(1)), b"\xff" * 300):
        with pytest.raises(ProtocolError, match="cut short"):
            decode(frame(Kind.SAY, b"") + behind)


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
        Hello(1, "x" * 256),
        Hello(1, "", ("two words",)),
        Hello(1, "", ("",)),
        Hello(1, "", ("x" * (MAX_REASON + 1),)),
        Username("x" * (NAME_BYTES + 1), NO_TOKEN),
        Username("ann", b"short"),
        Username("ann", NO_TOKEN, ((256, b""),)),
        Username("ann", NO_TOKEN, ((1, bytes(MAX_CREDENTIALS - 2)),)),
        Status(Verdict.FAIL, 0, "x" * (MAX_REASON + 1)),
        Status(Verdict.FAIL, 65536),
        Status(Verdict.PASS, Code.FULL),
        Status(Verdict.END, Code.OK, "because"),
        Port(65536, NO_TOKEN),
        Port(-1, NO_TOKEN),
        Port(1, b""),
        ADMIT._replace(ticket=b""),
        ADMIT._replace(identity=b""),
        ADMIT._replace(since=-1),
        ADMIT._replace(lines=65536),
        ADMIT._replace(name="x" * 256),
        ADMIT._replace(channels=()),
        ADMIT._replace(channels=("#a",) * (MAX_CHANNELS + 1)),
        ADMIT._replace(channels=("x" * 255,) * MAX_CHANNELS),
        WELCOME._replace(token=b""),
        WELCOME._replace(identity=b"short"),
        WELCOME._replace(person=2**32),
        Live(-1, 0),
        Live(2**64, 0),
        Replay(-1),
        CHANNEL._replace(topic="x" * (MAX_TOPIC + 1)),
        CHANNEL._replace(name="x" * (CHANNEL_FIELD + 1)),
        CHANNEL._replace(size=2**32),
        CHANNEL._replace(members=(Present(1, 0, "x" * (NAME_BYTES + 1)),)),
        CHANNEL._replace(members=(Present(1, 256, "x"),)),
        Say(1, "#a", ""),
        Say(-1, "#a", "x"),
        Say(1, "x" * 256, "x"),
        Say(1, "#a", "\ud800"),
        Say(1, "#a", "x", 256),
        Say(1, "#a", "x", 0, b"\1"),
        Say(1, "#a", "x", 0, b"\1\xff" + bytes(255) + b"\1\xff" + bytes(255)),
        Command(1, "#a", "x" * MAX_PAYLOAD),
        Answer(1, 65536, ""),
        Answer(1, -1, ""),
        Info("x" * (TEXT_PART + 1)),
        Ping(-1),
        Ping(2**64),
        Bye(True, 0, "x" * (MAX_REASON + 1)),
        Bye(True, 65536, ""),
        SAID._replace(author="x" * (NAME_BYTES + 1)),
        SAID._replace(channel="é" * (CHANNEL_FIELD // 2 + 1)),
        SAID._replace(person=2**32),
        SAID._replace(place=-1),
        SAID._replace(extra=b"\1\1"),
        SAID._replace(extra=b"\1\0" * (MAX_EXTRA // 2 + 1)),
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


_SECRET = b"0xdeadbeef-secret"
_HIDING: list[Packet] = [
    Username("ann", _SECRET[:16], ((1, _SECRET), (2, _SECRET))),
    Port(5101, _SECRET[:16]),
    ADMIT._replace(ticket=_SECRET[:16]),
    WELCOME._replace(token=_SECRET[:16]),
    Command(7, "#general", f"/passwd {_SECRET.decode()} {_SECRET.decode()}"),
    Command(7, "#general", f"/pasword  {_SECRET.decode()}"),
    Command(7, "#general", _SECRET.decode()),
    Answer(7, Code.OK, "this program is remembered", f'[["token","ann","{_SECRET.hex()}"]]'),
    Answer(7, Code.OK, f"/recover bob {_SECRET.decode()}", f'[["code","bob","{_SECRET.decode()}",1]]'),
]


@pytest.mark.parametrize("packet", _HIDING, ids=lambda packet: type(packet).__name__)
def test_a_repr_has_no_secret(packet: Packet) -> None:
    """What carries a password, token or ticket does not show it, nor does what holds such a packet."""
    for text in (repr(packet), str(packet), f"{packet}", repr([packet])):
        for secret in (_SECRET.decode(), _SECRET[:16].decode(), _SECRET.hex()):
            assert secret not in text
    assert type(packet).__name__ in repr(packet)
