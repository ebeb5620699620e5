"""The reception: gives names to newcomers, first come, first served, and to their owners."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswer
from functools import partial

from chatroom.accounts import is_same
from chatroom.arrivals import Reservation
from chatroom.deadline import Deadline
from chatroom.errors import Closed, NameRefused, Refused
from chatroom.limits import TICKET_BYTES
from chatroom.logins import Logins
from chatroom.lookalikes import skeletons
from chatroom.names import check_name, name_key
from chatroom.network import is_loopback, network_of
from chatroom.order import Order
from chatroom.outcomes import Code, Outcome
from chatroom.packets import NO_TOKEN, Credential
from chatroom.passwords import device_secret, server_secret
from chatroom.presence import Presence
from chatroom.proposals import Arrive, Proposal, ProposalKind, Withdraw
from chatroom.session import session_key

BUSY = "the server is too busy, try again later"
_BAD_PASSWORD = "wrong name or password"
_NEED_KEY = "this server has a password: whoever invited you can tell you"
_BAD_KEY = "this is not the password of this server"
_CLOSED = {
    Code.NEED_LOGIN: "at the moment only people with an account can come in: log in, or try again later",
    Code.INVITE_ONLY: "at the moment only people who are invited can come in: try again later",
}
_NEED_ENCRYPTION = (
    "a password came over a connection that is not encrypted: it was not looked at; "
    "the server has to run with --tls-cert or --tls-self, and the client with --tls"
)


class Reception:
    """Any thread may use it.

    spawn: runs a function in a thread of its own, with this name; may raise Closed and RuntimeError
    server_key: what the state knows of the server's password. It waits at most so many seconds, and raises
                TimeoutError, or Closed
    """

    def __init__(
        self,
        order: Order,
        presence: Presence,
        logins: Logins,
        spawn: Callable[[Callable[[], None], str], object],
        server_key: Callable[[float], str] = lambda _: "",
    ) -> None:
        self._order = order
        self._presence = presence
        self._logins = logins
        self._spawn = spawn
        self._server_key = server_key

    def reserve(
        self,
        name: str,
        token: bytes,
        address: str,
        timeout: float,
        credentials: Sequence[tuple[int, bytes]] = (),
        encrypted: bool = False,
        software: str = "",
    ) -> Reservation:
        """See `Chatroom.reserve`."""
        deadline, name = Deadline(timeout), check_name(name)
        fresh = secrets.token_bytes(TICKET_BYTES)  # here, because the state may not use random numbers
        known = session_key(token) if token != NO_TOKEN else ""
        key = name_key(name)
        server_key, slow_down = self._shown_key(credentials, address, encrypted, deadline)
        wanted = Arrive(
            name,
            key,
            known,
            session_key(fresh),
            address,
            skeletons(name, key),
            network_of(address),
            self._proof(key, credentials, address, encrypted, deadline),
            encrypted,
            software,
            server_key,
        )
        origin, answer = self._presence.ask()
        try:
            self._order.put(Proposal(origin, 0, ProposalKind.ARRIVE, wanted), deadline.left())
        except (TimeoutError, Closed) as error:
            self._presence.stop_asking(origin)
            if isinstance(error, Closed):
                raise
            raise NameRefused(BUSY, Code.UNAVAILABLE) from None
        try:
            outcome = answer.result(deadline.left())
        except NoAnswer:
            answer.add_done_callback(partial(self._release_late, origin, wanted))
            raise NameRefused(BUSY, Code.UNAVAILABLE) from None
        if slow_down is not None and outcome.code is Code.BAD_KEY:
            outcome = slow_down
        return _reservation(origin, wanted, token, fresh, outcome)

    def release(self, reservation: Reservation) -> None:
        """See `Chatroom.release`."""
        withdraw = Withdraw(reservation.session)
        try:
            self._order.put(Proposal(reservation.origin, 0, ProposalKind.WITHDRAW, withdraw))
        except Closed:
            pass  # no name is given any more, and the next start finds every member gone

    def _release_late(self, origin: int, wanted: Arrive, answer: Future[Outcome]) -> None:
        """Release a name that was given after its newcomer had timed out.

        Mostly runs in the forwarder's thread, which must not wait at the queue: another thread releases it.
        """
        if answer.exception() is None and answer.result().code is Code.OK:
            reservation = _reservation(origin, wanted, b"", b"", answer.result())
            try:
                self._spawn(lambda: self.release(reservation), "release")
            except (Closed, RuntimeError):
                pass  # the reservation expires by itself

    def _shown_key(
        self,
        credentials: Sequence[tuple[int, bytes]],
        address: str,
        encrypted: bool,
        deadline: Deadline,
    ) -> tuple[str, Outcome | None]:
        """What is stored of the server's password that the newcomer has shown; "" for none.

        Guesses are counted; whether it is right, the state says. With SLOW_DOWN it counts as not shown: who
        comes back with a token, or is an operator, needs none, whatever others have guessed.
        Raises NameRefused, Closed.
        """
        shown = [value for number, value in credentials if number == Credential.SERVER_PASSWORD]
        if not shown:
            return "", None
        if not (encrypted or is_loopback(address)):
            raise NameRefused(_NEED_ENCRYPTION, Code.NEED_ENCRYPTION)
        secret = server_secret(shown[0].decode(errors="replace"))
        try:
            key = self._server_key(deadline.left())
        except TimeoutError:
            raise NameRefused(BUSY, Code.UNAVAILABLE) from None
        if key:
            slow_down = self._logins.guess_server(network_of(address), is_same(key, secret))
            if slow_down is not None:
                return "", slow_down
        return secret, None

    def _proof(
        self,
        key: str,
        credentials: Sequence[tuple[int, bytes]],
        address: str,
        encrypted: bool,
        deadline: Deadline,
    ) -> str:
        """What is stored of the credential that the newcomer has shown; "" for none.

        A password counts before a token. Whether the token is one of the account's, the state says.
        Raises NameRefused, Refused, Closed.
        """
        shown = {number: value for number, value in reversed(credentials) if number in _OF_ACCOUNTS}
        if not shown:
            return ""
        if not (encrypted or is_loopback(address)):
            raise NameRefused(_NEED_ENCRYPTION, Code.NEED_ENCRYPTION)
        if Credential.PASSWORD not in shown:
            return device_secret(shown[Credential.DEVICE_TOKEN])
        password = shown[Credential.PASSWORD].decode(errors="replace")
        checked = self._logins.check(key, network_of(address), password, deadline.left())
        if isinstance(checked, Outcome):
            raise refusal_of(key, checked)
        return checked.secret


_OF_ACCOUNTS = (Credential.PASSWORD, Credential.DEVICE_TOKEN)


def refusal_of(wanted: str, outcome: Outcome) -> NameRefused | Refused:
    """Why a name is not given, in words. wanted: the name that was asked for.

    After Refused the handshake ends: the next try needs a new connection.
    """
    code, rows = outcome
    if code is Code.SLOW_DOWN:
        when = f"in {rows[0]} s" if rows else "in some seconds"
        return Refused(f"too many passwords were tried: try again {when}", code)
    if code is Code.FULL:
        return Refused("this server takes nobody new any more", code)
    if code is Code.BANNED:
        return Refused("banned", code, rows)
    if code is Code.BAD_PASSWORD:
        return NameRefused(_BAD_PASSWORD, code)
    if code is Code.TOO_MANY:
        return Refused("too many programs of yours are here already: end one of them first", code)
    if code in _CLOSED and not rows:
        return NameRefused(_CLOSED[code], code)
    if code not in (Code.NAME_TAKEN, Code.NAME_HELD, Code.NEED_LOGIN, Code.BAD_KEY) or not rows:
        return NameRefused(BUSY, code)
    if code is Code.BAD_KEY:
        return NameRefused(_BAD_KEY if rows[:1] == (True,) else _NEED_KEY, code)
    name, seconds = (*rows, 0)[:2]
    alike = "" if name_key(str(name)) == name_key(wanted) else f"{wanted} looks like {name}: "
    if code is Code.NEED_LOGIN:
        return NameRefused(f"{alike}{name} belongs to an account: its password is needed", code)
    if code is Code.NAME_HELD:
        text = f"{name} has lost the connection; the name is kept for another {seconds} s"
    else:
        text = f"{name if alike else wanted} is in use"
    return NameRefused(alike + text, code)


def _reservation(origin: int, wanted: Arrive, token: bytes, fresh: bytes, outcome: Outcome) -> Reservation:
    """What the state's answer to ARRIVE means. Raises NameRefused, Refused."""
    if outcome.code is not Code.OK:
        raise refusal_of(wanted.name, outcome)
    known, name = outcome.rows
    if known:
        return Reservation(origin, str(name), token, wanted.known)
    return Reservation(origin, str(name), fresh, wanted.fresh)
