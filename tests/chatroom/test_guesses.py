"""Guesses: slowed for whoever guesses, and for nobody else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatroom.guesses import Guesses
from chatroom.limits import (
    GUESS_SECONDS,
    GUESSES,
    MAX_GUESSED,
    MAX_ROOMS,
    NETWORK_GUESS_SECONDS,
    NETWORK_GUESSES,
    ROOM_GUESS_SECONDS,
    ROOM_GUESSES,
    ROOM_SECONDS,
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
    """How many guesses at an account somebody gets who asks ten times a second."""
    return count_for(clock, seconds, lambda: not guesses.begin(account, network, ELSEWHERE))


def count_for(clock: Clock, seconds: float, succeeds: Callable[[], bool]) -> int:
    """How often it succeeds, ten times a second."""
    end, count = clock.now + seconds, 0
    while clock.now < end:
        count += succeeds()
        clock.now += 0.1
    return count


def guess_the_server(guesses: Guesses, network: str) -> int:
    """How many wrong passwords of the server are looked at, at one moment."""
    return sum(not guesses.server(network, False) for _ in range(1000))


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
    """Only the network counts: however many guess elsewhere, they keep out nobody. A network that has not
    shown it lately is slow, whatever comes then, right or wrong."""
    guesses = Guesses(clock)
    for number in range(1000):
        assert not guesses.server(f"network {number % 100}", False)
    assert not guesses.server("home", True)
    for _ in range(NETWORK_GUESSES):
        assert not guesses.server("elsewhere", False)
    assert guesses.server("elsewhere", False) == guesses.server("elsewhere", True) == NETWORK_GUESS_SECONDS
    assert (
        count_for(clock, HOUR, lambda: not guesses.server("elsewhere", False))
        <= 1 + HOUR / NETWORK_GUESS_SECONDS
    )


def test_a_pupil_who_tries_passwords_keeps_nobody_out_of_the_room(clock: Clock) -> None:
    """Where the right one was shown within a week, five who each try twice a second are not noticed, nor is a
    class that mistypes at once. A script without a pause is slow, and only while it runs."""
    guesses = Guesses(clock)
    assert not guesses.server("school", True)
    clock.now += ROOM_SECONDS / 2
    for _ in range(ROOM_GUESSES - 1):
        assert not guesses.server("school", False)
    assert not guesses.server("school", True)
    for _ in range(600):
        clock.now += 0.5
        assert not any(guesses.server("school", False) for _ in range(5))
        assert not guesses.server("school", True)
    for _ in range(1000):
        guesses.server("school", False)
    assert guesses.server("school", True) == pytest.approx(ROOM_GUESS_SECONDS)
    clock.now += 2 * ROOM_GUESS_SECONDS
    assert not guesses.server("school", True)


def test_a_room_is_one_for_a_week(clock: Clock) -> None:
    """After the latest right password; then the network is as slow as others until it comes again."""
    guesses = Guesses(clock)
    assert not guesses.server("school", True)
    clock.now += ROOM_SECONDS - 1
    assert guess_the_server(guesses, "school") == ROOM_GUESSES
    clock.now += 3
    assert not guesses.server("school", True), "it had no wrong one as a stranger"
    clock.now += ROOM_SECONDS + 1
    for _ in range(2):
        assert guess_the_server(guesses, "school") == NETWORK_GUESSES
        clock.now += NETWORK_GUESSES * NETWORK_GUESS_SECONDS


def test_a_room_gets_no_more_guesses_at_accounts(clock: Clock) -> None:
    """Nor do wrong passwords of accounts keep the room from the server: the counts are apart."""
    guesses = Guesses(clock)
    assert not guesses.server("school", True)
    for number in range(NETWORK_GUESSES):
        assert not guesses.begin(f"name{number}", "school", ELSEWHERE)
    assert guesses.begin("dora", "school", ELSEWHERE) and not guesses.server("school", False)
    assert not guesses.server("school", True) and guesses.begin("dora", "school", ELSEWHERE)


def test_rooms_are_bounded(clock: Clock) -> None:
    """The one that has shown the password longest ago is a stranger again."""
    guesses = Guesses(clock)
    for number in range(MAX_ROOMS):
        guesses.server(f"room {number}", True)
    guesses.server("room 0", True)
    guesses.server("one more", True)
    assert len(guesses._rooms) == MAX_ROOMS
    assert "room 0" in guesses._rooms and "room 1" not in guesses._rooms


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
