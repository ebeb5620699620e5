"""A round of the forwarder in stages; and how a line is followed through them.

While no line is followed, the stages are the plain functions, so what is not watched costs nothing: no round
asks whether somebody watches. For a line that is to be followed, each stage makes way for one that does the
same and notes when it was done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import monotonic
from typing import NamedTuple

from chatroom.batch import Batch, Scope
from chatroom.blanking import Erased
from chatroom.effects import Answer, Effect
from chatroom.events import Event, Talk
from chatroom.ledger import Applied
from chatroom.order import Entry, Taken
from chatroom.packets import Burst
from chatroom.presence import Presence, Seat, Seats, Send
from chatroom.records import Record
from chatroom.state import State
from chatroom.trace import Receiver, Step, Trace


class Stages(NamedTuple):
    """What is done in a round, in this order."""

    apply: Callable[[Sequence[Entry]], Applied]
    encode: Callable[[list[Event | Talk]], Batch]
    store: Callable[[Batch, list[Record], Taken, Mapping[int, bytes], Erased], float]
    deliver: Callable[[Batch], None]


class _Followed(NamedTuple):
    """A line in this round, and whether those who get it may be named."""

    trace: Trace
    seq: int
    scope: Scope
    named: bool


class Following:
    """Follows lines through the rounds. Confined to the forwarder's thread.

    stages: of the next round
    """

    def __init__(
        self, state: State, presence: Presence, plain: Stages, clock: Callable[[], float] = monotonic
    ) -> None:
        self._state = state
        self._presence = presence
        self._plain = self.stages = plain
        self._clock = clock
        self._watched = Stages(self._apply, self._encode, self._store, self._deliver)
        self._awaited: dict[tuple[int, int], Trace] = {}  # by connection and message id: not applied yet
        self._here: list[_Followed] = []  # applied in this round

    def add(self, trace: Trace) -> None:
        """Follow this line, which will come."""
        self._awaited[trace.origin, trace.id] = trace
        self.stages = self._watched
        trace.note(Step.ALLOWED)

    def drop(self, trace: Trace) -> None:
        """Nobody waits for it any more. It may have come, or never will."""
        self._awaited.pop((trace.origin, trace.id), None)
        self._choose()

    def _choose(self) -> None:
        self.stages = self._watched if self._awaited else self._plain

    # --- the stages, watched --------------------------------------------------------------------------------

    def _apply(self, entries: Sequence[Entry]) -> Applied:
        taken = self._clock()
        applied = self._plain.apply(entries)
        now = self._clock()
        bursts = [
            (one.origin, one.body)
            for entry in entries
            for one in entry.proposals
            if isinstance(one.body, Burst)
        ]
        lines = sum(len(burst.ids) for _, burst in bursts)
        self._here = []
        for origin, burst in bursts:
            trace = self._awaited.pop((origin, burst.ids[0]), None)
            if trace is None:
                continue
            trace.take(lines, taken)
            followed = self._find(trace, burst, applied)
            if followed is None:
                trace.refuse()
            else:
                trace.note(Step.APPLIED, followed.seq, at=now)
                self._here.append(followed)
        self._choose()  # of the next round: this one goes on as it began
        return applied

    def _find(self, trace: Trace, burst: Burst, applied: Applied) -> _Followed | None:
        """What became of the line; None: it is not said.

        Other programs of the same person have ids of their own, perhaps the same in this round. A line of
        theirs that is the same in all, text and channel, too, may be taken for this one.
        """
        seat = self._presence.seat(trace.origin)
        if seat is None or any(_is_answer(effect, trace) for effect in applied.effects):
            return None
        for one in applied.happened:
            if isinstance(one, Talk) and one.person == seat.person and one.channel == burst.channel:
                for seq, (id, text) in enumerate(zip(one.ids, one.texts, strict=True), one.first):
                    if id == trace.id and text == burst.texts[0]:
                        return _Followed(trace, seq, (one.place,), self._is_public(one.place))
        return None

    def _is_public(self, place: int) -> bool:
        """Whether anybody may come into the channel and list its members: only then a trace names them."""
        channel = self._state.channel_at(place)  # another one may have its name by the end of the round
        return channel is not None and not (channel.key or channel.invite_only or channel.counted)

    def _encode(self, happened: list[Event | Talk]) -> Batch:
        batch = self._plain.encode(happened)
        for followed in self._here:
            piece = next(piece for piece in batch.pieces if piece.first <= followed.seq <= piece.last)
            followed.trace.note(Step.ENCODED, len(piece.packets))
        return batch

    def _store(
        self,
        batch: Batch,
        records: list[Record],
        taken: Taken,
        amended: Mapping[int, bytes],
        erased: Erased,
    ) -> float:
        seconds = self._plain.store(batch, records, taken, amended, erased)
        for followed in self._here:
            followed.trace.note(Step.STORED, round(seconds * 1_000_000))
        return seconds

    def _deliver(self, batch: Batch) -> None:
        here = [one for one in self._here if _has(batch, one.seq)]
        if not here:
            self._plain.deliver(batch)
            return
        self._presence.deliver_watched(batch, lambda seats, scopes: _watched(seats, scopes, here))
        for followed in here:
            followed.trace.complete()


def _is_answer(effect: Effect, trace: Trace) -> bool:
    """Whether it says that the line is refused."""
    return isinstance(effect, Answer) and (effect.origin[2], effect.request) == (trace.origin, trace.id)


def _has(batch: Batch, seq: int) -> bool:
    return any(piece.first <= seq <= piece.last for piece in batch.pieces)


def _watched(seats: Seats, scopes: Sequence[Scope], here: Sequence[_Followed]) -> Seats:
    """The same connections, the first of which note that they were sent a line."""
    found, noted = dict(seats), dict[Seat, list[tuple[Trace, int]]]()
    for one in here:
        if one.scope in scopes:
            names = [seat.name if one.named else "" for seat in seats]
            for number, seat in zip(one.trace.receivers(names), seats, strict=False):
                noted.setdefault(seat, []).append((one.trace, number))
    for seat, traces in noted.items():
        found[seat] = partial(_send, found[seat], seat.connection, traces)
    return found


def _send(
    send: Send,
    connection: Receiver,
    traces: Sequence[tuple[Trace, int]],
    data: bytes,
    shared: bool = False,
) -> None:
    """Send, and note that in all traces: each with the number that the connection has there."""
    send(data, shared)
    for trace, number in traces:
        trace.sent(number, connection)
