"""What the run looks at in every packet that the program under test sends: one row for each rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from chatroom.events import EventKind
from chatroom.limits import MAX_NUMBER, MAX_PARTS, MAX_PAYLOAD, TEXT_PART
from chatroom.packets import EVENT_KINDS, HEADER, MAGIC, VERSION, Kind
from tests.conformance.check import Failed, Role


class Frame(NamedTuple):
    """One packet as it is on the wire."""

    magic: int
    version: int
    kind: int
    flags: int
    length: int
    id: int
    part: int
    parts: int
    payload: bytes


def parse_header(data: bytes) -> Frame:
    """The header at the beginning of `data`; the payload is still to come."""
    magic, version, kind, flags, length, id, part, parts = HEADER.unpack_from(data)
    return Frame(magic, version, kind, flags, length, id, part, parts, b"")


_FROM_CLIENT = {Kind.HELLO, Kind.USERNAME, Kind.ADMIT, Kind.SAY, Kind.COMMAND}
_FROM_BOTH = {Kind.STATUS, Kind.PING, Kind.PONG, Kind.BYE}
_FROM_SERVER = set(Kind) - _FROM_CLIENT - _FROM_BOTH | set(EVENT_KINDS)
SENT_BY: dict[Role, set[int]] = {
    Role.SERVER: {int(kind) for kind in _FROM_SERVER | _FROM_BOTH},
    Role.CLIENT: {int(kind) for kind in _FROM_CLIENT | _FROM_BOTH},
}
_WITH_ID = {int(kind) for kind in (Kind.SAY, Kind.ANSWER, Kind.COMMAND, Kind.PING, Kind.PONG, Kind.REPLAY)}
_WITH_PARTS = {int(Kind.SAY), int(Kind.ANSWER), int(Kind.CHANNEL), *EVENT_KINDS}
_HAS_ID = _WITH_ID | set(EVENT_KINDS)


def _text(frame: Frame) -> bytes:
    """What is cut into parts, in a packet of a kind that can have parts."""
    data = frame.payload
    if frame.kind == Kind.ANSWER:
        return data[6:]
    if frame.kind == Kind.SAY:
        fixed = 1 + data[0]
        return data[fixed + 3 + int.from_bytes(data[fixed + 1 : fixed + 3], "big") :]
    if frame.kind == Kind.CHANNEL:
        return data[13 + int.from_bytes(data[10:12], "big") + data[12] :]
    return data[28 + int.from_bytes(data[24:26], "big") + data[26] + data[27] :]


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _has_parts(frame: Frame) -> bool:
    return frame.kind in _WITH_PARTS and frame.parts > 1


HEADERS: list[tuple[str, str, Callable[[Frame], bool]]] = [
    ("H1", f"the magic 0x{MAGIC:02x}", lambda frame: frame.magic == MAGIC),
    ("H2", f"version {VERSION}", lambda frame: frame.version == VERSION),
    ("H3", "flags 0", lambda frame: frame.flags == 0),
    ("H4", f"a payload of at most {MAX_PAYLOAD} bytes", lambda frame: frame.length <= MAX_PAYLOAD),
    ("H5", f"a message id of at most {MAX_NUMBER}", lambda frame: frame.id <= MAX_NUMBER),
    ("H6", "a part count of at least 1, and a part number below it", lambda frame: frame.part < frame.parts),
    ("M7", f"at most {MAX_PARTS} parts", lambda frame: frame.parts <= MAX_PARTS),
    ("M2", "one part: this kind cannot have several", lambda f: f.parts == 1 or f.kind in _WITH_PARTS),
    ("X29", "no AUDITED", lambda frame: frame.kind != EventKind.AUDITED),
    ("P1", "message id 0 in a packet of this kind", lambda frame: frame.id == 0 or frame.kind in _HAS_ID),
]
"""Rule, what is expected, and whether a header is so."""

PAYLOADS: list[tuple[str, str, Callable[[Frame], bool]]] = [
    (
        "M1",
        f"at most {TEXT_PART} bytes of text in a part",
        lambda f: not _has_parts(f) or len(_text(f)) <= TEXT_PART,
    ),
    ("M8", "no part without text", lambda frame: not _has_parts(frame) or len(_text(frame)) > 0),
    (
        "M3",
        "no cut inside a character",
        lambda f: not _has_parts(f) or f.kind == Kind.CHANNEL or _is_utf8(_text(f)),
    ),
]
"""The same for a packet with its payload."""

WATCHED = {rule for rule, _, _ in (*HEADERS, *PAYLOADS)} | {"K4"}


def watch_header(frame: Frame, sender: Role) -> None:
    """Raise Failed if `sender` may not send a packet with this header."""
    for rule, expected, holds in HEADERS:
        if not holds(frame):
            raise Failed(expected, _seen(frame), rule)
    if frame.kind not in SENT_BY[sender]:
        raise Failed(f"a kind that a {sender.value} sends", _seen(frame), "K4")


def watch_payload(frame: Frame) -> None:
    """Raise Failed if the payload breaks a rule that holds for every packet."""
    try:
        for rule, expected, holds in PAYLOADS:
            if not holds(frame):
                raise Failed(expected, _seen(frame), rule)
    except IndexError:
        raise Failed("a payload as long as its table", _seen(frame), "P2") from None


def _seen(frame: Frame) -> str:
    return (
        f"magic 0x{frame.magic:02x}, version {frame.version}, kind 0x{frame.kind:02x}, flags {frame.flags},"
        f" {frame.length} bytes, id {frame.id}, part {frame.part} of {frame.parts}"
    )
