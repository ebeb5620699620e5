"""The port where a monitoring system reads the metrics: HTTP on this machine only, one request at a time."""

from __future__ import annotations

import socket
from collections.abc import Callable
from threading import Event as Flag
from threading import Lock
from typing import Final

from chatroom.deadline import Deadline
from chatroom.errors import ConfigError
from server.address import format_address
from server.limits import (
    EXHAUSTED_SECONDS,
    METRICS_BACKLOG,
    METRICS_REQUEST,
    METRICS_SECONDS,
    RECEIVE_SMALL,
)

_HOST: Final = "127.0.0.1"
_PATH: Final = b"/metrics"


class MetricsPort:
    """Answers GET /metrics with a page. Whoever asks has METRICS_SECONDS, all together.

    There is no keepalive, no chunk, no second thread: a reader that is slow or senseless costs one deadline.

    port: 0: any
    page: makes the page; called by the thread of run() only
    kind: its Content-Type
    Raises ConfigError when it cannot listen there.
    """

    def __init__(self, port: int, page: Callable[[], bytes], kind: str) -> None:
        self._page = page
        self._kind = kind
        self._closing = Flag()
        # Guards _serving, and that it is not closed while stop() wakes it.
        self._lock = Lock()
        self._serving: socket.socket | None = None
        try:
            self._listener = socket.create_server((_HOST, port), backlog=METRICS_BACKLOG)
        except OSError as error:
            where = format_address((_HOST, port))
            raise ConfigError(f"cannot listen on {where} for metrics: {error.strerror}") from None
        self.address = format_address(self._listener.getsockname())

    def run(self) -> None:
        """The thread, until stop(). Nothing that a reader does ends it."""
        while self._goes_on():
            try:
                sock, _ = self._listener.accept()
            except OSError:  # the reader is gone already, stop() was called, or no descriptor is left
                self._closing.wait(EXHAUSTED_SECONDS)
                continue
            with sock:
                if self._goes_on(sock):
                    self._serve(sock)
                self._goes_on()  # before it is closed

    def _goes_on(self, serving: socket.socket | None = None) -> bool:
        """Note whom stop() has to wake; False: it was called."""
        with self._lock:
            self._serving = serving
        return not self._closing.is_set()

    def stop(self) -> None:
        """End run(): also a reader that dawdles. Any thread."""
        self._closing.set()
        with self._lock:
            for sock in (self._listener, self._serving):
                try:
                    if sock is not None:
                        sock.shutdown(socket.SHUT_RDWR)  # wakes accept(), recv(), send()
                except OSError:
                    pass  # it is not connected any more

    def close(self) -> None:
        """Give the port back: the last act of the thread, or in place of it."""
        self._listener.close()

    def _serve(self, sock: socket.socket) -> None:
        deadline = Deadline(METRICS_SECONDS)
        try:
            head = _head(sock, deadline)
            if head is not None:
                sock.settimeout(max(0.001, deadline.left()))
                sock.sendall(self._answer(head))  # the timeout is for all of it
                sock.shutdown(socket.SHUT_WR)
                # A socket that is closed with unread bytes sends a reset, and the reader may lose the answer.
                while _received(sock, deadline):
                    pass
        except OSError:
            pass  # the reader is gone or too slow

    def _answer(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b"\r\n")[0].partition(b" ")
        path, _, version = rest.partition(b" ")
        if not version.startswith(b"HTTP/1."):
            return _response("400 Bad Request", b"this is no request of HTTP/1\n")
        if path.partition(b"?")[0] != _PATH:
            return _response("404 Not Found", b"the metrics are at /metrics\n")
        if method != b"GET":
            return _response(
                "405 Method Not Allowed", b"the metrics can be read only: GET\n", "Allow: GET\r\n"
            )
        return _response("200 OK", self._page(), kind=self._kind)


def _head(sock: socket.socket, deadline: Deadline) -> bytes | None:
    """The head of a request; None: none came in time, or none that is bounded."""
    data = b""
    while b"\r\n\r\n" not in data:
        if len(data) > METRICS_REQUEST or not (more := _received(sock, deadline)):
            return None
        data += more
    return data


def _received(sock: socket.socket, deadline: Deadline) -> bytes:
    """What comes next; b"" at the end, and when the time is over. Raises OSError."""
    left = deadline.left()
    if left <= 0:
        return b""
    sock.settimeout(left)
    return sock.recv(RECEIVE_SMALL)


def _response(status: str, body: bytes, more: str = "", kind: str = "text/plain; charset=utf-8") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}"
    return f"{head}Cache-Control: no-store\r\nConnection: close\r\n\r\n".encode() + body
