"""One connection to the program under test: sends anything, judges and remembers all that comes."""

from __future__ import annotations

import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from chatroom.errors import ProtocolError
from chatroom.events import Event
from chatroom.outcomes import Code
from chatroom.packets import HEADER, MAGIC, VERSION, Bye, Decoder, Kind, Packet, Ping, Pong, Status, encode
from tests.conformance.check import Failed, Role, Slowed
from tests.conformance.watches import Frame, parse_header, watch_header, watch_payload

P = TypeVar("P")
SHORT_HEX = 64
"""Bytes up to which a report shows them all."""
SHOWN_BYTES = 24
"""Of longer ones it shows so many at the beginning."""
_SLOW_DOWN_HEAD = bytes([MAGIC, VERSION, Kind.STATUS])
_SLOW_DOWN_CODE = Code.SLOW_DOWN.to_bytes(2, "big")


def frame(
    kind: int,
    payload: bytes = b"",
    id: int = 0,
    part: int = 0,
    parts: int = 1,
    *,
    version: int = VERSION,
    flags: int = 0,
    length: int | None = None,
) -> bytes:
    """A packet made by hand, so that it can be wrong. length: the one announced, if it is another one."""
    announced = len(payload) if length is None else length
    return HEADER.pack(MAGIC, version, kind, flags, announced, id, part, parts) + payload


def describe(packet: object) -> str:
    """A packet for a report: its kind and fields, shortened."""
    if packet is None:
        return "the end of the connection"
    fields = getattr(packet, "_fields", None)
    if fields is None or not isinstance(packet, tuple):
        return str(packet)
    name = packet.kind.name if isinstance(packet, Event) else type(packet).__name__.upper()
    named = zip(fields, packet, strict=True)
    shown = ", ".join(f"{field} {_value(value)}" for field, value in named if field not in ("kind", "places"))
    return f"{name} {{{shown}}}"


def _value(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex() or "-"
    if hasattr(value, "name"):
        return str(value.name)
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:76]}… ({len(text)} characters)"


def in_hex(data: bytes) -> str:
    """Bytes for a report: all of a few, the beginning of many."""
    if len(data) <= SHORT_HEX:
        return data.hex(" ", -4)
    return f"{data[:SHOWN_BYTES].hex(' ', 4)} … ({len(data)} bytes)"


