"""Checks of a server: what it must refuse, byte by byte; and the limits."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from chatroom.events import EventKind
from chatroom.limits import (
    MAX_CHANNELS,
    MAX_CREDENTIALS,
    MAX_NUMBER,
    MAX_PARTS,
    MAX_PAYLOAD,
    MAX_REASON,
    MAX_TEXT,
    MAX_TIME,
    NAME_BYTES,
)
from chatroom.packets import (
    NO_IDENTITY,
    NO_TOKEN,
    Answer,
    Hello,
    Kind,
    Ping,
    Status,
    Username,
    Verdict,
    encode,
)
from tests.conformance.check import Level, Role, check, ensure
from tests.conformance.room import SOFTWARE, Room
from tests.conformance.server_talk import say_in_parts, two
from tests.conformance.watches import SENT_BY
from tests.conformance.wire import frame

full = partial(check, role=Role.SERVER, level=Level.FULL)

SOON = 3.0
"""A protocol error ends the connection within this time: well before the deadlines of the handshake."""
VECTORS = Path(__file__).resolve().parents[1] / "vectors"


def load(name: str) -> list[dict[str, Any]]:
    """The entries of a file of test vectors."""
    entries: list[dict[str, Any]] = json.loads((VECTORS / f"{name}.json").read_text())
    return entries


def string8(data: bytes) -> bytes:
    """One byte with a length, then the bytes."""
    return bytes([len(data)]) + data


def say(
    text: bytes, channel: bytes = b"#a", form: int = 0, extra: bytes = b"", size: int | None = None
) -> bytes:
    """The payload of a SAY. size: the announced bytes of extra, if they are others."""
    return (
        string8(channel)
        + bytes([form])
        + (len(extra) if size is None else size).to_bytes(2, "big")
        + extra
        + text
    )


def broken(*rules: str, cases: dict[str, bytes], level: Level = Level.FULL) -> None:
    """Register checks: each of these bytes from a member ends its connection by a protocol error."""

    def a_member_that_breaks_the_protocol(room: Room, data: bytes) -> None:
        """A protocol error ends the connection of the one who made it, and no other one."""
        member, other = room.enter(), room.enter()
        member.joined()
        other.joined()
        member.send_bytes(data, "a protocol error")
        member.expect_error(*rules, seconds=min(SOON, room.seconds))
        other.is_alive("G2")

    check(*rules, "G2", "C15", role=Role.SERVER, level=level, cases=cases)(a_member_that_breaks_the_protocol)


broken("H1", level=Level.BASIC, cases={"an HTTP request": b"GET / HTTP/1.0\r\n\r\n", "one wrong byte": b"G"})
broken(
    "H2",
    level=Level.BASIC,
    cases={
        "version 3": frame(Kind.PING, version=3),
        "version 0": frame(Kind.PING, version=0),
        "version 1 in the room": frame(Kind.PING, version=1),
        "two bytes are enough": b"\xc7\x03",
    },
)
broken(
    "H4",
    "L1",
    cases={
        "a payload too long by one": frame(Kind.SAY, length=MAX_PAYLOAD + 1),
        "the longest length": frame(Kind.SAY, length=0xFFFFFFFF),
        "also of an empty kind": frame(Kind.PING, length=MAX_PAYLOAD + 1),
    },
)
broken(
    "H5",
    cases={
        "an id of 64 bits": frame(Kind.PING, id=MAX_NUMBER + 1),
        "the largest": frame(Kind.PONG, id=2**64 - 1),
    },
)
broken(
    "H6",
    cases={
        "no parts": frame(Kind.SAY, say(b"x"), 5, 0, 0),
        "a part behind the last": frame(Kind.SAY, say(b"x"), 5, 2, 2),
        "part 1 of 1": frame(Kind.SAY, say(b"x"), 5, 1, 1),
        "PING without parts": frame(Kind.PING, b"", 5, 0, 0),
    },
)
broken("K3", cases={f"kind 0x{kind:02x}": frame(kind) for kind in (0x00, 0x11, 0x1F, 0x80, 0xFF)})
broken("K3", cases={"before its payload": frame(0x11, length=1)})
_SERVERS_KINDS = sorted(SENT_BY[Role.SERVER] - SENT_BY[Role.CLIENT] - set(range(0x29, 0x7F)))
broken(
    "K4",
    cases={f"kind 0x{kind:02x}, which a server sends": frame(kind, bytes(29)) for kind in _SERVERS_KINDS},
)
broken(
    "K4",
    "A2",
    cases={
        "HELLO in the room": encode(Hello(2, SOFTWARE)),
        "STATUS in the room": encode(Status(Verdict.PASS)),
        "USERNAME in the room": encode(Username("ann", NO_TOKEN)),
    },
)
broken(
    "G1",
    cases={
        "a line that is not UTF-8": frame(Kind.SAY, say(b"caf\xe9"), 1),
        "overlong UTF-8": frame(Kind.SAY, say(b"\xc0\x80"), 1),
        "a surrogate": frame(Kind.SAY, say(b"\xed\xa0\x80"), 1),
        "beyond Unicode": frame(Kind.SAY, say(b"\xf4\x90\x80\x80"), 1),
        "a channel that is not UTF-8": frame(Kind.SAY, say(b"x", b"#\xff"), 1),
        "a command that is not UTF-8": frame(Kind.COMMAND, string8(b"#a") + b"/\xff", 1),
        "a reason that is not UTF-8": frame(Kind.BYE, b"\0\0\x44\xff"),
    },
)
broken(
    "P2",
    level=Level.BASIC,
    cases={"PING with a payload": frame(Kind.PING, b"x"), "SAY cut short": frame(Kind.SAY, b"\x05#a", 1)},
)
broken(
    "P2",
    cases={
        "PONG with a payload": frame(Kind.PONG, b"x"),
        "an empty SAY": frame(Kind.SAY, b"", 1),
        "SAY without a form": frame(Kind.SAY, b"\x02#a", 1),
        "an empty COMMAND": frame(Kind.COMMAND, b"", 1),
        "COMMAND cut short": frame(Kind.COMMAND, b"\x09#a", 1),
        "BYE without a code": frame(Kind.BYE, b"\0\0"),
        "an empty BYE": frame(Kind.BYE),
    },
)
broken("P29", cases={"a line without text": frame(Kind.SAY, say(b""), 1)})
broken(
    "P32",
    cases={
        "an extra longer than the payload": frame(Kind.SAY, say(b"x", size=5), 1),
        "a row cut short": frame(Kind.SAY, say(b"x", extra=b"\x01\x05ab"), 1),
        "a row without a length": frame(Kind.SAY, say(b"x", extra=b"\x01"), 1),
    },
)
broken(
    "L7",
    cases={"an extra too long by one": frame(Kind.SAY, say(b"x", extra=(b"\x01\xff" + b"x" * 255) * 2), 1)},
)
broken("L6", cases={"a reason too long by one": frame(Kind.BYE, b"\0\0\x44" + b"x" * (MAX_REASON + 1))})
broken(
    "M2",
    cases={
        "COMMAND in two parts": frame(Kind.COMMAND, string8(b"#a") + b"/help", 1, 0, 2),
        "PING in two parts": frame(Kind.PING, b"", 1, 0, 2),
        "BYE in two parts": frame(Kind.BYE, b"\0\0\x44", 0, 0, 2),
    },
)
broken(
    "M6",
    cases={
        "not from part 0 on": frame(Kind.SAY, say(b"x"), 5, 1, 2),
        "a part left out": frame(Kind.SAY, say(b"x"), 5, 0, 3) + frame(Kind.SAY, say(b"x"), 5, 2, 3),
        "a part twice": frame(Kind.SAY, say(b"x"), 5, 0, 3) + frame(Kind.SAY, say(b"x"), 5, 0, 3),
    },
)
_BEGUN = frame(Kind.SAY, say(b"x"), 5, 0, 3)
broken(
    "M5",
    cases={
        "another id": _BEGUN + frame(Kind.SAY, say(b"x"), 6, 1, 3),
        "another count": _BEGUN + frame(Kind.SAY, say(b"x"), 5, 1, 4),
        "another channel": _BEGUN + frame(Kind.SAY, say(b"x", b"#b"), 5, 1, 3),
        "another form": _BEGUN + frame(Kind.SAY, say(b"x", form=2), 5, 1, 3),
        "another extra": _BEGUN + frame(Kind.SAY, say(b"x", extra=b"\x01\x00"), 5, 1, 3),
    },
)
broken("M9", cases={"a whole SAY between two parts": _BEGUN + frame(Kind.SAY, say(b"x"), 6)})
broken("M7", "L5", cases={"too many parts": frame(Kind.SAY, say(b"x"), 5, 0, MAX_PARTS + 1)})
_STREAMS = {entry["name"]: bytes.fromhex(entry["hex"]) for entry in load("streams") if entry["error"]}
broken(
    "G2",
    cases={
        f"streams.json, {name}": data for name, data in _STREAMS.items() if "after a good packet" not in name
    },
)


@full("G2", "H7", "P39")
def good_packets_before_an_error_count(room: Room) -> None:
    """What came before a protocol error counts, also in the same segment."""
    first, second = two(room)
    line = frame(Kind.SAY, say(b"the last", first.channel.encode()), 1)
    first.send_bytes(line + encode(Ping(2)) + b"GET /", "a line, PING, and rubbish")
    second.hears("the last", "G2", id=1)
    first.rest("H1", seconds=min(SOON, room.seconds))


@full("O10", "Q2")
def a_protocol_error_ends_a_membership(room: Room) -> None:
    """After a protocol error of the client QUIT comes at once, and the name is free."""
    first, second = two(room)
    first.send_bytes(b"rubbish", "rubbish")
    second.event(EventKind.QUIT, "O10", person=first.welcome.person)
    again = room.enter(first.welcome.name, second.channel)
    again.joined()


@full("L4", "M7")
def a_text_of_MAX_TEXT_and_one(room: Room) -> None:
    """A message has at most MAX_TEXT bytes: one more is a protocol error."""
    first, second = two(room)
    id = say_in_parts(first, [b"x" * 4096] * 16)
    second.hears("x" * MAX_TEXT, "L4", id=id)
    say_in_parts(first, [b"x" * 4096] * 16 + [b"y"])
    first.expect_error("L4")


@full("H4", "P30")
def the_longest_payload(room: Room) -> None:
    """A payload of MAX_PAYLOAD bytes is not too long."""
    member = room.enter()
    text = b"/help" + b" " * (MAX_PAYLOAD - 5 - 1 - len(member.channel))
    member.send_bytes(frame(Kind.COMMAND, string8(member.channel.encode()) + text, 6), "the longest COMMAND")
    member.find(Answer, "H4", id=6)


@full("L6", "P40")
def the_longest_reason(room: Room) -> None:
    """A reason of MAX_REASON bytes is not too long; `again` has no meaning from a client."""
    first, second = two(room)
    first.send_bytes(frame(Kind.BYE, b"\x07\0\x44" + b"r" * MAX_REASON), "BYE with the longest reason")
    second.event(EventKind.QUIT, "L6", person=first.welcome.person, text="r" * MAX_REASON)
    first.rest("Q5")


# --- the packets of the handshake -----------------------------------------------------------------------


def lobby_breaks(*rules: str, cases: dict[str, bytes]) -> None:
    """Register checks: each of these bytes, behind HELLO, ends the handshake by a protocol error."""

    def a_newcomer_that_breaks_the_protocol(room: Room, data: bytes) -> None:
        """A protocol error in the lobby ends the handshake."""
        lobby = room.connect()
        lobby.send(Hello(2, SOFTWARE))
        lobby.send_bytes(data, "a protocol error")
        lobby.expect_error(*rules, seconds=min(SOON, room.seconds))

    full(*rules, "G2", "C15", "A7", cases=cases)(a_newcomer_that_breaks_the_protocol)


_NAME = NO_TOKEN + string8(b"ann")
lobby_breaks(
    "P4",
    "L12",
    cases={"a name too long by one": frame(Kind.USERNAME, NO_TOKEN + string8(b"x" * (NAME_BYTES + 1)))},
)
lobby_breaks(
    "P2",
    cases={
        "USERNAME cut short": frame(Kind.USERNAME, _NAME[:-1]),
        "USERNAME without a name": frame(Kind.USERNAME, NO_TOKEN),
    },
)
lobby_breaks("G1", cases={"a name that is not UTF-8": frame(Kind.USERNAME, NO_TOKEN + string8(b"a\xff"))})
lobby_breaks("P5", cases={"credentials cut short": frame(Kind.USERNAME, _NAME + b"\x01\x00\x07secret")})
lobby_breaks(
    "L8",
    cases={
        "credentials too long by one": frame(
            Kind.USERNAME,
            _NAME + b"\xc8" + (MAX_CREDENTIALS - 2).to_bytes(2, "big") + b"x" * (MAX_CREDENTIALS - 2),
        ),
    },
)
lobby_breaks(
    "P6",
    cases={
        "a verdict that does not exist": frame(Kind.STATUS, b"\x03\0\0"),
        "PASS with a reason": frame(Kind.STATUS, b"\0\0\0why"),
        "END with a code": frame(Kind.STATUS, b"\x02\0\x28"),
        "STATUS cut short": frame(Kind.STATUS, b"\0\0"),
    },
)
lobby_breaks("H1", cases={"one wrong byte": b"G"})
lobby_breaks("H4", "L1", cases={"a payload too long by one": frame(Kind.USERNAME, length=MAX_PAYLOAD + 1)})
lobby_breaks("K3", cases={"an unknown kind": frame(0x1F)})
lobby_breaks("K4", cases={"a kind that servers send": frame(Kind.PORT, bytes(18))})


HELLOS = {
    "an empty HELLO": b"",
    "a software cut short": b"\x02\x05ab",
    "abilities with two spaces": b"\x02\x01aone  two",
    "abilities too long by one": b"\x02\x01a" + b"x" * (MAX_REASON + 1),
    "abilities that are not UTF-8": b"\x02\x01a\xff",
}


@full("P2", "P3", "L6", "G1", cases=HELLOS)
def a_wrong_HELLO(room: Room, payload: bytes) -> None:
    """A HELLO that is not as its table ends the handshake."""
    lobby = room.connect()
    lobby.send_bytes(frame(Kind.HELLO, payload), "a wrong HELLO")
    lobby.expect_error("P3", seconds=min(SOON, room.seconds))


@full("P3", "P5", "G3", "L6", "L8")
def reserved_fields_are_skipped(room: Room) -> None:
    """Abilities and credentials that the server does not know do no harm, up to their limits."""
    words = " ".join(["colours", *["x" * 98] * 10])
    abilities = (words + " " + "y" * MAX_REASON)[:MAX_REASON].encode()
    rows = (
        b"\x07\x00\x06secret\xc8\x00\x00\x03"
        + (MAX_CREDENTIALS - 15).to_bytes(2, "big")
        + b"x" * (MAX_CREDENTIALS - 15)
    )
    assert (len(abilities), len(rows)) == (MAX_REASON, MAX_CREDENTIALS)
    lobby = room.connect()
    lobby.send_bytes(
        frame(Kind.HELLO, b"\x02" + string8(b"x" * 255) + abilities, id=9, flags=0x80), "HELLO with abilities"
    )
    lobby.send_bytes(
        frame(Kind.USERNAME, NO_TOKEN + string8(room.name().encode()) + rows), "USERNAME with credentials"
    )
    lobby.expect(Status, "G3", verdict=Verdict.PASS)


def admit_payload(
    ticket: bytes,
    *channels: bytes,
    count: int | None = None,
    since: int = 0,
    time: int = 0,
    behind: bytes = b"",
) -> bytes:
    """The payload of an ADMIT."""
    number = len(channels) if count is None else count
    fixed = since.to_bytes(8, "big") + time.to_bytes(8, "big") + NO_IDENTITY + b"\0\0" + bytes([number])
    return ticket + fixed + b"".join(map(string8, (b"ann", *channels))) + behind


ADMITS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "no channel": ("P12", lambda ticket: admit_payload(ticket)),
    "too many channels by one": (
        "L9",
        lambda t: admit_payload(t, *(b"#c%d" % n for n in range(MAX_CHANNELS + 1))),
    ),
    "fewer channels than announced": ("P2", lambda ticket: admit_payload(ticket, b"#a", count=2)),
    "something behind the channels": ("P2", lambda ticket: admit_payload(ticket, b"#a", behind=b"x")),
    "since too large": ("P8", lambda ticket: admit_payload(ticket, b"#a", since=MAX_NUMBER + 1)),
    "a time too large": ("P9", lambda ticket: admit_payload(ticket, b"#a", time=MAX_TIME + 1)),
    "a channel that is not UTF-8": ("G1", lambda ticket: admit_payload(ticket, b"#\xff")),
}


@full("P2", "P8", "P9", "P12", "L9", "G1", cases=ADMITS)
def a_wrong_ADMIT(room: Room, case: tuple[str, Callable[[bytes], bytes]]) -> None:
    """An ADMIT that is not as its table is a protocol error."""
    rule, payload = case
    member, port = room.arrive(room.name())
    member.send_bytes(frame(Kind.ADMIT, payload(port.ticket)), "a wrong ADMIT")
    member.expect_error(rule, seconds=min(SOON, room.seconds))


@full("L9", "P12", "O2", "B6")
def as_many_channels_as_possible(room: Room) -> None:
    """ADMIT may ask for MAX_CHANNELS channels; a CHANNEL comes for each."""
    channels = [room.channel() for _ in range(MAX_CHANNELS)]
    member = room.enter(None, *channels)
    ensure(set(member.channels) == set(channels), "B6", "a CHANNEL for each channel", sorted(member.channels))


_MEMBERS_KINDS = ("SAY", "COMMAND", "PING", "PONG")
_GOOD = {
    entry["name"]: bytes.fromhex(entry["hex"])
    for entry in load("packets")
    if entry["packet"]["kind"] in _MEMBERS_KINDS
}


@full("G2", "P39", "C3", cases=_GOOD)
def packets_json(room: Room, data: bytes) -> None:
    """A packet of tests/vectors/packets.json that a member may send does not end the connection."""
    member = room.enter()
    member.send_bytes(data, "the bytes of the test vector")
    member.is_alive("G2")
