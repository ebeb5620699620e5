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
from chatroom.events import Event, EventKind
from chatroom.limits import MAX_NUMBER, MAX_PAYLOAD, MAX_TIME, TEXT_PART
from chatroom.names import check_channel, check_name, name_key
from chatroom.packets import (
    HEADER,
    MAGIC,
    NO_TOKEN,
    SAME_CONNECTION,
    VERSION,
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
    encode,
)

FOLDER = Path(__file__).parent
TICKET = bytes.fromhex("00112233445566778899aabbccddeeff")
TOKEN = bytes.fromhex("f0e1d2c3b4a5968778695a4b3c2d1e0f")
MOMENT = 1_769_862_896_789  # 2026-01-31 12:34:56.789 UTC
TYPES: dict[str, type] = {
    kind.name: globals()[kind.name.capitalize()] for kind in Kind
}  # HELLO → Hello, as everywhere in the program


def meaning(packet: Packet) -> dict[str, Any]:
    """A packet as JSON: `kind`, then its fields; binary as hex, enumerations as their names."""
    kind = packet.kind.name if isinstance(packet, Event) else type(packet).__name__.upper()
    fields = {name: value for name, value in packet._asdict().items() if name != "kind"}
    return {"kind": kind} | {name: _plain(value) for name, value in fields.items()}


def packet_of(fields: dict[str, Any]) -> Packet:
    """The packet that a meaning describes."""
    values = dict(fields)
    kind = values.pop("kind")
    if kind in EventKind.__members__:
        return Event(kind=EventKind[kind], **values)
    if "code" in values:
        values["code"] = Code[values["code"]]
    for name in ("token", "ticket"):
        if name in values:
            values[name] = bytes.fromhex(values[name])
    packet: Packet = TYPES[kind](**values)
    return packet


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return value.hex()
    return value.name if isinstance(value, Code) else value


def packets() -> list[dict[str, Any]]:
    """Every kind with usual and with extreme fields."""
    said = Event(3, MOMENT, EventKind.SAID, "#general", "ann", "hi", 7)
    samples: list[tuple[str, Packet]] = [
        ("first packet of a client", Hello(1, "example")),
        ("a new name", Username("ann", NO_TOKEN)),
        ("coming back with the token of the session", Username("李雷", TOKEN)),
        ("passed", Status(Code.PASS)),
        ("refused, with the reason", Status(Code.FAIL, "the name is taken")),
        ("the lobby is done with", Status(Code.END)),
        ("go on at port 5101", Port(5101, TICKET)),
        ("stay on this connection", Port(SAME_CONNECTION, TICKET)),
        ("admit me, with the last 50 lines", Admit("ann", TICKET, "#general", 0, 50)),
        ("admit me, with all since 1000", Admit("ann", TICKET, "#général", 1000, 0)),
        ("admitted for the first time", Welcome("ann", "#general", TOKEN, 0, 2)),
        ("admitted again", Welcome("ann", "#general", TOKEN, 4711, MAX_NUMBER)),
        ("the replay is complete", Live(2)),
        ("a line", Say(7, "#general", "hi")),
        ("a line in many scripts", Say(8, "#general", "naïve 漢字 🙂 e\u0301 עברית")),
        ("a line with what a terminal must not be shown", Say(9, "#general", "\x1b[2J\u202e\0\r\n")),
        ("a repeat is confirmed", Confirm(7)),
        ("a command", Command(10, "#general", "/who")),
        ("the answer", Notice(10, "in #general: ann, bob\nthat is all")),
        ("are you there?", Ping(1)),
        ("yes", Pong(1)),
        ("come back later", Bye(True, "the server is restarting")),
        ("do not come back", Bye(False, "")),
        ("said", said),
        ("said, with extreme numbers", said._replace(seq=MAX_NUMBER, time=MAX_TIME, id=MAX_NUMBER)),
        ("joined", Event(1, MOMENT, EventKind.JOINED, "#general", "ann", "")),
        ("left", Event(4, MOMENT, EventKind.LEFT, "#general", "ann", "connection lost")),
        ("renamed", Event(5, MOMENT, EventKind.RENAMED, "#general", "ann", "anna")),
        ("topic", Event(6, MOMENT, EventKind.TOPIC, "#general", "anna", "lunch at noon")),
        ("kicked", Event(7, MOMENT, EventKind.KICKED, "#general", "anna", "bob too loud")),
    ]
    return [
        {"name": name, "hex": encode(packet).hex(), "packet": meaning(packet)} for name, packet in samples
    ]


