"""How often somebody may guess a password: slowed, and yet nobody locks an owner out.

Each bucket leaks: a guess costs some seconds, so many guesses may come at once, and then one each so many
seconds. The right password gives its guess back. Three kinds of buckets count:

- a pair of account and network, always. From a network that the account was used from before it is the only
  one: whatever others do elsewhere, the owner at home can log in.
- a network: one password, tried with every name, is slow, too.
- an account, over all networks that it was never used from: thousands of machines guess no faster than one.

The server's password is no account's: only the network counts. Else strangers could keep out all others. A
network that has shown the right one lately is a room of people who know it, and has a faster bucket of its
own for it: else one pupil who tries wrong ones would keep out a whole school.

An account that does not exist is counted like one that does, so nobody learns here which there are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import islice
from time import monotonic
from typing import Final, NamedTuple

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


class _Rate(NamedTuple):
    """guesses: at once. seconds: then one more after so many."""

    guesses: int
    seconds: float


_PAIR = _Rate(GUESSES, GUESS_SECONDS)
_NETWORK = _Rate(NETWORK_GUESSES, NETWORK_GUESS_SECONDS)
_STRANGE = _Rate(STRANGE_GUESSES, STRANGE_GUESS_SECONDS)
_ROOM = _Rate(ROOM_GUESSES, ROOM_GUESS_SECONDS)

_Bucket = tuple[str, str]
"""Account and network; "" for all of them. A name_key is never empty, nor is a network."""

_SERVER: Final = "*"
"""Stands for an account in the bucket of a room. No name is so."""


class Guesses:
    """Counts guesses. Any thread. clock: seconds that only rise."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        # Guards _full_at, _soonest and _rooms.
        self._lock = threading.Lock()
        self._full_at: dict[_Bucket, float] = {}  # when each bucket is full again
        self._soonest: list[tuple[float, _Bucket]] = []  # a heap of the same; some entries are out of date
        self._rooms: dict[str, float] = {}  # networks: when each has shown the server's password, latest last

    def __len__(self) -> int:
        with self._lock:
            return len(self._full_at)

    def begin(self, account: str, network: str, known: bool) -> float:
        """Count a guess, before its password is looked at: so many at once do not slip through.

        account: its key
        known:   whether the account was used from this network before
        Returns 0, or the seconds until the next guess is allowed; then this one does not count.
        """
        buckets = _buckets(account, network, known)
        now = self._clock()
        with self._lock:
            return self._take(buckets, now)

    def server(self, network: str, is_right: bool) -> float:
        """Count a guess of the server's password, if it is wrong. Returns as `begin`."""
        now = self._clock()
        with self._lock:
            is_room = now < self._rooms.get(network, -ROOM_SECONDS) + ROOM_SECONDS
            bucket, rate = ((_SERVER, network), _ROOM) if is_room else (("", network), _NETWORK)
            if not is_right:
                return self._take([(bucket, rate)], now)
            wait = self._wait(bucket, rate, now)
            if not wait:
                self._rooms.pop(network, None)
                self._rooms[network] = now
                for oldest in list(islice(self._rooms, max(0, len(self._rooms) - MAX_ROOMS))):
                    del self._rooms[oldest]
            return wait

    def _take(self, buckets: list[tuple[_Bucket, _Rate]], now: float) -> float:
        """Count a guess in all of them, or in none. Returns as `begin`. Requires holding _lock."""
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
    pair = ((account, network), _PAIR)
    return [pair] if known else [pair, (("", network), _NETWORK), ((account, ""), _STRANGE)]
