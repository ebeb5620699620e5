"""How often somebody may guess a password: slowed, and yet nobody locks an owner out.

Each bucket leaks: a guess costs some seconds, so many guesses may come at once, and then one each so many
seconds. The right password gives its guess back. Three kinds of buckets count:

- a pair of account and network, always. From a network that the account was used from before it is the only
  one: whatever others do elsewhere, the owner at home can log in.
- a network: one password, tried with every name, is slow, too.
- an account, over all networks that it was never used from: thousands of machines guess no faster than one.

The server's password is no account's: only the network counts. Else strangers could keep out all others.

An account that does not exist is counted like one that does, so nobody learns here which there are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from time import monotonic
from typing import NamedTuple

from chatroom.limits import (
    GUESS_SECONDS,
    GUESSES,
    MAX_GUESSED,
    NETWORK_GUESS_SECONDS,
    NETWORK_GUESSES,
    STRANGE_GUESS_SECONDS,
    STRANGE_GUESSES,
)


class _Rate(NamedTuple):
    """guesses: at once. seconds: then one more after so many."""

    guesses: int
    seconds: float


_PAIR = _Rate(GUESSES, GUESS_SECONDS)
_NETWORK = _Rate(NETWORK_GUESSES, NETWORK_GUESS_SECONDS)
_STRANGE = _Rate(STRANGE_GUESSES, STRANGE_GUESS_SECONDS)

_Bucket = tuple[str, str]
"""Account and network; "" for all of them. A name_key is never empty, nor is a network."""


class Guesses:
    """Counts guesses. Any thread. clock: seconds that only rise."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        # Guards _full_at and _soonest.
        self._lock = threading.Lock()
        self._full_at: dict[_Bucket, float] = {}  # when each bucket is full again
        self._soonest: list[tuple[float, _Bucket]] = []  # a heap of the same; some entries are out of date

    def __len__(self) -> int:
        with self._lock:
            return len(self._full_at)

    def begin(self, account: str, network: str, known: bool) -> float:
        """Count a guess, before its password is looked at: so many at once do not slip through.

        account: its key; "": the server's password
        known:   whether the account was used from this network before
        Returns 0, or the seconds until the next guess is allowed; then this one does not count.
        """
        buckets = _buckets(account, network, known)
        now = self._clock()
        with self._lock:
            wait = max(self._wait(bucket, rate, now) for bucket, rate in buckets)
            if wait:
                return wait
            for bucket, rate in buckets:
                self._move(bucket, rate.seconds, now)
            self._bound()
        return 0.0

    def _bound(self) -> None:
        """Forget the buckets that are full soonest: who guesses one name pushes out nothing with others.

        Requires holding _lock.
        """
        while len(self._full_at) > MAX_GUESSED:
            full_at, bucket = heappop(self._soonest)
            if self._full_at.get(bucket) == full_at:
                del self._full_at[bucket]
        if len(self._soonest) > 2 * MAX_GUESSED + len(self._full_at):
            self._soonest = [(full_at, bucket) for bucket, full_at in self._full_at.items()]
            heapify(self._soonest)

    def right(self, account: str, network: str, known: bool) -> None:
        """The guess was right: it does not count, and the pair begins anew."""
        with self._lock:
            self._give_back(account, network, known)
            if account:
                self._full_at.pop((account, network), None)

    def undo(self, account: str, network: str, known: bool) -> None:
        """Nobody has looked at the guess: it does not count."""
        with self._lock:
            self._give_back(account, network, known)

    def _give_back(self, account: str, network: str, known: bool) -> None:
        """Requires holding _lock."""
        now = self._clock()
        for bucket, rate in _buckets(account, network, known):
            if bucket in self._full_at:  # else it was full, or forgotten
                self._move(bucket, -rate.seconds, now)

    def _wait(self, bucket: _Bucket, rate: _Rate, now: float) -> float:
        """Requires holding _lock."""
        full_at = self._full_at.get(bucket, now)
        return max(0.0, full_at - now - (rate.guesses - 1) * rate.seconds)

    def _move(self, bucket: _Bucket, seconds: float, now: float) -> None:
        """Take from a bucket, or give back. Requires holding _lock."""
        assert self._lock.locked()
        full_at = max(now, self._full_at.pop(bucket, now)) + seconds
        if full_at > now:
            self._full_at[bucket] = full_at
            heappush(self._soonest, (full_at, bucket))


def _buckets(account: str, network: str, known: bool) -> list[tuple[_Bucket, _Rate]]:
    if not account:
        return [(("", network), _NETWORK)]
    pair = ((account, network), _PAIR)
    return [pair] if known else [pair, (("", network), _NETWORK), ((account, ""), _STRANGE)]
