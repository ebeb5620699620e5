"""The test vectors and the code agree in both directions; so does the example in notes/protocol.md."""

from __future__ import annotations

import json
import re
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest

from chatroom import limits
from chatroom.errors import NameRefused, ProtocolError
from chatroom.events import Event, EventKind, Extra, Setting, extra_rows
from chatroom.handshake import CLIENT, SERVER, Handshake, Step
from chatroom.limits import TICKET_BYTES
from chatroom.lookalikes import skeletons
from chatroom.names import check_channel, check_name, name_key
from chatroom.outcomes import Code
from chatroom.packets import (
    HEADER,
    Channel,
    Credential,
    Decoder,
    Form,
    Kind,
    Packet,
    Resumed,
    Role,
    Say,
    Verdict,
    encode,
)
from chatroom.packets.kinds import ADMIT_FIXED, CHANNEL_FIXED, EVENT_FIXED, LIVE_FIXED, WELCOME_FIXED
from tests.support.cases import case
from tests.vectors import make

FOLDER = Path(__file__).parent
OWN_KEYS = (EventKind.JOINED, EventKind.SET)  # whose extra has keys of its own
PAGE = (FOLDER.parent.parent / "notes" / "protocol.md").read_text()


# Sections with the size of the fixed fields at the beginning of their payload.
WITHOUT_PAYLOAD = (Kind.PING, Kind.PONG, Kind.REPLAY)
FIXED = {
    "0x05 ADMIT": TICKET_BYTES + ADMIT_FIXED.size,
    "0x06 WELCOME": TICKET_BYTES + WELCOME_FIXED.size,
    "0x07 LIVE": LIVE_FIXED.size,
    "0x0F CHANNEL": CHANNEL_FIXED.size,
    "Events": EVENT_FIXED.size,
}


def load(name: str) -> list[dict[str, Any]]:
    """The entries of a file."""
    entries: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text())
    return entries


def test_files_are_what_the_code_makes() -> None:
    """`python -m tests.vectors.make` would write the same files: the wire has not changed."""
    assert make.main(["--check"]) == 0


def test_packets() -> None:
    """The decoder makes the packet of the bytes, and the encoder makes the bytes of the packet."""
    for entry in load("packets"):
        with case(entry["name"]):
            data = bytes.fromhex(entry["hex"])
            (packet,) = Decoder().feed(data)
            assert make.meaning(packet) == entry["packet"]
            assert encode(make.packet_of(entry["packet"])) == data


def test_every_kind_has_a_vector() -> None:
    """Every kind of packet has a vector."""
    found = {entry["packet"]["kind"] for entry in load("packets")}
    assert found == {kind.name for kind in (*Kind, *EventKind)}


@pytest.mark.parametrize("size", [1, 7, 10**6])
def test_streams(size: int) -> None:
    """A stream gives its packets in pieces of any size, and is refused where its entry says so."""
    for entry in load("streams"):
        with case(entry["name"]):
            data, decoder, found, error = bytes.fromhex(entry["hex"]), Decoder(), list[Packet](), False
            try:
                for start in range(0, len(data), size):
                    found += decoder.feed(data[start : start + size])
                    decoder.check()
            except ProtocolError:
                error = True
            assert [make.meaning(packet) for packet in found] == entry["packets"]
            assert error is entry["error"]


def test_dialogue_is_a_handshake() -> None:
    """The handshake's tables allow every packet of the dialogue, up to WELCOME."""
    client, server = Handshake(CLIENT), Handshake(SERVER)
    own_steps = {"HELLO": Step.NAMING, "USERNAME": Step.ASKED, "PORT": Step.OFFERED}
    for entry in load("dialogue"):
        packet = make.packet_of(entry["packet"])
        receiver, sender = (server, client) if entry["from"] == "client" else (client, server)
        if receiver.step is Step.ADMITTED:
            break
        receiver.receive(packet)
        kind = entry["packet"]["kind"]
        if kind in own_steps:
            sender.enter(own_steps[kind])
        elif sender is client and entry["packet"].get("verdict") == "PASS":
            client.enter(Step.TAKEN)
    assert client.step is server.step is Step.ADMITTED


def test_names() -> None:
    """A name or channel has the written form, key and skeletons of its entry, or is refused."""
    for entry in load("names"):
        with case(entry):
            if "refused" in entry:
                with pytest.raises(NameRefused):
                    check_name(entry["name"]) if "name" in entry else check_channel(entry["channel"])
            elif "name" in entry:
                written, key = check_name(entry["name"]), name_key(entry["name"])
                assert (written, key) == (entry["written"], entry["key"])
                assert list(skeletons(written, key)) == entry["skeletons"]
            else:
                assert check_channel(entry["channel"]) == entry["written"]


# --- notes/protocol.md ----------------------------------------------------------------------------------


