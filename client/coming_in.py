"""How a person at a terminal comes in: asked for what is missing or refused, until a client is connected."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Protocol

from chatroom.errors import (
    BadKey,
    BadPassword,
    CertificateRefused,
    ConfigError,
    ConnectionLost,
    NameHeld,
    NameRefused,
    NameTaken,
    NeedLogin,
    Refused,
)
from chatroom.names import check_name
from chatroom.outcomes import Code
from client.address import parse_address
from client.client import Client
from client.interactive import ask_address, ask_name, ask_password, ask_server_password
from client.refusals import as_said_by_the_server
from client.updates import Retrying


class Making(Protocol):
    """Makes a client that is not connected yet, as the options say."""

    def __call__(self, options: argparse.Namespace, name: str, password: str | None) -> Client: ...


class Keys(Protocol):
    """Keeps the passwords of servers, by host and port."""

    def find(self, host: str, port: int) -> str | None: ...
    def keep(self, host: str, port: int, password: str) -> None: ...
    def forget(self, host: str, port: int) -> None: ...


class ComingIn:
    """One start of the program. What the user answers is put into the options.

    propose:  gives the name to propose at the server with this host and port
    password: for the account of `options.name`
    waiting:  told before each pause while the server is away, or wants nobody from here
    keys:     keeps what the user types as the server's password
    """

    def __init__(
        self,
        options: argparse.Namespace,
        make: Making,
        propose: Callable[[str, int], str],
        password: str | None,
        waiting: Callable[[Retrying], None],
        keys: Keys,
    ) -> None:
        self._options = options
        self._make = make
        self._propose = propose
        self._proposed = ""  # another one, since that was taken
        self._password = password
        self._waiting = waiting
        self._keys = keys
        self._key_is_kept = self._key_is_typed = False
        self._patience: float = options.retry_for or 0.0

    def run(self) -> Client | None:
        """A client that is connected; None when the user leaves. Raises what cannot be asked for."""
        options, name, reason = self._options, self._options.name, ""
        while True:
            try:
                if name is None:
                    name = ask_name(self._proposed or self._propose(*options.address), reason)
                return self._log_in(name)
            except EOFError:
                return None
            except BadKey:
                raise
            except NameRefused as refused:
                if name is not None and isinstance(refused, NameTaken | NameHeld):
                    self._proposed = another(name)
                name, reason, self._password = None, str(refused), None
            except CertificateRefused:
                raise
            except ConnectionLost as lost:
                if options.retry_for is not None:  # the user has said how long to wait
                    raise
                try:
                    self._ask_where(str(lost))
                except EOFError:
                    return None
            except Refused as refused:
                if refused.code != Code.SLOW_DOWN or options.retry_for is not None:
                    raise
                self._patience = math.inf  # others share the network: it is nothing that the user can mend

    def _ask_where(self, reason: str) -> None:
        """The server is away: go to another address, or wait for this one."""
        while True:
            text = ask_address(reason)
            if not text:
                self._patience = math.inf
                return
            try:
                address = parse_address(text)
            except ConfigError as wrong:
                reason = str(wrong)
            else:
                self._patience = 0.0
                if address != self._options.address:  # the passwords are of the other server
                    self._options.address = address
                    self._options.server_password = self._password = None
                    self._key_is_kept = self._key_is_typed = False
                return

    def _log_in(self, name: str) -> Client:
        """Connect under this name; ask for passwords as long as they are needed.

        Raises NameRefused, also when the user does not say a password, EOFError, or ConnectionLost.
        """
        while True:
            client = self._make(self._options, name, self._password)
            try:
                self._connect(client)
                if self._key_is_typed and self._options.server_password:
                    host, port = self._options.address
                    self._keys.keep(host, port, self._options.server_password)
                return client
            except (NeedLogin, BadPassword) as refused:
                self._password = ask_password(name, str(refused)) or None
                if self._password is None:
                    raise
            except BadKey as refused:
                self._options.server_password = self._another_key(str(refused))
                if self._options.server_password is None:
                    raise

    def _connect(self, client: Client) -> None:
        """Raises as `_log_in`; who compares a fingerprint next sees that it is the server that says why."""
        try:
            client.connect(self._patience, self._waiting)
        except (NameRefused, Refused) as refused:
            if self._options.notices:
                refused.args = (as_said_by_the_server(str(refused)),)
            raise

    def _another_key(self, reason: str) -> str | None:
        """The server's password that was right before, or what the user types; None: it is not known.

        reason: why none, or the one before, was not enough
        """
        address, before = self._options.address, self._options.server_password
        if before is None and (kept := self._keys.find(*address)) is not None:
            self._key_is_kept = True
            return kept
        if self._key_is_kept:
            self._keys.forget(*address)
        self._key_is_kept, self._key_is_typed = False, True
        return ask_server_password(reason) or None


def another(name: str) -> str:
    """A name like one that is taken: with the next number behind it."""
    word = name.rstrip("0123456789")
    number = name[len(word) :]
    try:
        return check_name(f"{word}{int(number or '1') + 1}" if len(number) < 4 else f"{name}-2")
    except NameRefused:
        return "guest"
