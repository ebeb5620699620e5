"""The keeper: it looks after every connection, until it is forgotten."""

from __future__ import annotations

import threading
import time

from server.connection import NativeConnection
from server.keeper import Keeper
from server.limits import GOODBYE_SECONDS
from tests.support.patience import PATIENCE
from tests.support.tasks import Task


class Looked:
    """A connection that counts how often it was looked after."""

    def __init__(self) -> None:
        self.looked = threading.Semaphore(0)
        self.last: tuple[float, float] = (0.0, 0.0)

    def keep_alive(self, now: float, dead_after: float) -> None:
        self.last = (now, dead_after)
        self.looked.release()

    def cut(self, why: str) -> None:
        self.cut_because = why

    def as_connection(self) -> NativeConnection:
        return self  # type: ignore[return-value]


def test_every_connection_is_looked_after() -> None:
    """Each watched connection is asked several times within the time after which it would be dead."""
    keeper, connections = Keeper(0.01), [Looked() for _ in range(5)]
    for connection in connections:
        keeper.watch(connection.as_connection())
    task = Task(keeper.run)
    for connection in connections:
        for _ in range(3):
            assert connection.looked.acquire(timeout=PATIENCE)
        assert connection.last[1] == 0.01
    keeper.stop()
    task.result()


def test_a_forgotten_connection_is_left_alone() -> None:
    """A connection that has ended is not asked any more; forgetting it twice does no harm."""
    keeper, gone, here = Keeper(0.01), Looked(), Looked()
    keeper.watch(gone.as_connection())
    keeper.watch(here.as_connection())
    for _ in range(2):
        keeper.forget(gone.as_connection())
    task = Task(keeper.run)
    for _ in range(3):
        assert here.looked.acquire(timeout=PATIENCE)
    keeper.stop()
    task.result()
    assert not gone.looked.acquire(blocking=False)


def test_a_connection_may_be_forgotten_while_it_is_asked() -> None:
    """A connection that ends because it is asked is forgotten from within, without waiting for anything."""
    keeper = Keeper(0.01)

    class Ending(Looked):
        def keep_alive(self, now: float, dead_after: float) -> None:
            keeper.forget(self.as_connection())
            super().keep_alive(now, dead_after)

    connection = Ending()
    keeper.watch(connection.as_connection())
    task = Task(keeper.run)
    assert connection.looked.acquire(timeout=PATIENCE)
    keeper.stop()
    task.result()


def test_who_does_not_go_is_cut_off_at_the_end() -> None:
    """Those who are told goodbye have GOODBYE_SECONDS to go; then their connections are cut."""
    keeper, stubborn = Keeper(3600.0), Looked()
    keeper.watch(stubborn.as_connection())
    task = Task(keeper.run)
    began = time.monotonic()
    keeper.stop()
    task.result()
    assert stubborn.cut_because
    assert time.monotonic() - began >= GOODBYE_SECONDS


def test_stop_ends_it_at_once() -> None:
    """A keeper whose next round is far away ends when it is told to."""
    keeper = Keeper(3600.0)
    task = Task(keeper.run)
    keeper.stop()
    task.result()
