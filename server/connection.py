"""The native door: members' connections in our own protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chatroom.errors import ProtocolError
from chatroom.exchange import Exchange
from chatroom.flow import Flow
from chatroom.limits import MAX_REASON, RECEIVE_LARGE, TEXT_PART
from chatroom.outcomes import RETURNING, Code, Outcome
from chatroom.packets import (
    Answer,
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
    encode_event,
)
from server import words
from server.backlogs import Backlogs
from server.limits import ANSWERS_BYTES, RECEIVE_SMALL
from server.stream import Stream
from server.transport import Transport


class NativeDoor:
    """Makes connections of transports that have gone through the handshake, and words what streams say.

    watch: asks the flusher to look at a stream
    """

    echoes = True
    ping = encode(Ping(0))
    encode = staticmethod(encode_event)

    def __init__(self, watch: Callable[[Stream], None], flow: Flow, backlogs: Backlogs[Stream]) -> None:
        self._watch = watch
        self._flow = flow
        self._backlogs = backlogs

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
        return NativeConnection(self, stream, exchange)


class NativeConnection:
    """One admitted peer; see `chatroom.door.Connection`."""

    def __init__(self, door: NativeDoor, stream: Stream, exchange: Exchange) -> None:
        self.door = door
        self.peer = stream.peer
        self._stream = stream
        # These need no words of the protocol. Bound here, because send() is the forwarder's innermost loop.
        self.send = stream.send
        self.send_all = stream.send_all
        self.when_taken = stream.when_taken
        self.submitting = stream.submitting
        self.part = stream.part
        self.release = stream.release
        # Bytes were sent that only this peer gets. The handler alone sets it to False, and before it looks
        # at what is buffered; other threads send first and set it then. So no byte is overlooked.
        self._answered = False
        # The rest is confined to the handler.
        self._decoder = exchange.decoder
        self._early: Sequence[Packet] = list(exchange.waiting)
        self._error: ProtocolError | None = None  # to be raised by the next receive()
        self._size = RECEIVE_SMALL

    def __repr__(self) -> str:
        return f"<NativeConnection {self._stream!r}>"

    # --- receiving --------------------------------------------------------------------------------------

    def receive(self) -> Sequence[Say | Command | Bye]:
        while True:
            packets = self._early or self._read()
            self._early = ()
            if packets is None:
                return ()
            if burst := self._sift(packets):
                return burst

    def _read(self) -> Sequence[Packet] | None:
        """The packets of one recv(), perhaps none; None at the end of the stream."""
        if self._error is not None:
            raise self._error
        self._decoder.check()
        if self._answered:
            self._await_reading()
        data = self._stream.receive(self._size)
        if not data:
            return None
        self._size = RECEIVE_LARGE if len(data) == self._size else RECEIVE_SMALL
        return self._decoder.feed(data)

    def _sift(self, packets: Sequence[Packet]) -> list[Say | Command | Bye]:
        """The packets for the chatroom, up to the first that may not come: the next call raises its error."""
        burst: list[Say | Command | Bye] = []
        try:
            for packet in packets:
                if type(packet) is Say or self._is_for_the_chatroom(packet):
                    burst.append(packet)  # type: ignore[arg-type]  # nothing else is for the chatroom
        except ProtocolError as error:
            self._error = error
        return burst

    def _is_for_the_chatroom(self, packet: Packet) -> bool:
        """Whether the chatroom gets it. A PING is answered here. Raises ProtocolError if it may not come."""
        if isinstance(packet, Ping):
            self._reply(Pong(packet.id))
        if isinstance(packet, Ping | Pong):
            return False
        if isinstance(packet, Say | Command | Bye):
            return True
        raise ProtocolError(f"{type(packet).__name__.upper()} cannot come from a member")

    def _await_reading(self) -> None:
        """Receive nothing from a peer that does not read its answers: members do not share those bytes."""
        self._answered = False
        self.submitting(True)
        self._stream.wait_until_taken(ANSWERS_BYTES)
        self.submitting(False)

    # --- sending ----------------------------------------------------------------------------------------

    def welcome(self, welcome: Welcome) -> None:
        self.send(encode(welcome))

    def replay(self) -> None:
        self.send(encode(Replay(0)))

    def live(self, seq: int, time: int) -> None:
        self.send(encode(Live(seq, time)))

    def answer(self, request: int, outcome: Outcome, command: str = "") -> None:
        self._reply(Answer(request, outcome.code, *words.answer(command, outcome)))

    def _reply(self, packet: Answer | Pong) -> None:
        self.send(encode(packet))
        self._answered = True

    def inform(self, text: str) -> None:
        self.send(encode(Info(words.shorten(text, TEXT_PART))))
