"""What a client tries in one handshake after the server has refused a name."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chatroom.errors import BadKey, BadPassword, ConfigError, NameRefused, NeedLogin
from client.account import Account
from client.attempt import Attempt

Asking = Callable[[str], str | None]
"""Asks the user, given a reason; None: the user gives up."""


class Following:
    """Gives the next attempt after each refusal: first what needs no user, then what the user says.

    name:         of the account to log in to, when the name turns out to belong to one
    ask_password: asks the user for the password of that account
    another_name: asks the user for another name
    proofs:       how to refuse, and what to try before; None: when the server asks for a login, try what
                  the account has
    """

    def __init__(
        self,
        account: Account,
        name: str,
        ask_password: Asking | None = None,
        another_name: Asking | None = None,
        proofs: tuple[NameRefused | None, Iterator[Attempt]] | None = None,
    ) -> None:
        self._account = account
        self._name = name
        self._ask_password = ask_password
        self._another_name = another_name
        self._fixed = proofs is not None
        # _need: how to refuse while proofs are tried that the user has not typed
        self._need, self._proofs = proofs or (None, iter(()))

    def __call__(self, refused: NameRefused) -> Attempt:
        """The next attempt. Raises NameRefused when there is none."""
        if isinstance(refused, NeedLogin | BadKey) and not self._fixed:
            self._need, self._proofs = refused, self._account.proofs(self._name)
        if isinstance(refused, NeedLogin | BadPassword | BadKey):
            try:
                if (attempt := next(self._proofs, None)) is not None:
                    return attempt
            except ConfigError as error:
                self._need = NeedLogin(f"{self._need}; {error}")
            refused, self._need = self._need or refused, None
            if isinstance(refused, BadKey):
                raise refused
            password = self._ask_password(str(refused)) if self._ask_password is not None else None
            if password is not None:
                return Attempt(self._name, password=password)
        name = self._another_name(str(refused)) if self._another_name is not None else None
        if name is None:
            raise refused
        self._name, self._need, self._proofs = name, None, iter(())
        return Attempt(name)