def example() -> list[tuple[str, str, dict[str, Any], bytes]]:
    """The page's worked example: sender, receiver, meaning and bytes of each packet."""
    (block,) = re.findall(r"```hex\n(.*?)```", PAGE, re.S)
    found = []
    for caption, data in re.findall(r"^(\S.*)\n((?: +[0-9a-f ]+\n)+)", block, re.M):
        sender, receiver, kind, fields = re.fullmatch(r"(.+?) → (.+?): (\w+) (\{.*\})", caption).groups()
        found.append((sender, receiver, {"kind": kind} | json.loads(fields), bytes.fromhex(data)))
    return found


def test_worked_example_is_real() -> None:
    """The hex of the page's example is the dialogue of the vectors, and decodes to the captions above it."""
    assert [
        {"from": sender, "to": receiver, "hex": data.hex(), "packet": fields}
        for sender, receiver, fields, data in example()
    ] == load("dialogue")
    for _, _, fields, data in example():
        assert [make.meaning(packet) for packet in Decoder().feed(data)] == [fields]


def section(title: str) -> str:
    """The part of the page under a heading that begins with `title`, up to the next that is not below it."""
    found = re.search(rf"^(#+) {re.escape(title)}", PAGE, re.M)
    assert found, title
    rest = PAGE[found.start() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest[found.end() - found.start() :], re.M)
    return rest[: found.end() - found.start() + end.start()] if end else rest


def test_page_has_every_kind() -> None:
    """The page's tables have exactly the kinds of the code, and each packet has a section."""
    rows = re.findall(r"^\| 0x([0-9A-F]{2}) \| (\w+) \|", section("Kinds"), re.M)
    assert {(int(number, 16), name) for number, name in rows} == {
        (kind.value, kind.name) for kind in (*Kind, *EventKind)
    }
    for kind in Kind:
        assert re.search(rf"^### .*0x{kind:02X} {kind.name}\b", PAGE, re.M), kind.name
    for event in EventKind:
        assert re.search(rf"^\| {event.name}( \(reserved\))? \|", section("Events"), re.M), event.name


@pytest.mark.parametrize(
    ("numbers", "title"),
    [
        (Code, "Codes"),
        (Verdict, "0x03 STATUS"),
        (Credential, "0x02 USERNAME"),
        (Resumed, "0x06 WELCOME"),
        (Role, "0x0F CHANNEL"),
        (Form, "0x08 SAY"),
        (Extra, "Extra: keys and values"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_page_has_every_number(numbers: type[IntEnum], title: str) -> None:
    """The page's table of codes, verdicts … has exactly the numbers and names of the code."""
    rows = re.findall(r"^\| (\d+) \| ([A-Z_]+) \|", section(title), re.M)
    assert [(int(number), name) for number, name in rows] == [(one.value, one.name) for one in numbers]


def test_page_has_every_setting() -> None:
    """The page's table of settings has exactly the bits and names of the code."""
    rows = re.findall(r"^\| 0x([0-9A-F]{2}) \| ([A-Z_]+) \|", section("0x0F CHANNEL"), re.M)
    assert [(int(number, 16), name) for number, name in rows] == [(one.value, one.name) for one in Setting]


def test_every_form_and_extra_has_a_vector() -> None:
    """Every form of a SAY, every setting and every key of an extra stands in a vector."""
    entries = [make.packet_of(entry["packet"]) for entry in load("packets")]
    forms = {entry.form for entry in entries if isinstance(entry, Say)}
    assert forms >= set(Form)
    settings = [entry.settings for entry in entries if isinstance(entry, Channel)]
    assert all(any(setting & bits for bits in settings) for setting in Setting)
    events = [one for one in entries if isinstance(one, Event) and one.kind not in OWN_KEYS]
    assert {key for one in events for key in extra_rows(one.extra)} >= set(Extra)


@pytest.mark.parametrize(
    "kind", [f"0x{kind:02X} {kind.name}" for kind in Kind if kind not in WITHOUT_PAYLOAD] + ["Events"]
)
def test_page_has_the_offsets(kind: str) -> None:
    """The offsets in the table of a payload follow from the sizes; the fixed fields are those of the code."""
    rows = re.findall(r"^\| (\d+) \| (\d+|string8|rest|…) \|", section(kind), re.M)
    assert rows
    end = 0
    for offset, size in rows:
        assert int(offset) == end
        end += int(size) if size.isdigit() else 0
    assert end == FIXED.get(kind, end)


def test_page_has_the_limits() -> None:
    """Each limit on the page has the code's value."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| ([0-9.]+) ?\w* \|", PAGE, re.M)
    assert len(rows) >= 10
    for name, value in rows:
        assert json.loads(value) == getattr(limits, name), name


def test_page_has_the_header() -> None:
    """The sizes in the page's header table follow one another and add up to the header."""
    table = PAGE.split("## The header")[1].split("\n## ")[0]
    rows = [(int(offset), int(size)) for offset, size in re.findall(r"^\| (\d+) \| (\d+) \|", table, re.M)]
    assert [offset for offset, _ in rows] == [sum(size for _, size in rows[:at]) for at in range(len(rows))]
    assert sum(size for _, size in rows) == HEADER.size
