"""The native door: members' connections in our own protocol."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from threading import Semaphore

from chatroom.amendments import KINDS
from chatroom.errors import ProtocolError
from chatroom.exchange import Exchange
from chatroom.flow import Flow
from chatroom.limits import MAX_REASON, RECEIVE_LARGE, TEXT_PART
from chatroom.outcomes import RETURNING, Code, Outcome
from chatroom.packets import (
    Answer,
    Burst,
    Bye,
    Channel,
    Command,
    Info,
    Live,
    Packet,
    Ping,
    Pong,
    Replay,
    Say,
    Welcome,
    encode,
)
from server import words
from server.backlogs import Backlogs
from server.bucket import Bucket
from server.limits import (
    ANSWERS_BYTES,
    CONTROL_BURST,
    CONTROL_RATE,
    DECODE_BYTES,
    DECODE_SECONDS,
    LINES_BURST,
    RECEIVE_SMALL,
    REST_SECONDS,
    YIELD_SECONDS,
)
from server.stream import Stream
from server.transport import Transport

_REPLAY = encode(Replay(0))


def _decoders() -> int:
    """How many handlers may decode much at once: one, where one thread can compute at a time."""
    has_lock = getattr(sys, "_is_gil_enabled", lambda: True)()  # since Python 3.13
    return 1 if has_lock else os.cpu_count() or 1


class NativeDoor:
    """Makes connections of transports that have gone through the handshake, and words what streams say.

    watch: asks the flusher to look at a stream
    rate:  lines a second that a member may say, None: as many as the server takes
    """

    echoes = True
    ping = encode(Ping(0))

    def __init__(
        self,
        watch: Callable[[Stream], None],
        flow: Flow,
        backlogs: Backlogs[Stream],
        rate: float | None = None,
    ) -> None:
        self._watch = watch
        self._flow = flow
        self._backlogs = backlogs
        # Guards _rate.
        self._lock = threading.Lock()
        self._rate = rate
        self.decoding = Semaphore(_decoders())
        """Who decodes much waits for one of these, and not for the interpreter, which the forwarder needs."""

    def set_rate(self, rate: float | None) -> None:
        """Let this be the rate of members that come from now on. Any thread."""
        with self._lock:
            self._rate = rate

    def translate(self, packets: bytes) -> bytes:
        """See `chatroom.door.Door`."""
        return packets

    def encode_channel(self, channel: Channel) -> bytes:
        """See `chatroom.door.Door`."""
        return encode(channel)

    def goodbye(self, code: Code, detail: str) -> bytes:
        """See `server.stream.Words`."""
        return encode(Bye(code in RETURNING, code, words.shorten(words.goodbye(code, detail), MAX_REASON)))

    def open(self, transport: Transport, exchange: Exchange) -> NativeConnection:
        """A member's connection. exchange: the handshake's; it may hold packets or the beginning of one."""
        stream = Stream(transport, self, self._watch, self._flow, self._backlogs)
        self._watch(stream)
        with self._lock:
            rate = self._rate
        lines = None if rate is None else Bucket(rate, max(1.0, rate * LINES_BURST))
        return NativeConnection(self, stream, exchange, lines)


class NativeConnection:
    """One admitted peer; see `chatroom.door.Connection`.

    lines: a token for each line that it may say; None: without a limit
    """

    def __init__(
        self, door: NativeDoor, stream: Stream, exchange: Exchange, lines: Bucket | None = None
    ) -> None:
        self.door = door
        self.peer = stream.peer
        self.encrypted = stream.encrypted
        self._stream = stream
        # These need no words of the protocol. Bound here, because send() is the forwarder's innermost loop.
        self.send = stream.send
        self.when_taken = stream.when_taken
        self.when_passed = stream.when_passed
        self.submitting = stream.submitting
        self.part = stream.part
        self.release = stream.release
        # Bytes were sent that only this peer gets. The handler alone sets it to False, and before it looks
        # at what is buffered; other threads send first and set it then. So no byte is overlooked.
        self._answered = False
        self._control = Bucket(CONTROL_RATE, CONTROL_BURST)  # a token for each packet that is no line
        # The rest is confined to the handler.
        self._lines = lines
        self._scraps = 0  # of the decoder, as far as they are paid for
        self._decoder = exchange.decoder
        self._decoder.bursts = True
        self._early: Sequence[Packet] = list(exchange.waiting)
        self._error: ProtocolError | None = None  # to be raised by the next receive()
        self._size = RECEIVE_SMALL

    def __repr__(self) -> str:
        return f"<NativeConnection {self._stream!r}>"

    @property
    def backlog(self) -> int:
        return self._stream.buffered

    @property
    def heard(self) -> float:
        return self._stream.heard

    # --- receiving --------------------------------------------------------------------------------------

    def receive(self) -> Sequence[Burst | Command | Bye]:
        while True:
            packets = (self._await_tokens() and self._early) or self._read()
            self._early = ()
            if packets is None:
                return ()
            if sifted := self._sift(packets):
                return sifted

    def _await_tokens(self) -> bool:
        """Wait until the peer may say more; TCP slows it. False when the connection is ending."""
        seconds = max(self._control.wait(), self._lines.wait() if self._lines is not None else 0.0)
        if not seconds:
            return True
        self.submitting(True)
        is_open = self._stream.rest(max(seconds, REST_SECONDS))
        self.submitting(False)
        return is_open

    def _read(self) -> Sequence[Packet] | None:
        """The packets of one recv(), perhaps none; None at the end of the stream."""
        if self._error is not None:
            raise ProtocolError(str(self._error))
        self._decoder.check()
        if self._answered:
            self._await_reading()
        data = self._stream.receive(self._size)
        if not data:
            return None
        self._size = RECEIVE_LARGE if len(data) == self._size else RECEIVE_SMALL
        packets = self._decode(data)
        self._control.charge(self._decoder.scraps - self._scraps)
        self._scraps = self._decoder.scraps
        return packets

    def _decode(self, data: bytes) -> Sequence[Packet]:
        """The packets in the bytes. In between, other threads may go on. Raises ProtocolError."""
        if len(data) <= RECEIVE_SMALL:
            return self._decoder.feed(data)
        with self.door.decoding:
            return self._decode_much(data)

    def _decode_much(self, data: bytes) -> Sequence[Packet]:
        began = time.thread_time()
        packets = self._decoder.feed(data[:DECODE_BYTES])
        for start in range(DECODE_BYTES, len(data), DECODE_BYTES):
            if time.thread_time() - began > DECODE_SECONDS:
                time.sleep(YIELD_SECONDS)
                began = time.thread_time()
            try:
                _extend(packets, self._decoder.feed(data[start : start + DECODE_BYTES]))
            except ProtocolError:
                if not packets:
                    raise
                break  # the next call of check() raises it
        return packets

    def _sift(self, packets: Sequence[Packet]) -> list[Burst | Command | Bye]:
        """The packets for the chatroom, up to the first that may not come: the next call raises its error.

        What has no token waits in _early, and what came behind it.
        """
        sifted: list[Burst | Command | Bye] = []
        pongs: list[bytes] = []
        try:
            for index, packet in enumerate(packets):
                if isinstance(packet, Burst | Say):
                    burst = packet if isinstance(packet, Burst) else _alone(packet)
                    if burst.form in KINDS:
                        self._control.charge(1)  # the message is looked up in the history
                    paid = len(burst.ids) if self._lines is None else self._lines.take(len(burst.ids))
                    if paid:
                        sifted.append(_tidy(burst.part(0, paid)))
                    if paid < len(burst.ids):
                        self._early = [burst.part(paid, len(burst.ids)), *packets[index + 1 :]]
                        break
                    continue
                if not self._control.take():
                    self._early = packets[index:]
                    break
                if self._is_for_the_chatroom(packet):
                    sifted.append(packet)  # type: ignore[arg-type]  # nothing else is for the chatroom
                elif isinstance(packet, Ping):
                    pongs.append(encode(Pong(packet.id)))
        except ProtocolError as error:
            self._error = ProtocolError(str(error))  # without this frame, see `Decoder.feed`
        if pongs:
            self._reply(b"".join(pongs))
        return sifted

    def _is_for_the_chatroom(self, packet: Packet) -> bool:
        """Whether the chatroom gets it. Raises ProtocolError if it may not come."""
        if isinstance(packet, Ping | Pong):
            return False
        if isinstance(packet, Command | Bye):
            return True
        raise ProtocolError(f"{type(packet).__name__.upper()} cannot come from a member")

    def _await_reading(self) -> None:
        """Receive nothing from a peer that does not read its answers: members do not share those bytes."""
        self._answered = False
        self.submitting(True)
        self._stream.wait_until_taken(ANSWERS_BYTES)
        self.submitting(False)

    # --- sending ----------------------------------------------------------------------------------------

    def greet(self, welcome: Welcome, channels: Sequence[bytes]) -> None:
        self._stream.send_all([encode(welcome), *channels, _REPLAY], own=0)

    def live(self, missed: Sequence[bytes], seq: int, time: int, later: Sequence[bytes]) -> None:
        self._stream.send_all([*missed, encode(Live(seq, time)), *later], own=len(missed))
        self._stream.live()

    def answer(self, request: int, outcome: Outcome, command: str = "") -> None:
        data = encode(Answer(request, outcome.code, *words.answer(command, outcome)))
        # A line that was refused; of a command, the packets beyond the one for which it has paid.
        self._control.charge(len(data) // TEXT_PART if command else 1)
        self._reply(data)

    def answer_with(self, request: int, packets: bytes, outcome: Outcome, command: str) -> None:
        end = encode(Answer(request, outcome.code, *words.answer(command, outcome)))
        self._control.charge(len(packets) // TEXT_PART)
        self._reply(b"".join((encode(Replay(request)), self.door.translate(packets), end)))

    def _reply(self, data: bytes) -> None:
        self.send(data)
        self._answered = True

    def inform(self, text: str) -> None:
        self.send(encode(Info(words.shorten(text, TEXT_PART))))


def _extend(packets: list[Packet], more: list[Packet]) -> None:
    """Append more packets. A burst that goes on stays one: each costs the forwarder some time."""
    before, then = packets[-1] if packets else None, more[0] if more else None
    if isinstance(before, Burst) and isinstance(then, Burst) and then.goes_on(before):
        packets[-1] = before._replace(ids=[*before.ids, *then.ids], texts=[*before.texts, *then.texts])
        del more[0]
    packets += more


def _alone(say: Say) -> Burst:
    """A line that had several parts or is not plain."""
    return Burst(say.channel, [say.id], [say.text.encode()], say.form, say.extra)


def _tidy(burst: Burst) -> Burst:
    """The lines as everybody gets them: each line end is LF, and no NUL ends the text for a program in C."""
    together = b"".join(burst.texts)
    if b"\r" not in together and b"\0" not in together:  # the usual case
        return burst
    texts = [text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\0", b" ") for text in burst.texts]
    return burst._replace(texts=texts)
