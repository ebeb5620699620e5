"""Opening connections, in such a way that `close` can interrupt it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from chatroom.deadline import Deadline
from chatroom.errors import Closed, NeedLogin
from chatroom.limits import HANDSHAKE_SECONDS
from chatroom.packets import NO_TOKEN
from client.account import TOKEN_EXPIRED, Account
from client.attempt import Attempt
from client.connection import Connection
from client.following import Asking, Following
from client.handshaking import Admission, Reserved, admit, reserve
from client.resume import ResumeState
from client.tls import TlsOptions

if TYPE_CHECKING:  # ssl costs much of the start-up, and is not always needed
    from client.server_trust import ServerIdentity, ServerTrust


class Opening:
    """Makes the connections of one client: one after the other, and beside it that of a login.

    closing: whether the client is being closed
    key:     the password of the server
    """

    def __init__(
        self,
        address: tuple[str, int],
        tls: TlsOptions | None,
        account: Account,
        resume: ResumeState,
        closing: Callable[[], bool],
        key: bytes | None = None,
    ) -> None:
        self._address = address
        self._trust = None if tls is None else _trust(tls, address)
        self._account = account
        self._resume = resume
        self._closing = closing
        self._key = key
        # Guards both: the connection that is being made or used, and that of a login.
        self._lock = Lock()
        self._connection: Connection | None = None
        self._second: Connection | None = None

    def admit(self, ask_password: Asking | None = None, another_name: Asking | None = None) -> Admission:
        """Go through the handshake. Raises as `client.handshaking.admit`."""
        account = self._account
        wish = self._resume.wish(lasting=bool(account.name))
        attempt = account.first(wish.name) if wish.token == NO_TOKEN else Attempt(wish.name)
        following = Following(account, account.name or wish.name, ask_password, another_name)
        connect = partial(self._open, self._identity())
        return admit(self._address, wish, connect, attempt, following, key=self._key)

    def reserve(self, attempts: list[Attempt]) -> Reserved:
        """The handshake of a login, up to ADMIT."""
        deadline = Deadline(HANDSHAKE_SECONDS)
        first, *others = attempts
        need = NeedLogin(TOKEN_EXPIRED) if first.by_device else None
        following = Following(self._account, first.name, proofs=(need, iter(others)))
        connect = partial(self._open_second, self._identity())
        return reserve(self._address, first, NO_TOKEN, connect, following, deadline, self._key)

    def use(self, connection: Connection) -> None:
        """This one is used now, whoever made it."""
        with self._lock:
            self._connection = connection

    def cut(self) -> None:
        """Shut down the connection that is being made or used."""
        with self._lock:
            connection = self._connection
        if connection is not None:
            connection.shutdown()

    def cut_login(self) -> None:
        """Shut down the connection of a login that is under way."""
        with self._lock:
            connection = self._second
        if connection is not None:
            connection.shutdown()

    def forget_login(self) -> None:
        """The login is over."""
        with self._lock:
            self._second = None

    def _identity(self) -> ServerIdentity | None:
        """To which server both connections of a handshake must lead; None: without encryption."""
        if self._trust is None:
            return None
        from client.server_trust import ServerIdentity

        return ServerIdentity(self._trust)

    def _open(self, identity: ServerIdentity | None, host: str, port: int, deadline: Deadline) -> Connection:
        connection = Connection(identity)
        with self._lock:
            self._connection = connection
        return self._connect(connection, host, port, deadline)

    def _open_second(
        self, identity: ServerIdentity | None, host: str, port: int, deadline: Deadline
    ) -> Connection:
        """The same beside the present connection, for a login."""
        connection = Connection(identity)
        with self._lock:
            self._second = connection
        return self._connect(connection, host, port, deadline)

    def _connect(self, connection: Connection, host: str, port: int, deadline: Deadline) -> Connection:
        if self._closing():
            raise Closed("the client is closed")
        connection.open(host, port, deadline)
        return connection


def _trust(tls: TlsOptions, address: tuple[str, int]) -> ServerTrust:
    """Raises ConfigError when a file that the options name cannot be used."""
    from client.server_trust import ServerTrust

    return ServerTrust(tls, *address)
