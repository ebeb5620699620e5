"""Guesses: slowed for whoever guesses, and for nobody else."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatroom.guesses import Guesses
from chatroom.limits import (
    GUESS_SECONDS,
    GUESSES,
    MAX_GUESSED,
    NETWORK_GUESS_SECONDS,
    NETWORK_GUESSES,
    STRANGE_GUESS_SECONDS,
    STRANGE_GUESSES,
)
from tests.support.tasks import run_all

HOUR = 3600.0
HOME, ELSEWHERE = True, False


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def guess_for(guesses: Guesses, clock: Clock, seconds: float, account: str, network: str) -> int:
    """How many guesses somebody gets who asks ten times a second."""
    end, count = clock.now + seconds, 0
    while clock.now < end:
        count += not guesses.begin(account, network, ELSEWHERE)
        clock.now += 0.1
    return count


def test_some_at_once_then_slowly(clock: Clock) -> None:
    """GUESSES come at once, then one each GUESS_SECONDS; the wait is told exactly."""
    guesses = Guesses(clock)
    assert [guesses.begin("ann", "a", ELSEWHERE) for _ in range(GUESSES)] == [0.0] * GUESSES
    wait = guesses.begin("ann", "a", ELSEWHERE)
    assert wait == GUESS_SECONDS
    clock.now += wait - 0.5
    assert guesses.begin("ann", "a", ELSEWHERE) == 0.5
    clock.now += 0.5
    assert guesses.begin("ann", "a", ELSEWHERE) == 0.0
    assert guesses.begin("ann", "a", ELSEWHERE) == GUESS_SECONDS


def test_an_hour_of_guessing(clock: Clock) -> None:
    """One network gets some sixty guesses at one account in an hour."""
    count = guess_for(Guesses(clock), clock, HOUR, "ann", "a")
    assert count <= GUESSES + HOUR / GUESS_SECONDS + 1


def test_the_right_password_begins_anew(clock: Clock) -> None:
    """Who mistyped and then was right has all tries again, also in the counts over all."""
    guesses = Guesses(clock)
    for _ in range(GUESSES - 1):
        guesses.begin("ann", "a", ELSEWHERE)
    assert guesses.begin("ann", "a", ELSEWHERE) == 0.0
    guesses.right("ann", "a", ELSEWHERE)
    assert guesses.begin("ann", "a", ELSEWHERE) == 0.0


def test_right_passwords_are_no_guesses(clock: Clock) -> None:
    """A class behind one address may log in as often as it likes."""
    guesses = Guesses(clock)
    for number in range(1000):
        assert guesses.begin(f"pupil{number % 60}", "school", ELSEWHERE) == 0.0
        guesses.right(f"pupil{number % 60}", "school", ELSEWHERE)
    assert len(guesses) == 0


def test_an_owner_at_home_is_not_locked_out(clock: Clock) -> None:
    """Whatever networks guess, one that the account was used from before has its own count."""
    guesses = Guesses(clock)
    for number in range(2000):
        guesses.begin("ann", f"evil{number}", ELSEWHERE)
    assert guesses.begin("ann", "new place", ELSEWHERE) > 0.0
    assert [guesses.begin("ann", "home", HOME) for _ in range(GUESSES)] == [0.0] * GUESSES
    assert guesses.begin("ann", "home", HOME) > 0.0


def test_a_neighbour_who_guesses_other_names_locks_nobody_out(clock: Clock) -> None:
    """The count of a whole network does not count for an account that was used from there before."""
    guesses = Guesses(clock)
    for number in range(500):
        guesses.begin(f"name{number}", "school", ELSEWHERE)
    assert guesses.begin("dora", "school", ELSEWHERE) > 0.0
    assert guesses.begin("dora", "school", HOME) == 0.0


def test_one_password_for_every_name(clock: Clock) -> None:
    """A network that tries each name once is slow, too."""
    guesses = Guesses(clock)
    allowed = sum(not guesses.begin(f"name{number}", "a", ELSEWHERE) for number in range(1000))
    assert allowed == NETWORK_GUESSES
    assert guesses.begin("name", "a", ELSEWHERE) == NETWORK_GUESS_SECONDS


def test_thousands_of_networks_for_one_account(clock: Clock) -> None:
    """All strange networks together are as slow as a few."""
    guesses, count = Guesses(clock), 0
    for number in range(36_000):
        count += not guesses.begin("ann", f"evil{number}", ELSEWHERE)
        clock.now += 0.1
    assert count <= STRANGE_GUESSES + HOUR / STRANGE_GUESS_SECONDS + 1


def test_the_servers_password(clock: Clock) -> None:
    """Only the network counts: however many guess elsewhere, they keep out nobody; who knows it does not get
    more guesses at accounts by that."""
    guesses = Guesses(clock)
    for number in range(1000):
        assert not guesses.begin("", f"network {number % 100}", False)
    assert not guesses.begin("", "home", False)
    guesses.right("", "home", False)
    for _ in range(NETWORK_GUESSES):
        assert not guesses.begin("", "home", False)
    assert guesses.begin("", "home", False)
    guesses.right("", "home", False)
    assert not guesses.begin("", "home", False) and guesses.begin("dora", "home", False)


def test_a_refused_guess_costs_nothing(clock: Clock) -> None:
    """Who asks too often is not made to wait for longer, and nothing is remembered of it."""
    guesses = Guesses(clock)
    for _ in range(1000):
        guesses.begin("ann", "a", ELSEWHERE)
    remembered = len(guesses)
    assert guesses.begin("ann", "a", ELSEWHERE) == GUESS_SECONDS
    assert len(guesses) == remembered == 3


def test_a_guess_that_nobody_looked_at_is_given_back(clock: Clock) -> None:
    guesses = Guesses(clock)
    for _ in range(100):
        assert guesses.begin("ann", "a", ELSEWHERE) == 0.0
        guesses.undo("ann", "a", ELSEWHERE)


def test_the_memory_is_bounded(clock: Clock) -> None:
    """Not more than MAX_GUESSED are remembered; the one that is full soonest is forgotten first."""
    guesses = Guesses(clock)
    for _ in range(GUESSES):
        guesses.begin("ann", "home", HOME)
    for number in range(MAX_GUESSED):
        if number % 100 == 0:
            assert guesses.begin("ann", "home", HOME) > 0.0
        guesses.begin(f"name{number}", "home", HOME)
    assert len(guesses) <= MAX_GUESSED
    assert guesses.begin("name9999", "home", HOME) == 0.0


def test_guessing_other_names_pushes_nothing_out(clock: Clock) -> None:
    """However many other names are guessed meanwhile, and from where, the guesses for a name stay counted."""
    guesses = Guesses(clock)
    for number in range(STRANGE_GUESSES):
        assert guesses.begin("ann", f"evil{number}", ELSEWHERE) == 0.0
    for number in range(MAX_GUESSED):
        guesses.begin(f"name{number}", f"evil{number % 1000}", ELSEWHERE)
        clock.now += 0.005
    assert guesses.begin("ann", "new place", ELSEWHERE) > 0.0
    assert len(guesses) <= MAX_GUESSED


def test_what_is_over_is_forgotten(clock: Clock) -> None:
    """A bucket that is given back whole takes no memory."""
    guesses = Guesses(clock)
    guesses.begin("ann", "a", ELSEWHERE)
    guesses.right("ann", "a", ELSEWHERE)
    assert len(guesses) == 0


@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.sampled_from("xyz"),
            st.booleans(),
            st.sampled_from(["wrong", "right", "undo"]),
            st.floats(0, 30),
        ),
        max_size=120,
    )
)
def test_no_pair_is_faster_than_its_rate(moves: list[tuple[str, str, bool, str, float]]) -> None:
    """Whatever mixture comes, no pair that is never right has more wrong guesses than its bucket allows."""
    clock = Clock()
    guesses, began = Guesses(clock), clock.now
    wrong: Counter[tuple[str, str]] = Counter()
    right: set[tuple[str, str]] = set()
    for account, network, known, result, pause in moves:
        clock.now += pause
        wait = guesses.begin(account, network, known)
        assert wait >= 0.0
        if wait:
            continue
        if result == "wrong":
            wrong[account, network] += 1
        elif result == "right":
            right.add((account, network))
            guesses.right(account, network, known)
        else:
            guesses.undo(account, network, known)
    allowed = GUESSES + (clock.now - began) / GUESS_SECONDS
    assert all(count <= allowed for pair, count in wrong.items() if pair not in right)


def test_many_threads_get_no_more_than_one() -> None:
    """Guesses at the same moment do not slip through together."""
    guesses = Guesses(Clock())
    allowed: list[int] = []
    run_all(*[lambda: allowed.append(sum(not guesses.begin("ann", "a", ELSEWHERE) for _ in range(50)))] * 8)
    assert sum(allowed) == GUESSES
