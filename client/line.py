"""What a client says: a line, which is sent until it is settled, and a command, which is sent once."""

from __future__ import annotations

from threading import Lock
from typing import NamedTuple, Protocol

from client.requests import Request


class Owner(Protocol):
    """The lines that are not settled; see `client.pending_lines.PendingLines`."""

    @property
    def lock(self) -> Lock: ...
    def holds(self, line: Line) -> bool: ...
    def wait_for(self, line: Line | None = None, timeout: float | None = None) -> bool: ...


class Line:
    """A line that was said, with its message id and text.

    bound: it names a person or a message by number, which another history may have given to others
    """

    __slots__ = ("_owner", "_refused", "bound", "data", "id", "text")

    def __init__(self, owner: Owner, id: int, text: str, data: bytes, bound: bool = False) -> None:
        self._owner = owner
        self.id = id
        self.text = text
        self.data = data
        self.bound = bound
        self._refused: str | None = None  # guarded by the owner's lock

    def __repr__(self) -> str:
        return f"<Line {self.id} {'stored' if self.stored else 'refused' if self.refused else 'pending'}>"

    @property
    def stored(self) -> bool:
        """Whether the line is in the server's history, as far as the client has been told."""
        with self._owner.lock:
            return self._refused is None and not self._owner.holds(self)

    @property
    def refused(self) -> str | None:
        """Why the line is not stored, or that this cannot be known any more; None for other lines."""
        with self._owner.lock:
            return self._refused

    def refuse(self, reason: str) -> None:
        """Note the reason. Requires holding the owner's lock."""
        self._refused = reason

    def wait(self, timeout: float | None = None) -> bool:
        """Wait at most `timeout` seconds for the line to be settled; whether it is stored."""
        self._owner.wait_for(self, timeout)
        return self.stored


class SentOnce(NamedTuple):
    """A slash command. Its packet may hold a password, its text never does.

    text:    as it was given, without secrets
    quiet:   the client itself asks, its user need not be told
    secret:  the packet holds a secret
    request: who waits for the answer; None: it is an update
    """

    id: int
    text: str
    data: bytes
    quiet: bool = False
    secret: bool = False
    request: Request | None = None

    def __repr__(self) -> str:
        return f"<SentOnce {self.id} {self.text!r}>"
