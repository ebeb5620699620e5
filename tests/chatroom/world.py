"""A state whose entries the tests make by hand."""

from __future__ import annotations

import json
from typing import NamedTuple

from chatroom.effects import Admit, Effect, End, NameAnswer, Origin
from chatroom.events import Event
from chatroom.lookalikes import skeletons
from chatroom.names import name_key
from chatroom.network import network_of
from chatroom.order import Entry
from chatroom.outcomes import Outcome
from chatroom.packets import Burst
from chatroom.proposals import Arrive, Body, Enter, Leave, Proposal, ProposalKind, Withdraw
from chatroom.records import Record, Talker
from chatroom.state import Applied, Limits, State
from tests.support.blocks import blocks_of, flat
from tests.support.events import NOON


class Visit(NamedTuple):
    """A connection in the world: its number, and the key of its session."""

    origin: int
    session: str


class World:
    """A state that is judged after every entry: its seqs have no gap, and its records restore it.

    A state made of the records goes on as the old one: the next entry is given to both.

    time:  of the next entry, in milliseconds since 1970
    epoch: the life of the server that makes the entries
    log:   all events
    noted: the records know what was said up to this seq
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits
        self.state = State(limits)
        self._again = State(limits)
        self.time = NOON
        self.epoch = 0
        self.log: list[Event] = []
        self.records: dict[tuple[str, str], Record] = {}
        self.noted = 0
        self._origins = 0
        self._keys = 0
        self.up()

    # --- entries ----------------------------------------------------------------------------------------

    def apply(self, *proposals: Proposal) -> Applied:
        """One entry; without proposals a tick."""
        entry = Entry(b"", self.time, "", self.epoch, proposals)
        applied, again = self.state.apply(entry), self._again.apply(entry)
        assert (again.happened, again.effects) == (applied.happened, applied.effects)
        assert sorted(again.records) == sorted(applied.records)
        self.log += events(applied)
        self.noted = max(self.noted, self.state.noted)  # as a history keeps it: a new state does not know it
        self.records.update(((record.kind, record.key), record) for record in applied.records)
        assert [event.seq for event in self.log] == list(range(1, self.state.head + 1))
        self._again = self.restored()
        assert self._again.records() == self.state.records()
        if not self.late():
            assert self.kept() == self.state.records()
        return applied

    def tick(self, seconds: float = 0.0) -> Applied:
        """The time goes on; then a tick."""
        self.time += int(seconds * 1000)
        return self.apply()

    def propose(self, origin: int, kind: ProposalKind, body: Body = None) -> Applied:
        """An entry with one proposal."""
        return self.apply(Proposal(origin, 0, kind, body))

    def up(self) -> Applied:
        """The server starts again."""
        self.epoch += 1
        return self.propose(0, ProposalKind.UP)

    # --- what people do ---------------------------------------------------------------------------------

    def ask(self, name: str, known: str = "", address: str = "") -> tuple[Visit, Outcome]:
        """A new connection asks for a name, with the key of its session if it has one.

        address: of the peer; without one, each connection has its own
        """
        self._origins += 1
        self._keys += 1
        fresh = f"key{self._keys}"
        key, address = name_key(name), address or f"address {self._origins}"
        body = Arrive(name, key, known, fresh, address, skeletons(name, key), network_of(address))
        (answer,) = self.propose(self._origins, ProposalKind.ARRIVE, body).effects
        assert isinstance(answer, NameAnswer) and answer.origin == self.origin(self._origins)
        return Visit(self._origins, known if answer.outcome.rows == (True,) else fresh), answer.outcome

    def enter(self, name: str, *channels: str, known: str = "", address: str = "") -> Visit:
        """A new connection takes the name and becomes a member, in #general unless channels are given."""
        visit, _ = self.ask(name, known, address)
        self.come(visit, *channels)
        return visit

    def come(self, visit: Visit, *channels: str) -> Applied:
        return self.propose(visit.origin, ProposalKind.ENTER, Enter(visit.session, channels or ("#general",)))

    def withdraw(self, visit: Visit) -> Applied:
        return self.propose(visit.origin, ProposalKind.WITHDRAW, Withdraw(visit.session))

    def say(self, visit: Visit, *ids: int, channel: str = "#general", form: int = 0) -> Applied:
        burst = Burst(channel, ids, [f"text {id}".encode() for id in ids], form)
        return self.propose(visit.origin, ProposalKind.LINES, burst)

    def leave(self, visit: Visit, reason: str = "bye") -> Applied:
        """The member says goodbye."""
        return self.propose(visit.origin, ProposalKind.LEAVE, Leave(True, reason))

    def lose(self, visit: Visit, reason: str = "connection closed") -> Applied:
        """The member's connection breaks."""
        return self.propose(visit.origin, ProposalKind.LEAVE, Leave(False, reason))

    # --- what is to be seen -----------------------------------------------------------------------------

    def origin(self, number: int) -> Origin:
        return "", self.epoch, number

    def kept(self) -> list[Record]:
        """The stored records, in order."""
        return sorted(record for record in self.records.values() if record.value is not None)

    def late(self) -> list[Talker]:
        """What was said and is not in the records yet."""
        events = [event for event in self.log if event.id and event.seq > self.noted]
        return [Talker(event.person, event.id) for event in events]

    def restored(self) -> State:
        """A new state with all that is stored."""
        state = State(self.limits)
        state.restore(self.state.head, self.kept(), self.late())
        return state

    def stored(self, visit: Visit) -> dict[str, object] | None:
        """What is stored of the session; None when it is forgotten."""
        record = self.records.get(("session", visit.session))
        if record is None or record.value is None:
            return None
        value: dict[str, object] = json.loads(record.value)
        return value

    def phase(self, visit: Visit) -> object:
        """The stored phase of the session; "forgotten" when it is not stored."""
        stored = self.stored(visit)
        return "forgotten" if stored is None else stored["phase"]


def events(applied: Applied) -> list[Event]:
    """What happened, each line as an event, as they are stored."""
    return flat(blocks_of(applied.happened))


def admits(applied: Applied) -> list[Admit]:
    return [effect for effect in applied.effects if isinstance(effect, Admit)]


def ends(applied: Applied) -> list[Effect]:
    return [effect for effect in applied.effects if isinstance(effect, End)]