class Wire:
    """A connection. sender: the role of the program at the other end. seconds: how long to wait for it.

    log:    what was sent and received, for the report
    frames: every packet that came, as bytes
    pongs:  whether PING is answered
    """

    def __init__(self, sock: socket.socket, name: str, sender: Role, seconds: float) -> None:
        self.socket = sock
        self.name = name
        self.sender = sender
        self.seconds = seconds
        self.log: list[str] = []
        self.frames: list[Frame] = []
        self.pongs = True
        self.pings = 0
        self.ended = ""  # how the stream ended: "closed" or "reset"
        self._rest = b""
        self._decoder = Decoder()
        self._packets: deque[Packet] = deque()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    # --- sending ----------------------------------------------------------------------------------------

    def send(self, *packets: Packet) -> None:
        """Send good packets in one segment."""
        self.log += [f"sent      {describe(packet)}  {in_hex(encode(packet))}" for packet in packets]
        self._send(b"".join(map(encode, packets)))

    def send_bytes(self, data: bytes, what: str) -> None:
        """Send any bytes. what: said in the report."""
        self.log.append(f"sent      {what}: {in_hex(data)}")
        self._send(data)

    def _send(self, data: bytes) -> None:
        self.socket.settimeout(self.seconds)
        try:
            self.socket.sendall(data)
        except TimeoutError:
            raise Failed(
                "that the program reads what is sent", f"{self.seconds:g} s without reading"
            ) from None
        except OSError as error:
            self.log.append(f"          (not sent: {error.strerror})")  # reading will tell

    def finish(self) -> None:
        """Shut down the sending side."""
        self.log.append("sent      the end of this direction")
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the other side was faster

    def close(self) -> None:
        """Close, if that has not been done."""
        self.socket.close()

    def abort(self) -> None:
        """End the connection as a crash does: with a reset."""
        self.log.append("sent      a reset")
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    # --- receiving --------------------------------------------------------------------------------------

    def take(self, seconds: float | None = None, expected: str = "a packet") -> Packet | None:
        """The next packet; None at the end of the stream. PING is answered and left out.

        Raises Failed when nothing comes in time, and when what comes breaks a rule.
        """
        deadline = time.monotonic() + (self.seconds if seconds is None else seconds)
        while True:
            while self._packets:
                packet = self._packets.popleft()
                if not isinstance(packet, Ping):
                    return packet
                self.pings += 1
                if self.pongs:
                    self.send(Pong(packet.id))
            if self.ended:
                return None
            self._receive(deadline, expected)

    def peek(self, seconds: float) -> bool:
        """Whether a packet other than PING, or the end of the stream, comes within `seconds`."""
        try:
            packet = self.take(seconds)
        except Failed as silence:
            if silence.rules:
                raise
            return False
        if packet is not None:
            self.put_back(packet)
        return True

    def pulse(self, seconds: float = 0.1) -> bool:
        """Let time pass, answer PING, drop what comes; whether the stream has ended."""
        try:
            while self.take(seconds) is not None:
                pass
        except Failed as silence:
            if silence.rules:
                raise
            return False
        return True

    def put_back(self, packet: Packet) -> None:
        """Let the next take() give this packet."""
        self._packets.appendleft(packet)

    def _receive(self, deadline: float, expected: str) -> None:
        left = deadline - time.monotonic()
        try:
            if left <= 0:
                raise TimeoutError
            self.socket.settimeout(left)
            data = self.socket.recv(65536)
        except TimeoutError:
            begun = f" but the beginning of a packet: {in_hex(self._rest)}" if self._rest else ""
            raise Failed(expected, f"nothing in time{begun}") from None
        except OSError as error:
            self.ended = "reset"
            self.log.append(f"received  the end, with an error: {error.strerror}")
            return
        if not data:
            self.ended = "closed"
            self.log.append("received  the end of the stream")
            if self._rest:
                raise Failed("whole packets", f"the end in the middle of one: {in_hex(self._rest)}", "H4")
            return
        self._rest += data
        self._cut()

    def _cut(self) -> None:
        """Cut what came into packets, and look at each."""
        while self._rest:
            if self._rest[0] != MAGIC:
                self.log.append(f"received  {in_hex(self._rest)}")
                raise Failed("the magic 0xc7", f"the byte 0x{self._rest[0]:02x}", "H1")
            if len(self._rest) < HEADER.size:
                return
            header = parse_header(self._rest)
            size = HEADER.size + header.length
            try:
                watch_header(header, self.sender)
            except Failed:
                self.log.append(f"received  {in_hex(self._rest[:size])}")
                raise
            if len(self._rest) < size:
                return
            data, self._rest = self._rest[:size], self._rest[size:]
            self._take_in(header._replace(payload=data[HEADER.size :]), data)

    def _take_in(self, new: Frame, data: bytes) -> None:
        try:
            self.frames.append(new)
            watch_payload(new)
            packets = self._decoder.feed(data)
        except ProtocolError as error:
            self.log.append(f"received  {in_hex(data)}")
            raise Failed(
                "a packet that the page allows", f"{error}: {in_hex(data)}", _broken(str(error))
            ) from None
        except Failed:
            self.log.append(f"received  {in_hex(data)}")
            raise
        for packet in packets:
            self.log.append(f"received  {describe(packet)}  {in_hex(data)}")
            if isinstance(packet, Status) and packet.code == Code.SLOW_DOWN and self.sender is Role.SERVER:
                raise Slowed
        self._packets += packets

    def raw_rest(self) -> bytes:
        """All bytes up to the end of the stream, unjudged."""
        data, deadline = b"", time.monotonic() + self.seconds
        while True:
            try:
                self.socket.settimeout(max(0.001, deadline - time.monotonic()))
                more = self.socket.recv(65536)
            except TimeoutError:
                raise Failed("the end of the connection", f"nothing in time behind {in_hex(data)}") from None
            except OSError:
                more = b""
            if not more:
                self.log.append(f"received  {in_hex(data)}, and the end")
                if data.startswith(_SLOW_DOWN_HEAD) and data[21:23] == _SLOW_DOWN_CODE:
                    raise Slowed
                return data
            data += more

    # --- expecting --------------------------------------------------------------------------------------

    def expect(self, kind: type[P], /, *rules: str, seconds: float | None = None, **fields: Any) -> P:
        """The next packet, which must be of this kind and have these fields. A field may be a predicate.

        rules: those that it breaks otherwise
        """
        wanted = _wanted(kind, fields)
        try:
            packet = self.take(seconds, wanted)
        except Failed as failed:
            raise failed if failed.rules else Failed(failed.expected, failed.came, *rules) from None
        if not isinstance(packet, kind) or not _fits(packet, fields):
            raise Failed(wanted, describe(packet), *rules)
        return packet

    def find(self, kind: type[P], /, *rules: str, seconds: float | None = None, **fields: Any) -> P:
        """The next packet of this kind with these fields; others before it are skipped."""
        wanted, last = _wanted(kind, fields), ""
        deadline = time.monotonic() + (self.seconds if seconds is None else seconds)
        while True:
            try:
                packet = self.take(max(0.0, deadline - time.monotonic()), wanted)
            except Failed as failed:
                raise (
                    failed if failed.rules else Failed(failed.expected, failed.came + last, *rules)
                ) from None
            if packet is None:
                raise Failed(wanted, describe(packet) + last, *rules)
            if isinstance(packet, kind) and _fits(packet, fields):
                return packet
            last = f"; the last packet before was {describe(packet)}"

    def rest(self, *rules: str, seconds: float | None = None) -> list[Packet]:
        """All packets up to the end of the stream, which must come in time."""
        packets: list[Packet] = []
        deadline = time.monotonic() + (self.seconds if seconds is None else seconds)
        while True:
            try:
                packet = self.take(max(0.0, deadline - time.monotonic()), "the end of the connection")
            except Failed as failed:
                last = f"; the last packet was {describe(packets[-1])}" if packets else ""
                raise (
                    failed if failed.rules else Failed(failed.expected, failed.came + last, *rules)
                ) from None
            if packet is None:
                return packets
            packets.append(packet)

    def expect_error(self, *rules: str, seconds: float | None = None) -> None:
        """The connection must end by a protocol error; if a reason comes, it must be the right one."""
        packets = self.rest(*rules, seconds=seconds)
        last = packets[-1] if packets else None
        wrong = isinstance(last, Bye | Status) and last.code not in (Code.OK, Code.PROTOCOL_ERROR)
        if self.sender is Role.SERVER and wrong:
            raise Failed("the code PROTOCOL_ERROR", describe(last), *rules, "C15")


def _broken(error: str) -> str:
    """The rule that a packet breaks of which the decoder says this."""
    return next((rule for part, rule in _ERRORS if part in error), "P2")


_ERRORS = [
    ("parts", "M5"),
    ("of kind", "M7"),
    ("does not exist", "K3"),
    ("the time", "P55"),
    ("too large", "H5"),
    ("STATUS", "P6"),
]


def _fits(packet: object, fields: dict[str, Any]) -> bool:
    return all(
        wanted(getattr(packet, name)) if isinstance(wanted, Callable) else getattr(packet, name) == wanted  # type: ignore[arg-type]
        for name, wanted in fields.items()
    )


def _wanted(kind: type, fields: dict[str, Any]) -> str:
    name = fields["kind"].name if kind is Event and "kind" in fields else kind.__name__.upper()
    shown = ", ".join(
        f"{field} {'as the check demands' if callable(value) else _value(value)}"
        for field, value in fields.items()
        if field != "kind"
    )
    return f"{name} with {shown}" if shown else name
