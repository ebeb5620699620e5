"""The client's account: which one it is logged in to, and what it can prove that with."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from threading import Lock
from typing import Final, Protocol

from chatroom.errors import ConfigError, NeedLogin
from chatroom.events import EXTRA_ACCOUNT, Event, EventKind
from chatroom.outcomes import Code
from chatroom.packets import Answer, split_rows
from chatroom.printable import printable_line
from client.attempt import Attempt
from client.handshaking import check_given_name
from client.limits import LABEL_BYTES

TOKEN_EXPIRED: Final = "what this computer has kept is not valid any more: the password is needed"

DEVICE: Final = "/device"
"""The command that makes a device token."""

_TOKEN_BYTES: Final = 32
_MAKES_DEVICES: Final = ("/register", "/passwd")
"""After these the account has a new password, and no device token."""


class Tokens(Protocol):
    """Where device tokens are kept, for one server; see `client.tokens.TokenFile`. All raise ConfigError."""

    def find(self, name: str) -> list[bytes]: ...
    def keep(self, name: str, history: bytes, token: bytes) -> None: ...
    def forget(self, name: str, history: bytes) -> None: ...


class Account:
    """What a client knows of its account. It never shows its secrets. Any thread.

    password: of the account whose name the client asks for
    token:    a device token of that account, for when the server asks for a login
    tokens:   where this computer keeps device tokens; None: nowhere
    """

    def __init__(
        self, password: str | None = None, token: bytes | None = None, tokens: Tokens | None = None
    ) -> None:
        self.tokens = tokens
        # Guards all fields below.
        self._lock = Lock()
        self._name = ""
        self._password = password
        self._token = token

    def __repr__(self) -> str:
        return f"<Account {self.name!r}>" if self.name else "<Account: none>"

    @property
    def name(self) -> str:
        """The name of the account; empty for a guest."""
        with self._lock:
            return self._name

    @name.setter
    def name(self, name: str) -> None:
        with self._lock:
            self._name = name

    def first(self, name: str) -> Attempt:
        """What a client without a session asks for. Raises ConfigError when its password cannot be one."""
        with self._lock:
            return Attempt(name, password=self._password)

    def change(self, name: str) -> None:
        """The client has logged in to another account than that whose proofs it was given."""
        with self._lock:
            self._name, self._password, self._token = name, None, None

    def kept(self, name: str) -> list[Attempt]:
        """What this computer has kept of an account. Raises NeedLogin when that is nothing, ConfigError."""
        kept = [Attempt(name, device=token) for token in (self.tokens.find(name) if self.tokens else [])]
        if not kept:
            raise NeedLogin(f"the password of {name} is needed")
        return kept

    def proofs(self, name: str) -> Iterator[Attempt]:
        """What proves the account without asking the user: device tokens, then the password.

        Raises ConfigError, in the end, when the kept tokens cannot be read.
        """
        with self._lock:
            password, token = self._password, self._token
        if token is not None:
            yield Attempt(name, device=token)
        failure = None
        try:
            kept = self.tokens.find(name) if self.tokens is not None else []
        except ConfigError as error:
            kept, failure = [], error
        yield from (Attempt(name, device=each) for each in kept)
        if password is not None:
            yield Attempt(name, password=password)
        if failure is not None:
            raise failure

    # --- what the server says: the thread whose turn it is ---------------------------------------------

    def device_command(self, after: str = "") -> str | None:
        """The command that lets the server remember this computer; None when no token can be kept.

        after: the command that has succeeded; "": a login by password
        """
        if self.tokens is None or (after and after.split(None, 1)[0] not in _MAKES_DEVICES):
            return None
        return f"{DEVICE} {_label()}"

    def happened(self, event: Event, history: bytes, live: bool) -> None:
        """The client's person has joined, or registered or unregistered.

        Raises ConfigError, and ProtocolError for what cannot be the name of an account.

        live: it happens now, and not in a replay
        """
        name = event.text if event.kind is EventKind.ACCOUNT else _account_of(event)
        if name:
            check_given_name(name)
        if event.kind is EventKind.JOINED:
            self.name = name or self.name
        elif event.kind is EventKind.ACCOUNT:
            before, self.name = self.name, name
            if live and before and not event.text and self.tokens is not None:
                self.tokens.forget(before, history)

    def answered(self, answer: Answer, history: bytes) -> Answer:
        """Keep the token that an answer brings; the answer without it.

        Raises ConfigError: it is not kept; ProtocolError: it is for what cannot be the name of an account.

        A client that keeps no tokens gets the answer as it is: its user wants the token.
        """
        if self.tokens is None or answer.code != Code.OK:
            return answer
        found = _token_in(answer.rows)
        if found is None:
            return answer
        name, token = found
        check_given_name(name)
        self.name = name
        self.tokens.keep(self.name, history, token)
        return answer._replace(rows="")


def _label() -> str:
    """The name of this computer, under which the server remembers it."""
    name = "-".join(printable_line(socket.gethostname()).split()) or "computer"
    return name.encode()[:LABEL_BYTES].decode(errors="ignore")


def _account_of(joined: Event) -> str:
    """The account that a JOINED names; empty for a guest."""
    values = (value for key, value in split_rows(joined.extra, 1) if key == EXTRA_ACCOUNT)
    return next(values, b"").decode(errors="replace")


def _token_in(rows: str) -> tuple[str, bytes] | None:
    """The account and the token in an answer's rows, as `[["token", "dora", "0a1b…"]]`."""
    try:
        for kind, name, token in json.loads(rows or "[]"):
            if (
                kind == "token"
                and isinstance(name, str)
                and len(data := bytes.fromhex(token)) == _TOKEN_BYTES
            ):
                return name, data
    except (ValueError, TypeError, RecursionError):  # other rows
        pass
    return None
