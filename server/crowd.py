"""Who is connected, by address: so that no address keeps the others out."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from time import monotonic

from chatroom.errors import Closed, Refused
from chatroom.outcomes import Code
from server.limits import BURST_SECONDS, MAX_ADDRESSES, SILENT_SECONDS
from server.quotas import Quotas


class Visit:
    """The stay of one connection: in the handshake a guest, with a seat as soon as it asks for a name.

    All connections of a session have one seat together. So a client comes back whose connection is dead,
    although the server has not noticed yet. No address gets more members by it: a session has one.

    network: the address that it counts for
    hush:  makes its thread stop waiting for the peer; must not block
    Only the Crowd uses the fields behind these, under its lock.
    """

    def __init__(self, network: str, hush: Callable[[], None]) -> None:
        self.network = network
        self.hush: Callable[[], None] | None = hush
        self.heard = 0.0  # when the latest packet came
        self.seat: Seat | None = None
        # Why it must leave. It is not raised: it would know the frames that it came through, and they know
        # the visit. Such a circle waits for the garbage collector.
        self.dismissed: Refused | None = None

    def __repr__(self) -> str:
        return f"<Visit {self.network}{' seated' if self.seat else ''}>"


Seat = Visit | str
"""A seat is that of a session, by key; before the visit has one, its own."""


class Crowd:
    """Counts the visits, refuses those for which there is no room, and makes room for others. Any thread.

    quotas: see `Quotas`
    clock:  gives seconds
    """

    def __init__(self, quotas: Quotas, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        # Guards every field below, and those of the visits: a visit that is out of the crowd is not hushed.
        self._lock = threading.Lock()
        self._quotas = quotas
        self._guests: dict[str, dict[Visit, None]] = {}  # by network; of each the longest silent first
        self._guest_count = 0
        self._seats: Counter[Seat] = Counter()  # how many visits use each
        self._seats_of: dict[str, Counter[Seat]] = {}  # by network: the same of its visits
        self._free_at: dict[str, float] = {}  # when the bucket of a network is full again; latest used last
        self._closed = False

    @property
    def guests(self) -> int:
        """How many are in the middle of the handshake."""
        with self._lock:
            return self._guest_count

    @property
    def seats(self) -> int:
        """How many are members, or about to be."""
        with self._lock:
            return len(self._seats)

    def set_quotas(self, quotas: Quotas) -> None:
        """Let these count from now on. Who is in stays in."""
        with self._lock:
            self._quotas = quotas

    def enter(self, visit: Visit) -> None:
        """Count a new connection in. Raises Refused when there is no room, and Closed.

        When there are too many guests, the one of the busiest address that has been silent for the longest
        time must leave. Among guests of the newcomer's own address only one that was silent for
        SILENT_SECONDS: else too many that work on it would only push out each other.
        """
        with self._lock:
            if self._closed:
                raise Closed("the server is shutting down")
            self._pay(visit.network)
            self._make_room(visit.network)
            visit.heard = self._clock()
            self._guests.setdefault(visit.network, {})[visit] = None
            self._guest_count += 1

    def _pay(self, network: str) -> None:
        """Requires holding _lock. A bucket that leaks: each connection costs 1 / address_rate seconds."""
        now = self._clock()
        free_at = max(now, self._free_at.pop(network, now))
        if free_at > now + BURST_SECONDS:
            self._free_at[network] = free_at
            raise Refused("too many connections from your address: try again in some seconds", Code.SLOW_DOWN)
        self._free_at[network] = free_at + 1 / self._quotas.address_rate
        if len(self._free_at) > MAX_ADDRESSES:
            del self._free_at[next(iter(self._free_at))]

    def _make_room(self, network: str) -> None:
        """Requires holding _lock."""
        own = len(self._guests.get(network, ()))
        if own >= self._quotas.address_guests:
            busiest = network
        elif self._guest_count >= self._quotas.guests:
            busiest = max(self._guests, key=lambda one: len(self._guests[one]))
        else:
            return
        longest = next(iter(self._guests[busiest]))
        working = self._clock() - longest.heard < SILENT_SECONDS
        if working and len(self._guests[busiest]) <= own + 1:
            raise Refused("too many newcomers at once: try again in a moment", Code.SLOW_DOWN)
        self._dismiss(longest, Refused("other newcomers need the place, and you were silent", Code.SLOW_DOWN))

    def dismiss(self, visit: Visit, reason: Refused) -> None:
        """Let the guest leave, and its thread learn why. Does nothing when its handshake is over."""
        with self._lock:
            if visit in self._guests.get(visit.network, ()):
                self._dismiss(visit, reason)

    def _dismiss(self, visit: Visit, reason: Refused) -> None:
        """Requires holding _lock."""
        visit.dismissed = reason
        if visit.hush is not None:
            visit.hush()
        self._settle(visit)

    def hear(self, visit: Visit) -> None:
        """Note that the guest has sent a packet."""
        with self._lock:
            visit.heard = self._clock()
            guests = self._guests.get(visit.network, {})
            if visit in guests:
                del guests[visit]
                guests[visit] = None

    def sit(self, visit: Visit, session: str = "") -> None:
        """Give the guest a member's seat: that of the session; "": it has none yet. It gives up another seat.

        Raises Refused when there is none; then the guest has none.
        """
        seat: Seat = session or visit
        with self._lock:
            self._stand_up(visit)
            here = self._seats_of.get(visit.network, Counter())
            if seat not in self._seats and len(self._seats) >= self._quotas.members:
                raise Refused("the chatroom is full: try again later", Code.FULL)
            if seat not in here and len(here) >= self._quotas.address_members:
                raise Refused("too many members from your address", Code.TOO_MANY)
            visit.seat = seat
            self._seats[seat] += 1
            self._seats_of.setdefault(visit.network, Counter())[seat] += 1

    def _stand_up(self, visit: Visit) -> None:
        """Requires holding _lock."""
        seat, visit.seat = visit.seat, None
        if seat is None:
            return
        here = self._seats_of[visit.network]
        for seats in (self._seats, here):
            seats[seat] -= 1
            if not seats[seat]:
                del seats[seat]
        if not here:
            del self._seats_of[visit.network]

    def reach(self, visit: Visit, hush: Callable[[], None] | None) -> Refused | None:
        """From now on this wakes the visit's thread; None: nothing does. Why it must leave already."""
        with self._lock:
            visit.hush = hush
            return visit.dismissed

    def settle(self, visit: Visit) -> Refused | None:
        """The handshake is over, the seat stays. Returns why the guest had to leave before."""
        with self._lock:
            self._settle(visit)
            return visit.dismissed

    def _settle(self, visit: Visit) -> None:
        """Requires holding _lock."""
        visit.hush = None
        guests = self._guests.get(visit.network, {})
        if visit in guests:
            del guests[visit]
            self._guest_count -= 1
            if not guests:
                del self._guests[visit.network]

    def leave(self, visit: Visit) -> None:
        """Nobody uses the connection any more. May be called again."""
        with self._lock:
            self._settle(visit)
            self._stand_up(visit)

    def close(self) -> None:
        """Let nobody in any more, and dismiss the guests."""
        with self._lock:
            self._closed = True
            for visit in [visit for guests in self._guests.values() for visit in guests]:
                self._dismiss(visit, Refused("the server is shutting down", Code.UNAVAILABLE))
