"""Handlers: which thread is the handler of which connection, for whoever looks at the threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, get_ident
from typing import NamedTuple

from chatroom.door import Connection


class Handler(NamedTuple):
    """A member's connection, and the name with which it came in."""

    name: str
    connection: Connection


class Handlers:
    """Any thread. A handler is noted once, for as long as it lives; its lines cost nothing here."""

    def __init__(self) -> None:
        # Guards _handlers.
        self._lock = Lock()
        self._handlers: dict[int, Handler] = {}  # by the number of the thread

    @contextmanager
    def noted(self, name: str, connection: Connection) -> Iterator[None]:
        """The calling thread is the handler of this connection, for the time of the block."""
        thread = get_ident()
        with self._lock:
            self._handlers[thread] = Handler(name, connection)
        try:
            yield
        finally:
            with self._lock:
                del self._handlers[thread]

    def all(self) -> dict[int, Handler]:
        """All of this moment, by the numbers of their threads."""
        with self._lock:
            return dict(self._handlers)
