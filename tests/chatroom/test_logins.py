"""Logins: a password is checked without saying whether there is such an account, and guesses are slowed."""

from __future__ import annotations

import threading
import time
from statistics import median

import pytest

from chatroom import logins as module
from chatroom.desk import Checked
from chatroom.errors import Closed
from chatroom.guesses import Guesses
from chatroom.hash_pool import HashPool
from chatroom.limits import GUESS_SECONDS, GUESSES
from chatroom.logins import Logins
from chatroom.outcomes import Code, Outcome
from chatroom.passwords import DUMMY, check_password, hash_password
from tests.support.patience import PATIENCE, eventually
from tests.support.tasks import Task

STORED = hash_password("correct horse", bytes(16))
WRONG = Outcome(Code.BAD_PASSWORD)


class Accounts:
    """What a state would know: one account, and where it was used."""

    def __init__(self) -> None:
        self.known = {"dora": ([STORED], ["home"]), "kept": ([], [])}

    def __call__(self, name_key: str, timeout: float) -> tuple[list[str], list[str]]:
        return self.known.get(name_key, ([], []))


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which stored hashes a password was compared with; comparing costs nothing here."""
    found: list[str] = []

    def check(password: str, stored: str) -> bool:
        found.append(stored)
        return stored == STORED and password == "correct horse"

    monkeypatch.setattr(module, "check_password", check)
    return found


def test_the_right_password() -> None:
    """The stored hash comes back, for the proposal; and whether the account was used from there before."""
    logins = Logins(Accounts())
    assert logins.check("dora", "home", "correct horse", PATIENCE) == Checked(STORED, True)
    assert logins.check("dora", "away", "correct horse", PATIENCE) == Checked(STORED, False)
    assert STORED not in repr(Checked(STORED, True))


@pytest.mark.parametrize("name_key", ["dora", "kept", "nobody"])
def test_a_wrong_password_an_empty_account_and_none_are_alike(name_key: str, hashed: list[str]) -> None:
    """The same outcome after one hash with the same parameters: neither words nor time tell them apart."""
    assert Logins(Accounts()).check(name_key, "away", "wrong horse", PATIENCE) == WRONG
    (stored,) = hashed
    assert stored.split("$")[:4] == DUMMY.split("$")[:4]


@pytest.mark.slow
def test_the_times_are_alike() -> None:
    """Over many tries, the time for an account and for none differs by less than a twentieth of a hash."""
    took: dict[str, list[float]] = {"dora": [], "nobody": []}
    for _ in range(40):
        for name_key, times in took.items():
            began = time.thread_time()
            assert Logins(Accounts()).check(name_key, "away", "wrong horse", PATIENCE) == WRONG
            times.append(time.thread_time() - began)
    one, other = (median(times) for times in took.values())
    assert abs(one - other) < max(one, other) / 20


@pytest.mark.parametrize("name_key", ["dora", "nobody"])
def test_guesses_are_slowed(name_key: str, hashed: list[str]) -> None:
    """After GUESSES wrong ones the outcome says when again, and no hash is computed before that."""
    logins = Logins(Accounts(), guesses=Guesses(lambda: 0.0))
    for _ in range(GUESSES):
        assert logins.check(name_key, "away", "wrong horse", PATIENCE) == WRONG
    for password in ("wrong horse", "correct horse"):
        slow = logins.check(name_key, "away", password, PATIENCE)
        assert slow == Outcome(Code.SLOW_DOWN, (int(GUESS_SECONDS),))
    assert len(hashed) == GUESSES


def test_guesses_from_elsewhere_do_not_slow_the_owner() -> None:
    guesses = Guesses(lambda: 0.0)
    logins = Logins(Accounts(), guesses=guesses)
    for number in range(100):
        guesses.begin("dora", f"evil{number}", False)
    strange = logins.check("dora", "new place", "correct horse", PATIENCE)
    assert isinstance(strange, Outcome) and strange.code is Code.SLOW_DOWN
    assert logins.check("dora", "home", "correct horse", PATIENCE) == Checked(STORED, True)


def test_no_turn_in_time_is_no_guess() -> None:
    """Who could not be looked at may try again at once."""
    pool, guesses = HashPool(1), Guesses(lambda: 0.0)
    logins = Logins(Accounts(), pool, guesses)
    go, held = threading.Event(), threading.Event()

    def hold() -> None:
        held.set()
        go.wait(PATIENCE)

    task = Task(lambda: pool.run("other", False, hold, PATIENCE))
    assert held.wait(PATIENCE)
    for _ in range(2 * GUESSES):
        assert logins.check("dora", "away", "wrong horse", 0.001) == Outcome(Code.SLOW_DOWN)
    assert logins.hash("away", "new password", False, 0.001) == Outcome(Code.SLOW_DOWN)
    go.set()
    task.result()
    assert len(guesses) == 0
    assert logins.check("dora", "away", "correct horse", PATIENCE) == Checked(STORED, False)


def test_a_state_that_does_not_answer() -> None:
    """While the forwarder waits for a full disk, a login is refused in time, and is no guess."""

    def late(name_key: str, timeout: float) -> tuple[list[str], list[str]]:
        assert timeout <= 0.5
        raise TimeoutError

    guesses = Guesses(lambda: 0.0)
    assert Logins(late, None, guesses).check("dora", "away", "x", 0.5) == Outcome(Code.UNAVAILABLE)
    assert len(guesses) == 0


def test_a_new_password_has_its_own_salt() -> None:
    logins = Logins(Accounts())
    one, other = (logins.hash("away", "new password", False, PATIENCE) for _ in range(2))
    assert isinstance(one, str) and isinstance(other, str) and one != other
    assert check_password("new password", one) and check_password("new password", other)


def test_close_ends_the_wait() -> None:
    """A login that waits for its turn ends with Closed, and is no guess."""
    pool, guesses = HashPool(1), Guesses(lambda: 0.0)
    logins = Logins(Accounts(), pool, guesses)
    go, held = threading.Event(), threading.Event()
    first = Task(lambda: pool.run("other", False, lambda: (held.set(), go.wait(PATIENCE)), PATIENCE))
    assert held.wait(PATIENCE)
    waiting = Task(lambda: logins.check("dora", "away", "wrong horse", PATIENCE))
    eventually(lambda: pool.waiting, "it does not wait")
    logins.close()
    with pytest.raises(Closed):
        waiting.result()
    go.set()
    first.result()
    assert len(guesses) == 0


def test_guesses_of_what_is_no_password() -> None:
    """Too many wrong ones are refused, right or wrong; somebody else, and a password, are not slowed."""
    logins = Logins(Accounts(), None, Guesses(lambda: 0.0))
    assert [logins.guess("#tea 7", "home", False) for _ in range(GUESSES)] == [None] * GUESSES
    slow = Outcome(Code.SLOW_DOWN, (int(GUESS_SECONDS),))
    assert logins.guess("#tea 7", "home", True) == logins.guess("#tea 7", "home", False) == slow
    assert logins.guess("#tea 8", "home", True) is None
    assert isinstance(logins.check("dora", "home", "correct horse", PATIENCE), Checked)
    for _ in range(2 * GUESSES):  # what was right does not count
        assert logins.guess("#tea 9", "home", True) is None
