"""TLS over a TCP transport. OpenSSL works in memory here; only TcpTransport touches the socket."""

from __future__ import annotations

import math
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from chatroom.deadline import Deadline
from chatroom.errors import ConnectionLost, Refused
from chatroom.limits import RECEIVE_LARGE
from chatroom.outcomes import Code
from chatroom.packets import MAGIC
from server.limits import RECEIVE_SMALL, TLS_ANSWERS, TLS_CHUNK
from server.transport import CLOSED_BEFORE_TLS, Bytes, TcpTransport

T = TypeVar("T")

_IN_CLEAR = bytes((MAGIC,))  # no TLS record begins so
_NEED_TLS = "this server is encrypted: use --tls, or --tls-ca FILE, or --tls-trust"


class TlsTransport:
    """A GuestTransport. OpenSSL reads from one buffer and writes to another; this class moves the bytes.

    Thus no thread waits inside OpenSSL, nor while it holds the lock: one waits in recv() on the raw socket,
    any other may send meanwhile. What the socket does not take stays here, at most one TLS_CHUNK encrypted.

    tcp:     owned from here on
    context: with the server's certificate
    """

    def __init__(self, tcp: TcpTransport, context: ssl.SSLContext) -> None:
        self.peer = tcp.peer
        self._tcp = tcp
        self._context = context
        self._size = RECEIVE_SMALL  # of the next recv(); confined to the thread that receives
        # Guards every field below. OpenSSL must not be entered twice for one connection, and its records must
        # be sent in the order in which they were encrypted. Who holds it does not wait for the peer.
        self._lock = threading.Lock()
        self._tls: ssl.SSLObject | None = None  # made when the peer has begun with TLS
        self._shaken = False  # the handshake is over; OpenSSL forgets that when the connection breaks
        self._in_clear = False  # the peer has begun without: it is only told that it must not
        self._came, self._going = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._unsent = b""  # encrypted, taken out of _going, and not taken by the socket yet
        self._early = b""  # decrypted, and not asked for yet
        self._finishing = False  # finish() was called, and bytes were left

    @property
    def host(self) -> tuple[int, tuple[Any, ...]]:
        return self._tcp.host

    @property
    def encrypted(self) -> bool:
        """Whether the handshake of TLS is over: before it no byte of the chat is received or sent."""
        with self._lock:
            return self._shaken

    @property
    def pending(self) -> int:
        with self._lock:
            return len(self._unsent) + self._going.pending

    # --- receiving: one thread ----------------------------------------------------------------------------

    def begin(self, timeout: float) -> None:
        self._until(_shake_hands, Deadline(timeout))

    def receive(self, size: int, timeout: float | None = None) -> bytes:
        if self._in_clear:
            return self._tcp.receive(size, timeout)  # only a peer that is refused: nobody looks at it
        return self._until(
            lambda tls: self._read(tls, size), Deadline(math.inf if timeout is None else timeout)
        )

    def receive_now(self, size: int) -> bytes | None:
        data = self._attempt(lambda tls: self._read(tls, size))
        if data is None and (came := self._tcp.receive_now(self._size)) is not None:
            self._feed(came)
            data = self._attempt(lambda tls: self._read(tls, size))
        return data

    def _until(self, act: Callable[[ssl.SSLObject], T], deadline: Deadline) -> T:
        """What `act` gives, as soon as it gives something. Raises ConnectionLost, Refused."""
        while (result := self._attempt(act)) is None:
            left = deadline.left()
            self._feed(self._tcp.receive(self._size, None if left == math.inf else left))
        return result

    def _attempt(self, act: Callable[[ssl.SSLObject], T]) -> T | None:
        """What `act` gives; None when OpenSSL needs more from the peer for it. Raises ConnectionLost."""
        with self._lock:
            if self._tls is None:
                return None
            try:
                return act(self._tls)
            except ssl.SSLWantReadError:
                return None
            except ssl.SSLError as error:
                raise _lost(error) from None
            finally:
                self._shaken = self._shaken or self._tls.version() is not None
                self._answer()

    def _read(self, tls: ssl.SSLObject, size: int) -> bytes:
        """At most `size` bytes of what has come; b"" after the peer's goodbye. Requires holding _lock.

        Raises SSLError: SSLWantReadError when nothing has come.
        """
        found, self._early = [self._early], b""
        left = size - len(found[0])
        try:
            while left > 0 and (piece := tls.read(min(left, TLS_CHUNK))):
                found.append(piece)
                left -= len(piece)
        except ssl.SSLZeroReturnError:
            pass  # the goodbye, after our own
        except ssl.SSLError:
            # No variable keeps the error: it refers to this call, and this call with all it has read would
            # stay until the garbage collector comes.
            if not any(found):
                raise  # else it comes again with the next call
        data = b"".join(found)
        self._early = data[size:]
        return data[:size]

    def _answer(self) -> None:
        """Send what OpenSSL itself has to say, if it goes now. Requires holding _lock.

        Raises ConnectionLost.
        """
        try:
            self._flush()
        except ConnectionLost:
            pass  # what came before can still be read; the next recv() finds the end
        if len(self._unsent) + self._going.pending > TLS_CHUNK + TLS_ANSWERS:
            raise ConnectionLost("the peer does not read")

    def _feed(self, data: bytes) -> None:
        """Give OpenSSL what the socket gave. Raises ConnectionLost, Refused."""
        self._size = RECEIVE_LARGE if len(data) == self._size else RECEIVE_SMALL
        with self._lock:
            if self._tls is None:
                if not data:
                    raise ConnectionLost(CLOSED_BEFORE_TLS)
                if data.startswith(_IN_CLEAR):
                    self._in_clear = True
                    raise Refused(_NEED_TLS, Code.NEED_ENCRYPTION)
                self._tls = self._context.wrap_bio(self._came, self._going, server_side=True)
            if data:
                self._came.write(data)
            else:
                self._came.write_eof()

    # --- sending: any thread ------------------------------------------------------------------------------

    def send(self, data: Bytes) -> int:
        with self._lock:
            taken = 0
            try:
                while self._flush() and taken < len(data):
                    if self._tls is None:
                        return self._tcp.send(b"")  # nothing; raises when the connection is closed
                    taken += self._tls.write(data[taken : taken + TLS_CHUNK])
            except ssl.SSLWantReadError:
                pass  # the handshake is not over
            except ssl.SSLError as error:
                raise _lost(error) from None
            return taken

    def _flush(self) -> bool:
        """Send what is encrypted; whether nothing is left. Requires holding _lock. Raises ConnectionLost."""
        while self._unsent or self._going.pending:
            self._unsent = self._unsent or self._going.read()
            self._unsent = self._unsent[self._tcp.send(self._unsent) :]
            if self._unsent:
                return False
        if self._finishing:
            self._finishing = False
            self._tcp.finish()
        return True

    # --- the end ------------------------------------------------------------------------------------------

    def refuse(self, last: bytes) -> None:
        """See `GuestTransport`. In the middle of the handshake of TLS, a peer gets nothing."""
        with self._lock:
            in_clear = self._tls is None
        if in_clear:
            self._tcp.refuse(last)
        else:
            self.send(last)

    def finish(self) -> None:
        with self._lock:
            if self._tls is None:
                self._tcp.finish()
                return
            self._say_goodbye(self._tls)
            self._finishing = True
            try:
                self._flush()
            except ConnectionLost:
                pass  # the peer was faster

    def _say_goodbye(self, tls: ssl.SSLObject) -> None:
        """Encrypt close_notify. Requires holding _lock.

        Python lets OpenSSL look for the peer's own close_notify at once, and a line that came instead would
        be an error. So all lines are taken out before.
        """
        try:
            while piece := tls.read(TLS_CHUNK):
                self._early += piece
        except ssl.SSLError:
            pass
        try:
            tls.unwrap()
        except ssl.SSLError:
            pass  # as a rule: the peer's close_notify has not come yet

    def abort(self) -> None:
        self._tcp.abort()

    def hush(self) -> None:
        self._tcp.hush()

    def sibling(self, sock: socket.socket, peer: str) -> TlsTransport:
        return TlsTransport(TcpTransport(sock, peer), self._context)

    def fileno(self) -> int:
        return self._tcp.fileno()

    def close(self) -> None:
        """See `Transport`. What OpenSSL has of the connection, some 30 KB, is given back at once.

        A guest and its exchange refer to each other, and the garbage collector may find them only after many
        thousand others.
        """
        with self._lock:
            self._tls, self._unsent, self._early = None, b"", b""
            self._came, self._going = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tcp.close()


def _shake_hands(tls: ssl.SSLObject) -> bool:
    """Raises SSLError: SSLWantReadError while the handshake is not over."""
    tls.do_handshake()
    return True


def _lost(error: ssl.SSLError) -> ConnectionLost:
    if isinstance(error, ssl.SSLEOFError):
        return ConnectionLost("the connection was cut", "connection lost")
    reason = (error.reason or "error").lower().replace("_", " ")
    return ConnectionLost(f"TLS: {reason}", "connection lost")
