"""What waits in all send buffers together, and whose connection ends when that is too much."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

from server.limits import ALL_OWN_BYTES, ALL_SHARED_BYTES, PIECE_BYTES, REFERENCE_BYTES


class Holder(Protocol):
    """Who has a send buffer: a stream."""

    @property
    def network(self) -> str:
        """Of its peer's address."""


H = TypeVar("H", bound=Holder)
K = TypeVar("K")


class Backlogs(Generic[H]):
    """Counts bytes of memory. Holders (streams) report the changes of their buffers, in any order.

    A piece that several buffers refer to is counted once. When the sum is too large, one holder must go: of
    the network that has the most, the one that has the most. The pieces that a holder shares with nobody are
    one sum, the shared ones another: a reader that is only slow does not pay for those that fill the memory
    with answers. For a network, too, a shared piece counts once: nor does a class behind one address pay.

    own_limit, shared_limit: bytes in all buffers together
    """

    def __init__(self, own_limit: int = ALL_OWN_BYTES, shared_limit: int = ALL_SHARED_BYTES) -> None:
        self._own_limit = own_limit
        self._shared_limit = shared_limit
        # Guards every field below.
        self._lock = threading.Lock()
        self._own, self._shared = 0, 0
        self._own_of = _Sums[H]()
        self._shared_of = _Sums[H]()  # of each holder, as if it shared nothing
        self._given_up = 0
        self._references: dict[int, int] = {}  # by id() of a piece: how many buffers refer to it
        self._references_of: dict[tuple[str, int], int] = {}  # the same for each network

    @property
    def own(self) -> int:
        """Bytes of the pieces that are in one buffer only."""
        with self._lock:
            return self._own

    @property
    def shared(self) -> int:
        """Bytes of the shared pieces, each counted once, and of the references to them."""
        with self._lock:
            return self._shared

    @property
    def given_up(self) -> int:
        """How many holders had to go so far, because they did not read."""
        with self._lock:
            return self._given_up

    def give_up(self) -> None:
        """Count a holder that has to go."""
        with self._lock:
            self._given_up += 1

    def change(
        self, holder: H, own: int = 0, added: Iterable[bytes] = (), gone: Iterable[bytes] = ()
    ) -> None:
        """Note that a buffer has changed.

        own:         by how many bytes the pieces that it shares with nobody have grown
        added, gone: shared pieces that have come into the buffer and have left it. The caller refers to them
                     during the call, so that no other piece has the same id()
        """
        with self._lock:
            self._own += own
            self._own_of.add(holder, own, own)
            for piece in added:
                self._refer(holder, piece, 1)
            for piece in gone:
                self._refer(holder, piece, -1)

    def too_much_for(self) -> H | None:
        """The holder that must go now; None while all buffers together are within the limits."""
        with self._lock:
            if self._own > self._own_limit:
                return self._own_of.largest()
            if self._shared > self._shared_limit:
                return self._shared_of.largest()
            return None

    def _refer(self, holder: H, piece: bytes, change: int) -> None:
        """Requires holding _lock.

        One thread may report that a piece has left before another one reports that it had come.
        """
        size, references = len(piece) + PIECE_BYTES, change * REFERENCE_BYTES
        self._shared += references + size * _count(self._references, id(piece), change)
        once = size * _count(self._references_of, (holder.network, id(piece)), change)
        self._shared_of.add(holder, change * size + references, once + references)


def _count(references: dict[K, int], key: K, change: int) -> int:
    """Count references; 1 if these are the first, -1 if these were the last, else 0. Zeros are not kept."""
    before = references.get(key, 0)
    after = before + change
    if after:
        references[key] = after
    else:
        references.pop(key, None)
    return (after > 0) - (before > 0)


class _Sums(Generic[H]):
    """A number for each holder, and one for each network. Zeros are not kept."""

    def __init__(self) -> None:
        self._of_networks: dict[str, int] = {}
        self._of_holders: dict[str, dict[H, int]] = {}  # by network

    def add(self, holder: H, change: int, change_of_network: int) -> None:
        network = holder.network
        _count(self._of_networks, network, change_of_network)
        holders = self._of_holders.setdefault(network, {})
        _count(holders, holder, change)
        if not holders:
            del self._of_holders[network]

    def largest(self) -> H | None:
        """Of the network with the most, the holder with the most."""
        network = max(self._of_networks, key=self._of_networks.__getitem__, default="")
        holders = self._of_holders.get(network, {})
        return max(holders, key=holders.__getitem__, default=None)
