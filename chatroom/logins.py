"""Checks passwords, in the thread that has them: the guess is counted, and the hash waits for its turn."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable

from chatroom.deadline import Deadline
from chatroom.desk import Checked
from chatroom.errors import Refused
from chatroom.guesses import Guesses
from chatroom.hash_pool import HashPool
from chatroom.limits import SALT_BYTES
from chatroom.outcomes import Code, Outcome
from chatroom.passwords import DUMMY, check_password, hash_password

NOT_NOW = Outcome(Code.SLOW_DOWN)
WRONG = Outcome(Code.BAD_PASSWORD)


class Logins:
    """Any thread may use it, and waits here for its turn.

    secrets: what the state knows of the account with this key: the stored passwords, and the networks from
             which it was used. It waits at most so many seconds, and raises TimeoutError, or Closed
    """

    def __init__(
        self,
        secrets: Callable[[str, float], tuple[list[str], list[str]]],
        pool: HashPool | None = None,
        guesses: Guesses | None = None,
    ) -> None:
        self._secrets = secrets
        self._pool = HashPool() if pool is None else pool
        self._guesses = Guesses() if guesses is None else guesses

    def check(self, name_key: str, network: str, password: str, timeout: float) -> Checked | Outcome:
        """What is stored of this password of the account; or BAD_PASSWORD, SLOW_DOWN (in how many seconds).

        An account that does not exist, or has no password, costs the same time and gets the same answers.
        timeout: seconds to wait for the state, and for the turn to hash
        Raises Closed.
        """
        deadline = Deadline(timeout)
        try:
            stored, networks = self._secrets(name_key, deadline.left())
        except TimeoutError:
            return Outcome(Code.UNAVAILABLE)
        known = network in networks
        wait = self._guesses.begin(name_key, network, known)
        if wait:
            return Outcome(Code.SLOW_DOWN, (math.ceil(wait),))
        looked = False
        try:
            found = self._pool.run(network, known, lambda: _fitting(password, stored), deadline.left())
            looked = True
        except Refused:
            return NOT_NOW
        finally:
            if not looked:
                self._guesses.undo(name_key, network, known)
        if not found:
            return WRONG
        self._guesses.right(name_key, network, known)
        return Checked(found, known)

    def guess(self, what: str, network: str, is_right: bool) -> Outcome | None:
        """Count a guess of what needs no hash, see `Desk.guess`; SLOW_DOWN (in how many seconds)."""
        wait = self._guesses.begin(what, network, False)
        if wait:
            return Outcome(Code.SLOW_DOWN, (math.ceil(wait),))
        if is_right:
            self._guesses.right(what, network, False)
        return None

    def guess_server(self, network: str, is_right: bool) -> Outcome | None:
        """Count a guess of the server's password; SLOW_DOWN (in how many seconds): it is not looked at."""
        wait = self._guesses.server(network, is_right)
        return Outcome(Code.SLOW_DOWN, (math.ceil(wait),)) if wait else None

    def hash(self, network: str, password: str, known: bool, timeout: float) -> str | Outcome:
        """What is stored of a new password; SLOW_DOWN when the turn does not come in time. Raises Closed."""
        salt = secrets.token_bytes(SALT_BYTES)
        try:
            return self._pool.run(network, known, lambda: hash_password(password, salt), timeout)
        except Refused:
            return NOT_NOW

    def close(self) -> None:
        """Let no thread wait any more."""
        self._pool.close()


def _fitting(password: str, stored: list[str]) -> str:
    """The stored hash that the password fits; "" for none. Each is computed, so the time says nothing."""
    fitting = [one for one in stored or [DUMMY] if check_password(password, one)]
    return fitting[0] if fitting else ""
