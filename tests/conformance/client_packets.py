"""Checks of a client: what it must refuse, byte by byte."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from chatroom.events import EventKind
from chatroom.limits import (
    CHANNEL_FIELD,
    LOWEST_PORT,
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
from chatroom.packets import Answer, Command, Hello, Kind, Pong, Port, Status, Username, Verdict, encode
from tests.conformance.check import Level, Role, check, ensure
from tests.conformance.host import IDENTITY, MOMENT, OTHER, PLACE, TOKEN, Host
from tests.conformance.server_packets import SOON, load, say
from tests.conformance.watches import SENT_BY
from tests.conformance.wire import describe, frame

basic = partial(check, role=Role.CLIENT, level=Level.BASIC)
full = partial(check, role=Role.CLIENT, level=Level.FULL)


def event(
    text: bytes = b"x",
    *,
    seq: int = 2000,
    time: int = MOMENT,
    author: bytes = b"bob",
    channel: bytes = b"#general",
    extra: bytes = b"",
    size: int | None = None,
) -> bytes:
    """The payload of an event. size: the announced bytes of extra, if they are others."""
    fixed = (
        seq.to_bytes(8, "big") + time.to_bytes(8, "big") + OTHER.to_bytes(4, "big") + PLACE.to_bytes(4, "big")
    )
    sizes = (len(extra) if size is None else size).to_bytes(2, "big") + bytes([len(author), len(channel)])
    return fixed + sizes + author + channel + extra + text


def channel(name: bytes = b"#general", topic: bytes = b"", rows: bytes = b"", size: int = 2) -> bytes:
    """The payload of a CHANNEL."""
    head = PLACE.to_bytes(4, "big") + b"\0\0" + size.to_bytes(4, "big")
    return head + len(topic).to_bytes(2, "big") + bytes([len(name)]) + name + topic + rows


def row(name: bytes, person: int = OTHER) -> bytes:
    """A member in CHANNEL."""
    return person.to_bytes(4, "big") + bytes([0, len(name)]) + name


def parts(kind: int, prefix: bytes, texts: list[bytes], id: int = 0) -> bytes:
    """A message in exactly these parts."""
    return b"".join(frame(kind, prefix + text, id, part, len(texts)) for part, text in enumerate(texts))


def by_threes(cases: dict[str, bytes]) -> dict[str, dict[str, bytes]]:
    """The cases in groups: a client that has come back can be used again, but its pauses grow."""
    names = list(cases)
    groups = [names[at : at + 3] for at in range(0, len(names), 3)]
    return {"; ".join(group): {name: cases[name] for name in group} for group in groups}


def broken(*rules: str, cases: dict[str, bytes], level: Level = Level.FULL) -> None:
    """Register checks: each of these bytes makes the client close the connection."""

    def a_server_that_breaks_the_protocol(host: Host, some: dict[str, bytes]) -> None:
        """A protocol error of the server is a lost connection: the client closes, and does not crash."""
        for name, data in some.items():
            guest = host.enter_or_come_back()
            guest.send_bytes(data, name)
            guest.expect_closed(*rules, seconds=min(SOON, host.seconds))
            ensure(host.program.code in (None, 0, 1), "B17", "no crash", host.program.story())

    named = check(*rules, "G2", "B17", role=Role.CLIENT, level=level, cases=by_threes(cases))
    named(a_server_that_breaks_the_protocol)


_CLIENTS_KINDS = sorted(SENT_BY[Role.CLIENT] - SENT_BY[Role.SERVER])
_BEGUN = frame(EventKind.SAID, event(), 0, 0, 3)

broken("H1", level=Level.BASIC, cases={"text": b"HTTP/1.0 400 Bad Request\r\n", "one wrong byte": b"H"})
broken("H2", level=Level.BASIC, cases={"version 3": frame(Kind.PING, version=3), "two bytes": b"\xc7\x01"})
broken("H4", "L1", cases={"a payload too long by one": frame(EventKind.SAID, length=MAX_PAYLOAD + 1)})
broken("H5", cases={"an id of 64 bits": frame(Kind.PING, id=MAX_NUMBER + 1)})
broken(
    "H6",
    cases={
        "no parts": frame(EventKind.SAID, event(), 5, 0, 0),
        "part 1 of 1": frame(Kind.PING, b"", 1, 1, 1),
    },
)
broken(
    "K3", level=Level.BASIC, cases={f"kind 0x{kind:02x}": frame(kind) for kind in (0x00, 0x11, 0x80, 0xFF)}
)
broken(
    "K4",
    cases={f"kind 0x{kind:02x}, which a client sends": frame(kind, say(b"x"), 1) for kind in _CLIENTS_KINDS},
)
broken(
    "K4",
    cases={"a good COMMAND": encode(Command(1, "#general", "/help")), "a good HELLO": encode(Hello(2, "x"))},
)
broken(
    "A2",
    cases={
        "WELCOME again": frame(Kind.WELCOME, TOKEN + IDENTITY + bytes(21) + b"\x03ann"),
        "STATUS in the room": encode(Status(Verdict.PASS)),
        "PORT in the room": encode(Port(5000, bytes(16))),
        "a name in the room": encode(Username("ann", bytes(16))),
    },
)
broken(
    "G1",
    cases={
        "a line that is not UTF-8": frame(EventKind.SAID, event(b"caf\xe9")),
        "an author that is not UTF-8": frame(EventKind.SAID, event(author=b"b\xff")),
        "an INFO that is not UTF-8": frame(Kind.INFO, b"\xff"),
    },
)
broken(
    "P2",
    cases={
        "an event cut short": frame(EventKind.SAID, event()[:27]),
        "an author cut short": frame(EventKind.SAID, event()[:30]),
        "LIVE too long": frame(Kind.LIVE, bytes(17)),
        "PONG with a payload": frame(Kind.PONG, b"x"),
        "REPLAY with a payload": frame(Kind.REPLAY, b"x"),
        "an empty ANSWER": frame(Kind.ANSWER),
        "words longer than the ANSWER": frame(Kind.ANSWER, b"\0\0\0\0\0\x09ab", 1),
        "an empty CHANNEL": frame(Kind.CHANNEL),
        "a member cut short": frame(Kind.CHANNEL, channel(rows=row(b"bob")[:-1])),
        "an unknown event cut short": frame(0x7F, bytes(20)),
    },
)
broken(
    "P32",
    cases={
        "a row of an extra cut short": frame(EventKind.SAID, event(extra=b"\x01\x05ab")),
        "the same in an unknown event": frame(0x7F, event(extra=b"\x01\x05ab")),
        "an extra longer than the payload": frame(EventKind.SAID, event(size=99)),
    },
)
broken(
    "L7",
    cases={
        "an extra too long": frame(
            EventKind.SAID, event(extra=b"\x01\xff" + b"x" * 255 + b"\x01\xff" + b"x" * 255)
        )
    },
)
broken("P54", cases={"a seq of 64 bits": frame(EventKind.SAID, event(seq=MAX_NUMBER + 1))})
broken("P55", cases={"a time after the year 9999": frame(EventKind.SAID, event(time=MAX_TIME + 1))})
broken(
    "P26",
    cases={"LIVE with a seq of 64 bits": frame(Kind.LIVE, (MAX_NUMBER + 1).to_bytes(8, "big") + bytes(8))},
)
broken(
    "L12", cases={"an author too long by one": frame(EventKind.SAID, event(author=b"x" * (NAME_BYTES + 1)))}
)
broken(
    "L16",
    cases={
        "a channel too long by one in an event": frame(
            EventKind.SAID, event(channel=b"#" + b"x" * CHANNEL_FIELD)
        ),
        "a channel too long by one": frame(Kind.CHANNEL, channel(b"#" + b"x" * CHANNEL_FIELD)),
    },
)
broken("L11", cases={"a topic too long by one": frame(Kind.CHANNEL, channel(topic=b"x" * (MAX_TOPIC + 1)))})
broken("L3", cases={"an INFO too long by one": frame(Kind.INFO, b"x" * (TEXT_PART + 1))})
broken("L6", cases={"a reason too long by one": frame(Kind.BYE, b"\0\0\x44" + b"x" * (MAX_REASON + 1))})
broken(
    "L4",
    "M7",
    cases={
        "a text too long by one": parts(EventKind.SAID, event(b""), [b"x" * 4096] * 16 + [b"y"]),
        "an ANSWER too long by one": parts(Kind.ANSWER, b"\0\0\0\0\0\0", [b"x" * 4096] * 16 + [b"y"], 1),
    },
)
broken(
    "L10",
    cases={
        "members too long by one": parts(
            Kind.CHANNEL, channel(), [row(b"x" * 94) * 40] * 25 + [row(b"x" * 94) * 20 + row(b"x")]
        )
    },
)
broken(
    "P48",
    cases={
        "more than MAX_LISTED members": parts(
            Kind.CHANNEL, channel(), [row(b"x") * 500, row(b"x") * (MAX_LISTED - 499)]
        )
    },
)
broken("L5", "M7", cases={"too many parts": frame(EventKind.SAID, event(), 0, 0, MAX_PARTS + 1)})
broken(
    "M2",
    cases={
        "INFO in two parts": frame(Kind.INFO, b"x", 0, 0, 2),
        "LIVE in two parts": frame(Kind.LIVE, bytes(16), 0, 0, 2),
    },
)
broken(
    "M5",
    cases={
        "another id": _BEGUN + frame(EventKind.SAID, event(), 6, 1, 3),
        "another seq": _BEGUN + frame(EventKind.SAID, event(seq=9), 0, 1, 3),
        "another kind": _BEGUN + frame(0x7F, event(), 0, 1, 3),
    },
)
broken(
    "M6",
    cases={"not from part 0 on": frame(EventKind.SAID, event(), 0, 1, 2), "a part twice": _BEGUN + _BEGUN},
)
broken("M9", cases={"a whole event between two parts": _BEGUN + frame(EventKind.SAID, event())})
_STREAMS = {
    entry["name"]: bytes.fromhex(entry["hex"])
    for entry in load("streams")
    if entry["error"] and "after a good packet" not in entry["name"]
}


broken("G2", cases={f"streams.json, {name}": data for name, data in _STREAMS.items()})

_SERVERS_KINDS = {kind.name for kind in Kind if kind in SENT_BY[Role.SERVER]} | {
    kind.name for kind in EventKind
}
_GOOD = {
    entry["name"]: bytes.fromhex(entry["hex"])
    for entry in load("packets")
    if entry["packet"]["kind"] in _SERVERS_KINDS - {"STATUS", "PORT", "WELCOME", "BYE", "REPLAY"}
}


@full("G2", "G3", "L16", "P40")
def good_packets_json(host: Host) -> None:
    """Packets of tests/vectors/packets.json that a server may send at any time do not end the connection."""
    guest = host.enter()
    for name, data in _GOOD.items():
        guest.send_bytes(data, name)
        guest.takes_pings("G2")


@full("L4", "L7", "P54", "P55", "L12", "L16")
def what_is_just_not_too_long(host: Host) -> None:
    """The longest text, extra, author and channel, and the largest seq and time, are no errors."""
    guest = host.enter()
    extra = b"\x01\xff" + b"x" * 255 + b"\x01\xfd" + b"x" * 253
    assert len(extra) == MAX_EXTRA
    prefix = event(b"", author=b"x" * NAME_BYTES, channel=b"#" + b"x" * (CHANNEL_FIELD - 1), extra=extra)
    guest.send_bytes(parts(EventKind.SAID, prefix, [b"long " + b"x" * 4091] * 16), "the longest text")
    rows = [row(b"x" * NAME_BYTES) * 40] * 25
    assert sum(map(len, rows)) == MAX_ROWS
    guest.send_bytes(parts(Kind.CHANNEL, channel(topic=b"x" * MAX_TOPIC), rows), "the longest list")
    guest.send_bytes(
        frame(EventKind.SAID, event(b"the last one", seq=MAX_NUMBER, time=MAX_TIME)), "the largest numbers"
    )
    host.shows("the last one", "P54")
    guest.nothing_more("L4")
    assert MAX_TEXT == 16 * 4096


# --- the handshake --------------------------------------------------------------------------------------

WRONG_LOBBIES = {
    "PORT first": ("A2", lambda: encode(Port(5000, bytes(16)))),
    "STATUS END first": ("A2", lambda: encode(Status(Verdict.END))),
    "PONG in the lobby": ("A2", lambda: encode(Pong(1))),
    "a port of another service": (
        "P7",
        lambda: encode(Status(Verdict.PASS)) + encode(Port(LOWEST_PORT - 1, bytes(16))),
    ),
    "port 25": ("P7", lambda: encode(Status(Verdict.PASS)) + encode(Port(25, bytes(16)))),
    "PORT cut short": ("P2", lambda: encode(Status(Verdict.PASS)) + frame(Kind.PORT, bytes(17))),
    "a verdict that does not exist": ("P6", lambda: frame(Kind.STATUS, b"\x03\0\0")),
    "PASS with a code": ("P6", lambda: frame(Kind.STATUS, b"\0\0\x28")),
    "rubbish": ("H1", lambda: b"220 mail.example ESMTP\r\n"),
}


@full("A2", "P2", "P6", "P7", "H1", "B17", cases=WRONG_LOBBIES)
def a_lobby_that_breaks_the_protocol(host: Host, case: tuple[str, Callable[[], bytes]]) -> None:
    """A protocol error in the handshake ends it: the client closes and goes to no port."""
    rule, data = case
    host.start()
    lobby = host.lobby()
    lobby.send_bytes(data(), "a protocol error")
    packets = lobby.rest(rule, seconds=min(SOON, host.seconds))
    accepted = [
        packet for packet in packets if isinstance(packet, Status) and packet.verdict is not Verdict.FAIL
    ]
    ensure(not accepted, rule, "no PASS to such a port", [describe(packet) for packet in packets])


def welcome(
    name: bytes = b"ann", resumed: int = 0, confirmed: int = 0, head: int = 0, behind: bytes = b""
) -> bytes:
    """A WELCOME made by hand."""
    numbers = (
        (5).to_bytes(4, "big") + confirmed.to_bytes(8, "big") + head.to_bytes(8, "big") + bytes([resumed])
    )
    return frame(Kind.WELCOME, TOKEN + IDENTITY + numbers + bytes([len(name)]) + name + behind)


WRONG_WELCOMES = {
    "an unknown number in resumed": ("P25", welcome(resumed=5)),
    "no name": ("P19", welcome(b"")),
    "a name too long by one": ("P19", welcome(b"x" * (NAME_BYTES + 1))),
    "a name that does not print": ("P19", welcome(b"an\x1b[31mn")),
    "a name that is not UTF-8": ("G1", welcome(b"\xff")),
    "confirmed too large": ("P17", welcome(confirmed=MAX_NUMBER + 1)),
    "head too large": ("P18", welcome(head=MAX_NUMBER + 1)),
    "something behind the name": ("P2", welcome(behind=b"x")),
    "LIVE instead": ("A2", frame(Kind.LIVE, bytes(16))),
    "an event instead": ("A2", frame(EventKind.SAID, event())),
    "an ANSWER instead": ("A2", encode(Answer(1, Code.OK, ""))),
}


@full("P25", "P19", "P17", "P18", "P2", "G1", "A2", "B17", cases=WRONG_WELCOMES)
def a_wrong_WELCOME(host: Host, case: tuple[str, bytes]) -> None:
    """A WELCOME that cannot be, or something else in its place, ends the connection."""
    rule, data = case
    host.start()
    guest = host.bring_in(host.lobby())
    guest.send_bytes(data, "instead of a good WELCOME")
    guest.expect_closed(rule, seconds=min(SOON, host.seconds))
