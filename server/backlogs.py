"""What waits in all send buffers together, and whose connection ends when that is too much."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Generic, TypeVar

from server.limits import ALL_OWN_BYTES, ALL_SHARED_BYTES, PIECE_BYTES, REFERENCE_BYTES

H = TypeVar("H")


class Backlogs(Generic[H]):
    """Counts bytes of memory. Holders (streams) report the changes of their buffers, in any order.

    A piece that several buffers refer to is counted once. When the sum is too large, the holder with most of
    it must go: of the pieces that it shares with nobody, or of the shared ones. So a reader that is only slow
    does not pay for those that fill the memory with answers.

    own_limit, shared_limit: bytes in all buffers together
    """

    def __init__(self, own_limit: int = ALL_OWN_BYTES, shared_limit: int = ALL_SHARED_BYTES) -> None:
        self._own_limit = own_limit
        self._shared_limit = shared_limit
        # Guards every field below.
        self._lock = threading.Lock()
        self._own = _Sums[H]()
        self._shared = _Sums[H]()  # of each holder, as if it shared nothing
        self._references: dict[int, int] = {}  # by id() of a piece: how many buffers refer to it
        self._distinct = 0

    @property
    def own(self) -> int:
        """Bytes of the pieces that are in one buffer only."""
        with self._lock:
            return self._own.sum

    @property
    def shared(self) -> int:
        """Bytes of the shared pieces, each counted once, and of the references to them."""
        with self._lock:
            return self._distinct

    def change(
        self, holder: H, own: int = 0, added: Iterable[bytes] = (), gone: Iterable[bytes] = ()
    ) -> None:
        """Note that a buffer has changed.

        own:         by how many bytes the pieces that it shares with nobody have grown
        added, gone: shared pieces that have come into the buffer and have left it. The caller refers to them
                     during the call, so that no other piece has the same id()
        """
        with self._lock:
            self._own.add(holder, own)
            for piece in added:
                self._refer(holder, piece, 1)
            for piece in gone:
                self._refer(holder, piece, -1)

    def too_much_for(self) -> H | None:
        """The holder that must go now; None while all buffers together are within the limits."""
        with self._lock:
            if self._own.sum > self._own_limit:
                return self._own.largest()
            if self._distinct > self._shared_limit:
                return self._shared.largest()
            return None

    def _refer(self, holder: H, piece: bytes, change: int) -> None:
        """Requires holding _lock.

        One thread may report that a piece has left before another one reports that it had come.
        """
        before = self._references.get(id(piece), 0)
        after = before + change
        if after:
            self._references[id(piece)] = after
        else:
            self._references.pop(id(piece), None)
        size = len(piece) + PIECE_BYTES
        self._distinct += change * REFERENCE_BYTES + size * ((after > 0) - (before > 0))
        self._shared.add(holder, change * (size + REFERENCE_BYTES))


class _Sums(Generic[H]):
    """A number for each holder, and their sum. Zeros are not kept."""

    def __init__(self) -> None:
        self.sum = 0
        self._of_each: dict[H, int] = {}

    def add(self, holder: H, change: int) -> None:
        if change:
            self.sum += change
            self._of_each[holder] = self._of_each.get(holder, 0) + change
            if not self._of_each[holder]:
                del self._of_each[holder]

    def largest(self) -> H | None:
        return max(self._of_each, key=self._of_each.__getitem__, default=None)
