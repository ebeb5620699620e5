"""TLS over a connected socket of the client. OpenSSL works in memory, and no thread waits inside it."""

from __future__ import annotations

import math
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import TypeVar

from chatroom.deadline import Deadline
from chatroom.errors import ConnectionLost, ProtocolError, Refused
from chatroom.limits import RECEIVE_LARGE
from chatroom.outcomes import Code
from chatroom.packets import MAGIC, Bye, Decoder, Status
from client.limits import TLS_ANSWERS, TLS_CHUNK
from client.server_trust import ServerIdentity
from client.waiting import wait_for

T = TypeVar("T")


class TlsSocket:
    """As `Connection` uses it: one thread receives, one sends; the owner of the socket wakes both.

    Raises the system's errors, and ConnectionLost for those of TLS.

    sock:     owned by somebody else; from here on it does not block
    identity: which server it must be
    """

    def __init__(self, sock: socket.socket, identity: ServerIdentity) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._identity = identity
        # Guards every field below. OpenSSL must not be entered by two threads at once, and what it encrypts
        # must be sent in that order. Who holds it does not wait for the server.
        self._lock = Lock()
        self._came, self._going = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = identity.trust.wrap(self._came, self._going)
        self._unsent = b""  # encrypted, taken out of _going, and not taken by the socket yet
        self._early = b""  # decrypted, and not asked for yet

    def begin(self, deadline: Deadline) -> None:
        """The handshake of TLS. Raises CertificateRefused; Refused when the server answers without TLS."""
        first = True
        while not self._attempt(_shake_hands):
            data = self._receive(deadline.left())
            if not data:
                raise TimeoutError
            if first and data[0] == MAGIC:
                raise self._answer_in_clear(data, deadline)
            first = False
            self._feed(data)
        self._identity.check(self._tls)

    def _answer_in_clear(self, data: bytes, deadline: Deadline) -> Refused:
        """What a server means that answers TLS without TLS: it has none, or refuses everybody now.

        Nobody can tell whether the answer was changed on its way. So it only ends the try.
        """
        decoder, packets = Decoder(), []
        try:
            while not (packets := decoder.feed(data)) and (data := self._receive(deadline.left())):
                pass
        except (ProtocolError, ConnectionLost):
            pass
        for packet in packets[:1]:
            if isinstance(packet, Status | Bye) and packet.code not in (Code.OK, Code.PROTOCOL_ERROR):
                return Refused(packet.reason, packet.code)
        server = self._identity.trust.server
        return Refused(
            f"{server} does not speak TLS: it is not encrypted, or somebody is in between",
            Code.PROTOCOL_ERROR,
        )

    # --- receiving: one thread ---------------------------------------------------------------------------

    def receive(self, seconds: float) -> bytes:
        """The bytes that came; b"" when none came for `seconds`. Raises ConnectionLost at the end."""
        deadline = Deadline(seconds)
        while (data := self._attempt(self._read)) is None:
            came = self._receive(deadline.left())
            if not came:
                return b""
            self._feed(came)
        if not data:
            raise ConnectionLost("the server closed the connection")
        return data

    def _receive(self, seconds: float) -> bytes:
        """What the socket gives; b"" after `seconds`. Raises ConnectionLost at the end."""
        deadline = Deadline(seconds)
        while wait_for([self._socket.fileno()], [], deadline.left())[0]:
            try:
                data = self._socket.recv(RECEIVE_LARGE)
            except BlockingIOError:
                continue
            if not data:
                raise ConnectionLost("the server closed the connection")
            return data
        return b""

    def _attempt(self, act: Callable[[ssl.SSLObject], T]) -> T | None:
        """What `act` gives; None when OpenSSL needs more from the server for it. Raises ConnectionLost."""
        with self._lock:
            try:
                return act(self._tls)
            except ssl.SSLWantReadError:
                return None
            except ssl.SSLCertVerificationError as error:
                raise self._identity.trust.refusal(error) from None
            except ssl.SSLError as error:
                raise self._lost(error) from None
            finally:
                self._answer()

    def _read(self, tls: ssl.SSLObject) -> bytes:
        """What has come; b"" after the server's goodbye. Requires holding _lock.

        Raises SSLError: SSLWantReadError when nothing has come.
        """
        found, self._early = [self._early], b""
        try:
            while piece := tls.read(TLS_CHUNK):
                found.append(piece)
        except ssl.SSLZeroReturnError:
            pass  # the goodbye, after our own
        except ssl.SSLError:
            if not any(found):
                raise  # else it comes again with the next call
        return b"".join(found)

    def _answer(self) -> None:
        """Send what OpenSSL itself has to say, if it goes now. Requires holding _lock.

        Raises ConnectionLost: a server that asks for more and more of it takes nothing.
        """
        try:
            self._flush()
        except OSError:
            pass  # what came before can still be read; the next recv() finds the end
        if len(self._unsent) + self._going.pending > TLS_CHUNK + TLS_ANSWERS:
            raise ConnectionLost("the server does not read")

    def _feed(self, data: bytes) -> None:
        with self._lock:
            self._came.write(data)

    # --- sending: another thread -------------------------------------------------------------------------

    def send(self, data: bytes, seconds: float = math.inf) -> None:
        """Send all of it. Raises TimeoutError after `seconds` without an end, ConnectionLost."""
        left, deadline = memoryview(data), Deadline(seconds)
        while True:
            with self._lock:
                sent = self._flush()
                if sent:
                    if not left:
                        return
                    left = left[self._encrypt(left) :]
                    sent = self._flush()
            if not sent and not wait_for([], [self._socket.fileno()], deadline.left())[1]:
                raise TimeoutError

    def _encrypt(self, data: memoryview) -> int:
        """Encrypt the next bytes; how many. Requires holding _lock. Raises ConnectionLost."""
        try:
            return self._tls.write(data[:TLS_CHUNK])
        except ssl.SSLError as error:
            raise self._lost(error) from None

    def _flush(self) -> bool:
        """Send what is encrypted; whether nothing is left. Requires holding _lock. Raises OSError."""
        while self._unsent or self._going.pending:
            self._unsent = self._unsent or self._going.read()
            try:
                self._unsent = self._unsent[self._socket.send(self._unsent) :]
            except BlockingIOError:
                return False
        return True

    def finish(self) -> None:
        """Say goodbye to TLS; the receiver still gets everything up to the server's own end.

        Python lets OpenSSL look for the server's goodbye at once, and a line that came instead would be an
        error. So all lines are taken out before.
        """
        with self._lock:
            try:
                while piece := self._tls.read(TLS_CHUNK):
                    self._early += piece
            except ssl.SSLError:
                pass
            try:
                self._tls.unwrap()
            except ssl.SSLError:
                pass  # as a rule: the server's goodbye has not come yet
            with suppress(ConnectionLost):  # the receiver is told
                self._answer()

    def _lost(self, error: ssl.SSLError) -> ConnectionLost:
        reason = (error.reason or "error").lower().replace("_", " ")
        return ConnectionLost(f"TLS with {self._identity.trust.server} failed: {reason}")


def _shake_hands(tls: ssl.SSLObject) -> bool:
    """Raises SSLError: SSLWantReadError while the handshake is not over."""
    tls.do_handshake()
    return True
