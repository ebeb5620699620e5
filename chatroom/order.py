"""The order: makes one sequence of what everybody wants to happen.

One server's order is its waiting queue (`chatroom/queue.py`). Several servers would share a log; the rest of
the program would not notice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from chatroom.proposals import Proposal

Task = Callable[[], None]
"""Something for this server's forwarder only, between two rounds: an answer that only reads, going live."""


class Entry(NamedTuple):
    """What one server proposed in one go, with its place in the one order.

    position:  known to the order only; b"" where entries are not kept
    time:      milliseconds since 1970, given by the order
    server:    which server, "" for the only one
    epoch:     which life of that server: it counts the starts
    proposals: in order of arrival; none: a tick, which says that time has passed
    """

    position: bytes
    time: int
    server: str
    epoch: int
    proposals: Sequence[Proposal]


class Taken(NamedTuple):
    """What the forwarder takes for one round. The tasks run after the entries.

    waited: seconds for which the first of the proposals has waited
    """

    entries: Sequence[Entry]
    tasks: Sequence[Task]
    waited: float = 0.0


class Order(Protocol):
    """Makes one order of proposals. Any thread may call put and post; the forwarder calls take."""

    def __len__(self) -> int:
        """How many proposals wait, with each line of a burst."""

    @property
    def idle(self) -> bool:
        """Whether the forwarder waits in take(), and nothing has come for it."""

    def begin(self, identity: bytes, position: bytes, epoch: int) -> int:
        """Go on after `position`, in a new life of this server; its number. Called once, before take().

        identity: of the history, so that an order with a log can see that it is another one
        epoch:    the number that follows that of the latest life in the history. Where entries are kept, a
                  later life may have put some there that the history does not have: then it is greater,
                  because effects of entries of another life are not this server's to carry out
        """

    def put(self, proposal: Proposal, timeout: float | None = None) -> None:
        """Add a proposal; wait in line while there is no room, at most `timeout` seconds.

        Raises Closed, or TimeoutError when there was no room for all of that time.
        """

    def post(self, task: Task) -> None:
        """Let the forwarder run `task` after the next round. Never waits. Raises Closed."""

    def take(self) -> Taken | None:
        """All that waits; waits for the first. A tick is among it once a second. None: closed and empty."""

    def done(self, sent: float, worked: float) -> None:
        """What the latest round cost. What waits shall not cost much more. Called by the forwarder.

        sent:   seconds that passed up to the last send of the batch
        worked: seconds of processor time of the whole round
        """

    def close(self) -> None:
        """Accept no more. What was accepted can still be taken."""