def streams() -> list[dict[str, Any]]:
    """Several packets, several parts, and all streams that must be refused."""
    long = "x" * (TEXT_PART - 1) + "漢" + "y"  # the cut would fall inside a character
    say, said = Say(11, "#a", long), Event(8, MOMENT, EventKind.SAID, "#a", "ann", long, 11)
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
            _part(Kind.SAY, b"\x02#a", 0, 2) + _part(Kind.SAY, b"\x02#ax", 1, 2),
            [Say(5, "#a", "x")],
        ),
    ]
    bad: list[tuple[str, bytes]] = [
        ("an HTTP request", b"GET / HTTP/1.1\r\n\r\n"),
        ("one wrong byte", b"G"),
        ("another version", _with(encode(ping), 1, 2)),
        ("a kind that does not exist", _with(encode(ping), 2, 0x7F)),
        (
            "too long a payload is announced",
            HEADER.pack(MAGIC, VERSION, Kind.NOTICE, 0, MAX_PAYLOAD + 1, 0, 0, 1),
        ),
        ("a message id of 64 bits", HEADER.pack(MAGIC, VERSION, Kind.PING, 0, 0, MAX_NUMBER + 1, 0, 1)),
        ("no parts", _part(Kind.SAY, b"\x02#ax", 0, 0)),
        ("a part behind the last", _part(Kind.SAY, b"\x02#ax", 2, 2)),
        ("too many parts", _part(Kind.SAY, b"\x02#ax", 0, 33)),
        ("not from the first part on", _part(Kind.SAY, b"\x02#ax", 1, 2)),
        ("parts of two messages", first + encode(line)),
        ("parts of a kind that has none", _part(Kind.NOTICE, b"x", 0, 2)),
        ("text that is not UTF-8", _part(Kind.SAY, b"\x02#a\xff", 0, 1)),
        ("a line without text", _part(Kind.SAY, b"\x02#a", 0, 1)),
        ("a channel longer than the payload", _part(Kind.SAY, b"\x09#a", 0, 1)),
        ("something behind the ticket", _part(Kind.PORT, b"\x00\x01" + TICKET + b"x", 0, 1)),
        ("a time after the year 9999", _part(EventKind.SAID, bytes(8) + b"\xff" * 8 + b"\0\0", 0, 1)),
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
    """Ann joins for the first time and says hi; she is the only member."""
    joined = Event(1, MOMENT, EventKind.JOINED, "#general", "ann", "")
    said = Event(2, MOMENT + 4000, EventKind.SAID, "#general", "ann", "hi", 7)
    steps: list[tuple[str, str, Packet]] = [
        ("client", "lobby", Hello(VERSION, "example")),
        ("client", "lobby", Username("ann", NO_TOKEN)),
        ("lobby", "client", Status(Code.PASS)),
        ("lobby", "client", Port(5101, TICKET)),
        ("client", "lobby", Status(Code.PASS)),
        ("client", "lobby", Status(Code.END)),
        ("lobby", "client", Status(Code.END)),
        ("client", "port 5101", Admit("ann", TICKET, "#general", 0, 50)),
        ("port 5101", "client", Welcome("ann", "#general", TOKEN, 0, 0)),
        ("port 5101", "client", Live(0)),
        ("port 5101", "client", joined),
        ("client", "port 5101", Say(7, "#general", "hi")),
        ("port 5101", "client", said),
        ("client", "port 5101", Bye(False, "")),
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
    entries: list[dict[str, Any]] = []
    for name in wanted:
        try:
            entries.append({"name": name, "written": check_name(name), "key": name_key(name)})
        except NameRefused:
            entries.append({"name": name, "refused": True})
    for channel in ["#general", "#General", "#Großes", "general", "#", "##a", "#a b", "#\ufdfa"]:
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
