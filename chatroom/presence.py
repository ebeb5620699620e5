"""Presence: what only this server knows. Its connections, who is on the way in, and who gets which events."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock

from chatroom.arrivals import Join, Missed
from chatroom.batch import Batch, Scope
from chatroom.door import Connection, Door
from chatroom.errors import Closed
from chatroom.outcomes import Code, Outcome


@dataclass(slots=True, eq=False)
class Seat:
    """One connection of a member.

    origin: number of the connection
    person: number of the member
    places: from which it gets events live; empty until it is live
    new:    its client has not seen anything of the chatroom yet: it is shown the message of the day
    """

    origin: int
    person: int
    name: str
    connection: Connection
    places: tuple[int, ...] = field(default=())
    new: bool = False


Told = tuple[str | int, ...]
"""A row of an answer."""

Send = Callable[[bytes, bool], None]
"""Sends bytes to a connection; and whether others get the same object."""

Seats = dict[Seat, Send]
"""The connections of an audience, in order, each with its send(): to look that up for each batch and member
would cost a tenth of the sending."""


class Presence:
    """The connections of this server. Confined to the forwarder's thread, unless a method says otherwise."""

    def __init__(self) -> None:
        # Guards _last, _asking, _coming and _told.
        self._lock = Lock()
        self._last = 0  # the latest number of a connection
        self._asking: dict[int, Future[Outcome]] = {}  # wait for the answer to their question for a name
        self._coming: dict[int, tuple[Join, Missed]] = {}  # have come to the end of their handshake
        self._told: dict[
            tuple[int, int], deque[Told]
        ] = {}  # by origin and request: for answers that will come
        # Confined to the forwarder's thread:
        self._seats: dict[int, Seat] = {}  # by origin
        self._live: dict[int, dict[Door, Seats]] = {}  # by place, those that get events
        self.deliveries = self.delivered = 0  # pieces that were given to connections so far, and their bytes

    # --- newcomers: any thread ----------------------------------------------------------------------------

    def ask(self) -> tuple[int, Future[Outcome]]:
        """A number for a new connection, and where the answer to its question for a name will be."""
        answer: Future[Outcome] = Future()
        with self._lock:
            self._last += 1
            self._asking[self._last] = answer
            return self._last, answer

    def stop_asking(self, origin: int) -> None:
        """Forget a question that could not be put."""
        with self._lock:
            self._asking.pop(origin, None)

    def come(self, join: Join, missed: Missed) -> None:
        """Remember the connection of a newcomer until it is admitted or sent away."""
        with self._lock:
            self._coming[join.reservation.origin] = join, missed

    # --- what only the answer may tell: any thread ---------------------------------------------------------

    def tell(self, origin: int, request: int, told: Told) -> None:
        """Remember a row for the answer to a command that will be proposed. It may hold a token or code."""
        with self._lock:
            self._told.setdefault((origin, request), deque()).append(told)

    def take_told(self, origin: int, request: int) -> Told | None:
        """The row for the next answer to this request. Ids may repeat; answers keep the order."""
        with self._lock:
            rows = self._told.get((origin, request))
            told = rows.popleft() if rows else None
            if not rows:
                self._told.pop((origin, request), None)
            return told

    def forget_told(self, origin: int) -> None:
        """The connection gives no command any more, and those that it gave are answered."""
        with self._lock:
            for key in [key for key in self._told if key[0] == origin]:
                del self._told[key]

    # --- connections --------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._seats)

    @property
    def seats(self) -> Iterable[Seat]:
        """All connections of members."""
        return self._seats.values()

    @property
    def live(self) -> list[Seat]:
        """The connections that get events. The others are still to be greeted, or catch up."""
        return [seat for seat in self._seats.values() if seat.places]

    def seat(self, origin: int) -> Seat | None:
        """The connection with this number, while it belongs to a member."""
        return self._seats.get(origin)

    def answer(self, origin: int, outcome: Outcome) -> None:
        """Answer the question for a name."""
        with self._lock:
            answer = self._asking.pop(origin)
        answer.set_result(outcome)

    def admit(self, origin: int, person: int, name: str) -> tuple[Seat, Join, Missed]:
        """Give the newcomer its seat."""
        with self._lock:
            join, missed = self._coming.pop(origin)
        seat = self._seats[origin] = Seat(origin, person, name, join.connection)
        return seat, join, missed

    def remove(self, origin: int) -> Connection | None:
        """Forget a connection, whether admitted or not; the connection."""
        seat = self._seats.pop(origin, None)
        if seat is None:
            with self._lock:
                coming = self._coming.pop(origin, None)
            return coming[0].connection if coming else None
        self.go_silent(seat)
        return seat.connection

    def go_live(self, seat: Seat, places: Iterable[int]) -> None:
        """Let the connection get the events of these places, from the next batch on."""
        seat.places = tuple(places)
        for place in seat.places:
            self._live.setdefault(place, {}).setdefault(seat.connection.door, {})[seat] = seat.connection.send

    def widen(self, seat: Seat, place: int) -> None:
        """Let a connection that is live get the events of another place, too, from the next batch on."""
        if place not in seat.places:
            self.go_live(seat, (*seat.places, place))

    def narrow(self, seat: Seat, place: int) -> None:
        """Let a connection that is live get nothing more of a place, from the next batch on."""
        if place in seat.places:
            self._silence(seat, place)
            seat.places = tuple(other for other in seat.places if other != place)

    def go_silent(self, seat: Seat) -> None:
        """Let a connection get nothing more at all, from the next batch on."""
        for place in seat.places:
            self._silence(seat, place)
        seat.places = ()

    def _silence(self, seat: Seat, place: int) -> None:
        door = seat.connection.door
        of_door = self._live[place][door]
        del of_door[seat]
        if not of_door:
            del self._live[place][door]
        if not self._live[place]:
            del self._live[place]

    def turn_away(self) -> None:
        """Answer the newcomers that nobody will answer any more, so that no thread waits for them."""
        with self._lock:
            asking, self._asking = self._asking, {}
            coming, self._coming = self._coming, {}
        for answer in asking.values():
            answer.set_exception(Closed("the chatroom has ended"))
        for join, _ in coming.values():
            join.connection.part(Code.STOPPING)

    # --- delivering ---------------------------------------------------------------------------------------

    def deliver(self, batch: Batch) -> None:
        """Send each live connection the events of its places. Costs nothing for places without an event."""
        if len(batch.scopes) == 1:
            for door, seats in self._audience(batch.scopes[0]).items():
                self._send(batch, door, batch.scopes, seats)
            return
        for (door, scopes), group in self._groups(batch).items():
            self._send(batch, door, scopes, group)

    def deliver_watched(self, batch: Batch, watched: Callable[[Seats, Sequence[Scope]], Seats]) -> None:
        """As deliver(). watched: gives other functions to send with, to those who get these scopes."""
        for (door, scopes), group in self._groups(batch).items():
            self._send(batch, door, scopes, watched(group, scopes))

    def _groups(self, batch: Batch) -> dict[tuple[Door, tuple[Scope, ...]], Seats]:
        """The connections of each door that get the same scopes of a batch: their bytes are made once."""
        found: dict[Seat, list[Scope]] = {}
        for scope in batch.scopes:
            for seats in self._audience(scope).values():
                for seat in seats:
                    found.setdefault(seat, []).append(scope)
        groups: dict[tuple[Door, tuple[Scope, ...]], Seats] = {}
        for seat, scopes in found.items():
            groups.setdefault((seat.connection.door, tuple(scopes)), {})[seat] = seat.connection.send
        return groups

    def _audience(self, scope: Scope) -> dict[Door, Seats]:
        """The live connections that get the events of a scope, each once."""
        if len(scope) == 1:
            return self._live.get(scope[0], {})
        found: dict[Door, Seats] = {}
        for place in scope:
            for door, seats in self._live.get(place, {}).items():
                found.setdefault(door, {}).update(seats)
        return found

    def _send(self, batch: Batch, door: Door, scopes: tuple[Scope, ...], seats: Seats) -> None:
        if not door.echoes and (authors := batch.authors()):
            for seat, send in seats.items():
                if seat.person in authors:
                    for data in batch.bytes_without(door, scopes, seat.person):
                        send(data, False)
                        self._count(data, 1)
            seats = {seat: send for seat, send in seats.items() if seat.person not in authors}
        for data in batch.bytes_for(door, scopes):
            for send in seats.values():  # the hot loop: once for each batch and member
                send(data, True)
            self._count(data, len(seats))

    def _count(self, data: bytes, times: int) -> None:
        self.deliveries += times
        self.delivered += times * len(data)
