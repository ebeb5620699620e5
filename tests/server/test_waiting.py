"""The ports of the range: shared between the addresses that want one."""

from __future__ import annotations

import socket
from contextlib import AbstractContextManager
from queue import Queue

import pytest

from chatroom.deadline import Deadline
from chatroom.errors import Closed
from server.crowd import Crowd, Visit
from server.limits import PORT_SECONDS
from server.ports import Ports
from server.quotas import Quotas
from server.waiting import WaitingPorts
from tests.server.fakes import Clock
from tests.support.patience import PATIENCE
from tests.support.tasks import Task

HOST = (socket.AF_INET, ("127.0.0.1", 0))


class Range:
    """A range of two ports, and a crowd in which holders are told to give theirs up."""

    def __init__(self) -> None:
        self.low = _two_free_ports()
        self.clock = Clock()
        self.crowd = Crowd(Quotas(100))
        self.ports = WaitingPorts(Ports(self.low, self.low + 1), self.crowd, self.clock)
        self.told: Queue[str] = Queue()

    def visit(self, network: str, name: str = "") -> Visit:
        visit = Visit(network, lambda: self.told.put(name or network))
        self.crowd.enter(visit)
        return visit

    def hold(self, visit: Visit, seconds: float = PATIENCE) -> AbstractContextManager[socket.socket]:
        return self.ports.listen(HOST, visit, Deadline(seconds))

    def take(self, network: str, seconds: float = PATIENCE) -> int:
        """Wait for a port, use it, and give it back; its number."""
        with self.hold(self.visit(network), seconds) as listener, listener:
            return int(listener.getsockname()[1])


def _two_free_ports() -> int:
    """The lower one of two."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as server:
            low = int(server.getsockname()[1])
            try:
                socket.create_server(("127.0.0.1", low + 1)).close()
            except OSError:
                continue
        return low


@pytest.fixture
def there() -> Range:
    return Range()


def test_an_address_that_has_more_gives_one_up_at_once(there: Range) -> None:
    """When one address has all ports, another one gets the port that was held for the longest time."""
    longest, other = there.visit("a", "longest"), there.visit("a", "other")
    with there.hold(longest) as listener, there.hold(other) as kept, kept:
        waiting = Task(lambda: there.take("b"))
        assert there.told.get(timeout=PATIENCE) == "longest"
        assert there.crowd.settle(longest) is not None
        listener.close()
    assert waiting.result() in (there.low, there.low + 1)


def kept_number(there: Range, number: int) -> int:
    """The other port of the range."""
    return 2 * there.low + 1 - number


def test_within_one_address_only_who_does_not_come(there: Range) -> None:
    """An address that has all ports waits until one is given back, or was held in vain for PORT_SECONDS."""
    first, second = there.hold(there.visit("a", "first")), there.hold(there.visit("a", "second"))
    with first as one, one:
        with second as two, two:
            waiting = Task(lambda: there.take("a"))
            two.close()
        assert waiting.result() == kept_number(there, one.getsockname()[1])
        assert there.told.empty()
        with there.hold(there.visit("a", "third")) as three, three:
            there.clock.now += PORT_SECONDS
            waiting = Task(lambda: there.take("a"))
            assert there.told.get(timeout=PATIENCE) == "first"
            three.close()
    assert waiting.result()


def test_ports_of_another_program(there: Range) -> None:
    """Nobody waits for ports that no newcomer has."""
    with (
        socket.create_server(("127.0.0.1", there.low)),
        socket.create_server(("127.0.0.1", there.low + 1)),
        pytest.raises(OSError, match="is free"),
    ):
        there.take("a")


def test_waiting_ends(there: Range) -> None:
    """A newcomer waits for a port until its deadline, or until the server ends."""
    with there.hold(there.visit("a")) as one, one, there.hold(there.visit("a")) as two, two:
        with pytest.raises(OSError, match="is free"):
            there.take("a", 0.01)
        waiting = Task(lambda: there.take("a"))
        there.ports.close()
        with pytest.raises(Closed):
            waiting.result()
