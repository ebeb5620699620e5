"""Writes the test vectors: bytes and their meaning, with which programs in any language can be checked.

    python -m tests.vectors.make          writes the files
    python -m tests.vectors.make --check  says whether they are what would be written

packets.json   one packet each: `hex` decodes to `packet`, and `packet` encodes to exactly `hex`
streams.json   `hex` decodes to `packets`, however it is cut; then, where `error` is true, it must be refused
dialogue.json  a whole admission, in order, with who says it; the example of notes/protocol.md
names.json     names and channels: their written form, their key, or `refused`
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from chatroom.errors import NameRefused
from chatroom.events import (
    BAN_LIST,
    EXEMPT_LIST,
    INVITED_LIST,
    MUTE_LIST,
    SET_COUNTED,
    Event,
    EventKind,
    Extra,
    Setting,
    extra_row,
    joined_extra,
)
from chatroom.limits import MAX_NUMBER, MAX_PAYLOAD, MAX_TIME, TEXT_PART
from chatroom.lookalikes import skeletons
from chatroom.names import check_channel, check_name, name_key
from chatroom.outcomes import Code
from chatroom.packets import (
    HEADER,
    MAGIC,
    NO_IDENTITY,
    NO_TOKEN,
    SAME_CONNECTION,
    VERSION,
    Admit,
    Answer,
    Bye,
    Channel,
    Command,
    Credential,
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
    Role,
    Say,
    Skipped,
    Status,
    Username,
    Verdict,
    Welcome,
    encode,
)
from chatroom.places import AUDIT_PLACE, EVERYWHERE

FOLDER = Path(__file__).parent
TICKET = bytes.fromhex("00112233445566778899aabbccddeeff")
TOKEN = bytes.fromhex("f0e1d2c3b4a5968778695a4b3c2d1e0f")
IDENTITY = bytes.fromhex("a1a2a3a4a5a6a7a8b1b2b3b4b5b6b7b8")
MOMENT = 1_769_862_896_789  # 2026-01-31 12:34:56.789 UTC
UNKNOWN = 0x7F  # a kind of event that nobody knows
PLAIN = b"\x02#a\0\0\0"  # the beginning of a plain SAY
REPLY = extra_row(Extra.REPLY_TO, 3)
MESSAGE = extra_row(Extra.MESSAGE, 3)
RECEIVER = extra_row(Extra.RECEIVER, 2, 4)
ACT = extra_row(Extra.FORM, Form.ACT, 1)
TARGET = extra_row(Extra.TARGET, 2, 4) + extra_row(Extra.TARGET_NAME, "李雷")
REMOVED = extra_row(Extra.REMOVED, 1, 1)
UNTIL = extra_row(Extra.UNTIL, MOMENT + 3_600_000)
CHOICE = "lunch at noon? | yes | no"
LIST = b"\0\0\0\2" + b"\0\0" + b"\0\0\0\2" + b"\0\2\2" + b"#ahm"  # the beginning of a CHANNEL
TYPES: dict[str, type] = {
    kind.name: globals()[kind.name.capitalize()] for kind in Kind
}  # HELLO → Hello, as everywhere in the program


def meaning(packet: Packet) -> dict[str, Any]:
    """A packet as JSON: `kind`, then its fields; binary as hex, codes and enumerations as their names."""
    kind = packet.kind.name if isinstance(packet, Event) else type(packet).__name__.upper()
    fields = {name: value for name, value in packet._asdict().items() if name not in ("kind", "places")}
    if fields.get("code") in set(Code):
        fields["code"] = Code(fields["code"])
    return {"kind": kind} | {name: _plain(value) for name, value in fields.items()}


def packet_of(fields: dict[str, Any]) -> Packet:
    """The packet that a meaning describes."""
    values = {name: _read(name, value) for name, value in fields.items() if name != "kind"}
    if fields["kind"] in EventKind.__members__:
        return Event(kind=EventKind[fields["kind"]], **values)
    packet: Packet = TYPES[fields["kind"]](**values)
    return packet


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Present):
        return {"person": value.person, "role": value.role, "name": value.name}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value.name if isinstance(value, Code | Verdict | Resumed) else value


def _read(name: str, value: Any) -> Any:
    if name in ("token", "ticket", "identity", "extra"):
        return bytes.fromhex(value)
    if name == "credentials":
        return tuple((key, bytes.fromhex(secret)) for key, secret in value)
    if name == "members":
        return tuple(Present(**member) for member in value)
    if isinstance(value, list):
        return tuple(value)
    names = {"code": Code, "verdict": Verdict, "resumed": Resumed}
    return names[name][value] if isinstance(value, str) and name in names else value


def packets() -> list[dict[str, Any]]:
    """Every kind with usual and with extreme fields."""
    said = Event(3, MOMENT, EventKind.SAID, "#general", "ann", "hi", 7, 1, 1)
    unknown_key = b"\xc8\x02ab"
    everyone = (Present(1, Role.MEMBER, "ann"), Present(2, Role.OPERATOR, "李雷"))
    samples: list[tuple[str, Packet]] = [
        ("first packet of a client", Hello(VERSION, "example")),
        ("a client with abilities", Hello(VERSION, "example 1.0", ("colours", "x-more"))),
        ("another version than the header's", Hello(9, "")),
        ("a new name", Username("ann", NO_TOKEN)),
        ("coming back with the token of the session", Username("李雷", TOKEN)),
        (
            "credentials, one with an unknown key",
            Username("ann", NO_TOKEN, ((Credential.PASSWORD, b"secret"), (200, b""))),
        ),
        (
            "a new name, with the password of the server",
            Username("ann", NO_TOKEN, ((Credential.SERVER_PASSWORD, "sésame".encode()),)),
        ),
        ("passed", Status(Verdict.PASS)),
        ("refused, with the reason", Status(Verdict.FAIL, Code.NAME_TAKEN, "ann is in use")),
        ("refused, with an unknown code", Status(Verdict.FAIL, 999, "")),
        ("banned", Status(Verdict.FAIL, Code.BANNED, "you may not come in: advertising")),
        ("the lobby is done with", Status(Verdict.END)),
        ("go on at port 5101", Port(5101, TICKET)),
        ("stay on this connection", Port(SAME_CONNECTION, TICKET)),
        (
            "admit me, with the last 50 lines",
            Admit("ann", TICKET, ("#general",), 0, 0, NO_IDENTITY, 50),
        ),
        (
            "admit me, with all since 1000",
            Admit("ann", TICKET, ("#général", "#b"), 1000, MOMENT, IDENTITY, 0),
        ),
        ("admitted for the first time", Welcome("ann", TOKEN, IDENTITY, 1, 0, 2, Resumed.FRESH)),
        ("admitted again", Welcome("ann", TOKEN, IDENTITY, 2**32 - 1, 4711, MAX_NUMBER, Resumed.EXACT)),
        ("events are gone by retention", Welcome("ann", TOKEN, IDENTITY, 1, 0, 2, Resumed.GAP)),
        ("another history", Welcome("ann", TOKEN, IDENTITY, 1, 0, 2, Resumed.OTHER_HISTORY)),
        ("an older copy of the history", Welcome("ann", TOKEN, IDENTITY, 1, 0, 2, Resumed.RESTORED)),
        ("a channel with its members", Channel(1, "#general", "lunch at noon", 0, Role.MEMBER, 2, everyone)),
        ("a channel with too many members to list", Channel(2, "#a", "", 0, Role.MEMBER, 5000, ())),
        ("a counted channel", Channel(2, "#a", "", Setting.COUNTED, Role.MEMBER, 5000, ())),
        (
            "a channel with a key, for invited members only, seen by its owner",
            Channel(
                3,
                "#lab",
                "week 3",
                Setting.KEYED | Setting.INVITE_ONLY | Setting.KEPT,
                Role.OWNER,
                1,
                everyone[:1],
            ),
        ),
        (
            "a moderated channel, whose past is not for newcomers",
            Channel(4, "#class", "", Setting.MODERATED | Setting.FROM_JOINING, Role.VOICE, 2, everyone),
        ),
        (
            "a slow channel",
            Channel(1, "#general", "", Setting.SLOW, Role.MEMBER, 2, everyone),
        ),
        ("a direct conversation", Channel(5, "@李雷", "", Setting.DIRECT, Role.MEMBER, 2, everyone)),
        (
            "a direct conversation with oneself",
            Channel(6, "@ann", "", Setting.DIRECT, Role.MEMBER, 1, everyone[:1]),
        ),
        ("the greeting: events of the past follow", Replay(0)),
        ("the answer to request 10: events of the past follow", Replay(10)),
        ("the replay is complete", Live(2, MOMENT)),
        ("the replay is complete, nothing ever happened", Live(0, 0)),
        ("a line", Say(7, "#general", "hi")),
        ("a line in many scripts", Say(8, "#general", "naïve 漢字 🙂 e\u0301 עברית")),
        ("a line with what a terminal must not be shown", Say(9, "#general", "\x1b[2J\u202e\0\r\n")),
        ("a line with an extra of an unknown key", Say(10, "#general", "hi", Form.SAY, unknown_key)),
        ("a line of an unknown form, without text", Say(11, "#general", "", 99)),
        ("what the author does", Say(12, "#general", "waves", Form.ACT)),
        ("a line of a bot that answers one", Say(13, "#general", "42", Form.BOT, REPLY)),
        ("a line for person 2 alone", Say(14, "@李雷", "psst", Form.SAY, RECEIVER)),
        ("another text for a line", Say(15, "#general", "hi there", Form.EDIT, MESSAGE)),
        (
            "a line of a direct conversation is taken back",
            Say(16, "@李雷", "", Form.DELETE, RECEIVER + MESSAGE),
        ),
        ("a reaction", Say(17, "#general", "👍", Form.REACT, MESSAGE)),
        ("a command", Command(10, "#general", "/who")),
        ("a command in a direct conversation", Command(11, "@李雷", "/history 20")),
        ("the answer", Answer(10, Code.OK, "2 in #general: ann,\nbob", '["#general",["ann","here"]]')),
        ("a line is refused", Answer(8, Code.NOT_IN, "not said: you are not in this channel")),
        (
            "the end of events of the past, there are more of them",
            Answer(10, Code.OK, "2 lines", '[{"place":1,"more":true,"before":3}]'),
        ),
        ("an answer with an unknown code, and nothing else", Answer(10, 999, "")),
        (
            "a line is refused: muted in place 1 until then",
            Answer(8, Code.MUTED, "not said: you are muted in #general", f'["#general",{MOMENT},"too loud"]'),
        ),
        ("unasked", Info("the server cannot store lines; it waits for space")),
        ("are you there?", Ping(1)),
        ("yes", Pong(1)),
        ("come back later", Bye(True, Code.STOPPING, "the server is restarting")),
        ("an operator has ended it", Bye(False, Code.KICKED, "killed by ann: advertising")),
        ("the client leaves", Bye(False, Code.GOODBYE, "")),
        ("said", said),
        (
            "said, with extreme numbers",
            said._replace(seq=MAX_NUMBER, time=MAX_TIME, id=MAX_NUMBER, person=2**32 - 1, place=2**32 - 1),
        ),
        ("said, with an extra of an unknown key", said._replace(extra=unknown_key + b"\xc9\0")),
        ("said, what the author does", said._replace(text="waves", extra=ACT)),
        (
            "said, a line of a bot that answers one",
            said._replace(text="42", extra=extra_row(Extra.FORM, Form.BOT, 1) + REPLY),
        ),
        ("said to one person", said._replace(channel="@李雷", text="psst", place=5, extra=RECEIVER)),
        (
            "said, as it is sent again when it was edited",
            said._replace(text="hi there", extra=extra_row(Extra.EDITED, 14)),
        ),
        (
            "said, as it is sent again when it was deleted",
            said._replace(text="", extra=extra_row(Extra.DELETED, 15)),
        ),
        ("edited", said._replace(seq=14, kind=EventKind.EDITED, text="hi there", id=15, extra=MESSAGE)),
        ("deleted", said._replace(seq=15, kind=EventKind.DELETED, text="", id=16, extra=MESSAGE)),
        (
            "a reaction in a direct conversation",
            said._replace(
                seq=16,
                kind=EventKind.REACTED,
                channel="@李雷",
                text="👍",
                id=17,
                place=5,
                extra=MESSAGE + RECEIVER,
            ),
        ),
        ("joined", Event(1, MOMENT, EventKind.JOINED, "#general", "ann", "", 0, 1, 1)),
        (
            "joined, with the name of the account",
            Event(1, MOMENT, EventKind.JOINED, "#general", "ann", "", 0, 1, 1, b"\x02\x03Ann"),
        ),
        (
            "joined, an operator with an account",
            Event(
                1,
                MOMENT,
                EventKind.JOINED,
                "#general",
                "ann",
                "",
                0,
                1,
                1,
                joined_extra("Ann", Role.OPERATOR),
            ),
        ),
        (
            "joined, a guest with voice",
            Event(1, MOMENT, EventKind.JOINED, "#general", "ann", "", 0, 1, 1, joined_extra("", Role.VOICE)),
        ),
        ("left", Event(4, MOMENT, EventKind.LEFT, "#general", "ann", "bored", 0, 1, 1)),
        ("renamed", Event(5, MOMENT, EventKind.RENAMED, "", "ann", "anna", 0, 1, 0)),
        ("topic, none any more", Event(6, MOMENT, EventKind.TOPIC, "#general", "anna", "", 0, 1, 1)),
        ("topic", Event(6, MOMENT, EventKind.TOPIC, "#general", "anna", "lunch at noon", 0, 1, 1)),
        (
            "kicked",
            Event(7, MOMENT, EventKind.KICKED, "#general", "anna", "too loud", 0, 1, 1, TARGET),
        ),
        ("quit", Event(8, MOMENT, EventKind.QUIT, "", "ann", "connection lost", 0, 1, 0)),
        ("set", Event(10, MOMENT, EventKind.SET, "#general", "", "", 0, 0, 1, SET_COUNTED)),
        (
            "set by a member: for the invited only, no key any more",
            Event(
                17,
                MOMENT,
                EventKind.SET,
                "#lab",
                "ann",
                "",
                0,
                1,
                3,
                bytes((Setting.KEYED, 1, 0, Setting.INVITE_ONLY, 1, 1)),
            ),
        ),
        (
            "listed, with voice",
            Event(
                18,
                MOMENT,
                EventKind.LISTED,
                "#lab",
                "ann",
                "",
                0,
                1,
                3,
                extra_row(Extra.LIST, Role.VOICE, 1) + TARGET,
            ),
        ),
        (
            "listed, not invited any more",
            Event(
                19,
                MOMENT,
                EventKind.LISTED,
                "#lab",
                "ann",
                "",
                0,
                1,
                3,
                extra_row(Extra.LIST, INVITED_LIST, 1) + TARGET + extra_row(Extra.REMOVED, 1, 1),
            ),
        ),
        (
            "listed, muted for an hour, with a reason",
            Event(
                25,
                MOMENT,
                EventKind.LISTED,
                "#lab",
                "ann",
                "too loud",
                0,
                1,
                3,
                extra_row(Extra.LIST, MUTE_LIST, 1) + TARGET + UNTIL,
            ),
        ),
        (
            "listed, banned from the whole chatroom",
            Event(
                26,
                MOMENT,
                EventKind.LISTED,
                "",
                "ann",
                "",
                0,
                1,
                0,
                extra_row(Extra.LIST, BAN_LIST, 1) + TARGET,
            ),
        ),
        (
            "listed, the network of a member is banned",
            Event(
                27,
                MOMENT,
                EventKind.LISTED,
                "#lab",
                "ann",
                "advertising",
                0,
                1,
                3,
                extra_row(Extra.LIST, BAN_LIST, 1) + extra_row(Extra.WHOM, "+李雷") + UNTIL,
            ),
        ),
        (
            "listed, a name is not exempt any more",
            Event(
                28,
                MOMENT,
                EventKind.LISTED,
                "#lab",
                "ann",
                "",
                0,
                1,
                3,
                extra_row(Extra.LIST, EXEMPT_LIST, 1) + extra_row(Extra.WHOM, "李雷") + REMOVED,
            ),
        ),
        (
            "set: one line in 30 seconds",
            Event(29, MOMENT, EventKind.SET, "#lab", "ann", "", 0, 1, 3, bytes((Setting.SLOW, 2, 0, 30))),
        ),
        (
            "set: slow no more",
            Event(30, MOMENT, EventKind.SET, "#lab", "ann", "", 0, 1, 3, bytes((Setting.SLOW, 2, 0, 0))),
        ),
        ("announced", Event(31, MOMENT, EventKind.ANNOUNCED, "", "ann", "back at noon", 0, 1, 0)),
        ("erased", Event(32, MOMENT, EventKind.ERASED, "", "", "", extra=extra_row(Extra.TARGET, 2, 4))),
        ("a hand is raised", Event(33, MOMENT, EventKind.HAND, "#lab", "李雷", "", 0, 2, 3)),
        ("a hand is taken down", Event(34, MOMENT, EventKind.HAND, "#lab", "李雷", "", 0, 2, 3, REMOVED)),
        ("called", Event(35, MOMENT, EventKind.CALLED, "#lab", "ann", "", 0, 1, 3, TARGET)),
        ("a poll", Event(36, MOMENT, EventKind.POLL, "#lab", "ann", CHOICE, 0, 1, 3)),
        (
            "revealed: 300 for the first option, none for the second",
            Event(
                37,
                MOMENT,
                EventKind.REVEALED,
                "#lab",
                "ann",
                CHOICE,
                0,
                1,
                3,
                extra_row(Extra.VOTES, bytes((1, 44, 0, 0))),
            ),
        ),
        ("asked, by nobody knows whom", Event(38, MOMENT, EventKind.ASKED, "#lab", "", "why?", 0, 0, 3)),
        (
            "audited: of a history that was exported, never sent",
            Event(
                39,
                MOMENT,
                EventKind.AUDITED,
                EVERYWHERE,
                "ann",
                "banned 李雷",
                0,
                1,
                AUDIT_PLACE,
                TARGET + extra_row(Extra.FROM, "192.0.2.7") + extra_row(Extra.IN, 0, 4),
            ),
        ),
        (
            "invited",
            Event(
                20,
                MOMENT,
                EventKind.INVITED,
                "@李雷",
                "ann",
                "#lab",
                0,
                1,
                5,
                RECEIVER + extra_row(Extra.TARGET, 2, 4),
            ),
        ),
        ("away", Event(21, MOMENT, EventKind.AWAY, "", "ann", "lunch", 0, 1, 0)),
        ("back", Event(22, MOMENT, EventKind.AWAY, "", "ann", "", 0, 1, 0)),
        ("closed", Event(23, MOMENT, EventKind.CLOSED, "#lab", "ann", "week 3 is over", 0, 1, 3)),
        ("moved", Event(24, MOMENT, EventKind.MOVED, "#lab", "ann", "#lab4", 0, 1, 3)),
        ("read, a signal", Event(0, MOMENT, EventKind.READ, "#general", "ann", "4711", 0, 1, 1)),
        ("counted, a signal", Event(0, MOMENT, EventKind.COUNTED, "#general", "", "5000", 0, 0, 1)),
        ("account", Event(11, MOMENT, EventKind.ACCOUNT, "", "ann", "Ann", 0, 1, 0)),
        ("account, none any more", Event(12, MOMENT, EventKind.ACCOUNT, "", "ann", "", 0, 1, 0)),
        ("restarted", Event(9, MOMENT, EventKind.RESTARTED, "", "", "")),
    ]
    return [
        {"name": name, "hex": encode(packet).hex(), "packet": meaning(packet)} for name, packet in samples
    ]


def streams() -> list[dict[str, Any]]:
    """Several packets, several parts, and all streams that must be refused."""
    long = "x" * (TEXT_PART - 1) + "漢" + "y"  # the cut would fall inside a character
    say, said = Say(11, "#a", long), Event(8, MOMENT, EventKind.SAID, "#a", "ann", long, 11, 1, 2)
    short = said._replace(text="x")
    ping, line = Ping(2), Say(12, "#a", "short")
    parts = encode(say)
    first = parts[: HEADER.size + int.from_bytes(parts[4:8], "big")]
    good: list[tuple[str, bytes, list[Packet]]] = [
        ("nothing", b"", []),
        ("several packets at once", encode(ping) + encode(line) + encode(Pong(2)), [ping, line, Pong(2)]),
        ("a long line is one message of two packets", parts, [say]),
        ("a long event is one message of two packets", encode(said), [said]),
        ("another kind may come between two parts", first + encode(ping) + parts[len(first) :], [ping, say]),
        ("flags are ignored", _with(encode(ping), 3, 0xFF), [ping]),
        (
            "a part without text is a part",
            _part(Kind.SAY, PLAIN, 0, 2) + _part(Kind.SAY, PLAIN + b"x", 1, 2),
            [Say(5, "#a", "x")],
        ),
        (
            "a list of members in two parts, cut between two of them",
            _part(Kind.CHANNEL, LIST + b"\0\0\0\1\0\3ann", 0, 2)
            + _part(Kind.CHANNEL, LIST + b"\0\0\0\2\0\3bob", 1, 2),
            [Channel(2, "#a", "hm", 0, 0, 2, (Present(1, 0, "ann"), Present(2, 0, "bob")))],
        ),
        (
            "an answer in two parts, cut within its words",
            _part(Kind.ANSWER, b"\0\0\0\0\0\3a", 0, 2) + _part(Kind.ANSWER, b"\0\0\0\0\0\3bc[1]", 1, 2),
            [Answer(5, Code.OK, "abc", "[1]")],
        ),
        (
            "an event of an unknown kind is skipped, its seq counts",
            _with(encode(short), 2, UNKNOWN) + encode(short),
            [Skipped(short.seq, short.time), short],
        ),
        (
            "a signal (seq 0) of an unknown kind is skipped",
            _with(encode(short._replace(seq=0)), 2, UNKNOWN) + encode(short),
            [short],
        ),
        (
            "a signal (seq 0) of a known kind comes like an event",
            encode(Event(0, MOMENT, EventKind.COUNTED, "#a", "", "1234", 0, 0, 2)) + encode(short),
            [Event(0, MOMENT, EventKind.COUNTED, "#a", "", "1234", 0, 0, 2), short],
        ),
        (
            "an event of an unknown kind in two parts is skipped once",
            b"".join(_part(UNKNOWN, encode(short)[HEADER.size :], part, 2) for part in range(2)),
            [Skipped(short.seq, short.time)],
        ),
    ]
    bad: list[tuple[str, bytes]] = [
        ("an HTTP request", b"GET / HTTP/1.1\r\n\r\n"),
        ("one wrong byte", b"G"),
        ("version 1", bytes.fromhex("c701010000000008000000000000000000000001016578616d706c65")),
        ("a newer version", _with(encode(ping), 1, VERSION + 1)),
        ("a kind that does not exist", _with(encode(ping), 2, 0x11)),
        ("a kind behind the events", _with(encode(ping), 2, 0x80)),
        (
            "too long a payload is announced",
            HEADER.pack(MAGIC, VERSION, Kind.INFO, 0, MAX_PAYLOAD + 1, 0, 0, 1),
        ),
        ("a message id of 64 bits", HEADER.pack(MAGIC, VERSION, Kind.PING, 0, 0, MAX_NUMBER + 1, 0, 1)),
        ("no parts", _part(Kind.SAY, PLAIN + b"x", 0, 0)),
        ("a part behind the last", _part(Kind.SAY, PLAIN + b"x", 2, 2)),
        ("too many parts", _part(Kind.SAY, PLAIN + b"x", 0, 33)),
        ("not from the first part on", _part(Kind.SAY, PLAIN + b"x", 1, 2)),
        ("parts of two messages", first + encode(line)),
        ("parts of a kind that has none", _part(Kind.INFO, b"x", 0, 2)),
        ("text that is not UTF-8", _part(Kind.SAY, PLAIN + b"\xff", 0, 1)),
        ("a line without text", _part(Kind.SAY, PLAIN, 0, 1)),
        ("a channel longer than the payload", _part(Kind.SAY, b"\x09#a\0\0\0", 0, 1)),
        ("an extra longer than the payload", _part(Kind.SAY, b"\x02#a\0\0\x05x", 0, 1)),
        ("an extra whose row is cut short", _part(Kind.SAY, b"\x02#a\0\0\x03\1\2ax", 0, 1)),
        ("the same in an event", _part(EventKind.SAID, bytes(24) + b"\0\x03\0\0\1\2a", 0, 1)),
        ("the same in an event of an unknown kind", _part(UNKNOWN, bytes(24) + b"\0\x03\0\0\1\2a", 0, 1)),
        ("PASS with a reason", _part(Kind.STATUS, b"\0\0\0why", 0, 1)),
        ("END with a code", _part(Kind.STATUS, b"\2\0\x28", 0, 1)),
        ("a verdict that does not exist", _part(Kind.STATUS, b"\3\0\0", 0, 1)),
        ("ADMIT without a channel", _part(Kind.ADMIT, TICKET + bytes(34) + b"\0\3ann", 0, 1)),
        ("credentials cut short", _part(Kind.USERNAME, NO_TOKEN + b"\3ann\1\0\7secret", 0, 1)),
        ("a member without its name", _part(Kind.CHANNEL, LIST + b"\0\0\0\1\0\3", 0, 1)),
        ("words longer than the answer", _part(Kind.ANSWER, b"\0\0\0\0\0\3ab", 0, 1)),
        ("something behind the ticket", _part(Kind.PORT, b"\x00\x01" + TICKET + b"x", 0, 1)),
        ("a time after the year 9999", _part(EventKind.SAID, bytes(8) + b"\xff" * 8 + bytes(12), 0, 1)),
    ]
    entries = [
        {"name": name, "hex": data.hex(), "packets": [meaning(packet) for packet in found], "error": False}
        for name, data, found in good
    ]
    for name, data in bad:
        entries.append({"name": name, "hex": data.hex(), "packets": [], "error": True})
        entries.append(
            {
                "name": f"{name}, after a good packet",
                "hex": (encode(ping) + data).hex(),
                "packets": [meaning(ping)],
                "error": True,
            }
        )
    return entries


def dialogue() -> list[dict[str, Any]]:
    """Ann joins for the first time, says hi, asks who is there and leaves; she is the only member."""
    joined = Event(1, MOMENT, EventKind.JOINED, "#general", "ann", "", 0, 1, 1)
    said = Event(2, MOMENT + 4000, EventKind.SAID, "#general", "ann", "hi", 7, 1, 1)
    steps: list[tuple[str, str, Packet]] = [
        ("client", "lobby", Hello(VERSION, "example")),
        ("client", "lobby", Username("ann", NO_TOKEN)),
        ("lobby", "client", Status(Verdict.PASS)),
        ("lobby", "client", Port(5101, TICKET)),
        ("client", "lobby", Status(Verdict.PASS)),
        ("client", "lobby", Status(Verdict.END)),
        ("lobby", "client", Status(Verdict.END)),
        ("client", "port 5101", Admit("ann", TICKET, ("#general",), 0, 0, NO_IDENTITY, 50)),
        ("port 5101", "client", Welcome("ann", TOKEN, IDENTITY, 1, 0, 0, Resumed.FRESH)),
        ("port 5101", "client", Channel(1, "#general", "", 0, Role.MEMBER, 1, (Present(1, 0, "ann"),))),
        ("port 5101", "client", Replay(0)),
        ("port 5101", "client", Live(0, 0)),
        ("port 5101", "client", joined),
        ("client", "port 5101", Say(7, "#general", "hi")),
        ("port 5101", "client", said),
        ("client", "port 5101", Command(8, "#general", "/who")),
        (
            "port 5101",
            "client",
            Answer(8, Code.OK, "1 in #general: ann", '["#general",["ann","here"]]'),
        ),
        ("client", "port 5101", Bye(False, Code.GOODBYE, "")),
        ("port 5101", "client", Bye(False, Code.GOODBYE, "goodbye")),
    ]
    return [
        {"from": sender, "to": receiver, "hex": encode(packet).hex(), "packet": meaning(packet)}
        for sender, receiver, packet in steps
    ]


def names() -> list[dict[str, Any]]:
    """Names and channels as the server judges them."""
    wanted = [
        "ann",
        "ANN",
        "Ａｎｎ",
        "e\u0301va",
        "straße",
        "李雷",
        "r2.d2",
        "a_b-c",
        "",
        "_ann",
        "an n",
        "an\u200bn",
    ]
    wanted += ["an\u202en", "an\x1bn", "x" * 24, "x" * 25, "漢" * 12, "漢" * 13, "ann🙂"]
    wanted += ["Ian", "lan", "paypaI", "bem", "bern", "сор", "cop", "İbo", "ibo", "ışık", "IŞIK", "ạnn"]
    wanted += [
        "Nguyễn",
        "नरेश",
        "की" * 12,
        "की" * 13,
        "王力宏Tom",
        "ひろしカHiro",
        "김철수kim",
        "ㅋㅋ",
        "ann2",
    ]
    wanted += [
        "аnn",
        "Ωmega",
        "ひろ김",
        "1١",
        "ann\u20e3",
        "ann\u1161",
        "annː",
        "𝑎𝑛𝑛",
        "عـمر",
        "n\u0332\u0332",
    ]
    wanted += ["server", "SYSTEM", "Adm1n", "server-", "servers"]
    entries: list[dict[str, Any]] = []
    for name in wanted:
        try:
            written, key = check_name(name), name_key(name)
            looks = list(skeletons(written, key))
            entries.append({"name": name, "written": written, "key": key, "skeletons": looks})
        except NameRefused:
            entries.append({"name": name, "refused": True})
    for channel in [
        "#general",
        "#General",
        "#Großes",
        "general",
        "#",
        "##a",
        "#a b",
        "#\ufdfa",
        "@ann",
        "#Ａｎｎ",
        "#" + "漢" * 24,
        "#" + "漢" * 25,
        "#" + "x" * 49,
        "#" + "x" * 50,
        "#" + "é" * 47,
        "#" + "é" * 48,
        "#" + "𐌰" * 24,
        "#server",
        "#gеneral",
        "#ㅠㅠ",
    ]:
        try:
            entries.append({"channel": channel, "written": check_channel(channel)})
        except NameRefused:
            entries.append({"channel": channel, "refused": True})
    return entries


def _part(kind: int, payload: bytes, part: int, parts: int) -> bytes:
    return HEADER.pack(MAGIC, VERSION, kind, 0, len(payload), 5, part, parts) + payload


def _with(data: bytes, place: int, value: int) -> bytes:
    return data[:place] + bytes((value,)) + data[place + 1 :]


def files() -> dict[Path, str]:
    """The contents that each file should have."""
    made = {"packets": packets(), "streams": streams(), "dialogue": dialogue(), "names": names()}
    return {
        FOLDER / f"{name}.json": "[\n" + ",\n".join(json.dumps(entry) for entry in entries) + "\n]\n"
        for name, entries in made.items()
    }


def main(arguments: list[str]) -> int:
    """Write the files, or with --check compare; 1 when they differ."""
    if arguments == ["--check"]:
        stale = [path.name for path, text in files().items() if not path.exists() or path.read_text() != text]
        print(f"not up to date: {', '.join(stale)}" if stale else "up to date")
        return bool(stale)
    for path, text in files().items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
