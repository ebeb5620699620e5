"""What a handler's thread lends to the commands that it prepares."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import TypeVar

from chatroom.desk import Checked
from chatroom.forwarder import Forwarder
from chatroom.limits import HASH_SECONDS
from chatroom.logins import Logins
from chatroom.outcomes import Outcome
from chatroom.picture import Picture
from chatroom.state import State

T = TypeVar("T")


def now() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class HandlerDesk:
    """See `chatroom.desk.Desk`.

    network:   of the peer that gives the command
    inspector: makes the picture of the inside; None: nobody does
    """

    def __init__(
        self, forwarder: Forwarder, logins: Logins, network: str, inspector: Callable[[], Picture] | None
    ) -> None:
        self._forwarder = forwarder
        self._logins = logins
        self._network = network
        self._inspector = inspector

    def read(self, look: Callable[[State], T]) -> T:
        return self._forwarder.look(look).result()

    def random(self, size: int) -> bytes:
        return secrets.token_bytes(size)

    def now(self) -> int:
        return now()

    def check(self, name_key: str, password: str) -> Checked | Outcome:
        return self._logins.check(name_key, self._network, password, HASH_SECONDS)

    def guess(self, what: str, is_right: bool) -> Outcome | None:
        return self._logins.guess(what, self._network, is_right)

    def hash(self, password: str, known: bool) -> str | Outcome:
        return self._logins.hash(self._network, password, known, HASH_SECONDS)

    def inspect(self) -> Picture | None:
        return None if self._inspector is None else self._inspector()
