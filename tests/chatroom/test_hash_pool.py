"""The hash pool: so many at a time, and no network can make the others wait for long."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatroom.errors import ChatroomError, Closed, Refused
from chatroom.hash_pool import HashPool, _Favours
from chatroom.limits import FAVOUR_SECONDS, FAVOURS, HASHES_AT_ONCE, NETWORK_HASHES
from chatroom.outcomes import Code
from tests.support.patience import PATIENCE, eventually
from tests.support.tasks import Task, run_all

HOME, ELSEWHERE = True, False


@contextmanager
def held(pool: HashPool, at_once: int = 1) -> Iterator[None]:
    """The turns of the pool are taken until the block ends."""
    go, begun = threading.Event(), threading.Semaphore(0)

    def hold() -> None:
        begun.release()
        go.wait(PATIENCE)

    tasks = [Task(partial(pool.run, "first", ELSEWHERE, hold, PATIENCE)) for _ in range(at_once)]
    for _ in tasks:
        assert begun.acquire(timeout=PATIENCE)
    try:
        yield
    finally:
        go.set()
        for task in tasks:
            task.result()


def served(comers: Sequence[tuple[str, bool]]) -> list[str]:
    """The networks in the order of their turns, when all come while the only turn is taken."""
    pool, order = HashPool(1), list[str]()
    tasks = []
    with held(pool):
        for number, (network, known) in enumerate(comers, 1):
            hash = partial(order.append, network)
            tasks.append(Task(partial(pool.run, network, known, hash, PATIENCE)))
            eventually(lambda: pool.waiting == number, "it does not wait")  # noqa: B023
    for task in tasks:
        task.result()
    return order


def test_it_returns_what_the_function_returns() -> None:
    assert HashPool().run("a", ELSEWHERE, lambda: 7, 0.0) == 7


def test_an_error_of_the_function_gives_the_turn_back() -> None:
    pool = HashPool(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            pool.run("a", ELSEWHERE, lambda: 1 // 0, PATIENCE)


def test_never_more_than_two_at_a_time() -> None:
    """Twenty threads of four networks: at no moment more than HASHES_AT_ONCE hash, and all get their turn."""
    pool, lock = HashPool(), threading.Lock()
    now, most, count = [0], [0], [0]
    pause = threading.Event()

    def hash() -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        pause.wait(0.001)
        with lock:
            now[0] -= 1
            count[0] += 1

    run_all(*[partial(pool.run, f"n{number % 4}", number % 2 == 0, hash, PATIENCE) for number in range(20)])
    assert (most[0], count[0]) == (HASHES_AT_ONCE, 20)


def test_a_network_waits_only_behind_its_own() -> None:
    """Of a network with many hashes one is computed, then one of each other network."""
    comers = [(network, ELSEWHERE) for network in ("evil", "evil", "evil", "evil", "ann", "bob")]
    assert served(comers) == ["evil", "ann", "bob", "evil", "evil", "evil"]


def test_a_known_network_waits_for_one_hash_of_strangers() -> None:
    """However many networks flood: where the account was used before, a login has every other turn."""
    order = served([*((f"evil{number}", ELSEWHERE) for number in range(10)), ("home", HOME), ("work", HOME)])
    assert order.index("home") <= 1 and order.index("work") <= 3


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=14).filter(
        lambda comers: all(comers.count((network, HOME)) <= FAVOURS for network in "abcd")
    )
)
def test_the_turns_go_round(comers: list[tuple[str, bool]]) -> None:
    """In each line: the first of every network, then the second of every network; and the lines alternate."""
    lines = [in_rounds([network for network, one in comers if one is known]) for known in (HOME, ELSEWHERE)]
    expected = []
    while any(lines):
        expected += [line.pop(0) for line in lines if line]
    assert served(comers) == expected


def in_rounds(networks: list[str]) -> list[str]:
    """One of each network in the order of coming, then the next of each."""
    seen: Counter[str] = Counter()
    first = list(dict.fromkeys(networks))
    places = []
    for network in networks:
        places.append((seen[network], first.index(network), network))
        seen[network] += 1
    return [network for _, _, network in sorted(places)]


def test_too_many_of_one_network_are_refused() -> None:
    """NETWORK_HASHES wait, the next one is told to slow down; another network still gets in."""
    pool = HashPool(1, most=2)
    with held(pool):
        tasks = [Task(partial(pool.run, "evil", ELSEWHERE, int, PATIENCE)) for _ in range(2)]
        eventually(lambda: pool.waiting == 2, "they do not wait")
        with pytest.raises(Refused) as refused:
            pool.run("evil", ELSEWHERE, int, PATIENCE)
        assert refused.value.code == Code.SLOW_DOWN
        other = Task(partial(pool.run, "ann", ELSEWHERE, int, PATIENCE))
        eventually(lambda: pool.waiting == 3, "another network is refused")
    for task in (*tasks, other):
        assert task.result() == 0
    assert NETWORK_HASHES >= 60


def test_who_floods_with_an_account_of_his_own_waits_with_the_others() -> None:
    """Of one network FAVOURS may go before strangers, and one more after FAVOUR_SECONDS."""
    now = [1000.0]
    pool, order = HashPool(1, clock=lambda: now[0]), list[str]()
    for _ in range(FAVOURS):
        pool.run("evil", HOME, lambda: None, PATIENCE)
    tasks = []
    with held(pool):
        for number, (network, known) in enumerate((("a", ELSEWHERE), ("evil", HOME), ("home", HOME)), 1):
            tasks.append(Task(partial(pool.run, network, known, partial(order.append, network), PATIENCE)))
            eventually(lambda: pool.waiting == number, "it does not wait")  # noqa: B023
    for task in tasks:
        task.result()
    assert order.index("home") < order.index("evil")
    favours = _Favours()
    taken = [favours.take("evil", now[0]) for _ in range(FAVOURS + 1)]
    assert taken == [True] * FAVOURS + [False] and favours.take("home", now[0])
    assert [favours.take("evil", now[0] + FAVOUR_SECONDS) for _ in range(2)] == [True, False]


def test_the_wait_has_a_deadline() -> None:
    """Who has no turn in time is told to come later, and leaves nothing in line."""
    pool = HashPool(1)
    with held(pool):
        with pytest.raises(Refused) as refused:
            pool.run("ann", ELSEWHERE, int, 0.01)
        assert refused.value.code == Code.SLOW_DOWN
        assert pool.waiting == 0
    assert pool.run("ann", ELSEWHERE, int, PATIENCE) == 0


def test_close_wakes_all_that_wait() -> None:
    pool = HashPool(1)
    with held(pool):
        tasks = [Task(partial(pool.run, f"n{number}", number % 2 == 0, int, PATIENCE)) for number in range(6)]
        eventually(lambda: pool.waiting == 6, "they do not wait")
        pool.close()
        for task in tasks:
            with pytest.raises(Closed):
                task.result()
        assert pool.waiting == 0
    with pytest.raises(Closed):
        pool.run("ann", ELSEWHERE, int, PATIENCE)


def test_a_storm_loses_no_turn() -> None:
    """Deadlines, errors and turns at the same time: in the end the pool is free, and nobody waits."""
    pool = HashPool(2, most=4)

    def storm(number: int) -> None:
        for round in range(40):
            divide = partial(divmod, 1, round % 3)
            try:
                pool.run(f"n{number % 3}", number % 2 == 0, divide, 0.0005 * (round % 4))
            except (ChatroomError, ZeroDivisionError):
                pass

    run_all(*[partial(storm, number) for number in range(8)])
    assert pool.waiting == 0
    with held(pool, 2):
        pass
