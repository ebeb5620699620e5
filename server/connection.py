"""A member's connection in the native protocol: what the chatroom's handler and forwarder use."""

from __future__ import annotations

import logging
import select
import socket
import threading
import time
from collections.abc import Callable, Sequence

from chatroom.deadline import Deadline
from chatroom.errors import ConnectionLost, ProtocolError
from chatroom.events import Event
from chatroom.flow import Flow
from chatroom.limits import BEHIND_BYTES, RECEIVE_LARGE
from chatroom.packets import (
    Bye,
    Command,
    Confirm,
    Decoder,
    Live,
    Notice,
    Packet,
    Ping,
    Pong,
    Say,
    Welcome,
    encode,
    encode_event,
)
from server.limits import GOODBYE_SECONDS, RECEIVE_SMALL
from server.outbox import Outbox, Watcher

log = logging.getLogger(__name__)


class NativeDoor:
    """The door of our own protocol."""

    encode = staticmethod(encode_event)


NATIVE = NativeDoor()


class NativeConnection:
    """One admitted peer. `receive` and `close` are the handler's, everything else is anybody's.

    sock:    connected and blocking; owned from here on
    decoder: has decoded the handshake, and may hold the beginning of a packet
    early:   packets that came in one segment with the handshake's last
    forget:  called when it is closed
    """

    def __init__(
        self,
        sock: socket.socket,
        peer: str,
        decoder: Decoder,
        early: Sequence[Packet],
        watcher: Watcher,
        flow: Flow,
        forget: Callable[[NativeConnection], None],
    ) -> None:
        self.peer = peer
        self.door = NATIVE
        self._socket = sock
        self._decoder = decoder
        self._early: Sequence[Packet] = early
        self._error: ProtocolError | None = None
        self._size = RECEIVE_SMALL
        self._asked = False  # the peer has asked for something that is only for it
        self._forget = forget
        self._outbox = Outbox(sock, watcher, flow, self._give_up)
        # Guards _heard, _said, _busy, _why and _ended.
        self._lock = threading.Lock()
        self._heard = self._said = time.monotonic()  # when something last came, when we last pinged
        self._busy = False  # the handler waits at the queue: what the peer has sent is not read yet
        self._why = ""  # why we ended it
        self._ended = 0.0  # when we said goodbye

    def __repr__(self) -> str:
        return f"<NativeConnection {self.peer} {self._outbox!r}>"

    # --- the handler's side -----------------------------------------------------------------------------

    def receive(self) -> Sequence[Say | Command | Bye]:
        """See `chatroom.transport.Connection`."""
        while True:
            packets = self._early or self._read()
            self._early = ()
            if packets is None:
                return ()
            if burst := self._talk(packets):
                return burst

    def _read(self) -> Sequence[Packet] | None:
        """The packets of one recv(), perhaps none; None at the end of the stream."""
        if self._error is not None:
            raise self._error
        self._decoder.check()
        if self._asked:
            self._await_reading()
        try:
            data = self._socket.recv(self._size)
        except OSError as error:
            raise ConnectionLost(self._reason(error.strerror or "connection lost")) from None
        if self._outbox.over:  # we have said goodbye, or cut it
            raise ConnectionLost(self._reason("connection lost"))
        if not data:
            return None
        self._size = RECEIVE_LARGE if len(data) == self._size else RECEIVE_SMALL
        with self._lock:
            self._heard = time.monotonic()
        return self._decoder.feed(data)

    def _talk(self, packets: Sequence[Packet]) -> list[Say | Command | Bye]:
        """What the chatroom wants of `packets`, up to the first that may not come: that is the next error."""
        burst: list[Say | Command | Bye] = []
        try:
            for packet in packets:
                if type(packet) is Say or self._is_talk(packet):
                    burst.append(packet)  # type: ignore[arg-type]  # _is_talk lets nothing else through
        except ProtocolError as error:
            self._error = error
        return burst

    def _await_reading(self) -> None:
        """Read no more of a peer that asks and does not read the answers: nobody shares those with it."""
        self._asked = False
        self.submitting(True)
        self._outbox.wait_until_taken(BEHIND_BYTES)
        self.submitting(False)

    def _is_talk(self, packet: Packet) -> bool:
        """Whether the chatroom wants it; a ping is answered here, what may not come ends all."""
        if isinstance(packet, Ping):
            self._asked = True
            self._outbox.send(encode(Pong(packet.id)))
            return False
        if isinstance(packet, Pong):
            return False
        if isinstance(packet, Command):
            self._asked = True
        if isinstance(packet, Say | Command | Bye):
            return True
        raise ProtocolError(f"{type(packet).__name__.upper()} cannot come from a member")

    def _reason(self, default: str) -> str:
        with self._lock:
            return self._why or default

    def submitting(self, busy: bool) -> None:
        """See `chatroom.transport.Connection`."""
        with self._lock:
            self._busy = busy
            self._heard = time.monotonic()

    def close(self) -> None:
        """See `chatroom.transport.Connection`."""
        self._discard()
        self._forget(self)
        self._outbox.close()

    def _discard(self) -> None:
        """Read on until the peer has seen our goodbye and closed, for GOODBYE_SECONDS at most."""
        deadline = Deadline(GOODBYE_SECONDS)
        poll = select.poll()
        try:
            poll.register(self._socket, select.POLLIN)
            while self._outbox.saying_goodbye and (left := deadline.left()):
                # Not settimeout(): it is the socket's, and the drainer would wait on its sends, too.
                if poll.poll(left * 1000) and not self._socket.recv(RECEIVE_LARGE, socket.MSG_DONTWAIT):
                    return
        except OSError:
            pass  # it is gone

    # --- everybody's side -------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """See `chatroom.transport.Connection`."""
        self._outbox.send(data)

    def tell(self, packet: Welcome | Live | Confirm | Notice | Event) -> None:
        """See `chatroom.transport.Connection`."""
        self._outbox.send(encode(packet))

    def wait_until_taken(self, size: int) -> bool:
        """See `chatroom.transport.Connection`."""
        return self._outbox.wait_until_taken(size)

    def end(self, reason: str, again: bool) -> None:
        """See `chatroom.transport.Connection`."""
        self._end(Bye(again, reason), hear_out=True)

    def _end(self, bye: Bye, hear_out: bool) -> None:
        with self._lock:
            self._why = self._why or bye.reason
            self._ended = self._ended or time.monotonic()
        self._outbox.finish(encode(bye), hear_out)

    def _give_up(self, why: str) -> None:
        log.warning("> %s: %s, disconnected", self.peer, why)
        self._end(Bye(True, f"{why}: come back and get the rest from history"), hear_out=False)

    def keep_alive(self, now: float, dead_after: float) -> None:
        """Ping a silent peer, end a dead one. now: monotonic seconds; called every few seconds."""
        with self._lock:
            silent = 0.0 if self._busy else now - self._heard
            parting = now - self._ended if self._ended else 0.0
            ping = now - self._said >= dead_after / 3
            if ping:
                self._said = now
        if parting > GOODBYE_SECONDS and self._outbox.said_goodbye:  # it was told, and does not go
            self._outbox.cut()
        elif silent > dead_after:
            self.cut(f"silent for {dead_after:g} s")
        elif ping:
            self._outbox.send(encode(Ping(0)))

    def cut(self, why: str) -> None:
        """End it at once, without a goodbye."""
        with self._lock:
            self._why = self._why or why
        self._outbox.cut()
